"""The parts that every comparison of two calls is made of: which event of one is which of the other, the fields in
which two events differ, and how far an event has moved from the one before it. Pure.

`agreement` compares a call in virtual time with the same one in real time; `differences` compares two saved calls.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Generic, Protocol, TypeVar

__all__ = [
    "EventPair",
    "FieldChange",
    "Move",
    "Timed",
    "by_likeness",
    "by_place",
    "changed_fields",
    "moves",
    "same_places",
]

_MOST_COMPARED = 2000
"""Up to so many events that differ, likeness decides which are the same; of more, their place."""


class Timed(Protocol):
    """What happened at an instant of a call, in ms since the UUID."""

    @property
    def at_ms(self) -> int:
        """The instant."""


_T = TypeVar("_T", bound=Timed)
EventPair = tuple[_T | None, _T | None]
"""An event of the first call and its counterpart in the second; None where there is no such event."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field in which two events of one type differ."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Move(Generic[_T]):
    """An event that both calls have, `first` and `second`, after an earlier one that both have: its `anchor`."""

    anchor: tuple[_T, _T]
    first: _T
    second: _T

    @property
    def first_ms(self) -> int:
        """The time since the anchor in the first call, in ms."""
        return self.first.at_ms - self.anchor[0].at_ms

    @property
    def second_ms(self) -> int:
        """The time since the anchor in the second call, in ms."""
        return self.second.at_ms - self.anchor[1].at_ms

    @property
    def by_ms(self) -> int:
        """How much later it comes in the second call, after its anchor; negative: sooner."""
        return self.second_ms - self.first_ms


def by_place(first: Sequence[_T], second: Sequence[_T]) -> "list[EventPair[_T]]":
    """Pair the n-th event of one call with the n-th of the other."""
    return list(zip_longest(first, second))


def by_likeness(
    first: Sequence[_T], second: Sequence[_T], key: Callable[[_T], Hashable], kind: Callable[[_T], Hashable]
) -> "list[EventPair[_T]]":
    """Pair events with the same key in the order of both calls, so that one more or less shifts no others.

    Events that stand in each other's place without having the same key are paired if they are of one `kind`.
    """
    ours, theirs = [key(one) for one in first], [key(one) for one in second]
    start = _same_at_the_start(ours, theirs)
    end = _same_at_the_start(ours[start:][::-1], theirs[start:][::-1])
    middle = _matched(ours, theirs, start, len(ours) - end, len(theirs) - end)
    found: list[EventPair[_T]] = list(zip(first[:start], second[:start], strict=True))
    for from_a, to_a, from_b, to_b in middle:
        found += _in_place(first[from_a:to_a], second[from_b:to_b], kind)
    return [*found, *zip(first[len(ours) - end :], second[len(theirs) - end :], strict=True)]


def _same_at_the_start(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> int:
    differs = (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    return next(differs, min(len(ours), len(theirs)))


def _matched(
    ours: Sequence[Hashable], theirs: Sequence[Hashable], start: int, end_a: int, end_b: int
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the stretches of both that belong together: equal ones element by element, others whole."""
    a, b = ours[start:end_a], theirs[start:end_b]
    if len(a) > _MOST_COMPARED or len(b) > _MOST_COMPARED:
        yield start, end_a, start, end_b
        return
    for tag, from_a, to_a, from_b, to_b in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            for n in range(to_a - from_a):
                yield start + from_a + n, start + from_a + n + 1, start + from_b + n, start + from_b + n + 1
        else:
            yield start + from_a, start + to_a, start + from_b, start + to_b


def _in_place(first: Sequence[_T], second: Sequence[_T], kind: Callable[[_T], Hashable]) -> "Iterator[EventPair[_T]]":
    """Yield the pairs of two stretches by place; what is not of one kind, or has no counterpart, stands alone."""
    for one, other in zip_longest(first, second):
        if one is not None and other is not None and kind(one) == kind(other):
            yield one, other
            continue
        if one is not None:
            yield one, None
        if other is not None:
            yield None, other


def changed_fields(one: Any, other: Any, agree: Callable[[str, object, object], bool]) -> Iterator[FieldChange]:
    """Yield the fields in which two events, dataclasses of one type, differ. `agree`: whether two values of the field
    of that name count as the same."""
    for field in fields(one):
        before, after = getattr(one, field.name), getattr(other, field.name)
        if not agree(field.name, before, after):
            yield FieldChange(field.name, before, after)


def same_places(one: object, other: object, tolerance_ms: float) -> bool:
    """Return whether two lists of (ms from the start, length in ms) have the same items, within a tolerance."""
    if not isinstance(one, tuple) or not isinstance(other, tuple) or len(one) != len(other):
        return one == other
    return all(
        abs(a - b) <= tolerance_ms
        for ours, theirs in zip(one, other, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def moves(pairs: "Iterable[EventPair[_T]]", anchors: int = 1) -> "Iterator[list[Move[_T]]]":
    """Yield, for each event that both calls have, its move from each of the `anchors` events before it, the nearest one
    first. An event that one call lacks is no anchor; with a single anchor, nothing is yielded for what follows it."""
    before: list[tuple[_T, _T]] = []
    for first, second in pairs:
        if first is None or second is None:
            before = before if anchors > 1 else []
            continue
        if before:
            yield [Move(anchor, first, second) for anchor in reversed(before)]
        before = [*before, (first, second)][-anchors:]
