"""Somebody speaks over a message: it is paused, and then it is his turn, or the message goes on."""

import pytest
from audiosocket_server.turns.machine import Phase
from audiosocket_server.turns.vocabulary import (
    Answered,
    BotMessage,
    CancelRecognition,
    ChangeState,
    Command,
    DropUtterance,
    FinishRecognition,
    Listen,
    MessageCame,
    Over,
    PauseSpeech,
    PlaybackBegan,
    PlaybackEnded,
    Pushed,
    Recognised,
    ResumeSpeech,
    SoundStirs,
    Speak,
    StartRecognition,
    StopHold,
    StopSpeech,
    Tried,
    TryRecognition,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceWentOn,
    VoiceLasts,
    VoiceWeighed,
    WordsHeard,
)
from helpers.turns_bench import IA_TURN, STANDBY, USER_TURN, WAITING, Playbook

GOES_ON = [CancelRecognition(5), DropUtterance("backchannel"), ResumeSpeech(4, "backchannel")]
IS_HIS = [StopSpeech(4), ChangeState(IA_TURN, USER_TURN)]


def over_a_message(*, tells_words: bool = True, left_ms: int | None = None, is_loud: bool = True) -> Playbook:
    call = Playbook(TurnRules(barge_in=True, tells_words=tells_words)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.after(1.0)
    assert call.tell(UtteranceBegan(left_ms)) == [PauseSpeech(4), StartRecognition(5)]
    assert (call.turns.state, call.turns.phase) == (IA_TURN, Phase.DOUBTING)
    if is_loud:
        assert call.tell(VoiceWeighed(soft=False)) == []
    return call


def test_words_that_take_the_turn_stop_the_message_and_are_heard_on() -> None:
    call = over_a_message()
    assert call.tell(WordsHeard("Ahã")) == []
    assert call.tell(WordsHeard("Ahã, mas espera")) == IS_HIS
    assert call.tell(PlaybackEnded(4)) == []  # what StopSpeech itself brings about
    assert call.turns.phase is Phase.HEARING
    assert call.tell(UtteranceEnded()) == [Listen(False), ChangeState(USER_TURN, WAITING), FinishRecognition(5)]


def test_a_back_channel_lets_the_message_go_on() -> None:
    call = over_a_message()
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(Tried(5, "Ahã.")) == GOES_ON
    assert (call.turns.state, call.turns.phase) == (IA_TURN, Phase.PLAYING)
    assert not call.turns.doubts
    assert call.tell(UtteranceBegan()) == [PauseSpeech(4), StartRecognition(6)]
    assert call.tell(Tried(5, "Não.")) == []  # of the utterance that was dismissed


def test_nothing_understood_lets_it_go_on() -> None:
    call = over_a_message()
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, " ")) == []
    assert call.after(0.18) == []
    assert call.after(0.02) == [
        CancelRecognition(5),
        DropUtterance("not_understood"),
        ResumeSpeech(4, "not_understood"),
    ]
    assert call.turns.phase is Phase.PLAYING


def test_one_word_that_takes_the_turn() -> None:
    call = over_a_message()
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, "Não.")) == IS_HIS
    assert call.tell(UtteranceEnded())[-1] == FinishRecognition(5)


def test_a_sound_that_is_too_short_is_not_even_tried() -> None:
    call = over_a_message()
    assert call.tell(UtterancePaused(noise=True)) == []
    assert call.after(0.2) == [
        CancelRecognition(5),
        DropUtterance("too_short"),
        ResumeSpeech(4, "too_short"),
    ]


def test_who_takes_breath_is_waited_for_a_little_and_no_longer_than_the_longest_pause() -> None:
    call = over_a_message()
    assert call.after(0.3) == []
    call.tell(UtterancePaused(noise=True))
    assert call.after(0.18) == []
    assert call.tell(UtteranceWentOn()) == []
    assert call.after(0.2) == []
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(Tried(5, "")) == []
    assert call.after(0.15) == []
    assert call.after(0.02)[-1] == ResumeSpeech(4, "not_understood")


def test_of_a_short_sound_before_a_pause_it_is_not_known_whose_voice_goes_on() -> None:
    """It has no level, and is said not to be soft for want of one."""
    call = over_a_message(is_loud=False)
    assert call.tell(VoiceWeighed(soft=False, over=True)) == []
    call.tell(UtterancePaused(noise=True))
    call.tell(UtteranceWentOn())
    assert call.tell(WordsHeard("Compre dois e leve três")) == []
    assert call.tell(VoiceWeighed(soft=True)) == []
    assert call.tell(VoiceLasts()) == []


def test_the_message_does_not_go_on_into_a_sound_that_begins() -> None:
    call = over_a_message()
    call.tell(UtterancePaused(noise=True))
    assert call.after(0.18) == []
    assert call.tell(SoundStirs()) == []
    assert call.after(0.06) == []
    assert call.tell(UtteranceWentOn()) == []
    assert call.after(0.4) == []
    assert call.tell(UtterancePaused(noise=True)) == []
    assert call.after(0.2)[-1] == ResumeSpeech(4, "too_short")


def test_a_sound_that_stirs_and_is_none_delays_the_message_by_a_tenth_of_a_second() -> None:
    call = over_a_message()
    assert call.tell(SoundStirs()) == []  # he has not been silent yet
    call.tell(UtterancePaused(noise=True))
    assert call.tell(SoundStirs()) == []
    assert call.after(0.18) == []  # the little time is no shorter for it
    assert call.tell(SoundStirs()) == []
    assert call.after(0.08) == []
    assert call.after(0.02)[-1] == ResumeSpeech(4, "too_short")


def test_whatever_stirs_the_longest_pause_is_no_longer() -> None:
    call = over_a_message()
    call.after(0.7)
    call.tell(UtterancePaused(noise=True))
    assert call.after(0.14) == []
    assert call.tell(SoundStirs()) == []
    assert call.after(0.02) == [ResumeSpeech(4, "in_doubt")]
    assert call.tell(SoundStirs()) == []
    assert call.tell(UtteranceWentOn()) == []
    assert call.tell(UtteranceEnded(noise=True)) == [CancelRecognition(5), DropUtterance("too_short")]


def test_when_the_message_plays_on_nothing_is_waited_for_any_more() -> None:
    call = over_a_message()
    call.after(0.86)
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, "")) == [CancelRecognition(5), DropUtterance("not_understood")]


def test_nor_when_the_utterance_is_over() -> None:
    call = over_a_message()
    assert call.tell(UtteranceEnded(noise=True))[-1] == ResumeSpeech(4, "too_short")


def test_what_is_tried_is_old_where_he_has_spoken_on() -> None:
    call = over_a_message()
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(UtteranceWentOn()) == []
    assert call.tell(Tried(5, "Sei.")) == []
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(UtteranceWentOn()) == []
    assert call.tell(UtterancePaused()) == []  # the second trial is not over
    assert call.tell(Tried(5, "Sei.")) == [TryRecognition(5)]
    assert call.tell(Tried(5, "Sei, mas não.")) == IS_HIS


def test_in_doubt_the_message_goes_on_after_the_longest_pause_and_words_still_stop_it() -> None:
    call = over_a_message()
    assert call.after(0.84) == []
    assert call.after(0.02) == [ResumeSpeech(4, "in_doubt")]
    assert call.turns.phase is Phase.OVERHEARING
    assert call.after(1.0) == []
    assert call.tell(WordsHeard("espera")) == IS_HIS


@pytest.mark.parametrize("seconds", [0.8, 1.5], ids=["in the pause", "after it"])
def test_a_voice_that_lasts_is_a_caller_though_nothing_of_it_is_understood(seconds: float) -> None:
    call = over_a_message()
    call.after(seconds)
    assert call.tell(VoiceLasts()) == IS_HIS
    assert call.turns.phase is Phase.HEARING
    assert call.tell(UtteranceEnded())[-1] == FinishRecognition(5)


def test_one_that_is_softer_than_the_callers_is_none() -> None:
    call = over_a_message(is_loud=False)
    assert call.tell(VoiceLasts()) == []
    assert call.tell(VoiceWeighed(soft=True)) == []
    assert call.after(0.86) == [ResumeSpeech(4, "in_doubt")]
    assert call.tell(VoiceWeighed(soft=False)) == IS_HIS


def test_a_voice_that_was_too_soft_while_it_lasted_is_no_caller_when_it_is_over_but_for_its_words() -> None:
    for text, follows in (("", [CancelRecognition(5), DropUtterance("not_understood")]), ("Espera.", IS_HIS)):
        call = over_a_message(is_loud=False)
        assert call.tell(VoiceWeighed(soft=True)) == []
        assert call.tell(VoiceLasts()) == []
        assert call.after(0.86) == [ResumeSpeech(4, "in_doubt")]
        assert call.tell(VoiceWeighed(soft=False, over=True)) == []
        assert call.tell(UtterancePaused()) == [TryRecognition(5)]
        assert call.tell(Tried(5, text)) == follows


def test_nor_is_a_drawn_out_back_channel_that_is_understood_as_one() -> None:
    call = over_a_message()
    assert call.tell(WordsHeard("Tá bom, tá certo")) == []
    assert call.tell(VoiceLasts()) == []
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(Tried(5, "Tá bom, tá certo.")) == GOES_ON


def test_of_an_engine_without_words_a_sound_that_lasts_is_a_caller() -> None:
    call = over_a_message(tells_words=False)
    assert call.after(0.84) == []
    assert call.after(0.02) == IS_HIS


def test_of_such_an_engine_a_slow_trial_does_not_keep_the_bot_silent() -> None:
    call = over_a_message(tells_words=False)
    call.tell(UtterancePaused())
    assert call.after(0.86) == [ResumeSpeech(4, "in_doubt")]
    assert call.tell(Tried(5, "Ahã.")) == [CancelRecognition(5), DropUtterance("backchannel")]
    assert call.turns.phase is Phase.PLAYING


def test_words_of_a_slow_trial_stop_the_message() -> None:
    call = over_a_message()
    call.tell(UtteranceEnded())
    call.after(0.86)
    assert call.tell(Tried(5, "Não.")) == [
        *IS_HIS,
        Listen(False),
        ChangeState(USER_TURN, WAITING),
        FinishRecognition(5),
    ]


def test_an_utterance_that_ends_is_tried_once() -> None:
    call = over_a_message()
    assert call.tell(UtteranceEnded()) == [TryRecognition(5)]
    assert call.tell(Tried(5, "Ahã.")) == GOES_ON
    call = over_a_message()
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    assert call.tell(UtteranceEnded()) == []
    assert call.tell(Tried(5, "Ahã.")) == GOES_ON


def test_a_message_that_is_over_leaves_the_turn_to_whoever_speaks() -> None:
    call = over_a_message()
    call.after(0.86)
    assert call.tell(PlaybackEnded(4)) == [ChangeState(IA_TURN, USER_TURN)]
    assert call.turns.phase is Phase.HEARING
    assert call.tell(UtteranceEnded())[-1] == FinishRecognition(5)


@pytest.mark.parametrize(("left_ms", "expected"), [(600, IS_HIS), (620, GOES_ON), (None, GOES_ON)])
def test_near_the_end_of_a_message_a_back_channel_is_an_answer(left_ms: int | None, expected: list[object]) -> None:
    call = over_a_message(left_ms=left_ms)
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, "Isso.")) == expected


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_a_message_that_is_pushed_meanwhile_lets_it_play_out(seconds: float) -> None:
    call = over_a_message()
    call.after(seconds)
    resumed = [ResumeSpeech(4, "other_message")] if seconds < 0.85 else []
    assert call.tell(Pushed(BotMessage("E mais.", USER_TURN))) == [
        CancelRecognition(5),
        DropUtterance("other_message"),
        *resumed,
        Listen(False),
    ]
    assert call.turns.phase is Phase.PLAYING


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_the_end_of_the_call_stops_both(seconds: float) -> None:
    call = over_a_message()
    call.after(seconds)
    assert call.tell(Over()) == [
        StopSpeech(4),
        CancelRecognition(5),
        Listen(False),
        ChangeState(IA_TURN, STANDBY),
    ]


def test_without_a_pause_the_message_is_stopped_at_once() -> None:
    call = Playbook(TurnRules(barge_in=True, doubt_seconds=0)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    assert call.tell(UtteranceBegan()) == [*IS_HIS, StartRecognition(5)]


def test_a_voice_that_is_softer_than_the_callers_stops_nothing() -> None:
    call = over_a_message()
    assert call.tell(VoiceWeighed(soft=True)) == []
    assert call.tell(WordsHeard("as notícias de hoje")) == []
    assert call.after(0.86) == [ResumeSpeech(4, "in_doubt")]
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, "As notícias de hoje.")) == [CancelRecognition(5), DropUtterance("too_soft")]


def test_of_an_engine_without_words_neither_if_it_lasts() -> None:
    call = over_a_message(tells_words=False)
    call.tell(VoiceWeighed(soft=True))
    assert call.after(0.86) == [ResumeSpeech(4, "in_doubt")]


def test_a_caller_over_somebody_else_is_heard() -> None:
    call = over_a_message()
    call.tell(VoiceWeighed(soft=True))
    call.tell(WordsHeard("as notícias de hoje"))
    assert call.tell(VoiceWeighed(soft=False)) == IS_HIS


def test_words_wait_until_it_is_known_how_loud_he_is() -> None:
    call = over_a_message(is_loud=False)
    assert call.tell(WordsHeard("espera")) == []
    assert call.tell(VoiceWeighed(soft=False)) == IS_HIS
    call = over_a_message(is_loud=False)
    call.tell(UtterancePaused())
    assert call.tell(Tried(5, "Espera.")) == IS_HIS  # it is over, and nothing speaks against it


def test_a_message_that_was_stopped_for_nothing_that_is_understood_is_said_again() -> None:
    call = over_a_message(tells_words=False)
    call.after(0.86)
    call.tell(UtteranceEnded())
    assert call.tell(Recognised(5, " ")) == [Speak(6, "Um momento.", "reply")]
    assert call.tell(PlaybackBegan(6)) == [StopHold(), ChangeState(WAITING, IA_TURN), Listen(True)]
    call.tell(PlaybackEnded(6))
    call.after(0.5)
    call.tell(UtteranceBegan())
    call.tell(UtteranceEnded())
    assert call.tell(Recognised(7, ""))[-1] == Listen(True)  # and not once more


def test_one_that_was_stopped_for_a_noise_is_too() -> None:
    call = Playbook(TurnRules(barge_in=True, doubt_seconds=0)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.tell(UtteranceBegan())
    assert call.tell(UtteranceEnded(noise=True)) == [
        CancelRecognition(5),
        Listen(False),
        ChangeState(USER_TURN, WAITING),
        Speak(6, "Um momento.", "reply"),
    ]


@pytest.mark.parametrize("ended", [True, False])
def test_what_was_answered_or_had_been_said_is_not_said_again(ended: bool) -> None:
    call = Playbook(TurnRules(barge_in=True, doubt_seconds=0)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    if ended:
        call.tell(PlaybackEnded(4))
    call.tell(UtteranceBegan())
    if not ended:
        call.tell(UtteranceEnded())
        call.tell(Recognised(5, "não"))
        call.tell(MessageCame(6, BotMessage("Pode entrar.", USER_TURN)))
        call.tell(PlaybackBegan(7))
        call.tell(PlaybackEnded(7))
        call.after(0.5)
        call.tell(UtteranceBegan())
    assert not any(isinstance(command, Speak) for command in call.tell(UtteranceEnded(noise=True)))


def test_the_greeting_is_said_again_as_well() -> None:
    call = Playbook(TurnRules(greeting="Bom dia.", barge_in=True))
    call.tell(Answered())
    call.after(2.0)
    call.tell(PlaybackBegan(1))
    call.tell(UtteranceBegan())
    call.after(0.86)
    call.tell(UtteranceEnded())
    assert call.tell(Recognised(2, "")) == [Speak(3, "Bom dia.", "reply")]


@pytest.mark.parametrize(("quiet_ms", "seconds"), [(200, 0.66), (840, 0.3)])
def test_a_pause_of_the_message_itself_is_a_part_of_the_longest_one(quiet_ms: int, seconds: float) -> None:
    call = Playbook(TurnRules(barge_in=True, tells_words=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.tell(UtteranceBegan(None, quiet_ms))
    assert call.after(seconds - 0.02) == []
    assert call.after(0.02) == [ResumeSpeech(4, "in_doubt")]


def test_a_line_that_is_never_quiet_does_not_let_a_message_be_said_for_ever() -> None:
    call = Playbook(TurnRules(barge_in=True, doubt_seconds=0)).answered_with(USER_TURN)
    heard = [Listen(True) in call.tell(PlaybackBegan(4))]
    for job in (6, 8):
        call.tell(UtteranceBegan())
        assert Speak(job, "Um momento.", "reply") in call.tell(UtteranceEnded(noise=True))
        heard.append(Listen(True) in call.tell(PlaybackBegan(job)))
    assert heard == [True, True, False], "the third time it is said to its end"
    call.tell(PlaybackEnded(8))
    assert call.after(0.5)[-1] == Listen(True)


@pytest.mark.parametrize("quiet_ms", [0, 150, 800])
def test_a_voice_may_be_heard_for_longer_while_the_message_is_paused_but_for_the_last_two_ticks(quiet_ms: int) -> None:
    call = Playbook(TurnRules(barge_in=True, tells_words=True)).answered_with(USER_TURN)
    call.tell(PlaybackBegan(4))
    call.after(1.0)
    assert not call.turns.may_wait(call.now)
    call.tell(UtteranceBegan(None, quiet_ms))
    ends = call.now + max(0.3, 0.85 - quiet_ms / 1000)
    assert call.turns.may_wait(ends - 0.04)
    assert not call.turns.may_wait(ends - 0.02)
    call.tell(VoiceWeighed(soft=True, over=False))
    call.after(0.86)
    assert call.turns.phase is Phase.OVERHEARING
    assert not call.turns.may_wait(call.now)


@pytest.mark.parametrize(
    ("then", "soft", "told"),
    [("", False, IS_HIS), ("", True, []), ("Ahã", False, []), ("Espera, por favor", False, IS_HIS)],
)
def test_words_that_are_no_longer_told_are_not_taken_back_before_the_voice_is_weighed(
    then: str, soft: bool, told: list[Command]
) -> None:
    """A short word in noise: the engine told it, and took it back as the noise went on."""
    call = over_a_message(is_loud=False)
    assert call.tell(WordsHeard("Espera")) == []
    assert call.tell(WordsHeard(then)) == []
    assert call.tell(VoiceWeighed(soft)) == told


def test_words_that_are_no_longer_told_are_taken_back_once_it_is_weighed() -> None:
    call = over_a_message(is_loud=False)
    call.tell(VoiceWeighed(soft=True))
    assert call.tell(WordsHeard("Espera")) == []
    assert call.tell(WordsHeard("")) == []
    assert call.tell(VoiceWeighed(soft=False)) == []


def test_words_that_are_no_longer_told_do_not_count_once_he_pauses_a_recognition_does() -> None:
    """A cough that was taken for a word for a moment."""
    call = over_a_message(is_loud=False)
    call.tell(WordsHeard("Para"))
    call.tell(WordsHeard(""))
    assert call.tell(VoiceWeighed(soft=False, over=True)) == []
    assert call.tell(UtterancePaused()) == [TryRecognition(5)]
    call.tell(Tried(5, ""))
    assert call.turns.phase is Phase.DOUBTING
    assert call.after(0.22)[-1] == ResumeSpeech(4, "not_understood")
