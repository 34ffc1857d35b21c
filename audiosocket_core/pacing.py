"""When is the next frame due, what to do when late, and how late it was. Arithmetic only: `now` is an argument."""

__all__ = ["Lateness", "Pacer"]


class Pacer:
    """An absolute grid of deadlines: `start`, `start + period`, `start + 2 * period`, …

    Lateness is never carried on: the n-th deadline is computed from the start by one multiplication, so the rate is
    exact for ever. After a stall at most `max_catch_up` frames are due at once; grid slots beyond them are skipped and
    counted. What is skipped are slots, never audio: the caller of `take` sends its next frames, only fewer of them.
    All times are seconds on one clock.
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
        """The deadline `offset` frames after the next one; -1 is the one that `take` gave out last."""
        return self.start + (self._next + offset) * self.period

    def lateness(self, now: float) -> float:
        """How many seconds ago the next frame was due; 0.0 if it is not due yet."""
        return max(0.0, now - self.next_at)

    def take(self, now: float) -> int:
        """How many frames are due at `now` (0 to `max_catch_up`). They count as sent."""
        if now < self.next_at:
            return 0
        following = self.start + (self._next + 1) * self.period
        if now < following:  # nearly always
            self._next += 1
            self.next_at = following
            return 1
        # The quotient may be off by one in its last bit; the deadlines decide, as they are what `next_at` promised.
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
    """How late the ticks came: the machine's own lateness, against which all other timing must be judged.

    One sample a wake-up, its earliest deadline. In seconds; percentiles to the next higher 0.05 ms, up to 50 ms (beyond
    it they give the maximum). On uvloop the clock itself has a grain of 1 ms.
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
        self.count += 1
        if seconds <= 0.0:
            self._buckets[0] += 1
            return
        self.total += seconds
        if seconds > self.max:
            self.max = seconds
        self._buckets[min(int(seconds / self.GRAIN), self._BUCKETS)] += 1

    def percentile(self, share: float) -> float:
        """The lateness that `share` (0 to 1) of the ticks did not exceed; 0.0 if there was none yet."""
        wanted = share * self.count
        seen = 0
        for index, samples in enumerate(self._buckets):
            seen += samples
            if samples and seen >= wanted:
                return self.max if index == self._BUCKETS else min(self.max, (index + 1) * self.GRAIN)
        return 0.0

    def at_most(self, seconds: float) -> int:
        """How many samples were not over `seconds`: a multiple of the grain, 50 ms at most."""
        return sum(self._buckets[: round(seconds / self.GRAIN)])

    @property
    def p50(self) -> float:
        return self.percentile(0.50)

    @property
    def p99(self) -> float:
        return self.percentile(0.99)
