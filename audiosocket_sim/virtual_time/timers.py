"""The timers of a virtual loop: those of the same instant come out in the order in which they were set.

asyncio's own heap of timers does not promise that order, and compares timers in Python; here only an instant and a
number are compared. Nothing here moves a clock.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

__all__ = ["Timer", "VirtualTimers"]

_FEW = 100


class Timer(asyncio.TimerHandle):
    """asyncio's own, made in one step instead of three: a call sets a hundred a second. Notes no traceback."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._callback, self._args, self._loop = callback, args, loop
        self._context = copy_context() if context is None else context
        self._when = when
        self._scheduled = True
        self._cancelled = False
        self._repr = self._source_traceback = None


class VirtualTimers:
    """All timers of one loop that have not fired."""

    __slots__ = ("_cancelled", "_number", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        """By instant, then by the order in which they were set: the first is the next. To be looked at only."""
        self._number = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        """With the cancelled ones that are still kept."""
        return len(self.heap)

    @property
    def pending(self) -> list[asyncio.TimerHandle]:
        """Those that nobody has cancelled, in the order in which they fire."""
        return [timer for _, _, timer in sorted(self.heap) if not timer.cancelled()]

    def add(self, timer: asyncio.TimerHandle, when: float) -> None:
        """Add a timer that fires at `when`, in s of the virtual clock."""
        heapq.heappush(self.heap, (when, next(self._number), timer))

    def take(self, now: float, ready: "deque[asyncio.Handle]") -> None:
        """Move all that are due to `ready`."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if not timer._cancelled:
                ready.append(timer)
            else:
                self._cancelled -= 1

    def next_at(self) -> float | None:
        """When the next one fires; None without any."""
        heap = self.heap
        while heap:
            when, _, timer = heap[0]
            if not timer._cancelled:
                return when
            heapq.heappop(heap)
            self._cancelled -= 1
        return None

    def note_cancelled(self) -> None:
        """One of them was cancelled. It stays until its instant, unless such are many and the most."""
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled > len(self.heap) // 2:
            self.heap[:] = [entry for entry in self.heap if not entry[2].cancelled()]
            heapq.heapify(self.heap)
            self._cancelled = 0
