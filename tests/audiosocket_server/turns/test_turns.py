"""Whose turn is it: given these events at these times, expect these commands. Nothing here runs a clock."""

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED
from audiosocket_server.turns.vocabulary import (
    Answered,
    AskBackend,
    BackendFailed,
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
    PlaybackEnded,
    Pushed,
    Recognised,
    RecognitionFailed,
    ReleaseSpeech,
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


def test_greeting_then_the_callers_turn() -> None:
    call = Playbook(TurnRules(greeting="Bom dia."))
    assert call.tell(Answered()) == [Speak(1, "Bom dia.", "greeting", held=True)]
    assert call.after(1.98) == []
    assert call.after(0.02) == [ChangeState(STANDBY, IA_TURN), ReleaseSpeech(1)]
    assert call.tell(PlaybackBegan(1)) == []
    call.after(3.0)
    assert call.tell(PlaybackEnded(1)) == []
    assert call.after(0.48) == []
    assert call.after(0.02) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


@pytest.mark.parametrize("early", [True, False])
def test_a_failed_greeting_leads_to_the_callers_turn(early: bool) -> None:
    call = Playbook()
    call.tell(Answered())
    if early:
        assert call.tell(SpeechFailed(1)) == []
        assert call.after(2.0) == [ChangeState(STANDBY, USER_TURN), Listen(True)]
    else:
        call.after(2.2)
        assert call.tell(SpeechFailed(1)) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_no_greeting_at_all() -> None:
    call = Playbook(TurnRules(greeting=" ", greeting_delay_seconds=0))
    assert call.tell(Answered()) == []
    assert call.turns.tick(call.now) == [ChangeState(STANDBY, USER_TURN), Listen(True)]


def test_an_utterance_is_recognised_and_the_backend_is_asked() -> None:
    call = Playbook().listening()
    assert call.tell(UtteranceBegan()) == [StartRecognition(2)]
    call.after(2.0)
    assert call.tell(UtteranceEnded()) == [Listen(False), ChangeState(USER_TURN, WAITING), FinishRecognition(2)]
    assert call.tell(Recognised(2, "apartamento 202")) == [AskBackend(3, "apartamento 202")]


def test_nothing_recognised_is_the_callers_turn_again() -> None:
    call = Playbook().recognising()
    assert call.tell(Recognised(call.job, " ")) == [
        StopHold(),
        ChangeState(WAITING, USER_TURN),
        Listen(True),
    ]


def test_a_noise_is_dropped_and_the_limit_for_silence_goes_on() -> None:
    call = Playbook().listening()
    call.after(119.0)
    call.tell(UtteranceBegan())
    call.after(2.0)
    assert call.tell(UtteranceEnded(noise=True)) == [CancelRecognition(call.job)]
    told = call.after(0.02)
    assert told[-1] == HangUpCall("the caller said nothing for too long")


def test_the_callers_turn_ends_without_an_utterance() -> None:
    call = Playbook().listening()
    assert call.after(119.98) == []
    assert call.after(0.02) == [
        Listen(False),
        ChangeState(USER_TURN, STANDBY),
        HangUpCall("the caller said nothing for too long"),
    ]


def test_hold_audio_starts_three_seconds_into_waiting_and_goes_on_while_speech_is_made() -> None:
    call = Playbook().asking()
    assert call.after(2.98) == []
    assert call.after(0.02) == [StartHold()]
    assert call.tell(MessageCame(call.job, BotMessage("Pode entrar.", STANDBY))) == [Speak(4, "Pode entrar.", "reply")]
    assert call.after(1.0) == []
    assert call.tell(PlaybackBegan(4)) == [StopHold(), ChangeState(WAITING, IA_TURN)]


def test_user_turn_follows_half_a_second_after_the_reply() -> None:
    call = Playbook().answered_with(USER_TURN)
    call.play()
    assert call.after(0.48) == []
    assert call.after(0.02) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_standby_hangs_up_once_the_last_word_is_out() -> None:
    call = Playbook().answered_with(STANDBY)
    call.play()
    assert call.after(0.48) == []
    assert call.after(0.02) == [ChangeState(IA_TURN, STANDBY), HangUpCall("the conversation is over")]


@pytest.mark.parametrize("status", [WAITING, IA_TURN])
def test_waiting_and_ia_turn_keep_the_call_until_a_message_is_pushed(status: CallState) -> None:
    call = Playbook().answered_with(status)
    call.play()
    changes = [ChangeState(IA_TURN, WAITING)] if status is WAITING else []
    assert call.after(0.5) == changes
    hold = [StartHold()] if status is WAITING else []
    assert call.after(10) == hold
    assert call.turns.accepts_push
    assert call.tell(Pushed(BotMessage("Pode entrar.", STANDBY))) == [Speak(5, "Pode entrar.", "reply")]
    assert call.tell(PlaybackBegan(5)) == ([StopHold(), ChangeState(WAITING, IA_TURN)] if status is WAITING else [])


@pytest.mark.parametrize("status", [WAITING, IA_TURN])
def test_both_end_thirty_seconds_after_the_last_message(status: CallState) -> None:
    call = Playbook().kept(status)
    call.after(29.48)  # the pause of half a second is in the thirty
    assert call.after(0.02) == [
        Warn("the backend sent no further message in time"),
        Speak(call.job, ERROR_OCCURRED, "apology"),
    ]
    call.play()
    assert call.after(0.5)[-2:] == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_the_thirty_seconds_count_anew_after_each_push() -> None:
    call = Playbook().kept(WAITING)
    call.after(29)
    call.tell(Pushed(BotMessage("Ainda estou tentando.", WAITING)))
    call.play(2.0)
    assert Warn("the backend sent no further message in time") not in call.after(29.98)
    assert Warn("the backend sent no further message in time") in call.after(0.02)


def test_pushes_are_spoken_in_their_order_also_those_that_came_while_one_played() -> None:
    call = Playbook().kept(WAITING)
    call.tell(Pushed(BotMessage("um", WAITING)))
    call.tell(PlaybackBegan(call.job))
    assert call.tell(Pushed(BotMessage("dois", IA_TURN))) == []
    assert call.tell(Pushed(BotMessage("três", USER_TURN))) == []
    call.tell(PlaybackEnded(call.job))
    assert call.after(0.5) == [ChangeState(IA_TURN, WAITING), Speak(call.job, "dois", "reply")]
    call.play()
    assert call.after(0.5) == [Speak(call.job, "três", "reply")]
    call.play()
    assert call.after(0.5) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_a_message_that_was_accepted_is_spoken_before_the_call_ends() -> None:
    call = Playbook().answered_with(STANDBY)
    call.tell(PlaybackBegan(call.job))
    call.tell(Pushed(BotMessage("Mais uma coisa.", STANDBY)))
    call.tell(PlaybackEnded(call.job))
    assert call.after(0.5) == [Speak(call.job, "Mais uma coisa.", "reply")]


def test_the_queue_is_bounded() -> None:
    call = Playbook(TurnRules(queued_messages=2)).asking()
    for _ in range(2):
        assert call.turns.accepts_push
        call.tell(Pushed(BotMessage("mais uma", WAITING)))
    assert not call.turns.accepts_push


def test_pushes_are_for_waiting_and_ia_turn_alone() -> None:
    call = Playbook()
    call.tell(Answered())
    assert not call.turns.accepts_push
    call.after(2.0)
    assert call.turns.accepts_push
    call.play()
    call.after(0.5)
    assert not call.turns.accepts_push
    assert call.tell(Pushed(BotMessage("cedo demais", USER_TURN))) == []
    call.tell(UtteranceBegan())
    call.tell(UtteranceEnded())
    assert call.turns.accepts_push
    call.tell(Over())
    assert not call.turns.accepts_push


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (USER_TURN, [StopHold(), ChangeState(WAITING, USER_TURN), Listen(True)]),
        (STANDBY, [StopHold(), ChangeState(WAITING, STANDBY), HangUpCall("the conversation is over")]),
        (WAITING, []),
        (IA_TURN, [StopHold(), ChangeState(WAITING, IA_TURN)]),
    ],
)
def test_an_empty_message_and_a_failed_synthesis_leave_the_status_to_be_done(
    status: CallState, then: list[Command]
) -> None:
    call = Playbook().asking()
    assert call.tell(MessageCame(call.job, BotMessage("", status))) == then
    call = Playbook().answered_with(status)
    assert call.tell(SpeechFailed(call.job)) == then


@pytest.mark.parametrize(("reached", "apology"), [(True, ERROR_OCCURRED), (False, COULD_NOT_CONNECT)])
def test_backend_faults_are_apologised_for(reached: bool, apology: str) -> None:
    call = Playbook().asking()
    assert call.tell(BackendFailed(call.job, reached)) == [Speak(4, apology, "apology")]
    call.play()
    assert call.after(0.5) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_failed_recognition_is_apologised_for() -> None:
    call = Playbook().recognising()
    assert call.tell(RecognitionFailed(call.job)) == [Speak(3, ERROR_OCCURRED, "apology")]


def test_recognition_without_a_result_is_given_up() -> None:
    call = Playbook(TurnRules(recognition_seconds=2.0)).recognising()
    assert call.after(2.0) == [
        CancelRecognition(2),
        Warn("recognition gave no result in time"),
        Speak(3, ERROR_OCCURRED, "apology"),
    ]
    assert call.tell(Recognised(2, "tarde demais")) == []


def test_a_backend_without_a_result_is_given_up() -> None:
    call = Playbook(TurnRules(backend_seconds=1.0)).asking()
    told = call.after(2.0)
    assert told[0] == CancelBackend(3)
    assert told[-1] == Speak(4, COULD_NOT_CONNECT, "apology")
    assert call.tell(MessageCame(3, BotMessage("tarde demais", STANDBY))) == []


def test_speech_that_is_never_made_is_skipped() -> None:
    call = Playbook(TurnRules(synthesis_seconds=2.0)).answered_with(USER_TURN)
    assert call.after(2.0) == [
        StopSpeech(4),
        Warn("synthesis gave no audio in time"),
        StopHold(),
        ChangeState(WAITING, USER_TURN),
        Listen(True),
    ]


def test_answers_of_a_job_given_up_are_ignored() -> None:
    call = Playbook().asking()
    assert call.tell(Recognised(call.job - 1, "outra vez")) == []
    assert call.tell(MessageCame(call.job - 1, BotMessage("não", STANDBY))) == []
    assert call.tell(PlaybackEnded(call.job)) == []


def test_without_barge_in_nobody_listens_to_the_caller_while_the_bot_speaks() -> None:
    call = Playbook().answered_with(USER_TURN)
    assert Listen(True) not in call.play()


def test_with_barge_in_the_caller_is_heard_over_a_reply_whose_status_is_user_turn() -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    assert call.tell(PlaybackBegan(4)) == [StopHold(), ChangeState(WAITING, IA_TURN), Listen(True)]


def test_with_barge_in_the_pause_after_a_reply_is_the_callers_too() -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    call.play()
    assert ChangeState(IA_TURN, USER_TURN) in call.tell(UtteranceBegan())


@pytest.mark.parametrize("status", [STANDBY, WAITING, IA_TURN])
def test_with_barge_in_any_other_reply_plays_out(status: CallState) -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(status)
    assert Listen(True) not in call.play() + call.after(0.48)


def test_a_message_with_another_behind_it_plays_out() -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    assert call.tell(Pushed(BotMessage("E mais.", USER_TURN))) == [Listen(False)]


def test_the_call_has_a_limit_in_any_state() -> None:
    call = Playbook(TurnRules(call_seconds=10.0)).asking()
    told = call.after(10.0)
    assert told[-4:] == [
        CancelBackend(3),
        StopHold(),
        ChangeState(WAITING, STANDBY),
        HangUpCall("the call reached its time limit"),
    ]
    assert call.turns.next_deadline == float("inf")


def test_stopping_the_server_hangs_up() -> None:
    call = Playbook().listening()
    assert call.tell(Stop("the server stops"))[-1] == HangUpCall("the server stops")
    assert call.tell(Stop("the server stops")) == []


def test_when_the_caller_has_gone_nothing_is_left() -> None:
    call = Playbook().listening()
    call.tell(UtteranceBegan())
    assert call.tell(Over()) == [CancelRecognition(2), Listen(False), ChangeState(USER_TURN, STANDBY)]
    assert call.tell(Recognised(2, "tarde")) == []
    assert call.after(5.0) == []


def test_a_stall_of_our_own_loop_skips_nothing() -> None:
    """Two deadlines passed at once: the pause, then thirty seconds of WAITING, hold audio between them."""
    call = Playbook().answered_with(WAITING)
    call.play()
    call.now += 3.6
    assert call.turns.tick(call.now) == [ChangeState(IA_TURN, WAITING)]
    call.now += 40
    told = list(call.turns.tick(call.now))
    assert told[0] == StartHold()
    assert Warn("the backend sent no further message in time") in told
