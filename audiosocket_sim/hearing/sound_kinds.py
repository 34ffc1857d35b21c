"""Tells speech from music, tones, steady noise and clicks. Pure; it hears how long a spectrum lasts, not what is said.

The spectrum of speech is another one after 80 ms; that of a note, a tone or a noise is still the same. Measured over 17
voices in six languages and nine pieces of hold music: likeness after 80 ms of speech up to 0.73 (median 0.49), of
music from 0.60 (median 0.85).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audiosocket_sim.hearing.damage.medians import median
from audiosocket_sim.hearing.noise_floor import is_noise_alone

__all__ = ["SoundKind", "kind_of", "lasts", "plays_on"]

Floats = NDArray[np.float64]
SoundKind = Literal["speech", "music", "tone", "noise", "click"]

_CLICK = 240  # samples, 30 ms
_WINDOW, _HOP = 512, 160
_APART = 4  # hops, 80 ms
_RANGE = 1e-3  # of the power of the loudest frames: softer ones do not count
_PEAKS, _BESIDE = 3, 2
_PURE = 0.95  # share of three peaks in the power: of a vowel up to 0.98, but not for long
_LASTING_TONE = 0.85
_FLAT = 0.35  # share of three peaks, of noise
_LASTING_NOISE = 0.7
_LASTING = 0.74
_PLAYS = 0.64  # of a second: of 9 voices at most 0.57, of six pieces of hold music at least 0.59, half of it 0.74
_AUDIBLE_POWER = 75.0**2  # -53 dBFS
_PAUSES = 0.2  # share of frames of less than half the mean level; of speech from 0.2 on, also of slow speech


def kind_of(pcm: bytes) -> SoundKind:
    """Return what a sound is, on the whole: 8 kHz SLIN without its silent edges. In doubt it is speech."""
    if len(pcm) // 2 < _CLICK:
        return "click"
    sums, shares = _spectra(pcm)
    if not len(shares):
        return "click"
    peaks, lasting = _in_peaks(shares), _lasting(shares)
    if peaks >= _PURE and lasting >= _LASTING_TONE:
        return "tone"
    if peaks <= _FLAT and lasting >= _LASTING_NOISE:
        return "noise"
    if lasting >= _LASTING and is_noise_alone(_wave(pcm)):
        return "noise"
    level = np.sqrt(sums)
    pauses = float((level < level.mean() / 2).mean())
    return "music" if lasting >= _LASTING and len(shares) > _APART and pauses <= _PAUSES else "speech"


def lasts(pcm: bytes) -> bool:
    """Return whether a sound has notes or tones that last, whatever it is: music with pauses, very slow speech."""
    _, shares = _spectra(pcm)
    return len(shares) > 0 and _lasting(shares) >= _LASTING and _in_peaks(shares) > _FLAT


def plays_on(sound: "NDArray[np.int16]") -> bool:
    """Return whether a second of sound is music or a tone, and no speech: its notes last, even between others."""
    if float(np.square(sound, dtype=np.float64).mean()) < _AUDIBLE_POWER:
        return False
    _, shares = _spectra(sound.tobytes())
    return _lasting(shares) >= _PLAYS and _in_peaks(shares) > _FLAT


def _wave(pcm: bytes) -> "Floats":
    return np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)


def _spectra(pcm: bytes) -> "tuple[Floats, Floats]":
    """The power of each frame, and for those that are not much softer than the loudest, how it is spread."""
    wave = _wave(pcm)
    wave = np.pad(wave, (0, max(0, _WINDOW - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)))
    sums = power.sum(axis=1)
    loud = sums >= max(float(np.percentile(sums, 95)) * _RANGE, 1.0)
    return sums, power[loud] / sums[loud, None]


def _lasting(shares: "Floats") -> float:
    """How much alike the spectra of two frames are that lie 80 ms apart: the mean; 1 for a sound shorter than that."""
    spectra = np.sqrt(shares)
    if len(spectra) <= _APART:
        return 1.0
    return float((spectra[_APART:] * spectra[:-_APART]).sum(axis=1).mean())


def _in_peaks(shares: "Floats") -> float:
    """The share of the power that lies in the highest peaks of a spectrum: the median over the frames."""
    left = shares.copy()
    rows = np.arange(len(left))
    found = np.zeros(len(left))
    for _ in range(_PEAKS):
        peak = left.argmax(axis=1)
        for beside in range(-_BESIDE, _BESIDE + 1):
            place = np.clip(peak + beside, 0, left.shape[1] - 1)
            found += left[rows, place]
            left[rows, place] = 0.0
    return median(found)
