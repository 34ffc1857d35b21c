"""How much of one sound is an echo of another: the arithmetic that the echo guards share. Pure, numpy.

Both sounds are 8 kHz and pre-emphasised (`pre_emphasise`): most energy of speech lies in a few low frequencies, in
which any two voices are alike. `x` is the sound heard and `y` the sound played, which is the longer one. An offset `at`
is the sample of `y` at which `x` begins.
"""

import numpy as np
from numpy import fft  # numpy loads it at the first use, which would stop every call for 60 ms
from numpy.typing import NDArray

__all__ = [
    "Samples",
    "cross_correlation",
    "echo_gain",
    "explained_by_path",
    "explained_energy",
    "fitted_path",
    "normalised_correlation",
    "power",
    "pre_emphasise",
]

Samples = NDArray[np.float32]

FFT = 8192  # points: longer than all that was played, so that nothing wraps around
PATH = 48  # samples of the echo path's impulse response: 6 ms
BEFORE = 8  # of them before the delay with the best fit
EMPHASIS = 0.7  # coefficient of the pre-emphasis filter
RIDGE = 0.01  # regularisation of the least squares, by the energy of `y`


def pre_emphasise(pcm: bytes) -> Samples:
    """Return 16-bit SLIN with its high frequencies raised, as an array that is one sample shorter."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return samples[1:] - np.float32(EMPHASIS) * samples[:-1]


def power(samples: Samples) -> float:
    """Return the mean square of the samples; 0.0 if there are none."""
    return float(samples @ samples) / max(1, len(samples))


def echo_gain(share: float, x: Samples, y: Samples, at: int) -> float:
    """Return the power gain of the echo path: explained power of `x` divided by the power of `y` at offset `at`.

    `share`: the part of the energy of `x` that is explained, 0 to 1 (`explained_energy`).
    """
    return share * power(x) / (power(y[at : at + len(x)]) + 1.0)


def cross_correlation(x: Samples, y: Samples) -> Samples:
    """Products of x and y at each place in y, as `np.correlate(y, x, "valid")`, but fast for a whole second."""
    whole = fft.irfft(fft.rfft(y, FFT) * fft.rfft(x, FFT).conj(), FFT)
    return whole[: len(y) - len(x) + 1].astype(np.float32)


def normalised_correlation(correlation: Samples, x: Samples, y: Samples) -> Samples:
    """Return the energy of `x` that a scaled copy of `y` explains at each offset, same shape as `correlation`.

    `correlation`: the result of `cross_correlation`, or of `np.correlate(y, x, "valid")`.
    """
    sums = np.cumsum(y * y, dtype=np.float64)
    energy = sums[len(x) - 1 :].copy()
    energy[1:] -= sums[: -len(x)]
    # Where next to nothing was played, it explains nothing.
    explained: Samples = correlation * correlation / (energy + 1e-3 * energy.max() + 1.0)
    return explained


def explained_energy(x: Samples, y: Samples, at: int) -> float:
    """Return the share of the energy of `x`, 0 to 1, that is `y` near offset `at` after an echo path of 6 ms.

    The impulse response of the path is fitted by least squares. `x` must not be digital silence.
    """
    return fitted_path(x, y, at)[0]


def fitted_path(x: Samples, y: Samples, at: int) -> tuple[float, Samples]:
    """Return the result of `explained_energy`, and the path's impulse response for `explained_by_path`."""
    source = y[max(0, at + BEFORE - PATH + 1) : at + BEFORE + len(x)]
    taps = len(source) - len(x) + 1
    product = np.correlate(source, x, "valid")
    auto = np.correlate(np.concatenate([source, np.zeros(taps - 1, np.float32)]), source, "valid")
    auto[0] = auto[0] * (1 + RIDGE) + 1.0
    lags = np.arange(taps)
    path = np.linalg.solve(auto[np.abs(lags[:, None] - lags)], product)[::-1].astype(np.float32)
    rest = x - np.convolve(source, path, "valid")
    return 1.0 - float(rest @ rest) / float(x @ x), path


def explained_by_path(x: Samples, y: Samples, at: int, path: Samples) -> float:
    """Return the share of the energy of `x` that is `y` at offset `at` after a path that was fitted before.

    Nothing is fitted here, so that even a few ms of `x` tell an echo from another sound, whose share is negative or
    near 0. It is 0.0 where `y` does not reach that far, or `x` is digital silence.
    """
    source = y[max(0, at + BEFORE - PATH + 1) : at + BEFORE + len(x)]
    if len(source) != len(x) + len(path) - 1 or not x.any():
        return 0.0
    rest = x - np.convolve(source, path, "valid")
    return 1.0 - float(rest @ rest) / float(x @ x)
