"""Measures how long this thread was ready to run but had no processor, which delays its work on a busy machine.

Packets that leave on time do not prove that the machine is free: a sleeping thread is woken at once, but a thread with
5 ms of work, such as an HTTP request, may lose its processor four times on the way. The source is Linux's run delay,
the second figure of /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst), in ns since the thread
began. On a system without it the measure is always 0.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["ProcessorWaits", "most_ms", "run_delay_ns"]

STEP_SECONDS = 0.02
WINDOW_STEPS = 5
"""100 ms: longer than the simulator's work between two events, and short enough to concern one event only."""

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


def run_delay_ns() -> int:
    """Return for how many ns this thread has waited for a processor since it began; 0 if the system has no figure."""
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def most_ms(readings_ns: Sequence[int], window: int = WINDOW_STEPS) -> float:
    """Return the largest growth, in ms, of a growing sum within `window` steps. Fewer readings count as one window.

    `readings_ns`: successive readings of the sum, in ns.
    """
    if not readings_ns:
        return 0.0
    firsts = readings_ns[: max(1, len(readings_ns) - window)]
    return max(readings_ns[min(i + window, len(readings_ns) - 1)] - first for i, first in enumerate(firsts)) / 1e6


class ProcessorWaits:
    """Reads the run delay every 20 ms on the running loop, from `start` to `stop`. `read`: a growing sum in ns.

    `on_late` is called at each reading with the seconds for which the thread was late since the reading before: it had
    no processor, or it did something else when this reading was due. `slept` returns for how many seconds the bot has
    slept in this thread from one loop time to another: that does not count.
    """

    def __init__(self, read: Callable[[], int] = run_delay_ns) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = read
        self.slept: Callable[[float, float], float] = lambda began, ended: 0.0
        self._readings: list[int] = []
        self._late_ns: list[int] = []
        self._due = 0.0
        self.on_late: Callable[[float], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take a reading now and every 20 ms from now on."""
        self._step()

    def stop(self) -> None:
        """Take a last reading and stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._take()

    @property
    def most_ms(self) -> float:
        """The largest wait within 100 ms so far, in ms."""
        return most_ms(self._readings)

    @property
    def most_late_ms(self) -> float:
        """By how many ms the thread was late at most within 100 ms: it did something else, or had no processor."""
        return most_ms(self._late_ns)

    def _step(self) -> None:
        late = self._take()
        if self.on_late is not None and len(self._readings) > 1:
            self.on_late(late)
        self._due = self._loop.time() + STEP_SECONDS
        self._timer = self._loop.call_at(self._due, self._step)

    def _take(self) -> float:
        """Take a reading; return by how many seconds the thread was late since the one before."""
        now, before = self._loop.time(), self._readings[-1:]
        self._readings.append(self._read())
        waited = (self._readings[-1] - before[0]) / 1e9 if before else 0.0
        late = max(now - self._due - self.slept(self._due, now), waited) if before else 0.0
        self._late_ns.append(sum(self._late_ns[-1:]) + round(late * 1e9))
        return late
