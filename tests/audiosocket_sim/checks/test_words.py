"""Expectations and events in a person's words."""

import pytest
from helpers.logs import entries, expectation

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    DefectFound,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    StateTold,
)
from audiosocket_sim.checks import describe
from audiosocket_sim.checks.words import as_line, clock, seconds


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"bot_says": "Pode subir."}, "the bot says “Pode subir.”"),
        ({"bot_says": {"text": "subir", "part": True}}, "the bot says something with “subir”"),
        (
            {"bot_says": {"text": "Pode subir.", "words": 0.8}},
            "the bot says “Pode subir.” (at least 80 % of the words)",
        ),
        ({"bot_says": {"any_of": ["Sim.", "Pode."]}}, "the bot says “Sim.” or “Pode.”"),
        ({"bot_says": {"pattern": r"total \d+"}}, r"the bot says something that fits the pattern total \d+"),
        ({"bot_speaks": "300ms"}, "the bot speaks for at least 300 ms"),
        ({"bot_silent": "2s"}, "the bot falls silent for at least 2.00 s"),
        ({"hold_audio": "playing"}, "hold audio playing"),
        ({"hold_audio": "stopped"}, "hold audio stopped"),
        ({"state": "WAITING"}, "state WAITING"),
        ({"backend_asked": "apartamento 202"}, "the backend is asked “apartamento 202”"),
        ({"hangs_up": "server"}, "the server hangs up"),
        ({"hangs_up": {"who": "caller", "how": "fin"}}, "the caller hangs up by fin"),
        ({"hangs_up": {"who": "server", "dialplan": "ends"}}, "the server hangs up, the dialplan ends"),
        (
            {"hangs_up": {"who": "server", "how": "hangup_message", "dialplan": "continues"}},
            "the server hangs up by hangup_message, the dialplan continues",
        ),
    ],
)
def test_an_expectation(keys: dict[str, object], words: str) -> None:
    assert describe(expectation(**keys)) == words


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("event", "line"),
    [
        (BotSpoke("Olá.", 900, 900), "1.500 the bot said “Olá.”"),
        (BotSpoke("Olá.", 840, 900), "1.500 the bot said “Olá.”"),
        (BotSpoke("Olá.", 839, 900), "1.500 the bot said “Olá.”, cut off: 0.84 s of 0.90 s"),
        (BotSpoke("Olá.", 1200, 2500), "1.500 the bot said “Olá.”, cut off: 1.20 s of 2.50 s"),
        (BotSpoke("Olá.", 58_000, 59_000), "1.500 the bot said “Olá.”, cut off: 58.00 s of 59.00 s"),
        (BotSpoke(None, 900), "1.500 unread speech of 900 ms"),
        (StateTold("USER_TURN", "WAITING"), "1.500 state WAITING"),
        (HoldStarted(), "1.500 hold audio started"),
        (HoldStopped(700, True), "1.500 hold audio stopped"),
        (BackendAsked(1, "id", "Sim."), "1.500 the backend was asked “Sim.”"),
        (CallEnded("asterisk", "protocol", "ends", "no activity"), "1.500 Asterisk ended the call: no activity"),
        (CallEnded("server", "fin", "ends", "the server closed it"), "1.500 the server closed it"),
        (DefectFound("pace", "2.5 % too slow", 2.5), "1.500 2.5 % too slow"),
        (CallerSpoke("Sim.", "sim", 500), ""),
        (Noted("late by 30 ms"), ""),
    ],
)
def test_an_event(event: LogEvent, line: str) -> None:
    assert as_line(entries((1500, event))[0]) == line


def test_times() -> None:
    assert [seconds(ms) for ms in (0, 999, 1000, 1001, 2345)] == ["0 ms", "999 ms", "1.00 s", "1.00 s", "2.35 s"]
    assert [clock(ms) for ms in (0, 7, 12345)] == ["0.000", "0.007", "12.345"]
