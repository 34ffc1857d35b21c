"""The file, line and column of each part of a scenario, for errors that occur while it runs. Data only."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

__all__ = ["NAME_PATTERN", "KeyPath", "Written", "as_written"]

KeyPath = tuple[str | int, ...]
"""The path to a value in a YAML file: keys and, within lists, indices from 0."""

NAME_PATTERN = "[A-Za-z_][A-Za-z0-9_]{0,29}"
"""How a variable of `for_each` may be called; its value stands where `${name}` is written."""


def as_written(path: KeyPath, places: Container[KeyPath]) -> KeyPath:
    """Return the longest leading part of the path that exists in the file. A single value may stand there for a list of
    one: then the index 0 of the path is not in the file."""
    found: KeyPath = ()
    longest: KeyPath = ()
    for part in path:
        if (*found, part) in places:
            longest = found = (*found, part)
        elif part != 0 or found not in places:
            found = (*found, part)
    return longest


@dataclass(frozen=True, slots=True)
class Written:
    """Where a scenario is written: its `file`, and in `places` the line and column, from 1, of each key and list item.

    `files`: the files of the parts that are not in `file`, such as steps of a Python call that other modules make.
    """

    file: str = ""
    places: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    files: Mapping[KeyPath, str] = field(default_factory=dict)

    def line(self, *path: str | int) -> str:
        """Return `calls/two_turns.yaml:15` for the path, of a step in a block for the nearest part of it that is in the
        file; the file alone if there is none; `""` without one."""
        here = as_written(path, self.places)
        is_there = path[:2] == here[:2] or (len(path) > 1 and path[1] == 0)  # a single value for a list of one
        place = self.places.get(here) if is_there else None
        if place is None:
            return self.file
        file = self.files.get(here, self.file)
        return f"{file}:{place[0]}" if place[0] else file

    def place(self, *path: str | int) -> tuple[str, int, int] | None:
        """Return file, line and column of the path or of its nearest parent; None if there is neither."""
        path = as_written(path, self.places)
        return (self.files.get(path, self.file), *self.places[path]) if path and path in self.places else None
