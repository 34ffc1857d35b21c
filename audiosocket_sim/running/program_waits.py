"""Measures how long a program on this machine could not run although it wanted to, with its threads and children.

A busy machine delays the bot as it delays us; so does whoever stops it, and a disk that it waits for. The figures are
those of `program_threads`. On a system without them the measure is always 0.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from audiosocket_sim.running.program_threads import (
    ThreadTimes,
    children_of,
    kept_ms,
    session_of,
    stolen_ms,
    times_of,
)

__all__ = ["ProgramWaits"]

_STEP_SECONDS = 0.1
_SEARCH_EVERY_STEPS = 20
"""Looking for processes whose parent is gone reads the process table, as far as it is new: every two seconds."""


class ProgramWaits:
    """Reads the threads of a program every 100 ms in a thread of the loop's executor, from `start` to `stop`.

    `pid`: the program; if it leads a session, the session's processes are read too. `on_late`: called with the loop
    time of the reading, and the seconds for which the program could not run since the reading before, or since earlier.
    """

    def __init__(self, pid: int, on_late: Callable[[float, float], None]) -> None:
        self._pid = pid
        self._on_late = on_late
        self._loop = asyncio.get_running_loop()
        self._pids: list[int] = [pid]
        self._seen: set[str] = set()
        self._last = _Reading(0.0, {}, [])
        self._reading: asyncio.Future[_Reading] | None = None
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look for the program's processes: in time before the call, since that takes a while."""
        self._pids = children_of([*self._pids, *session_of(self._pid, self._seen)])

    def start(self) -> None:
        """Begin to read."""
        self._last = self._read()
        self._task = self._loop.create_task(self._watch())

    async def stop(self) -> None:
        """Read once more, and then no more."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if self._reading is not None:
            await self._reading  # a thread is not cancelled
        self._take(self._read())

    async def _watch(self) -> None:
        for step in itertools.count(1):
            await asyncio.sleep(_STEP_SECONDS)
            self._reading = self._loop.run_in_executor(None, self._read)
            self._take(await asyncio.shield(self._reading))
            if step % _SEARCH_EVERY_STEPS == 0:
                self._reading = self._loop.run_in_executor(None, self._read_everything)
                self._last = await asyncio.shield(self._reading)

    def _take(self, reading: "_Reading") -> None:
        last, self._last = self._last, reading
        stolen = max((b - a for a, b in zip(last.stolen_ms, reading.stolen_ms, strict=False)), default=0.0)
        kept = kept_ms(last.threads, reading.threads, (reading.at - last.at) * 1000)
        self._on_late(reading.at, max(kept, stolen) / 1000)

    def _read(self) -> "_Reading":
        self._pids = children_of(self._pids)
        return _Reading(self._loop.time(), times_of(self._pids), stolen_ms())

    def _read_everything(self) -> "_Reading":
        """Another reading of what was read last, and a first one of processes that nobody's child is any more."""
        self.look()
        return _Reading(self._last.at, {**times_of(self._pids), **self._last.threads}, self._last.stolen_ms)


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    threads: dict[int, ThreadTimes]
    stolen_ms: list[float]
