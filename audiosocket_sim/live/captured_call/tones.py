"""Tone patterns that replace speech: as long as the speech, different for each number, and taken for speech by a voice
activity detector. Pure: the same number always gives the same samples.

A pattern is a sequence of voiced syllables (harmonics of a pitch, shaped by two formants) drawn at random with the
number as the seed. Two numbers share no 200 ms of sound, which is the length that the matcher compares.
"""

import numpy as np
from numpy.typing import NDArray

from audiosocket_sim.live.captured_call.track import RATE_HZ

__all__ = ["tone_pattern"]

_SYLLABLE_MS = (90, 170)
_PITCH_HZ = (95.0, 260.0)
_PEAK = 9_000.0
_EDGE = 40  # samples: 5 ms of fading, so that syllables do not click


def tone_pattern(number: int, ms: int) -> bytes:
    """Return pattern `number` as `ms` milliseconds of 8 kHz SLIN."""
    random = np.random.Generator(np.random.PCG64(number))
    length = ms * RATE_HZ // 1000
    sound = np.zeros(length)
    at = 0
    while at < length:
        n = int(random.integers(*_SYLLABLE_MS)) * RATE_HZ // 1000
        syllable = _syllable(random, n)[: length - at]
        sound[at : at + len(syllable)] = syllable
        at += n
    return np.rint(sound).astype("<i2").tobytes()


def _syllable(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return `n` samples of one syllable: a gliding pitch whose harmonics are shaped by two formants."""
    start, end = random.uniform(*_PITCH_HZ), random.uniform(*_PITCH_HZ)
    formants = random.uniform(300, 900), random.uniform(1_000, 2_600)
    phase = 2 * np.pi * np.cumsum(np.linspace(start, end, n)) / RATE_HZ
    middle = (start + end) / 2
    sound = np.zeros(n)
    for harmonic in range(1, int(3_400 / middle) + 1):
        hz = harmonic * middle
        level = sum(np.exp(-(((hz - f) / 250) ** 2)) for f in formants) + 0.05
        sound += level * np.sin(harmonic * phase + random.uniform(0, 2 * np.pi))
    sound *= _PEAK / np.abs(sound).max()
    edge = min(_EDGE, n // 2)
    ramp = np.linspace(0.3, 1.0, edge)
    sound[:edge] *= ramp
    sound[n - edge :] *= ramp[::-1]
    return sound
