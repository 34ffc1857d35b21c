"""A model of the one thread that Asterisk gives a channel: it reads from the server or serves the caller, never both.

While it reads, or waits inside a message, the caller's packets wait, and leave in a burst afterwards (docs/protocol.md,
FID-13, FID-21, FID-28). The model has no socket and no verdict: the leg handles the data that is read.
"""

import asyncio
from collections.abc import Callable

from audiosocket_sim.asterisk.flood import SocketFirst
from audiosocket_sim.asterisk.reader import AsteriskReader

__all__ = ["ChannelBusyModel"]

_LONGEST_BACKLOG = 250
"""The limit of packets that wait while the thread is busy: about the default buffer of a UDP socket."""


class ChannelBusyModel:
    """The thread of one channel. `write`: sends a message of the caller; `on_free`: called when a flood has been read.

    `in_header`: the thread waits inside a header from the start, for the server's first byte (asterisk/asterisk #2089).
    """

    def __init__(
        self,
        reader: AsteriskReader,
        seconds_per_message: float,
        *,
        in_header: bool,
        write: Callable[[bytes], None],
        on_free: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = reader
        self._flood = SocketFirst(seconds_per_message)
        self.in_header = in_header
        self._write = write
        self._on_free = on_free
        self._note = note
        self._busy: asyncio.TimerHandle | None = None
        self.waiting: list[bytes] = []
        """Messages of the caller that wait until the thread is free."""
        self._spins = False
        self._stopped = False

    @property
    def is_reading(self) -> bool:
        """True if the thread reads the server's bytes or waits for them, so that the caller is not served."""
        return self._reader.busy or self.in_header or self._busy is not None

    def send(self, message: bytes) -> None:
        """Send a message of the caller now or, while the thread reads, in the burst afterwards."""
        if self._spins:
            return
        if not (self._reader.busy or self.in_header or self._busy is not None):
            self._write(message)
        elif len(self.waiting) < _LONGEST_BACKLOG:
            self.waiting.append(message)
        else:
            self._note("caller packets were lost: Asterisk waited too long for the rest of a message")

    def byte_came(self) -> None:
        """Note that the server sent data, which ends a wait inside a header."""
        self.in_header = False

    def took(self, messages: int, now: float) -> None:
        """Note that `messages` were read at the time `now`. In a flood the caller's packets wait (FID-21)."""
        flood = self._flood
        flood.took(messages, now)
        if flood.starves_the_caller(now) and not self._stopped:
            if self._busy is not None:
                self._busy.cancel()
            self._busy = self._loop.call_at(flood.busy_until, self._dealt_with)

    def stand_still(self, until: float) -> None:
        """Asterisk is stalled: neither the server nor the caller is served before the loop time `until`."""
        if not self._stopped:
            until = max(until, self._flood.busy_until)
            if self._busy is not None:
                self._busy.cancel()
            self._busy = self._loop.call_at(until, self._dealt_with)

    def serve_the_caller(self) -> None:
        """Send the waiting messages, unless the thread still reads."""
        if self.waiting and not self.is_reading:
            waiting, self.waiting = self.waiting, []
            for message in waiting:
                self._write(message)

    def spin(self) -> None:
        """Note that the thread reads the end of the stream again and again, and never serves the caller (FID-19)."""
        self._spins = True

    def stop(self) -> None:
        """End the model with the call: waiting messages are never sent."""
        self._stopped = True
        self.waiting.clear()
        if self._busy is not None:
            self._busy.cancel()

    def _dealt_with(self) -> None:
        self._busy = None
        self._on_free()
