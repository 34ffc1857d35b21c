"""The limits, the ends and the queue of a call's turns, each to its edge. Nothing here runs a clock."""

from collections.abc import Callable

import pytest
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED, Phase
from audiosocket_server.turns.vocabulary import (
    Answered,
    BotMessage,
    CancelBackend,
    CancelRecognition,
    ChangeState,
    Command,
    FinishRecognition,
    HangUpCall,
    Listen,
    MessageCame,
    Over,
    PlaybackBegan,
    Pushed,
    Recognised,
    Speak,
    SpeechFailed,
    StartHold,
    StartRecognition,
    Stop,
    StopHold,
    StopSpeech,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    Warn,
)
from helpers.turns_bench import IA_TURN, STANDBY, USER_TURN, WAITING, Playbook

# --- to the edge of each limit


def test_before_the_call_is_answered_nothing_happens_and_nothing_is_due() -> None:
    call = Playbook()
    assert call.turns.next_deadline == float("inf")
    assert call.tell(UtteranceBegan()) == []
    assert call.tell(Pushed(BotMessage("cedo demais", USER_TURN))) == []
    assert (call.turns.state, call.turns.phase, call.turns.next_deadline) == (STANDBY, Phase.NEW, float("inf"))
    assert not call.turns.accepts_push
    assert call.tell(Stop("the server stops")) == [HangUpCall("the server stops")]
    assert (call.turns.phase, call.turns.next_deadline) == (Phase.OVER, float("inf"))


def test_an_utterance_that_never_ends_is_recognised_after_its_limit_the_silence_and_a_second() -> None:
    call = Playbook(TurnRules(longest_utterance_seconds=4.0, silence_seconds=1.5)).listening()
    call.tell(UtteranceBegan())
    assert call.after(6.48) == []
    assert call.after(0.02) == [Listen(False), ChangeState(USER_TURN, WAITING), FinishRecognition(2)]


def test_the_backend_has_its_time_and_a_second() -> None:
    call = Playbook(TurnRules(backend_seconds=2.0, hold_after_seconds=60.0)).asking()
    assert call.after(2.98) == []
    assert call.after(0.02) == [
        CancelBackend(3),
        Warn("the backend's client gave no result in time"),
        Speak(4, COULD_NOT_CONNECT, "apology"),
    ]


def test_a_deadline_has_half_a_millisecond_to_spare() -> None:
    call = Playbook().listening()
    due = call.turns.next_deadline
    assert call.turns.tick(due - 0.0006) == []
    assert call.turns.tick(due - 0.0004)[-1] == HangUpCall("the caller said nothing for too long")


def test_a_greeting_without_sound_is_given_up() -> None:
    call = Playbook(TurnRules(synthesis_seconds=1.0))
    call.tell(Answered())
    call.after(2.0)
    assert call.after(0.98) == []
    assert call.after(0.02) == [
        StopSpeech(1),
        Warn("synthesis gave no audio in time"),
        ChangeState(IA_TURN, USER_TURN),
        Listen(True),
    ]


def test_after_a_failed_greeting_nothing_of_it_is_stopped_or_released() -> None:
    call = Playbook()
    call.tell(Answered())
    call.tell(SpeechFailed(1))
    assert call.after(2.0) == [ChangeState(STANDBY, USER_TURN), Listen(True)]


@pytest.mark.parametrize(
    ("bring", "stopped"),
    [
        (lambda call: call.tell(Answered()), [StopSpeech(1)]),
        (lambda call: (call.tell(Answered()), call.after(2.2)), [StopSpeech(1), ChangeState(IA_TURN, STANDBY)]),
        (lambda call: call.listening(), [Listen(False), ChangeState(USER_TURN, STANDBY)]),
        (
            lambda call: call.listening().tell(UtteranceBegan()),
            [CancelRecognition(2), Listen(False), ChangeState(USER_TURN, STANDBY)],
        ),
        (lambda call: call.recognising(), [CancelRecognition(2), StopHold(), ChangeState(WAITING, STANDBY)]),
        (lambda call: call.asking(), [CancelBackend(3), StopHold(), ChangeState(WAITING, STANDBY)]),
        (lambda call: call.answered_with(USER_TURN), [StopSpeech(4), StopHold(), ChangeState(WAITING, STANDBY)]),
        (
            lambda call: call.answered_with(USER_TURN).tell(PlaybackBegan(4)),
            [StopSpeech(4), ChangeState(IA_TURN, STANDBY)],
        ),
        (lambda call: call.answered_with(USER_TURN).play(), [ChangeState(IA_TURN, STANDBY)]),
        (lambda call: call.kept(WAITING), [StopHold(), ChangeState(WAITING, STANDBY)]),
        (lambda call: call.kept(IA_TURN), [ChangeState(IA_TURN, STANDBY)]),
    ],
)
def test_the_end_stops_just_what_is_open(bring: Callable[[Playbook], object], stopped: list[Command]) -> None:
    for event, last in ((Over(), []), (Stop("the server stops"), [HangUpCall("the server stops")])):
        call = Playbook()
        bring(call)
        assert call.tell(event) == stopped + last
        assert (call.turns.phase, call.turns.state, call.turns.next_deadline) == (Phase.OVER, STANDBY, float("inf"))
        assert not call.turns.accepts_push
        assert call.tell(event) == []


def test_with_barge_in_a_reply_with_another_queued_behind_it_plays_out() -> None:
    """The other was pushed while the first was being made."""
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    assert call.tell(Pushed(BotMessage("E mais.", USER_TURN))) == []
    assert call.tell(PlaybackBegan(4)) == [StopHold(), ChangeState(WAITING, IA_TURN)]


def test_with_barge_in_a_message_pushed_in_the_pause_ends_listening() -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    call.play()
    assert call.tell(Pushed(BotMessage("E mais.", USER_TURN))) == [Listen(False)]
    assert call.after(0.5) == [Speak(5, "E mais.", "reply")]


def test_a_push_while_the_backend_is_asked_waits_for_its_answer() -> None:
    call = Playbook().asking()
    assert call.tell(Pushed(BotMessage("Um aviso.", USER_TURN))) == []
    assert call.tell(MessageCame(3, BotMessage("Pode subir.", USER_TURN))) == [Speak(4, "Pode subir.", "reply")]


def test_hold_audio_counts_from_the_start_of_waiting_and_not_again_in_it() -> None:
    call = Playbook().recognising()
    call.after(2.0)
    call.tell(Recognised(2, "sim"))
    assert call.after(0.98) == []
    assert call.after(0.02) == [StartHold()]
    assert call.after(20.0) == []


def test_a_noise_may_be_followed_by_an_utterance() -> None:
    call = Playbook().listening()
    call.tell(UtteranceBegan())
    call.tell(UtteranceEnded(noise=True))
    assert call.tell(UtteranceBegan()) == [StartRecognition(3)]


def test_an_utterance_makes_the_limit_for_silence_start_anew() -> None:
    call = Playbook().listening()
    call.after(100.0)
    call.tell(UtteranceBegan())
    call.tell(UtteranceEnded())
    call.tell(Recognised(2, ""))
    assert call.after(119.98) == []
    assert call.after(0.02)[-1] == HangUpCall("the caller said nothing for too long")


def test_the_queue_has_room_for_as_many_as_the_rules_say() -> None:
    call = Playbook(TurnRules(queued_messages=1)).asking()
    assert call.turns.accepts_push
    call.tell(Pushed(BotMessage("um", USER_TURN)))
    assert not call.turns.accepts_push
    assert call.tell(Pushed(BotMessage("dois", USER_TURN))) == []
    call.tell(MessageCame(3, BotMessage("", USER_TURN)))
    assert call.turns.accepts_push  # the first is spoken now


def test_the_apologies() -> None:
    assert ERROR_OCCURRED == "Desculpe, ocorreu um erro ao processar sua solicitação."
    assert COULD_NOT_CONNECT == "Desculpe, não foi possível me conectar ao serviço neste momento."


def test_the_thirty_seconds_count_from_a_message_of_which_nothing_was_heard() -> None:
    call = Playbook(TurnRules(hold_after_seconds=1000.0)).asking()
    call.after(5.0)
    call.tell(MessageCame(3, BotMessage("", WAITING)))
    assert call.after(29.98) == []
    assert call.after(0.02)[0] == Warn("the backend sent no further message in time")
