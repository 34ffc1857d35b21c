"""Whose turn is it: given these events at these times, expect these commands. Nothing here runs a clock."""

from collections.abc import Callable, Sequence

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED, Phase, Turns
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
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    Warn,
)

STANDBY, USER_TURN, WAITING, IA_TURN = CallState.STANDBY, CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN


class Playbook:
    """A Turns, its clock, and the number of its newest job."""

    def __init__(self, rules: TurnRules | None = None) -> None:
        self.turns = Turns(rules or TurnRules())
        self.now = 100.0
        self.job = 0

    def _noted(self, commands: Sequence[Command]) -> list[Command]:
        for command in commands:
            if isinstance(command, Speak | StartRecognition | AskBackend):
                self.job = command.job
        return list(commands)

    def tell(self, event: TurnEvent) -> list[Command]:
        return self._noted(self.turns.handle(event, self.now))

    def after(self, seconds: float) -> list[Command]:
        """All commands of the ticks of the next `seconds`, the last tick at their end."""
        told: list[Command] = []
        for _ in range(round(seconds / 0.02)):
            self.now = round(self.now + 0.02, 6)
            told += self._noted(self.turns.tick(self.now))
        return told

    def play(self, seconds: float = 1.0) -> list[Command]:
        told = self.tell(PlaybackBegan(self.job)) + self.after(seconds)
        return told + self.tell(PlaybackEnded(self.job))

    # where a call can be brought to
    def listening(self) -> "Playbook":
        self.tell(Answered())
        self.after(2.0)
        self.play()
        self.after(0.5)
        assert self.turns.state is USER_TURN
        return self

    def recognising(self) -> "Playbook":
        self.listening()
        self.tell(UtteranceBegan())
        self.after(1.0)
        self.tell(UtteranceEnded())
        return self

    def asking(self) -> "Playbook":
        self.recognising()
        self.tell(Recognised(self.job, "apartamento 202"))
        return self

    def answered_with(self, status: CallState, text: str = "Um momento.") -> "Playbook":
        self.asking()
        self.tell(MessageCame(self.job, BotMessage(text, status)))
        return self

    def kept(self, status: CallState) -> "Playbook":
        self.answered_with(status)
        self.play()
        self.after(0.5)
        assert self.turns.phase is Phase.AWAITING_PUSH
        return self


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


def test_with_barge_in_the_caller_stops_a_reply_whose_status_is_user_turn() -> None:
    call = Playbook(TurnRules(barge_in=True)).answered_with(USER_TURN)
    assert call.tell(PlaybackBegan(4)) == [StopHold(), ChangeState(WAITING, IA_TURN), Listen(True)]
    call.after(1.0)
    assert call.tell(UtteranceBegan()) == [StopSpeech(4), ChangeState(IA_TURN, USER_TURN), StartRecognition(5)]
    assert call.tell(PlaybackEnded(4)) == []  # what StopSpeech itself brings about
    assert call.tell(UtteranceEnded())[-1] == FinishRecognition(5)


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
