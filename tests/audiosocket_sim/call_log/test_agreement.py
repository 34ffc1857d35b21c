"""Two logs of one scenario: what counts as the same call."""

from dataclasses import replace

import pytest

from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    CallLog,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    Source,
    StageTook,
    StateTold,
    StepFailed,
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


# --- to the millisecond


def states(*times: int) -> list[Entry]:
    return log(*((at_ms, Source.STATE, TURN if number % 2 else WAIT) for number, at_ms in enumerate(times)))


@pytest.mark.parametrize("gap_ms", [970, 1030])
def test_a_gap_may_differ_by_one_frame_and_the_allowance(gap_ms: int) -> None:
    assert disagreements(states(1000, 2000), states(5000, 5000 + gap_ms), 10) == []


@pytest.mark.parametrize("gap_ms", [969, 1031])
def test_and_by_no_millisecond_more(gap_ms: int) -> None:
    assert disagreements(states(1000, 2000), states(5000, 5000 + gap_ms), 10) == [
        f"StateTold at 2.000 came 1000 ms after StateTold at 1.000 in virtual time, {gap_ms} ms in real time"
    ]


def test_without_an_allowance_it_is_one_frame() -> None:
    assert disagreements(states(1000, 2000), states(1000, 2020), 0) == []
    assert len(disagreements(states(1000, 2000), states(1000, 2021), 0)) == 1
    assert disagreements(states(1000, 2000), states(1000, 1980), 0) == []
    assert len(disagreements(states(1000, 2000), states(1000, 1979), 0)) == 1


def test_a_gap_is_compared_only_between_events_that_both_runs_have() -> None:
    virtual = log((1000, Source.STATE, WAIT), (2000, Source.BOT, BotSpoke("A", 500)), (3000, Source.STATE, TURN))
    real = log((1000, Source.STATE, WAIT), (9000, Source.STATE, TURN))
    assert disagreements(virtual, real, 0) == ["bot: 1 events in virtual time, 0 in real time"]
    assert disagreements(real, virtual, 0) == [
        "bot: 0 events in virtual time, 1 in real time",
        "StateTold at 9.000 came 8000 ms after StateTold at 1.000 in virtual time, 2000 ms in real time",
    ]


def test_notes_stand_between_no_two_events() -> None:
    virtual = log((1000, Source.STATE, WAIT), (1500, Source.PEER, Noted("late")), (2000, Source.STATE, TURN))
    assert disagreements(virtual, states(1000, 2100), 0) == [
        "StateTold at 2.000 came 1000 ms after StateTold at 1.000 in virtual time, 1100 ms in real time"
    ]


# --- what stands in an event


def heard(event: LogEvent) -> list[Entry]:
    return log((1000, Source.BOT, event))


def test_another_type_of_event_disagrees_even_where_no_field_does() -> None:
    assert disagreements(heard(HoldStarted()), heard(BotSpoke("A", 500)), 0) == [
        "HoldStarted at 1.000 in virtual time, BotSpoke at 1.000 in real time"
    ]
    assert disagreements(heard(CallerAction("mute", "", 5)), heard(CallerSpoke("", "mute", 5)), 0) == [
        "CallerAction at 1.000 in virtual time, CallerSpoke at 1.000 in real time"
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "field"),
    [
        (BotSpoke("A", 500), BotSpoke("A", 521), "heard_ms is 500 in virtual time, 521 in real time"),
        (BotSpoke("A", 521), BotSpoke("A", 500), "heard_ms is 521 in virtual time, 500 in real time"),
        (BotSpoke("A", 500, 500), BotSpoke("A", 500, None), "whole_ms is 500 in virtual time, None in real time"),
        (BotSpoke("A", 500, None), BotSpoke("A", 500, 500), "whole_ms is None in virtual time, 500 in real time"),
        (BotSpoke("A", 500), BotSpoke("B", 500), "text is 'A' in virtual time, 'B' in real time"),
        (BackendAsked(1, "id", "A"), BackendAsked(2, "id", "A"), "number is 1 in virtual time, 2 in real time"),
        (
            BackendPushed("A", None, 200),
            BackendPushed("A", None, 204),
            "http_status is 200 in virtual time, 204 in real",
        ),
        (HoldStopped(500, True), HoldStopped(500, False), "seamless is True in virtual time, False in real time"),
        (HoldStopped(500, True), HoldStopped(521, True), "duration_ms is 500 in virtual time, 521 in real time"),
        (StageTook("recognition", 5, 5), StageTook("recognition", 5, None), "since_last_word_ms is 5 in virtual time"),
        (
            StageTook("recognition", 5, None),
            StageTook("recognition", 5, 5),
            "since_last_word_ms is None in virtual time",
        ),
        (StageTook("backend", 5, 5), StageTook("backend", 26, 26), "duration_ms is 5 in virtual time, 26 in real time"),
    ],
)
def test_a_field_that_disagrees(ours: LogEvent, theirs: LogEvent, field: str) -> None:
    found = disagreements(heard(ours), heard(theirs), 0)
    assert len(found) == 1
    assert found[0].startswith(f"{type(ours).__name__} at 1.000: {field}")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BotSpoke("A", 500), BotSpoke("A", 520)),
        (BotSpoke("A", 520), BotSpoke("A", 500)),
        (BotSpoke("A", 500, ahead_ms=0), BotSpoke("A", 500, ahead_ms=900)),
        (BotSpoke("Boa tarde.", 500, read_by="local"), BotSpoke("Boa noite.", 500, read_by="local", confidence=0.5)),
        (StageTook("recognition", 0, 700), StageTook("recognition", 300, 1000)),
        (StageTook("first_audio", 0, 700), StageTook("first_audio", 300, 1000)),
        (StageTook("backend", 400, 700), StageTook("backend", 400, 1000)),
        (StageTook("backend", 400, None), StageTook("backend", 420, None)),
        (StepFailed(1, "wait", "it", (), 100, 2100), StepFailed(1, "wait", "it", (), 900, 2900)),
    ],
)
def test_fields_that_agree(ours: LogEvent, theirs: LogEvent) -> None:
    assert disagreements(heard(ours), heard(theirs), 0) == []


# --- what the server computed, and what waited in the phone


@pytest.mark.parametrize(("late_ms", "agrees"), [(120, True), (121, False)])
@pytest.mark.parametrize("stage", ["recognition", "first_audio"])
def test_only_as_much_as_was_computed_in_between_is_granted(stage: str, late_ms: int, agrees: bool) -> None:
    """Of the 300 ms up to 2,100 that the server computed, 100 lie after the event before."""
    took = (Source.LATENCY, StageTook(stage, 0, None))
    virtual = log((2000, Source.STATE, WAIT), (2000, Source.BOT, BotSpoke("A", 500)), (2000, *took))
    took = (Source.LATENCY, StageTook(stage, 300, None))
    real = log((2000, Source.STATE, WAIT), (2000 + late_ms, Source.BOT, BotSpoke("A", 500)), (2100, *took))
    found = [line for line in disagreements(virtual, real, 0) if line.startswith("BotSpoke")]
    assert (found == []) is agrees


@pytest.mark.parametrize(("late_ms", "agrees"), [(220, True), (221, False)])
def test_two_computations_in_between_add_up(late_ms: int, agrees: bool) -> None:
    def run(took_ms: int, late_ms: int) -> list[Entry]:
        return log(
            (2000, Source.STATE, WAIT),
            (2000 + late_ms, Source.STATE, TURN),
            (2000 + took_ms, Source.LATENCY, StageTook("recognition", took_ms, None)),
            (2000 + 2 * took_ms, Source.LATENCY, StageTook("first_audio", took_ms, None)),
        )

    found = [line for line in disagreements(run(0, 0), run(100, late_ms), 0) if line.startswith("StateTold")]
    assert (found == []) is agrees


@pytest.mark.parametrize(
    ("late_ms", "agrees"), [(0, True), (20, True), (920, True), (921, False), (-20, True), (-21, False)]
)
def test_speech_that_had_waited_in_the_phone_may_come_later(late_ms: int, agrees: bool) -> None:
    virtual = log((1000, Source.STATE, WAIT), (2000, Source.BOT, BotSpoke("A", 500, ahead_ms=100)))
    real = log((1000, Source.STATE, WAIT), (2000 + late_ms, Source.BOT, BotSpoke("A", 500, ahead_ms=1000)))
    assert (disagreements(virtual, real, 0) == []) is agrees


@pytest.mark.parametrize(("gap_ms", "agrees"), [(1000, True), (80, True), (79, False), (1020, True), (1021, False)])
def test_what_follows_such_speech_may_come_sooner_after_it(gap_ms: int, agrees: bool) -> None:
    virtual = log((1000, Source.BOT, BotSpoke("A", 500, ahead_ms=100)), (2000, Source.STATE, WAIT))
    real = log((1000, Source.BOT, BotSpoke("A", 500, ahead_ms=1000)), (1000 + gap_ms, Source.STATE, WAIT))
    assert (disagreements(virtual, real, 0) == []) is agrees


def test_speech_that_waited_less_is_granted_nothing() -> None:
    virtual = log((1000, Source.STATE, WAIT), (2000, Source.BOT, BotSpoke("A", 500, ahead_ms=1000)))
    real = log((1000, Source.STATE, WAIT), (2020, Source.BOT, BotSpoke("A", 500, ahead_ms=100)))
    assert disagreements(virtual, real, 0) == []


# --- a real Asterisk


def ended(who: str, how: str, dialplan: str = "continues", reason: str = "ours") -> list[Entry]:
    return log((1000, Source.END, CallEnded(who, how, dialplan, reason)))


@pytest.mark.parametrize("how", ["hangup_message", "fin"])
def test_asterisk_does_not_tell_a_hang_up_from_a_close(how: str) -> None:
    ours, theirs = ended("server", how), ended("server", "orderly", reason="theirs")
    assert disagreements(ours, theirs, 0, real_asterisk=True) == []
    assert disagreements(ours, theirs, 0) == [
        f"CallEnded at 1.000: how is '{how}' in virtual time, 'orderly' in real time",
        "CallEnded at 1.000: reason is 'ours' in virtual time, 'theirs' in real time",
    ]


@pytest.mark.parametrize("how", ["reset", "unanswered", "protocol"])
def test_an_orderly_end_is_no_other_end(how: str) -> None:
    assert disagreements(ended("server", how), ended("server", "orderly"), 0, real_asterisk=True) == [
        f"CallEnded at 1.000: how is '{how}' in virtual time, 'orderly' in real time"
    ]


def test_asterisk_tells_a_reset_and_who_and_what_the_dialplan_did() -> None:
    def found(theirs: list[Entry]) -> list[str]:
        return disagreements(ended("server", "fin"), theirs, 0, real_asterisk=True)

    assert found(ended("server", "reset")) == ["CallEnded at 1.000: how is 'fin' in virtual time, 'reset' in real time"]
    assert len(found(ended("caller", "orderly"))) == 1
    assert len(found(ended("server", "orderly", "ends"))) == 1
    assert found(log((1000, Source.END, HoldStarted()))) == [
        "CallEnded at 1.000 in virtual time, HoldStarted at 1.000 in real time"
    ]
    assert disagreements(heard(HoldStarted()), heard(HoldStarted()), 0, real_asterisk=True) == []
    assert disagreements(heard(HoldStarted()), ended("server", "fin"), 0, real_asterisk=True) != []
    swapped = log((1000, Source.BOT, ended("server", "fin")[0].event))
    assert disagreements(heard(HoldStarted()), swapped, 0, real_asterisk=True) == [
        "HoldStarted at 1.000 in virtual time, CallEnded at 1.000 in real time"
    ]


def test_a_gap_between_events_of_different_types_is_compared_all_the_same() -> None:
    speech, hold = BotSpoke("A", 500, ahead_ms=900), HoldStarted()
    for ours, theirs in ((speech, hold), (hold, speech)):
        virtual = log((1000, Source.BOT, hold), (2000, Source.BOT, ours), (3000, Source.BOT, hold))
        real = log((1000, Source.BOT, hold), (2021, Source.BOT, theirs), (3000, Source.BOT, hold))
        assert [line.split(" ", 1)[0] for line in disagreements(virtual, real, 0)] == [
            type(ours).__name__,
            type(ours).__name__,
            "HoldStarted",
        ]


def test_how_much_was_heard_before_an_interruption_is_of_one_run_and_what_was_interrupted_is_not() -> None:
    def asked(text: str, said_ms: int) -> list[Entry]:
        told = {"text": text, "heard": text[: said_ms // 100], "said_ms": said_ms}
        return log((1000, Source.HEARD, BackendAsked(1, "", "Espera.", told)))

    assert disagreements(asked("Pode subir agora.", 400), asked("Pode subir agora.", 460), 0) == []
    assert len(disagreements(asked("Pode subir agora.", 400), asked("Até logo.", 400), 0)) == 1
    assert (
        len(disagreements(asked("Pode subir.", 400), log((1000, Source.HEARD, BackendAsked(1, "", "Espera."))), 0)) == 1
    )


def test_where_single_holes_are_is_of_one_run() -> None:
    one = BotSpoke("Pode subir.", 900, 900, holes_ms=((100, 20),), hole_ms=20)
    other = BotSpoke("Pode subir.", 900, 900, holes_ms=((120, 20),), hole_ms=20)
    assert disagreements(log((1000, Source.HEARD, one)), log((1000, Source.HEARD, other)), 0) == []


@pytest.mark.parametrize(
    ("pauses_ms", "agrees"),
    [(((410, 320),), True), (((440, 300),), False), (((400, 340),), False), ((), False)],
)
def test_pauses_in_a_prompt_may_be_a_frame_longer_or_later(
    pauses_ms: tuple[tuple[int, int], ...], agrees: bool
) -> None:
    spoke = BotSpoke("Pode subir.", 970, 970, pauses_ms=((400, 310),))
    ours, theirs = log((0, Source.BOT, spoke)), log((0, Source.BOT, replace(spoke, pauses_ms=pauses_ms)))
    assert (disagreements(ours, theirs, 0) == []) is agrees
