"""A voice on a constant offset, and a voice that is clipped. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.damage.model import RATE_HZ, Damage, Frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clipping", "offset"]

_OFFSET = 1.3  # of the voice's RMS; prompts that are in use have up to 0.85
_LEAST_OFFSET = 300.0
_TOP = 0.985  # of the highest sample: one step of G.711
_CLIPPED = 0.05  # of all samples; a voice of -10 dBFS with its peaks cut off has 0.035 at the most
_FLAT = 3  # samples in a row


def offset(frames: Frames) -> Damage | None:
    """Say by how much the voice is off its middle, where that is more than its own strength."""
    if not len(frames):
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
