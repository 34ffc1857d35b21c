"""What a thread waited for a processor: the arithmetic, the readings of a call, and what they excuse."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main
from audiosocket_sim.running import processor_waits
from audiosocket_sim.running.processor_waits import ProcessorWaits, most_ms, run_delay_ns
from audiosocket_sim.virtual_time import new_loop

MS = 1_000_000


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], 0.0),
        ([7 * MS], 0.0),
        ([7 * MS, 7 * MS, 7 * MS], 0.0),
        ([0, 3 * MS, 5 * MS], 5.0),  # less than a window
        ([0, 10 * MS, 20 * MS, 30 * MS, 40 * MS, 50 * MS, 60 * MS], 50.0),  # five steps, not six
        ([0, 0, 0, 0, 0, 0, 40 * MS, 44 * MS], 44.0),  # the last window is looked at
        ([0, 44 * MS, 44 * MS, 44 * MS, 44 * MS, 44 * MS, 44 * MS], 44.0),  # and the first
    ],
)
def test_the_most_of_any_window(readings: list[int], expected: float) -> None:
    assert most_ms(readings) == expected


def test_read_every_step_and_at_the_end() -> None:
    """A wait at the start, one in the last step; after the stop nothing more is read."""
    readings = iter([0, 4 * MS, 4 * MS, 4 * MS, 4 * MS, 4 * MS, 4 * MS, 10 * MS])

    async def watch() -> float:
        waits = ProcessorWaits(lambda: next(readings))
        assert waits.most_ms == 0.0
        waits.start()
        await asyncio.sleep(6 * processor_waits.STEP_SECONDS + 0.01)
        waits.stop()
        waits.stop()
        await asyncio.sleep(1.0)
        return waits.most_ms

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(watch()) == 6.0
    assert list(readings) == []


class Timer:
    def cancel(self) -> None:
        """There is nothing to cancel."""


class Loop:
    """A loop whose clock stands still, and whose timer is carried out by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, step: Callable[[], None]) -> "Timer":
        self.due.append((when, step))
        return Timer()

    def step(self, late: float) -> None:
        when, step = self.due.pop()
        self.now = when + late
        step()


def test_work_makes_a_thread_late_as_a_wait_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 ms of work when a reading is due, then 4 ms without a processor; 50 ms of work at the call's end."""
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    readings = iter([0, 0, 4 * MS, *[4 * MS] * 9])
    waits = ProcessorWaits(lambda: next(readings))
    assert waits.most_late_ms == 0.0
    waits.start()
    for late in (0.03, 0.0, *[0.0] * 8):
        loop.step(late)
    assert waits.most_late_ms == pytest.approx(34)
    loop.now += processor_waits.STEP_SECONDS + 0.05
    waits.stop()
    assert waits.most_late_ms == pytest.approx(50)


def test_where_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor_waits, "_SCHEDSTAT", tmp_path / "schedstat")
    assert run_delay_ns() == 0
    (tmp_path / "schedstat").write_text("798156 44000000 3\n")
    assert run_delay_ns() == 44 * MS
    (tmp_path / "schedstat").write_text("nothing\n")
    assert run_delay_ns() == 0


CALL = """
summary: A call that is told to expect the bot sooner than it can speak.
server: {greeting: {delay_seconds: 0.2}}
steps:
  - expect: {bot_speaks: {at_least: 300ms}, within: 100ms}
"""


TARGET = ("--target", "audiosocket_server:serve")


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "call.yaml").write_text(CALL, encoding="utf-8")
    return "call.yaml"


@pytest.mark.real_time
def test_a_failure_on_a_busy_machine_says_so(
    scenario: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 20 ms the thread has waited 9 ms more. The verdict stands where our packets left in time."""
    monkeypatch.setattr("audiosocket_sim.asterisk.leg.CallLeg.own_lateness_ms", 6.0)
    sums = count(0, 9 * MS)
    monkeypatch.setattr("audiosocket_sim.running.real_clock.ProcessorWaits", lambda: ProcessorWaits(lambda: next(sums)))
    assert main(["run", *TARGET, "--real-time", "--json", scenario]) == 1
    captured = capsys.readouterr()
    assert "waited for a processor for up to 45 ms of a tenth of a second: a busy machine" in captured.err
    assert json.loads(captured.out)["processor_wait_ms"] == 45.0


def test_in_virtual_time_no_processor_is_waited_for(
    scenario: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> ProcessorWaits:
        raise AssertionError("the machine's time was read")

    monkeypatch.setattr("audiosocket_sim.running.real_clock.ProcessorWaits", never)
    assert main(["run", *TARGET, "--json", scenario]) == 1
    assert json.loads(capsys.readouterr().out)["processor_wait_ms"] == 0.0
