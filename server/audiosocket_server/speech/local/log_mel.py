"""The log-mel spectrogram that Whisper takes as its input. Pure, numpy.

As in OpenAI's Whisper (audio.py): 25 ms Hann windows every 10 ms, 80 mel bands on Slaney's scale up to 8 kHz, logarithm
to base 10, at most 80 dB of range, scaled to about -1..1.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "FRAMES_A_SECOND", "RATE_HZ", "log_mel"]

RATE_HZ = 16_000
FRAMES_A_SECOND = 100
BANDS = 80

_WINDOW = 400
_HOP = RATE_HZ // FRAMES_A_SECOND
_FLOOR = 1e-10
_RANGE = 8.0  # powers of ten below the loudest value

# Slaney's scale: linear up to 1 kHz, then logarithmic.
_HZ_A_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_A_MEL
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return the spectrogram, shape (`BANDS`, `frames`), of samples in -1..1 at 16 kHz.

    `frames`: its length in frames of 10 ms, to which the sound is cut or filled up with silence.
    """
    length = frames * _HOP
    sound = np.zeros(length, np.float32)
    kept = samples[:length]
    sound[: len(kept)] = kept
    # Frames beyond the sound are digital silence, which needs no transform.
    loud_frames = min(frames, -(-(len(kept) + _WINDOW // 2) // _HOP) + 1)
    padded = np.pad(sound, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:loud_frames]
    spectrum = np.fft.rfft(windows * _hann(), axis=1)
    energies = np.full((BANDS, frames), _FLOOR)
    power = spectrum.real**2 + spectrum.imag**2
    energies[:, :loud_frames] = np.maximum(_filters() @ power.T, _FLOOR)
    logs = np.log10(energies)
    logs = np.maximum(logs, logs.max() - _RANGE)
    return np.ascontiguousarray((logs + 4.0) / 4.0, dtype=np.float32)


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float64]:
    """Return the mel filters, shape (`BANDS`, bins): triangles of equal area, with corners equally spaced in mels."""
    corners = _hz(np.linspace(0.0, _mel(RATE_HZ / 2), BANDS + 2))
    bins = np.linspace(0.0, RATE_HZ / 2, _WINDOW // 2 + 1)
    rising = (bins[None, :] - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins[None, :]) / (corners[2:] - corners[1:-1])[:, None]
    areas = 2.0 / (corners[2:] - corners[:-2])
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * areas[:, None]
    return triangles


def _mel(hz: float) -> float:
    """Convert a frequency above 1 kHz to mels."""
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * _HZ_A_MEL
    logarithmic = _BREAK_HZ * np.exp(_LOG_STEP * (np.minimum(mels, 1e3) - _BREAK_MEL))
    hz: NDArray[np.float64] = np.where(mels < _BREAK_MEL, linear, logarithmic)
    return hz
