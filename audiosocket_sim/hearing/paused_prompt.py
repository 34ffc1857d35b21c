"""Finds where a bot paused in the midst of a known prompt, and what of it it then said twice. Pure, numpy.

The sound between two pauses is looked for in the prompt. What is quiet there, and not in the prompt, was put in; what
lies before the place where the sound before had ended is said twice. Silence in place of sound is no pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_core.phrase_book.fingerprint import Array
from audiosocket_sim.hearing.damage.book_search import PIECE, BookSound, book_sound, in_band
from audiosocket_sim.hearing.loudness import Bounds, audible_stretches

__all__ = ["PromptPause", "PromptPauses", "pauses_in"]

_LEAST = 800  # samples, 100 ms: less is a word that is longer, or a codec's edge
_SURE, _SURE_PIECE = 0.78, 2048  # likeness of a piece of so many samples, as in `damage.known_prompt`
_SHORT_SURE, _SHORT_PIECE = 0.93, 800
_NEAR = 480  # samples, 60 ms: what is audible of an edge is not exact


@dataclass(frozen=True, slots=True)
class PromptPause:
    """Quiet that was put into a prompt, by samples of the sound: from `at` on, `length` of it. `twice`: how much of the
    prompt is said a second time behind it. `own`: the prompt itself pauses at this place."""

    at: int
    length: int
    twice: int
    own: bool


@dataclass(frozen=True, slots=True)
class PromptPauses:
    """The pauses in a sound. `pieces`: what lies between them, from a sample to before another; `twice`: how much of
    the prompt is said a second time, in all."""

    pauses: tuple[PromptPause, ...]
    pieces: tuple[tuple[int, int], ...]
    twice: int


@dataclass(frozen=True, slots=True)
class _Island:
    """Sound between two quiet places: samples `start` to before `end`, and where these lie in the prompt; None: it is
    too short to be found there."""

    start: int
    end: int
    first: int | None
    last: int | None


def pauses_in(pcm: bytes, quiet: Sequence[Bounds], phrase: Phrase) -> PromptPauses | None:
    """Return the pauses in a sound (8 kHz SLIN) in which a prompt was said; None if there are none.

    `quiet`: where it is quiet for 200 ms and more, from a sample to before another.
    """
    if not quiet:
        return None
    heard, book = in_band(pcm, banded=True), book_sound((phrase,))
    starts, ends = [0, *(end for _, end in quiet)], [*(start for start, _ in quiet), len(heard)]
    islands = [_found(heard, start, end, book) for start, end in zip(starts, ends, strict=True)]
    if all(island.first is None for island in islands):
        return None
    islands = [_beside(heard, at, islands, book.waves[0]) for at in range(len(islands))]
    found: list[PromptPause] = []
    twice, reached = 0, None
    own_pauses = _quiet_of(phrase)
    for before, after in pairwise(islands):
        length, own = after.start - before.end, False
        if before.last is not None:
            reached = before.last if reached is None else max(reached, before.last)
        again = 0
        if before.first is None:  # a word, at most: what follows begins with it, or at its place
            twice += before.end - before.start
        elif after.first is not None and reached is not None:
            gone_on = after.first - reached
            own_quiet = _near(own_pauses, reached, after.first)
            if gone_on > own_quiet + _NEAR:
                continue  # sound of the prompt is missing: it was not put off, it was lost
            own = own_quiet > 0
            again, length = max(0, -gone_on), length - max(0, gone_on)
        if length >= _LEAST:
            found.append(PromptPause(before.end, length, again, own))
            twice += again
    if not found:
        return None
    if islands[-1].first is None:
        twice += islands[-1].end - islands[-1].start
    edges = [edge for pause in found for edge in (pause.at, next(e for s, e in quiet if s == pause.at))]
    pieces = tuple(zip([0, *edges[1::2]], [*edges[::2], len(heard)], strict=True))
    return PromptPauses(tuple(found), pieces, twice)


def _found(heard: Array, start: int, end: int, book: BookSound) -> _Island:
    length = min(PIECE, end - start)
    first, last = (_place(heard, at, length, book) for at in (start, end - length))
    if last is not None:
        last += length
    if first is None and last is not None:  # one of its ends may be too soft to be found
        first = last - (end - start)
    if last is None and first is not None:
        last = first + end - start
    return _Island(start, end, first, last)


def _beside(heard: Array, at: int, islands: Sequence[_Island], prompt: Array) -> _Island:
    """The island number `at`; one that was not found, where it goes on from one of its neighbours, or leads to it."""
    island = islands[at]
    if island.first is not None:
        return island
    for other in (*islands[at + 1 : at + 2], *islands[max(0, at - 1) : at]):
        edge = (other.start, other.first) if other.start > island.start else (other.end, other.last)
        if edge[1] is None:
            continue
        first = island.start + edge[1] - edge[0]
        last = first + island.end - island.start
        if first >= 0 and _likeness(heard[island.start : island.end], prompt[first:last]) >= _SURE:
            return _Island(island.start, island.end, first, last)
    return island


def _likeness(heard: Array, prompt: Array) -> float:
    heard = heard[: len(prompt)]
    power = float(heard @ heard) * float(prompt @ prompt)
    return float(heard @ prompt) / power**0.5 if power > 0.0 else 0.0


def _place(heard: Array, at: int, length: int, book: BookSound) -> int | None:
    """The sample of the prompt that is heard at `at`, by the sound of `length` from there on; None: not sure."""
    if length < _SHORT_PIECE:
        return None
    hit = book.find(heard[at : at + length])
    if hit is None or hit.size < _SHORT_PIECE:
        return None
    return hit.place if hit.likeness >= (_SURE if hit.size >= _SURE_PIECE else _SHORT_SURE) else None


def _quiet_of(phrase: Phrase) -> list[tuple[int, int]]:
    """Where the prompt itself is quiet between its sounds, from a sample to before another."""
    audible = audible_stretches(phrase.pcm)
    return [(before[1] + 1, after[0]) for before, after in pairwise(audible)]


def _near(quiet: Sequence[tuple[int, int]], reached: int, goes_on: int) -> int:
    """How long the prompt itself is quiet where it was left, and goes on."""
    first, last = min(reached, goes_on), max(reached, goes_on)
    return max((end - start for start, end in quiet if start <= last + _NEAR and end >= first - _NEAR), default=0)
