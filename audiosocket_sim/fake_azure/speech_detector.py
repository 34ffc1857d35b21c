"""Find where speech begins and ends in a stream of sound, by its energy over the line's noise. Pure; no speech model.

A piece of 20 ms is loud if it is 9 dB over the noise floor and over -48 dBFS. The noise floor is the quietest 100 ms of
the last 3 s. Three loud pieces of four begin a phrase; the client's segmentation silence ends it. This works on
telephone lines with a signal-to-noise ratio of 10 dB or more. In worse noise a phrase ends late, at the latest with the
audio.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from audiosocket_core.slin import level_dbfs

__all__ = ["PhraseEnded", "PhraseStarted", "SpeechDetector"]

_PIECE_MS = 20
_PIECE_BYTES = 2 * 8 * _PIECE_MS
_SOFTEST_DBFS, _OVER_FLOOR_DB = -48.0, 9.0
_HIGHEST_FLOOR_DBFS = -30.0  # speech without a pause must not count as noise
_FLOOR_PIECES = 5  # pieces in a window: 100 ms
_FLOOR_WINDOWS = 30  # windows of 100 ms: 3 s
_WINDOW, _LOUD = 4, 3  # pieces


@dataclass(frozen=True, slots=True)
class PhraseStarted:
    """Speech began at `at_ms`."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class PhraseEnded:
    """Speech ended at `at_ms`; there has been silence since."""

    at_ms: int


class SpeechDetector:
    """The detector of one turn. Sound is 8 kHz SLIN; times are milliseconds from the first sample.

    silence_ms: how much silence ends a phrase.
    """

    def __init__(self, silence_ms: int) -> None:
        self._silence_ms = silence_ms
        self._pending = bytearray()
        self._now_ms = 0
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._levels: list[float] = []
        self._floors: deque[float] = deque(maxlen=_FLOOR_WINDOWS)
        self._speaking = False
        self._last_loud_ms = 0

    @property
    def last_loud_ms(self) -> int:
        """The end of the last loud piece."""
        return self._last_loud_ms

    def feed(self, pcm: bytes) -> Iterator[PhraseStarted | PhraseEnded]:
        """Take sound of any length, and yield the beginnings and ends of speech in it, in order."""
        self._pending += pcm
        whole = len(self._pending) // _PIECE_BYTES * _PIECE_BYTES
        pieces = bytes(self._pending[:whole])
        del self._pending[:whole]
        for at in range(0, whole, _PIECE_BYTES):
            yield from self._piece(level_dbfs(pieces[at : at + _PIECE_BYTES]))

    def end_phrase(self) -> None:
        """End the current phrase without waiting for silence."""
        self._speaking = False
        self._recent.clear()

    def _piece(self, level: float) -> Iterator[PhraseStarted | PhraseEnded]:
        loud = level > self._threshold()
        self._learn(level)
        self._now_ms += _PIECE_MS
        self._recent.append(loud)
        if loud:
            self._last_loud_ms = self._now_ms
        if not self._speaking and sum(self._recent) >= _LOUD:
            self._speaking = True
            yield PhraseStarted(self._now_ms - _PIECE_MS * (len(self._recent) - list(self._recent).index(True)))
        elif self._speaking and self._now_ms - self._last_loud_ms >= self._silence_ms:
            self.end_phrase()
            yield PhraseEnded(self._last_loud_ms)

    def _threshold(self) -> float:
        if not self._floors:
            return 0.0  # the noise floor is not known yet
        return max(_SOFTEST_DBFS, min(min(self._floors), _HIGHEST_FLOOR_DBFS) + _OVER_FLOOR_DB)

    def _learn(self, level: float) -> None:
        self._levels.append(level)
        if len(self._levels) == _FLOOR_PIECES:
            self._floors.append(sum(self._levels) / _FLOOR_PIECES)
            self._levels.clear()
