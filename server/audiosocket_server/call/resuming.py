"""Where a message that was paused goes on: at the beginning of the word, or of the sound, under way. Pure.

A message goes on at most `MOST_BACK_MS` before the place where it was paused, so that nothing is said twice that was
clearly heard. A pause between its own words is not waited for again: it goes on at most `MOST_AHEAD_MS` later. Nor is
what is left of a word before such a pause said alone, a stub and then silence: if it is soft, as the ends of words are,
the message goes on behind the pause, and else further back, so that more of the word is heard. What has hardly begun
behind a pause is said again from its beginning, at most `MOST_ANEW_MS` before.
"""

from collections.abc import Sequence

import numpy as np

from audiosocket_server.speech.base import WordEnd

__all__ = ["MOST_AHEAD_MS", "MOST_ANEW_MS", "MOST_BACK_MS", "quiet_before", "resume_at"]

MOST_BACK_MS = 240
MOST_ANEW_MS = 280
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
_STUB_STEPS = 10
"""What is left before a pause is a stub if it is not longer than 200 ms."""
_TAIL_QUIETER = 12
"""A stub that is by this factor (22 dB) below the loudest sound near by is the tail of a word that was heard."""
_WITH_STUB_STEPS = 5
"""Before a stub that is not soft the message goes on within the first 100 ms of how far it may go back."""


def resume_at(said_ms: int, ends: Sequence[WordEnd], sound: bytes) -> int:
    """Return where to go on, in ms of the message, in steps of 20 ms.

    `said_ms`: where it was paused, in such steps. `ends`: where its words end, as far as that is known. `sound`: the
    message (SLIN, 8 kHz) from its beginning, as far as it is there.
    """
    near = _Near(said_ms, sound)
    at = said_ms // STEP_MS
    if near.is_quiet(at) and (near.is_quiet(at - 1) or near.next_sound(at) - at >= _BETWEEN_WORDS_STEPS):
        return near.next_sound(at) * STEP_MS
    stub_ends = near.stub_ends(at)
    if stub_ends is not None and near.is_tail(at, stub_ends):
        return near.next_sound(stub_ends) * STEP_MS
    if (begun := near.begun(at)) is not None:
        return begun * STEP_MS
    first, last = at - MOST_BACK_MS // STEP_MS, at - _WORD_ENDS_BEFORE_STEPS
    words = [end.ends_ms // STEP_MS for end in ends if max(0, first) <= end.ends_ms // STEP_MS <= last]
    if words:
        return min(at, near.next_sound(words[-1])) * STEP_MS
    until = at if stub_ends is None else max(0, first) + _WITH_STUB_STEPS
    return near.softest(max(0, first), min(at, until)) * STEP_MS


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

    def begun(self, at: int) -> int | None:
        """The first step behind the newest pause that ended within the last 280 ms; None: there was none."""
        quiet, begun = 0, None
        for step in range(at - MOST_ANEW_MS // STEP_MS - _BETWEEN_WORDS_STEPS, at):
            if not self.is_quiet(step) and quiet >= _BETWEEN_WORDS_STEPS:
                begun = step
            quiet = quiet + 1 if self.is_quiet(step) else 0
        return begun

    def stub_ends(self, at: int) -> int | None:
        """The first step of a pause that begins within 200 ms; None: there is none."""
        ends = (step for step in range(at, at + _STUB_STEPS + 1) if self.is_quiet(step))
        return next((step for step in ends if self.next_sound(step) - step >= _BETWEEN_WORDS_STEPS), None)

    def is_tail(self, at: int, ends: int) -> bool:
        """Whether what is left from `at` to `ends` is the soft end of a word."""
        rest = self._peaks[at - self._first : ends - self._first]
        return bool(rest.max(initial=0) * _TAIL_QUIETER <= self._peaks.max(initial=0))

    def softest(self, first: int, at: int) -> int:
        """Where the sound begins again behind its newest softest step in first..at; `at`: nothing is known of it."""
        known = self._peaks[max(0, first - self._first) : max(0, at - self._first)]
        if not len(known):
            return at
        step = max(first, self._first) + len(known) - 1 - int(np.argmin(known[::-1]))
        return step + 1 if self.is_quiet(step) else step
