"""What this room finds: one fault of a sound, and the frames of a sound that all its judges look at."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["AUDIBLE_RMS", "FRAME", "FULL_SCALE", "RATE_HZ", "Damage", "Frames", "dbfs"]

RATE_HZ = 8000
FRAME = 160
"""Samples, 20 ms."""
FULL_SCALE = 32768.0
AUDIBLE_RMS = FULL_SCALE * 10**-2.5
"""-50 dBFS, as in `hearing.loudness`."""
_PEAKS, _PEAKED = 4, 0.55
_LEAST_POWER = AUDIBLE_RMS**2


@dataclass(frozen=True, slots=True)
class Damage:
    """One fault of a sound.

    `kind`: which judge found it: `format`, `channels`, `noise`, `file`, `rate`, `dc`, `clipping`, `overflow`,
    `clicks`, `cuts`, `fades`, `repeats`, `lost`, `paused` or `voices`. `what`: the fault for people, cause included.
    `at_s`: where it begins, in seconds from the start of the sound. `amount`: how much of it there is, in the unit that
    `what` names; None where there is nothing to count. `duration_ms`: how long it lasts. `places`: each single fault,
    as (sample of the sound, length in samples or 0); empty where it is throughout, or its places are not known.
    """

    kind: str
    what: str
    at_s: float
    amount: float | None = None
    duration_ms: int = 0
    places: "tuple[tuple[int, int], ...]" = ()


class Frames:
    """The frames of 20 ms of a sound that are audible and lie in none of its holes (position, length)."""

    def __init__(self, wave: "NDArray[np.float64]", holes: "Sequence[tuple[int, int]]" = ()) -> None:
        count = len(wave) // FRAME
        every = wave[: count * FRAME].reshape(count, FRAME)
        mean = every.mean(axis=1)
        power = np.square(every).mean(axis=1) - mean**2
        kept = power >= _LEAST_POWER
        for start, length in holes:
            kept[max(0, start) // FRAME : (start + length - 1) // FRAME + 1] = False
        self.first = np.flatnonzero(kept) * FRAME
        """The first sample of each frame."""
        self.wave: NDArray[np.float64] = every[kept]
        """The frames: shape (n, FRAME)."""
        self.centred: NDArray[np.float64] = self.wave - mean[kept, None]
        """The same without their means."""
        self.power: NDArray[np.float64] = power[kept]
        """Mean square of each, its mean taken off."""

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def flat(self) -> "NDArray[np.bool_]":
        """Whether each frame has its power all over the spectrum, as noise has, not in a few peaks, as tones have."""
        power = np.square(np.abs(np.fft.rfft(self.centred * np.hanning(FRAME), axis=1)))
        highest = np.partition(power, -_PEAKS, axis=1)[:, -_PEAKS:].sum(axis=1)
        flat: NDArray[np.bool_] = highest <= _PEAKED * power.sum(axis=1)
        return flat

    @cached_property
    def smoothness(self) -> "NDArray[np.float64]":
        """The correlation of neighbouring samples in each frame: about 0 for white noise, 0.9 for a vowel."""
        wave = self.centred
        smooth: NDArray[np.float64] = np.einsum("ij,ij->i", wave[:, 1:], wave[:, :-1]) / (self.power * FRAME)
        return smooth


def dbfs(power: float) -> float:
    """The level of a mean square, in dB below that of a full-scale square wave."""
    return float(10 * np.log10(max(power, 1e-9) / FULL_SCALE**2))
