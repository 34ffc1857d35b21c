"""Closes a target, whatever its close() does: it may raise, cancel its own task, or never return."""

import asyncio
import contextlib
import functools
import sys
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from audiosocket_sim.parties.started_target import StartedTarget, TargetCloseError, message_of

__all__ = ["close_target"]

_CLOSE_SECONDS = 20.0


async def close_target(running: StartedTarget) -> None:
    """Close the target. Raises TargetCloseError if close() raises, cancels, or takes over 20 s: no bot may block or
    break a run. A cancellation of this task by anybody else goes on as CancelledError.
    """
    task = asyncio.current_task()
    assert task is not None
    limit, asked = asyncio.timeout(_CLOSE_SECONDS), task.cancelling()

    async def close() -> None:
        await running.close()

    try:
        async with limit:
            cancelled_itself = await _without_its_own_cancellations(close(), task)
        if cancelled_itself:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # before Python 3.13 `uncancel` leaves the CancelledError to the next `await`
            raise TargetCloseError("the target's close() cancelled the task that called it")
    except asyncio.CancelledError as error:
        if task.cancelling() > asked:
            raise
        why = "failed: it let a CancelledError out (docs/targets.md)"
        raise TargetCloseError(f"the target's close() {why}") from error
    except TargetCloseError:
        raise
    except (Exception, SystemExit) as error:
        late = f"did not return within {_CLOSE_SECONDS:g} s"
        raise TargetCloseError(
            f"the target's close() {late if limit.expired() else f'failed: {message_of(error)}'}"
        ) from error


_UNCANCEL_FORGETS = sys.version_info >= (3, 13)
"""Whether a cancellation that was taken back no longer arrives at the next `await`, as it does before Python 3.13."""


@types.coroutine
def _without_its_own_cancellations(
    work: Coroutine[Any, Any, object], task: "asyncio.Task[Any]"
) -> Generator[Any, Any, bool]:
    """Run `work` in `task`, the current one, and take back each cancellation of the task that `work` itself asks for.

    Returns whether such a cancellation had not arrived in `work` by its end. Cancellations by others arrive as always.
    """
    pending = False
    step: Callable[[], Any] = functools.partial(work.send, None)
    while True:
        before, taken_back = task.cancelling(), False
        try:
            waits_for = step()
        except StopIteration:
            return pending or task.cancelling() > before
        finally:
            for _ in range(task.cancelling() - before):
                pending = taken_back = True
                task.uncancel()
        deliver = taken_back and _UNCANCEL_FORGETS
        if deliver and waits_for is not None:
            waits_for.cancel()
        try:
            yield waits_for
            if deliver and waits_for is None:
                raise asyncio.CancelledError
            step = functools.partial(work.send, None)
        except BaseException as error:  # noqa: BLE001 - it is the work's, as with any `await`
            pending = pending and not isinstance(error, asyncio.CancelledError)
            step = functools.partial(work.throw, error)
