"""A caller who answers before the last word is over: when he is heard, what follows. Nothing here runs a clock."""

import pytest
from audiosocket_server.events import CallState
from audiosocket_server.turns.vocabulary import (
    BotMessage,
    ChangeState,
    Listen,
    ListenAhead,
    PlaybackBegan,
    PlaybackEnded,
    PlaybackNearlyOver,
    Pushed,
    StartRecognition,
    StopSpeech,
    TurnRules,
    UtteranceBegan,
)
from helpers.turns_bench import IA_TURN, STANDBY, USER_TURN, WAITING, Playbook


def speaking(status: CallState = USER_TURN, *, hears_early: bool = True, barge_in: bool = False) -> Playbook:
    call = Playbook(TurnRules(hears_early=hears_early, barge_in=barge_in)).answered_with(status)
    call.tell(PlaybackBegan(call.job))
    return call


def test_he_is_heard_from_before_the_last_word_and_counts_once_it_is_out() -> None:
    call = speaking()
    assert call.tell(PlaybackNearlyOver(4)) == [ListenAhead(if_proven=False)]
    assert call.tell(PlaybackEnded(4)) == [Listen(True)]
    call.after(0.1)
    assert call.tell(UtteranceBegan()) == [StopSpeech(4), ChangeState(IA_TURN, USER_TURN), StartRecognition(5)]


def test_one_who_is_silent_has_the_turn_after_the_pause() -> None:
    call = speaking()
    call.tell(PlaybackNearlyOver(4))
    call.tell(PlaybackEnded(4))
    assert call.after(0.48) == []
    assert call.after(0.02) == [ChangeState(IA_TURN, USER_TURN)]


def test_he_is_heard_in_the_pause_where_the_end_was_not_announced() -> None:
    assert speaking().tell(PlaybackEnded(4)) == [Listen(True)]


@pytest.mark.parametrize("status", [WAITING, IA_TURN, STANDBY])
def test_who_has_no_turn_is_not_heard_early(status: CallState) -> None:
    call = speaking(status)
    assert call.tell(PlaybackNearlyOver(4)) == []
    assert call.tell(PlaybackEnded(4)) == []


def test_without_the_rule_he_is_heard_after_the_pause() -> None:
    call = speaking(hears_early=False)
    assert call.tell(PlaybackNearlyOver(4)) == []
    assert call.tell(PlaybackEnded(4)) == []
    assert call.after(0.5) == [ChangeState(IA_TURN, USER_TURN), Listen(True)]


def test_with_barge_in_he_is_heard_already() -> None:
    call = speaking(barge_in=True)
    assert call.tell(PlaybackNearlyOver(4)) == []
    assert call.tell(PlaybackEnded(4)) == []


def test_a_message_that_is_pushed_meanwhile_takes_the_floor() -> None:
    call = speaking()
    call.tell(PlaybackNearlyOver(4))
    assert call.tell(Pushed(BotMessage("E mais.", USER_TURN))) == [Listen(False)]
    assert call.tell(PlaybackEnded(4)) == []
    call = speaking()
    call.tell(Pushed(BotMessage("E mais.", USER_TURN)))
    assert call.tell(PlaybackNearlyOver(4)) == []
