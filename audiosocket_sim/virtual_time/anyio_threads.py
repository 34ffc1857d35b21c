"""anyio has worker threads of its own, which no event loop sees: make them hold a virtual clock while they work.

Starlette and httpx use `anyio.to_thread` (files, synchronous endpoints). anyio offers no hook, so its asyncio backend's
method is wrapped, once per process. On loops without a virtual clock the wrapper only passes the call on.
"""

import asyncio
import functools
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

__all__ = ["hold_anyio_threads"]


@functools.cache
def hold_anyio_threads() -> None:
    """Wrap anyio's worker threads. Calling it again does nothing."""
    unwrapped = AsyncIOBackend.run_sync_in_worker_thread.__func__  # type: ignore[attr-defined]

    @functools.wraps(unwrapped)
    async def run_and_hold(cls: Any, func: Any, *args: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        if not getattr(loop, "clock_is_virtual", False):
            return await unwrapped(cls, func, *args, **options)
        with loop.hold(f"anyio thread {getattr(func, '__qualname__', func)!s}"):  # type: ignore[attr-defined]
            return await unwrapped(cls, func, *args, **options)

    AsyncIOBackend.run_sync_in_worker_thread = classmethod(run_and_hold)  # type: ignore[assignment]
