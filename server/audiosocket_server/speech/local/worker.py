"""One thread for one model: jobs wait in a bounded queue, each with a deadline.

The thread has no lower priority than the calls' clock: measured, that did not make the clock more even, and on a busy
machine recognition starved.
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
    """`what` names the work in errors. At most `most` jobs wait or run; each is over `seconds` after it was given."""

    def __init__(self, what: str, *, most: int, seconds: float) -> None:
        self._what = what
        self._most = most
        self._seconds = seconds
        self._jobs = 0
        self._thread = ThreadPoolExecutor(1, f"local-{what}")

    async def run(self, job: Callable[[*_Ts], T], *args: *_Ts) -> T:
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
