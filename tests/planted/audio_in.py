"""Faults in what a server makes of the caller's sound."""

import asyncio

import numpy as np

from audiosocket_core.messages import Kind
from audiosocket_sim.conformance.heard import samples_of
from audiosocket_sim.net.tcp_reset import reset
from planted.good_server import Call
from planted.table import Planted

__all__ = ["PLANTED"]


def _loudest(payload: bytes) -> int:
    samples = samples_of(payload)
    return int(np.abs(samples.astype(int)).max()) if samples.size else 0


class TurnsDownTheLoud(Call):
    """Halves what is loud."""

    def hear(self, kind: int, payload: bytes) -> None:
        if 5_000 < _loudest(payload) < 20_000:
            payload = (samples_of(payload) // 2).astype("<i2").tobytes()
        super().hear(kind, payload)


class OneTooMany(Call):
    """Rounds up, so that the largest sample becomes the smallest."""

    def hear(self, kind: int, payload: bytes) -> None:
        if _loudest(payload) > 32_000:
            payload = (samples_of(payload) + np.int16(1)).astype("<i2").tobytes()
        super().hear(kind, payload)


class AllIsEightKilohertz(Call):
    """Takes each kind for 0x10."""

    def hear(self, kind: int, payload: bytes) -> None:
        super().hear(Kind.SLIN8, payload)


class Aborts(Call):
    """Resets the connection at a message that it does not like."""

    def dislikes(self, kind: int, payload: bytes) -> bool:
        raise NotImplementedError

    def received(self, kind: int, payload: bytes) -> None:
        if self.dislikes(kind, payload):
            reset(self.writer.transport)
        else:
            super().received(kind, payload)


class AnotherRate(Aborts):
    """Resets at another rate once it knows one."""

    first = 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.first = self.first or kind
        return kind == Kind.SLIN16 and self.first != kind


class NoG711(Aborts):
    """Resets at ten messages of 160 bytes."""

    count = 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count += len(payload) == 160
        return self.count >= 10


class NoOldWideband(Aborts):
    """Resets at ten messages of 640 bytes of kind 0x10."""

    count = 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count += kind == Kind.SLIN8 and len(payload) == 640
        return self.count >= 10


class NoBursts(Aborts):
    """Resets when over 100 messages come at once."""

    at, count = -1.0, 0

    def dislikes(self, kind: int, payload: bytes) -> bool:
        self.count = self.count + 1 if self.now == self.at else 0
        self.at = self.now
        return self.count > 100


class EndsWithoutAudio(Call):
    """Hangs up when it was sent nothing for 7 s, unless nothing came at all."""

    timer: asyncio.TimerHandle | None = None

    def received(self, kind: int, payload: bytes) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(7.0, self.hang_up)
        super().received(kind, payload)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        super().close()


class GrowingDelay(Call):
    """Puts half a second of silence in at each late packet, and never takes it out."""

    last = 0.0

    def hear(self, kind: int, payload: bytes) -> None:
        if 0.06 < self.now - self.last < 0.3:
            super().hear(kind, bytes(8000))
        self.last = self.now
        super().hear(kind, payload)


class NoHighRates(Aborts):
    """Resets at 192 kHz."""

    def dislikes(self, kind: int, payload: bytes) -> bool:
        return kind == 0x18


class TiresOfNoise(Call):
    """Closes when the caller has spoken for 5 s without a pause."""

    def hear(self, kind: int, payload: bytes) -> None:
        super().hear(kind, payload)
        if self._spoken > 5.0:
            self.writer.close()


PLANTED = (
    Planted("AI-01", TurnsDownTheLoud, "sends a tone back, to the bit, but", "echo"),
    Planted("AI-02", OneTooMany, "sends sound at full scale back, to the bit, but", "echo"),
    Planted("AI-03", AllIsEightKilohertz, "s of sound came back as", "echo"),
    Planted("AI-04", AnotherRate, "closed it with a reset", consequences=("AI-10", "TD-11")),
    Planted("AI-05", NoG711, "closed it with a reset", consequences=("AV-15",)),
    Planted("AI-06", NoOldWideband, "closed it with a reset", consequences=("AV-16",)),
    Planted("AI-07", NoBursts, "closed it with a reset", consequences=("FR-22",)),
    Planted("AI-08", EndsWithoutAudio, "sent 00 00 00"),
    Planted("AI-09", GrowingDelay, "the last of it came", "echo"),
    Planted("AI-10", NoHighRates, "closed it with a reset"),
    Planted("AI-11", TiresOfNoise, "keeps the call after 6 s"),
)
