"""What moved, what changed, and what is new or gone, from one call to another call of the same scenario. Pure.

Two kinds of comparison use it: of two saved calls, whose logs have every figure, and of a call with the transcript that
is kept as its snapshot. An event has moved if the time from an event just before it has changed, not if all that came
before had moved already: one slow answer is one difference.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from audiosocket_sim.call_log.comparison import (
    EventPair,
    FieldChange,
    Move,
    by_likeness,
    changed_fields,
    moves,
    same_places,
)
from audiosocket_sim.call_log.happenings import CLASSES, NUMBER, Happening, without_numbers

__all__ = ["CLASSES", "Difference", "Tolerances", "difference_lines", "differences"]

_FRAME_MS = 20
_LEVEL_DB = 1.0
_AMOUNT = 0.1
_ANCHORS = 3
"""Among so many events before it is its trigger: an event that has not moved from one of them has not moved."""
_FOLLOWS = (
    *("opened_ms", "closed_ms", "audible_ms", "parts_ms", "own_gap_ms", "own_ahead_ms", "delays_ms"),
    *("since_last_word_ms", "wait_measured", "confidence", "words", "conversation_id", "number", "happened", "what"),
)
"""Fields that follow from others, or differ from run to run without being another call."""
_NAMES = {
    "heard_ms": "heard",
    "whole_ms": "the whole phrase",
    "gap_ms": "gaps",
    "hole_ms": "holes",
    "ahead_ms": "sent ahead",
    "skipped_ms": "missing at its beginning",
    "pauses_ms": "pauses in it",
    "twice_ms": "said twice",
    "paused_ms": "paused, and went on after",
    "resumed_ms": "goes on after",
    "back_ms": "goes on earlier by",
    "wait_ms": "the caller's wait",
    "level_dbfs": "level",
    "both_ms": "both spoke",
    "stopped_after_ms": "the bot stopped after",
    "early_ms": "too early by",
    "into_waiting_ms": "into WAITING",
    "unheard_ms": "sent and not heard",
    "duration_ms": "length",
    "after_ms": "after",
    "last_word_heard": "last word heard",
    "read_by": "read by",
}
_UNIT_MS = {"s": 1000.0, "ms": 1.0, "%": 1.0}
_ORDER = {"gone": 0, "moved": 1, "changed": 2, "new": 3}
_LONGEST_TEXT, _SHOWN_TEXT, _LINE, _INDENT = 160, 70, 120, 28


@dataclass(frozen=True, slots=True)
class Tolerances:
    """By how much an event may differ: `by_class` in ms for the classes of `CLASSES`, `other_ms` for all others.

    `level_db`: for the level of the bot's speech. The defaults are one frame, and 1 dB.
    """

    by_class: Mapping[str, int] = field(default_factory=dict)
    other_ms: int = _FRAME_MS
    level_db: float = _LEVEL_DB

    def of(self, word: str) -> int:
        """Return the tolerance of a class, in ms."""
        return self.by_class.get(word, self.other_ms)


@dataclass(frozen=True, slots=True)
class Difference:
    """One event in which two calls differ. `at_ms`: its time in the second call; of one that is gone, in the first.

    `by_ms`: how much later it comes, or 0 if it has not moved. `details`: what has changed of it, for people.
    """

    kind: Literal["moved", "changed", "new", "gone"]
    at_ms: int
    word: str
    text: str
    details: tuple[str, ...] = ()
    by_ms: int = 0

    def to_json(self) -> dict[str, object]:
        """Return it as the object of a JSON list."""
        return {
            "kind": self.kind,
            "at_ms": self.at_ms,
            "class": self.word,
            "text": self.text,
            "by_ms": self.by_ms,
            "details": list(self.details),
        }


def differences(
    first: Sequence[Happening], second: Sequence[Happening], tolerances: Tolerances | None = None
) -> list[Difference]:
    """Return in what the second call differs from the first, in the order of the second; an empty list: in nothing."""
    allowed = tolerances or Tolerances()
    callers = dict.fromkeys(one.caller for one in (*first, *second))
    placed = [
        found
        for caller in callers
        for found in _of_caller(_those_of(caller, first), _those_of(caller, second), allowed)
    ]
    return [found for _, _, found in sorted(placed, key=lambda one: one[:2])]


def _those_of(caller: str, happened: Sequence[Happening]) -> list[Happening]:
    return [one for one in happened if one.caller == caller]


def _of_caller(
    first: Sequence[Happening], second: Sequence[Happening], allowed: Tolerances
) -> Iterator[tuple[int, int, Difference]]:
    """Yield the differences of one call, each with its place."""
    pairs = _paired(first, second)
    moved = [found for one in moves(pairs, _ANCHORS) if (found := _moved(one, allowed)) is not None]
    return _placed(pairs, {id(found.second): found for found in moved}, allowed)


def _paired(first: Sequence[Happening], second: Sequence[Happening]) -> list[EventPair[Happening]]:
    """Pair the events class by class, since two of one instant may change places. In the order of the first call."""
    ours, theirs = _by_class(first), _by_class(second)
    pairs = [
        pair
        for word in dict.fromkeys([*ours, *theirs])
        for pair in by_likeness(ours[word], theirs[word], lambda one: one.key, lambda one: one.word)
    ]
    places = {id(one): place for place, one in enumerate(first)}
    in_both = sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: places[id(pair[0])])
    return [*in_both, *(pair for pair in pairs if pair[0] is None)]


def _by_class(happened: Sequence[Happening]) -> dict[str, list[Happening]]:
    found: dict[str, list[Happening]] = defaultdict(list)
    for one in happened:
        found[one.word].append(one)
    return found


def _moved(found: Sequence[Move[Happening]], allowed: Tolerances) -> Move[Happening] | None:
    """Return the move from the event before, if the event has moved from every one of its possible triggers."""
    tolerance = allowed.of(found[0].second.word)
    return found[0] if all(abs(move.by_ms) > tolerance for move in found) else None


def _placed(
    pairs: Sequence[EventPair[Happening]], moved: Mapping[int, Move[Happening]], allowed: Tolerances
) -> Iterator[tuple[int, int, Difference]]:
    """Yield the differences, each with its place: the time in the second call, and the rank of its kind."""
    shift_ms, start = 0, True
    for one, other in pairs:
        if one is None and other is not None:
            yield other.at_ms, _ORDER["new"], _difference("new", other)
        elif other is None and one is not None:
            yield one.at_ms + shift_ms, _ORDER["gone"], _difference("gone", one)
        elif one is not None and other is not None:
            shift_ms = other.at_ms - one.at_ms
            details = tuple(_changes(one, other, allowed))
            move = moved.get(id(other))
            if move is not None:
                found = _difference("moved", other, (_words_of_move(move), *details), move.by_ms)
                yield other.at_ms, _ORDER["moved"], found
            elif start and abs(shift_ms) > allowed.of(other.word):
                since = f"{_later(shift_ms)}: {_seconds(one.at_ms)} before, {_seconds(other.at_ms)} now"
                yield other.at_ms, _ORDER["moved"], _difference("moved", other, (since, *details), shift_ms)
            elif details:
                yield other.at_ms, _ORDER["changed"], _difference("changed", other, details)
            start = False


def _difference(
    kind: Literal["moved", "changed", "new", "gone"], one: Happening, details: tuple[str, ...] = (), by_ms: int = 0
) -> Difference:
    if kind in ("new", "gone") and one.note:
        details = (one.note, *details)
    text = f"{one.caller}: {one.text}" if one.caller else one.text
    return Difference(kind, one.at_ms, one.word, _cut(text), details, by_ms)


def _words_of_move(move: Move[Happening]) -> str:
    anchor = move.anchor[1]
    after = f"{anchor.word} {_cut(anchor.text, 40)}".rstrip()
    return f"{_later(move.by_ms)}: {_seconds(move.second_ms)} after {after}, {_seconds(move.first_ms)} before"


def _later(by_ms: int) -> str:
    return f"{abs(by_ms)} ms {'later' if by_ms > 0 else 'sooner'}"


def _changes(one: Happening, other: Happening, allowed: Tolerances) -> Iterator[str]:
    """Yield what has changed of an event but for its time, in words."""
    if one.event is not None and other.event is not None and type(one.event) is type(other.event):
        yield from _changed_values(one, other, allowed)
        return
    for before, after in ((one.text, other.text), (one.note, other.note)):
        if not _same_words(before, after, allowed.of(other.word)):
            yield f"{_cut(before) or 'nothing'} → {_cut(after) or 'nothing'}"


def _changed_values(one: Happening, other: Happening, allowed: Tolerances) -> Iterator[str]:
    tolerance_ms, same_words = allowed.of(other.word), one.key == other.key
    if not same_words:
        yield f"{_cut(one.text)} → {_cut(other.text)}"

    def agree(name: str, before: object, after: object) -> bool:
        if name in _FOLLOWS or (not same_words and isinstance(before, str) and isinstance(after, str)):
            return True
        return _agree(name, before, after, tolerance_ms, allowed.level_db)

    yield from map(_words_of_change, changed_fields(one.event, other.event, agree))


def _agree(name: str, before: Any, after: Any, tolerance_ms: int, level_db: float) -> bool:
    if isinstance(before, int | float) and isinstance(after, int | float) and not isinstance(before, bool):
        if name.endswith("_ms"):
            return abs(before - after) <= tolerance_ms
        if name == "level_dbfs":
            return abs(before - after) <= level_db
        if name == "amount":
            return abs(before - after) <= max(tolerance_ms, _AMOUNT * max(abs(before), abs(after)))
    return same_places(before, after, tolerance_ms) if name == "pauses_ms" else bool(before == after)


def _words_of_change(change: FieldChange) -> str:
    name = _NAMES.get(change.name, change.name.replace("_", " ").removesuffix(" ms"))
    before, after = _value(change.name, change.before), _value(change.name, change.after)
    both = all(isinstance(value, int | float) for value in (change.before, change.after))
    by = f" ({_signed(change.name, change.after - change.before)})" if both and _unit(change.name) else ""
    return f"{name} {before} → {after}{by}"


def _unit(name: str) -> str:
    return "s" if name.endswith("_ms") else "dB" if name == "level_dbfs" else ""


def _signed(name: str, by: float) -> str:
    return (f"{by:+.0f} ms" if _unit(name) == "s" else f"{by:+.1f} dB").replace("-", "−")


def _value(name: str, value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and name.endswith("_ms"):
        return _seconds(round(value))
    if isinstance(value, tuple) and name == "pauses_ms":
        return ", ".join(f"{_seconds(length)} at {_seconds(at)}" for at, length in value) or "none"
    if isinstance(value, int | float) and name == "level_dbfs":
        return f"{value:.1f} dBFS".replace("-", "−")
    return _cut(str(value))


def _same_words(before: str, after: str, tolerance_ms: int) -> bool:
    """Whether two texts are the same but for figures that differ by no more than the tolerance."""
    if before == after:
        return True
    if without_numbers(before) != without_numbers(after):
        return False
    figures = [list(_figures(text)) for text in (before, after)]
    return all(abs(a - b) <= tolerance_ms for a, b in zip(*figures, strict=True))


def _figures(text: str) -> Iterator[float]:
    """Yield the figures of a text in ms; what stands in quoted words is the same in both, and yields no difference."""
    for found in NUMBER.finditer(text):
        unit = text[found.end() + 1 :]
        number = float(found[0].replace("−", "-"))
        yield number * (_UNIT_MS["ms"] if unit.startswith("ms") else _UNIT_MS[unit[:1]])


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f} s"


def _cut(text: str, most: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def difference_lines(found: Sequence[Difference]) -> list[str]:
    """Return the lines for a terminal: kind, time, class and text as in a transcript, and what is different.

    Where that makes a line longer than 120 characters, each detail has a line of its own below it.
    """
    return [line for one in found for line in _lines(one)]


def _lines(one: Difference) -> list[str]:
    left = f"{one.kind:<7} {one.at_ms / 1000:9.3f}  {one.word:<8} {_cut(one.text, _SHOWN_TEXT)}".rstrip()
    if not one.details:
        return [left]
    whole = f"{left}  {'; '.join(one.details)}"
    return [whole] if len(whole) <= _LINE else [left, *(f"{'':<{_INDENT}}{detail}" for detail in one.details)]
