"""Steps that count from an event of the call (`at`), and what must not happen while somebody speaks: whole calls."""

import pytest
from helpers.scripted_calls import HELLO, call, flat

from audiosocket_sim.running.runner import Outcome

HOLD = [1.0, "hold"]


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("steps", "script", "keys", "told"),
    [
        # the bot is heard from 0.810 to 1.800
        ("{say: pt-br/sim, at: {after: bot_starts, by: 300ms}}", [HELLO], {}, ["1.128 caller “Sim.”"]),
        (
            "expect: {bot_speaks: 500ms}\n{dtmf: '1', at: {after: bot_starts, by: 700ms}}",
            [HELLO],
            {},
            ["1.510 caller dtmf 1"],
        ),
        ("{dtmf: '1', at: {after: bot_stops, by: 1s}}", [HELLO], {}, ["2.800 caller dtmf 1"]),
        (
            "expect: {bot_says: Pode subir.}\n{dtmf: '1', at: {after: bot_stops, by: 1s}}",
            [HELLO],
            {},
            ["2.800 caller dtmf 1"],
        ),
        # the end of the bot's answer, and not that of its greeting
        (
            "expect: {bot_speaks: 200ms}\nsay: pt-br/sim\n{dtmf: '1', at: {after: bot_stops, by: 1s}}",
            [HELLO, [5.0, "say", "pt-br/pode_subir"]],
            {},
            ["7.300 caller dtmf 1"],
        ),
        ("{dtmf: '1', at: {after: hold_starts, by: 3s}}", [HOLD], {}, ["caller dtmf 1"]),
        (
            "{dtmf: '1', at: {after: hold_stops, by: 1500ms}}",
            [HOLD, [4.0, "hold_off"]],
            {},
            ["hold stops", "caller dtmf 1"],
        ),
        (
            "{say: {recording: pt-br/aha, blocks: false}, after: 0ms}\n"
            "{mute: 200ms, at: {after: caller_starts, by: 500ms}}",
            [],
            {},
            ["0.008 caller “Ahã.”", "0.790 caller mute"],
        ),
        (
            "{say: {recording: pt-br/aha, blocks: false}, after: 0ms}\n{dtmf: '1', at: {after: caller_stops, by: 1s}}",
            [],
            {},
            ["caller dtmf 1"],
        ),
        (
            "{dtmf: '1', at: {after: backend_asked, by: 200ms}}",
            [[1.0, "ask", "oi"]],
            {"ai": "[{says: Oi., after: 1s}]"},
            ["1.000 heard “oi”", "1.200 caller dtmf 1"],
        ),
        (
            "{dtmf: '1', at: {after: backend_answers, by: 200ms}}",
            [[1.0, "ask", "oi"]],
            {"ai": "[{says: Oi., after: 1s}]"},
            ["2.200 caller dtmf 1"],
        ),
        (
            "{dtmf: '1', at: {after: {state: WAITING}, by: 200ms}}",
            [[1.0, "state", "WAITING"]],
            {"control": True},
            ["1.200 caller dtmf 1"],
        ),
        # an expectation counts from the event, also where that lies behind
        (
            "wait: 3s\n{expect: {bot_silent: 1s, within: 200ms}, at: {after: bot_stops}}",
            [HELLO],
            {},
            ["3.000 end caller hung up"],
        ),
        (
            "{never: {bot_speaks: 100ms, for: 1s}, at: {after: bot_stops}}\nexpect: {bot_speaks: 100ms}",
            [HELLO, [3.0, "say", "pt-br/pode_subir"]],
            {},
            ["3.410 end caller hung up"],
        ),
    ],
)
def test_a_step_counts_from_an_event(
    steps: str, script: list[object], keys: dict[str, object], told: list[str]
) -> None:
    result = call(steps, *script, **keys)
    assert result.problems == []
    text = flat(result.transcript)
    assert [line for line in told if line not in text] == [], text


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("steps", "script", "expected", "happened"),
    [
        (
            "{say: pt-br/sim, at: {after: bot_starts, within: 2s}}",
            [],
            "the bot starts to speak, from 0.000 until 2.000",
            "the bot has not been heard at all since the call began",
        ),
        (
            "expect: {bot_says: Pode subir.}\nwait: 1s\n{say: pt-br/sim, at: {after: bot_starts, within: 2s}}",
            [HELLO, [6.0, "say", "pt-br/pode_subir"]],
            "the bot starts to speak, from 2.800 until 4.800",
            "the bot said nothing new in that time",
        ),
        (
            "expect: {bot_speaks: 200ms}\n{dtmf: '1', at: {after: bot_stops, within: 500ms}}",
            [HELLO, [1.4, "say", "pt-br/pode_subir"]],
            "the bot stops speaking, from 1.010 until 1.510",
            "the bot did not stop speaking in that time; the last time was at",
        ),
        (
            "{dtmf: '1', at: {after: hold_stops, within: 3s}}",
            [HOLD],
            "hold audio stops, from 0.000 until 3.000",
            "hold audio played from 1.",
        ),
        (
            "{dtmf: '1', at: {after: backend_asked, within: 1s}}",
            [],
            "the backend is asked, from 0.000 until 1.000",
            "the backend was not asked in the whole call",
        ),
        (
            "{dtmf: '1', at: {after: hold_starts}}",
            [HELLO, [3.0, "hang_up"]],
            "hold audio starts, from 0.000 until 10.000",
            "no hold audio started in the whole call",
        ),
    ],
)
def test_an_event_that_does_not_come_fails_the_step(
    steps: str, script: list[object], expected: str, happened: str
) -> None:
    result = call(steps, *script)
    assert result.outcome is Outcome.FAILED, result.problems
    (failure,) = result.failures
    assert failure.expected == expected
    assert failure.happened[0].startswith(happened)
    assert "(at " in failure.what


def test_a_state_that_does_not_come_and_one_that_nobody_reports() -> None:
    steps = "{dtmf: '1', at: {after: {state: WAITING}, within: 1s}}"
    (failure,) = call(steps, [0.5, "state", "IA_TURN"], control=True).failures
    assert failure.happened == ("the state was IA_TURN at the end of that time",)
    assert call(steps, control=True).failures[0].happened == ("no state was reported",)
    assert call(steps).outcome is Outcome.INVALID


def test_a_step_of_the_caller_that_comes_too_late_begins_at_once_and_says_so() -> None:
    """A known phrase is over for 200 ms before its end is known."""
    result = call("{dtmf: '1', at: {after: bot_stops, by: 100ms}}", HELLO)
    assert result.passed
    assert "late, since the bot stops speaking at 1.800 was known too late" in flat(result.transcript)


OVER = "{say: {recording: pt-br/quero_falar_com_o_apartamento_202, blocks: false}, after: 0ms}"


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("never", "script", "broken"),
    [
        ("{bot_speaks: 100ms, while: caller_speaks}", [HELLO], "0.810 the bot said “Pode subir.”"),
        ("{bot_speaks: 100ms, while: caller_speaks}", [[5.0, "say", "pt-br/pode_subir"]], None),
        ("{bot_says: Pode subir., while: caller_speaks}", [HELLO], "0.810 the bot said “Pode subir.”"),
        ("{backend_asked: oi, while: bot_speaks}", [HELLO, [1.0, "ask", "oi"]], "1.000 the backend was asked “oi”"),
        ("{backend_asked: oi, while: bot_speaks}", [HELLO, [3.0, "ask", "oi"]], None),
    ],
)
def test_what_must_not_happen_while_somebody_speaks(never: str, script: list[object], broken: str | None) -> None:
    steps = f"never: {never}\n{OVER}\nwait: 8s"
    result = call(steps, *script, ai="[{says: Oi., optional: true}]", quality="{premature: allowed}")
    if broken is None:
        assert result.problems == []
        return
    (failure,) = result.failures
    assert failure.happened == (broken,)
    assert failure.expected.endswith("speaks")
