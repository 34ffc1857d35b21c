"""Finds scenarios, recordings, the bot's prompts and hold music.

The user's own folders take precedence over the project's: a folder is searched beside the scenario, then upwards from
there, and last among the files that ship with this project.
"""

import contextlib
import os
import re
from functools import lru_cache
from pathlib import Path

from audiosocket_core.phrase_book.shipped import SHIPPED

__all__ = [
    "PROJECT",
    "SOUNDS",
    "cache_folder",
    "find_scenario",
    "named_cell",
    "nearest_folder",
    "recordings_folders",
    "sounds_folders",
    "why_not_writable",
]

SOUNDS = "sounds"
"""The folder in recordings/ with a phrase book of its own, which no recogniser need know: it is read when asked for."""

PROJECT = SHIPPED
_NAMED_CELL = re.compile(r"(?P<name>.+)\[(?P<cell>[^\[\]]*=[^\[\]]*)\]", re.DOTALL)


def find_scenario(name: str, here: Path) -> Path:
    """Return the file of a scenario that is named by its path, or by a bare name in `scenarios/`.

    Searched are `here`, `here`/scenarios, and the shipped scenarios. Raises FileNotFoundError with the name.
    """
    named = Path(name)
    if not named.name:
        raise FileNotFoundError(name)
    names = [named] if named.suffix in (".yaml", ".yml") else [named, named.with_name(f"{named.name}.yaml")]
    folders = [here, here / "scenarios", PROJECT / "scenarios"]
    for folder in folders if not named.is_absolute() else folders[:1]:
        for candidate in names:
            with contextlib.suppress(OSError):  # a folder that may not be read, a name that is too long
                if (folder / candidate).is_file():
                    return (folder / candidate).resolve()
    raise FileNotFoundError(name)


def named_cell(text: str) -> tuple[str, str] | None:
    """Return a scenario's name and a cell's id for `NAME[noise_dbfs=-40,voice=a]`; None for any other text."""
    found = _NAMED_CELL.fullmatch(text)
    return (found["name"], found["cell"]) if found else None


@lru_cache(maxsize=64)
def nearest_folder(name: str, start: Path, marker: str) -> Path | None:
    """Return the nearest folder `name` that contains `marker`: in `start`, upwards from it, or in the project."""
    for folder in (start, *start.parents, PROJECT):
        if (folder / name / marker).is_file():
            return folder / name
    return None


def recordings_folders(start: Path) -> list[Path]:
    """Return the folders of recordings that a scenario in the folder `start` may use: its own, then the project's."""
    own = nearest_folder("recordings", start, "manifest.yaml")
    shared = PROJECT / "recordings"
    return [folder for folder in dict.fromkeys([own, shared]) if folder is not None and folder.is_dir()]


def sounds_folders(start: Path) -> list[Path]:
    """Return the folders recordings/sounds/ that a scenario in the folder `start` may use: its own, then the project's.

    Each has a manifest of its own; recordings/ above it need have none.
    """
    own = nearest_folder(f"recordings/{SOUNDS}", start, "manifest.yaml")
    shared = PROJECT / "recordings" / SOUNDS
    return [folder for folder in dict.fromkeys([own, shared]) if folder is not None and folder.is_dir()]


def cache_folder() -> Path:
    """Return the folder in which rendered speech is kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "audiosocket-sim"


def why_not_writable(folder: Path) -> str | None:
    """Return why the folder, which may not exist yet, cannot be written to, or None if it can. Creates nothing."""
    nearest = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    writable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    return None if writable else f"{nearest} is no folder that can be written to"
