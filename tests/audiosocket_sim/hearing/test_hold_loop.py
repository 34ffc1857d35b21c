"""The hold loop alone: its samples from any place, where a sound may lie in it, and how far the two may differ."""

from functools import cache

import numpy as np
import pytest

from audiosocket_sim.hearing.hold_loop import STRIDE, WINDOW, HoldLoop

Sound = np.ndarray[tuple[int], np.dtype[np.int16]]

RANDOM = np.random.Generator(np.random.PCG64(11))
SOUND: Sound = (RANDOM.integers(2000, 3000, 400) * RANDOM.choice([-1, 1], 400)).astype(np.int16)
"""50 ms in which no two places are alike."""


@cache
def loop() -> HoldLoop:
    return HoldLoop(SOUND.tobytes())


def samples(*runs: tuple[int, int]) -> Sound:
    """Runs of (level, samples); every second sample is negative."""
    wave = np.concatenate([np.full(count, level) for level, count in runs])
    return (wave * np.resize([1, -1], len(wave))).astype(np.int16)


def test_a_loop_of_the_shortest_length_and_the_grid() -> None:
    assert (WINDOW, STRIDE) == (64, 16)
    made = HoldLoop(SOUND[:64].tobytes())
    assert made.length == 64
    assert made.samples(-1, 3).tolist() == [SOUND[63], SOUND[0], SOUND[1]]
    assert made.samples(129, 2).tolist() == SOUND[1:3].tolist()
    with pytest.raises(ValueError, match=r"^a hold loop has at least 64 samples, not 63$"):
        HoldLoop(SOUND[:63].tobytes())


def test_half_a_sample_at_its_end_is_left_out() -> None:
    assert HoldLoop(SOUND.tobytes() + b"\7").length == 400


def test_its_samples_from_any_place_up_to_8192_at_once() -> None:
    for place in (0, 399, 400, -1, -401, 4001):
        assert loop().samples(place, 8192).tolist() == [SOUND[(place + i) % 400] for i in range(8192)]
    assert loop().samples(17, 0).tolist() == []


@pytest.mark.parametrize(
    ("level", "off_by", "resampled", "differs"),
    [
        (0, 16, False, False),
        (0, 17, False, True),
        (1600, 116, False, False),
        (1600, 117, False, True),
        (-1600, -116, False, False),
        (-1600, 117, False, True),
        (0, 200, True, False),
        (0, 201, True, True),
        (1600, 600, True, False),
        (1600, 601, True, True),
        (-1600, 601, True, True),
    ],
)
def test_a_sample_differs_by_more_than_a_codec_errs(level: int, off_by: int, resampled: bool, differs: bool) -> None:
    sound = SOUND.copy()
    sound[5] = level
    heard = SOUND[:10].astype(np.int32)
    heard[5] = level + off_by
    made = HoldLoop(sound.tobytes())
    found = made.differs(heard, 400, resampled)
    assert found.tolist() == [differs and index == 5 for index in range(10)]
    if not resampled:
        assert made.differs(heard, 0).tolist() == found.tolist()
    assert made.differs(heard[3:], -397, resampled).tolist() == found[3:].tolist()


def test_each_place_is_found_once_over_the_seam_too() -> None:
    for place in range(400):
        assert loop().find(loop().samples(place, 64)) == [(0, place)]


def test_windows_begin_at_every_16th_sample_and_lie_within_the_sound() -> None:
    def found(count: int) -> list[tuple[int, int]]:
        return loop().find(loop().samples(390, count))

    assert found(63) == found(0) == []
    assert found(64) == found(79) == [(0, 390)]
    assert found(80) == found(95) == [(0, 390), (16, 6)]
    assert found(96) == [(0, 390), (16, 6), (32, 22)]
    assert loop().find(np.concatenate((samples((3000, 48)), loop().samples(0, 80)))) == [(48, 0), (64, 16)]
    assert loop().find(samples((3000, 200))) == []


@pytest.mark.parametrize(("wrong", "found"), [(4, [(0, 100)]), (5, [])])
def test_four_of_64_samples_may_differ(wrong: int, found: list[tuple[int, int]]) -> None:
    heard = SOUND[100:164].copy()
    heard[10 : 10 + wrong] *= 2
    assert loop().find(heard) == found


@pytest.mark.parametrize(("off_by", "found"), [(116, [(0, 100)]), (117, [])])
def test_no_window_is_found_that_differs_by_more_than_a_codec_errs(off_by: int, found: list[tuple[int, int]]) -> None:
    signs = np.sign(SOUND[:64])
    made = HoldLoop(np.concatenate((SOUND[:100], 1600 * signs, SOUND[100:])).tobytes())
    assert made.find((1600 + off_by) * signs) == found


def test_each_window_may_differ_in_four_samples_of_its_own() -> None:
    heard = SOUND[100:228].copy()
    heard[[10, 11, 12, 70, 71, 72]] *= 2
    assert loop().find(heard) == [(index, 100 + index) for index in range(0, 80, 16)]


@pytest.mark.parametrize(("factor", "resampled", "found"), [(1.05, False, 1), (1.1, False, 0), (1.1, True, 1)])
def test_each_sample_has_a_tolerance_of_its_own(factor: float, resampled: bool, found: int) -> None:
    """A loud place between soft ones is found a little louder, a soft one between loud ones is not."""
    made = HoldLoop(np.concatenate((samples((150, 100)), SOUND[:64] * 4, samples((150, 100)))).tobytes())
    heard = (SOUND[:64] * (4 * factor)).astype(np.int16)
    assert made.find(heard, resampled) == [(0, 100)] * found
    made = HoldLoop(np.concatenate((SOUND[:100] * 4, SOUND[200:264] // 20, SOUND[:100] * 4)).tobytes())
    assert made.find(SOUND[200:264] // 20) == [(0, 100)]
    assert made.find(SOUND[200:264] // 12) == []


def test_the_rate_is_8_khz_unless_told_otherwise() -> None:
    heard = (SOUND[:64] * 1.2).astype(np.int16)
    assert loop().find(heard) == []
    assert loop().find(heard, True) == [(0, 0)]
    assert not loop().differs(heard, 0, True).any()
    assert loop().differs(heard, 0).all()


SIGNS = np.sign(SOUND[:64])
SOFT: Sound = SIGNS * np.array([104] * 60 + [110, 105, 95, 78], np.int16)
"""Its squares are in sum 687,194; -50 dBFS are 687,194.8."""
AUDIBLE: Sound = SIGNS * np.array([104] * 60 + [109, 109, 108, 53], np.int16)
"""One more."""


@pytest.mark.parametrize("place", [0, 150])
def test_only_what_is_audible_is_looked_up(place: int) -> None:
    def loop_with(window: Sound) -> HoldLoop:
        return HoldLoop(np.concatenate((SOUND[100 : 100 + place], window, SOUND[250:])).tobytes())

    assert loop_with(AUDIBLE).find(AUDIBLE + 10 * SIGNS) == [(0, place)]
    assert loop_with(SOFT).find(SOFT + 10 * SIGNS) == []
    assert loop_with(AUDIBLE + 10 * SIGNS).find(AUDIBLE) == [(0, place)]
    assert loop_with(AUDIBLE + 10 * SIGNS).find(SOFT) == []
    heard = np.concatenate((SOFT, SOUND[250:314]))
    assert loop_with(AUDIBLE + 10 * SIGNS).find(heard) == [(index, place + index) for index in (16, 32, 48, 64)]


def test_a_loop_that_is_silent_is_found_nowhere() -> None:
    assert HoldLoop(bytes(400)).find(SOUND) == []


def test_the_loudest_samples_are_summed_exactly() -> None:
    loudest = np.where(SOUND > 0, 32767, -32768).astype(np.int16)
    assert HoldLoop(loudest.tobytes()).find(loudest[:64]) == [(0, 0)]


def test_a_place_is_looked_up_by_its_signs_and_zero_is_positive() -> None:
    """Two places that differ in the sign of one soft sample."""
    other, heard = SOUND[:64].copy(), SOUND[:64].copy()
    other[20], heard[20] = -1, 0
    made = HoldLoop(np.concatenate((other, SOUND[100:], heard)).tobytes())
    assert made.find(heard) == [(0, 364)]
    assert made.find(other) == [(0, 0)]


def test_of_places_that_are_alike_the_first_four_are_given() -> None:
    made = HoldLoop(np.concatenate((SOUND[:64], SOUND[:64], SOUND, SOUND[:64], SOUND[:64])).tobytes())
    assert made.find(SOUND[:64]) == [(0, 0), (0, 64), (0, 128), (0, 528)]
    assert made.find(SOUND[:80]) == [(0, 0), (0, 64), (0, 128), (0, 528), (16, 144)]
    tone = HoldLoop(np.tile(SOUND[:64], 40).tobytes())
    assert tone.find(SOUND[:64]) == [(0, 0), (0, 64), (0, 128), (0, 192)]
