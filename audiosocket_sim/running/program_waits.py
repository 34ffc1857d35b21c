"""Measures how long a program that we started was ready to run but had no processor, with its threads and children.

A busy machine delays the bot as it delays us. The source is Linux's run delay, as in `processor_waits`, of each thread:
/proc/PID/task/TID/schedstat. Children are the processes of the program's session. On a system without these files the
measure is always 0.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["ProgramWaits", "growth_ms", "run_delays_ns"]

_STEP_SECONDS = 0.1
_SEARCH_EVERY_STEPS = 20
"""Looking for children reads the process table, as far as it is new: every two seconds."""


def run_delays_ns(pids: list[int], proc: Path = Path("/proc")) -> dict[int, int]:
    """Return the run delay in ns of each thread of these processes, by thread id. A thread that is gone is left out."""
    found: dict[int, int] = {}
    for pid in pids:
        try:
            tasks = os.listdir(proc / str(pid) / "task")
        except OSError:
            continue
        for task in tasks:
            try:
                found[int(task)] = int((proc / str(pid) / "task" / task / "schedstat").read_bytes().split()[1])
            except (OSError, IndexError, ValueError):
                continue
    return found


def session_of(pid: int, seen: set[str], proc: Path = Path("/proc")) -> list[int]:
    """Return the processes of the session that the process leads, itself and its children, unless they left it.

    `seen`: the names of processes that were looked at before, and are not looked at again; more are added.
    """
    found: list[int] = []
    try:
        names = [name for name in os.listdir(proc) if name.isdigit() and name not in seen]
    except OSError:
        return found
    seen.update(names)
    for name in names:
        try:
            session = (proc / name / "stat").read_bytes().rpartition(b")")[2].split()[3]
            found += [int(name)] if int(session) == pid else []
        except (OSError, IndexError, ValueError):
            continue
    return found


def growth_ms(before: dict[int, int], now: dict[int, int]) -> float:
    """Return the most, in ms, that a thread waited between two readings: what waits for it waited as long."""
    return max((now[task] - before[task] for task in now if task in before), default=0) / 1e6


class ProgramWaits:
    """Reads the run delay of a program every 100 ms in a thread of the loop's executor, from `start` to `stop`.

    `pid`: the leader of the program's session. `on_late`: called with the loop time of the reading, and the seconds for
    which a thread of the program had no processor since the reading before.
    """

    def __init__(self, pid: int, on_late: Callable[[float, float], None]) -> None:
        self._pid = pid
        self._on_late = on_late
        self._loop = asyncio.get_running_loop()
        self._pids: list[int] = []
        self._seen: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look for the program's processes: in time before the call, since that takes a while."""
        self._pids = [*self._pids, *session_of(self._pid, self._seen)]

    def start(self) -> None:
        """Begin to read."""
        self._task = self._loop.create_task(self._watch())

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        before: dict[int, int] = {}
        steps = 0
        while True:
            steps += 1
            now = await self._loop.run_in_executor(None, self._read, steps % _SEARCH_EVERY_STEPS == 0)
            if before:
                self._on_late(self._loop.time(), growth_ms(before, now) / 1000)
            before = now
            await asyncio.sleep(_STEP_SECONDS)

    def _read(self, search: bool) -> dict[int, int]:
        if search:
            self.look()
        return run_delays_ns(self._pids)
