"""The buffer of Asterisk's `JITTERBUFFER(fixed)`: each packet is due a fixed time after its stamp. Pure.

The rules are those of Asterisk's fixedjitterbuf.c. Times are whole ms from the first packet on.
"""

from collections import deque

from audiosocket_sim.hearing.phones.asterisk_hook import LATE, StampedPacket

__all__ = ["FixedBuffer"]


class FixedBuffer:
    """The buffer of `JITTERBUFFER(fixed)=size_ms,resync_ms`."""

    def __init__(self, size_ms: int, resync_ms: int) -> None:
        self._delay = size_ms
        self._resync = resync_ms
        self._offset: int | None = None  # what makes a stamp the time of its arrival; None: there was no packet yet
        self.next_at = 0
        """When the next frame is due."""
        self.frames: deque[StampedPacket] = deque()
        """The frames in the buffer, by the time at which they are due."""

    def put(self, frame: StampedPacket, now: int) -> bool:
        """Take a frame, or refuse it: it is late, or too far ahead, and its stamp has not jumped."""
        if self._offset is None:
            self._begin(frame, now)
            return True
        frame.delivery = self._offset + self._delay + frame.stamp
        if self._fits(frame):
            self.frames.append(frame)
            return True
        if not self.frames:
            self._begin(frame, now)
            return True
        last = self.frames[-1]
        jump = frame.stamp - last.stamp - last.ms
        if abs(jump) < self._resync:
            return False
        self._offset -= jump  # the stamps are taken to have jumped
        for other in self.frames:
            other.stamp += jump
        frame.delivery -= jump
        if fits := self._fits(frame):
            self.frames.append(frame)
        return fits

    def get(self, now: int, interval: int) -> tuple[StampedPacket, str | None] | None:
        """Return the next frame, with why it is lost or None if it is played; None: there is no frame now."""
        if now < self.next_at:
            return None
        if not self.frames or now < self.frames[0].delivery:
            self.next_at += interval  # Asterisk interpolates
            return None
        frame = self.frames.popleft()
        self.next_at = frame.delivery + frame.ms
        return frame, LATE if now > self.next_at else None

    def _begin(self, frame: StampedPacket, now: int) -> None:
        """Let a frame be the first one: it is due after the delay."""
        self._offset = now - frame.stamp
        self.next_at = frame.delivery = now + self._delay
        self.frames.append(frame)

    def _fits(self, frame: StampedPacket) -> bool:
        """Whether there is a place for a frame. Stamps do not go back, so it is behind the last."""
        if not self.next_at <= frame.delivery <= self.next_at + self._delay + self._resync:
            return False
        return not self.frames or frame.delivery >= self.frames[-1].delivery + self.frames[-1].ms
