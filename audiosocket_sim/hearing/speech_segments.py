"""Divides sound into stretches of speech and finds their words. Pure; positions are samples of 8 kHz.

A stretch begins with its first audible sample and ends with its last. It has ended after 600 ms of quiet, or after
200 ms if a known phrase was heard to its end, so that two messages half a second apart are two stretches. A pause that
belongs to the phrase does not end the stretch. Must not know of time, or of hold audio, which is taken out before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.loudness import Bounds, audible_stretches
from audiosocket_sim.hearing.noise_floor import NoiseAwareLoudness

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HeardMatch", "ListeningLike", "MatcherLike", "SpeechSegments", "Stretch"]

_MS = 8  # samples
_SHORTEST = 30 * _MS  # a shorter sound is a click, not speech
_SHORT_QUIET = 200 * _MS
_LONG_QUIET = 600 * _MS
_LONGEST_HOLE = 8 * _LONG_QUIET  # a stretch with a longer one in it has ended
_STEP = 100 * _MS
_LEAD = 40 * _MS  # given to the matcher before the first audible sample
_NOISY_LEAD = 600 * _MS  # kept for the matcher where a noise lets the beginning be known late
_READING = 400 * _MS
_PARTED = 20 * _MS
_SLACK = 150 * _MS  # between the end of a phrase by the matcher and by the ear
_UNREAD = 200 * _MS  # sound beside a known phrase that is no longer than this is counted as part of it
_UNREAD_IN_NOISE = 400 * _MS  # the same, where a noise makes the edges of sound uncertain


class HeardMatch(Protocol):
    """A phrase in what was fed: `audiosocket_core.phrase_book.matching.Match`."""

    @property
    def phrase(self) -> Phrase:
        """The phrase that was recognised."""

    @property
    def start_ms(self) -> int:
        """Where the phrase begins in the sound, in ms."""

    @property
    def speech_end_ms(self) -> int:
        """Where its speech ends in the sound, in ms."""

    @property
    def whole(self) -> bool:
        """Was the phrase heard to its end?"""

    @property
    def inserted_ms(self) -> int:
        """How much later its end comes than in the recording, in ms; negative: earlier."""


class ListeningLike(Protocol):
    """A matcher's work on one stretch of sound."""

    def feed(self, pcm: bytes) -> None:
        """Hear more: 8 kHz SLIN."""

    def matches(self) -> Sequence[HeardMatch]:
        """All phrases that were recognised so far, in their order."""


class MatcherLike(Protocol):
    """`audiosocket_core.phrase_book.matching.Matcher`, or a fake of it."""

    def listen(self) -> ListeningLike:
        """Begin with a stretch of sound."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech from its first to its last audible sample; `phrase` is None where it is not a known one.

    `pauses`: the quiet of 200 ms and more in it, from its first sample to before the next audible one.
    """

    first: int
    last: int
    phrase: Phrase | None = None
    whole: bool = False
    pauses: tuple[Bounds, ...] = ()


class SpeechSegments:
    """Follows one sound. `holes(start, end)` returns the holes of the sound as (position, length); the matcher never
    gets them. `on_started` is called with the first sample of a stretch, `on_ended` with the stretch, `on_click` with
    the bounds of a sound that is too short to be speech, `on_noise` with those of a steady noise without speech."""

    def __init__(
        self,
        matcher: MatcherLike | None,
        holes: Callable[[int, int], list[tuple[int, int]]],
        on_started: Callable[[int], None],
        on_ended: Callable[[Stretch], None],
        on_click: Callable[[Bounds], None] = lambda bounds: None,
        on_noise: Callable[[Bounds], None] = lambda bounds: None,
    ) -> None:
        self.matcher = matcher
        """Reads the stretches that begin from now on; None: they are heard, but not read."""
        self._holes = holes
        self._on_started = on_started
        self._on_ended = on_ended
        self._loudness = NoiseAwareLoudness()
        self._noisy = False  # there was a noise under the stretch that is open
        self._on_click = on_click
        self._on_noise = on_noise
        self._recent: NDArray[np.int16] = np.zeros(0, np.int16)
        self._position = 0
        self._runs: list[Bounds] = []  # what is audible of the stretch that is open
        self._told = False
        self._ended_at: int | None = None  # the last audible sample of the stretch before
        self._deadline = 0
        self._short = True  # the next deadline is that of the short quiet
        self._listening: ListeningLike | None = None
        self._fed = 0
        self._fed_from: list[tuple[int, int]] = []  # (samples fed, position) wherever the two go apart
        self.last_audible: int | None = None
        """The last audible sample of speech so far; None before any."""

    @property
    def in_noise(self) -> bool:
        """Whether there is a steady noise under the sound now."""
        return self._loudness.in_noise

    @property
    def noise_dbfs(self) -> float | None:
        """The level of that noise; None if there is none."""
        return self._loudness.noise_dbfs

    @property
    def open_at(self) -> int | None:
        """The first sample of the stretch that has not ended yet; None if there is none."""
        return self._runs[0][0] if self._runs else None

    def unread_from(self, position: int) -> int | None:
        """Return from where on the sound is not part of a stretch that has ended, nor of a phrase that was read; None
        if a known phrase is being said at this position."""
        ended = 0 if self._ended_at is None else self._ended_at + 1
        matches = self._matches()
        if not matches:
            return ended
        read_to = self._end_of(matches[-1]) + 1
        return None if position - read_to < _READING else max(ended, read_to)

    # --- what comes in, in order

    def skip(self, end: int) -> None:
        """Take digital silence, or hold audio, up to `end`."""
        if self._runs:
            self.feed(self._position, np.zeros(end - self._position, np.int16))
        elif end > self._position:
            if len(self._recent):
                self._end_sound()
                self._recent = self._recent[:0]
            self._position = end

    def feed(self, start: int, samples: "NDArray[Any]") -> None:
        """Take the sound that follows the sound before; `start` is the position of its first sample."""
        self._position = start
        end = start + len(samples)
        while self._position < end:
            at = self._position
            upto = min(end, at + _STEP)
            if self._runs:
                upto = min(upto, self._deadline)
            self._take(at, samples[at - start : upto - start])
            self._position = upto
            if self._runs and upto >= self._deadline:
                self._decide()

    def finish(self, end: int) -> None:
        """End the open stretch, if there is one, before `end`: the call is over, or hold audio begins."""
        self._runs = [(first, min(last, end - 1)) for first, last in self._runs if first < end]
        if self._runs:
            self.last_audible = self._runs[-1][1]
            self._told = self._told and (self.last_audible - self._runs[0][0] >= _SHORTEST)
            self._close(self._matches())
        self._end_sound()
        self._drop()

    def _end_sound(self) -> None:
        """What follows has nothing to do with the sound so far."""
        self._loudness.reset()
        self._tell_noise(self._position)

    def _tell_noise(self, position: int) -> None:
        if self._loudness.alone is not None:
            first, end = self._loudness.alone
            self._on_noise((position + first, position + end - 1))

    # --- the stretch that is open

    def _take(self, at: int, samples: "NDArray[Any]") -> None:
        found = self._loudness.feed(samples)
        if self._loudness.revised is not None:
            self._revise(at, *self._loudness.revised)
        self._tell_noise(at)
        self._noisy = self._noisy or self._loudness.in_noise
        if found is not None and not self._is_told(at + found[1]):
            first, last = at + found[0], at + found[1]
            if not self._runs and self._loudness.in_noise and self._ended_at is not None:
                first = max(first, self._ended_at + 1)
            if not self._runs:
                self._begin(first)
            if self._runs and first - self._runs[-1][1] <= _PARTED:
                self._runs[-1] = (self._runs[-1][0], last)
            else:
                self._runs.append((first, last))
            self.last_audible = last
            self._deadline, self._short = last + 1 + _SHORT_QUIET, True
            if not self._told and last - self._runs[0][0] >= _SHORTEST:
                self._told = True
                self._on_started(self._runs[0][0])
        sound = samples.astype(np.int16, copy=False)
        self._listen(at, sound)
        self._recent = np.concatenate((self._recent, sound))[-(_NOISY_LEAD if self._noisy else 2 * _LEAD) :]

    def _is_told(self, last: int) -> bool:
        """Whether this is the end of a stretch that has been reported, corrected by what a noise hid."""
        ended = self._ended_at
        return not self._runs and self._loudness.in_noise and ended is not None and last <= ended + _SLACK

    def _revise(self, at: int, start: int, speech: list[Bounds]) -> None:
        """A steady noise became known under the sound: of what was taken for speech, keep what is."""
        if not self._runs:
            return
        before = [(first, min(last, at + start)) for first, last in self._runs if first < at + start]
        self._runs = [*before, *((at + first, at + last) for first, last in speech if last > first)]
        if self._runs:
            self.last_audible = self._runs[-1][1]
            self._deadline, self._short = max(self.last_audible + 1 + _SHORT_QUIET, at), True
        else:
            self._drop()
            self.last_audible = self._ended_at

    def _begin(self, first: int) -> None:
        if self.matcher is None:
            return
        self._listening = self.matcher.listen()
        self._fed, self._fed_from = 0, []
        lead = max(0, (_LEAD if not self._noisy else _LEAD + _SHORTEST) + self._position - first)
        before = self._recent[max(0, len(self._recent) - lead) :]
        self._listen(self._position - len(before), before)

    def _listen(self, start: int, sound: "NDArray[np.int16]") -> None:
        """Give the matcher a sound without its holes."""
        if self._listening is None:
            return
        for at, end in self._between_holes(start, start + len(sound)):
            if not self._fed_from or self._position_of(self._fed) != at:
                self._fed_from.append((self._fed, at))
            self._listening.feed(sound[at - start : end - start].tobytes())
            self._fed += end - at

    def _between_holes(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of a sound between its holes, from a position to the one behind the last."""
        at = start
        for hole, length in self._holes(max(0, start - _LONGEST_HOLE), end):
            if hole > at:
                yield at, hole
            at = max(at, hole + length)
        if at < end:
            yield at, end

    def _decide(self) -> None:
        matches = self._matches()
        if not self._short:
            self._close(matches)
            return
        last = self._runs[-1][1]
        quiet = _LONG_QUIET
        if matches:
            latest = matches[-1]
            if latest.whole and last - self._end_of(latest) <= _SLACK:
                self._close(matches)
                return
            quiet = max(quiet, self._pause_of(latest, last) + _SHORT_QUIET)
        self._deadline, self._short = last + 1 + quiet, False

    def _matches(self) -> Sequence[HeardMatch]:
        return () if self._listening is None else self._listening.matches()

    def _pause_of(self, match: HeardMatch, last: int) -> int:
        """How long the phrase itself pauses at this place; 0 where it does not."""
        if match.whole:
            return 0
        into = last - self._origin(match)
        later = (first for first, end in audible_stretches(match.phrase.pcm) if end > into + _PARTED)
        return max(0, next(later, into) - into)

    # --- the stretch that has ended

    def _close(self, matches: Sequence[HeardMatch]) -> None:
        if not self._told:
            self._on_click((self._runs[0][0], self._runs[-1][1]))
        else:
            for stretch in self._stretches(matches):
                self._on_ended(stretch)
        self._ended_at = self.last_audible
        self._drop()

    def _drop(self) -> None:
        self._runs = []
        self._listening = None
        self._told = False
        self._noisy = self._loudness.in_noise

    def _stretches(self, matches: Sequence[HeardMatch]) -> list[Stretch]:
        """The open stretch, divided where phrases follow one another or unknown speech stands beside one."""
        edges: list[tuple[int, HeardMatch | None]] = [(self._runs[0][0], None)]
        unread = _UNREAD_IN_NOISE if self._noisy else _UNREAD
        for match in matches:
            bounds = audible_stretches(match.phrase.pcm)
            start = max(self._origin(match) + (bounds[0][0] if bounds else 0), edges[-1][0])
            if len(edges) == 1 and start - edges[0][0] <= unread:
                start = edges.pop()[0]
            edges += [(start, match), (self._end_of(match) + 1, None)]
        if len(edges) > 1 and self._runs[-1][1] - edges[-1][0] < unread:
            edges.pop()
        ends = [start for start, _ in edges[1:]] + [self._runs[-1][1] + 1]
        found = [
            self._stretch(audible, match)
            for (start, match), end in zip(edges, ends, strict=True)
            if (audible := self._bounds(start, end, match)) is not None
        ]
        return [s for s in found if s.phrase is not None or s.last - s.first >= unread] or found[:1]

    def _stretch(self, bounds: Bounds, match: HeardMatch | None) -> Stretch:
        quiet = ((before[1] + 1, after[0]) for before, after in pairwise(self._runs))
        within = (pause for pause in quiet if bounds[0] < pause[0] and pause[1] <= bounds[1])
        stretch = Stretch(*bounds, pauses=tuple(p for p in within if p[1] - p[0] >= _SHORT_QUIET))
        return stretch if match is None else replace(stretch, phrase=match.phrase, whole=match.whole)

    def _bounds(self, start: int, end: int, match: HeardMatch | None) -> Bounds | None:
        """What is audible of a part; of a known phrase in a noise, which hides its edges, what the phrase says."""
        audible = self._audible(start, end)
        if not self._noisy or match is None or audible is None:
            return audible
        bounds = audible_stretches(match.phrase.pcm)
        first = self._origin(match) + bounds[0][0] if bounds else audible[0]
        return first, self._end_of(match) if match.whole else max(first, audible[1])

    def _audible(self, start: int, end: int) -> Bounds | None:
        runs = [(max(first, start), min(last, end - 1)) for first, last in self._runs if first < end and last >= start]
        return (runs[0][0], runs[-1][1]) if runs else None

    def _origin(self, match: HeardMatch) -> int:
        """The position of the recording's first sample, which may lie before the sound that the matcher was fed."""
        return self._position_of(match.start_ms * _MS)

    def _end_of(self, match: HeardMatch) -> int:
        """The position of the last sample of the phrase that was heard."""
        bounds = audible_stretches(match.phrase.pcm)
        if match.whole and bounds:
            return self._position_of((match.start_ms + match.inserted_ms) * _MS + bounds[-1][1])
        return self._position_of(match.speech_end_ms * _MS)

    def _position_of(self, fed: int) -> int:
        before = [(count, position) for count, position in self._fed_from if count <= fed] or self._fed_from[:1]
        count, position = before[-1] if before else (0, 0)
        return position + fed - count
