"""A text as terms: words, numbers and times of day in one form, whatever way they are written. Pure."""

from dataclasses import dataclass
from typing import Literal

from audiosocket_sim.words.languages import WordTables, language_of_texts, tables_of
from audiosocket_sim.words.money import with_money, with_percent_signs
from audiosocket_sim.words.number_words import with_digit_runs, with_numbers
from audiosocket_sim.words.pieces import Piece, pieces_of
from audiosocket_sim.words.times_of_day import with_times

__all__ = ["Term", "plain_text", "terms_of"]

_LONGEST = 4_000
"""Characters; what comes behind them is not compared: nobody speaks so long without a pause."""


@dataclass(frozen=True, slots=True)
class Term:
    """What is compared as one: a word, a number or a time of day. `said`: as it is written; "" if the term before it
    has it too (a currency). `plain`: the form that is compared. `loose`: of a time, see `same_as`. Of a word: its place
    if it is an ordinal, the currency or the per cent sign that it is, and whether it denies the sentence."""

    said: str
    plain: str
    kind: Literal["word", "number", "time"] = "word"
    loose: bool = False
    ordinal: int | None = None
    unit: str | None = None
    negates: bool = False

    def same_as(self, other: "Term") -> bool:
        """Return whether the two mean the same. A loose time, of the twelve-hour clock, may be in either half of the
        day; a whole hour and its number are the same."""
        if self.kind == "word" or other.kind == "word":
            return self.plain == other.plain and self.kind == other.kind
        if self.kind == other.kind == "time":
            ours, theirs = _minutes(self.plain), _minutes(other.plain)
            return ours == theirs or ((self.loose or other.loose) and (ours - theirs) % (12 * 60) == 0)
        if {self.kind, other.kind} == {"time", "number"}:
            clock, count = (self, other) if self.kind == "time" else (other, self)
            return count.plain.isdecimal() and int(count.plain) * 60 == _minutes(clock.plain)
        return self.plain == other.plain

    def contradicts(self, other: "Term") -> bool:
        """Return whether this is another number than the other, another ordinal, or another currency."""
        if self.is_number and other.is_number:
            return not self.same_as(other)
        return any(
            ours is not None and theirs is not None and ours != theirs
            for ours, theirs in ((self.ordinal, other.ordinal), (self.unit, other.unit))
        )

    @property
    def is_exact(self) -> bool:
        """Whether it may contradict another term."""
        return self.is_number or self.ordinal is not None or self.unit is not None

    @property
    def is_number(self) -> bool:
        """Whether another number in its place is another meaning, and not another spelling."""
        return self.kind != "word"


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def terms_of(text: str, language: str | None = None) -> tuple[Term, ...]:
    """Return the terms of a text. `language`: a tag such as pt-BR; None: by the text's own words."""
    tables = tables_of(language_of_texts([text]) if language is None else language)
    pieces = with_numbers(with_percent_signs(pieces_of(text[:_LONGEST], tables), tables), tables)
    pieces = with_digit_runs(with_times(with_money(pieces, tables), tables), tables)
    return tuple(_term(piece, tables) for piece in pieces)


def plain_text(text: str, language: str | None = None) -> str:
    """Return the text as `pattern` sees it: lower case, no accents and punctuation, numbers in digits."""
    return " ".join(term.plain for term in terms_of(text, language))


def _term(piece: Piece, tables: WordTables) -> Term:
    if piece.kind != "word":
        return Term(piece.said, piece.plain, piece.kind, piece.loose)
    plain = piece.plain
    names = ((value, name) for value, name in tables.ordinals.items())
    ordinal = next((value for value, name in names if plain in (name, f"{name[:-1]}a")), None)
    unit = plain if plain == "%" or plain in tables.money.values() else None
    return Term(piece.said, plain, ordinal=ordinal, unit=unit, negates=plain in tables.negations)
