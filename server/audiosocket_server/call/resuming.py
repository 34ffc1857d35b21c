"""Where a message that was paused goes on: at the beginning of the word, or of the sound, under way. Pure.

A message goes on at most `MOST_BACK_MS` before the place where it was paused, so that nothing is said twice that was
clearly heard. A pause between its own words is not waited for again: it goes on at most `MOST_AHEAD_MS` later.
"""

from collections.abc import Sequence

import numpy as np

from audiosocket_server.speech.base import WordEnd

__all__ = ["MOST_AHEAD_MS", "MOST_BACK_MS", "quiet_before", "resume_at"]

MOST_BACK_MS = 240
MOST_AHEAD_MS = 400
STEP_MS = 20
_BYTES_A_STEP = 320
_NEAR_STEPS = 50
"""What is loud is told from the second before."""
_QUIETER_THAN_PEAK = 40
"""A step whose loudest sample is by this factor (32 dB) below the loudest one near by is a pause."""
_INAUDIBLE = 250.0
"""Nobody hears a step whose loudest sample is not above this (−42 dBFS) beside speech."""
_BETWEEN_WORDS_STEPS = 5
"""A quiet of 100 ms is a pause between words, and none within one."""
_WORD_ENDS_BEFORE_STEPS = 2
"""A word of which less than this was said has hardly begun."""


def resume_at(said_ms: int, ends: Sequence[WordEnd], sound: bytes) -> int:
    """Return where to go on, in ms of the message, in steps of 20 ms.

    `said_ms`: where it was paused, in such steps. `ends`: where its words end, as far as that is known. `sound`: the
    message (SLIN, 8 kHz) from its beginning, as far as it is there.
    """
    near = _Near(said_ms, sound)
    at = said_ms // STEP_MS
    if near.is_quiet(at) and (near.is_quiet(at - 1) or near.next_sound(at) - at >= _BETWEEN_WORDS_STEPS):
        return near.next_sound(at) * STEP_MS
    first, last = at - MOST_BACK_MS // STEP_MS, at - _WORD_ENDS_BEFORE_STEPS
    words = [end.ends_ms // STEP_MS for end in ends if max(0, first) <= end.ends_ms // STEP_MS <= last]
    if words:
        return min(at, near.next_sound(words[-1])) * STEP_MS
    return near.softest(max(0, first), at) * STEP_MS


def quiet_before(said_ms: int, sound: bytes) -> int:
    """Return for how many ms before `said_ms` the message has been in a pause between its own words."""
    near = _Near(said_ms, sound)
    at = said_ms // STEP_MS
    steps = 0
    while near.is_quiet(at - 1 - steps):
        steps += 1
    return steps * STEP_MS


class _Near:
    """How loud the message is near a place, in steps of 20 ms."""

    def __init__(self, said_ms: int, sound: bytes) -> None:
        self._first = max(0, said_ms // STEP_MS - _NEAR_STEPS)
        last = said_ms // STEP_MS + MOST_AHEAD_MS // STEP_MS
        part = sound[self._first * _BYTES_A_STEP : last * _BYTES_A_STEP]
        samples = np.frombuffer(part[: len(part) // _BYTES_A_STEP * _BYTES_A_STEP], "<i2").astype(np.int32)
        self._peaks = np.abs(samples).reshape(-1, _BYTES_A_STEP // 2).max(axis=1, initial=0)
        self._quiet = max(_INAUDIBLE, float(self._peaks.max(initial=0)) / _QUIETER_THAN_PEAK)
        self._end = self._first + len(self._peaks)

    def is_quiet(self, step: int) -> bool:
        return self._first <= step < self._end and bool(self._peaks[step - self._first] <= self._quiet)

    def next_sound(self, at: int) -> int:
        """The first step from `at` on that is not quiet, or the last one known."""
        while self.is_quiet(at):
            at += 1
        return at

    def softest(self, first: int, at: int) -> int:
        """Where the sound begins again behind its newest softest step in first..at; `at`: nothing is known of it."""
        known = self._peaks[max(0, first - self._first) : max(0, at - self._first)]
        if not len(known):
            return at
        step = max(first, self._first) + len(known) - 1 - int(np.argmin(known[::-1]))
        return step + 1 if self.is_quiet(step) else step
