"""Aligns two texts word by word: which words are the same, which are others, which are missing or too many. Pure.

The alignment is the one with the fewest errors. Two words that are one in the other text (`bem vindo`, `bemvindo`) are
the same. A number that was heard as another number is never tolerated, however many other words are right; nor is a
word such as `não` that is missing or too many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from audiosocket_sim.words.languages import language_of_texts
from audiosocket_sim.words.terms import Term, terms_of

__all__ = ["Pair", "WordComparison", "compare"]

_OTHER, _LACKS, _EXTRA = 1.0, 1.0, 1.0
_KINDS_DIFFER = 0.01
"""A number is aligned with another number rather than with a word."""
_NUMBER_LACKS = 0.001
"""And rather with another number than with none, also at the edge of a part."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Pair:
    """One place of the alignment: the terms that were expected there, and those that were heard; either may be none."""

    expected: tuple[Term, ...]
    heard: tuple[Term, ...]
    same: bool

    @property
    def errors(self) -> int:
        """How many words are wrong here."""
        return 0 if self.same else max(len(self.expected), len(self.heard))

    @property
    def other_number(self) -> bool:
        """Whether one number was expected, and another one heard; or another ordinal, or another currency."""
        both = not self.same and len(self.expected) == len(self.heard) == 1
        return both and self.expected[0].contradicts(self.heard[0])


@dataclass(frozen=True, slots=True)
class WordComparison:
    """How near a heard text is to an expected one. `wanted`: the number of words that were expected."""

    pairs: tuple[Pair, ...]
    wanted: int

    @property
    def errors(self) -> int:
        """The words that are others, missing or too many."""
        return sum(pair.errors for pair in self.pairs)

    @property
    def share(self) -> float:
        """The share of the words that are right: 1 less the word error rate, and never below 0."""
        return max(0.0, 1 - self.errors / self.wanted) if self.wanted else 0.0

    @property
    def other_numbers(self) -> tuple[Pair, ...]:
        """The numbers that were heard as other numbers."""
        return tuple(pair for pair in self.pairs if pair.other_number)

    @property
    def is_denied(self) -> bool:
        """Whether one of the two texts denies what the other says: `não` is missing, or too many.

        Several in a row are one, and one may be another: `não`, `nunca`.
        """
        return _denials(self.pairs, "expected") != _denials(self.pairs, "heard")

    def is_within(self, words: float) -> bool:
        """Return whether at least this share of the words is right, no number another one, and none denied."""
        allowed = (1 - words) * self.wanted + _ROUNDING
        is_near = self.wanted > 0 and self.errors <= allowed and self.errors < self.wanted
        return is_near and not self.other_numbers and not self.is_denied


def _denials(pairs: Sequence[Pair], side: Literal["expected", "heard"]) -> int:
    """How often one side denies something."""
    negates = [False, *(term.negates for pair in pairs for term in getattr(pair, side))]
    return sum(now and not before for before, now in pairwise(negates))


def compare(expected: str, heard: str, *, part: bool = False, language: str | None = None) -> WordComparison:
    """Compare a heard text with the expected one. `part`: what is heard before and behind it does not count.

    `language`: of both texts, a tag such as pt-BR; None: by their words.
    """
    language = language_of_texts([expected, heard]) if language is None else language
    wanted = terms_of(_meant(expected, heard, language), language)
    got = terms_of(_meant(heard, expected, language), language)
    return WordComparison(_aligned(wanted, got, part=part), len(wanted))


def _meant(text: str, other: str, language: str) -> str:
    """In Spanish `$` may be pesos or dollars: it is what the other text names."""
    if not language.casefold().startswith("es") or "$" not in text or "peso" not in other.casefold():
        return text
    return " ".join(f"{word.lstrip('$')} pesos" if word.startswith("$") else word for word in text.split())


def _aligned(wanted: Sequence[Term], got: Sequence[Term], *, part: bool) -> tuple[Pair, ...]:
    rows = _rows(wanted, got, part=part)
    i, j = len(wanted), len(got)
    if part:
        j = min(range(len(got) + 1), key=lambda at: rows[i][at][0])
    pairs: list[Pair] = []
    while (way := rows[i][j])[1] or way[2]:
        _, back_i, back_j, same = way
        pairs.append(Pair(tuple(wanted[i - back_i : i]), tuple(got[j - back_j : j]), same))
        i, j = i - back_i, j - back_j
    return tuple(reversed(pairs))


_Way = tuple[float, int, int, bool]
"""The cost of an alignment, how many terms of either text its last pair has, and whether those are the same."""


def _rows(wanted: Sequence[Term], got: Sequence[Term], *, part: bool) -> list[list[_Way]]:
    """The best way to each place: `i` of the expected and `j` of the heard terms are behind it."""
    rows: list[list[_Way]] = []
    for i in range(len(wanted) + 1):
        row: list[_Way] = []
        rows.append(row)
        for j in range(len(got) + 1):
            row.append(_best(rows, wanted, got, i, j, part=part))
    return rows


def _best(rows: list[list[_Way]], wanted: Sequence[Term], got: Sequence[Term], i: int, j: int, *, part: bool) -> _Way:
    if i == 0:
        return (0.0, 0, 0, False) if part or j == 0 else (rows[0][j - 1][0] + _EXTRA, 0, 1, False)
    above = rows[i - 1]
    one = wanted[i - 1]
    lacks: _Way = (above[j][0] + _LACKS + _NUMBER_LACKS * one.is_exact, 1, 0, False)
    if j == 0:
        return lacks
    other, row = got[j - 1], rows[i]
    before = above[j - 1][0]
    if one.same_as(other):
        return (before, 1, 1, True)
    best = lacks
    if j > 1 and above[j - 2][0] < best[0] and _is_one(one, got[j - 2 : j]):
        best = (above[j - 2][0], 1, 2, True)
    if i > 1 and rows[i - 2][j - 1][0] < best[0] and _is_one(other, wanted[i - 2 : i]):
        best = (rows[i - 2][j - 1][0], 2, 1, True)
    if row[j - 1][0] + _EXTRA < best[0]:
        best = (row[j - 1][0] + _EXTRA, 0, 1, False)
    another = before + _OTHER + _KINDS_DIFFER * (one.is_number != other.is_number)
    return (another, 1, 1, False) if another < best[0] else best


def _is_one(word: Term, two: Sequence[Term]) -> bool:
    """Whether a word is written as two in the other text."""
    return (
        word.kind == "word"
        and all(term.kind == "word" for term in two)
        and word.plain == "".join(term.plain for term in two)
    )
