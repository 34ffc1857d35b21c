"""How long a program had no processor: its threads and children, from files as Linux has them."""

import asyncio
from pathlib import Path

import pytest

from audiosocket_sim.running import program_waits
from audiosocket_sim.running.program_waits import ProgramWaits, growth_ms, run_delays_ns, session_of

MS = 1_000_000


def process(proc: Path, pid: int, session: int, *threads: tuple[int, int]) -> None:
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} (my (bot) x) S 1 {session} {session} 0 -1 4194304 1\n")
    for thread, delay_ns in threads:
        (proc / str(pid) / "task" / str(thread)).mkdir(parents=True, exist_ok=True)
        (proc / str(pid) / "task" / str(thread) / "schedstat").write_text(f"123 {delay_ns} 7\n")


def test_all_threads_of_all_processes_of_the_session(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, (10, 5), (11, 6))
    process(tmp_path, 20, 10, (20, 7))
    process(tmp_path, 30, 30, (30, 8))
    (tmp_path / "self").mkdir()
    (tmp_path / "40").mkdir()  # gone between two looks
    seen: set[str] = set()
    assert sorted(session_of(10, seen, tmp_path)) == [10, 20]
    process(tmp_path, 50, 10, (50, 1))
    assert session_of(10, seen, tmp_path) == [50]  # the others have been looked at
    assert run_delays_ns([10, 20, 40], tmp_path) == {10: 5, 11: 6, 20: 7}
    (tmp_path / "10" / "task" / "11" / "schedstat").write_text("")
    assert run_delays_ns([10], tmp_path) == {10: 5}


def test_a_system_without_these_files(tmp_path: Path) -> None:
    assert session_of(10, set(), tmp_path / "none") == []
    assert run_delays_ns([10], tmp_path) == {}
    assert growth_ms({}, {}) == 0


def test_the_thread_that_waited_most_counts() -> None:
    """A new thread has no reading before, so what it waited is not known to be of this time."""
    assert growth_ms({1: 5 * MS, 2: 9 * MS, 4: MS}, {1: 8 * MS, 2: 10 * MS, 3: 900 * MS}) == 3.0


async def test_each_growth_is_told_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [{7: 0}, {7: 4 * MS}, {7: 4 * MS, 8: MS}, {7: 5 * MS, 8: 31 * MS}]
    enough = asyncio.Event()
    found: list[float] = []

    def read(pids: list[int]) -> dict[int, int]:
        assert pids[:2] == [7, 8]
        return readings.pop(0) if len(readings) > 1 else readings[0]

    def note(at: float, seconds: float) -> None:
        found.append(round(seconds * 1000))
        if len(found) == 3:
            enough.set()

    monkeypatch.setattr(program_waits, "session_of", lambda pid, seen: [pid, 8])
    monkeypatch.setattr(program_waits, "run_delays_ns", read)
    monkeypatch.setattr(program_waits, "_STEP_SECONDS", 0)
    waits = ProgramWaits(7, note)
    await waits.stop()  # before it began, too
    waits.look()
    waits.start()
    await enough.wait()
    await waits.stop()
    assert found[:3] == [4, 0, 30]
