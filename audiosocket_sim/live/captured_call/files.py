"""Create the files of one captured call: private to their owner, all of them or none, never over another call's."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from audiosocket_core.files import create_private_file, make_private_folder

__all__ = ["NameTaken", "free_name", "put_in_place"]

_MOST_NAMES = 100_000


class NameTaken(FileExistsError):
    """The folder already has a call of this name."""


def free_name(folder: Path, name: str) -> str:
    """Return the first of `name`, `name_2`, `name_3`, … that no call in the folder has.

    Raises NameTaken if there is none. Another process may take the name before it is used.
    """
    for number in range(1, _MOST_NAMES):
        candidate = name if number == 1 else f"{name}_{number}"
        if not (folder / candidate).exists() and not (folder / f"{candidate}.yaml").exists():
            return candidate
    raise NameTaken(f"{folder}: there are already {_MOST_NAMES} calls named {name}")


def put_in_place(folder: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Make `NAME.yaml` and `NAME/` appear in `folder` complete. `fill` writes both into a temporary folder first.

    Returns the path of `NAME.yaml`. Raises NameTaken, OSError, and anything that `fill` raises; after an error nothing
    is left behind.
    """
    make_private_folder(folder)
    scenario, sounds = folder / f"{name}.yaml", folder / name
    try:
        sounds.mkdir(mode=0o700)  # reserves the name
    except FileExistsError:
        raise NameTaken(f"{sounds} already exists") from None
    try:
        if scenario.exists():
            raise NameTaken(f"{scenario} already exists")
        staging = Path(tempfile.mkdtemp(prefix=".capture-", dir=folder))
        try:
            fill(staging)
            (staging / name).rename(sounds)  # replaces the empty folder
            _move_without_replacing(staging / f"{name}.yaml", scenario)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(sounds)
        raise
    return scenario


def _move_without_replacing(made: Path, place: Path) -> None:
    """Move a file, unlike a rename never over an existing one. Raises FileExistsError."""
    try:
        os.link(made, place)
    except FileExistsError:
        raise
    except OSError:  # this file system has no hard links
        create_private_file(place, made.read_bytes())
