"""A voice on a constant offset, a voice that is clipped, and one whose tops are folded over. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.damage.model import RATE_HZ, Damage, Frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clipping", "offset", "overflow"]

_OFFSET = 1.3  # of the voice's RMS; prompts that are in use have up to 0.85
_LEAST_OFFSET = 300.0
_FEWEST_OFF = 15  # frames; GSM leaves a bump of 0.2 s behind loud speech
_TOP = 0.985  # of the highest sample: one step of G.711
_CLIPPED = 0.05  # of all samples; a voice of -10 dBFS with its peaks cut off has 0.035 at the most
_FLAT = 3  # samples in a row
_FOLD, _SCALE = 50_000, 65_536  # from one sample to the next, of all values that there are
_SMOOTH, _STEADY = 10_000, 16_000
_FEWEST_FOLDS = 5  # in 6,840 clean sounds of up to -10 dBFS there are up to 3


def offset(frames: Frames) -> Damage | None:
    """Say by how much the voice is off its middle, where that is more than its own strength."""
    if len(frames) < _FEWEST_OFF:
        return None
    mean = float(frames.wave.mean())
    rms = float(np.sqrt(frames.power.mean()))
    if abs(mean) < max(_LEAST_OFFSET, _OFFSET * rms):
        return None
    what = f"the voice is on a constant offset of {mean:+.0f} (its own RMS is {rms:.0f}): a thump at both ends"
    return Damage("dc", what, float(frames.first[0]) / RATE_HZ, round(mean), 20 * len(frames))


def clipping(frames: Frames) -> Damage | None:
    """Say how much of the voice is cut off at its top."""
    if len(frames) < _FLAT:
        return None
    wave: NDArray[np.float64] = frames.wave
    high, low = float(wave.max()), float(wave.min())
    over = (wave >= _TOP * high) if high >= -low else np.zeros_like(wave, np.bool_)
    under = (wave <= _TOP * low) if -low >= 0.9 * high else np.zeros_like(wave, np.bool_)
    flat = over | under | ((wave >= _TOP * high) if high >= -0.9 * low else np.zeros_like(wave, np.bool_))
    runs = flat[:, 2:] & flat[:, 1:-1] & flat[:, :-2]
    share = float(flat.mean())
    if share < _CLIPPED or not runs.any():
        return None
    first = int(flat.any(axis=1).argmax())
    what = f"the voice is clipped: {100 * share:.0f} % of its samples are at the highest value"
    return Damage("clipping", what, float(frames.first[first]) / RATE_HZ, round(100 * share, 1), 20 * len(frames))


def overflow(wave: "NDArray[np.float64]") -> Damage | None:
    """Say how often a wave leaves the scale at one end and comes back at the other, as integers do that overflow.

    With the scale taken off the step is no larger than those around it. A wave that is cut off can jump as far, but
    from the very end of the scale, or to it.
    """
    steps = np.diff(wave)
    without = steps - np.copysign(_SCALE, steps)
    smooth = np.abs(without[1:-1] - (steps[:-2] + steps[2:]) / 2) < _SMOOTH
    steady = np.maximum(np.abs(steps[:-2]), np.abs(steps[2:])) < _STEADY
    beside = np.maximum(np.abs(wave[:-1]), np.abs(wave[1:]))[1:-1] < _TOP * np.abs(wave).max(initial=0.0)
    places = np.flatnonzero((np.abs(steps[1:-1]) >= _FOLD) & smooth & steady & beside)
    if len(places) < _FEWEST_FOLDS:
        return None
    times = f"at least {len(places)} times"
    what = f"the tops of the wave are folded over, {times}, as by a gain whose samples overflow: crackling"
    duration_ms = round(float(places[-1] - places[0]) * 1000 / RATE_HZ)
    return Damage("overflow", what, float(places[0]) / RATE_HZ, len(places), duration_ms)
