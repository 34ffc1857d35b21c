"""Describes the pending tasks of a loop as lines of text, for the errors that report a stuck program."""

import asyncio
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["describe_pending_tasks"]

_MAX_TASKS = 20


def describe_pending_tasks(loop: asyncio.AbstractEventLoop) -> str:
    """Return one line for each task: its name and its stack of calls, outermost first, down to where it waits."""
    tasks = sorted((task for task in asyncio.all_tasks(loop) if not task.done()), key=lambda task: task.get_name())
    lines = [f"  {task.get_name()}: {_where(task)}" for task in tasks[:_MAX_TASKS]]
    if len(tasks) > _MAX_TASKS:
        lines.append(f"  and {len(tasks) - _MAX_TASKS} more")
    return "\n".join(lines) or "  (no task)"


def _where(task: asyncio.Task[Any]) -> str:
    calls: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = _attribute(waiting, "frame")
        if isinstance(frame, FrameType):
            code = frame.f_code
            calls.append(f"{code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno})")
        waiting = _attribute(waiting, "await") or _attribute(waiting, "yieldfrom")
    return " > ".join(calls) or repr(task.get_coro())


def _attribute(waiting: Any, name: str) -> Any:
    """Return an attribute of a coroutine (`cr_NAME`), generator (`gi_NAME`) or asynchronous generator (`ag_NAME`)."""
    for prefix in ("cr_", "gi_", "ag_"):
        found = getattr(waiting, prefix + name, None)
        if found is not None:
            return found
    return None
