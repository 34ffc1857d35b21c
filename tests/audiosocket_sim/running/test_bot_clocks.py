"""Bots that pace by clocks of their own: in virtual and in real time they get the same verdict, or none and a hint."""

from pathlib import Path

import pytest
from helpers.clock_bots import CANNOT_FOLLOW, FOLLOWS

from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
STEPS = "[{expect: {bot_says: Pode subir., within: 1s}}, {expect: {hangs_up: server, within: 2s}}]"


def call(manner: str, **options: object) -> Result:
    made = load_text(
        f"summary: A bot that is paced by its own clock.\nserver: {{manner: {manner!r}}}\nsteps: {STEPS}\n",
        "paced",
        folder=ROOT / "scenarios",
    )
    return run(made, Options(target="helpers.clock_bots:serve", **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_the_loop() -> Result:
    """The call of a bot that is paced by the loop's clock."""
    return call("loop")


@pytest.mark.parametrize("manner", FOLLOWS)
def test_in_virtual_time_it_is_the_call_of_a_bot_on_the_loop_s_clock(manner: str, by_the_loop: Result) -> None:
    result = call(manner)
    assert result.outcome is Outcome.PASSED, result.problems
    expected = by_the_loop.transcript
    if manner == "sleep":  # it blocks the loop: a frame that it sends is read when it has slept for the next one
        expected = expected.replace("0.810  bot ", "0.830  bot ")
    assert result.transcript == expected
