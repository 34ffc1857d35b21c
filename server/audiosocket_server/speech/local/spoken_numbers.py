"""Numbers from 1 to 9,999 as they are said in Brazilian Portuguese: a closed grammar, from numbers to words and from
what sounds like such words to the number. Pure, numpy.

A number of an apartment is said as a number («duzentos e dois»), digit by digit («dois zero dois», with «meia» for 6),
or by pairs («doze zero um»).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "NearNumber", "by_pairs", "digit_by_digit", "in_words", "nearest_number", "number_in", "vocabulary"]

MOST = 9_999

_ONES = (
    *("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze", "treze"),
    *("quatorze", "quinze", "dezesseis", "dezessete", "dezoito", "dezenove"),
)
_TENS = ("vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa")
_HUNDREDS = (
    *("cento", "duzentos", "trezentos", "quatrocentos", "quinhentos", "seiscentos", "setecentos", "oitocentos"),
    "novecentos",
)
_FOLDED = (
    *(("ss", "s"), ("sc", "s"), ("ce", "se"), ("ci", "si"), ("qu", "k"), ("q", "k"), ("c", "k"), ("z", "s")),
    *(("rr", "r"), ("h", ""), ("y", "i")),
)
"""Letters that sound alike, as a recogniser that hears only sounds spells them: «quatrossentos», «secenta»."""


_SURE = -0.6
"""Measured: the words of numbers have a score of at least -0.48, what is made of other words at most -0.82."""
_MOST_LETTERS = 2
_LEAST_LETTERS = 7
"""Shorter words are near those of answers: «cem» is near «sim»."""


class NearNumber(NamedTuple):
    """A number whose words are nearest to a text, and how many letters differ; `margin`: how many more of the next."""

    number: int
    distance: int
    margin: int


def in_words(number: int) -> str:
    """Return a number from 0 to 9,999 in words: `mil duzentos e um`."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _with_rest(_TENS[number // 10 - 2], number % 10)
    if number == 100:
        return "cem"
    if number < 1000:
        return _with_rest(_HUNDREDS[number // 100 - 1], number % 100)
    thousands = "mil" if number < 2000 else f"{_ONES[number // 1000]} mil"
    rest = number % 1000
    joins = rest <= 100 or rest % 100 == 0
    return _with_rest(thousands, rest, " e " if joins else " ")


def _with_rest(name: str, rest: int, joint: str = " e ") -> str:
    return f"{name}{joint}{in_words(rest)}" if rest else name


def digit_by_digit(number: int, six: str = "seis") -> str:
    """Return the digits of a number in words: `um dois zero um`. `six`: the word for 6, `seis` or `meia`."""
    return " ".join(six if digit == "6" else _ONES[int(digit)] for digit in str(number))


def by_pairs(number: int) -> str:
    """Return a number from 1,001 on by its pairs of digits: `doze zero um`."""
    rest = number % 100
    return f"{in_words(number // 100)} {in_words(rest) if rest > 9 else f'zero {in_words(rest)}'}"


def vocabulary() -> tuple[str, ...]:
    """Return the words of which all numbers are made."""
    return (*_ONES, *_TENS, *_HUNDREDS, "cem", "mil", "meia", "e")


def number_in(words: str, score: float) -> int | None:
    """Return the number that was said, by the words that a recogniser has spelt and its score (mean log probability of
    a token); None if it was not sure, or nothing like a number, or so short as an answer is, or two numbers are as
    near."""
    is_sure = score >= _SURE and len(_folded(words)) >= _LEAST_LETTERS
    found = nearest_number(words) if is_sure else None
    if found is None or found.distance > _MOST_LETTERS or not found.margin:
        return None
    return found.number


def nearest_number(text: str) -> NearNumber | None:
    """Return the number from 1 to 9,999 whose words sound most like a text; None for a text without letters."""
    sound = _folded(text)
    if not sound:
        return None
    known = _known()
    distances = _distances(sound.encode(), known.letters)[np.arange(len(known.lengths)), known.lengths]
    best = int(distances.argmin())
    number, distance = int(known.numbers[best]), int(distances[best])
    return NearNumber(number, distance, int(distances[known.numbers != number].min()) - distance)


def _distances(sound: bytes, letters: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The edit distance of a sound to each beginning of each of the words: shape (words, letters + 1)."""
    count, longest = letters.shape
    rows = np.tile(np.arange(longest + 1, dtype=np.int16), (count, 1))
    for place, letter in enumerate(sound, 1):
        best = np.minimum(rows[:, :-1] + (letters != letter), rows[:, 1:] + 1)
        rows[:, 0] = place
        for at in range(longest):
            np.minimum(best[:, at], rows[:, at] + 1, out=rows[:, at + 1])
    return rows


class _Known(NamedTuple):
    """All that can be said: its letters, each row filled with zeros, their number, and which number it is."""

    letters: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    numbers: NDArray[np.int64]


@lru_cache(maxsize=1)
def _known() -> _Known:
    found: dict[str, int] = {}
    for number in range(1, MOST + 1):
        for text in _forms(number):
            found.setdefault(_folded(text), number)
    letters = np.zeros((len(found), max(map(len, found))), np.uint8)
    for row, sound in enumerate(found):
        letters[row, : len(sound)] = np.frombuffer(sound.encode(), np.uint8)
    return _Known(letters, np.array([len(sound) for sound in found]), np.array(list(found.values())))


def _forms(number: int) -> Iterator[str]:
    yield in_words(number)
    if number > 9:
        yield digit_by_digit(number)
        yield digit_by_digit(number, "meia")
    if number > 1000 and number % 1000:
        yield f"{in_words(number // 1000 * 1000)} e {in_words(number % 1000)}"
        if number % 100:
            yield by_pairs(number)


def _folded(text: str) -> str:
    """The letters of a text without accents, those that sound alike as one, and none twice in a row."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in decomposed if "a" <= letter <= "z")
    for spelt, sound in _FOLDED:
        letters = letters.replace(spelt, sound)
    return re.sub(r"(.)\1", r"\1", letters)
