"""Two logs of one scenario: what counts as the same call."""

from dataclasses import replace

from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallLog,
    Entry,
    LogEvent,
    Noted,
    Source,
    StageTook,
    StateTold,
)


def log(*events: tuple[int, Source, LogEvent]) -> list[Entry]:
    call = CallLog()
    for at_ms, source, event in events:
        call.add(at_ms, source, event)
    return call.entries


TURN = StateTold("IA_TURN", "USER_TURN")
WAIT = StateTold("USER_TURN", "WAITING")


def test_small_shifts_agree_and_do_not_add_up() -> None:
    virtual = log((1000, Source.STATE, TURN), (2000, Source.STATE, WAIT), (3000, Source.STATE, TURN))
    real = log((1015, Source.STATE, TURN), (2030, Source.STATE, WAIT), (3045, Source.STATE, TURN))
    assert disagreements(virtual, real, 0) == []


def test_a_late_event_disagrees() -> None:
    found = disagreements(
        log((1000, Source.STATE, TURN), (2000, Source.STATE, WAIT)),
        log((1000, Source.STATE, TURN), (2100, Source.STATE, WAIT)),
        allowance_ms=10,
    )
    assert found == ["StateTold at 2.000 came 1000 ms after StateTold at 1.000 in virtual time, 1100 ms in real time"]


def test_other_words_and_missing_events_disagree() -> None:
    virtual = log((1000, Source.BOT, BotSpoke("Pode subir.", 970, 970)), (3000, Source.STATE, WAIT))
    real = log((1000, Source.BOT, BotSpoke("Qual é o seu nome?", 970, 970)))
    found = disagreements(virtual, real, 0)
    assert any("text is 'Pode subir.'" in line for line in found)
    assert any(line.startswith("state: 1 events in virtual time, 0") for line in found)


def test_notes_do_not_count() -> None:
    assert disagreements(log(), log((5, Source.PEER, Noted("late by 30 ms"))), 0) == []


def test_events_of_one_instant_may_change_places() -> None:
    virtual = log((1000, Source.STATE, TURN), (1000, Source.BOT, BotSpoke("A", 500, 500)))
    real = log((1002, Source.STATE, TURN), (1000, Source.BOT, BotSpoke("A", 510, 510)))
    assert disagreements(virtual, real, 0) == []


def heard_and_answered(recognition_ms: int, backend_ms: int = 400) -> list[Entry]:
    asked = 2000 + recognition_ms
    return log(
        (2000, Source.STATE, WAIT),
        (2000, Source.LATENCY, StageTook("endpoint", 700, 700)),
        (asked, Source.LATENCY, StageTook("recognition", recognition_ms, 700 + recognition_ms)),
        (asked + backend_ms, Source.LATENCY, StageTook("backend", backend_ms, 700 + recognition_ms + backend_ms)),
    )


def test_what_the_server_says_that_it_computed_is_granted_where_it_lies() -> None:
    assert disagreements(heard_and_answered(0), heard_and_answered(180), 0) == []


def asked_at_once(recognition_ms: int) -> list[Entry]:
    """Of one instant in virtual time, the question stands before the endpoint: by its source."""
    asked = 2000 + recognition_ms
    return log(
        (2000, Source.STATE, WAIT),
        (asked, Source.HEARD, BackendAsked(1, "id", "Sim.")),
        (2000, Source.LATENCY, StageTook("endpoint", 700, 700)),
        (asked, Source.LATENCY, StageTook("recognition", recognition_ms, 700 + recognition_ms)),
    )


def test_what_computing_held_up_may_change_places_with_what_it_did_not() -> None:
    assert disagreements(asked_at_once(0), asked_at_once(180), 0) == []


def test_what_changed_places_by_more_than_was_computed_disagrees() -> None:
    real = asked_at_once(180)
    late = [replace(entry, at_ms=2400) if entry.source is Source.HEARD else entry for entry in real]
    assert disagreements(asked_at_once(0), late, 0) != []


def test_a_wait_that_was_not_computing_is_not_granted() -> None:
    found = disagreements(heard_and_answered(0), heard_and_answered(0, backend_ms=500), 0)
    assert any("duration_ms is 400 in virtual time, 500 in real time" in line for line in found)
    assert any("came 400 ms after" in line for line in found)
