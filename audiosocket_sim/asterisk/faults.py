"""Faults on the way between caller, Asterisk and server: uneven packets and cut writes. All are seeded.

Scenarios and the peer decide when a fault happens. In-memory networks cut data by themselves.
"""

import random
from dataclasses import dataclass
from typing import Literal

__all__ = ["AsteriskStall", "Cuts", "PacketDelays", "SplitMode", "cut_mid_frame"]

SplitMode = Literal["none", "bytes", "seeded"]

_HOLE_CHANCE = 0.04
_SMALL_JITTER_MS = 2.0
_UNFINISHED_BYTES = 83
"""How many bytes of a 323-byte message a real Asterisk wrote in a short write (a capture of 22.10.1)."""


def cut_mid_frame(message: bytes) -> bytes:
    """Return the part of a message that is sent before the end: the header and a part of the payload, never all."""
    return message[: max(4, min(_UNFINISHED_BYTES, len(message) - 1))]


@dataclass(frozen=True, slots=True)
class AsteriskStall:
    """A time in which Asterisk as a whole stands still: from `at_ms` after the UUID, `for_ms` long.

    loses_ticks: the caller's packets are made by Asterisk's own timer (Playback, a Local channel), which does not catch
    up. Otherwise they come from a phone over RTP, wait in the kernel, and are sent in a burst afterwards.
    """

    at_ms: int
    for_ms: int
    loses_ticks: bool = False


class PacketDelays:
    """The delay of each packet of the caller (FID-07): mostly up to 2 ms, sometimes a gap of up to `up_to_ms`."""

    def __init__(self, up_to_ms: float, seed: int) -> None:
        self._up_to_ms = up_to_ms
        self._random = random.Random(seed)

    def next_ms(self) -> float:
        """Return the next packet's delay in ms, 0 to `up_to_ms`; the packets after a gap wait for the late one."""
        if self._random.random() < _HOLE_CHANCE:
            return self._up_to_ms * (0.2 + 0.8 * self._random.random())
        return min(_SMALL_JITTER_MS, self._up_to_ms) * self._random.random()


class Cuts:
    """Cuts a write into pieces that are sent separately: after every byte, or at seeded places."""

    def __init__(self, mode: SplitMode, seed: int) -> None:
        self.mode = mode
        self._random = random.Random(seed)

    def pieces(self, data: bytes) -> list[bytes]:
        """Return `data` in one or more pieces, in order; none of them is empty."""
        if self.mode == "none" or len(data) < 2:
            return [data]
        if self.mode == "bytes":
            return [data[at : at + 1] for at in range(len(data))]
        places = sorted(self._random.sample(range(1, len(data)), min(len(data) - 1, self._random.randint(0, 3))))
        return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
