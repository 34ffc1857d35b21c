"""Where sound is audible, to the sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_sim.hearing.loudness import AUDIBLE_DBFS, AUDIBLE_RMS, Loudness, audible_stretches, level_dbfs

LOUD = 104  # just over −50 dBFS
SOFT = 103  # just below


def pcm(*runs: tuple[int, int]) -> bytes:
    """SLIN of runs of (level, samples); every second sample is negative."""
    wave = np.concatenate([np.full(count, level) * (-1) ** np.arange(count) for level, count in runs])
    return wave.astype("<i2").tobytes()


def wave(*runs: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.frombuffer(pcm(*runs), "<i2")


def test_the_level() -> None:
    assert AUDIBLE_DBFS == -50.0
    assert round(AUDIBLE_RMS, 2) == 103.62


def test_the_level_of_a_soft_voice_counts_its_soft_parts_too() -> None:
    loud, soft, softest = (np.full(800, round(32768 * 10 ** (dbfs / 20)), np.int16) for dbfs in (-40, -52, -75))
    assert level_dbfs(np.concatenate((loud, soft, softest))) == -42.7
    assert level_dbfs(np.concatenate((loud * 30, soft))) == -10.4
    assert level_dbfs(soft) is None


@pytest.mark.parametrize(
    ("runs", "stretches"),
    [
        ([(LOUD, 80)], ((0, 79),)),
        ([(SOFT, 800)], ()),
        ([(LOUD, 79)], ()),  # 10 ms are not full: a click
        ([(105, 79)], ((0, 78),)),  # so loud that they are, on average
        ([(0, 33), (LOUD, 80), (0, 500)], ((33, 112),)),
        ([(SOFT, 40), (LOUD, 90), (SOFT, 40)], ((40, 129),)),
        ([(20_000, 1)], ((0, 0),)),
        ([(0, 500), (20_000, 1), (0, 500)], ((500, 500),)),
        ([(LOUD, 100), (0, 159), (LOUD, 100)], ((0, 358),)),
        ([(LOUD, 100), (0, 160), (LOUD, 100)], ((0, 99), (260, 359))),
        ([(LOUD, 100), (0, 400), (LOUD, 100), (0, 400), (LOUD, 100)], ((0, 99), (500, 599), (1000, 1099))),
    ],
)
def test_what_is_audible_of_a_recording(runs: list[tuple[int, int]], stretches: tuple[tuple[int, int], ...]) -> None:
    assert audible_stretches(pcm(*runs)) == stretches


def test_half_a_sample_at_the_end_is_none() -> None:
    assert audible_stretches(pcm((LOUD, 80)) + b"\x7f") == ((0, 79),)
    assert audible_stretches(b"\x7f") == ()


def test_what_is_audible_of_a_piece_may_begin_in_the_piece_before() -> None:
    loudness = Loudness()
    assert loudness.feed(wave((LOUD, 79))) is None
    assert loudness.feed(wave((LOUD, 1))) == (-79, 0)
    assert loudness.feed(wave((LOUD, 1))) == (-79, 0)
    loudness = Loudness()
    assert loudness.feed(wave((0, 10), (LOUD, 80), (0, 10))) == (10, 89)
    assert loudness.feed(wave((0, 300))) is None


def test_after_a_reset_what_came_before_is_silence() -> None:
    loudness = Loudness()
    loudness.feed(wave((LOUD, 79)))
    loudness.reset()
    assert loudness.feed(wave((LOUD, 79))) is None
    assert loudness.feed(wave((LOUD, 1))) == (-79, 0)


def test_the_loudest_samples_are_summed_exactly() -> None:
    loudness = Loudness()
    assert loudness.feed(np.full(100_000, -32768, "<i2")) == (0, 99_999)


@given(
    st.lists(st.tuples(st.sampled_from([0, 50, SOFT, LOUD, 150, 9000]), st.integers(1, 200)), min_size=1, max_size=8),
    st.integers(1, 300),
)
def test_a_recording_and_the_same_sound_in_pieces_have_the_same_bounds(runs: list[tuple[int, int]], cut: int) -> None:
    loudness, sound, found = Loudness(), wave(*runs), []
    for start in range(0, len(sound), cut):
        bounds = loudness.feed(sound[start : start + cut])
        found += [] if bounds is None else [start + bounds[0], start + bounds[1]]
    whole = audible_stretches(pcm(*runs))
    assert (min(found), max(found)) == (whole[0][0], whole[-1][1]) if whole else found == []
