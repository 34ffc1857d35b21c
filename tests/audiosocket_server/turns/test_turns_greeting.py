"""When the greeting begins: after its delay, not before audio flows, not over a caller. Nothing here runs a clock."""

import pytest
from audiosocket_server.turns.machine import ERROR_OCCURRED, Phase
from audiosocket_server.turns.vocabulary import (
    Answered,
    AskBackend,
    BotMessage,
    CallerAudioBegan,
    CancelRecognition,
    ChangeState,
    FinishRecognition,
    HangUpCall,
    Listen,
    ListenAhead,
    MessageCame,
    PlaybackBegan,
    Recognised,
    RecognitionFailed,
    ReleaseSpeech,
    Speak,
    SpeechFailed,
    StartRecognition,
    Stop,
    StopHold,
    StopSpeech,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
)
from helpers.turns_bench import IA_TURN, STANDBY, USER_TURN, WAITING, Playbook

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
    call.tell(CallerAudioBegan())
    assert call.after(0.02) == GREETED
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
    assert call.tell(SpeechFailed(1)) + call.after(0.02) == [ChangeState(STANDBY, USER_TURN), Listen(True)]
    assert not call.turns.awaits_audio


# --- a caller who speaks first


def speaking_first(at_seconds: float = 1.0) -> Playbook:
    call = Playbook(TurnRules(greeting="Bom dia.", audio_wait_seconds=3.0, hears_first=True))
    assert call.tell(Answered()) == [Speak(1, "Bom dia.", "greeting", held=True), ListenAhead(if_proven=True)]
    call.after(at_seconds)
    assert call.tell(UtteranceBegan()) == [ChangeState(STANDBY, USER_TURN), Listen(True), StartRecognition(2)]
    return call


def heard_out(text: str) -> tuple[Playbook, list[object]]:
    call = speaking_first()
    assert call.after(4.0) == []  # the greeting does not begin over him
    assert call.tell(UtteranceEnded()) == [Listen(False), ChangeState(USER_TURN, WAITING), FinishRecognition(2)]
    return call, list(call.tell(Recognised(2, text)))


def test_a_caller_who_speaks_first_is_answered_instead_of_greeted() -> None:
    call, told = heard_out("apartamento 202")
    assert told == [StopSpeech(1), AskBackend(3, "apartamento 202")]
    assert call.tell(MessageCame(3, BotMessage("Pois não.", USER_TURN))) == [Speak(4, "Pois não.", "reply")]
    call.play()
    assert call.after(0.5) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_one_of_whom_nothing_is_understood_is_greeted_then() -> None:
    call, told = heard_out("")
    assert told == [StopHold(), ChangeState(WAITING, IA_TURN), ReleaseSpeech(1)]
    assert call.tell(PlaybackBegan(1)) == []
    call.job = 1
    call.play()
    assert call.turns.phase is Phase.PAUSING
    assert call.after(0.5) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]
    assert call.tell(UtteranceBegan()) == [StartRecognition(3)]  # no number is used twice


def test_a_recognition_that_fails_is_apologised_for_and_the_greeting_is_dropped() -> None:
    call = speaking_first()
    call.tell(UtteranceEnded())
    assert call.tell(RecognitionFailed(2)) == [StopSpeech(1), Speak(3, ERROR_OCCURRED, "apology")]


@pytest.mark.parametrize(("began", "greets_after"), [(0.2, 1.0), (1.5, 0.02)])
def test_after_a_noise_the_greeting_comes_when_it_is_due(began: float, greets_after: float) -> None:
    call = speaking_first(began)
    call.after(0.8)
    assert call.tell(UtteranceEnded(noise=True)) == [CancelRecognition(2)]
    assert call.after(greets_after - 0.02) == []
    assert call.after(0.02) == [Listen(False), ChangeState(USER_TURN, IA_TURN), ReleaseSpeech(1)]


def test_one_who_speaks_after_a_noise_is_heard_out_too() -> None:
    call = speaking_first(0.2)
    call.tell(UtteranceEnded(noise=True))
    assert call.tell(UtteranceBegan()) == [StartRecognition(3)]
    assert call.after(4.0) == []


@pytest.mark.parametrize("noise", [True, False])
def test_a_greeting_that_fails_meanwhile_is_not_played(noise: bool) -> None:
    call = speaking_first()
    assert call.tell(SpeechFailed(1)) == []
    call.after(2.0)
    call.tell(UtteranceEnded(noise))
    if noise:
        assert call.turns.phase is Phase.LISTENING
        assert call.after(117.98) == []
        assert call.after(0.02)[-1] == HangUpCall("the caller said nothing for too long")
    else:
        assert call.tell(Recognised(2, "")) == [StopHold(), ChangeState(WAITING, USER_TURN), Listen(True)]


def test_the_end_of_the_call_stops_the_greeting_that_is_held() -> None:
    call = speaking_first()
    assert call.tell(Stop("x")) == [
        CancelRecognition(2),
        StopSpeech(1),
        Listen(False),
        ChangeState(USER_TURN, STANDBY),
        HangUpCall("x"),
    ]


def test_before_the_greeting_nobody_is_heard_unless_he_shall_be() -> None:
    call = Playbook(TurnRules(greeting="Bom dia."))
    assert call.tell(Answered()) == [Speak(1, "Bom dia.", "greeting", held=True)]
    assert call.after(2.0) == GREETED


def test_where_there_is_no_greeting_he_is_heard_from_the_beginning() -> None:
    call = Playbook(TurnRules(greeting="", hears_first=True))
    assert call.tell(Answered()) == [ListenAhead(if_proven=True)]
    assert call.tell(UtteranceBegan()) == [ChangeState(STANDBY, USER_TURN), Listen(True), StartRecognition(1)]
    call = Playbook(TurnRules(greeting="", hears_first=True))
    call.tell(Answered())
    assert call.after(2.0) == [ChangeState(STANDBY, USER_TURN), Listen(True)]
