"""The folder to which one run writes: readable by its owner only, and locked against other runs.

The lock is on the folder itself (`flock`), so a run that crashes or is killed leaves no lock and no lock file.
"""

import contextlib
import errno
import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from audiosocket_core.files import make_private_folder

__all__ = ["RunFolder"]

_MOST_AT_A_TIME = 1000
_RUN_FILES = ("call.jsonl", "call.wav", "transcript.txt")


@dataclass(slots=True)
class RunFolder:
    """A folder that is locked until `release`."""

    path: Path
    _descriptor: int = -1

    @classmethod
    def hold(cls, wanted: Path) -> Self:
        """Lock the folder `wanted` or, if another run holds it, the first free one of `wanted-2`, `wanted-3`, …

        Missing folders are created with mode 0700. A folder of an earlier run gets that mode too; any other existing
        folder keeps its mode. On a file system without locks the folder is used unlocked. Raises OSError that names the
        folder.
        """
        named = wanted if wanted.name else wanted.resolve()
        for number in range(1, _MOST_AT_A_TIME + 1):
            path = named if number == 1 else named.with_name(f"{named.name}-{number}")
            make_private_folder(path)
            descriptor = _lock(path)
            if descriptor is not None:
                _make_private_again(path, descriptor)
                return cls(path, descriptor)
        raise OSError(errno.EBUSY, f"{_MOST_AT_A_TIME} runs use this name already", str(wanted))

    def release(self) -> None:
        """Unlock the folder. May be called twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # a child of the bot may have inherited the descriptor
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(path: Path) -> int | None:
    """Lock the folder and return its file descriptor; None if another run holds the lock."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        pass
    return descriptor


def _make_private_again(path: Path, descriptor: int) -> None:
    found = os.fstat(descriptor)
    ours = found.st_uid == os.geteuid() and any((path / name).exists() for name in _RUN_FILES)
    if ours and stat.S_IMODE(found.st_mode) & 0o077:
        os.fchmod(descriptor, 0o700)
