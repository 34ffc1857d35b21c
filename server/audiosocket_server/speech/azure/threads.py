"""The engine's own threads: bounded, with separate pools for starting and for cleaning up.

A clean-up after a service that fell silent waits in the SDK for two seconds. That may delay other clean-ups, but it
must neither delay the start of a recognition or message, nor occupy the threads of the loop's shared executor.
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
    """Two thread pools for the blocking calls of the SDK."""

    def __init__(self) -> None:
        self._starters = ThreadPoolExecutor(STARTERS, thread_name_prefix="azure-start")
        self._enders = ThreadPoolExecutor(ENDERS, thread_name_prefix="azure-end")

    async def start(self, work: Callable[[], _T]) -> _T:
        """Run `work`, which starts something, on a thread; return or raise what it does."""
        return await asyncio.get_running_loop().run_in_executor(self._starters, work)

    async def end(self, work: Callable[[], _T]) -> _T:
        """Run `work`, which cleans up, on a thread; return or raise what it does."""
        return await asyncio.get_running_loop().run_in_executor(self._enders, work)

    def close(self) -> None:
        """Take no more work. Work in progress continues; the interpreter waits for it at its exit."""
        self._starters.shutdown(wait=False)
        self._enders.shutdown(wait=False)
