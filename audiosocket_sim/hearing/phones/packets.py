"""What a model of a phone's buffer takes and gives: packets that come, and what of them is played or lost, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ROUNDING", "Lost", "PhoneModel", "PhonePacket", "Played"]

ROUNDING = 1e-6
"""Seconds: what adding up floating-point times may cost."""


@dataclass(frozen=True, slots=True)
class PhonePacket:
    """A packet of the bot's sound, one for each of its messages: SLIN at `rate_hz`, which came at `at` (s).

    `ahead`: how far ahead of real time it was sent, in samples of 8 kHz. `ends`: when it would have been played if all
    had been played as it came (s).
    """

    at: float
    rate_hz: int
    payload: bytes
    ahead: int = 0
    ends: float = 0.0

    @property
    def seconds(self) -> float:
        """The length of its sound."""
        return len(self.payload) // 2 / self.rate_hz

    @property
    def samples(self) -> int:
        """The number of its samples at 8 kHz, the rate of G.711."""
        return len(self.payload) // 2 * 8000 // self.rate_hz


@dataclass(frozen=True, slots=True)
class Played:
    """A packet begins to play at `at` (s). `payload`: its sound, or the first part of it that was kept."""

    at: float
    packet: PhonePacket
    payload: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """The sound `payload` of a packet was thrown away at `at` (s). `why`: words that follow "lost: "."""

    at: float
    packet: PhonePacket
    payload: bytes
    why: str


class PhoneModel(Protocol):
    """The buffer of one phone. Times are in seconds of one clock, and must not go backwards.

    `plays`: what comes out of it comes at the pace of sound, and is heard; else it goes on to a usual phone, which
    holds 300 ms of what comes faster.
    """

    plays: bool

    def take(self, packet: PhonePacket) -> None:
        """Take a packet that came at `packet.at`; all that was due before must have been asked for."""

    def due(self, now: float) -> Iterable[Played | Lost]:
        """Yield what was played and lost until `now`, since the call before, in order."""

    @property
    def waiting(self) -> Iterable[PhonePacket]:
        """The packets that are kept, and have not begun to play."""
