"""Where in its file each part of a scenario is written, for what goes wrong while it runs. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["KeyPath", "Written"]

KeyPath = tuple[str | int, ...]
"""The way to a value in a YAML file: keys and, within lists, indices from 0."""


@dataclass(frozen=True, slots=True)
class Written:
    """`places`: line and column, from 1, of each key and of each item of a list, by the path to it.

    `files`: the file of those parts that are not written in `file`: steps of a call in Python, called from elsewhere.
    """

    file: str = ""
    places: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    files: Mapping[KeyPath, str] = field(default_factory=dict)

    def line(self, *path: str | int) -> str:
        """`calls/two_turns.yaml:15`; the file alone where that is not written; empty where there is no file."""
        place = self.places.get(path)
        return self.file if place is None else f"{self.files.get(path, self.file)}:{place[0]}"

    def place(self, *path: str | int) -> tuple[int, int] | None:
        """Line and column of the nearest thing around the path that is written; None: not even its root is."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) if path else None
