"""What is said too softly to stop a message, in a voice like the caller's: it is answered when the message is over."""

import pytest
from audiosocket_server.turns.machine import KEPT_SECONDS, Phase
from audiosocket_server.turns.vocabulary import (
    AskBackend,
    BotMessage,
    CancelRecognition,
    ChangeState,
    DropUtterance,
    HangUpCall,
    Listen,
    MessageCame,
    PlaybackBegan,
    PlaybackEnded,
    Pushed,
    Recognised,
    RecognitionFailed,
    ResumeSpeech,
    Speak,
    StopSpeech,
    Tried,
    TryRecognition,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    VoiceLasts,
    VoiceWeighed,
)
from helpers.turns_bench import IA_TURN, USER_TURN, WAITING, Playbook

GOES_ON = [CancelRecognition(5), DropUtterance("too_soft"), ResumeSpeech(4, "too_soft")]
PAUSE_SECONDS = 0.5


def said_softly(text: str = "É no bloco C.", *, may_be_his: bool = True) -> Playbook:
    call = Playbook(TurnRules(barge_in=True, tells_words=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.after(1.0)
    softly(call, text, may_be_his=may_be_his)
    return call


def softly(call: Playbook, text: str, *, may_be_his: bool = True) -> None:
    call.tell(UtteranceBegan())
    job = call.job
    call.tell(VoiceWeighed(soft=True, may_be_his=may_be_his))
    call.tell(UtterancePaused())
    assert call.tell(Tried(job, text))[1:] in (
        GOES_ON[1:],
        [DropUtterance("backchannel"), ResumeSpeech(4, "backchannel")],
    )
    assert call.turns.phase is Phase.PLAYING


def over(call: Playbook) -> None:
    call.after(1.0)
    call.tell(PlaybackEnded(4))
    assert [type(one) for one in call.after(PAUSE_SECONDS)] == [ChangeState]
    assert call.turns.state is USER_TURN


def test_it_is_answered_after_the_message_if_he_says_nothing_else() -> None:
    call = said_softly()
    over(call)
    assert call.after(KEPT_SECONDS - 0.02) == []
    assert call.after(0.02) == [Listen(False), ChangeState(USER_TURN, WAITING), AskBackend(6, "É no bloco C.")]
    assert call.turns.phase is Phase.AWAITING_BACKEND


def test_all_that_he_said_softly_is_one_turn() -> None:
    call = said_softly()
    softly(call, "Ahã.")
    softly(call, "Ou no D.")
    over(call)
    assert call.after(KEPT_SECONDS)[-1] == AskBackend(8, "É no bloco C. Ou no D.")


@pytest.mark.parametrize(("text", "may_be_his"), [("É no bloco C.", False), ("Ahã.", True), (" ", False)])
def test_nothing_is_kept_of_another_voice_or_of_a_back_channel(text: str, may_be_his: bool) -> None:
    call = Playbook(TurnRules(barge_in=True, tells_words=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.tell(UtteranceBegan())
    call.tell(VoiceWeighed(soft=True, may_be_his=may_be_his))
    call.tell(UtterancePaused())
    call.tell(Tried(5, text))
    call.after(0.3)
    over(call)
    assert call.after(5.0) == []
    assert call.turns.phase is Phase.LISTENING
    assert [type(one) for one in call.after(120.0)[-1:]] == [HangUpCall]


def test_who_speaks_after_the_message_is_heard_instead() -> None:
    call = said_softly()
    over(call)
    call.after(0.5)
    call.tell(UtteranceBegan())
    assert call.after(2.0) == []
    call.tell(UtteranceEnded())
    assert call.tell(Recognised(call.job, "Bloco D."))[-1] == AskBackend(7, "Bloco D.")


def test_a_noise_after_the_message_does_not_take_its_place() -> None:
    call = said_softly()
    over(call)
    call.after(0.9)
    call.tell(UtteranceBegan())
    call.after(0.5)
    assert call.tell(UtteranceEnded(noise=True)) == [CancelRecognition(6)]
    assert call.after(0.02)[-1] == AskBackend(7, "É no bloco C.")


def test_a_noise_in_the_pause_behind_the_message_does_not_put_it_off() -> None:
    call = said_softly()
    call.tell(PlaybackEnded(4))
    call.tell(UtteranceBegan())
    call.after(0.4)
    call.tell(UtteranceEnded(noise=True))
    assert call.after(KEPT_SECONDS)[-1:] == [AskBackend(7, "É no bloco C.")]


def test_a_noise_over_the_end_of_the_message_does_not_put_it_off() -> None:
    call = said_softly()
    call.tell(UtteranceBegan())
    call.after(1.0)
    call.tell(PlaybackEnded(4))
    call.tell(UtteranceEnded(noise=True))
    assert call.after(KEPT_SECONDS)[-1:] == [AskBackend(7, "É no bloco C.")]


def test_it_is_not_answered_once_he_said_something_that_could_not_be_recognised() -> None:
    call = said_softly()
    over(call)
    call.tell(UtteranceBegan())
    call.tell(UtteranceEnded())
    assert [type(one) for one in call.tell(RecognitionFailed(call.job))] == [Speak]
    call.play()
    call.after(PAUSE_SECONDS)
    assert call.after(5.0) == []
    assert call.turns.phase is Phase.LISTENING


def test_who_takes_the_turn_before_the_message_is_over_is_answered_alone() -> None:
    call = said_softly()
    call.tell(UtteranceBegan())
    call.tell(VoiceWeighed(soft=False))
    call.tell(UtterancePaused())
    call.tell(Tried(6, "Espera, espera."))
    call.tell(UtteranceEnded())
    assert call.tell(Recognised(6, "Espera, espera."))[-1] == AskBackend(7, "Espera, espera.")
    call.tell(MessageCame(7, BotMessage("Pois não.", USER_TURN)))
    call.play()
    assert call.after(5.0)[-1:] == [ChangeState(IA_TURN, USER_TURN)]


def test_a_message_that_was_pushed_meanwhile_is_said_first() -> None:
    call = said_softly()
    assert call.tell(Pushed(BotMessage("Um momento ainda.", USER_TURN))) == [Listen(False)]
    call.tell(PlaybackEnded(4))
    assert call.after(PAUSE_SECONDS)[-1] == Speak(6, "Um momento ainda.", "reply")
    call.play()
    call.after(PAUSE_SECONDS)
    assert call.after(KEPT_SECONDS)[-1] == AskBackend(7, "É no bloco C.")


def test_a_backend_that_goes_on_by_itself_is_not_told_later() -> None:
    """Else its next question would be answered by what he said before the wait."""
    call = said_softly()
    call.tell(Pushed(BotMessage("Vou chamar o apartamento.", WAITING)))
    call.tell(PlaybackEnded(4))
    call.after(PAUSE_SECONDS)
    call.play()
    call.after(10.0)
    assert call.turns.state is WAITING
    call.tell(Pushed(BotMessage("Ninguém atende. Quer tentar outro?", USER_TURN)))
    call.play()
    call.after(PAUSE_SECONDS)
    assert call.turns.state is USER_TURN
    assert call.after(5.0) == []


def test_what_is_understood_of_a_voice_just_like_his_stops_the_message() -> None:
    call = Playbook(TurnRules(barge_in=True, tells_words=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.tell(UtteranceBegan())
    call.tell(VoiceLasts())
    assert call.tell(VoiceWeighed(soft=True, is_alike=True, may_be_his=True)) == []  # a crowd has everybody's voice
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(Tried(5, "É no bloco C.")) == [StopSpeech(4), ChangeState(IA_TURN, USER_TURN)]
