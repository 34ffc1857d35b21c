"""When the greeting begins: after its delay, and not before audio flows. Nothing here runs a clock."""

from audiosocket_server.turns.vocabulary import (
    Answered,
    CallerAudioBegan,
    ChangeState,
    Listen,
    PlaybackBegan,
    ReleaseSpeech,
    SpeechFailed,
    TurnRules,
)
from helpers.turns_bench import IA_TURN, STANDBY, USER_TURN, Playbook

GREETED = [ChangeState(STANDBY, IA_TURN), ReleaseSpeech(1)]


def waiting(**rules: float) -> Playbook:
    call = Playbook(TurnRules(greeting="Bom dia.", audio_wait_seconds=3.0, **rules))  # type: ignore[arg-type]
    call.tell(Answered())
    assert call.turns.awaits_audio
    return call


def test_where_audio_flows_the_greeting_comes_after_its_delay() -> None:
    call = waiting()
    call.after(0.02)
    assert call.tell(CallerAudioBegan()) == []
    assert not call.turns.awaits_audio
    assert call.after(1.96) == []
    assert call.after(0.02) == GREETED


def test_the_greeting_waits_for_the_first_audio() -> None:
    call = waiting()
    assert call.after(3.2) == []
    assert call.tell(CallerAudioBegan()) == GREETED
    assert call.after(2.0) == []
    assert not call.turns.awaits_audio


def test_it_does_not_wait_for_ever() -> None:
    call = waiting()
    assert call.after(4.98) == []
    assert call.after(0.02) == GREETED
    assert not call.turns.awaits_audio
    call.tell(PlaybackBegan(1))
    assert call.tell(CallerAudioBegan()) == []


def test_without_a_time_to_wait_it_does_not_wait() -> None:
    call = Playbook(TurnRules(greeting="Bom dia."))
    call.tell(Answered())
    assert call.after(2.0) == GREETED


def test_a_greeting_that_failed_waits_for_no_audio() -> None:
    call = waiting()
    call.after(1.0)
    assert call.tell(SpeechFailed(1)) + call.after(0.98) == []
    assert call.after(0.02) == [ChangeState(STANDBY, USER_TURN), Listen(True)]
    assert not call.turns.awaits_audio
    call = waiting()
    call.after(2.5)
    assert call.tell(SpeechFailed(1)) == [ChangeState(STANDBY, USER_TURN), Listen(True)]
    assert not call.turns.awaits_audio
