"""A worker thread for one model: jobs wait in a bounded queue, each with a deadline.

The thread has normal priority. A lower one did not make the clock of the calls more even (measured), and recognition
starved on a busy machine.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from audiosocket_server.speech.base import SpeechUnavailable

__all__ = ["Worker"]

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class Worker:
    """The worker. At most `most` jobs wait or run; each ends within `seconds`. `what` names the work in errors."""

    def __init__(self, what: str, *, most: int, seconds: float) -> None:
        self._what = what
        self._most = most
        self._seconds = seconds
        self._jobs = 0
        self._is_running = False
        self._thread = ThreadPoolExecutor(1, f"local-{what}")

    @property
    def is_idle(self) -> bool:
        """True if no job waits or runs, not even one that was given up while it ran."""
        return not self._jobs and not self._is_running

    async def run(self, job: Callable[[*_Ts], T], *args: *_Ts) -> T:
        """Run `job` on the thread, and return its result. If the caller is cancelled, a waiting job is dropped.

        Raises SpeechUnavailable at once if too many jobs wait, or when the time is up; and what the job raises.
        """
        if self._jobs >= self._most:
            raise SpeechUnavailable(f"{self._what}: {self._jobs} jobs wait already, the limit of this engine")
        self._jobs += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._run_job, job, *args)
        except TimeoutError:
            raise SpeechUnavailable(f"{self._what}: not finished within {self._seconds:g} s") from None
        finally:
            self._jobs -= 1

    def _run_job(self, job: Callable[[*_Ts], T], *args: *_Ts) -> T:
        self._is_running = True
        try:
            return job(*args)
        finally:
            self._is_running = False

    def close(self) -> None:
        """Drop waiting jobs; a running job ends by itself. Returns at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)
