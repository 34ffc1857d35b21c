"""Expectations against a log: arithmetic, no call."""

import pytest

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallLog,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Source,
    StateTold,
)
from audiosocket_sim.checks import Broken, Failed, Met, Moment, Pending, Unreadable, evaluate, violation
from audiosocket_sim.scenario import Expectation

HELLO = "Condomínio Apoena, em que posso ajudar?"


def entries(*events: tuple[int, LogEvent]) -> list[Entry]:
    log = CallLog()
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    return log.entries


def expectation(**keys: object) -> Expectation:
    return Expectation.model_validate(keys)


def moment(now_ms: int, base_ms: int = 0, deadline_ms: int = 4000, **more: object) -> Moment:
    return Moment(now_ms, base_ms, deadline_ms, **more)  # type: ignore[arg-type]


def test_bot_says_is_met_at_its_start_and_completed_at_its_end() -> None:
    log = entries((2300, BotSpoke(HELLO, 2300, 2300, "prompt")))
    assert evaluate(expectation(bot_says="condominio apoena em que posso ajudar"), log, moment(5000)) == Met(
        2300, 4600, 1
    )


def test_bot_says_waits_for_speech_that_began_in_time() -> None:
    says = expectation(bot_says=HELLO)
    assert evaluate(says, [], moment(4500, open_speech_at_ms=3900)) == Pending()
    assert isinstance(evaluate(says, [], moment(4500, open_speech_at_ms=4100)), Failed)


def test_bot_says_another_thing_fails_at_the_deadline_and_says_what_was_said() -> None:
    log = entries((1000, BotSpoke("Pode subir.", 970, 970, "prompt")))
    assert evaluate(expectation(bot_says=HELLO), log, moment(3999)) == Pending(recheck_ms=4020)
    failed = evaluate(expectation(bot_says=HELLO), log, moment(4020))
    assert isinstance(failed, Failed)
    assert failed.expected == f"the bot says “{HELLO}”, from 0.000 until 4.000"
    assert failed.happened == ("1.000 the bot said “Pode subir.”",)


def test_a_sentence_cut_off_is_not_said() -> None:
    log = entries((1000, BotSpoke(HELLO, 900, 2300, "prompt")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(4020))
    assert isinstance(failed, Failed)
    assert failed.happened == (f"1.000 the bot said “{HELLO}”, cut off: 0.90 s of 2.30 s",)


def test_too_late_says_how_late() -> None:
    log = entries((5000, BotSpoke(HELLO, 2300, 2300, "prompt")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(7400))
    assert isinstance(failed, Failed)
    assert failed.happened == ("it came at 5.000, 1.00 s too late",)


def test_an_unreadable_voice_is_a_fault_of_the_set_up() -> None:
    log = entries((1000, BotSpoke(None, 900)))
    assert isinstance(evaluate(expectation(bot_says=HELLO), log, moment(2000)), Unreadable)


def test_a_part_of_what_the_bot_says() -> None:
    log = entries((1000, BotSpoke(HELLO, 2300, 2300, "prompt")))
    part = expectation(bot_says={"text": "posso ajudar", "part": True})
    assert evaluate(part, log, moment(3400)) == Met(1000, 3300, 1)


def test_bot_speaks_completes_after_its_least_length() -> None:
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, [], moment(2500, speaking_since_ms=2000)) == Pending(recheck_ms=3000)
    assert evaluate(speaks, [], moment(3000, speaking_since_ms=2000)) == Met(2000, 3000)
    assert evaluate(speaks, entries((2000, BotSpoke(None, 1500))), moment(4000)) == Met(2000, 3000)


def test_speech_that_goes_on_counts_from_the_base() -> None:
    log = entries((1000, BotSpoke(None, 1500)))
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, log, moment(3000, base_ms=2000, deadline_ms=9000)) == Pending(recheck_ms=9020)


def test_silence_counts_from_the_base() -> None:
    silent = expectation(bot_silent={"at_least": "500ms"})
    assert evaluate(silent, [], moment(1200, base_ms=1000, silent_since_ms=100)) == Pending(recheck_ms=1500)
    assert evaluate(silent, [], moment(1500, base_ms=1000, silent_since_ms=100)) == Met(1000, 1500)


def test_a_state_that_is_already_there_is_met_at_once() -> None:
    log = entries((100, StateTold("STANDBY", "IA_TURN")), (900, StateTold("IA_TURN", "USER_TURN")))
    assert evaluate(expectation(state="USER_TURN"), log, moment(1500, base_ms=1000)) == Met(1000, 1000)
    assert evaluate(expectation(state="IA_TURN"), log, moment(1500, base_ms=1000)) == Pending(recheck_ms=4020)


def test_a_state_of_the_window_is_met_at_its_instant() -> None:
    log = entries((1200, StateTold("USER_TURN", "WAITING")))
    assert evaluate(expectation(state="WAITING"), log, moment(1500, base_ms=1000)) == Met(1200, 1200, 1)


def test_hold_that_plays_already_is_met_at_the_base() -> None:
    playing = expectation(hold_audio="playing")
    assert evaluate(playing, [], moment(1500, base_ms=1000, hold_since_ms=700)) == Met(1000, 1000)
    assert evaluate(expectation(hold_audio="stopped"), [], moment(1500, base_ms=1000)) == Pending(recheck_ms=4400)


def test_a_request_counts_once_whenever_it_came() -> None:
    log = entries((500, BackendAsked(1, "id", "Apartamento 202.")), (3000, BackendAsked(2, "id", "Sim.")))
    asked = expectation(backend_asked="apartamento")
    assert evaluate(asked, log, moment(4000, base_ms=3500, deadline_ms=8000)) == Met(500, 3500, 1)
    assert evaluate(asked, log, moment(4000, base_ms=3500, deadline_ms=8000, taken={1})) == Pending(recheck_ms=8020)


def test_who_hangs_up_and_how_the_dialplan_goes_on() -> None:
    log = entries((900, CallEnded("server", "hangup_message", "continues", "")))
    assert isinstance(evaluate(expectation(hangs_up="server"), log, moment(1000)), Met)
    wrong = evaluate(expectation(hangs_up={"who": "server", "dialplan": "ends"}), log, moment(1000))
    assert isinstance(wrong, Failed)


def test_the_end_of_the_call_fails_what_is_still_expected() -> None:
    log = entries((900, CallEnded("asterisk", "fin", "ends", "no activity for 2 s")))
    failed = evaluate(expectation(bot_says=HELLO), log, moment(1000))
    assert isinstance(failed, Failed)
    assert failed.happened == (
        "the bot has not been heard at all since the call began",
        "0.900 Asterisk ended the call: no activity for 2 s",
    )


@pytest.mark.parametrize(
    ("keys", "broken"),
    [
        ({"bot_speaks": {"at_least": "200ms"}}, True),
        ({"bot_speaks": {"at_least": "2s"}}, False),
        ({"bot_says": "Pode subir."}, True),
        ({"bot_says": "Até logo."}, False),
        ({"hold_audio": "playing"}, True),
        ({"state": "WAITING"}, True),
        ({"state": "STANDBY"}, False),
        ({"hangs_up": "server"}, False),
        ({"backend_asked": "202"}, False),
    ],
)
def test_never(keys: dict[str, object], broken: bool) -> None:
    log = entries(
        (500, StateTold("USER_TURN", "WAITING")),
        (800, HoldStarted()),
        (1500, HoldStopped(700, True)),
        (2000, BotSpoke("Pode subir.", 970, 970, "prompt")),
        (9000, CallEnded("server", "hangup_message", "continues", "")),
        (9500, BackendAsked(1, "id", "Apartamento 202.")),
    )
    assert (violation(expectation(**keys), log, 600, 4000) is not None) is broken


def test_never_outside_its_window() -> None:
    log = entries((800, HoldStarted()), (1500, HoldStopped(700, True)), (2000, BotSpoke("Pode subir.", 970)))
    assert violation(expectation(hold_audio="playing"), log, 1600, 4000) is None
    assert violation(expectation(bot_speaks={"at_least": "200ms"}), log, 3000, 4000) is None
    assert violation(expectation(hold_audio="playing"), log[:1], 1600, 4000) is not None


def test_holes_belong_to_what_is_said() -> None:
    log = entries((1000, BotSpoke(HELLO, 2300, 2300, "prompt", gap_ms=400)))
    assert evaluate(expectation(bot_says=HELLO), log, moment(4000)) == Met(1000, 3700, 1)
    speaks = expectation(bot_speaks={"at_least": "2.5s"})
    assert evaluate(speaks, log, moment(4000)) == Met(1000, 3500)
    assert violation(speaks, log, 0, 4000) is not None


def test_a_pause_between_two_words_is_looked_at_again() -> None:
    speaks = expectation(bot_speaks={"at_least": "1s"})
    assert evaluate(speaks, [], moment(3000, open_speech_at_ms=2000)) == Pending(recheck_ms=3020)


def test_while_the_bot_speaks_its_silence_is_looked_for() -> None:
    silent = expectation(bot_silent={"at_least": "100ms"})
    assert evaluate(silent, [], moment(1200, speaking_since_ms=1000, open_speech_at_ms=1000)) == Pending(
        recheck_ms=1220
    )


@pytest.mark.parametrize("keys", [{"state": "STANDBY"}, {"backend_asked": "202"}])
def test_what_needs_no_call_may_come_after_its_end(keys: dict[str, object]) -> None:
    log = entries((900, CallEnded("server", "hangup_message", "continues", "")))
    assert evaluate(expectation(**keys), log, moment(1000)) == Pending(recheck_ms=4020)
    assert isinstance(evaluate(expectation(**keys), log, moment(4020)), Failed)


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "at_least", "broken_at"),
    [
        (0, 5000, "1s", 0),
        (0, 5000, "2s", None),  # 1.0 to 2.0 is spoken, and 2.4 to 3.4; the call is over at 4.5
        (1000, 5000, "1s", 3400),
        (1000, 4300, "1s", None),
        (1500, 2300, "200ms", 2000),
        (1200, 1900, "100ms", None),
        (4000, 9000, "600ms", None),
    ],
)
def test_never_silent(from_ms: int, to_ms: int, at_least: str, broken_at: int | None) -> None:
    log = entries(
        (1000, BotSpoke(None, 900, gap_ms=100)),
        (2400, BotSpoke(HELLO, 1000, 2300, "prompt")),
        (4500, CallEnded("server", "hangup_message", "continues", "")),
    )
    broken = violation(expectation(bot_silent={"at_least": at_least}), log, from_ms, to_ms)
    assert (broken.at_ms if isinstance(broken, Broken) else broken) == broken_at


def test_never_says_where_it_happened() -> None:
    log = entries((800, HoldStarted()), (1500, HoldStopped(700, True)), (2000, BotSpoke("Pode subir.", 970)))
    assert violation(expectation(hold_audio="playing"), log, 900, 4000) == Broken(900, "0.900 hold audio played")
    assert violation(expectation(bot_says="Pode subir."), log, 2500, 4000) == Broken(
        2500, "2.000 the bot said “Pode subir.”"
    )


def test_never_says_of_an_unreadable_voice_is_no_answer() -> None:
    log = entries((1000, BotSpoke(None, 900)))
    assert isinstance(violation(expectation(bot_says=HELLO), log, 0, 4000), Unreadable)
    assert violation(expectation(bot_says=HELLO), log, 2000, 4000) is None
