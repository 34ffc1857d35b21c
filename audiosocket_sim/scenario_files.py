"""Recognises scenarios among YAML files by the start of a file, without parsing it: most YAML is not ours.

In any folder, a file with the modeline for editors, `# yaml-language-server: $schema=…scenario.schema.json`, is a
scenario. In a folder that was named for its scenarios, a top-level `summary` or `steps` is enough.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FoundScenarios", "TooManyFilesError", "has_modeline", "is_yaml", "looks_like_scenario", "scenarios_below"]

_MODELINE_LINES = 5
_MODELINE = re.compile(r"\$schema\s*[=:].*scenario\.schema\.json")
_KEY = re.compile(r"""^(?:\{\s*)?["']?(?:summary|steps)["']?\s*:(?:\s|$)""", re.MULTILINE)
_START_BYTES = 65_536
_MOST_FILES = 20_000
_NOT_ENTERED = ("node_modules", "__pycache__")


class TooManyFilesError(Exception):
    """The folder holds too many files to be a folder of scenarios. The message is one line for people."""


@dataclass(frozen=True, slots=True)
class FoundScenarios:
    """The YAML files of a folder. `scenarios`: those that are scenarios, sorted; `passed_over`: the others."""

    scenarios: tuple[Path, ...]
    passed_over: tuple[Path, ...]


def is_yaml(path: Path) -> bool:
    """True if the file's name ends with .yaml or .yml."""
    return path.suffix in (".yaml", ".yml")


def has_modeline(path: Path) -> bool:
    """True if one of the first five lines names the scenarios' schema. False for a file that cannot be read."""
    return any(_MODELINE.search(line) for line in _start(path).splitlines()[:_MODELINE_LINES])


def looks_like_scenario(path: Path) -> bool:
    """True if the file has the modeline or a top-level `summary` or `steps`, even if the rest is invalid."""
    start = _start(path)
    return bool(_KEY.search(start)) or has_modeline(path)


def scenarios_below(folder: Path) -> FoundScenarios:
    """Return the YAML files below a folder, without hidden folders, virtual environments and node_modules.

    Raises OSError for a folder that cannot be read, and TooManyFilesError for more than 20,000 files.
    """
    found = sorted(path for path in _files_below(folder) if is_yaml(path))
    meant = tuple(path for path in found if looks_like_scenario(path))
    return FoundScenarios(meant, tuple(path for path in found if path not in set(meant)))


def _files_below(folder: Path) -> Iterator[Path]:
    count = 0
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if _is_entered(Path(place) / name)]
        count += len(files)
        if count > _MOST_FILES:
            raise TooManyFilesError(f"{folder}: more than {_MOST_FILES} files: name a folder nearer to the scenarios")
        yield from (Path(place) / name for name in files)


def _is_entered(folder: Path) -> bool:
    name = folder.name
    return not name.startswith(".") and name not in _NOT_ENTERED and not (folder / "pyvenv.cfg").exists()


def _raise(error: OSError) -> None:
    raise error


def _start(path: Path) -> str:
    """Return the first 64 KiB as text; empty for a file that cannot be read or is not a regular file."""
    try:
        if not path.is_file():  # a FIFO would wait for its writer
            return ""
        with path.open("rb") as file:
            return file.read(_START_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""
