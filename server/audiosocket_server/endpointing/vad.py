"""Voice activity detection (VAD): the protocol of a detector, and WebRTC's detector. Pure."""

from collections.abc import Callable
from typing import Protocol

import webrtcvad

__all__ = ["FRAME_BYTES", "FRAME_MS", "Vad", "WebRtcVad"]

FRAME_MS = 20
FRAME_BYTES = 320


class Vad(Protocol):
    """Protocol of a voice activity detector. It has a memory: one per call, with the frames of the call in order."""

    @property
    def adapts(self) -> bool:
        """True if the detector needs all audio of the call, because it learns the noise of the line from it.

        A detector that does not adapt is expensive to run. It gets only the audio in which an utterance may begin,
        after a `reset`.
        """

    def is_speech(self, frame: bytes) -> bool:
        """Return True if the frame (20 ms of SLIN, 8 kHz) is speech."""

    def reset(self) -> None:
        """Forget the audio so far: the next frame does not continue it."""


class WebRtcVad:
    """The detector of WebRTC. About 1.5 µs a frame.

    `aggressiveness`: 0 (most audio counts as speech) to 3 (least). It reports speech for about 100 ms after speech.
    """

    adapts = True

    def __init__(self, aggressiveness: int) -> None:
        ask, samples = webrtcvad.Vad(aggressiveness).is_speech, FRAME_BYTES // 2
        # Positional arguments: keywords would double the time of the verdict on a quiet frame.
        self.is_speech: Callable[[bytes], bool] = lambda frame: ask(frame, 8000, samples)

    def reset(self) -> None:
        """No-op: this VAD keeps adapting for the whole call."""
