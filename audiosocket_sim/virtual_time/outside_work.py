"""Work outside the event loop (threads, child processes) that the virtual clock must wait for, and its order.

While a *hold* is open the clock stands still. What other threads tell the loop is put in a queue and heard one item at
a time, each only when the loop has nothing else to do, so a thread's speed cannot change the order of events. Jobs
given to executors are answered in the order in which they were submitted.

This is the one place of the package that reads the real clock: a hold has a cap in real time.
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
    """One reason why the clock stands still. `what` is for the error message."""

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
    """wake() must be callable from any thread and end a wait in `VirtualSelector.wait`."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._holds: dict[ClockHold, None] = {}
        self._said: deque[asyncio.Handle | _Job] = deque()
        self._jobs: deque[_Job] = deque()

    @property
    def is_quiet(self) -> bool:
        """No hold is open, and nothing said is still unheard."""
        return not (self._holds or self._said or self._jobs)

    @property
    def oldest_hold(self) -> ClockHold | None:
        """The hold that began first; None where the clock is free."""
        return next(iter(self._holds), None)

    def hold(self, what: str) -> ClockHold:
        """Hold the virtual clock until the result is released; `what` is named where it takes too long."""
        hold = ClockHold(what)
        self._holds[hold] = None
        return hold

    def release(self, hold: ClockHold) -> None:
        """Let the clock go on, as far as this hold is concerned. Releasing twice is harmless."""
        self._holds.pop(hold, None)

    def tell(self, said: asyncio.Handle) -> None:
        """From any thread: a callback for the loop."""
        self._said.append(said)
        self._wake()

    def watch(self, work: concurrent.futures.Future[Any], answer: asyncio.Future[Any], what: str) -> None:
        """Hold the clock until `work` is done, then settle `answer`. A cancelled answer holds nothing any more."""
        job = _Job(work, answer, self.hold(what))
        self._jobs.append(job)
        answer.add_done_callback(lambda _: self._drop(job))
        work.add_done_callback(lambda _: self._finished(job))

    def hear(self, ready: deque[asyncio.Handle]) -> bool:
        """Take one thing that other threads said; False when there is none."""
        if self._answer_oldest():
            return True
        while self._said:
            said = self._said.popleft()
            if isinstance(said, _Job):
                said.is_done = True
                if self._answer_oldest():
                    return True
            else:
                ready.append(said)
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
        self._said.append(job)
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
