"""Create the files of one captured call: private to their owner, all of them or none, never over another call's."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["NameTaken", "free_name", "private_bytes", "put_in_place"]

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


def private_bytes(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, from its first byte on (mode 0600).

    Raises FileExistsError if it exists, and OSError.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def put_in_place(folder: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Make `NAME.yaml` and `NAME/` appear in `folder` complete. `fill` writes both into a temporary folder first.

    Returns the path of `NAME.yaml`. Raises NameTaken, OSError, and anything that `fill` raises; after an error nothing
    is left behind.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        private_bytes(place, made.read_bytes())
