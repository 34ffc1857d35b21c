"""What a failure says of what happened instead: the nearest thing, in few lines. Arithmetic, no call."""

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
from audiosocket_sim.checks import Failed, Moment, evaluate
from audiosocket_sim.scenario import Expectation


def said(text: str | None, heard_ms: int = 900) -> BotSpoke:
    return BotSpoke(text, heard_ms, heard_ms, "prompt")


def happened(expected: dict[str, object], *events: tuple[int, LogEvent], **moment: object) -> tuple[str, ...]:
    """Of a step that counts from 1 s and gives up at 4 s."""
    log = CallLog()
    entries: list[Entry] = []
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    entries = log.entries
    at = Moment(**{"now_ms": 9000, "base_ms": 1000, "deadline_ms": 4000, **moment})  # type: ignore[arg-type]
    verdict = evaluate(Expectation.model_validate(expected), entries, at)
    assert isinstance(verdict, Failed)
    return verdict.happened


WANTED = {"bot_says": "Pode subir."}
ENDED = CallEnded("server", "fin", "continues", "the server closed the connection")


def test_of_several_the_nearest_is_marked() -> None:
    assert happened(WANTED, (1500, said("Pode sair.")), (3000, said("Até logo."))) == (
        "1.500 the bot said “Pode sair.”  ← the nearest",
        "3.000 the bot said “Até logo.”",
    )


def test_few_lines_and_the_nearest_among_them_wherever_it_stands() -> None:
    others = [(1600 + 100 * i, said("Bom dia.")) for i in range(9)]
    lines = happened(WANTED, (1500, said("Pode descer.")), *others, (3900, ENDED))
    assert lines[0] == "1.500 the bot said “Pode descer.”  ← the nearest"
    assert lines[-2:] == ("and 6 more: see the transcript", "3.900 the server closed the connection")
    assert len(lines) == 6


def test_what_came_before_the_step_began_is_told_as_such() -> None:
    assert happened(WANTED, (200, said("Pode subir.", 700)))[0] == (
        "0.200 the bot said “Pode subir.”: before this step began"
    )
    taken = happened(WANTED, (200, said("Pode subir.", 700)), taken={1})
    assert taken[0] == "0.200 the bot said “Pode subir.”: an earlier step has had that"
    assert happened({"state": "WAITING"}, (200, StateTold("", "WAITING")), (900, StateTold("", "STANDBY")))[0] == (
        "0.200 state WAITING: before this step began"
    )


def test_what_was_still_being_said_when_the_step_began() -> None:
    assert happened(WANTED, (200, said("Bom dia.", 1200))) == ("0.200 the bot said “Bom dia.”",)


def test_nothing_said_tells_what_was_said_last_and_what_was_done() -> None:
    lines = happened(
        WANTED,
        (200, said("Olá.", 700)),
        (1200, StateTold("", "USER_TURN")),
        (1300, HoldStarted()),
        (1900, StateTold("", "WAITING")),
    )
    assert lines == (
        "the bot said nothing in that time; the last that was heard: 0.200 the bot said “Olá.”",
        "1.300 hold audio started",
        "1.900 state WAITING",
    )


def test_speech_that_goes_on_is_told_though_nobody_knows_its_words_yet() -> None:
    assert happened(WANTED, open_speech_at_ms=4500, speaking_since_ms=4500) == (
        "4.500 the bot began to speak, and still did at 9.000",
    )


@pytest.mark.parametrize(
    ("expected", "events", "lines"),
    [
        ({"bot_says": "Oi"}, [], ("the bot has not been heard at all since the call began",)),
        ({"bot_speaks": "3s"}, [(1500, said("Olá."))], ("1.500 the bot said “Olá.” (900 ms)",)),
        ({"bot_speaks": "3s"}, [(1500, said(None))], ("1.500 unread speech of 900 ms",)),
        ({"state": "STANDBY"}, [(1500, StateTold("", "WAITING"))], ("1.500 state WAITING",)),
        ({"state": "STANDBY"}, [], ("no state was told",)),
        ({"hold_audio": "playing"}, [], ("no hold audio was heard in that time",)),
        ({"hold_audio": "playing"}, [(2000, HoldStopped(3000, True))], ("2.000 hold audio stopped",)),
        (
            {"backend_asked": "apartamento 203"},
            [(1500, BackendAsked(1, "", "Bom dia.")), (1900, BackendAsked(2, "", "Apartamento 202."))],
            (
                "1.500 the backend was asked “Bom dia.”",
                "1.900 the backend was asked “Apartamento 202.”  ← the nearest",
            ),
        ),
        ({"backend_asked": "x"}, [], ("the backend was asked nothing in that time",)),
        (
            {"hangs_up": {"who": "server", "how": "hangup_message"}},
            [(1500, ENDED)],
            ("1.500 the server closed the connection (who: server, how: fin, dialplan: continues)",),
        ),
        (
            {"hangs_up": "server"},
            [(1500, said("Olá."))],
            ("nothing of the kind in that time", "1.500 the bot said “Olá.”"),
        ),
    ],
)
def test_each_kind(expected: dict[str, object], events: list[tuple[int, LogEvent]], lines: tuple[str, ...]) -> None:
    assert happened(expected, *events) == lines


def test_hold_audio_that_does_not_stop() -> None:
    assert happened({"hold_audio": "stopped"}, (500, HoldStarted()), hold_since_ms=500) == (
        "hold audio has been playing since 0.500",
    )


def test_a_state_that_stays() -> None:
    events = [(500, StateTold("", "WAITING"))]
    assert happened({"state": "STANDBY"}, *events, state="WAITING") == ("the state was WAITING all the time",)
