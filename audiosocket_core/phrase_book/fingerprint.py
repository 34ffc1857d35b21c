"""What the matcher keeps of a known sound: its wave, its energy piece by piece, and features of how it begins.

Made once per process for each sound. Must not search or decide anything (`matching`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANCHOR",
    "BANDS",
    "EDGE",
    "FFT",
    "HOP",
    "PIECE",
    "SAMPLES_PER_MS",
    "SHIFT_FFT",
    "SPAN",
    "Array",
    "Fingerprint",
    "features",
    "middle_band",
    "print_of",
    "samples",
]

Array = NDArray[np.float32]

SAMPLES_PER_MS = 8  # all sound here is 8 kHz
HOP = 160  # samples from one frame of features to the next
FFT = 512  # samples in a frame: wide enough that it hardly matters where in a hop a phrase begins
SPAN = 20  # frames in an anchor: how a phrase begins, 400 ms
ANCHOR = SPAN * HOP  # the anchor as samples of the wave
PIECE = 80  # samples: the resolution, 10 ms, at which it is known how far a phrase was heard
SHIFT_FFT = 4096  # holds an anchor at every shift by up to (4096 - ANCHOR) / 2 samples

BANDS = 14
_LOWEST_HZ, _HIGHEST_HZ = 200.0, 3600.0

# Energies are raised to this power, not put through a logarithm: gain then is a mere factor, which falls out of a
# correlation, and noise between the words weighs little (with a logarithm, one true anchor in ten was not the
# best at 10 dB SNR).
_LOUDNESS_POWER = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """One known sound. Sample numbers count from the start of the recording."""

    start: int
    """The first sample of the speech: the anchor begins here."""
    end: int
    """One past the last whole piece of the speech."""
    anchor: Array
    """Features of the anchor, SPAN frames in a row, mean of each band removed, of length 1."""
    pieces: Array
    """The speech as pieces: shape (n, PIECE)."""
    energy: NDArray[np.float64]
    """Sum of squares of each piece: shape (n,)."""
    spectrum: NDArray[np.complex64]
    """Conjugate transform (SHIFT_FFT points) of the first ANCHOR samples of the speech."""
    anchor_energy: float
    anchor_samples: int
    """How many samples of the anchor are speech: fewer than ANCHOR for a short word."""


@lru_cache(maxsize=4096)
def print_of(pcm: bytes, start_ms: int, end_ms: int) -> Fingerprint:
    """The print of a recording (SLIN, 8 kHz) whose speech lies from `start_ms` to `end_ms`."""
    wave = middle_band(np.concatenate((np.zeros(EDGE, np.float32), samples(pcm))))
    start = min(start_ms * SAMPLES_PER_MS, len(wave))
    count = max(1, -(-(min(end_ms * SAMPLES_PER_MS, len(wave)) - start) // PIECE))
    room = max(ANCHOR + FFT, count * PIECE)
    speech = np.zeros(room, np.float32)
    speech[: len(wave) - start] = wave[start : start + room]
    anchor = features(speech[: ANCHOR - HOP + FFT])
    anchor -= anchor.mean(axis=0)
    length = float(np.linalg.norm(anchor)) or 1.0
    pieces = speech[: count * PIECE].reshape(count, PIECE)
    opening = speech[: min(ANCHOR, count * PIECE)]
    return Fingerprint(
        start=start,
        end=start + count * PIECE,
        anchor=(anchor / length).ravel(),
        pieces=pieces,
        energy=np.einsum("ij,ij->i", pieces, pieces, dtype=np.float64),
        spectrum=np.conj(np.fft.rfft(opening, SHIFT_FFT)),
        anchor_energy=float(np.square(opening, dtype=np.float64).sum()),
        anchor_samples=len(opening),
    )


def samples(pcm: bytes | bytearray) -> Array:
    """SLIN as numbers; the last byte of an odd length is no sample."""
    return np.frombuffer(bytes(pcm), "<i2", len(pcm) // 2).astype(np.float32)


def middle_band(wave: Array) -> Array:
    """The sound from about 300 to 1800 Hz, EDGE samples shorter. Against 1 kHz: 200 Hz -10 dB, 2 kHz -6, 3 kHz -31.

    Waves are compared, so what a line does to phase counts: a high-pass filter turns the lowest tones, a resampler
    shifts all by part of a sample, which the highest do not survive. Between them is enough to tell phrases apart.
    """
    return np.convolve(wave, _MIDDLE_BAND, "valid").astype(np.float32, copy=False)


def features(wave: Array) -> Array:
    """Loudness in 14 bands from 200 to 3600 Hz, every 20 ms over 64 ms: shape (frames, 14)."""
    if len(wave) < FFT:
        return np.zeros((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(wave, FFT)[::HOP]
    spectrum = np.fft.rfft(windows * _WINDOW)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.sqrt(np.sqrt(power @ _FILTERS))


def _filters() -> Array:
    """Triangles on the mel scale: shape (bins, bands)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = (np.arange(FFT // 2 + 1) * (1000 * SAMPLES_PER_MS / FFT))[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


_MIDDLE_BAND = np.array([1, 4, 5, 0, -5, -4, -1], np.float32) / 16
EDGE = len(_MIDDLE_BAND) - 1
_WINDOW = np.hanning(FFT).astype(np.float32)
_FILTERS = _filters()
