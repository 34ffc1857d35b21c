"""Makes anyio's worker threads, which an event loop does not know of, hold the virtual clock while they work.

Starlette and httpx use `anyio.to_thread` (files, synchronous endpoints). anyio offers no hook, so the method of its
asyncio backend is replaced while a virtual loop runs, and restored when the last one stops.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

from audiosocket_sim.virtual_time.bot_threads import held_job

__all__ = ["anyio_threads_hold"]

_METHOD = "run_sync_in_worker_thread"
_lock = threading.Lock()
_running = 0  # the number of running virtual loops: one may run in a worker thread of another
_original: Any = AsyncIOBackend.__dict__[_METHOD]


@contextlib.contextmanager
def anyio_threads_hold() -> Iterator[None]:
    """Make anyio's worker threads hold the clock of the virtual loop that waits for them, inside the `with` block.

    Blocks may overlap, also in several threads. Loops without a virtual clock are not affected.
    """
    _count(+1)
    try:
        yield
    finally:
        _count(-1)


def _count(step: int) -> None:
    global _running, _original
    with _lock:
        if _running == 0:
            _original = AsyncIOBackend.__dict__[_METHOD]
            setattr(AsyncIOBackend, _METHOD, _holding(_original))
        _running += step
        if _running == 0:
            setattr(AsyncIOBackend, _METHOD, _original)


def _job(func: Any, *args: Any) -> Any:
    with held_job():
        return func(*args)


def _holding(original: Any) -> Any:
    unwrapped = original.__func__

    @functools.wraps(unwrapped)
    async def run_and_hold(cls: Any, func: Any, *args: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        if not getattr(loop, "clock_is_virtual", False):
            return await unwrapped(cls, func, *args, **options)
        with loop.hold(f"anyio thread {getattr(func, '__qualname__', func)!s}"):  # type: ignore[attr-defined]
            return await unwrapped(cls, functools.partial(_job, func), *args, **options)

    return classmethod(run_and_hold)
