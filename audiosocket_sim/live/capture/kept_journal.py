"""Keeps a call's journal: once a second what is new on the tape is written, outside the event loop."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from audiosocket_sim.live.capture.journal_file import JournalFile

__all__ = ["KeptJournal"]

_EVERY_SECONDS = 1.0


class KeptJournal:
    """Writes from its creation on, until `stop`; then `close`. on_error: called with each OSError of writing."""

    def __init__(self, file: JournalFile, on_error: Callable[[OSError], None]) -> None:
        self._file = file
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._task = self._loop.create_task(self._keep())

    @property
    def left(self) -> Path | None:
        """The file, None if there is none."""
        return self._file.path if self._file.path.exists() else None

    async def stop(self) -> None:
        """Write what is left, and write no more."""
        self._stopped.set()
        await self._task

    def close(self, *, remove: bool) -> None:
        """Close the file, and remove it if its call has been written elsewhere. Blocks."""
        self._file.close(remove=remove)

    async def _keep(self) -> None:
        while True:
            is_last = self._stopped.is_set()
            try:
                await self._loop.run_in_executor(None, self._file.append)
            except OSError as error:
                self._on_error(error)
            if is_last:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _EVERY_SECONDS)
