"""Speech kept on disk, by what was said, in which voice, by which model; bounded. Blocking. Processes may share it.

The files' names tell nothing of the text, and only their owner may read them: a bot says names.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

__all__ = ["KeptSpeech"]

_MOST_BYTES = 100_000_000  # an hour and three quarters of 8 kHz
_SUFFIX = ".slin"


class KeptSpeech:
    """A folder, made when it is first written to."""

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, *key: str) -> bytes | None:
        path = self._path(key)
        try:
            pcm = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return pcm

    def put(self, pcm: bytes, *key: str) -> None:
        """Keep it, and forget what has not been used for longest. A folder that cannot be written keeps nothing."""
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                file.write(pcm)
            os.replace(file.name, path)
            self._forget()

    def _forget(self) -> None:
        kept = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another process forgets, too
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
