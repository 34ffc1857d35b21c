"""A phone with a plain queue: it waits, then plays what it has, and begins anew after it has run dry. Pure."""

import math
from collections import deque
from collections.abc import Iterable, Iterator

from audiosocket_sim.hearing.phones.packets import ROUNDING, Lost, PhonePacket, Played

__all__ = ["Fifo"]

_PACKET_SECONDS = 0.02
_SAME_SECONDS = 0.01


class Fifo:
    """A queue that begins to play `delay_ms` after its first packet, and holds `size_ms` beyond what is playing.

    When it has run dry the phone is silent, and the next packet waits for `delay_ms` again. What comes on top of its
    size is lost: the later part of a long packet, in steps of 20 ms.
    """

    plays = True

    def __init__(self, delay_ms: int, size_ms: int) -> None:
        self._delay = delay_ms / 1000
        self._size = size_ms / 1000
        self._lost_why = f"{size_ms} ms were waiting, and there was room for no more"
        self._end = float("-inf")
        self._queue: deque[Played] = deque()
        self._lost: list[Lost] = []

    def take(self, packet: PhonePacket) -> None:
        """Keep of a packet what there is room for."""
        is_dry = self._end < packet.at - ROUNDING
        start = packet.at + self._delay if is_dry else self._end
        room = math.floor((self._size + _SAME_SECONDS - (start - packet.at)) / _PACKET_SECONDS) + 1
        kept = packet.payload[: 2 * (max(0, room) * packet.rate_hz // 50)]
        if len(kept) < len(packet.payload):
            self._lost.append(Lost(packet.at, packet, packet.payload[len(kept) :], self._lost_why))
        if kept:
            self._end = start + len(kept) // 2 / packet.rate_hz
            self._queue.append(Played(start, packet, kept))

    def due(self, now: float) -> Iterator[Played | Lost]:
        """Yield what was lost, and what has begun to play."""
        lost, self._lost = self._lost, []
        yield from lost
        while self._queue and self._queue[0].at <= now + ROUNDING:
            yield self._queue.popleft()

    @property
    def waiting(self) -> Iterable[PhonePacket]:
        """The packets in the queue."""
        return (played.packet for played in self._queue)
