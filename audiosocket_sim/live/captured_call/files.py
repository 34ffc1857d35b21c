"""The files of one captured call: readable by their owner alone, whole or not there, and never another call's."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["NameTaken", "free_name", "private_bytes", "put_in_place"]

_MOST_NAMES = 100_000


class NameTaken(FileExistsError):
    """There is a call of this name in the folder already."""


def free_name(folder: Path, name: str) -> str:
    """`name`, or `name_2`, `name_3`, …: the first that no call in the folder has."""
    for number in range(1, _MOST_NAMES):
        candidate = name if number == 1 else f"{name}_{number}"
        if not (folder / candidate).exists() and not (folder / f"{candidate}.yaml").exists():
            return candidate
    raise NameTaken(f"{folder}: there are {_MOST_NAMES} calls named {name} already")


def private_bytes(path: Path, data: bytes) -> None:
    """A new file that only its owner can read, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def put_in_place(folder: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """`fill` writes `NAME.yaml` and `NAME/` into a folder of its own; both then appear in `folder` at once.

    Returns the scenario's path. Raises NameTaken, OSError, and what `fill` raises; nothing is left behind then.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scenario, sounds = folder / f"{name}.yaml", folder / name
    try:
        sounds.mkdir(mode=0o700)  # the name is ours from here on
    except FileExistsError:
        raise NameTaken(f"{sounds} is there already") from None
    try:
        if scenario.exists():
            raise NameTaken(f"{scenario} is there already")
        staging = Path(tempfile.mkdtemp(prefix=".capture-", dir=folder))
        try:
            fill(staging)
            (staging / name).rename(sounds)  # over the empty folder
            _move_to_a_free_place(staging / f"{name}.yaml", scenario)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(sounds)
        raise
    return scenario


def _move_to_a_free_place(made: Path, place: Path) -> None:
    """A rename would replace what is there. Raises FileExistsError."""
    try:
        os.link(made, place)
    except FileExistsError:
        raise
    except OSError:  # some file systems have no links
        private_bytes(place, made.read_bytes())
