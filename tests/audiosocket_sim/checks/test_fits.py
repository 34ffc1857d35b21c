"""Which event is what an expectation asks for: every kind against every other, and the edges of each."""

import pytest
from helpers.logs import expectation

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerAction,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.checks.fits import fits, says

EVENTS: dict[str, LogEvent] = {
    "speech": BotSpoke("Pode subir.", 900, 900),
    "started": HoldStarted(),
    "stopped": HoldStopped(700, True),
    "state": StateTold("", "WAITING"),
    "request": BackendAsked(1, "id", "Apartamento 202."),
    "end": CallEnded("server", "fin", "continues", ""),
    "other": CallerAction("dtmf", "4"),
}


@pytest.mark.parametrize(
    ("keys", "fitting"),
    [
        ({"bot_says": "Pode subir."}, {"speech"}),
        ({"bot_speaks": "900ms"}, {"speech"}),
        ({"bot_silent": "100ms"}, set()),
        ({"hold_audio": "playing"}, {"started"}),
        ({"hold_audio": "stopped"}, {"stopped"}),
        ({"state": "WAITING"}, {"state"}),
        ({"backend_asked": "apartamento 202"}, {"request"}),
        ({"hangs_up": "server"}, {"end"}),
    ],
)
def test_each_expectation_against_each_event(keys: dict[str, object], fitting: set[str]) -> None:
    assert {name for name, event in EVENTS.items() if fits(event, expectation(**keys))} == fitting


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"bot_says": "Pode descer."}, EVENTS["speech"]),
        ({"bot_says": "Pode"}, EVENTS["speech"]),
        ({"bot_says": "Pode subir."}, BotSpoke("Pode subir.", 300, 900)),
        ({"bot_says": "Pode subir."}, BotSpoke(None, 900)),
        ({"bot_says": {"text": "pode", "part": True}}, BotSpoke(None, 900)),
        ({"bot_speaks": "901ms"}, EVENTS["speech"]),
        ({"state": "STANDBY"}, EVENTS["state"]),
        ({"backend_asked": "apartamento 203"}, EVENTS["request"]),
        ({"hangs_up": "caller"}, EVENTS["end"]),
        ({"hangs_up": {"who": "caller", "how": "fin"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "how": "reset"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "dialplan": "ends"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "how": "fin", "dialplan": "ends"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "how": "reset", "dialplan": "continues"}}, EVENTS["end"]),
    ],
)
def test_what_is_almost_it(keys: dict[str, object], event: LogEvent) -> None:
    assert not fits(event, expectation(**keys))


@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ({"bot_says": "PODE SUBIR"}, EVENTS["speech"]),
        ({"bot_says": {"text": "subir", "part": True}}, EVENTS["speech"]),
        ({"bot_speaks": "900ms"}, BotSpoke(None, 800, gap_ms=100)),
        ({"bot_speaks": "300ms"}, BotSpoke("Pode subir.", 300, 900)),
        ({"hangs_up": {"who": "server", "how": "fin"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "dialplan": "continues"}}, EVENTS["end"]),
        ({"hangs_up": {"who": "server", "how": "fin", "dialplan": "continues"}}, EVENTS["end"]),
    ],
)
def test_what_is_just_it(keys: dict[str, object], event: LogEvent) -> None:
    assert fits(event, expectation(**keys))


def test_words_were_said_also_where_they_were_cut_off() -> None:
    cut_off = BotSpoke("Pode subir.", 300, 900)
    assert says(cut_off, expectation(bot_says="Pode subir."))
    assert not says(cut_off, expectation(bot_speaks="100ms"))
