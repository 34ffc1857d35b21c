"""A bounded cache of small files on disk, by key: sounds that were made, texts that were read. Blocking.

What is kept may be private: a file's name does not reveal the key, and only the owner may read it. Processes may share
a folder. If it cannot be written, nothing is kept, and one line of the log says so.
"""

import contextlib
import hashlib
import logging
import os
from functools import lru_cache
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file

__all__ = ["KeptFiles"]

_log = logging.getLogger("audiosocket.cache")


class KeptFiles:
    """The cache. `folder` is made when it is first written to; `suffix`: of its files, such as `.slin`.

    `most_bytes` and `most_files`: the size of the cache, None: any. What was not used for longest is dropped first.
    """

    def __init__(
        self, folder: Path, suffix: str, *, most_bytes: int | None = None, most_files: int | None = None
    ) -> None:
        self._folder = folder
        self._suffix = suffix
        self._most_bytes = most_bytes
        self._most_files = most_files

    def get(self, *key: str | bytes) -> bytes | None:
        """Return what is kept under the key, or None, also if it cannot be read."""
        path = self._path(key)
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):  # the cache of somebody else
            os.utime(path)
        return kept

    def put(self, data: bytes, *key: str | bytes) -> None:
        """Keep `data` under the key, and drop what is beyond the limits. If it cannot be written, nothing is raised."""
        try:
            make_private_folder(self._folder)
            write_private_file(self._path(key), data)
            self._forget()
        except OSError as error:
            _say_once(f"{self._folder}: {error.strerror or error}: nothing is kept in this cache, and all is made anew")

    def _forget(self) -> None:
        kept = []
        for path in self._folder.glob(f"*{self._suffix}"):
            with contextlib.suppress(FileNotFoundError):  # another process may have dropped it
                found = path.stat()
                kept.append((found.st_mtime_ns, found.st_size, path))
        files, size = len(kept), sum(size for _, size, _ in kept)
        for _, its_size, path in sorted(kept):
            if not (_over(files, self._most_files) or _over(size, self._most_bytes)):
                break
            path.unlink(missing_ok=True)
            files, size = files - 1, size - its_size

    def _path(self, key: tuple[str | bytes, ...]) -> Path:
        digest = hashlib.sha256()
        for part in key:
            data = part.encode(errors="replace") if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)
        return self._folder / f"{digest.hexdigest()[:40]}{self._suffix}"


def _over(number: int, limit: int | None) -> bool:
    return limit is not None and number > limit


@lru_cache(maxsize=64)
def _say_once(line: str) -> None:
    _log.warning("%s", line)
