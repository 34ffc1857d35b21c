"""SLIN at other rates as a stream: no seams, no dither, full scale kept, the half sample left out."""

import struct

import numpy as np
import pytest

from audiosocket_core.resampling import SlinResampler
from audiosocket_core.slin import resample


def noise(samples: int) -> bytes:
    random = np.random.default_rng(3)
    return random.integers(-9_000, 9_000, samples, dtype="<i2").tobytes()


@pytest.mark.every(4)
@pytest.mark.parametrize("rates", [(16_000, 8_000), (44_100, 8_000), (48_000, 8_000), (8_000, 24_000)])
@pytest.mark.parametrize("samples", [pytest.param(1, marks=pytest.mark.long("pieces are larger")), 7, 441, 10_000])
def test_a_stream_in_pieces_is_the_whole_sound(rates: tuple[int, int], samples: int) -> None:
    sound = noise(rates[0])
    stream = SlinResampler(*rates)
    pieces = [stream.feed(sound[at : at + 2 * samples]) for at in range(0, len(sound), 2 * samples)]
    assert b"".join(pieces) + stream.feed(b"", last=True) == resample(sound, *rates)


def test_full_scale_stays_full_scale() -> None:
    square = struct.pack("<320h", *([32_767] * 160 + [-32_768] * 160)) * 50
    values = np.frombuffer(SlinResampler(16_000, 8_000).feed(square, last=True), "<i2")
    assert (int(values.max()), int(values.min())) == (32_767, -32_768)


def test_samples_are_rounded_not_cut_off() -> None:
    """A constant level comes out as that level: cutting off would make 99 of nearly 100."""
    out = np.frombuffer(SlinResampler(16_000, 8_000).feed(struct.pack("<h", 100) * 16_000, last=True), "<i2")
    assert np.unique(out[2_000:6_000]).tolist() == [100]


@pytest.mark.parametrize("rates", [(8_000, 8_000), (16_000, 8_000)])
def test_half_a_sample_is_left_out(rates: tuple[int, int]) -> None:
    sound = noise(2_000)
    assert SlinResampler(*rates).feed(sound + b"\7", last=True) == SlinResampler(*rates).feed(sound, last=True)


def test_equal_rates_change_nothing_and_lag_by_nothing() -> None:
    sound = noise(160)
    assert SlinResampler(8_000, 8_000).feed(sound) is sound
