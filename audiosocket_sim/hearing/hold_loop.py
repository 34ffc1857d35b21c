"""Indexes the known hold loop: its samples from any place, and the places where a piece of sound may lie. Pure.

A piece of sound is looked up by the signs of 64 samples (8 ms): G.711 keeps every sign, and one binary search finds 64
of them in all places of the loop. A place found in this way is a hint; `differs` compares sample by sample.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_sim.hearing.loudness import AUDIBLE_RMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STRIDE", "WINDOW", "HoldLoop", "hold_loop"]

WINDOW = 64
STRIDE = 16
"""Windows are looked up at every position that is a multiple of it."""

_AUDIBLE = WINDOW * AUDIBLE_RMS**2  # the power of a window that may be looked up, in the loop and in the sound
_LONGEST = 8192  # the longest piece that is asked for at once
_PER_PATTERN = 4  # places tried for a pattern that the loop has several times
_SMALLEST_STEP = 16.0  # G.711 errs by up to 8 at low levels, and by 1/32 of the sample at high ones
_TOLERANCE = 1 / 16
_RESAMPLED_STEP = 200.0  # at another rate the sound was resampled, and is like the loop, not equal
_RESAMPLED_TOLERANCE = 0.25


class HoldLoop:
    """A loop of at least `WINDOW` samples: 8 kHz SLIN. Raises ValueError for a shorter one."""

    def __init__(self, pcm: bytes) -> None:
        loop = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2)
        if len(loop) < WINDOW:
            raise ValueError(f"a hold loop has at least {WINDOW} samples, not {len(loop)}")
        self.length = len(loop)
        self._tiled = np.resize(loop, self.length + _LONGEST).astype(np.int32)
        size = np.abs(self._tiled).astype(np.float32)
        self._tolerance = size * _TOLERANCE + _SMALLEST_STEP
        self._resampled_tolerance = size * _RESAMPLED_TOLERANCE + _RESAMPLED_STEP
        everywhere = self._tiled[: self.length + WINDOW - 1]  # what the windows at all places have in them
        patterns = _patterns_everywhere(everywhere < 0)
        running = np.concatenate(([0], np.cumsum(everywhere.astype(np.int64) ** 2)))
        places = np.flatnonzero(running[WINDOW:] - running[:-WINDOW] >= _AUDIBLE)
        order = np.argsort(patterns[places], kind="stable")
        self._places = places[order]
        self._patterns = patterns[places][order]
        end = self._patterns[-1:] if len(self._patterns) else patterns[:1]
        self._patterns_and_end = np.concatenate((self._patterns, end))  # what is behind the last is greater than it

    def samples(self, place: int, count: int) -> "NDArray[np.int32]":
        """Return `count` samples (at most 8,192) of the loop from `place` on (any integer), over its seam."""
        start = place % self.length
        return self._tiled[start : start + count]

    def differs(self, heard: "NDArray[Any]", place: int, resampled: bool = False) -> "NDArray[np.bool_]":
        """Return for each sample whether it differs from the loop's from `place` on by more than a codec's error."""
        start, count = place % self.length, len(heard)
        tolerance = self._resampled_tolerance if resampled else self._tolerance
        difference = np.abs(heard - self._tiled[start : start + count])
        differs: NDArray[np.bool_] = difference > tolerance[start : start + count]
        return differs

    def find(self, heard: "NDArray[Any]", resampled: bool = False) -> list[tuple[int, int]]:
        """Return where in the loop the windows of a sound may lie, as (index of the window, place), in order.

        Windows begin at every `STRIDE` samples of `heard`; each hit is audible and was compared sample by sample.
        """
        if len(heard) < WINDOW:
            return []
        count = (len(heard) - WINDOW) // STRIDE + 1
        packed = np.packbits(heard < 0, bitorder="little")
        patterns = np.ndarray((count,), "<u8", packed.tobytes(), 0, (STRIDE // 8,)).copy()
        first = self._patterns.searchsorted(patterns)
        known = (self._patterns_and_end.take(first) == patterns).nonzero()[0]
        if not len(known):
            return []
        behind = self._patterns.searchsorted(patterns, "right")
        # All windows that may be in the loop at once, a row each, and each at every place where it may lie.
        near = first[known, None] + np.arange(_PER_PATTERN)
        row, column = np.nonzero(near < behind[known, None])
        indices, places = known[row] * STRIDE, self._places[near[row, column]]
        samples = np.arange(WINDOW)
        windows = heard[indices[:, None] + samples].astype(np.int64)
        tolerance = (self._resampled_tolerance if resampled else self._tolerance)[places[:, None] + samples]
        differs = np.abs(windows - self._tiled[places[:, None] + samples]) > tolerance
        alike = np.count_nonzero(differs, axis=1) <= WINDOW // 16
        alike &= (windows**2).sum(axis=1) >= _AUDIBLE  # silence is like a loop that falls silent
        return list(zip(indices[alike].tolist(), places[alike].tolist(), strict=True))


def _patterns_everywhere(negative: "NDArray[np.bool_]") -> "NDArray[np.uint64]":
    """For each place the signs of the 64 samples from there on, as the bits of one number (lowest first)."""
    patterns = negative.astype(np.uint64)
    length = 1
    while length < WINDOW:
        patterns = patterns[:-length] | (patterns[length:] << np.uint64(length))
        length *= 2
    return patterns


@lru_cache(maxsize=4)
def hold_loop(pcm: bytes) -> HoldLoop:
    """Return the loop of these samples (8 kHz SLIN); it is made once a process."""
    return HoldLoop(pcm)
