"""Files read whole within a limit, and files written whole and for their owner alone. Every function blocks.

What a call leaves holds people's voices and words: such files have mode 0600 from their first byte on, lie in folders
of mode 0700, and appear under their name only once they are complete.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "create_private_file",
    "make_private_folder",
    "read_regular_file",
    "write_private_file",
    "write_shared_file",
]

_MB = 1_000_000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def read_regular_file(path: Path | str, most_bytes: int) -> bytes:
    """The content of a regular file of at most `most_bytes`, also where `path` is a link to one.

    Raises OSError with the path: for a folder (EISDIR), a pipe or a device (EINVAL), a larger file (EFBIG), and one
    that cannot be opened or read. Never waits for a pipe that nobody writes to.
    """
    with _named(path), open(path, "rb", opener=_regular_only) as file:
        found = os.fstat(file.fileno())
        data = file.read(most_bytes + 1) if found.st_size <= most_bytes else None
        if data is None or len(data) > most_bytes:
            raise OSError(errno.EFBIG, f"larger than {most_bytes // _MB} MB")
        return data


def make_private_folder(folder: Path) -> None:
    """Make the folder, and those around it that are missing, with mode 0700. One that exists is left as it is.

    Raises OSError with the place that cannot be made: NotADirectoryError where a file is in the way.
    """
    missing = [place for place in (folder, *folder.parents) if not place.is_dir()]
    for place in reversed(missing):
        try:
            place.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(place)) from None


def create_private_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600. Raises FileExistsError where there is one, and OSError."""
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        file.write(data)


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 in one go: a reader sees the file that was there before, or all of the new one.

    The folder must exist. Raises OSError with `path`; nothing of the new file is left then.
    """
    with _named(path):
        _replace(path, data, 0o600)


def write_shared_file(path: Path, data: bytes) -> None:
    """As `write_private_file`, for what others may read: with the mode of the file before, or the usual one."""
    with _named(path):
        before = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        _replace(path, data, 0o666, before)


def _replace(path: Path, data: bytes, mode: int, exact_mode: int | None = None) -> None:
    making = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(making, _NEW, mode), "wb") as file:
        try:
            if exact_mode is not None:
                os.fchmod(file.fileno(), exact_mode)
            file.write(data)
            file.flush()
            os.replace(making, path)
        except BaseException:
            with contextlib.suppress(OSError):
                making.unlink()
            raise


def _regular_only(path: str, flags: int) -> int:
    """Open it without waiting for a pipe's other end. Raises OSError (EISDIR, EINVAL) where it is no regular file."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "Is a directory")
    raise OSError(errno.EINVAL, "not a regular file")


@contextlib.contextmanager
def _named(path: Path | str) -> Iterator[None]:
    """Have an OSError name the file that was asked for, and not a temporary one or none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
