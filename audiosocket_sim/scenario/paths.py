"""Where things lie: scenarios, recordings, the bot's prompts, hold music, the artefacts of a run.

A user's own folders win over the project's: each is looked for beside the scenario, upwards from there, and last in
the project that this package belongs to.
"""

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from audiosocket_core.phrase_book.shipped import SHIPPED

__all__ = ["PROJECT", "cache_folder", "find_scenario", "nearest_folder", "recordings_folders", "why_not_writable"]

PROJECT = SHIPPED


def find_scenario(name: str, here: Path) -> Path:
    """A scenario by its path, or a bare name in `scenarios/`. Raises FileNotFoundError with where it was looked for."""
    asked = Path(name)
    if not asked.name:
        raise FileNotFoundError(name)
    names = [asked] if asked.suffix in (".yaml", ".yml") else [asked, asked.with_name(f"{asked.name}.yaml")]
    folders = [here, here / "scenarios", PROJECT / "scenarios"]
    for folder in folders if not asked.is_absolute() else folders[:1]:
        for candidate in names:
            with contextlib.suppress(OSError):  # a folder that may not be read, a name that is too long
                if (folder / candidate).is_file():
                    return (folder / candidate).resolve()
    raise FileNotFoundError(name)


@lru_cache(maxsize=64)
def nearest_folder(name: str, start: Path, marker: str) -> Path | None:
    """The folder `name` with the file `marker` in it: beside `start`, upwards from it, or in the project."""
    for folder in (start, *start.parents, PROJECT):
        if (folder / name / marker).is_file():
            return folder / name
    return None


def recordings_folders(start: Path) -> list[Path]:
    """The recordings a scenario in the folder `start` may use: its own, then the project's."""
    own = nearest_folder("recordings", start, "manifest.yaml")
    shared = PROJECT / "recordings"
    return [folder for folder in dict.fromkeys([own, shared]) if folder is not None and folder.is_dir()]


def cache_folder() -> Path:
    """Where rendered speech is kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "audiosocket-sim"


def why_not_writable(folder: Path) -> str | None:
    """Why nothing can be written there; None where it can, also where it has to be made first. Makes nothing."""
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    fits = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return None if fits else f"{there} is no folder that can be written to"
