"""Brings sums of money and percentages into one form: the number, then one name of the currency or the sign. Pure."""

from decimal import Decimal

from audiosocket_sim.words.languages import WordTables
from audiosocket_sim.words.pieces import Piece, joined, number

__all__ = ["with_money", "with_percent_signs"]

_LINKS = frozenset({"e", "y", "con", "and", "com"})
"""Words between the two parts of a sum: `dez reais e cinquenta centavos`."""


def with_money(pieces: list[Piece], tables: WordTables) -> list[Piece]:
    """Return the pieces with `R$ 10,50`, `10 reais e 50 centavos` and `dez reais e cinquenta centavos` all alike."""
    found: list[Piece] = []
    at = 0
    while at < len(pieces):
        made, end = _sum(pieces, at, tables)
        found += made if end > at else [pieces[at]]
        at = max(end, at + 1)
    return found


def with_percent_signs(pieces: list[Piece], tables: WordTables) -> list[Piece]:
    """Return the pieces with `por cento`, `percent` and `por ciento` as the sign."""
    found: list[Piece] = []
    at = 0
    while at < len(pieces):
        words = next((w for w in tables.percent if tuple(p.plain for p in pieces[at : at + len(w)]) == w), ())
        end = at + max(1, len(words))
        made = Piece(joined(pieces[at:end]), "%", before=pieces[at].before)
        found.append(made if words else pieces[at])
        at = end
    return found


def _sum(pieces: list[Piece], at: int, tables: WordTables) -> tuple[list[Piece], int]:
    """The number and the currency of a sum that begins at a piece, and where it ends."""
    first = pieces[at]
    if _is_sign(first, tables) and at + 1 < len(pieces) and pieces[at + 1].kind == "number":
        return _named(pieces, at, at + 1, at + 2, tables.money[first.plain], tables)
    if first.kind != "number":
        return [], at
    behind = at + 1
    if behind + 1 < len(pieces) and pieces[behind].plain in ("de", "of"):
        behind += 1  # um milhão de reais
    if behind >= len(pieces) or pieces[behind].kind != "word":
        return [], at
    word = pieces[behind].plain
    if word in tables.money:
        return _named(pieces, at, at, behind + 1, tables.money[word], tables)
    if word in tables.cents and behind == at + 1:
        value = Decimal(first.plain) / 100
        return _made(pieces, at, behind + 1, value, tables.cents[word]), behind + 1
    return [], at


def _named(
    pieces: list[Piece], at: int, value_at: int, end: int, currency: str, tables: WordTables
) -> tuple[list[Piece], int]:
    value = Decimal(pieces[value_at].plain)
    link = end < len(pieces) and pieces[end].plain in _LINKS
    cents_at = end + link
    if cents_at + 1 < len(pieces) and pieces[cents_at].whole is not None and pieces[cents_at + 1].plain in tables.cents:
        value += Decimal(pieces[cents_at].plain) / 100
        end = cents_at + 2
    return _made(pieces, at, end, value, currency), end


def _made(pieces: list[Piece], at: int, end: int, value: Decimal, currency: str) -> list[Piece]:
    """The number and the currency: each has a part of what is written, so that a difference can show it."""
    said = joined(pieces[at:end])
    return [number(said, value, pieces[at].before), Piece("", currency, before="")]


def _is_sign(piece: Piece, tables: WordTables) -> bool:
    return piece.plain in tables.money and not piece.plain.isalpha()
