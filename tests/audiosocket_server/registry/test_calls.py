"""The calls of a server, as others see them: ids, history, transcript, who is woken when."""

import weakref

from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import (
    CallEndedEvent,
    CallStartedEvent,
    CallState,
    DtmfReceivedEvent,
    PlaybackStartedEvent,
    StateChangedEvent,
    TranscriptFinalEvent,
)
from audiosocket_server.registry.calls import Calls, Origin

UUID = "40325ec2-5efd-4bd3-805f-53576e581d13"
REPLY = BackendReply("Pode entrar.", CallState.STANDBY, {})


def take(_: BackendReply) -> bool:
    return True


def test_the_id_is_the_uuid_and_a_second_live_call_gets_a_number() -> None:
    calls = Calls()
    made = [calls.open(UUID, f"127.0.0.1:{n}", take) for n in range(3)]
    assert [call.id for call in made] == [UUID, f"{UUID}-2", f"{UUID}-3"]
    made[1].record(CallEndedEvent("caller", "gone", 1), 1.0)
    assert calls.open(UUID, "127.0.0.1:9", take).id == f"{UUID}-2"
    assert calls.get(UUID) is made[0]


def test_ended_calls_are_kept_up_to_a_number_and_the_newer_owns_the_id() -> None:
    calls = Calls(history=2)
    live = calls.open("live", "", take)
    old = calls.open(UUID, "", take)
    old.record(CallEndedEvent("caller", "gone", 1), 1.0)
    new = calls.open(UUID, "", take)
    assert calls.all() == (live, old, new)
    for n in range(2):
        calls.open(f"other {n}", "", take).record(CallEndedEvent("caller", "gone", 1), 1.0)
    assert old not in calls.all()
    assert calls.get(UUID) is new
    new.record(CallEndedEvent("caller", "gone", 1), 1.0)
    assert [call.id for call in calls.all()] == ["live", UUID, "other 1"]
    assert calls.get("other 0") is None


def test_events_are_numbered_bounded_and_read_on_from_a_number() -> None:
    call = Calls(events=3).open(UUID, "", take)
    for n in range(5):
        call.record(DtmfReceivedEvent(str(n)), n)
    assert [r.number for r in call.events()] == [3, 4, 5]
    assert [r.number for r in call.events(after=1)] == [3, 4, 5]
    assert [r.number for r in call.events(after=4)] == [5]
    assert list(call.events(after=5)) == []


def test_the_transcript_has_both_sides_and_each_change_of_state() -> None:
    call = Calls().open(UUID, "", take)
    call.record(CallStartedEvent(UUID, ""), 0.0)
    call.record(StateChangedEvent(CallState.STANDBY, CallState.IA_TURN), 2.0)
    call.record(PlaybackStartedEvent("greeting", "Bom dia."), 2.0)
    call.record(TranscriptFinalEvent("apartamento 202"), 6.0)
    call.record(TranscriptFinalEvent(""), 7.0)
    call.record(DtmfReceivedEvent("5"), 8.12345)
    call.record(CallEndedEvent("caller", "the caller hung up", 9000), 9.0)
    assert [(entry.origin, entry.text) for entry in call.entries()] == [
        (Origin.SYSTEM, "STANDBY → IA_TURN"),
        (Origin.AI, "Bom dia."),
        (Origin.CALLER, "apartamento 202"),
        (Origin.CALLER, "DTMF 5"),
        (Origin.SYSTEM, "ended by caller: the caller hung up"),
    ]
    assert call.transcript()[3] == {"at": 8.123, "origin": "caller", "text": "DTMF 5"}


def test_state_summary_and_end() -> None:
    call = Calls().open(UUID, "127.0.0.1:5", take)
    call.record(StateChangedEvent(CallState.STANDBY, CallState.IA_TURN), 2.0)
    assert call.summary() == {
        "id": UUID,
        "number": 1,
        "uuid": UUID,
        "peer": "127.0.0.1:5",
        "state": "IA_TURN",
        "live": True,
        "hold": False,
        "answered_after_ms": None,
        "last_line": None,
    }
    assert call.push(REPLY)
    call.record(CallEndedEvent("caller", "gone", 5), 3.0)
    assert call.summary()["live"] is False
    assert call.summary()["ended"] == {"by": "caller", "reason": "gone", "duration_ms": 5}
    assert not call.push(REPLY)


def test_who_watches_is_woken_after_the_fact_and_until_he_stops() -> None:
    calls = Calls()
    woken: list[str] = []
    stop_all = calls.watch(lambda: woken.append("all"))
    call = calls.open(UUID, "", take)
    stop = call.watch(lambda: woken.append(f"call {call.live} {len(call.events())}"))
    call.record(DtmfReceivedEvent("1"), 1.0)
    call.record(CallEndedEvent("caller", "gone", 1), 2.0)
    assert woken == ["all", "all", "call True 1", "all", "call False 2"]
    stop()
    stop()
    stop_all()
    call.record(DtmfReceivedEvent("1"), 3.0)
    assert len(woken) == 5


def test_an_ended_call_keeps_its_history_and_not_what_ran_it() -> None:
    class Runner:
        def push(self, _: BackendReply) -> bool:
            return True

    runner = Runner()
    call = Calls().open(UUID, "", runner.push)
    gone = weakref.ref(runner)
    call.record(CallEndedEvent("caller", "gone", 1), 1.0)
    del runner
    assert gone() is None
    assert call.events()
