"""Turn-taking from instant to instant: each measure against segments whose truth is plain. Arithmetic, no call."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiosocket_sim.turn_taking import (
    Overlap,
    QuietTime,
    SentencePart,
    VoiceSegment,
    YieldTime,
    dead_air,
    premature_starts,
    rate,
    responses,
    talk_over,
    yields,
)

END = 60_000


def voice(*spans: tuple[int, int], whole: bool | None = None) -> list[VoiceSegment]:
    """Each span is a turn of its own."""
    return [VoiceSegment(start, end, "speech", number, whole) for number, (start, end) in enumerate(spans)]


def one_turn(*spans: tuple[int, int], whole: bool | None = None) -> list[VoiceSegment]:
    """All spans are parts of one turn."""
    return [VoiceSegment(start, end, "speech", 0, whole) for start, end in spans]


def waits(caller: list[VoiceSegment], bot: list[VoiceSegment], until_ms: int = END) -> list[tuple[int | None, str]]:
    return [(found.wait_ms, found.outcome) for found in responses(caller, bot, until_ms)]


# --- L_R


def test_an_answer_is_measured_from_the_last_word_to_the_first_sound() -> None:
    assert waits(voice((1000, 3000)), voice((4250, 6000))) == [(1250, "answered")]
    assert responses(voice((1000, 3000)), voice((4250, 6000)), END)[0].from_ms == 3000


def test_a_pause_within_a_turn_ends_no_turn() -> None:
    assert waits(one_turn((1000, 2000), (3500, 4000)), voice((5000, 6000))) == [(1000, "answered")]


def test_a_turn_after_which_the_caller_speaks_again_has_no_answer() -> None:
    assert waits(voice((1000, 2000), (3000, 4000)), voice((5000, 6000))) == [(None, "spoke_again"), (1000, "answered")]
    assert waits(voice((1000, 2000), (12_000, 13_000)), voice((14_000, 15_000)))[0] == (None, "no_response")


def test_no_answer_within_the_window_is_none_and_the_end_of_the_call_is_no_refusal() -> None:
    assert waits(voice((1000, 2000)), []) == [(None, "no_response")]
    assert waits(voice((1000, 2000)), [], until_ms=11_999) == [(None, "call_over")]
    assert waits(voice((1000, 2000)), [], until_ms=12_000) == [(None, "no_response")]


def test_hold_audio_is_no_answer_and_keys_are_a_turn() -> None:
    bot = [VoiceSegment(3000, 8000, "hold"), VoiceSegment(9000, 10_000, "speech", 1)]
    assert waits([VoiceSegment(1000, 1100, "keys")], bot) == [(7900, "answered")]


def test_a_negative_wait_stays_negative() -> None:
    assert waits(voice((1000, 3000)), voice((2600, 5000))) == [(-400, "answered")]
    assert waits(voice((1000, 3000)), voice((2970, 5000))) == [(-30, "answered")]


def test_what_was_over_before_the_caller_was_is_no_answer() -> None:
    assert waits(voice((1000, 3000)), voice((1500, 2000), (4000, 5000))) == [(1000, "answered")]


def test_the_speech_that_the_caller_interrupted_is_no_answer() -> None:
    assert waits(voice((2000, 3000)), voice((1000, 3500), (4200, 5000))) == [(1200, "answered")]
    goes_on_after_a_pause = voice((1000, 2100), (2600, 3500), (4200, 5000))
    assert waits(voice((2000, 3000)), goes_on_after_a_pause) == [(1200, "answered")]
    in_one_stretch = [*one_turn((1000, 2200), (2700, 4000))]
    assert waits(voice((2000, 2500)), in_one_stretch) == [(200, "answered")]


# --- premature starts


@pytest.mark.parametrize(
    ("bot", "early"),
    [
        ([(2950, 4000)], []),
        ([(2949, 4000)], [51]),
        ([(1500, 1800), (2500, 4000)], [1500, 500]),
        ([(500, 4000)], []),
        ([(500, 1200), (2000, 2500)], []),
        ([(500, 1200), (2101, 2500)], [899]),
        ([(3500, 4000)], []),
    ],
    ids=["at the end", "51 ms early", "twice", "spoke first", "goes on", "comes back after 901 ms", "in time"],
)
def test_premature_starts(bot: list[tuple[int, int]], early: list[int]) -> None:
    assert [found.duration_ms for found in premature_starts(voice((1000, 3000)), voice(*bot))] == early


def test_keys_cannot_be_talked_into() -> None:
    assert premature_starts([VoiceSegment(1000, 1200, "keys")], voice((1050, 2000))) == []


# --- L_Y


def test_a_stop_is_measured_from_the_onset_to_the_last_sample() -> None:
    assert yields(voice((2000, 4000)), voice((1000, 2340)), END) == [YieldTime(2000, 340, None)]
    assert yields(voice((2000, 4000)), voice((1000, 2340)), END)[0].yielded


def test_a_sentence_that_was_over_anyway_is_marked() -> None:
    natural = yields(voice((2000, 4000)), voice((1000, 2340), whole=True), END)[0]
    assert natural == YieldTime(2000, 340, True)
    assert not natural.yielded
    assert yields(voice((2000, 4000)), voice((1000, 2340), whole=False), END)[0].yielded


def test_no_stop_within_two_seconds_is_no_yield() -> None:
    assert not yields(voice((2000, 4000)), voice((1000, 4001)), END)[0].yielded
    assert yields(voice((2000, 4000)), voice((1000, 4000)), END)[0].yielded


@pytest.mark.parametrize(
    ("bot", "after_ms"),
    [
        ([(1000, 2300), (2450, 3000)], 1000),
        ([(1000, 2300), (2700, 3000)], 1000),
        ([(1000, 2300), (3201, 3500)], 300),
        ([(1000, 2300), (3960, 5000)], 300),
    ],
    ids=["between words", "a pause", "stopped and came back", "the answer"],
)
def test_stop_and_go_on_is_no_stop(bot: list[tuple[int, int]], after_ms: int) -> None:
    assert yields(voice((2000, 4000)), voice(*bot), END)[0].after_ms == after_ms


@pytest.mark.parametrize(
    ("from_ms", "again_ms", "after_ms"),
    [(1300, 2880, 1500), (1050, 2880, 1500), (1300, 3201, 300), (2300, 2880, 300), (0, 2880, 300)],
    ids=["where it was", "a word before", "too late for a pause", "elsewhere", "anew"],
)
def test_over_a_short_word_too_who_goes_on_where_he_was_has_not_stopped(
    from_ms: int, again_ms: int, after_ms: int
) -> None:
    bot = [
        VoiceSegment(1000, 2300, "speech", 0, False, SentencePart("a", 0, 1300)),
        VoiceSegment(again_ms, 3500, "speech", 1, False, SentencePart("a", from_ms, from_ms + 600)),
    ]
    assert yields(voice((2000, 2400)), bot, END)[0].after_ms == after_ms


def test_an_answer_to_a_short_word_is_none() -> None:
    bot = [
        VoiceSegment(1000, 2300, "speech", 0, False, SentencePart("a", 0, 1300)),
        VoiceSegment(2880, 3500, "speech", 1, True, SentencePart("b", 0, 620)),
    ]
    assert yields(voice((2000, 2400)), bot, END)[0].yielded
    assert waits(voice((2000, 2400)), bot) == [(480, "answered")]


def test_an_onset_in_a_pause_of_the_bot_is_over_its_speech() -> None:
    bot = one_turn((1000, 1800), (2300, 3000))
    assert yields(voice((2000, 4000)), bot, END)[0].after_ms == 1000


def test_the_end_of_the_call_is_no_stop() -> None:
    assert yields(voice((2000, 4000)), voice((1000, 2340)), 2539) == [YieldTime(2000, None, None)]
    assert not yields(voice((2000, 4000)), voice((1000, 2340)), 2539)[0].yielded


def test_a_bot_that_is_silent_at_the_onset_yields_nothing() -> None:
    assert yields(voice((2000, 4000)), voice((1000, 2000), (2100, 3000)), END) == []


# --- talk-over


def test_talk_over_counts_from_100_ms_on_and_says_who_began() -> None:
    caller = voice((1000, 3000), (10_000, 11_000))
    assert talk_over(caller, voice((2901, 4000))) == []
    assert talk_over(caller, voice((2900, 4000))) == [Overlap(2900, 3000, "bot")]
    assert talk_over(caller, voice((9000, 10_300))) == [Overlap(10_000, 10_300, "caller")]
    assert talk_over(caller, voice((2901, 4000)), 0) == [Overlap(2901, 3000, "bot")]
    assert talk_over(caller, voice((3000, 4000)), 0) == []


def test_short_pauses_are_bridged_and_long_ones_are_not() -> None:
    caller = one_turn((1000, 1500), (1650, 2000), (2200, 2500))
    assert [found.duration_ms for found in talk_over(caller, voice((500, 4000)))] == [1000, 300]
    assert {found.began for found in talk_over(caller, voice((1100, 4000)))} == {"bot"}
    assert talk_over(caller, [VoiceSegment(0, 9000, "hold")]) == []


# --- dead air


@pytest.mark.parametrize(
    ("caller", "bot", "quiet"),
    [
        ([], [], [(0, 9000)]),
        ([], [(2000, 3000)], [(0, 2000)]),
        ([(2000, 3000)], [], [(3000, 9000)]),
        ([(4000, 5000)], [(2000, 3000), (6500, 7000)], [(0, 2000), (5000, 6500)]),
        ([(4000, 5000), (6000, 7000)], [(2000, 3000)], [(0, 2000), (5000, 6000), (7000, 9000)]),
        ([(2500, 3000)], [(2000, 2800)], [(0, 2000), (3000, 9000)]),
        ([(2500, 2700)], [(2000, 2900)], [(0, 2000), (2900, 9000)]),
        ([(2500, 2700)], [(2000, 4900)], [(0, 2000)]),
    ],
    ids=[
        "nobody",
        "the greeting",
        "a caller who begins",
        "his turn is not counted",
        "he asks again",
        "interrupted",
        "stopped by a short word",
        "not stopped by a short word",
    ],
)
def test_dead_air(caller: list[tuple[int, int]], bot: list[tuple[int, int]], quiet: list[tuple[int, int]]) -> None:
    assert dead_air(voice(*caller), voice(*bot), 9000) == [QuietTime(*span) for span in quiet]


def test_after_hold_audio_it_is_the_bots_turn() -> None:
    bot = [*voice((1000, 2000)), VoiceSegment(4000, 6000, "hold", 1)]
    assert [found.duration_ms for found in dead_air([], bot, 9000)] == [1000, 3000]
    assert dead_air([], bot, 5000) == [QuietTime(0, 1000)]


# --- the whole


def test_a_rate_of_few_events_is_none() -> None:
    assert rate(0, 9) is None
    assert rate(0, 10) == 0
    assert rate(5, 10) == 0.5


SPANS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 3000)), max_size=6)


@given(SPANS, SPANS)
@example([(2000, 2000)], [(1000, 1340), (2500, 400)])
def test_nothing_is_counted_outside_what_was_heard(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    caller = voice(*((start, start + length) for start, length in ours))
    bot = voice(*((start, start + length) for start, length in theirs))
    for overlap in talk_over(caller, bot):
        assert overlap.duration_ms >= 100
        assert overlap.end_ms <= min(max(s.end_ms for s in caller), max(s.end_ms for s in bot))
    for quiet in dead_air(caller, bot, END):
        heard = [s for s in (*caller, *bot) if s.start_ms < quiet.end_ms and quiet.start_ms < s.end_ms]
        assert not heard
    starts = {segment.start_ms for segment in bot}
    for found in responses(caller, bot, END):
        assert found.wait_ms is None or found.from_ms + found.wait_ms in starts
    assert len(yields(caller, bot, END)) <= len(caller)
