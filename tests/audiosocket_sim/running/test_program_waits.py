"""A program is watched while a call lasts: each reading, one more at the end, and its processes wherever they are."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from audiosocket_sim.running import program_waits
from audiosocket_sim.running.program_threads import ThreadTimes
from audiosocket_sim.running.program_waits import ProgramWaits

MS = 1_000_000


def waited(ms: int) -> ThreadTimes:
    return ThreadTimes("S", 0, ms * MS, 1)


class Program:
    """A program as it would be read: `readings` of its threads, one after the other, by process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *readings: dict[int, ThreadTimes]) -> None:
        self.readings = list(readings)
        self.session = [7]
        monkeypatch.setattr(program_waits, "children_of", list)
        monkeypatch.setattr(program_waits, "session_of", lambda pid, seen: self.session)
        monkeypatch.setattr(program_waits, "times_of", self.read)
        monkeypatch.setattr(program_waits, "stolen_ms", list)
        monkeypatch.setattr(program_waits, "_STEP_SECONDS", 0)

    def read(self, pids: list[int]) -> dict[int, ThreadTimes]:
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        return {task: times for task, times in reading.items() if task // 10 in pids}


async def watch(program: Program, steps: int) -> list[int]:
    enough = asyncio.Event()
    found: list[int] = []

    def note(at: float, seconds: float) -> None:
        found.append(round(seconds * 1000))
        if len(found) == steps:
            enough.set()

    waits = ProgramWaits(7, note)
    await waits.stop()  # before it began, too
    waits.look()
    waits.start()
    await enough.wait()
    await waits.stop()
    return found


async def test_each_reading_is_told_and_one_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(monkeypatch, {70: waited(5)}, {70: waited(9)}, {70: waited(9)}, {70: waited(40)})
    found = await watch(program, 2)
    assert found[:3] == [4, 0, 31]


async def test_what_the_host_has_kept_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(monkeypatch, {70: waited(5)})
    stolen = iter([[0.0, 10.0], [20.0, 40.0], [20.0, 40.0], [20.0, 40.0], [20.0, 40.0]])
    monkeypatch.setattr(program_waits, "stolen_ms", lambda: next(stolen))
    assert (await watch(program, 2))[:2] == [30, 0]


async def test_what_a_process_waited_before_it_was_found_is_of_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose parent is gone is found by its session, every two seconds."""
    monkeypatch.setattr(program_waits, "_SEARCH_EVERY_STEPS", 1)
    program = Program(monkeypatch, {70: waited(5), 80: waited(5000)}, {70: waited(5), 80: waited(5000)})
    program.readings += [{70: waited(5), 80: waited(5000)}, {70: waited(5), 80: waited(5011)}]
    waits = ProgramWaits(7, lambda at, seconds: None)
    waits.look()
    program.session = [7, 8]
    assert (await watch(program, 3))[:3] == [0, 11, 0]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux's figures of a thread")
async def test_a_program_that_somebody_has_stopped() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    found: list[float] = []
    try:
        waits = ProgramWaits(process.pid, lambda at, seconds: found.append(seconds))
        waits.look()
        waits.start()
        await waits.stop()
        assert found == [0.0]
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)  # until it has stopped
        waits.start()
        await waits.stop()
        assert found[1] > 0
    finally:
        process.kill()
        await process.wait()
