"""Cuts a text into pieces: words, and what is written in digits. `terms` makes terms of them, stage by stage. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.words.languages import WordTables

__all__ = ["Piece", "joined", "number", "pieces_of", "time_of_day"]

_A_DAY = 24 * 60
_PIECE = re.compile(
    r"""
    (?P<clock>(?<![\d,.])\d{1,2}(?::[0-5]\d(?::[0-5]\d)?|\s?h\s?[0-5]\d(?:\s?min)?|\s?h(?:rs?|s)?)(?![\w:]))
    | (?P<ordinal>\d{1,2}\s?[ºª°]|\d{1,2}(?:st|nd|rd|th)\b)
    | (?P<code>\d+(?:[-./]\d+)*-\d+(?:[-./]\d+)*)
    | (?P<digits>\d+(?:[.,]\d+)*)
    | (?P<sign>R\$|US\$|[$€£%])
    | (?P<halfday>\b[ap]\.?\s?m\b\.?)
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. `said`: as it is written; `plain`: as it is compared; `before`: what stands before it.

    `spelled`: a number that was written in words. `loose`: a time of day that may be meant by the twelve-hour clock.
    """

    said: str
    plain: str
    kind: Literal["word", "number", "time"] = "word"
    before: str = " "
    spelled: bool = False
    loose: bool = False

    @property
    def whole(self) -> int | None:
        """The value of a whole number; None for anything else."""
        return int(self.plain) if self.kind == "number" and self.plain.isdecimal() else None


def pieces_of(text: str, tables: WordTables) -> list[Piece]:
    """Return the pieces of a text, in their order."""
    found: list[Piece] = []
    end = 0
    for match in _PIECE.finditer(text):
        before, said = text[end : match.start()], match[0]
        end = match.end()
        found += _pieces(str(match.lastgroup), said, before, tables)
    return found


def _pieces(group: str, said: str, before: str, tables: WordTables) -> list[Piece]:
    match group:
        case "clock":
            return [_clock(said, before)]
        case "ordinal":
            return [_ordinal(said, before, tables)]
        case "code":
            return [Piece(said, re.sub(r"\D", "", said), "number", before)]
        case "digits":
            return [Piece(said, _value(said, tables.decimal), "number", before)]
        case "halfday":
            return [Piece(said, f"{said[0].lower()}m", "word", before)]
        case "sign":
            return [Piece(said, said.lower(), "word", before)]
    words = normalise(said.replace("'", "").replace("’", "") if tables.code == "en" else said).split()
    return [Piece(said if len(words) == 1 else word, word, "word", before) for word in words]


def _clock(said: str, before: str) -> Piece:
    hour, *rest = (int(part) for part in re.findall(r"\d+", said))
    minute = rest[0] if rest else 0
    return time_of_day(said, hour * 60 + minute, before, loose=bool(rest) and 1 <= hour <= 12)


def _ordinal(said: str, before: str, tables: WordTables) -> Piece:
    value = int(re.sub(r"\D", "", said))
    name = tables.ordinals.get(value)
    if name is None:
        return Piece(said, str(value), "number", before)
    return Piece(said, f"{name[:-1]}a" if "ª" in said else name, "word", before)


def _value(said: str, decimal: str) -> str:
    """The number as text: without signs between thousands, with a point. What is no number is its digits."""
    other = "." if decimal == "," else ","
    groups = said.split(other)
    grouped = len(groups) == 1 or (len(groups[0]) <= 3 and all(len(g.split(decimal)[0]) == 3 for g in groups[1:]))
    if not grouped and said.count(other) == 1 and decimal not in said:
        return _decimal(said.replace(other, "."))  # 2.5 in a language that writes 2,5
    if not grouped or said.count(decimal) > 1:
        return re.sub(r"\D", "", said)
    return _decimal(said.replace(other, "").replace(decimal, "."))


def _decimal(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:  # pragma: no cover - digits and one point always are a number
        return text
    if value == value.to_integral_value():
        whole = text.partition(".")[0]
        return whole if len(whole) > 2 and whole.startswith("0") else str(int(whole))
    return format(value.normalize(), "f")


def number(said: str, value: Decimal | int, before: str, *, spelled: bool = True) -> Piece:
    """Return the piece of a number."""
    exact = Decimal(value)
    plain = str(int(exact)) if exact == exact.to_integral_value() else format(exact.normalize(), "f")
    return Piece(said, plain, "number", before, spelled)


def time_of_day(said: str, minutes: int, before: str, *, loose: bool) -> Piece:
    """Return the piece of a time of day, `minutes` after midnight."""
    hour, minute = divmod(minutes % _A_DAY, 60)
    return Piece(said, f"{hour:02}:{minute:02}", "time", before, loose=loose)


def joined(pieces: list[Piece]) -> str:
    """Return what is written of several pieces, with what stands between them."""
    return "".join(f"{piece.before if at else ''}{piece.said}" for at, piece in enumerate(pieces)).strip()
