"""What kept a program from running, from the figures of its threads: files as Linux has them, and arithmetic."""

from pathlib import Path

import pytest

from audiosocket_sim.running.program_threads import (
    ThreadTimes,
    children_of,
    kept_ms,
    session_of,
    stolen_ms,
    times_of,
)

MS = 1_000_000


def process(proc: Path, pid: int, session: int, *threads: tuple[int, int], children: str = "") -> None:
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} (my (bot) x) S 1 {session} {session} 0 -1 4194304 1\n")
    for thread, delay_ns in threads:
        task = proc / str(pid) / "task" / str(thread)
        task.mkdir(parents=True, exist_ok=True)
        (task / "stat").write_text(f"{thread} (my (bot) x) D 1 {session}\n")
        (task / "schedstat").write_text(f"123 {delay_ns} 7\n")
        (task / "children").write_text(children)


def test_all_threads_of_all_processes(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, (10, 5), (11, 6))
    process(tmp_path, 20, 10, (20, 7))
    assert times_of([10, 20, 40], tmp_path) == {
        10: ThreadTimes("D", 123, 5, 7),
        11: ThreadTimes("D", 123, 6, 7),
        20: ThreadTimes("D", 123, 7, 7),
    }
    (tmp_path / "10" / "task" / "11" / "schedstat").write_text("")
    (tmp_path / "10" / "task" / "10" / "stat").unlink()  # gone between two looks
    assert times_of([10], tmp_path) == {}


def test_the_processes_of_a_session(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, (10, 5))
    process(tmp_path, 20, 10, (20, 7))
    process(tmp_path, 30, 30, (30, 8))
    (tmp_path / "self").mkdir()
    (tmp_path / "40").mkdir()  # gone between two looks
    seen: set[str] = set()
    assert sorted(session_of(10, seen, tmp_path)) == [10, 20]
    process(tmp_path, 50, 10, (50, 1))
    assert session_of(10, seen, tmp_path) == [50]  # the others have been looked at


def test_what_a_program_has_started_in_a_session_of_its_own(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, (10, 5), (11, 6), children="20 99")
    process(tmp_path, 20, 20, (20, 7), children="30")
    process(tmp_path, 30, 20, (30, 7))
    assert sorted(children_of([10, 20], tmp_path)) == [10, 20, 30]
    assert children_of([99], tmp_path) == []
    (tmp_path / "30" / "task" / "30" / "children").unlink()  # a system without this file
    assert children_of([30], tmp_path) == [30]


def test_what_the_host_has_kept(tmp_path: Path) -> None:
    assert stolen_ms(tmp_path) == []
    (tmp_path / "stat").write_text(
        "cpu 1 2 3 4 5 6 7 9 0 0\ncpu0 1 2 3 4 5 6 7 5 0 0\ncpu1 1 2 3 4 5 6 7 4 0 0\nintr 1\n"
    )
    assert stolen_ms(tmp_path) == [50.0, 40.0]
    (tmp_path / "stat").write_text("cpu 1\ncpu0 1\n")
    assert stolen_ms(tmp_path) == []


def test_a_system_without_these_files(tmp_path: Path) -> None:
    assert session_of(10, set(), tmp_path / "none") == []
    assert times_of([10], tmp_path) == {}
    assert kept_ms({}, {}, 100) == 0


def times(state: str, ran_ms: float = 0, waited_ms: float = 0, given: int = 1) -> ThreadTimes:
    return ThreadTimes(state, round(ran_ms * MS), round(waited_ms * MS), given)


SLEEPS = times("S", 500, 500)


@pytest.mark.parametrize(
    ("before", "now", "ms"),
    [
        (SLEEPS, SLEEPS, 0),  # in a sleep of its own
        (SLEEPS, times("S", 510, 530, 2), 30),  # had to wait for a processor
        (SLEEPS, times("R", 500, 500), 0),  # became ready just now; its wait is told later
        (times("R", 500, 500), times("R", 500, 500), 100),  # has been waiting all the time
        (times("R", 500, 500), times("R", 600, 500), 0),  # computed all the time
        (times("R", 500, 500), times("R", 540, 500), 60),  # was on a processor that the host took away
        (times("R", 500, 500), times("R", 540, 520, 3), 20),  # had a processor three times
        (times("R", 500, 500), times("S", 501, 25_500, 2), 25_000),  # a long wait is over
        (SLEEPS, times("T", 520, 500), 80),  # somebody stopped it
        (times("t", 500, 500), times("S", 510, 500, 2), 90),  # a debugger let it go
        (times("D", 500, 500), times("D", 500, 500), 100),  # waits for a disk, or a page
    ],
)
def test_what_kept_one_thread(before: ThreadTimes, now: ThreadTimes, ms: float) -> None:
    assert kept_ms({7: before}, {7: now}, 100) == pytest.approx(ms)


def test_waits_of_several_threads_add_up() -> None:
    """One waits for the other: a thread that makes the sound, a child that computes it."""
    before = {1: times("S"), 2: times("S")}
    assert kept_ms(before, {1: times("S", 5, 30, 3), 2: times("S", 5, 40, 3)}, 100) == pytest.approx(70)
    assert kept_ms(before, {1: times("S", 5, 60, 3), 2: times("S", 5, 70, 3)}, 100) == pytest.approx(90)
    assert kept_ms(before, {1: times("S", 5, 60, 3), 2: times("R", 80, 10, 3)}, 100) == pytest.approx(60)
    assert kept_ms(before, {}, 100) == 0


def test_a_thread_that_is_new_began_in_this_time() -> None:
    assert kept_ms({}, {1: times("S", 5, 60, 3)}, 100) == pytest.approx(60)
    assert kept_ms({}, {1: times("S", 5, 600, 3)}, 100) == pytest.approx(100)
    assert kept_ms({}, {1: times("D", 5)}, 100) == pytest.approx(95)
