"""The buffer of Asterisk's `JITTERBUFFER(adaptive)`: its delay follows how unevenly the packets came of late. Pure.

The rules are those of Asterisk's jitterbuf.c. Times are whole ms from the first packet on.
"""

from collections import deque

from audiosocket_sim.hearing.phones.asterisk_hook import LATE, StampedPacket

__all__ = ["AdaptiveBuffer"]

_EXTRA_MS = 40
_GROWS_EVERY_MS = 40
_SHRINKS_EVERY_MS = 500
_SHRINKS_WITHOUT_A_FRAME_MS = 80
_SHRINKS_IN_SILENCE_MS = 10
_MOST_INTERPOLATED = 10
_HISTORY = 500
_OUTLIERS_PERCENT = 3
_MOST_OUTLIERS = 19
_JUMPS = 3
_SHRUNK = "the buffer made its delay shorter"

_Got = tuple[StampedPacket, str | None] | None


class AdaptiveBuffer:
    """The buffer of `JITTERBUFFER(adaptive)=size_ms,resync_ms`, with Asterisk's 40 ms of extra delay."""

    def __init__(self, size_ms: int, resync_ms: int) -> None:
        self._size = size_ms
        self._resync = resync_ms
        self.frames: deque[StampedPacket] = deque()
        """The frames in the buffer, by their stamps."""
        self._offset = 0
        self._last_delay = 0
        self._jumps = 0
        self._history: deque[int] = deque(maxlen=_HISTORY)
        self._spread: tuple[int, int] | None = (0, 0)  # None: the history has changed since
        self._jitter = 0
        self._current = self._target = _EXTRA_MS
        self._adjusted = 0
        self._next_voice = 0
        self._last_voice_ms = 0
        self._interpolated = 0
        self._silent_since: int | None = -1  # None: not in silence

    def put(self, frame: StampedPacket, now: int) -> bool:
        """Take a frame, or refuse it: the buffer is full, or it is one of the first of a jump in the stamps."""
        if self.frames and self.frames[-1].stamp - self.frames[0].stamp >= self._size:
            return False
        delay = now - (frame.stamp - self._offset)
        if abs(delay - self._last_delay) > 2 * self._jitter + self._resync:
            self._jumps += 1
            if self._jumps <= _JUMPS:
                return False
            self._history.clear()
            self._offset, delay = frame.stamp - now, 0
        self._jumps, self._last_delay = 0, delay
        self._history.append(delay)
        self._spread = None
        frame.stamp -= self._offset
        self._queue(frame)
        return True

    def get(self, now: int, interval: int) -> _Got:
        """Return the next frame, with why it is lost or None if it is played; None: there is no frame now."""
        excess = self._aim()
        if self._silent_since is None:
            return self._in_speech(now, interval, excess)
        return self._in_silence(now, interval, excess, self._silent_since)

    @property
    def next_at(self) -> float:
        """When the next frame is due."""
        if self._silent_since is None:
            return self._next_voice
        if not self.frames:
            return float("inf")
        if self._target - self._current < -_EXTRA_MS:
            return self._adjusted + _SHRINKS_IN_SILENCE_MS
        return self.frames[0].stamp + self._target

    def _queue(self, frame: StampedPacket) -> None:
        """Put a frame in the order of the stamps, which a jump may have set back."""
        later: list[StampedPacket] = []
        while self.frames and self.frames[-1].stamp > frame.stamp:
            later.append(self.frames.pop())
        self.frames.append(frame)
        self.frames.extend(reversed(later))

    def _aim(self) -> int:
        """Set the delay that is aimed at, and return by how much it exceeds the present one."""
        if self._spread is None:
            delays = sorted(self._history)
            outliers = min(len(delays) * _OUTLIERS_PERCENT // 100, _MOST_OUTLIERS)
            self._spread = delays[outliers], delays[-1 - outliers]
        least, most = self._spread
        self._jitter = most - least
        self._target = least + min(self._jitter + _EXTRA_MS, self._size)
        return self._target - self._current

    def _in_speech(self, now: int, interval: int, excess: int) -> _Got:
        length = self.frames[-1].stamp - self.frames[0].stamp if self.frames else 0
        if excess > 0 and (self._adjusted + _GROWS_EVERY_MS < now or excess > length):
            self._current += interval
            self._adjusted = now
            self._interpolate(interval)
            return None
        frame = self._frame_before(self._next_voice - self._current)
        if frame is not None and frame.stamp + self._current < self._next_voice:
            if frame.stamp + self._current <= self._next_voice - self._last_voice_ms:
                return frame, LATE
            self._interpolated = 0
            self._next_voice = frame.stamp + self._current + frame.ms
            return frame, None
        if frame is not None:
            self._last_voice_ms = frame.ms
        waited = now - self._adjusted
        if excess < -_EXTRA_MS and waited > (_SHRINKS_WITHOUT_A_FRAME_MS if frame is None else _SHRINKS_EVERY_MS):
            self._adjusted = now
            self._interpolated = 0
            self._current -= self._last_voice_ms
            return None if frame is None else (frame, _SHRUNK)
        if frame is None:
            self._interpolate(interval)
            return None
        self._next_voice += frame.ms
        self._interpolated = 0
        return frame, None

    def _interpolate(self, interval: int) -> None:
        self._next_voice += interval
        self._last_voice_ms = interval
        self._interpolated += 1
        if self._interpolated >= _MOST_INTERPOLATED:
            self._silent_since = self._next_voice - self._current

    def _in_silence(self, now: int, interval: int, excess: int, since: int) -> _Got:
        if excess < -_EXTRA_MS and self._adjusted + _SHRINKS_IN_SILENCE_MS <= now:
            self._current -= interval
            self._adjusted = now
        frame = self._frame_before(now - self._current)
        if frame is None:
            return None
        if frame.stamp < since:
            return frame, LATE
        self._current = self._target
        self._silent_since = None
        self._next_voice = frame.stamp + self._current + frame.ms
        self._last_voice_ms = frame.ms
        return frame, None

    def _frame_before(self, stamp: int) -> StampedPacket | None:
        """Take the first frame out of the buffer if its stamp is not later than this."""
        return self.frames.popleft() if self.frames and self.frames[0].stamp <= stamp else None
