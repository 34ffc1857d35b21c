"""Turns numbers in words into numbers: `duzentos e dois` into 202, `one hundred and five` into 105. Pure."""

from decimal import Decimal

from audiosocket_sim.words.languages import WordTables
from audiosocket_sim.words.pieces import Piece, joined, number

__all__ = ["with_digit_runs", "with_numbers"]

_SHORTEST_RUN = 3
"""So many single digits in a row are one number that is read digit by digit: `dois zero dois`."""
_LONG_NUMBER = 7
"""From so many digits on, groups of digits in a row are one number: `98765 4321`."""


def with_numbers(pieces: list[Piece], tables: WordTables) -> list[Piece]:
    """Return the pieces with each number in words as one piece; also `10 mil` and `dois vírgula cinco`."""
    found: list[Piece] = []
    at = 0
    while at < len(pieces):
        made, end = _number(pieces, at, tables)
        if made is None:
            found.append(pieces[at])
            at += 1
        else:
            found.append(made)
            at = end
    return found


def _number(pieces: list[Piece], at: int, tables: WordTables) -> tuple[Piece | None, int]:
    """The number that begins at a piece, and where it ends; None if none begins there."""
    first = pieces[at]
    if first.kind == "number":
        return _scaled(pieces, at, Decimal(first.plain), at + 1, tables)
    value, end = _cardinal(pieces, at, tables)
    if value is None:
        return None, at
    digits, after = _behind_the_point(pieces, end, tables)
    if digits:
        said = joined(pieces[at:after])
        return _scaled(pieces, at, Decimal(f"{value}.{digits}"), after, tables, said)
    return number(joined(pieces[at:end]), value, first.before), end


def _scaled(
    pieces: list[Piece], at: int, value: Decimal, end: int, tables: WordTables, said: str | None = None
) -> tuple[Piece | None, int]:
    """A number in digits, or with a decimal part, times the scale behind it: `10 mil`."""
    scale = tables.scales.get(pieces[end].plain) if end < len(pieces) and pieces[end].kind == "word" else None
    if scale is not None:
        return number(joined(pieces[at : end + 1]), value * scale, pieces[at].before), end + 1
    if said is None:
        return None, at
    return number(said, value, pieces[at].before), end


def _behind_the_point(pieces: list[Piece], at: int, tables: WordTables) -> tuple[str, int]:
    """The digits behind a decimal sign in words, and where they end; "" if there are none."""
    if at >= len(pieces) or pieces[at].plain not in tables.point or "." in pieces[at].before:
        return "", at
    value, end = _cardinal(pieces, at + 1, tables, scales=False)
    if value is None:
        return "", at
    digits = str(value)
    while value is not None and value < 10 and end < len(pieces):
        value, after = _cardinal(pieces, end, tables, scales=False)
        if value is not None and value < 10:
            digits, end = digits + str(value), after
    return digits, end


def _cardinal(pieces: list[Piece], at: int, tables: WordTables, *, scales: bool = True) -> tuple[int | None, int]:
    """The whole number in words that begins at a piece, and where it ends. Without `scales` it is below 1000."""
    counted = _Counting(tables)
    end = at
    while end < len(pieces) and pieces[end].kind == "word":
        if end > at and not set(pieces[end].before) <= set(" -\t\n"):
            break  # a comma parts two numbers
        word = pieces[end].plain
        if word in tables.scales and not scales:
            break
        if counted.takes(word):
            end += 1
        elif word in tables.joins and end > at and end + 1 < len(pieces) and counted.may_join(pieces[end + 1].plain):
            counted.takes(pieces[end + 1].plain, joined=True)
            end += 2
        else:
            break
    return (counted.value, end) if end > at else (None, at)


class _Counting:
    """A number in words so far: `below` is what was said since the last thousand or million."""

    def __init__(self, tables: WordTables) -> None:
        self._tables = tables
        self._above = 0
        self._below: int | None = None
        self._scale = 10**12
        self._closed = False  # zero, a hundred that takes nothing without a word between

    @property
    def value(self) -> int:
        return self._above + (self._below or 0)

    def may_join(self, word: str) -> bool:
        """Whether the word may follow behind `e`, `y` or `and`."""
        tables, below = self._tables, self._below
        value = self._of(word)
        if value is None or word in tables.scales:
            return False
        if tables.code == "es":
            return below is not None and below % 100 >= 30 and below % 10 == 0 and value < 10
        if tables.code == "en" and not ((below is None and self._above) or (below is not None and below % 100 == 0)):
            return False
        return self._fits(value)

    def takes(self, word: str, *, joined: bool = False) -> bool:
        """Count the word in; False if it does not belong to this number."""
        scale = self._tables.scales.get(word)
        if scale is not None:
            return self._takes_scale(scale)
        value = self._of(word)
        if value is None or not self._fits(value):
            return False
        if not joined and self._tables.code == "pt" and self._below is not None:
            return False  # `vinte dois` are two numbers
        if not joined and self._tables.code == "es" and self._below is not None and self._below % 100:
            return False  # `treinta cinco` too
        self._below = (self._below or 0) + value
        self._closed = value == 0
        return True

    def _takes_scale(self, scale: int) -> bool:
        below = self._below
        if scale == 100:
            if below is None or not 1 <= below <= 9:
                return False
            self._below = below * 100
            return True
        if self._closed or scale >= self._scale:
            return False
        if below is None:
            if self._above or scale > 1000:
                return False
            below = 1
        self._above += below * scale
        self._below, self._scale = None, scale
        return True

    def _of(self, word: str) -> int | None:
        tables = self._tables
        return next((t[word] for t in (tables.units, tables.tens, tables.hundreds) if word in t), None)

    def _fits(self, value: int) -> bool:
        below = self._below
        if self._closed or (value == 0 and (below is not None or self._above)):
            return False
        if below is None:
            return True
        if value >= 100:
            return False
        if value >= 10:
            return below >= 100 and below % 100 == 0
        return (below >= 20 and below % 10 == 0) and below % 100 != 10


def with_digit_runs(pieces: list[Piece], tables: WordTables) -> list[Piece]:
    """Return the pieces with what is read digit by digit, or in groups of digits, as one number."""
    found: list[Piece] = []
    at = 0
    while at < len(pieces):
        run = _run(pieces, at, tables)
        made = _merged(run, tables)
        if made is None:
            found.append(pieces[at])
            at += 1
        else:
            found.append(made)
            at += len(run)
    return found


def _run(pieces: list[Piece], at: int, tables: WordTables) -> list[Piece]:
    """The digits and groups of digits from a piece on, without anything between them."""
    run: list[Piece] = []
    while at < len(pieces):
        digits = _digits(pieces[at], tables)
        single = digits is not None and len(digits) == 1
        between = pieces[at].before.strip()
        if digits is None or (not run and pieces[at].kind == "word"):
            break
        if run and between not in ("", "-", "(", ")") and not (single and between in (",", ".")):
            break
        run.append(pieces[at])
        at += 1
    while run and run[-1].kind == "word" and len(run) <= _SHORTEST_RUN - 1:
        run.pop()
    return run


def _digits(piece: Piece, tables: WordTables) -> str | None:
    if piece.whole is not None:
        return piece.plain
    if piece.kind == "word" and piece.plain in tables.zero_in_digits:
        return "0"
    if piece.kind == "word" and piece.plain in tables.six_in_digits:
        return "6"
    return None


def _merged(run: list[Piece], tables: WordTables) -> Piece | None:
    if len(run) < 2:
        return None
    parts = [_digits(piece, tables) or "" for piece in run]
    digits = "".join(parts)
    singles = all(len(part) == 1 for part in parts) and len(parts) >= _SHORTEST_RUN
    leads = parts[0] == "0" and len(parts) == 2 and len(parts[1]) > 1 and run[1].spelled  # zero oitocentos
    year = _is_year(run, parts, tables)
    if singles or leads or year or len(digits) >= _LONG_NUMBER:
        return Piece(joined(run), digits, "number", run[0].before)
    return None


def _is_year(run: list[Piece], parts: list[str], tables: WordTables) -> bool:
    """`nineteen eighty-four`, as English reads years."""
    return (
        tables.code == "en"
        and len(parts) == 2
        and all(piece.spelled and len(part) == 2 for piece, part in zip(run, parts, strict=True))
        and 16 <= int(parts[0]) <= 21
    )
