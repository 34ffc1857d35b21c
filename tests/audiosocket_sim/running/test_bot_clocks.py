"""Bots that pace by clocks of their own: in virtual and in real time they get the same verdict, or none and a hint."""

from pathlib import Path

import pytest
from helpers.clock_bots import CANNOT_FOLLOW, FOLLOWS

from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
STEPS = "[{expect: {bot_says: Pode subir., within: 1s}}, {expect: {hangs_up: server, within: 2s}}]"


def call(manner: str, *, serve: str = "serve", steps: str = STEPS, quality: str = "{}", **options: object) -> Result:
    made = load_text(
        "summary: A bot that is paced by its own clock.\n"
        f"server: {{manner: {manner!r}}}\nquality: {quality}\nsteps: {steps}\n",
        "paced",
        folder=ROOT / "scenarios",
    )
    return run(made, Options(target=f"helpers.clock_bots:{serve}", **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_the_loop() -> Result:
    """The call of a bot that is paced by the loop's clock."""
    return call("loop")


LOGGING = (
    pytest.mark.long("no thread of the bot's has work to do, which a tracer of lines makes longer"),
    pytest.mark.one_python,  # so that `make coverage`, which traces, leaves it out
)
TRACED = [pytest.param(name, marks=LOGGING if name == "sleeping thread" else ()) for name in FOLLOWS]


@pytest.mark.every(20)
@pytest.mark.parametrize("manner", TRACED)
def test_in_virtual_time_it_is_the_call_of_a_bot_on_the_loop_s_clock(manner: str, by_the_loop: Result) -> None:
    result = call(manner)
    assert result.outcome is Outcome.PASSED, result.problems
    expected = by_the_loop.transcript
    if manner == "sleep":  # it blocks the loop: a frame that it sends is read when it has slept for the next one
        expected = expected.replace("0.810  bot ", "0.830  bot ")
    assert result.transcript == expected


CAUSES = {
    "thread": "its thread «pacer» woke the event loop while nothing held the virtual clock",
    "working thread": "its thread «synthesiser» worked for ",
    "writing thread": "its thread «writer» wrote to a connection while nothing held the virtual clock",
    "descriptor": "it has the event loop watch a descriptor of its own (",
}


@pytest.mark.parametrize("manner", CANNOT_FOLLOW)
def test_what_cannot_follow_is_named_and_no_verdict(manner: str) -> None:
    result = call(manner)
    assert result.outcome is Outcome.SET_UP
    (line,) = result.problems
    assert line.startswith(f"virtual time cannot follow this bot: {CAUSES[manner]}")
    assert line.endswith("; run it in real time (--real-time, docs/targets.md)")


@pytest.mark.long("servers on the loop are called")
def test_a_server_in_a_thread_is_not_said_to_be_absent() -> None:
    result = call("loop", serve="serve_in_a_thread")
    assert result.outcome is Outcome.SET_UP
    (line,) = result.problems
    assert line.startswith("virtual time cannot follow this bot: it listens at 127.0.0.1:")
    assert "--real-time" in line


@pytest.mark.real_time
@pytest.mark.long("the other bots in real time stand in")
def test_a_server_in_a_thread_passes_in_real_time() -> None:
    result = call("loop", serve="serve_in_a_thread", real_time=True)
    assert result.outcome is Outcome.PASSED, result.problems


@pytest.mark.parametrize("manner", [pytest.param("sleeping thread", marks=LOGGING), "holding thread", "executor"])
def test_threads_that_may_be_there_hide_no_failure(manner: str) -> None:
    result = call(manner, steps="[{expect: {hangs_up: server, within: 1s}}]")
    assert result.outcome is Outcome.FAILED, result.problems
    assert len(result.failures) == 1


@pytest.mark.parametrize("manner", CANNOT_FOLLOW)
def test_what_cannot_follow_has_no_failed_step_in_its_log(manner: str) -> None:
    result = call(manner, steps="[{expect: {hangs_up: server, within: 1s}}]")
    assert result.outcome is Outcome.SET_UP
    assert "FAILED" not in result.transcript


@pytest.mark.long("bots that sleep are called")
@pytest.mark.parametrize("real_time", [False, pytest.param(True, marks=pytest.mark.real_time)])
def test_what_is_late_because_the_bot_slept_is_the_bot_s_fault(real_time: bool) -> None:
    result = call("late", real_time=real_time)
    assert result.outcome is Outcome.FAILED, result.problems


@pytest.mark.parametrize("manner", ["thread", "working thread", "descriptor"])
def test_over_kernel_loopback_the_same_cannot_follow(manner: str) -> None:
    assert call(manner, kernel=True).outcome is Outcome.SET_UP


def test_the_kernel_s_network_is_no_descriptor_of_the_bot_s() -> None:
    assert call("monotonic", kernel=True).outcome is Outcome.PASSED


@pytest.mark.long("each is called in virtual time")
@pytest.mark.real_time
@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(name, marks=() if name == "thread" else pytest.mark.long("one of the manners runs"))
        for name in (*FOLLOWS, *CANNOT_FOLLOW)
    ],
)
def test_in_real_time_each_passes(manner: str) -> None:
    """The machine may be busy: the first step has more time. Bots that sleep for each frame are slow in earnest."""
    steps, quality = STEPS.replace("within: 1s", "within: 4s"), "{pace_percent: allowed, holes: allowed}"
    result = call(manner, real_time=True, steps=steps, quality=quality)
    assert result.outcome is Outcome.PASSED, result.problems
