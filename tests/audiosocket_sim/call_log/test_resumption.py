"""Which stretches are one saying of a prompt that the bot paused, and how that is worded. Arithmetic, no call."""

from dataclasses import replace

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import (
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    CallLog,
    Entry,
    LogEvent,
    Source,
)
from audiosocket_sim.call_log.resumption import add_speech, how_much_was_said, sayings
from audiosocket_sim.call_log.voices import measures

COUGH = CallerSpoke(None, "sounds/cough_low", 900, kind="vocal_tic")
END = CallEnded("caller", "fin", "ends", "")
WORDS = CallerSpoke("Espera.", "pt-br/espera", 900)


def said(heard_ms: int, skipped_ms: int = 0, text: str | None = "Alô.", whole_ms: int | None = 3000) -> BotSpoke:
    return BotSpoke(text, heard_ms, whole_ms, "prompt", skipped_ms=skipped_ms)


def call(*events: tuple[int, LogEvent]) -> list[Entry]:
    """A log to which each speech was added when it had ended."""
    log = CallLog()
    for at_ms, event in events:
        if isinstance(event, BotSpoke):
            log.add(at_ms, Source.BOT, add_speech(log, at_ms, event))
        else:
            log.add(at_ms, Source.CALLER, event)
    return log.entries


def spoken(log: list[Entry]) -> list[BotSpoke]:
    return [entry.event for entry in log if isinstance(entry.event, BotSpoke)]


def words(log: list[Entry]) -> list[str]:
    return [how_much_was_said(event) for event in spoken(log)]


@pytest.mark.parametrize(
    ("from_ms", "back_ms", "where"),
    [
        (1000, 0, " where it was"),
        (1050, -50, " where it was"),
        (760, 240, ", 0.24 s earlier"),
        (1200, -200, ", 0.20 s later"),
    ],
)
def test_a_bot_pauses_and_goes_on_where_it_was_or_near_it(from_ms: int, back_ms: int, where: str) -> None:
    log = call((2000, said(1000)), (2900, COUGH), (4000, said(3000 - from_ms, from_ms)))
    before, after = spoken(log)
    assert (before.paused_ms, before.resumed_ms) == (1000, None)
    assert (after.paused_ms, after.resumed_ms, after.back_ms) == (None, 1000, back_ms)
    assert words(log) == ["paused at 1.00 s of 3.00 s", f"goes on after 1.00 s{where}, to its end"]


def test_it_may_pause_twice_and_be_cut_off_in_the_end() -> None:
    log = call((2000, said(1000)), (4000, said(500, 1000)), (6000, said(600, 1400)))
    assert words(log) == [
        "paused at 1.00 s of 3.00 s",
        "goes on after 1.00 s where it was, paused at 1.50 s of 3.00 s",
        "goes on after 1.50 s, 0.10 s earlier, cut off: 2.00 s of 3.00 s",
    ]
    assert [len(sayings(log, first)) for first in range(3)] == [3, 2, 1]


@pytest.mark.parametrize(
    "then",
    [
        said(3000),  # anew
        said(500, 2500),  # elsewhere
        said(2000, 1000, "Tchau."),
        said(2000, 1000, None, None),
    ],
    ids=["anew", "elsewhere", "another", "unread"],
)
def test_what_is_not_gone_on_with_is_cut_off(then: BotSpoke) -> None:
    log = call((2000, said(1000)), (4000, then))
    assert words(log)[0] == "cut off: 1.00 s of 3.00 s"
    assert sayings(log, 0) == (log[0],)


def test_another_sentence_between_ends_it_and_a_sound_without_words_does_not() -> None:
    first, rest = (2000, said(1000)), (6000, said(2000, 1000))
    assert words(call(first, (4000, said(400, 0, "Tchau.", 400)), rest))[0] == "cut off: 1.00 s of 3.00 s"
    assert words(call(first, (4000, said(60, 0, None, None)), rest))[0] == "paused at 1.00 s of 3.00 s"
    assert words(call(first, (4000, said(299, 0, None, None)), rest))[0] == "paused at 1.00 s of 3.00 s"
    assert words(call(first, (4000, said(300, 0, None, None)), rest))[0] == "cut off: 1.00 s of 3.00 s"


def test_what_was_said_to_its_end_is_not_gone_on_with() -> None:
    assert words(call((2000, said(3000)), (7000, said(100, 2900)))) == [
        "",
        "cut off: 0.10 s of 3.00 s, without its first 2.90 s",
    ]


@pytest.mark.parametrize(
    ("between", "anew"),
    [
        (COUGH, False),
        (CallerAction("noise", "white", 500), False),
        (WORDS, True),
        (BackendReplied(1, "Alô.", None, 300), True),
        (BackendPushed("Alô.", None, 202), True),
    ],
)
def test_a_phrase_that_had_just_begun_is_said_anew_after_a_turn(between: LogEvent, anew: bool) -> None:
    """The same answer to the next question begins near the place where the one before was cut off."""
    log = call((2000, said(200)), (2900, between), (4000, said(3000)))
    assert words(log)[0] == ("cut off: 0.20 s of 3.00 s" if anew else "paused at 0.20 s of 3.00 s")


def test_the_measures_call_the_same_a_resumption() -> None:
    log = call((2000, said(1000)), (2900, COUGH), (3800, said(2240, 760)), (9000, END))
    (sound,) = measures(log)["selectivity"]["sounds"]  # type: ignore[index]
    assert (sound["outcome"], sound["pause_ms"], spoken(log)[0].paused_ms) == ("paused", 800, 800)


def test_pauses_within_one_stretch_are_told_with_their_places() -> None:
    whole = replace(said(3000), pauses_ms=((800, 300),))
    assert how_much_was_said(whole) == "paused at 0.80 s for 0.30 s"
    twice = replace(whole, pauses_ms=((800, 300), (1500, 250)), twice_ms=140)
    assert how_much_was_said(twice) == "paused at 0.80 s for 0.30 s and at 1.20 s for 0.25 s, 0.14 s said twice"
    often = replace(whole, pauses_ms=tuple((at, 200) for at in (300, 700, 1100, 1500)))
    assert how_much_was_said(often) == "paused 4 times for 0.80 s in all"
    rest = replace(said(2600, 400), resumed_ms=780, back_ms=120, pauses_ms=((60, 440),), twice_ms=60)
    assert how_much_was_said(rest) == (
        "goes on after 0.78 s, 0.12 s earlier, paused at 0.46 s for 0.44 s, 0.06 s said twice, to its end"
    )
    assert rest.lasted_ms == 2600 + 440 + 60


def test_nothing_is_told_of_a_voice_that_cannot_be_read() -> None:
    assert how_much_was_said(BotSpoke(None, 2000)) == ""


def test_speech_that_is_alone_is_logged_as_it_is() -> None:
    log = CallLog()
    assert add_speech(log, 1000, said(1000)) == said(1000)
    assert entries((1000, said(1000)))[0].event == said(1000)
