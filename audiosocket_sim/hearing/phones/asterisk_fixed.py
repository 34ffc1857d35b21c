"""The buffer of Asterisk's `JITTERBUFFER(fixed)`: each packet is due a fixed time after its stamp. Pure.

The rules are those of Asterisk's fixedjitterbuf.c. Times are whole ms from the first packet on.
"""

from collections import deque

from audiosocket_sim.hearing.phones.asterisk_hook import LATE, StampedPacket

__all__ = ["FixedBuffer"]

_EARLY = "its time stamp was too far ahead"
_TWICE = "there was a packet for its time already"


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

    def put(self, frame: StampedPacket, now: int) -> str | None:
        """Take a frame; return None, or why it is lost."""
        if self._offset is None:
            self._begin(frame, now)
            return None
        frame.delivery = self._offset + self._delay + frame.stamp
        why = self._misfit(frame)
        if why is None:
            self.frames.append(frame)
            return None
        if not self.frames:
            self._begin(frame, now)
            return None
        last = self.frames[-1]
        jump = frame.stamp - last.stamp - last.ms
        if abs(jump) < self._resync:
            return why
        self._offset -= jump  # the stamps are taken to have jumped
        for other in self.frames:
            other.stamp += jump
        frame.delivery -= jump
        if (why := self._misfit(frame)) is None:
            self.frames.append(frame)
        return why

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

    def _misfit(self, frame: StampedPacket) -> str | None:
        """Why a frame has no place in the buffer, or None. Stamps do not go back, so its place is behind the last."""
        if frame.delivery < self.next_at:
            return LATE
        if frame.delivery > self.next_at + self._delay + self._resync:
            return _EARLY
        if self.frames and frame.delivery < self.frames[-1].delivery + self.frames[-1].ms:
            return _TWICE
        return None
