"""What a bot makes of sounds that are no turn, against segments whose truth is plain. Arithmetic, no call."""

from dataclasses import replace

import pytest

from audiosocket_sim.turn_taking import (
    Disturbance,
    FalseStop,
    QuietTime,
    SentencePart,
    VoiceSegment,
    dead_air,
    disturbances,
    false_stops,
    responses,
    talk_over,
    yields,
)

END = 60_000
COUGH = VoiceSegment(5000, 5400, "vocal_tic", 1)


def said(
    start: int, end: int, *, from_ms: int = 0, sentence: str = "a", whole: bool = True, turn: int = 0
) -> VoiceSegment:
    """Readable speech of the bot: so much of a sentence from `from_ms` on."""
    return VoiceSegment(start, end, "speech", turn, whole, SentencePart(sentence, from_ms, from_ms + end - start))


def unread(start: int, end: int, turn: int = 0) -> VoiceSegment:
    return VoiceSegment(start, end, "speech", turn)


def made_of(
    *bot: VoiceSegment, sound: VoiceSegment = COUGH, more: tuple[VoiceSegment, ...] = (), until: int = END
) -> Disturbance:
    (found,) = disturbances([sound, *more], bot, until)
    return found


@pytest.mark.parametrize("label", ["backchannel", "vocal_tic", "non_directed"])
def test_a_bot_that_speaks_on_for_2_s_is_selective_whatever_the_sound(label: str) -> None:
    found = made_of(unread(4000, 7000), sound=replace(COUGH, label=label))  # type: ignore[arg-type]
    assert found == Disturbance(5000, label, "went_on")  # type: ignore[arg-type]
    assert (found.counts, found.went_on) == (True, True)


@pytest.mark.parametrize(("end", "outcome"), [(7000, "went_on"), (6999, "stopped")])
def test_it_is_judged_within_2_s(end: int, outcome: str) -> None:
    assert made_of(unread(4000, end)).outcome == outcome


def test_a_sentence_that_was_over_by_itself_is_no_stop() -> None:
    found = made_of(said(4000, 5600))
    assert found == Disturbance(5000, "vocal_tic", "went_on", None, True, 5600)
    assert found.went_on


def test_a_pause_of_900_ms_is_none_if_it_goes_on_where_it_had_stopped() -> None:
    paused = (said(4000, 5300, whole=False), said(6200, 8000, from_ms=1300, turn=1))
    assert made_of(*paused) == Disturbance(5000, "vocal_tic", "paused", 900)
    longer = (said(4000, 5300, whole=False), said(6201, 8000, from_ms=1300, turn=1))
    assert made_of(*longer) == Disturbance(5000, "vocal_tic", "stopped", None, False, 5300, 901, "there")


def test_a_pause_within_one_stretch_is_reported_and_a_breath_between_words_is_none() -> None:
    parts = (said(4000, 5300, whole=False), said(5550, 9000))
    assert made_of(*parts) == Disturbance(5000, "vocal_tic", "paused", 250)
    assert made_of(said(4000, 5300, whole=False), said(5499, 9000)).outcome == "went_on"


def test_of_a_voice_that_cannot_be_read_any_speech_in_900_ms_is_going_on() -> None:
    assert made_of(unread(4000, 5300), unread(5900, 9000, 1)) == Disturbance(5000, "vocal_tic", "paused", 600)


@pytest.mark.parametrize(
    ("again", "place"),
    [
        (said(5800, 8000, from_ms=0, turn=1), "anew"),
        (said(5800, 8000, from_ms=1601, turn=1), "elsewhere"),
        (said(5800, 8000, from_ms=0, sentence="b", turn=1), "elsewhere"),
    ],
    ids=["the sentence from its beginning", "without some words", "another sentence"],
)
def test_who_goes_on_elsewhere_has_stopped(again: VoiceSegment, place: str) -> None:
    found = made_of(said(4000, 5300, whole=False), again)
    assert found == Disturbance(5000, "vocal_tic", "stopped", None, False, 5300, 500, place)  # type: ignore[arg-type]
    assert not found.went_on


def test_a_bot_that_was_not_speaking_was_not_disturbed() -> None:
    assert disturbances([COUGH], [unread(6000, 8000)], END) == []
    assert disturbances([COUGH], [unread(3000, 5000)], END) == []
    assert disturbances([COUGH], [VoiceSegment(3000, 9000, "hold")], END) == []


def test_what_the_caller_or_the_end_of_the_call_cuts_short_is_not_counted() -> None:
    spoke = made_of(unread(4000, 6500), more=(VoiceSegment(6000, 7000, "speech", 2),))
    assert (spoke.outcome, spoke.counts) == ("caller_spoke", False)
    before_it_could_resume = made_of(unread(4000, 5300), more=(VoiceSegment(6000, 7000, "keys", 2),))
    assert before_it_could_resume.outcome == "caller_spoke"
    over = made_of(unread(4000, 6500), until=6500)
    assert (over.outcome, over.counts) == ("call_over", False)
    assert made_of(unread(4000, 5300), until=6000).outcome == "call_over"
    assert made_of(unread(4000, 5300), until=6200).outcome == "stopped"


def test_a_sound_in_a_pause_of_the_bots_sentence_is_over_its_speech() -> None:
    assert made_of(said(4000, 4900, whole=False), said(5200, 8000)).outcome == "went_on"


def test_a_false_stop_tells_where_and_after_how_long_the_bot_went_on() -> None:
    stopped = said(4000, 5300, whole=False)
    assert false_stops([COUGH], [stopped], END) == [FalseStop(5300, "vocal_tic", None, None)]
    there = said(7300, 9000, from_ms=1300, turn=1)
    assert false_stops([COUGH], [stopped, there], END) == [FalseStop(5300, "vocal_tic", 2000, "there")]
    assert false_stops([COUGH], [said(4000, 5600)], END) == []


def test_a_sentence_cut_off_for_no_sound_at_all_is_a_false_stop() -> None:
    cut = said(4000, 5300, whole=False)
    assert false_stops([], [cut], END) == [FalseStop(5300, None, None, None)]
    assert false_stops([], [cut], 5499) == []  # the end of the call cut it off
    assert false_stops([], [cut], 6199) == []  # or a pause of the sentence, which might have gone on
    assert len(false_stops([], [cut], 6200)) == 1
    assert false_stops([], [unread(4000, 5300)], END) == []
    assert false_stops([], [cut, said(6200, 8000, from_ms=1300, turn=1)], END) == []  # a pause
    assert false_stops([], [cut, said(5800, 8000, sentence="b", turn=1)], END) == [
        FalseStop(5300, None, 500, "elsewhere")
    ]


def test_a_stop_for_the_caller_is_no_false_one() -> None:
    cut = said(4000, 5300, whole=False)
    for label in ("speech", "keys"):
        assert false_stops([VoiceSegment(5000, 6000, label, 1)], [cut], END) == []  # type: ignore[arg-type]
    assert len(false_stops([VoiceSegment(1000, 3299, "speech", 1)], [cut], END)) == 1


def test_a_resumption_after_the_callers_turn_is_none() -> None:
    cut, turn = said(4000, 5300, whole=False), VoiceSegment(8000, 8500, "speech", 2)
    assert false_stops([COUGH, turn], [cut, said(9000, 9900, turn=1)], END) == [
        FalseStop(5300, "vocal_tic", None, None)
    ]


def test_a_sound_is_no_turn_for_any_other_measure() -> None:
    bot = [unread(4000, 8000)]
    assert responses([COUGH], bot, END) == []
    assert yields([COUGH], bot, END) == []
    assert talk_over([COUGH], bot) == []


def test_after_a_false_stop_nobody_speaks_in_the_bots_turn_and_a_cough_is_nobody() -> None:
    greeting = said(0, 1000, sentence="g")
    bot = [greeting, said(4000, 5300, whole=False, turn=1)]
    assert dead_air([COUGH], bot, 20_000) == [QuietTime(5300, 20_000)]
    again = VoiceSegment(9000, 9300, "vocal_tic", 2)
    assert dead_air([COUGH, again], bot, 20_000) == [QuietTime(5300, 20_000)]
