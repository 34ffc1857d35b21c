"""The file, line and column of each part of a scenario, for errors that occur while it runs. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["KeyPath", "Written"]

KeyPath = tuple[str | int, ...]
"""The path to a value in a YAML file: keys and, within lists, indices from 0."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where a scenario is written: its `file`, and in `places` the line and column, from 1, of each key and list item.

    `files`: the files of the parts that are not in `file`, such as steps of a Python call that other modules make.
    """

    file: str = ""
    places: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    files: Mapping[KeyPath, str] = field(default_factory=dict)

    def line(self, *path: str | int) -> str:
        """Return `calls/two_turns.yaml:15` for the path; the file alone if the path is not in it; `""` without one."""
        place = self.places.get(path)
        return self.file if place is None else f"{self.files.get(path, self.file)}:{place[0]}"

    def place(self, *path: str | int) -> tuple[int, int] | None:
        """Return line and column of the path or of its nearest parent in the file; None if there is neither."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) if path else None
