"""A far Asterisk with `JITTERBUFFER()` on the channel over which the bot's sound comes to it, as RTP. Pure.

The rules are those of the hook in Asterisk's abstract_jb.c (20 and later): the buffer is asked for a packet at each
tick of a timer, and after each packet that comes if the next one is due within a packet's length; one packet each
time. A packet that the buffer refuses is not lost: it is passed on at once, before those that wait. What Asterisk
interpolates is silence here. Times inside are whole ms from the making of the buffer on, with which the ticks begin.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from audiosocket_sim.hearing.phones.packets import Lost, PhonePacket, Played
from audiosocket_sim.hearing.phones.rtp_stamps import RtpStamps

__all__ = ["LATE", "AsteriskBuffer", "AsteriskHook", "StampedPacket"]

LATE = "it came too late for its time stamp"
_SHORTEST_MS = 2


@dataclass(slots=True)
class StampedPacket:
    """A packet in the buffer: its time stamp and its length in ms. `delivery`: when it is due, where that is fixed."""

    stamp: int
    ms: int
    packet: PhonePacket
    delivery: int = 0


class AsteriskBuffer(Protocol):
    """One of Asterisk's two buffers. `now` and `interval` are in ms."""

    def put(self, frame: StampedPacket, now: int) -> bool:
        """Take a frame, or refuse it."""

    def get(self, now: int, interval: int) -> tuple[StampedPacket, str | None] | None:
        """Return the next frame, with why it is lost or None if it is played; None: there is no frame now."""

    @property
    def next_at(self) -> float:
        """When the next frame is due."""

    @property
    def frames(self) -> Iterable[StampedPacket]:
        """The frames in the buffer."""


class AsteriskHook:
    """The phone behind a buffer of Asterisk's, which was made `made_ms` before the first packet came."""

    plays = False

    def __init__(self, buffer: AsteriskBuffer, made_ms: float = 500) -> None:
        self._buffer = buffer
        self.stamps = RtpStamps()
        """What stamps the packets."""
        self._zero: float | None = None
        self._made = made_ms / 1000
        self._interval = 20
        self._tick = int(-(-made_ms // self._interval)) * self._interval
        self._done: list[Played | Lost] = []

    def take(self, packet: PhonePacket) -> None:
        """Put a packet into the buffer, and ask for one if one is nearly due."""
        stamp, ms = self.stamps.stamp(packet.at, packet.samples) // 8, packet.samples // 8
        if ms < _SHORTEST_MS:
            self._done.append(Played(packet.at, packet, packet.payload))  # passed by the buffer
            return
        if self._zero is None:
            self._zero = packet.at - self._made
        now = self._ms(packet.at)
        self._ticks_until(now - 1)
        if ms != self._interval:
            self._interval = ms
            self._tick = now + ms
        if not self._buffer.put(StampedPacket(stamp, ms, packet), now):
            self._done.append(Played(packet.at, packet, packet.payload))
        elif self._buffer.next_at - now < self._interval:
            self._ask(now)

    def due(self, now: float) -> Iterator[Played | Lost]:
        """Yield what was played and lost."""
        if self._zero is not None:
            self._ticks_until(self._ms(now))
        done, self._done = self._done, []
        yield from done

    @property
    def waiting(self) -> Iterable[PhonePacket]:
        """The packets in the buffer."""
        return (frame.packet for frame in self._buffer.frames)

    def _ms(self, at: float) -> int:
        return int((at - (self._zero or 0.0)) * 1000 + 1e-3)

    def _ticks_until(self, now: int) -> None:
        while self._tick <= now:
            if self._tick >= self._buffer.next_at:
                self._ask(self._tick)
            self._tick += self._interval

    def _ask(self, now: int) -> None:
        got = self._buffer.get(now, self._interval)
        if got is None:
            return
        frame, why = got
        at, packet = (self._zero or 0.0) + now / 1000, frame.packet
        at = max(at, packet.at)  # `now` was rounded down
        payload = packet.payload
        self._done.append(Played(at, packet, payload) if why is None else Lost(at, packet, payload, why))
