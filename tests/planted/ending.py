"""Faults at the end of a call."""

import asyncio

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.net.tcp_reset import reset
from planted.good_server import Call, Server, voice
from planted.table import Planted
from planted.ways import KINDS, Ways

__all__ = ["PLANTED"]


class HoldsDeadCalls(Call):
    """Does not notice that the caller has closed."""

    async def listen(self) -> None:
        try:
            await super().listen()
        except asyncio.IncompleteReadError:
            await asyncio.sleep(1e6)


class FailsAfterAReset(Server):
    """What a reset leaves behind spoils the next call."""

    spoilt = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.spoilt:
            self.spoilt = False
            writer.close()
            return
        call = _KnowsOfResets(self.ways, reader, writer)
        await call.run()
        self.spoilt = self.is_spoilt_by(call)

    def is_spoilt_by(self, call: "_KnowsOfResets") -> bool:
        return call.was_reset


class _KnowsOfResets(Call):
    was_reset = False

    async def listen(self) -> None:
        try:
            await super().listen()
        except ConnectionResetError:
            self.was_reset = True
            raise


class FailsAfterAResetGoodbye(FailsAfterAReset):
    """The same, where its own goodbye was answered with the reset."""

    def is_spoilt_by(self, call: _KnowsOfResets) -> bool:
        return call.was_reset and call.hung_up


class SaysNoGoodbye(Call):
    """Closes without 00 00 00."""

    def hang_up(self) -> None:
        self.over = self.hung_up = True


class SaysMoreThanGoodbye(Call):
    """Puts a cause into its 00 00 00."""

    def hang_up(self) -> None:
        self.put(Kind.HANGUP, b"\x10")
        self.over = self.hung_up = True


class EndsWithAReset(Call):
    """Closes with the caller's sound unread."""

    def hang_up(self) -> None:
        self.over = True
        reset(self.writer.transport)


class WaitsForThePeer(Call):
    """Leaves the end to the peer, after its 00 00 00."""

    async def linger(self, listening: "asyncio.Future[None]") -> None:
        await asyncio.wait([listening])


class SpeaksAfterGoodbye(Call):
    """Its sender does not know of the goodbye yet."""

    def hang_up(self) -> None:
        self.put(Kind.HANGUP, b"")
        self.put(Kind.SLIN8, bytes(320))
        self.over = self.hung_up = True


class SendsAheadAndHangsUp(Call):
    """Hangs up when all has been sent."""

    def hang_up(self) -> None:
        sound = voice(2.0)
        for place in range(0, len(sound), 320):
            self.put(Kind.SLIN8, sound[place : place + 320])
        super().hang_up()


class SaysError(Call):
    """Answers what it does not expect with 0xff."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind in RATE_HZ and not payload:
            self.put(Kind.ERROR, b"\x04")
        super().received(kind, payload)


class IsKilled(Call):
    """Closes its calls when it is stopped, without a word."""

    async def stopped(self, listening: "asyncio.Future[None]") -> None:
        self.over = True


class AnswersTheDead(Server):
    """An answer that finds its caller gone is given to the next one instead, who is not served."""

    spoilt = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.spoilt:
            self.spoilt = False
            writer.close()
            return
        call = self.call(self.ways, reader, writer)
        await call.run()
        self.spoilt = call.awaits_answer()


class FreesItsLinesLate(Server):
    """Has four lines, and frees each only some seconds after its call."""

    lines = 4

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.lines:
            writer.close()
            return
        self.lines -= 1
        await super().take(reader, writer)
        await asyncio.sleep(6.0)
        self.lines += 1


_HANGS_UP: Ways = KINDS["hangs_up_when_asked"]

PLANTED = (
    Planted(
        "TD-01",
        HoldsDeadCalls,
        "open when the case was over",
        kind="taciturn",
        consequences=("RB-05", "RB-07", "RB-08", "RB-11", "RB-20", "TD-10", "TD-14"),
    ),
    Planted("TD-02", FailsAfterAReset, "keeps the call after a call that ended with a reset", spreads=True),
    Planted("TD-03", FailsAfterAReset, "keeps the call after a call that ended with a reset", spreads=True),
    Planted("TD-04", SaysNoGoodbye, "ended with a FIN only", kind="hangs_up_when_asked", consequences=("TD-12",)),
    Planted("TD-04", SaysMoreThanGoodbye, "a length of 1: 00 00 01 . 10", kind="hangs_up_when_asked"),
    Planted("TD-05", EndsWithAReset, "saw only a reset", kind="hangs_up_when_asked", consequences=("TD-04", "TD-12")),
    Planted("TD-06", FailsAfterAResetGoodbye, "answered with a reset", kind="hangs_up_when_asked", spreads=True),
    Planted("TD-07", WaitsForThePeer, "but it stays open", kind="hangs_up_when_asked"),
    Planted("TD-08", SpeaksAfterGoodbye, "1 more messages, the first 10 01 40", kind="hangs_up_when_asked"),
    Planted("TD-09", SendsAheadAndHangsUp, "2.0. s of its sound", kind="hangs_up_when_asked"),
    Planted("TD-10", HoldsDeadCalls, "it stays open"),
    Planted("TD-11", SaysError, "sent kind 0xff: ff 00 01 . 04"),
    Planted("TD-12", IsKilled, "the peer saw a FIN only"),
    Planted("TD-13", AnswersTheDead, "keeps the call after a call that the caller has ended", spreads=True),
    Planted("TD-14", FreesItsLinesLate, "keeps the call as it did the one before", spreads=True),
)
