"""How much of one sound is another one, come through an echo path: the arithmetic of the echo guards. Pure, numpy.

Both sounds are 8 kHz, emphasised (`emphasised`): speech has most energy in few low frequencies, in which any two voices
are alike. `x` is what was heard, `y` what was played, which is longer; `at` is a place in y: where x begins.
"""

import numpy as np
from numpy import fft  # numpy itself loads it at its first use: a stop of 60 ms for every call
from numpy.typing import NDArray

__all__ = ["Samples", "emphasised", "explained", "fit", "gain", "power", "products"]

Samples = NDArray[np.float32]

FFT = 8192  # holds what was played, so that nothing wraps around
PATH = 48  # samples of echo path: 6 ms
BEFORE = 8  # of them before the delay that fits best
EMPHASIS = 0.7
RIDGE = 0.01


def emphasised(pcm: bytes) -> Samples:
    """16-bit SLIN with its high frequencies raised; one sample shorter."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return samples[1:] - np.float32(EMPHASIS) * samples[:-1]


def power(samples: Samples) -> float:
    """Energy a sample."""
    return float(samples @ samples) / max(1, len(samples))


def gain(share: float, x: Samples, y: Samples, at: int) -> float:
    """How loud it comes back, if this share of x is y at `at`: its power by that played."""
    return share * power(x) / (power(y[at : at + len(x)]) + 1.0)


def products(x: Samples, y: Samples) -> Samples:
    """x times y at each place in y, as `np.correlate(y, x, "valid")`, but fast for a whole second."""
    whole = fft.irfft(fft.rfft(y, FFT) * fft.rfft(x, FFT).conj(), FFT)
    return whole[: len(y) - len(x) + 1].astype(np.float32)


def fit(by_place: Samples, x: Samples, y: Samples) -> Samples:
    """How much of x a copy of y explains, at each place in y. by_place: `products`, or `np.correlate`'s."""
    sums = np.cumsum(y * y, dtype=np.float64)
    energy = sums[len(x) - 1 :].copy()
    energy[1:] -= sums[: -len(x)]
    # Where next to nothing was played, it explains nothing.
    share: Samples = by_place * by_place / (energy + 1e-3 * energy.max() + 1.0)
    return share


def explained(x: Samples, y: Samples, at: int) -> float:
    """The share of the energy of x that is y at about `at`, come through an echo path."""
    source = y[max(0, at + BEFORE - PATH + 1) : at + BEFORE + len(x)]
    taps = len(source) - len(x) + 1
    product = np.correlate(source, x, "valid")
    auto = np.correlate(np.concatenate([source, np.zeros(taps - 1, np.float32)]), source, "valid")
    auto[0] = auto[0] * (1 + RIDGE) + 1.0
    lags = np.arange(taps)
    path = np.linalg.solve(auto[np.abs(lags[:, None] - lags)], product)
    rest = x - np.convolve(source, path[::-1], "valid")
    return 1.0 - float(rest @ rest) / float(x @ x)
