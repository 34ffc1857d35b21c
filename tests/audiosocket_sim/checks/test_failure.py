"""A failure as a block for people, and as one line."""

from dataclasses import replace

from audiosocket_sim.call_log.events import StepFailed
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

TEXT = "summary: A call.\nai: [{says: Oi.}]\nsteps:\n  - wait: 1s\n  - expect: {bot_says: Oi.}\n"
SCENARIO = load_text(TEXT, "short", file="calls/short.yaml")


def failure(number: int, step: str, scenario: Scenario = SCENARIO) -> Failure:
    return Failure.of(StepFailed(number, step, "the bot says “Oi.”", ("1.000 this", "2.000 that")), 5000, scenario)


def test_a_block() -> None:
    assert failure(2, "expect bot_says").block() == [
        "calls/short.yaml:5: short, step 2 (expect bot_says)",
        "  expected  the bot says “Oi.”",
        "  happened  1.000 this",
        "            2.000 that",
    ]


def test_one_line() -> None:
    assert str(failure(2, "expect bot_says")) == (
        "calls/short.yaml:5: short, step 2 (expect bot_says): expected the bot says “Oi.”; 1.000 this; 2.000 that"
    )


def test_what_is_no_step_stands_at_the_key_of_its_name() -> None:
    assert failure(0, "ai").headline == "calls/short.yaml:2: short, ai"
    assert failure(0, "max_duration").headline == "calls/short.yaml: short, max_duration"


def test_a_scenario_without_a_file() -> None:
    made = Scenario.model_validate({"name": "made", "summary": "A call.", "steps": [{"wait": "1s"}]})
    assert failure(1, "wait", made).headline == "made, step 1 (wait)"


def test_as_json() -> None:
    assert failure(2, "expect bot_says").to_json() == {
        "where": "calls/short.yaml:5",
        "what": "step 2 (expect bot_says)",
        "expected": "the bot says “Oi.”",
        "happened": ["1.000 this", "2.000 that"],
        "at_ms": 5000,
        "unsure": False,
    }


def test_a_failure_that_lateness_may_have_caused_says_so() -> None:
    doubtful = replace(failure(2, "expect bot_says"), unsure=True)
    assert doubtful.block()[-1] == "       but  this machine was late, which may have caused it"
    assert str(doubtful) == f"{failure(2, 'expect bot_says')}; but this machine was late, which may have caused it"
    assert doubtful.to_json()["unsure"] is True


def test_the_first_step_stands_at_its_own_line() -> None:
    assert failure(1, "wait").headline == "calls/short.yaml:4: short, step 1 (wait)"
