"""The timers of a virtual loop: timers of the same instant fire in the order in which they were set.

asyncio's own heap of timers does not guarantee that order, and compares timers in Python; here only an instant and a
number are compared. This module moves no clock.
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
    """An asyncio.TimerHandle with a faster constructor, since a call sets a hundred a second. Keeps no traceback."""

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
    """The timers of one loop that have not fired."""

    __slots__ = ("_cancelled", "_number", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        """The timers as a heap, by instant and then by the order in which they were set. Read only."""
        self._number = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        """Return the number of timers, with the cancelled ones that are still in the heap."""
        return len(self.heap)

    @property
    def pending(self) -> list[asyncio.TimerHandle]:
        """The timers that are not cancelled, in the order in which they fire."""
        return [timer for _, _, timer in sorted(self.heap) if not timer.cancelled()]

    def add(self, timer: asyncio.TimerHandle, when: float) -> None:
        """Add a timer that fires at `when`, in s of the virtual clock."""
        heapq.heappush(self.heap, (when, next(self._number), timer))

    def take(self, now: float, ready: "deque[asyncio.Handle]") -> None:
        """Move the timers that are due at `now`, in s of the virtual clock, to `ready`; drop cancelled ones."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if not timer._cancelled:
                ready.append(timer)
            else:
                self._cancelled -= 1

    def next_at(self) -> float | None:
        """Return when the next timer fires, in s of the virtual clock; None if there is none."""
        heap = self.heap
        while heap:
            when, _, timer = heap[0]
            if not timer._cancelled:
                return when
            heapq.heappop(heap)
            self._cancelled -= 1
        return None

    def note_cancelled(self) -> None:
        """Note that a timer was cancelled. Cancelled timers stay until their instant, unless they are the majority."""
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled > len(self.heap) // 2:
            self.heap[:] = [entry for entry in self.heap if not entry[2].cancelled()]
            heapq.heapify(self.heap)
            self._cancelled = 0
