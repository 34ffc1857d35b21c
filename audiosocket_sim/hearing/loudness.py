"""Finds where sound is audible (over -50 dBFS), to the sample, however the sound is cut. Pure.

A sample is audible if it is over that level itself and any 10 ms around it are on average: a click is not, the soft end
of a word is. There is no grid: the same sound has the same bounds wherever it begins.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AUDIBLE_DBFS", "AUDIBLE_RMS", "Bounds", "Loudness", "audible_stretches", "level_dbfs", "rms_dbfs"]

AUDIBLE_DBFS = -50.0
AUDIBLE_RMS = 32768 * 10 ** (AUDIBLE_DBFS / 20)
WINDOW = 80  # samples, 10 ms
_SOFTEST = 1000.0  # 30 dB
_ENOUGH = WINDOW * AUDIBLE_RMS**2

Bounds = tuple[int, int]
"""The first and the last audible sample."""


class Loudness:
    """Follows a sound piece by piece."""

    def __init__(self) -> None:
        self._before: NDArray[np.int64] = _NOTHING

    def feed(self, samples: "NDArray[Any]") -> Bounds | None:
        """Return the bounds of what is audible in a piece, counted from its start; None if nothing is.

        The first may lie in the piece before (down to -79), if only this piece showed that it was no click.
        """
        wave = np.concatenate((self._before, samples))
        self._before = wave[-(WINDOW - 1) :]
        running = np.empty(len(wave) + 1, np.int64)
        running[0] = 0
        np.cumsum(wave * wave, out=running[1:])
        loud = (running[WINDOW:] - running[:-WINDOW] >= _ENOUGH).nonzero()[0]  # the windows, by their first sample
        if not len(loud):
            return None
        first, last = int(loud[0]), int(loud[-1]) + WINDOW
        over = (np.abs(wave[first:last]) >= AUDIBLE_RMS).nonzero()[0]
        return int(over[0]) + first - (WINDOW - 1), int(over[-1]) + first - (WINDOW - 1)

    def reset(self) -> None:
        """Forget the piece before: silence lies between it and the next."""
        self._before = _NOTHING


_NOTHING = np.zeros(WINDOW - 1, np.int64)


@lru_cache(maxsize=1024)
def audible_stretches(pcm: bytes) -> tuple[Bounds, ...]:
    """Return the audible stretches of 8 kHz SLIN, by first and last sample; quiet of 20 ms or less divides none."""
    wave = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.int64)
    running = np.concatenate((np.zeros(WINDOW, np.int64), np.cumsum(wave * wave)))
    loud = np.flatnonzero(running[WINDOW:] - running[:-WINDOW] >= _ENOUGH)  # the windows, by their last sample
    near = np.zeros(len(wave) + 1, np.int64)
    np.add.at(near, np.maximum(loud - (WINDOW - 1), 0), 1)
    np.add.at(near, loud + 1, -1)
    audible = np.flatnonzero((np.cumsum(near)[:-1] > 0) & (np.abs(wave) >= AUDIBLE_RMS))
    parts = np.split(audible, np.flatnonzero(np.diff(audible) > 2 * WINDOW) + 1)
    return tuple((int(part[0]), int(part[-1])) for part in parts if len(part))


def rms_dbfs(samples: "NDArray[Any]") -> float:
    """Return the level of the samples; -120 for silence, and for none."""
    mean = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(-120.0, 10 * float(np.log10(mean)) - _FULL_SCALE_DB) if mean > 0 else -120.0


def level_dbfs(samples: "NDArray[Any]") -> float | None:
    """Return the level (RMS) of the pieces of 10 ms that are over -50 dBFS, to a tenth; None if none is.

    Of a soft voice the pieces count that are at most 30 dB below the loudest: else only what is loud of it would.
    """
    frames = samples[: len(samples) // WINDOW * WINDOW].astype(np.float64).reshape(-1, WINDOW)
    power = np.mean(frames * frames, axis=1)
    if not len(power) or power.max() < AUDIBLE_RMS**2:
        return None
    loud = power[power >= min(AUDIBLE_RMS**2, float(power.max()) / _SOFTEST)]
    return round(10 * float(np.log10(np.mean(loud))) - _FULL_SCALE_DB, 1)


_FULL_SCALE_DB = 20 * float(np.log10(32768))
