"""The engine's own threads: bounded, and starting is kept apart from cleaning up.

To clean up after a service that fell silent takes two seconds of waiting in the SDK. That may delay other clean-ups; it
must not delay the start of anybody's turn, nor take the loop's own executor from those who share it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Threads"]

STARTERS = 8  # a start takes some milliseconds
ENDERS = 32

_T = TypeVar("_T")


class Threads:
    def __init__(self) -> None:
        self._starters = ThreadPoolExecutor(STARTERS, thread_name_prefix="azure-start")
        self._enders = ThreadPoolExecutor(ENDERS, thread_name_prefix="azure-end")

    async def start(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._starters, work)

    async def end(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._enders, work)

    def close(self) -> None:
        """No more work comes. What is at work goes on to its end; the interpreter waits for it."""
        self._starters.shutdown(wait=False)
        self._enders.shutdown(wait=False)
