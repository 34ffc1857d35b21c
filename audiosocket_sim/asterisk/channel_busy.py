"""The one thread that Asterisk gives a channel: it is with the server's bytes, or it serves the caller. Never both.

While it reads, or waits inside a message, the caller's packets wait, and leave in a burst after it (docs/protocol.md,
FID-13, FID-21, FID-28). It knows no socket and no verdict: what is read is the leg's business.
"""

import asyncio
from collections.abc import Callable

from audiosocket_sim.asterisk.flood import SocketFirst
from audiosocket_sim.asterisk.reader import AsteriskReader

__all__ = ["ChannelBusyModel"]

_LONGEST_BACKLOG = 250
"""Packets that wait while the thread is elsewhere: about what a UDP socket's default buffer holds."""


class ChannelBusyModel:
    """One channel's. `write` sends a message of the caller's; `on_free` is called when a flood has been dealt with.

    in_header: it waits inside a header from the start, for the server's first byte (asterisk/asterisk #2089).
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
        """Packets of the caller's that it has no time for."""
        self._spins = False
        self._stopped = False

    @property
    def is_reading(self) -> bool:
        """It is with the server's bytes, or waits for them: nobody serves the caller."""
        return self._reader.busy or self.in_header or self._busy is not None

    def send(self, message: bytes) -> None:
        """One message of the caller's, now; or, while the thread reads, in the burst after it."""
        if self._spins:
            return
        if not (self._reader.busy or self.in_header or self._busy is not None):
            self._write(message)
        elif len(self.waiting) < _LONGEST_BACKLOG:
            self.waiting.append(message)
        else:
            self._note("caller packets were lost: Asterisk waited too long for the rest of a message")

    def byte_came(self) -> None:
        """The server said something: the header in which it waited goes on."""
        self.in_header = False

    def took(self, messages: int, now: float) -> None:
        """So many were read at `now`. In a flood the socket comes first, and the caller's packets wait (FID-21)."""
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
        """Send what waited, unless it still reads."""
        if self.waiting and not self.is_reading:
            waiting, self.waiting = self.waiting, []
            for message in waiting:
                self._write(message)

    def spin(self) -> None:
        """It reads the end of the stream again and again, and never gets to the caller (FID-19)."""
        self._spins = True

    def stop(self) -> None:
        """The call is over: what waited is never sent."""
        self._stopped = True
        self.waiting.clear()
        if self._busy is not None:
            self._busy.cancel()

    def _dealt_with(self) -> None:
        self._busy = None
        self._on_free()
