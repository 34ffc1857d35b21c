"""Sound at a device's own rate to 8 kHz and back, piece by piece, as one unbroken stream. Pure arithmetic.

A windowed sinc as a polyphase filter, which lags by 1.5 ms. `audiosocket_core.resampling` is not used here because a
conversation cannot wait for it: soxr's streams lag by 75 to 175 ms (measured at 48 and 44.1 kHz), and its fastest
setting has no filter.
"""

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core.slin import SAMPLE_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RATE_HZ", "StreamResampler"]

RATE_HZ = 8000
"""The rate of a phone, and of AudioSocket's kind 0x10."""
_LOBES = 12  # of the sinc, on each side
_CUT_OFF = 0.93  # share of the lower rate's Nyquist frequency


class StreamResampler:
    """Resamples one direction of one device. 16-bit mono in and out, as bytes."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._same = from_hz == to_hz
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._bank = _bank(self._up, from_hz, to_hz)
        self._held = np.zeros(self._bank.shape[1] - 1, dtype=np.float32)
        self._next = 0  # place of the next output sample, in 1/up of an input sample after the end of `_held`

    def feed(self, pcm: bytes) -> bytes:
        """Take the next piece of any length, and return the resampled sound that is ready."""
        if self._same:
            return pcm
        new = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // SAMPLE_BYTES).astype(np.float32)
        sound = np.concatenate([self._held, new])
        self._held = sound[len(new) :]
        places = np.arange(self._next, len(new) * self._up, self._down)
        self._next += len(places) * self._down - len(new) * self._up
        if not len(places):
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(sound, self._bank.shape[1])[places // self._up]
        out = np.einsum("ij,ij->i", windows, self._bank[places % self._up])
        return bytes(np.clip(np.rint(out), -32_768, 32_767).astype("<i2").tobytes())


def _bank(up: int, from_hz: int, to_hz: int) -> "NDArray[np.float32]":
    """Return the filter bank, shape (up, 2 * reach): for each place between two input samples, the weights of the
    samples around it, the oldest first. Each row sums to 1.
    """
    cut_off = _CUT_OFF * min(1.0, to_hz / from_hz)  # share of the input's Nyquist frequency
    reach = round(_LOBES * max(1.0, from_hz / to_hz))
    distance = np.arange(reach, -reach, -1)[None, :] - 1 + np.arange(up)[:, None] / up
    weights = np.sinc(cut_off * distance) * np.cos(np.pi / 2 * np.clip(distance / reach, -1, 1)) ** 2
    bank: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return bank
