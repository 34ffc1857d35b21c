"""Pacing: when the next frame is due, how many frames are due after a delay, and how late they were.

Pure: `now` is an argument.
"""

__all__ = ["Lateness", "Pacer"]


class Pacer:
    """An absolute grid of deadlines: `start`, `start + period`, `start + 2 * period`, …

    Lateness does not accumulate: each deadline is computed from the start by one multiplication, so the rate stays
    exact. After a stall, at most `max_catch_up` frames are due at once, and earlier slots of the grid are skipped and
    counted. Slots are skipped, never audio: the caller of `take` sends its next frames, but fewer of them. All times
    are seconds on one clock.
    """

    __slots__ = ("_next", "max_catch_up", "next_at", "period", "skipped", "start")

    def __init__(self, start: float, period: float, max_catch_up: int = 3) -> None:
        if period <= 0 or max_catch_up < 1:
            raise ValueError(f"period must be over 0 and max_catch_up at least 1, not {period} and {max_catch_up}")
        self.start = start
        self.period = period
        self.max_catch_up = max_catch_up
        self.skipped = 0
        self.next_at = start
        """The deadline of the next frame."""
        self._next = 0

    def at(self, offset: int) -> float:
        """Return the deadline `offset` frames after the next one; -1 is the last deadline that `take` counted."""
        return self.start + (self._next + offset) * self.period

    def lateness(self, now: float) -> float:
        """Return how many seconds ago the next frame was due; 0.0 if it is not due yet."""
        return max(0.0, now - self.next_at)

    def take(self, now: float) -> int:
        """Return how many frames are due at `now`, 0 to `max_catch_up`, and count them as sent."""
        if now < self.next_at:
            return 0
        following = self.start + (self._next + 1) * self.period
        if now < following:  # nearly always
            self._next += 1
            self.next_at = following
            return 1
        # Rounding may make the quotient off by one. The deadlines decide, because `next_at` promised them.
        last = int((now - self.start) / self.period)
        while self.start + (last + 1) * self.period <= now:
            last += 1
        while self.start + last * self.period > now:
            last -= 1
        due = last + 1 - self._next
        self._next = last + 1
        self.next_at = self.start + self._next * self.period
        if due > self.max_catch_up:
            self.skipped += due - self.max_catch_up
            due = self.max_catch_up
        return due


class Lateness:
    """Statistics of late ticks: the machine's own lateness, against which all other timing must be judged.

    There is one sample per wake-up: the lateness of its earliest deadline, in seconds. Percentiles are rounded up to
    0.05 ms, up to 50 ms, beyond which they are the maximum. The clock of uvloop has a resolution of 1 ms.
    """

    __slots__ = ("_buckets", "count", "max", "total")

    GRAIN = 0.000_05
    _BUCKETS = 1_000

    def __init__(self) -> None:
        self.count = 0
        self.max = 0.0
        self.total = 0.0
        """The sum of all samples, in seconds."""
        self._buckets = [0] * (self._BUCKETS + 1)

    def add(self, seconds: float) -> None:
        """Count one tick that came so much later than its deadline."""
        self.count += 1
        if seconds <= 0.0:
            self._buckets[0] += 1
            return
        self.total += seconds
        if seconds > self.max:
            self.max = seconds
        self._buckets[min(int(seconds / self.GRAIN), self._BUCKETS)] += 1

    def percentile(self, share: float) -> float:
        """Return the lateness in seconds that `share` (0 to 1) of the samples did not exceed; 0.0 without samples."""
        wanted = share * self.count
        seen = 0
        for index, samples in enumerate(self._buckets):
            seen += samples
            if samples and seen >= wanted:
                return self.max if index == self._BUCKETS else min(self.max, (index + 1) * self.GRAIN)
        return 0.0

    def at_most(self, seconds: float) -> int:
        """Return how many samples were at most `seconds`, which is a multiple of `GRAIN` and at most 50 ms."""
        return sum(self._buckets[: round(seconds / self.GRAIN)])

    @property
    def p50(self) -> float:
        """The median lateness, in seconds."""
        return self.percentile(0.50)

    @property
    def p99(self) -> float:
        """The lateness that 99 of 100 ticks did not exceed, in seconds."""
        return self.percentile(0.99)
