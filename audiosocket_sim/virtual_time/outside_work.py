"""Work outside the event loop (threads, child processes) for which the virtual clock must wait, and its order.

While a *hold* is open, the clock stands still. Callbacks of other threads are queued, and taken one at a time when the
loop is idle, so that the speed of a thread cannot change the order of events. The results of executor jobs are
delivered in the order in which the jobs were submitted.

Only this module of the package reads the real clock: a hold has a cap in real time.
"""

import asyncio
import concurrent.futures
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ClockHold", "OutsideWork"]


@dataclass(slots=True, eq=False)
class ClockHold:
    """One reason why the clock stands still. `what`: the reason, for the error message."""

    what: str
    began: float = field(default_factory=time.monotonic)  # noqa: TID251

    def age_seconds(self) -> float:
        """How long the hold has lasted, in seconds of the real clock."""
        return time.monotonic() - self.began  # noqa: TID251


@dataclass(slots=True, eq=False)
class _Job:
    work: concurrent.futures.Future[Any]
    answer: asyncio.Future[Any]
    hold: ClockHold
    is_done: bool = False


class OutsideWork:
    """The holds of one loop, and the callbacks and jobs of other threads.

    `wake`: a function that ends a wait in `VirtualSelector.select`; it is called from any thread. `on_held` is called
    before the first hold opens, and `on_free` when the last has ended.
    """

    def __init__(self, wake: Callable[[], None], on_held: Callable[[], None], on_free: Callable[[], None]) -> None:
        self._wake = wake
        self._on_held, self._on_free = on_held, on_free
        self._holds: dict[ClockHold, None] = {}
        self._reported: deque[asyncio.Handle | _Job] = deque()
        self._jobs: deque[_Job] = deque()

    @property
    def is_quiet(self) -> bool:
        """True if no hold is open, and no callback or job is waiting."""
        return not (self._holds or self._reported or self._jobs)

    @property
    def oldest_hold(self) -> ClockHold | None:
        """The hold that began first; None if the clock is free."""
        return next(iter(self._holds), None)

    def hold(self, what: str) -> ClockHold:
        """Hold the virtual clock until the returned hold is released. `what`: the reason, for errors."""
        hold = ClockHold(what)
        if not self._holds:
            self._on_held()
        self._holds[hold] = None
        return hold

    def release(self, hold: ClockHold) -> None:
        """End this hold. The clock may move once all holds have ended. Releasing twice is harmless."""
        if self._holds.pop(hold, hold) is None and not self._holds:
            self._on_free()

    def add_callback(self, callback: asyncio.Handle) -> None:
        """Queue a callback for the loop. May be called from any thread."""
        self._reported.append(callback)
        self._wake()

    def watch(self, work: concurrent.futures.Future[Any], answer: asyncio.Future[Any], hold: ClockHold) -> None:
        """Settle `answer` when `work` is done, and then release `hold`. Cancelling `answer` ends the hold."""
        job = _Job(work, answer, hold)
        self._jobs.append(job)
        answer.add_done_callback(lambda _: self._drop(job))
        work.add_done_callback(lambda _: self._finished(job))

    def take_one(self, ready: deque[asyncio.Handle]) -> bool:
        """Settle one finished job, or append one callback of another thread to `ready`. Returns False if none waits."""
        if self._answer_oldest():
            return True
        while self._reported:
            reported = self._reported.popleft()
            if isinstance(reported, _Job):
                reported.is_done = True
                if self._answer_oldest():
                    return True
            else:
                ready.append(reported)
                return True
        return False

    def _answer_oldest(self) -> bool:
        while self._jobs and self._jobs[0].answer.done():  # cancelled meanwhile
            self._jobs.popleft()
        if not self._jobs or not self._jobs[0].is_done:
            return False
        _settle(self._jobs.popleft())
        return True

    def _finished(self, job: _Job) -> None:
        self._reported.append(job)
        self._wake()

    def _drop(self, job: _Job) -> None:
        self.release(job.hold)
        if job.answer.cancelled():
            job.work.cancel()


def _settle(job: _Job) -> None:
    if job.work.cancelled():
        job.answer.cancel()
        return
    error = job.work.exception()
    if error is None:
        job.answer.set_result(job.work.result())
    else:
        job.answer.set_exception(error)
