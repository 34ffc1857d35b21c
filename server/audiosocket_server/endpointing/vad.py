"""What a voice activity detector is, and WebRTC's. Pure."""

from collections.abc import Callable
from typing import Protocol

import webrtcvad

__all__ = ["FRAME_BYTES", "FRAME_MS", "Vad", "WebRtcVad"]

FRAME_MS = 20
FRAME_BYTES = 320


class Vad(Protocol):
    """A voice activity detector with a memory: one per call, given its frames in order."""

    @property
    def adapts(self) -> bool:
        """Must it hear all audio, also what does not count? It learns the line's noise from it.

        One that does not adapt is only given what may count, after a `reset`: a good one costs too much to run for
        nothing.
        """

    def is_speech(self, frame: bytes) -> bool:
        """Is this frame (20 ms of SLIN, 8 kHz) speech?"""

    def reset(self) -> None:
        """Forget the audio so far: what comes next does not follow upon it."""


class WebRtcVad:
    """The detector of WebRTC. `aggressiveness` 0 lets most through as speech, 3 least. About 1.5 us a frame.

    It stays «speech» for about 100 ms after speech.
    """

    adapts = True

    def __init__(self, aggressiveness: int) -> None:
        ask, samples = webrtcvad.Vad(aggressiveness).is_speech, FRAME_BYTES // 2
        # Given by place: names cost as much again as a quiet frame's verdict.
        self.is_speech: Callable[[bytes], bool] = lambda frame: ask(frame, 8000, samples)

    def reset(self) -> None:
        """It knows no end: it adapts to the line of its one call."""
