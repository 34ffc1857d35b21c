"""Gathers the newest frames of the calls for a few milliseconds, so that one run of the model judges them all.

Only a frame that completes a window of the model waits, and only while enough calls listen. For the call it is as if
its audio had come so much later; what it plays meanwhile counts as played after it, so that no echo changes its delay
(`CallerInput.played`). A call never has two frames waiting: the next one ends the wait of the first
(`CallerInput.hear`), so that what one connection costs stays within its share of the loop.
"""

import asyncio
from collections.abc import Callable

from audiosocket_server.endpointing import GradedVad, SileroBatch, SileroStream, SileroVad, SileroWindow

__all__ = ["LEAST_CALLS", "MOST_WINDOWS", "Gathering"]

LEAST_CALLS = 12
"""Below this number of calls with a detector few frames would come together, and the processor has time enough."""
MOST_WINDOWS = 32
"""The most windows that one run judges, which took 2.6 to 3 ms on a slow processor."""


class Gathering:
    """The frames that wait, of the calls of one loop. `seconds`: how long the first of them waits for others."""

    def __init__(self, batch: SileroBatch, seconds: float) -> None:
        self.calls = 0
        """How many calls have a detector; set by `Detectors`."""
        self._batch = batch
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[SileroStream, tuple[SileroWindow, Callable[[], None]]] = {}
        self._due: asyncio.Handle | None = None

    def add(self, vad: GradedVad | None, frame: bytes, take: Callable[[], None]) -> bool:
        """Let a frame (20 ms of SLIN, 8 kHz), the next one of its call, wait for others. Returns False if it need not.

        `take` is called soon, once: then give the frame to the detector, which finds its verdict ready. It is not
        called if the next frame of the call comes to wait before.
        """
        if self.calls < LEAST_CALLS or not isinstance(vad, SileroVad):
            return False
        window = vad.window_with(frame)
        if window is None or not isinstance(vad.model, SileroStream):
            return False
        is_more = vad.model not in self._waiting  # else the wait of a frame before was ended
        self._waiting[vad.model] = (window, take)
        if self._due is None:
            self._due = self._loop.call_later(self._seconds, self._judge)
        elif is_more and len(self._waiting) == MOST_WINDOWS:
            self._due.cancel()
            self._due = self._loop.call_soon(self._judge)
        return True

    def _judge(self) -> None:
        self._due = None
        waiting, self._waiting = self._waiting, {}
        try:
            self._batch.judge_ahead([(stream, window) for stream, (window, _) in waiting.items()])
        finally:  # what was not judged ahead is judged by itself
            for _, take in waiting.values():
                take()

    def close(self) -> None:
        """Let nothing wait any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
