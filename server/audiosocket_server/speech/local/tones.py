"""Detection of steady tones: dial and ringing tones, DTMF, hum. Pure, numpy.

A recogniser turns a tone into a word. In speech, too, nearly all power may lie in two narrow spectral lines for a while
(a long «i» of a high voice), but those lines move, and the lines of a machine do not.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_tones"]

# At 8 kHz: windows of 64 ms, every 32 ms. Bins are 15.6 Hz wide.
_RATE_HZ = 8_000
_WINDOW = 512
_HOP = 256
_LOUD = 1e-2  # share of the loudest window's power; softer windows do not count
_LINES = 2
_LINE_BINS = 3  # bins on each side of a line's peak: the width that the window gives a pure tone
_IN_LINES = 0.9  # share of a window's power
_STEADY_HZ = 3.0  # from one window to the next
# Share of the loud windows. Measured: at least 0.80 for tones, also in µ-law and with noise of -45 dBFS; at most 0.47
# for 358 human prompts and all of recordings/.
_MOSTLY = 0.65


def is_tones(pcm: bytes) -> bool:
    """Return True if the sound (SLIN, 8 kHz) is almost only steady tones. False for silence and for less than 64 ms."""
    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    if len(samples) < _WINDOW or not samples.any():
        return False
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    power[:, :_LINE_BINS] = 0.0
    total = power.sum(axis=1)
    loud = total > total.max(initial=0.0) * _LOUD
    hz, in_lines = _strongest_lines(power)
    # A window is steady if a line of the previous or the next window has the same frequency.
    moved = np.abs(hz[:-1, :1] - hz[1:]).min(axis=1, initial=np.inf)
    steady = np.zeros(len(hz), bool)
    steady[1:] |= moved < _STEADY_HZ
    steady[:-1] |= moved < _STEADY_HZ
    of_tones = loud & steady & (in_lines > _IN_LINES * total)
    return bool(of_tones.sum() > _MOSTLY * loud.sum())


def _strongest_lines(power: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the frequencies of each window's strongest lines in Hz, shape (windows, `_LINES`), and their power.

    `power`: shape (windows, bins). Frequencies are interpolated between bins. The power, shape (windows,), is summed
    over the lines.
    """
    rows = np.arange(len(power))
    left = power.copy()
    in_lines = np.zeros(len(power))
    hz = np.empty((len(power), _LINES))
    last = power.shape[1] - 1
    for line in range(_LINES):
        peak = np.clip(left.argmax(axis=1), 1, last - 1)
        below, at, above = (np.log(power[rows, peak + offset] + 1e-9) for offset in (-1, 0, 1))
        hz[:, line] = (peak + 0.5 * (below - above) / (below - 2.0 * at + above - 1e-12)) * _RATE_HZ / _WINDOW
        for offset in range(-_LINE_BINS, _LINE_BINS + 1):
            bins = np.clip(peak + offset, 0, last)
            in_lines += left[rows, bins]
            left[rows, bins] = 0.0
    return hz, in_lines
