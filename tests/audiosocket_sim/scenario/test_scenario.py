"""The scenario as data: durations, short forms, what goes together and what does not."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from audiosocket_sim import scenario
from audiosocket_sim.scenario import (
    EXPECT_KEYS,
    STEP_KEYS,
    AsteriskPeer,
    DtmfStep,
    Expectation,
    ExpectStep,
    HangUp,
    HangUpStep,
    MuteStep,
    Push,
    Reply,
    Say,
    SayStep,
    Scenario,
    Within,
    expectations,
    fields,
    format_duration,
    parse_duration_ms,
    step_models,
)


def a_scenario(*steps: dict[str, Any], **keys: Any) -> Scenario:
    return Scenario.model_validate({"summary": "A call.", "steps": list(steps) or [{"wait": "1s"}], **keys})


def complaint(*steps: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        a_scenario(*steps, **keys)
    (error,) = caught.value.errors()
    return str(error.get("ctx", {}).get("error") or error["msg"])


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("300ms", 300),
        ("1.2s", 1200),
        ("5min", 300_000),
        (" 5 min ", 300_000),
        ("0s", 0),
        ("0.001s", 1),
        ("24 min", 1440000),
    ],
)
def test_durations(text: str, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "text",
    [
        4,
        4.0,
        None,
        True,
        "",
        "4",
        "s",
        "-1s",
        "1h",
        "1.s",
        "1e3s",
        "١s",
        "0.5ms",
        "25.5 hours",
        "1441min",
        "9" * 400 + "s",
    ],
)
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_duration_ms(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1h", "a duration has the unit ms, s or min (300ms, 1.2s, 5min), not 'h'; min is the largest"),
        ("2 Min", "a duration has the unit ms, s or min (300ms, 1.2s, 5min), not 'Min'; min is the largest"),
        ("7" * 5000 + "s", "a duration has at most 39 characters, not 5001: '77777777777777777777…'"),
        ("1" + " " * 60 + "s", f"a duration has at most 39 characters, not 62: '1{' ' * 19}…'"),
        ("4", "a duration needs a number and a unit (300ms, 1.2s, 5min), not '4'"),
        ("a" * 500, f"a duration needs a number and a unit (300ms, 1.2s, 5min), not '{'a' * 20}…'"),
        ("25000min", "a duration is at most a day, not '25000min'"),
    ],
)
def test_what_is_wrong_with_a_duration(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        parse_duration_ms(text)


@given(st.integers(0, 24 * 60 * 60_000))
@example(1_000_001)
def test_a_duration_is_read_as_it_is_written(ms: int) -> None:
    assert parse_duration_ms(format_duration(ms)) == ms


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"say": "pt-br/sim"}, {"say": {"recording": "pt-br/sim"}}),
        ({"noise": "2s"}, {"noise": {"for": "2s"}}),
        ({"tone": "2s"}, {"tone": {"for": "2s"}}),
        ({"hang_up": "reset"}, {"hang_up": {"how": "reset"}}),
        ({"expect": {"bot_says": "Oi."}}, {"expect": {"bot_says": {"text": "Oi."}}}),
        ({"expect": {"bot_speaks": "1s"}}, {"expect": {"bot_speaks": {"at_least": "1s"}}}),
        ({"expect": {"bot_silent": "1s"}}, {"expect": {"bot_silent": {"at_least": "1s"}}}),
        ({"expect": {"hold_audio": "playing"}}, {"expect": {"hold_audio": {"is": "playing"}}}),
        ({"expect": {"state": "WAITING"}}, {"expect": {"state": {"is": "WAITING"}}}),
        ({"expect": {"backend_asked": "sim"}}, {"expect": {"backend_asked": {"content": "sim"}}}),
        ({"expect": {"hangs_up": "server"}}, {"expect": {"hangs_up": {"who": "server"}}}),
        ({"expect": {"responds": "1.2s"}}, {"expect": {"responds": {"within": "1.2s"}}}),
        ({"expect": {"bot_stops": "300ms"}}, {"expect": {"bot_stops": {"within": "300ms"}}}),
        ({"never": {"dead_air": "3s"}}, {"never": {"dead_air": {"at_least": "3s"}}}),
        ({"never": "talk_over"}, {"never": {"talk_over": {"at_least": "100ms"}}}),
        ({"never": "dead_air"}, {"never": {"dead_air": {"at_least": "3s"}}}),
        ({"never": {"bot_says": "Oi."}}, {"never": {"bot_says": {"text": "Oi."}}}),
    ],
)
def test_a_lone_scalar_stands_for_the_main_key(short: dict[str, Any], long: dict[str, Any]) -> None:
    assert a_scenario(short).steps == a_scenario(long).steps


def test_short_forms_outside_of_steps() -> None:
    made = a_scenario(asterisk="22.4")
    assert made.asterisk == AsteriskPeer(version="22.4")
    assert AsteriskPeer.model_validate({"jitter": "90ms"}).jitter == scenario.Jitter.model_validate({"up_to": "90ms"})


def test_each_step_key_makes_its_step() -> None:
    steps: dict[str, Any] = {
        "say": "pt-br/sim",
        "wait": "1s",
        "expect": {"bot_speaks": "1s"},
        "never": {"bot_speaks": "1s", "for": "2s"},
        "dtmf": "1#",
        "noise": "1s",
        "tone": {"for": "1s", "hz": 440},
        "silence": "1s",
        "mute": "on",
        "hang_up": "close",
        "repeat": {"times": 2, "steps": [{"wait": "1s"}]},
        "any_of": [{"expect": {"bot_speaks": "1s"}}, {"expect": {"hangs_up": "server"}}],
        "optional": {"expect": {"bot_speaks": "1s"}},
        "if_heard": {"bot_speaks": "1s"},
    }
    assert tuple(steps) == STEP_KEYS
    beside = {"if_heard": {"then": {"wait": "1s"}}}
    made = a_scenario(*({key: value, **beside.get(key, {})} for key, value in steps.items())).steps
    assert [type(step).__name__ for step in made] == [
        f"{''.join(part.title() for part in key.split('_'))}Step" for key in STEP_KEYS
    ]


def test_the_tone_of_a_key_is_no_step_of_its_own() -> None:
    (step,) = a_scenario({"dtmf": "1", "tone": "200ms"}).steps
    assert isinstance(step, DtmfStep)
    assert step.tone == 200
    assert a_scenario(step).steps == (step,)  # type: ignore[arg-type]


def test_steps_can_be_made_in_python() -> None:
    step = SayStep(say=Say(recording="pt-br/sim", for_="1s"))  # type: ignore[arg-type]
    assert a_scenario(step).steps == (step,)  # type: ignore[arg-type]
    assert step.say.for_ == 1000


def test_a_scenario_is_frozen_all_through() -> None:
    made = a_scenario({"expect": {"bot_says": "Oi."}}, ai=[{"says": "x", "then_pushes": [{"says": "y"}]}])
    with pytest.raises(ValidationError, match="frozen"):
        made.summary = "Another."
    (step,) = made.steps
    assert isinstance(step, ExpectStep)
    assert step.expect.key == "bot_says"
    assert step.expect.within == 5000
    assert isinstance(made.ai, tuple)
    assert isinstance(made.ai[0].then_pushes, tuple)


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ({}, f"an expectation needs exactly one of: {', '.join(EXPECT_KEYS)}"),
        ({"bot_says": "a", "state": "WAITING"}, "one expectation at a time: bot_says and state are 2 steps"),
        ({"bot_says": "…!"}, "needs a letter or a digit at least, not '…!'"),
        ({"bot_speaks": "0s"}, "a duration longer than 0 is needed here"),
    ],
)
def test_exactly_one_expectation(expectation: dict[str, Any], said: str) -> None:
    assert complaint({"expect": expectation}) == said


@pytest.mark.parametrize(
    ("say", "good"),
    [
        ({"recording": "a"}, True),
        ({"file": "a.wav"}, True),
        ({"text": "a"}, True),
        ({"file": "a.wav", "text": "a"}, True),
        ({}, False),
        ({"recording": "a", "text": "a"}, False),
        ({"recording": "a", "file": "a.wav"}, False),
        ({"recording": "a", "file": "a.wav", "text": "a"}, False),
    ],
)
def test_a_say_has_one_source(say: dict[str, Any], good: bool) -> None:
    if good:
        assert a_scenario({"say": say})
    else:
        assert complaint({"say": say}).startswith("say needs exactly one of: recording, file, text")


def test_mute_is_on_off_or_a_time() -> None:
    mutes = [
        step.mute
        for step in a_scenario({"mute": "on"}, {"mute": "off"}, {"mute": "3s"}).steps
        if isinstance(step, MuteStep)
    ]
    assert mutes == ["on", "off", 3000]


ERAS = (
    "20.6 (era A), 22.4 (era B1), 22.5 (era B2), 22.8 (era C), 22.9 (era D), 22.10 (era E), 24.0 (era E), "
    "certified-20.7 (era A), certified-22.8 (era C)"
)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"asterisk": "22.7"}, f"no profile for Asterisk 22.7: on the wire it behaves like 22.8; known: {ERAS}"),
        ({"asterisk": 22.1}, "needs quotes: to YAML it is a number, so 22.10 is 22.1 and 007 is 7"),
        ({"asterisk": {"rate_hz": 16000}}, "16000 needs attach: chan; the application is 8 kHz always"),
        ({"asterisk": {"mixed": True}}, "needs attach: chan; the application is never in a conference"),
        (
            {"asterisk": {"answered": False, "attach": "chan"}},
            "false needs attach: app; the channel driver answers when it is connected",
        ),
        ({"asterisk": {"c": "alaw"}}, "alaw needs attach: chan; the application sends SLIN always"),
        ({"asterisk": {"c": "ulaw", "attach": "chan", "rate_hz": 16000}}, "ulaw is 8 kHz always"),
        (
            {"asterisk": {"c": "gsm", "attach": "chan", "packet_time": "30ms"}},
            "gsm: GSM's frames are 20 ms long: packet_time: 20ms, 40ms or 60ms",
        ),
        (
            {"asterisk": {"stall": [{"at": "1s", "for": "600ms"}, {"at": "1500ms", "for": "1s"}]}},
            "the stall at 1.5s begins before the one before it is over",
        ),
        (
            {"asterisk": {"bridge_after": "1s"}},
            "needs attach: chan; the application is in no bridge",
        ),
        (
            {"asterisk": {"version": "20.6", "stuck_in_header": True}},
            "Asterisk 20.6 does not have this fault: 22.8 and later do",
        ),
        ({"line": {"echo": {"delay": "2001ms"}}}, "an echo comes within 2 s"),
        ({"line": {"echo": {"spread": "501ms"}}}, "an echo is smeared over 500 ms at most"),
        (
            {"line": {"echo": {"delay": "2s"}}, "asterisk": {"attach": "chan", "rate_hz": 16000}},
            "the line's echo is 8 kHz only: it does not go with asterisk.rate_hz",
        ),
        (
            {"ai": [{"fault": "missing_content", "nested_status": True, "set_call_status": "WAITING"}]},
            "there is no `content` to put the status into",
        ),
        ({"asterisk": {"packet_time": "25ms"}}, "phones send packets of 10, 20, 30, 40 or 60 ms"),
        (
            {"asterisk": {"uuid": "1234"}},
            "a UUID looks like 0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57, not '1234'",
        ),
        ({"tags": ["Slow"]}, "a tag consists of lower-case letters, digits and _, not 'Slow'"),
        ({"ai": [{"fault": "refused"}, {"says": "x"}]}, "a backend that refuses connections gives no other reply"),
        (
            {"ai": [{"fault": "http_500", "says": "x"}]},
            "http_500 gives no answer, so says and body cannot stand beside it",
        ),
        (
            {"ai": [{"fault": "reset", "set_call_status": "WAITING"}]},
            "reset gives no answer, so set_call_status cannot stand beside it",
        ),
        (
            {"ai": [{"fault": "no_answer", "then_pushes": [{"says": "x"}]}]},
            "they count from the answer, and fault: no_answer never answers",
        ),
        (
            {"ai": [{"body": {}, "says": "x"}]},
            "it is the whole answer: says and set_call_status cannot stand beside it",
        ),
        ({"ai": [{"nested_status": True}]}, "it says where set_call_status is put, so it needs set_call_status"),
        (
            {"ai": [{"then_pushes": [{"nested_status": True}]}]},
            "it says where set_call_status is put, so it needs set_call_status",
        ),
        ({"summary": " "}, "needs a letter or a digit at least, not ' '"),
        ({"steps": []}, "a scenario needs at least one step"),
    ],
)
def test_what_does_not_go_together(keys: dict[str, Any], said: str) -> None:
    assert complaint(**keys) == said


def test_what_does() -> None:
    assert a_scenario(line={"echo": {"delay": "2s", "spread": "500ms"}})
    assert a_scenario(asterisk={"attach": "chan", "rate_hz": 16000, "mixed": True, "packet_time": "60ms"})
    assert a_scenario(ai=[{"fault": "missing_content", "set_call_status": "WAITING", "then_pushes": [{"says": "x"}]}])
    assert a_scenario(ai=[{"body": {"content": None}, "then_pushes": [{"says": "x", "expect_http": None}]}])
    assert (
        a_scenario(asterisk={"uuid": "0F3B6C1E5D2A4C7E9B1F2A6D8E4C0B57"}).asterisk.uuid
        == "0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57"
    )


def test_hang_up_is_the_last_thing_that_the_caller_does() -> None:
    assert complaint({"hang_up": "close"}, {"say": "a"}) == "after hang_up only expect, never and wait can follow"
    assert (
        complaint({"hang_up": "close"}, {"hang_up": "close"}) == "after hang_up only expect, never and wait can follow"
    )
    after = [{"wait": "1s"}, {"expect": {"hangs_up": "caller"}}, {"never": {"bot_speaks": "1s"}}]
    assert a_scenario({"hang_up": "close"}, *after)


def test_hang_up_before_the_uuid() -> None:
    early = {"hang_up": {"before_uuid": True}}
    assert complaint({"wait": "1s"}, early) == "only the first step can come before the UUID"
    assert complaint(early) == "needs asterisk: {attach: chan} or a connect_pause, since the app sends the UUID at once"
    assert a_scenario(early, asterisk={"attach": "chan"})
    assert a_scenario(early, asterisk={"connect_pause": "1s"}).steps == (HangUpStep(hang_up=HangUp(before_uuid=True)),)


@pytest.mark.parametrize("keys", [{"name": "x"}, {"folder": "/"}, {"steps": [{"noise": {"for_": "1s"}}]}])
def test_python_names_are_no_keys_of_the_language(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Scenario.model_validate({"summary": "x", "steps": [{"wait": "1s"}], **keys}, by_alias=True, by_name=False)


def test_replies_and_pushes_say_nothing_unless_told() -> None:
    reply, push = Reply(), Push()
    assert (reply.says, reply.set_call_status, reply.hears, reply.fault, reply.times) == (None, None, None, None, 1)
    assert (push.says, push.set_call_status, push.after, push.expect_http) == (None, None, 0, 202)


def test_what_is_expected_within_a_time_or_never_is_an_expectation() -> None:
    assert issubclass(Within, Expectation)
    assert issubclass(scenario.Never, Expectation)


@pytest.mark.parametrize("module", [scenario, step_models, expectations, fields])
def test_all_names_are_there_and_sorted_into_the_scenario(module: Any) -> None:
    assert all(hasattr(module, name) for name in module.__all__)


def test_known_versions_are_those_that_have_rules() -> None:
    from audiosocket_sim.asterisk.profiles import profile

    for version in scenario.ASTERISK_VERSIONS:
        assert profile(version, "app")
        assert profile(version, "chan")
