"""Brings times of day into one form: `14h30`, `14:30`, `duas e meia da tarde`, `half past two`. Pure."""

from collections.abc import Iterable

from audiosocket_sim.words.languages import WordTables
from audiosocket_sim.words.pieces import Piece, joined, time_of_day

__all__ = ["with_times"]

_LATEST = 24
_NOON = 12


def with_times(pieces: list[Piece], tables: WordTables) -> list[Piece]:
    """Return the pieces with each time of day as one piece.

    A time by the twelve-hour clock without a half of the day is loose: 2:30 may be 14:30.
    """
    found: list[Piece] = []
    at = 0
    while at < len(pieces):
        clock = bool(found) and found[-1].plain in tables.clock
        minutes, end, loose = _time(pieces, at, tables, clock=clock)
        if minutes is None and _is_bare_hour(found, pieces[at], tables):
            minutes, end, loose = (pieces[at].whole or 0) * 60, at + 1, True
        if minutes is None:
            found.append(pieces[at])
            at += 1
            continue
        half, after = _half_of_day(pieces, end, tables)
        if half in ("am", "pm") and minutes < 13 * 60:
            minutes, loose = minutes % (12 * 60) + (12 * 60 if half == "pm" else 0), False
        behind = _of_the_time(found, tables)
        whole = [*found[len(found) - behind :], *pieces[at:after]]
        del found[len(found) - behind :]
        found.append(time_of_day(joined(whole), minutes, whole[0].before, loose=loose))
        at = after
    return found


def _is_bare_hour(found: list[Piece], piece: Piece, tables: WordTables) -> bool:
    """Whether a whole number is a time because of the word before it: `às 8`, `a las 8`."""
    hour = piece.whole
    return bool(found) and hour is not None and hour <= _LATEST and found[-1].said.casefold() in tables.sure_clock


def _of_the_time(found: list[Piece], tables: WordTables) -> int:
    """How many of the last pieces are words that only lead to a time: `às`, `at`, `a las`."""
    if not found or found[-1].plain not in tables.clock:
        return 0
    return 2 if tables.code == "es" and len(found) > 1 and found[-2].plain == "a" else 1


def _time(pieces: list[Piece], at: int, tables: WordTables, *, clock: bool) -> tuple[int | None, int, bool]:
    """The time that begins at a piece, in minutes after midnight; where it ends; whether it is loose."""
    for words, hour in tables.noon.items():
        if _are(pieces, at, words):
            minutes, end = _minutes_behind(pieces, at + len(words), tables)
            return hour * 60 + (minutes or 0), end, False
    backward = _before_or_past(pieces, at, tables)
    if backward is not None:
        return backward
    first = pieces[at]
    if first.kind == "time":
        hour, minute = (int(part) for part in first.plain.split(":"))
        end = _skip(pieces, at + 1, tables.hours)
        return hour * 60 + minute, end, first.loose or (clock and 1 <= hour <= _NOON)
    hour_said = first.whole
    if hour_said is None:
        return None, at, False
    return _hour_first(pieces, at, hour_said, tables, clock=clock)


def _hour_first(
    pieces: list[Piece], at: int, hour: int, tables: WordTables, *, clock: bool
) -> tuple[int | None, int, bool]:
    """A time that begins with its hour: `14 horas e 30`, `duas e meia`, `two thirty pm`."""
    if clock and 20 < hour < 30 and tables.code == "pt" and hour > _LATEST:
        return 20 * 60 + hour - 20, at + 1, False  # às vinte e cinco
    if hour > _LATEST:
        return None, at, False
    hours = _skip(pieces, at + 1, tables.hours)
    named = hours > at + 1
    minutes, end = _minutes_behind(pieces, hours, tables)
    half = _half_of_day(pieces, hours if minutes is None else end, tables)
    if minutes is None and tables.code == "en":
        minutes, end = _bare_minutes(pieces, hours, clock=clock, tables=tables)
        half = _half_of_day(pieces, hours if minutes is None else end, tables)
    told = half[0] is not None
    if not (named or told or (clock and minutes is not None)):
        return None, at, False
    loose = 1 <= hour <= _NOON and (clock or minutes is not None or (told and not half[0]))
    return hour * 60 + (minutes or 0), hours if minutes is None else end, loose


def _minutes_behind(pieces: list[Piece], at: int, tables: WordTables) -> tuple[int | None, int]:
    """The minutes behind `e`, `y` or `and`, and where they end: a number, a half, a quarter; less for `menos`."""
    if at + 1 >= len(pieces):
        return None, at
    word, following = pieces[at].plain, pieces[at + 1]
    less = tables.code == "es" and word == "menos"
    if not (less or word in tables.joins):
        return None, at
    if following.plain in tables.half and not _are_any(pieces, at + 1, tables.noon):
        return (30, at + 2) if not less else (None, at)
    amount, end = _amount(pieces, at + 1, tables)
    if amount is None:
        return None, at
    return (-amount if less else amount), _skip(pieces, end, tables.minutes)


def _amount(pieces: list[Piece], at: int, tables: WordTables) -> tuple[int | None, int]:
    """A number of minutes below 60, or a quarter: `quinze`, `um quarto`, `a quarter`."""
    piece = pieces[at]
    if piece.plain in tables.quarter:
        return 15, at + 1
    one = piece.plain in ("1", "a")
    if one and at + 1 < len(pieces) and pieces[at + 1].plain in tables.quarter:
        return 15, at + 2
    if piece.whole is not None and piece.whole < 60:
        return piece.whole, at + 1
    return None, at


def _bare_minutes(pieces: list[Piece], at: int, *, clock: bool, tables: WordTables) -> tuple[int | None, int]:
    """English minutes right behind the hour: `two thirty pm`, `at two thirty`."""
    minutes, end = _amount(pieces, at, tables) if at < len(pieces) and pieces[at].kind == "number" else (None, at)
    told = _half_of_day(pieces, end, tables)[0] is not None
    return (minutes, end) if minutes is not None and minutes >= 10 and (clock or told) else (None, at)


def _before_or_past(pieces: list[Piece], at: int, tables: WordTables) -> tuple[int, int, bool] | None:
    """`quinze para as duas`, `half past two`, `a quarter to three`; None for anything else."""
    if tables.code == "es":
        return None
    if tables.code == "en" and pieces[at].plain in tables.half:
        amount, end = 30, at + 1
    else:
        found, end = _amount(pieces, at, tables)
        if found is None:
            return None
        amount = found
    if end >= len(pieces):
        return None
    word = pieces[end].plain
    back = word in (("para",) if tables.code == "pt" else ("to", "before"))
    if not (back or (tables.code == "en" and word in ("past", "after"))):
        return None
    hour_at = end + 1
    if tables.code == "pt":
        if hour_at >= len(pieces) or pieces[hour_at].plain not in ("as", "a", "o", "ao"):
            return None
        hour_at += 1
    for words, noon in tables.noon.items():
        if _are(pieces, hour_at, words):
            return noon * 60 + (-amount if back else amount), hour_at + len(words), False
    hour = pieces[hour_at].whole if hour_at < len(pieces) else None
    if hour is None or not 1 <= hour <= _NOON:
        return None
    return hour * 60 + (-amount if back else amount), hour_at + 1, True


def _half_of_day(pieces: list[Piece], at: int, tables: WordTables) -> tuple[str | None, int]:
    """What stands behind a time: `am`, `pm`, or "" for `em ponto`; None for nothing of that kind. Where it ends."""
    for words, half in tables.halves_of_day.items():
        if _are(pieces, at, words):
            return half, at + len(words)
    return None, at


def _skip(pieces: list[Piece], at: int, words: frozenset[str]) -> int:
    return at + 1 if at < len(pieces) and pieces[at].plain in words else at


def _are(pieces: list[Piece], at: int, words: tuple[str, ...]) -> bool:
    return tuple(piece.plain for piece in pieces[at : at + len(words)]) == words


def _are_any(pieces: list[Piece], at: int, many: Iterable[tuple[str, ...]]) -> bool:
    return any(_are(pieces, at, words) for words in many)
