"""Keeps what was read on disk, by the sound and by who read it: bounded, and readable by its owner only. Blocking."""

import contextlib
import hashlib
import os
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file

__all__ = ["ReadingCache"]

_MOST_FILES = 4_000
_SUFFIX = ".json"


class ReadingCache:
    """A folder of answers, by key. Processes may share it. If it cannot be written, nothing is kept."""

    def __init__(self, folder: Path, most_files: int = _MOST_FILES) -> None:
        self._folder = folder
        self._most_files = most_files

    def get(self, *key: bytes) -> bytes | None:
        """Return what is kept under the key, or None."""
        path = self._path(key)
        try:
            kept = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return kept

    def put(self, answer: bytes, *key: bytes) -> None:
        """Keep an answer, and drop those that were not used for longest beyond the limit."""
        with contextlib.suppress(OSError):
            make_private_folder(self._folder)
            write_private_file(self._path(key), answer)
            self._forget()

    def _forget(self) -> None:
        kept = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another process may have dropped it
                kept.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(kept)[: max(0, len(kept) - self._most_files)]:
            path.unlink(missing_ok=True)

    def _path(self, key: tuple[bytes, ...]) -> Path:
        digest = hashlib.sha256()
        for part in key:
            digest.update(len(part).to_bytes(8, "big") + part)
        return self._folder / f"{digest.hexdigest()[:40]}{_SUFFIX}"
