"""The timers of a virtual loop: a calendar of instants, each with its timers in the order in which they were set.

asyncio's own heap of timers does not promise that order, and compares timers in Python; here only instants are
compared, and those of the same instant come out together. Nothing here moves a clock.
"""

import asyncio
import heapq
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

    __slots__ = ("_cancelled", "_count", "_instants", "_timers")

    def __init__(self) -> None:
        self._timers: dict[float, list[asyncio.TimerHandle]] = {}
        self._instants: list[float] = []  # the keys of `_timers`, as a heap
        self._count = 0
        self._cancelled = 0

    def __len__(self) -> int:
        """With the cancelled ones that are still kept."""
        return self._count

    @property
    def pending(self) -> list[asyncio.TimerHandle]:
        """Those that nobody has cancelled, in the order in which they fire."""
        return [timer for when in sorted(self._timers) for timer in self._timers[when] if not timer.cancelled()]

    def add(self, timer: asyncio.TimerHandle, when: float) -> None:
        timers = self._timers.get(when)
        if timers is None:
            self._timers[when] = [timer]
            heapq.heappush(self._instants, when)
        else:
            timers.append(timer)
        self._count += 1

    def take(self, now: float, ready: "deque[asyncio.Handle]") -> None:
        """Move all that are due to `ready`."""
        instants = self._instants
        while instants and instants[0] <= now:
            timers = self._timers.pop(heapq.heappop(instants))
            self._count -= len(timers)
            for timer in timers:
                timer._scheduled = False  # type: ignore[attr-defined]
                if not timer._cancelled:
                    ready.append(timer)
                else:
                    self._cancelled -= 1

    def next_at(self) -> float | None:
        """When the next one fires; None without any."""
        while self._instants:
            when = self._instants[0]
            timers = self._timers[when]
            if not timers[0].cancelled() or not all(timer.cancelled() for timer in timers):
                return when
            heapq.heappop(self._instants)
            del self._timers[when]
            self._count -= len(timers)
            self._cancelled -= len(timers)
        return None

    def note_cancelled(self) -> None:
        """One of them was cancelled. It stays until its instant, unless such are many and the most."""
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled > self._count // 2:
            kept = self.pending
            self._timers.clear()
            self._instants.clear()
            self._count = self._cancelled = 0
            for timer in kept:
                self.add(timer, timer.when())
