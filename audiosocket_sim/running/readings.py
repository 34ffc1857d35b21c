"""The stretches of one call whose words a reader reads, beside the clock: virtual time is held meanwhile, the real one
goes on. What was read before is known at once."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.events import BotSpoke, Entry
from audiosocket_sim.checks.said import READ
from audiosocket_sim.reading import ReadSpeech, StretchReader

__all__ = ["CallReader", "Readings"]

_SHORTEST_MS = 200
"""A shorter sound (ms) is no word."""
_NICE = 10


@dataclass(frozen=True, slots=True)
class CallReader:
    """Who reads in a call, and in which language: a tag such as pt-BR, or "" for the reader's guess."""

    reader: StretchReader
    language: str


class Readings:
    """Has stretches of unknown speech read. `reader` None: nobody reads.

    `on_read` is called, on the loop, with the entry of a stretch and with its event when the words are known;
    `on_error` with what a reader raised. `virtual`: whether the running loop's clock is virtual.
    """

    def __init__(
        self,
        reader: CallReader | None,
        on_read: Callable[[Entry, BotSpoke], None],
        on_error: Callable[[Exception], None],
        *,
        virtual: bool,
    ) -> None:
        self._reader = reader
        self._on_read, self._on_error = on_read, on_error
        # On the real clock it must not take the processor from the caller's packets.
        self._thread: Executor | None = None if virtual or reader is None else ThreadPoolExecutor(1, "reader", _be_nice)
        self._open: dict[int, asyncio.Task[None]] = {}

    @property
    def open(self) -> frozenset[int]:
        """The numbers of the entries that are being read."""
        return frozenset(self._open)

    def reads(self, spoke: BotSpoke) -> bool:
        """Return whether a reader is to be asked for the words of this speech."""
        return (
            self._reader is not None
            and spoke.text is None
            and spoke.sound == "speech"
            and (spoke.heard_ms >= _SHORTEST_MS)
        )

    def known(self, spoke: BotSpoke, pcm: bytes) -> BotSpoke | None:
        """Return the speech with its words, if this sound was read before; None otherwise."""
        assert self._reader is not None
        found = self._reader.reader.kept(pcm, self._reader.language)
        return None if found is None else _with(spoke, found, self._reader.reader.name)

    def begin(self, entry: Entry, spoke: BotSpoke, pcm: bytes) -> None:
        """Begin to read the speech of an entry."""
        self._open[entry.number] = asyncio.get_running_loop().create_task(self._read(entry, spoke, pcm))

    async def done(self) -> None:
        """Wait until all is read."""
        while self._open:
            await asyncio.wait(list(self._open.values()))

    async def aclose(self) -> None:
        """Drop what is not read yet. What a thread is reading ends by itself."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _read(self, entry: Entry, spoke: BotSpoke, pcm: bytes) -> None:
        assert self._reader is not None
        loop, reader = asyncio.get_running_loop(), self._reader.reader
        try:
            found = await loop.run_in_executor(self._thread, reader.read, pcm, self._reader.language)
        except Exception as error:  # noqa: BLE001 - the call ends with it
            self._open.pop(entry.number, None)
            self._on_error(error)
            return
        except asyncio.CancelledError:
            self._open.pop(entry.number, None)
            raise
        self._open.pop(entry.number, None)
        self._on_read(entry, _with(spoke, found, reader.name))


def _with(spoke: BotSpoke, found: ReadSpeech, name: str) -> BotSpoke:
    """The speech as it was read; without words, it stays speech that nobody can read."""
    if not found.text:
        return replace(spoke, read_by=name)
    return replace(spoke, text=found.text, voice=READ, read_by=name, confidence=found.confidence, words=found.words)


def _be_nice() -> None:
    """Let this thread run only where nobody else wants the processor as much: on Linux, priority is a thread's own."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
