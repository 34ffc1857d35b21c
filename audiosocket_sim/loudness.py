"""Where sound is audible: over -50 dBFS. To the sample, and independent of how the sound is cut. Pure.

A sample is audible when it is itself over that level and some 10 ms around it are so on average: a click is not, the
soft end of a word is. No grid: the same sound has the same bounds wherever it begins.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AUDIBLE_DBFS", "AUDIBLE_RMS", "Bounds", "Loudness", "audible_stretches"]

AUDIBLE_DBFS = -50.0
AUDIBLE_RMS = 32768 * 10 ** (AUDIBLE_DBFS / 20)
WINDOW = 80  # samples, 10 ms
_ENOUGH = WINDOW * AUDIBLE_RMS**2

Bounds = tuple[int, int]
"""The first and the last audible sample."""


class Loudness:
    """Follows a sound piece by piece."""

    def __init__(self) -> None:
        self._before: NDArray[np.int64] = _NOTHING

    def feed(self, samples: "NDArray[Any]") -> Bounds | None:
        """The bounds of what is audible in a piece, counted from its start; the first may lie in the piece before
        (down to -79), where only this piece showed that it was no click. None: nothing is."""
        wave = np.concatenate((self._before, samples))
        self._before = wave[-(WINDOW - 1) :]
        running = np.empty(len(wave) + 1, np.int64)
        running[0] = 0
        np.cumsum(wave * wave, out=running[1:])
        loud = np.flatnonzero(running[WINDOW:] - running[:-WINDOW] >= _ENOUGH)  # the windows, by their first sample
        if not len(loud):
            return None
        first, last = int(loud[0]), int(loud[-1]) + WINDOW
        over = np.flatnonzero(np.abs(wave[first:last]) >= AUDIBLE_RMS)
        return int(over[0]) + first - (WINDOW - 1), int(over[-1]) + first - (WINDOW - 1)

    def reset(self) -> None:
        """What comes next comes after silence."""
        self._before = _NOTHING


_NOTHING = np.zeros(WINDOW - 1, np.int64)


@lru_cache(maxsize=1024)
def audible_stretches(pcm: bytes) -> tuple[Bounds, ...]:
    """What is audible in SLIN of 8 kHz, as first and last samples; quiet of less than 20 ms does not part it."""
    bounds: list[Bounds] = []
    loudness = Loudness()
    for start in range(0, len(pcm) // 2, WINDOW):
        piece = np.frombuffer(pcm, dtype="<i2", offset=2 * start, count=min(WINDOW, len(pcm) // 2 - start))
        found = loudness.feed(piece)
        if found is None:
            continue
        first, last = start + found[0], start + found[1]
        if bounds and first - bounds[-1][1] <= 2 * WINDOW:
            bounds[-1] = (bounds[-1][0], last)
        else:
            bounds.append((first, last))
    return tuple(bounds)
