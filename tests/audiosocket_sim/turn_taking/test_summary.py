"""Many calls together: counts are added, percentiles are of the values themselves, rates need 10 events. Arithmetic."""

import json

import pytest

from audiosocket_sim.turn_taking import NEVER, CallTurns, Percentile, summary_json, summary_line, together

ONE = CallTurns(
    calls=1,
    waits_ms=(800, 1200),
    turns_asked=2,
    answered_in_window=2,
    caller_turns=2,
    sounds=(6, 0, 0),
    gone_on=(3, 0, 0),
)


@pytest.mark.parametrize(
    ("percent", "values", "never", "value_ms"),
    [
        (50, (100, 200, 300), 0, 200),
        (95, (100, 200, 300), 0, 300),
        (95, tuple(range(1, 101)), 0, 95),
        (95, tuple(range(1, 100)), 1, 95),
        (95, (100,) * 18, 2, NEVER),
        (50, (-400,), 0, -400),
        (95, (), 1, NEVER),
        (95, (), 0, None),
    ],
)
def test_a_percentile_is_a_measured_value_and_never_is_longer_than_any(
    percent: int, values: tuple[int, ...], never: int, value_ms: float | None
) -> None:
    assert Percentile.of(percent, values, never).value_ms == value_ms


def test_calls_are_put_together_by_their_values() -> None:
    both = together([ONE, ONE])
    assert (both.calls, both.waits_ms, both.turns_asked) == (2, (800, 1200, 800, 1200), 4)
    assert (both.sounds, both.gone_on) == ((12, 0, 0), (6, 0, 0))
    assert together([]) == CallTurns()


def test_it_can_be_sent_as_json() -> None:
    assert CallTurns.from_plain(json.loads(json.dumps(ONE.to_plain()))) == ONE


def test_a_rate_over_fewer_than_10_events_is_null_and_not_shown() -> None:
    few, enough = summary_json(ONE), summary_json(together([ONE, ONE]))
    assert few["selectivity"]["backchannel"] == {"sounds": 6, "went_on": 3, "rate": None}
    assert enough["selectivity"]["backchannel"] == {"sounds": 12, "went_on": 6, "rate": 0.5}
    assert "back-channels" not in summary_line(ONE)
    assert "went on for 50% of 12 back-channels" in summary_line(together([ONE, ONE]))


def test_never_is_null_and_not_0() -> None:
    dead = CallTurns(calls=1, turns_asked=1, unanswered=1, caller_turns=1, onsets=1, unyielded=1)
    found = summary_json(dead)
    assert (found["version"], found["responses"]["p95_ms"], found["responses"]["never_answered"]) == (4, None, 1)
    assert found["dead_air"] == {"count": 0, "total_ms": None, "longest_ms": None}
    assert "response p50 never, p95 never (1)" in summary_line(dead)
    json.dumps(found, allow_nan=False)


def test_the_line_has_what_was_measured_and_nothing_else() -> None:
    assert summary_line(CallTurns(calls=3)) == ""
    assert summary_line(ONE) == "turn-taking in 1 call: response p50 0.80 s, p95 1.20 s (2); interruptions by the bot 0"
    more = CallTurns(
        calls=2,
        caller_turns=4,
        interruptions=1,
        yields_ms=(140,),
        onsets=1,
        waits_unmeasured=3,
        false_stops=2,
        false_stops_dead=1,
    )
    assert summary_line(more) == (
        "turn-taking in 2 calls: 3 waits not measured (threads); yield p50 0.14 s, p95 0.14 s (1); "
        "interruptions by the bot 1; false stops 2, 1 of them never resumed"
    )
