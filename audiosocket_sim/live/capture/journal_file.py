"""Journals on disk: a file for each call in progress, which a killed capture leaves behind. Everything here blocks.

The file is private to its owner, and locked while its capture lives, so that no other one takes it for left behind.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiosocket_core.files import make_private_folder
from audiosocket_sim.live.capture.journal import Journal, read_journal
from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.tape import Tape

__all__ = ["JournalFile", "journal_options", "left_behind"]

_SUFFIX = ".part"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class JournalFile:
    """The journal of one call in the folder of its capture. Nothing is on disk before the first `append`."""

    def __init__(self, tape: Tape, options: CaptureOptions) -> None:
        self.path = options.out / f"{options.name}.{secrets.token_hex(4)}{_SUFFIX}"
        self._journal = Journal(tape, _about(options))
        self._pending = b""
        self._file: int | None = None

    def append(self) -> None:
        """Write all that is new on the tape. Raises OSError; then it is written the next time, after what was there."""
        self._pending += "".join(f"{line}\n" for line in self._journal.lines()).encode("ascii")
        if self._file is None:
            make_private_folder(self.path.parent)
            self._file = os.open(self.path, _FLAGS, 0o600)
            _lock(self._file)
        while self._pending:  # a line that a full disk has cut is completed the next time, where the file ends
            self._pending = self._pending[os.write(self._file, self._pending) :]

    def close(self, *, remove: bool) -> None:
        """Close the file, and remove it if its call has been written elsewhere."""
        if self._file is None:
            return
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        os.close(self._file)
        self._file = None


def left_behind(folder: Path) -> Iterator[tuple[Path, Tape, dict[str, Any]]]:
    """Yield each journal in the folder that no living capture holds: its path, its tape, the facts about its capture.

    A journal without a whole first line is removed: it holds nothing of a call. Raises OSError.
    """
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError), path.open(encoding="ascii", errors="replace") as file:
            if not _lock(file.fileno()):
                continue
            found = read_journal(file)
            if found is None:
                path.unlink()
            else:
                yield path, *found


def journal_options(options: CaptureOptions, about: Mapping[str, Any]) -> CaptureOptions:
    """Return `options` with what the journal's own capture was told about its call."""
    ai_listen = about["ai_listen"]
    return replace(
        options,
        to=(about["to"][0], about["to"][1]),
        ai_listen=None if ai_listen is None else (ai_listen[0], ai_listen[1]),
        control=about["control"],
        version=about["version"],
        attach=about["attach"],
        name=about["name"],
        server=about["server"],
        redact=False,
    )


def _about(options: CaptureOptions) -> dict[str, Any]:
    keys = ("to", "ai_listen", "control", "version", "attach", "name", "server")
    return {key: getattr(options, key) for key in keys}


def _lock(file: int) -> bool:
    """Lock a file for this process; False if another one holds it. Where there are no locks (Windows), do nothing."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
