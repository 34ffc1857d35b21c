"""How long this thread stood ready to run while the machine ran others: what slows its work down, beside late packets.

A packet that leaves in time does not tell that the machine was free: a thread that sleeps is woken at once, and one
that has 5 ms of work, an HTTP request, may have its processor taken away four times on the way. The source is Linux's
run delay, the second figure of /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst), in ns since the
thread began. Where the system does not tell, nothing is known, and 0 is told.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["ProcessorWaits", "most_ms", "run_delay_ns"]

STEP_SECONDS = 0.02
WINDOW_STEPS = 5
"""A tenth of a second: longer than any work of ours between two events, short enough to be about one of them."""

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


def run_delay_ns() -> int:
    """What this thread has waited for a processor since it began; 0 where the system does not tell."""
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def most_ms(readings_ns: Sequence[int], window: int = WINDOW_STEPS) -> float:
    """The most that readings of a growing sum grew by within `window` steps, in ms. Fewer readings are one window."""
    if not readings_ns:
        return 0.0
    firsts = readings_ns[: max(1, len(readings_ns) - window)]
    return max(readings_ns[min(i + window, len(readings_ns) - 1)] - first for i, first in enumerate(firsts)) / 1e6


class ProcessorWaits:
    """Reads on the running loop, every 20 ms from `start` to `stop`. `read`: a sum in ns that never shrinks."""

    def __init__(self, read: Callable[[], int] = run_delay_ns) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = read
        self._readings: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Read now, and every 20 ms from now on."""
        self._step()

    def stop(self) -> None:
        """No more readings, after a last one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._readings.append(self._read())

    @property
    def most_ms(self) -> float:
        """The most of any tenth of a second so far."""
        return most_ms(self._readings)

    def _step(self) -> None:
        self._readings.append(self._read())
        self._timer = self._loop.call_later(STEP_SECONDS, self._step)
