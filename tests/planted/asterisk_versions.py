"""Faults by which a server is dropped by one Asterisk or another."""

import asyncio

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.net.tcp_reset import reset
from planted.audio_in import Aborts, NoG711, NoOldWideband
from planted.audio_out import HeaderFirst, SilentWhenIdle, WaitsInside
from planted.good_server import Call
from planted.table import Planted
from planted.ways import Ways

__all__ = ["PLANTED"]


class HeaderInPieces(Call):
    """Writes the first byte of a message by itself."""

    def write(self, data: bytes) -> None:
        self.writer.write(data[:1])
        self.writer.write(data[1:])


class NeedsAudio(Call):
    """Resets the connection when no audio has come for 2 s."""

    seconds = 2.0
    timer: asyncio.TimerHandle | None = None

    def greet(self) -> None:
        super().greet()
        self.wait()

    def received(self, kind: int, payload: bytes) -> None:
        self.wait()
        super().received(kind, payload)

    def wait(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(self.seconds, reset, self.writer.transport)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        super().close()


class NeedsAudioOnceItCame(NeedsAudio):
    """Does so, but waits as long as it takes for the first."""

    def greet(self) -> None:
        Call.greet(self)


class NoSixty(Aborts):
    """Resets at ten messages of 60 ms."""

    count = 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count += len(payload) == 960
        return self.count >= 10


class NoJitter(Aborts):
    """Resets at the fourth packet that is over 60 ms late."""

    last = count = 0.0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count += 0.06 < self.now - self.last < 0.2
        self.last = self.now
        return self.count >= 4


class NoShortOnes(Aborts):
    """Resets at audio of 10 bytes."""

    def dislikes(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.SLIN8 and len(payload) == 10


class NoLongSilence(Aborts):
    """Resets at 2 s of digital silence after the caller has spoken."""

    spoken = False
    quiet = 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        if kind in RATE_HZ:
            self.quiet = 0 if any(payload) else self.quiet + 1
            self.spoken = self.spoken or any(payload)
        return self.spoken and self.quiet > 100


class NoWideband(Aborts):
    """Resets at kind 0x12."""

    def dislikes(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.SLIN16


class NoKeys(Aborts):
    """Resets at a key."""

    def dislikes(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.DTMF


class NoCatchingUp(Aborts):
    """Resets when over 40 messages come at once."""

    at, count = -1.0, 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count = self.count + 1 if self.now == self.at else 0
        self.at = self.now
        return self.count > 40


class StaysOpen(Call):
    """Keeps its end open for 9 s after the caller's."""

    async def run(self) -> None:
        try:
            await super().run()
            await asyncio.sleep(9.0)
        finally:
            self.writer.close()

    def close(self) -> None:
        pass


class SilentWhileItThinks(Call):
    """Sends silence when it waits for the caller, and nothing while its answer is made."""

    def idle(self) -> tuple[int, bytes] | None:
        return None if self.awaits_answer() else super().idle()


class SpeaksWhenSpokenTo(Call):
    """Sends nothing before the caller's first audio."""

    began = False

    def received(self, kind: int, payload: bytes) -> None:
        self.began = True
        super().received(kind, payload)

    def tick(self) -> None:
        if self.began:
            super().tick()


def _av(*numbers: int) -> tuple[str, ...]:
    return tuple(f"AV-{number:02}" for number in numbers)


_ALL = _av(*range(1, 26))
_IN_TWO_WRITES = _av(1, 2, 6, 10, 18)
_IN_PIECES = _av(1, 2, 3, 4, 6, 7, 8, 10, 16, 18, 25)
_WITHOUT_AUDIO = _av(10, 11, 12, 18, 19, 20)
"""What each of these faults spoils; the case itself may be among them."""

PLANTED = (
    Planted("AV-01", HeaderFirst, "does not wait for the rest", consequences=_IN_TWO_WRITES),
    Planted("AV-02", HeaderFirst, "does not wait for the rest", consequences=_IN_TWO_WRITES),
    Planted("AV-03", WaitsInside, "more than 5 ms", consequences=_ALL),
    Planted("AV-04", HeaderInPieces, "header that came in pieces", consequences=_IN_PIECES),
    Planted("AV-05", WaitsInside, "more than 5 ms", consequences=_ALL),
    Planted("AV-06", HeaderFirst, "does not wait for the rest", consequences=_IN_TWO_WRITES),
    Planted("AV-07", WaitsInside, "more than 5 ms", consequences=_ALL),
    Planted("AV-08", HeaderInPieces, "header that came in pieces", consequences=_IN_PIECES),
    Planted("AV-09", WaitsInside, "more than 5 ms", consequences=_ALL),
    Planted("AV-10", SilentWhenIdle, "nothing from either side", consequences=_av(11)),
    Planted("AV-11", SilentWhenIdle, "nothing from either side", consequences=_av(10)),
    Planted("AV-11", SilentWhileItThinks, "nothing from either side", ways=Ways(thinks=3.0)),
    Planted("AV-12", NeedsAudio, "reset", consequences=_WITHOUT_AUDIO),
    Planted("AV-13", NoSixty, "reset"),
    Planted("AV-14", NoJitter, "reset", consequences=_av(13)),
    Planted("AV-15", NoG711, "reset"),
    Planted("AV-16", NoOldWideband, "reset"),
    Planted("AV-17", NoWideband, "reset"),
    Planted("AV-18", NoShortOnes, "reset"),
    Planted("AV-19", NeedsAudioOnceItCame, "reset", consequences=_av(11, 18)),
    Planted("AV-20", NeedsAudio, "reset", consequences=_WITHOUT_AUDIO),
    Planted("AV-21", NoLongSilence, "reset", consequences=_av(*range(1, 10), 14, 16, 17, 20, 22, 23)),
    Planted("AV-22", NoKeys, "reset"),
    Planted("AV-23", NoCatchingUp, "reset"),
    Planted("AV-24", StaysOpen, "it was open 3 s later", consequences=_ALL),
    Planted("AV-25", SpeaksWhenSpokenTo, "no audio of the caller came", consequences=_av(10)),
)
