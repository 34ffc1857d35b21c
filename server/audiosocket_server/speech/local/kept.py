"""A bounded cache of synthesised speech on disk, by text, voice and model. Blocking. Processes may share it.

The text may be private: file names do not reveal it, and only the owner may read the files.
"""

import contextlib
import hashlib
import os
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file

__all__ = ["KeptSpeech"]

_MOST_BYTES = 100_000_000  # 1 h 44 min of 8 kHz SLIN
_SUFFIX = ".slin"


class KeptSpeech:
    """The cache. `folder` is made when it is first written to; `most_bytes`: size of the cache."""

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, *key: str) -> bytes | None:
        """Return the speech (SLIN, 8 kHz) kept under `key`, or None."""
        path = self._path(key)
        try:
            pcm = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return pcm

    def put(self, pcm: bytes, *key: str) -> None:
        """Keep `pcm` under `key`, and drop the least recently used files beyond the limit.

        If the folder cannot be written, nothing is kept and nothing is raised.
        """
        path = self._path(key)
        with contextlib.suppress(OSError):
            make_private_folder(self._folder)
            write_private_file(path, pcm)
            self._forget()

    def _forget(self) -> None:
        kept = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another process may have dropped it
                found = path.stat()
                kept.append((found.st_mtime_ns, found.st_size, path))
        too_much = sum(size for _, size, _ in kept) - self._most_bytes
        for _, size, path in sorted(kept):
            if too_much <= 0:
                break
            path.unlink(missing_ok=True)
            too_much -= size

    def _path(self, key: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\0".join(key).encode()).hexdigest()[:32]
        return self._folder / f"{name}{_SUFFIX}"
