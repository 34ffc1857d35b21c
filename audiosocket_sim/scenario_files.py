"""Which YAML files are meant as scenarios. Reads the start of a file and parses nothing: most YAML is not ours.

The modeline that editors read, `# yaml-language-server: $schema=…scenario.schema.json`, says so in any folder. In a
folder that was named for its scenarios, a top-level `summary` or `steps` says so too.
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
    """The folder holds more files than a folder of scenarios would. One line for people."""


@dataclass(frozen=True, slots=True)
class FoundScenarios:
    """`scenarios`: the files that are meant, sorted; `passed_over`: the other YAML files."""

    scenarios: tuple[Path, ...]
    passed_over: tuple[Path, ...]


def is_yaml(path: Path) -> bool:
    """True by the file's name alone."""
    return path.suffix in (".yaml", ".yml")


def has_modeline(path: Path) -> bool:
    """True if one of the first lines names the scenarios' schema; False too for a file that may not be read."""
    return any(_MODELINE.search(line) for line in _start(path).splitlines()[:_MODELINE_LINES])


def looks_like_scenario(path: Path) -> bool:
    """True with the modeline, or with a top-level `summary` or `steps`, also where the rest of it is wrong."""
    start = _start(path)
    return bool(_KEY.search(start)) or has_modeline(path)


def scenarios_below(folder: Path) -> FoundScenarios:
    """The YAML files in a folder and below it; folders that start with a dot and virtual environments are not entered.

    Raises OSError for a folder that may not be read, TooManyFilesError past 20,000 files.
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
    """The first 64 KiB as text; empty for somebody's file that may not be read, or a link to nowhere."""
    try:
        if not path.is_file():  # a FIFO would wait for its writer
            return ""
        with path.open("rb") as file:
            return file.read(_START_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""
