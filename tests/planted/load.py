"""Faults that show under load, or beside odd peers: one connection costs another one something."""

import asyncio
from dataclasses import replace
from typing import Any

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.conformance.features import Features
from planted.ending import HoldsDeadCalls
from planted.good_server import Call, Server
from planted.table import Planted
from planted.ways import KINDS, Ways

__all__ = ["PLANTED"]


class _Joined(Call):
    """A call of a server in which calls have something in common."""

    server: "_OneThread"

    def tick(self) -> None:
        if not self.server.is_busy(self):
            super().tick()


class _OneThread(Server):
    """A server that does nothing for anybody while it is busy for one call."""

    call: type[Call] = _Joined
    until = 0.0

    def __init__(self, ways: Ways) -> None:
        super().__init__(ways)
        self.waits_for: set[Call] = set()
        """The calls in whose messages it is."""
        self.calls: set[Call] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call: Any = self.call(self.ways, reader, writer)
        call.server = self
        self.calls.add(call)
        try:
            await call.run()
        finally:
            self.calls.discard(call)

    def falls(self) -> None:
        """An error ends all calls."""
        for call in self.calls:
            call.close()

    def is_busy(self, call: Call) -> bool:
        return call.now < self.until or bool(self.waits_for - {call})

    def works(self, seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        self.until = min(max(self.until, now) + seconds, now + 30.0)


class _ReadsToTheEnd(_Joined):
    async def read_message(self) -> tuple[int, bytes]:
        header = await self.read(3)
        self.server.waits_for.add(self)
        try:
            return header[0], await self.read(self.length_of(header))
        finally:
            self.server.waits_for.discard(self)


class WaitsInsideAMessage(_OneThread):
    """Reads a message to its end before it does anything else."""

    call = _ReadsToTheEnd


class _Falls(_Joined):
    def received(self, kind: int, payload: bytes) -> None:
        if kind not in (*RATE_HZ, Kind.DTMF) or (kind in RATE_HZ and not payload):
            self.server.falls()
        super().received(kind, payload)


class FallsOverOddMessages(_OneThread):
    """A message that it does not know ends all its calls."""

    call = _Falls


class _DearKeys(_Joined):
    def key(self, payload: bytes) -> None:
        self.server.works(0.002)
        super().key(payload)


class KeysAreDear(_OneThread):
    """Works 2 ms for each key."""

    call = _DearKeys


class _DearAudio(_Joined):
    def hear(self, kind: int, payload: bytes) -> None:
        if len(payload) < 20:
            self.server.works(0.002)
        super().hear(kind, payload)


class TinyAudioIsDear(_OneThread):
    """Joins tiny messages to whole frames, at 2 ms each."""

    call = _DearAudio


class _DearKinds(_Joined):
    kind = int(Kind.SLIN8)

    def hear(self, kind: int, payload: bytes) -> None:
        if kind != self.kind:
            self.kind = kind
            self.server.works(0.002)
        super().hear(kind, payload)


class KindsAreDear(_OneThread):
    """Makes a new resampler, 2 ms of work, whenever the kind of audio changes."""

    call = _DearKinds


class HasEightLines(Server):
    """Counts connections that have said nothing as calls, and refuses the ninth."""

    held = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.held >= 8:
            writer.close()
            return
        self.held += 1
        try:
            await super().take(reader, writer)
        finally:
            self.held -= 1


class TakesItsTime(Server):
    """Takes a call late while many others last."""

    held = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2.0 if self.held >= 8 else 0.0)
        self.held += 1
        try:
            await super().take(reader, writer)
        finally:
            self.held -= 1


class _Seen(Call):
    heard = False

    async def begin(self) -> None:
        try:
            await super().begin()
        finally:
            self.heard = bool(self.uuid)

    def hear(self, kind: int, payload: bytes) -> None:
        self.had_audio = True
        super().hear(kind, payload)

    had_audio = False


class CountsScans(Server):
    """Takes no calls for some seconds after many connections that were none."""

    scans = 0
    until = 0.0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time()
        if now < self.until:
            writer.close()
            return
        call = _Seen(self.ways, reader, writer)
        await call.run()
        self.scans += self.is_counted(call)
        if self.scans >= 15:
            self.scans, self.until = 0, now + 4.0

    def is_counted(self, call: _Seen) -> bool:
        return not call.heard


class CountsShortCalls(CountsScans):
    """Refuses a call after calls that were gone at once."""

    def is_counted(self, call: _Seen) -> bool:
        return call.heard and not call.had_audio


class TakesAnyForACall(Call):
    """Takes the first bytes for a UUID, whatever they are."""

    async def begin(self) -> None:
        self.uuid = (await self.read(19))[3:]


class SharesItsQueue(Server):
    """All calls have one queue of what is to be sent."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = self.call(self.ways, reader, writer)
        self.queue = call.queue = getattr(self, "queue", call.queue)
        await call.run()


class DrainsForAll(_OneThread):
    """Waits for the reader of each message before it sends anything to anybody."""

    call = _Joined

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)
        writing = asyncio.ensure_future(self._drains(writer))
        try:
            await super().take(reader, writer)
        finally:
            writing.cancel()

    async def _drains(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            if writer.transport.get_write_buffer_size() > 0:
                self.until = max(self.until, asyncio.get_running_loop().time() + 0.1)
            await asyncio.sleep(0.05)


_ECHO = replace(KINDS["echo"], stated=Features(echoes=True, stated=frozenset({"echoes"})))
_TWO_SILENT_CALLS = replace(KINDS["taciturn"], stated=Features(two_calls=True, stated=frozenset({"two_calls"})))

PLANTED = (
    Planted("RB-03", WaitsInsideAMessage, "it was silent for", spreads=True),
    Planted("RB-04", SharesItsQueue, "sends each caller his own sound back, but", ways=_ECHO, spreads=True),
    Planted(
        "RB-05",
        HoldsDeadCalls,
        "it was open when the case was over",
        ways=_TWO_SILENT_CALLS,
        consequences=("RB-07", "RB-08", "RB-11", "RB-20", "TD-01", "TD-10", "TD-14"),
    ),
    Planted("RB-07", FallsOverOddMessages, "keeps the call beside random bytes, but", spreads=True),
    Planted("RB-08", WaitsInsideAMessage, "it was silent for", spreads=True),
    Planted("RB-09", TakesItsTime, "took 2.0. s instead of 0.0", spreads=True),
    Planted("RB-11", FallsOverOddMessages, "keeps the call beside a call with odd messages, but", spreads=True),
    Planted("RB-12", HasEightLines, "keeps the call beside connections that say nothing, but", spreads=True),
    Planted("RB-13", WaitsInsideAMessage, "beside UUIDs that do not come", spreads=True),
    Planted("RB-14", KeysAreDear, "it was silent for", spreads=True),
    Planted("RB-15", TinyAudioIsDear, "it was silent for", spreads=True),
    Planted("RB-16", KindsAreDear, "it was silent for", spreads=True),
    Planted("RB-17", CountsScans, "keeps the call after a port scan, but", spreads=True),
    Planted("RB-18", TakesAnyForACall, "but speaks to it", spreads=True),
    Planted("RB-19", TakesAnyForACall, "but speaks to it", spreads=True),
    Planted("RB-20", CountsShortCalls, "keeps the call after calls that were gone at once, but", spreads=True),
)
