"""Limits on turn-taking against what was measured: which are broken, and what is said. Arithmetic, no call."""

import pytest

from audiosocket_sim.checks.turn_limits import broken_limits, unjudged_limits, wider
from audiosocket_sim.scenario.loading.turn_limits import read_turn_limits
from audiosocket_sim.turn_taking import CallTurns

MEASURED = CallTurns(
    calls=1,
    waits_ms=(800, 1200, 1201),
    turns_asked=3,
    answered_in_window=3,
    yields_ms=(140, 310),
    onsets=2,
    yielded_in_window=2,
    caller_turns=5,
    interruptions=1,
    false_stops=2,
    talk_over_ms=(300,),
    dead_air_ms=(900, 4000),
    sounds=(10, 0, 4),
    gone_on=(4, 0, 0),
)


def told(limits: str, turns: CallTurns = MEASURED) -> list[str]:
    return [str(one) for one in broken_limits(turns, read_turn_limits(limits))]


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ("response_p95: 1.2s", "response_p95: expected 1.20 s at the most; it was 1.20 s, of 3 turns"),
        ("response_p50: 1.1s", "response_p50: expected 1.10 s at the most; it was 1.20 s, of 3 turns"),
        ("yield_p95: 300ms", "yield_p95: expected 300 ms at the most; it was 310 ms, of 2 onsets"),
        ("interruptions_by_bot: 0", "interruptions_by_bot: expected 0 at the most; there were 1"),
        ("false_stops: 1", "false_stops: expected 1 at the most; there were 2"),
        ("talk_over: 299ms", "talk_over: expected 299 ms at the most; the longest was 300 ms"),
        ("dead_air: 3s", "dead_air: expected 3.00 s at the most; the longest was 4.00 s"),
        (
            "backchannel_rate: 0.5",
            "backchannel_rate: expected 0.5 at the least; it was 0.40: 4 of 10 back-channels over which it went on",
        ),
    ],
)
def test_a_broken_limit_says_what_was_measured(limits: str, line: str) -> None:
    assert told(limits) == [f"turn_taking: {line}"]


@pytest.mark.parametrize(
    "limits",
    [
        "",
        "{response_p95: 1.21s, response_p50: 1.2s, yield_p50: 140ms, yield_p95: 310ms}",
        "interruptions_by_bot: 1, false_stops: 2, talk_over: 300ms, dead_air: 4s, backchannel_rate: 0.4",
        "non_directed_rate: 1, vocal_tic_rate: 1",
        "response_rate: 1, yield_rate: 1",
    ],
)
def test_what_holds_and_what_is_too_little_to_judge_breaks_nothing(limits: str) -> None:
    assert told(limits) == []


def test_a_caller_who_had_waited_for_too_long_when_the_call_was_over_counts() -> None:
    left = CallTurns(calls=1, waits_ms=(800,), turns_asked=1, answered_in_window=1, waited_ms=(1900, 5200))
    line = "turn_taking: response_p95: expected 2.00 s at the most; it was never, of 2 turns"
    assert told("response_p95: 2s", left) == [f"{line}: after 5.20 s without an answer the call was over"]
    assert told("response_p95: 5.2s, response_p50: 2s", left) == []


def test_never_is_longer_than_any_limit_and_nothing_measured_is_none() -> None:
    never = CallTurns(calls=1, turns_asked=1, unanswered=1)
    assert told("response_p95: 10min", never) == [
        "turn_taking: response_p95: expected 600.00 s at the most; it was never, of 1 turn"
    ]
    assert told("response_p95: 1ms, yield_p95: 1ms", CallTurns(calls=1)) == []


def test_waits_that_virtual_time_cannot_measure_are_named() -> None:
    unmeasured = CallTurns(calls=1, turns_asked=1, waits_unmeasured=1)
    found = unjudged_limits(unmeasured, read_turn_limits("response_p95: 1s"))
    assert found is not None
    assert found.startswith("turn_taking: 1 wait not judged")
    assert unjudged_limits(unmeasured, read_turn_limits("yield_p95: 1s")) is None
    assert unjudged_limits(MEASURED, read_turn_limits("response_p50: 1s")) is None


def test_limits_can_be_wider() -> None:
    assert wider(read_turn_limits("response_p95: 1s, false_stops: 1"), 50) == read_turn_limits(
        "response_p95: 1050ms, false_stops: 1"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("response_p59: 1s", "unknown key 'response_p59'; did you mean 'response_p95'?"),
        ("response_p95: 1", "response_p95: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1"),
        ("yield_rate: 2", "yield_rate: must be at most 1, not 2"),
        ("{response_p95: 1s", "expected ',' or '}', but got the end of the file, while parsing a flow mapping"),
    ],
)
def test_wrong_limits_are_one_line(text: str, line: str) -> None:
    with pytest.raises(ValueError) as error:
        read_turn_limits(text)
    assert str(error.value) == line
