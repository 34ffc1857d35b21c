"""The known hold loop in what the caller hears: from when to when, and whether it went on without a break."""

import numpy as np
import pytest
from helpers.phone_sounds import listen, ms, music, quiet, told
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing import Ear, Fact
from audiosocket_sim.hearing.hold_loop import HoldLoop
from audiosocket_sim.phone.line import Codec, tone

LOOP = music(6)
RING = tone(1000, 425, -18) + quiet(4000)


@pytest.mark.every(6)
@pytest.mark.parametrize("codec", ["ulaw", "alaw", "none"])
@pytest.mark.parametrize("start_ms", [0, 1, 1234, 5900])
def test_any_place_of_the_loop_through_any_codec(codec: Codec, start_ms: int) -> None:
    heard = told(listen(quiet(500), ms(LOOP * 2, start_ms, start_ms + 3000), quiet(900), hold=LOOP, codec=codec))
    assert heard == ["500 hold", "3500 hold stops after 3000"]


def test_the_seam_is_no_break() -> None:
    assert told(listen(quiet(100), LOOP * 3, quiet(900), hold=LOOP)) == ["100 hold", "18100 hold stops after 18000"]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("what", "sound", "stops"),
    [
        ("a frame skipped", ms(LOOP, 0, 2000) + ms(LOOP, 2020, 4020), "4500 hold stops after 4000, broken"),
        ("one sample skipped", ms(LOOP, 0, 2000) + ms(LOOP, 2000.125, 4000.125), "4500 hold stops after 4000, broken"),
        ("a frame twice", ms(LOOP, 0, 2000) + ms(LOOP, 1980, 3980), "4500 hold stops after 4000, broken"),
        ("a silent frame", ms(LOOP, 0, 2000) + quiet(20) + ms(LOOP, 2020, 4000), "4500 hold stops after 4000, broken"),
        ("the seam too early", ms(LOOP, 0, 4000) + ms(LOOP, 0, 2000), "6500 hold stops after 6000, broken"),
        (
            "speech over it",
            slin.mix(ms(LOOP, 0, 4000), quiet(1000) + tone(900, 700, -14)),
            "4500 hold stops after 4000, broken",
        ),
    ],
)
def test_a_break(what: str, sound: bytes, stops: str) -> None:
    heard = told(listen(quiet(500), sound, quiet(900), hold=LOOP))
    assert [line for line in heard if "hold" in line] == ["500 hold", stops], what


def test_a_late_frame_breaks_it_and_jitter_does_not() -> None:
    sound = (quiet(500), ms(LOOP, 0, 4000), quiet(900))
    assert told(listen(*sound, hold=LOOP, late=lambda n: 0.02 if n == 100 else 0.0))[-1].endswith("broken")
    assert told(listen(*sound, hold=LOOP, late=lambda n: 0.004 * (n % 3))) == ["500 hold", "4500 hold stops after 4000"]


def test_quiet_of_60_ms_ends_it_and_it_begins_anew() -> None:
    heard = told(listen(ms(LOOP, 0, 2000), quiet(100), ms(LOOP, 0, 1000), quiet(500), hold=LOOP))
    assert heard == ["0 hold", "2000 hold stops after 2000", "2100 hold", "3100 hold stops after 1000"]


def test_other_sound_right_behind_it_ends_it() -> None:
    heard = told(listen(ms(LOOP, 0, 2000), tone(500, 900, -20), quiet(900), hold=LOOP))
    assert heard == ["0 hold", "2000 hold stops after 2000", "2000 unread None 500"]


def test_it_ends_with_the_call() -> None:
    assert told(listen(quiet(500), LOOP, hold=LOOP, hang_up_ms=3007)) == ["500 hold", "3007 hold stops after 2507"]


def test_less_than_200_ms_of_it_is_just_sound() -> None:
    assert told(listen(quiet(500), ms(LOOP, 0, 150), quiet(900), hold=LOOP)) == ["500 unread None 150"]


def test_other_music_is_speech_that_nobody_can_read() -> None:
    assert told(listen(quiet(500), music(2, seed=9), quiet(900), hold=LOOP)) == ["500 unread None 2000"]


def test_a_loop_that_repeats_itself_is_not_taken_for_broken() -> None:
    bar, other = music(2, seed=5), music(2, seed=6)
    loop = bar + bar + bar + other
    heard = told(listen(quiet(500), ms(loop * 2, 4000, 10_000), quiet(900), hold=loop))
    assert heard == ["500 hold", "6500 hold stops after 6000"]


def test_a_ringing_tone_with_long_quiet_in_it() -> None:
    heard = told(listen(RING * 2 + ms(RING, 0, 500), quiet(900), hold=RING))
    assert heard == ["0 hold", "10500 hold stops after 10500"]


def test_a_loop_that_begins_softly_is_traced_back_to_its_first_sample() -> None:
    fade = np.minimum(1.0, np.arange(48_000) / 4000) ** 2
    loop = (np.frombuffer(LOOP, "<i2") * fade).astype("<i2").tobytes()
    assert told(listen(quiet(500), loop * 2, quiet(900), hold=loop)) == ["500 hold", "12500 hold stops after 12000"]


def test_at_another_rate_it_is_known_as_well() -> None:
    facts: list[Fact] = []
    ear = Ear(PhraseBook([]), LOOP, facts.append)
    pcm = slin.resample(quiet(500) + LOOP * 2 + quiet(500), 8000, 16000)
    for number in range(len(pcm) // 640):
        ear.hear(100 + number * 0.02, 16000, pcm[number * 640 : (number + 1) * 640])
    ear.close(113.0)
    assert told(facts) == ["500 hold", "12500 hold stops after 12000"]


@pytest.mark.long("sound comes in frames")
@settings(deadline=None, max_examples=min(30, settings.default.max_examples))
@given(st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_the_cuts_do_not_matter(cuts: list[int]) -> None:
    cuts = [*cuts, 400]
    sound = (
        quiet(333),
        ms(LOOP, 700, 2300) + ms(LOOP, 2320, 3000),
        tone(300, 900, -20),
        quiet(300),
        ms(LOOP, 0, 500),
        quiet(200),
    )
    expected = [
        "333 hold",
        "2613 hold stops after 2280, broken",
        "2613 unread None 300",
        "3213 hold",
        "3713 hold stops after 500",
    ]
    assert told(listen(*sound, hold=LOOP, cuts=cuts)) == expected


def test_a_loop_has_a_shortest_length() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        HoldLoop(bytes(100))
    assert told(listen(quiet(900), hold=bytes(32_000))) == []  # a silent loop is never heard
