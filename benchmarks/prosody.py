"""How a voice sounded before it fell silent: its level and its pitch at the end, against the same utterance's own.

Pure functions of the audio before the silence. They know no words, no clock, and not how long the utterance was.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ending", "ending"]

Samples = NDArray[np.float64]

HOP = 80  # 10 ms
LEVEL_WINDOW = 160
PITCH_WINDOW = 320
END_HOPS = 30  # "the end" is the last 300 ms
QUIETER_DB = 25.0  # what is softer than the loudest by more than this is no voice
LEAST_PERIODIC = 0.55
SHORTEST_LAG, LONGEST_LAG = 8000 // 400, 8000 // 60


@dataclass(frozen=True, slots=True)
class Ending:
    """The last 300 ms of voice. Where they have no pitch, it is the middle of the range, and level."""

    level_db: float
    """Their mean level less the utterance's median."""
    level_slope: float
    """dB in 100 ms."""
    pitch: float
    """Their median in the utterance's own range (its 5th to its 95th percentile): 0 lowest, 1 highest."""
    pitch_slope: float
    """Semitones in 100 ms."""

    def numbers(self) -> tuple[float, ...]:
        return astuple(self)


def ending(sound: Samples) -> Ending:
    """`sound`: from the beginning of the utterance to its last voiced frame; 8 kHz, at least 100 ms."""
    levels = _levels(sound)
    voice = np.flatnonzero(levels > np.percentile(levels, 95) - QUIETER_DB)
    last = voice[voice > voice[-1] - END_HOPS]
    level_db = float(np.mean(levels[last]) - np.median(levels[voice]))
    level_slope = _slope(last, levels[last])

    semitones = _semitones(sound, voice)
    known = np.flatnonzero(np.isfinite(semitones))
    if len(known) < 10:
        return Ending(level_db, level_slope, 0.5, 0.0)
    low, high = np.percentile(semitones[known], [5, 95])
    end = known[voice[known] > voice[-1] - END_HOPS]
    if len(end) < 5 or high - low < 1:
        return Ending(level_db, level_slope, 0.5, 0.0)
    pitch = float((np.median(semitones[end]) - low) / (high - low))
    return Ending(level_db, level_slope, pitch, _slope(voice[end], semitones[end]))


def _levels(sound: Samples) -> Samples:
    """dB, each 10 ms, of 20 ms."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, LEVEL_WINDOW)[::HOP]
    levels: Samples = 10 * np.log10(np.mean(windows**2, axis=1) + 1)
    return levels


def _semitones(sound: Samples, at: NDArray[np.int64]) -> Samples:
    """The pitch at these hops, by autocorrelation between 60 and 400 Hz; NaN where there is none."""
    padded = np.concatenate([sound, np.zeros(PITCH_WINDOW)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, PITCH_WINDOW)[::HOP][at]
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(windows, 2 * PITCH_WINDOW)
    together = np.fft.irfft(np.abs(spectrum) ** 2)[:, : LONGEST_LAG + 1]
    # Fewer samples overlap at a longer lag: without this a low voice would never look periodic.
    share = 1 - np.arange(LONGEST_LAG + 1) / PITCH_WINDOW
    likeness = together / share / (together[:, :1] + 1)
    lags = likeness[:, SHORTEST_LAG:]
    best = lags.max(axis=1)
    # The shortest lag that is nearly as good: twice the period is as like as the period itself.
    first = np.argmax(lags >= 0.92 * best[:, None], axis=1)
    rising = np.minimum(first + 1, lags.shape[1] - 1)
    rows = np.arange(len(at))
    first = np.where(lags[rows, rising] > lags[rows, first], rising, first)
    return np.where(best >= LEAST_PERIODIC, -12 * np.log2(first + SHORTEST_LAG), np.nan)


def _slope(hops: NDArray[np.int64], values: Samples) -> float:
    """A straight line's, in 100 ms."""
    if len(hops) < 3:
        return 0.0
    return 10 * float(np.polyfit(hops, values, 1)[0])
