"""One thread for one model: jobs wait in a bounded queue, each with a deadline, and give way to the calls' clock."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from server.speech.base import SpeechUnavailable

__all__ = ["Worker", "in_polite_thread"]

_NICENESS = 10

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Worker:
    """`what` names the work in errors. At most `most` jobs wait or run; each is over `seconds` after it was given."""

    def __init__(self, what: str, *, most: int, seconds: float) -> None:
        self._what = what
        self._most = most
        self._seconds = seconds
        self._jobs = 0
        self._thread = ThreadPoolExecutor(1, f"local-{what}", initializer=_give_way)

    async def run(self, job: Callable[[*Ts], T], *args: *Ts) -> T:
        """What the job returns. A job whose caller is cancelled is dropped, unless it runs already.

        Raises SpeechUnavailable at once where too many wait, and when the time is up; and what the job raises.
        """
        if self._jobs >= self._most:
            raise SpeechUnavailable(f"{self._what}: {self._jobs} wait already, the most that this engine takes")
        self._jobs += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._thread, job, *args)
        except TimeoutError:
            raise SpeechUnavailable(f"{self._what}: not done within {self._seconds:g} s") from None
        finally:
            self._jobs -= 1

    def close(self) -> None:
        """What waits is dropped; what runs ends by itself. Returns at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def in_polite_thread(load: Callable[[*Ts], T], *args: *Ts) -> T:
    """Call `load` in a thread that gives way: threads that a model makes for itself do so too. Blocks."""
    with ThreadPoolExecutor(1, "local-load", initializer=_give_way) as thread:
        return thread.submit(load, *args).result()


def _give_way() -> None:
    """Lower the priority of this thread. On Linux it is the thread's own; elsewhere it would be the process's."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
