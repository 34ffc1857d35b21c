"""Audio fingerprints: what the matcher keeps of a known recording. Pure, numpy.

A fingerprint holds the recording's speech, its energy per 10 ms, and an onset template: features of its first 400 ms.
It is made once per process for each recording. Searching and deciding belong in `matching`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BANDS",
    "FFT",
    "FILTER_EDGE",
    "HOP",
    "ONSET",
    "ONSET_FRAMES",
    "PIECE",
    "SAMPLES_PER_MS",
    "SHIFT_FFT",
    "Array",
    "Fingerprint",
    "features",
    "fingerprint_of",
    "middle_band",
    "samples",
]

Array = NDArray[np.float32]

SAMPLES_PER_MS = 8  # all sound here is 8 kHz
HOP = 160  # samples from one feature frame to the next
FFT = 512  # samples of a feature frame: wide enough that the phrase's position within a hop hardly matters
ONSET_FRAMES = 20  # feature frames of an onset template, 400 ms
ONSET = ONSET_FRAMES * HOP  # the same in samples
PIECE = 80  # samples, 10 ms: the resolution at which it is known how far a phrase was heard
SHIFT_FFT = 4096  # points: room for an onset at every shift of up to (4096 - ONSET) / 2 samples

BANDS = 14
_LOWEST_HZ, _HIGHEST_HZ = 200.0, 3600.0

# Energies are raised to this power instead of taking their logarithm: then the gain is a factor, which drops out of a
# correlation, and noise between words has little weight. (With a logarithm, one true onset in ten was not the best
# match at 10 dB SNR.)
_LOUDNESS_POWER = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The fingerprint of one recording. Sample numbers count from the start of the recording."""

    start: int
    """The first sample of the speech."""
    end: int
    """The sample after the last piece of the speech."""
    onset: Array
    """The onset template: band loudness of the first 400 ms, mean of each band removed, unit length.

    Shape (ONSET_FRAMES * BANDS,), frame after frame."""
    pieces: Array
    """The speech in pieces: shape (n, PIECE)."""
    energy: NDArray[np.float64]
    """Sum of squares of each piece: shape (n,)."""
    spectrum: NDArray[np.complex64]
    """Conjugate Fourier transform (SHIFT_FFT points) of the first ONSET samples of the speech."""
    onset_energy: float
    """Sum of squares of the first ONSET samples of the speech."""
    onset_samples: int
    """How many samples of the onset are speech: fewer than ONSET for a short word."""


@lru_cache(maxsize=4096)
def fingerprint_of(pcm: bytes, start_ms: int, end_ms: int) -> Fingerprint:
    """Return the fingerprint of a recording (SLIN, 8 kHz) with speech from `start_ms` to `end_ms`."""
    wave = middle_band(np.concatenate((np.zeros(FILTER_EDGE, np.float32), samples(pcm))))
    start = min(start_ms * SAMPLES_PER_MS, len(wave))
    count = max(1, -(-(min(end_ms * SAMPLES_PER_MS, len(wave)) - start) // PIECE))
    room = max(ONSET + FFT, count * PIECE)
    speech = np.zeros(room, np.float32)
    speech[: len(wave) - start] = wave[start : start + room]
    onset = features(speech[: ONSET - HOP + FFT])
    onset -= onset.mean(axis=0)
    length = float(np.linalg.norm(onset)) or 1.0
    pieces = speech[: count * PIECE].reshape(count, PIECE)
    opening = speech[: min(ONSET, count * PIECE)]
    return Fingerprint(
        start=start,
        end=start + count * PIECE,
        onset=(onset / length).ravel(),
        pieces=pieces,
        energy=np.einsum("ij,ij->i", pieces, pieces, dtype=np.float64),
        spectrum=np.conj(np.fft.rfft(opening, SHIFT_FFT)),
        onset_energy=float(np.square(opening, dtype=np.float64).sum()),
        onset_samples=len(opening),
    )


def samples(pcm: bytes | bytearray) -> Array:
    """Return SLIN as an array, shape (n,). The last byte of an odd length is dropped."""
    return np.frombuffer(bytes(pcm), "<i2", len(pcm) // 2).astype(np.float32)


def middle_band(wave: Array) -> Array:
    """Return the band from about 300 to 1800 Hz, FILTER_EDGE samples shorter.

    Relative to 1 kHz: -10 dB at 200 Hz, -6 dB at 2 kHz, -31 dB at 3 kHz. The matcher compares waveforms, so the phase
    response of a line matters: a high-pass filter shifts the phase of the lowest tones, and a resampler shifts the
    sound by a fraction of a sample, which changes the highest tones. The band between them distinguishes phrases well.
    """
    return np.convolve(wave, _MIDDLE_BAND, "valid").astype(np.float32, copy=False)


def features(wave: Array) -> Array:
    """Return the loudness in 14 bands from 200 to 3600 Hz, every 20 ms over 64 ms: shape (frames, 14)."""
    if len(wave) < FFT:
        return np.zeros((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(wave, FFT)[::HOP]
    spectrum = np.fft.rfft(windows * _WINDOW)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.sqrt(np.sqrt(power @ _FILTERS))


def _filters() -> Array:
    """Return triangular filters on the mel scale: shape (bins, bands)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = (np.arange(FFT // 2 + 1) * (1000 * SAMPLES_PER_MS / FFT))[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


_MIDDLE_BAND = np.array([1, 4, 5, 0, -5, -4, -1], np.float32) / 16
FILTER_EDGE = len(_MIDDLE_BAND) - 1
_WINDOW = np.hanning(FFT).astype(np.float32)
_FILTERS = _filters()
