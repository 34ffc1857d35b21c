"""Searches a text by a regular expression in a time that is bounded, whatever the expression. Pure.

Python's own search goes through the ways in which an expression can fit one after the other, and some expressions have
more ways than can be counted: a scenario from elsewhere could stop a run for ever. Here all places that are reached are
followed at the same time (K. Thompson, "Regular expression search algorithm", 1968), each set of places a number with a
bit for each. Expressions are read by Python's own parser, and mean what they mean there, without regard to case. What
cannot be followed in this way is refused: back-references, atomic groups, flags within an expression.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["WordPattern"]

_LONGEST_PATTERN = 300
_LONGEST_TEXT = 4_000
_MOST_STEPS = 400_000
"""A step on a text of the greatest length takes about half a microsecond."""
_DOUBLINGS = 12  # 2 ** 12 > 4,000
_FLAGS = re.IGNORECASE | re.UNICODE
_REFUSED = {
    "GROUPREF": "back-references",
    "GROUPREF_EXISTS": "back-references",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive repetitions",
}
_SINGLE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_CATEGORIES: Mapping[str, Callable[[str], bool]] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda c: c.isalnum() or c == "_",
}


class WordPattern:
    """A regular expression. Raises ValueError, one line for people, for a text that is none, and for what is refused:
    also what would take more than 400,000 steps on a text of 4,000 characters."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST_PATTERN:
            raise ValueError(f"a pattern has at most {_LONGEST_PATTERN} characters, not {len(text)}")
        try:
            parsed = re._parser.parse(text, re.IGNORECASE)  # type: ignore[attr-defined]
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a pattern (a regular expression of Python): {error}") from None
        if parsed.state.flags & ~_FLAGS:
            raise ValueError("a pattern has no flags such as (?s)")
        self._parts: Any = parsed
        steps = _steps(parsed)
        if steps > _MOST_STEPS:
            raise ValueError("a pattern with too many repetitions within one another: a search would take too long")

    def is_in(self, text: str) -> bool:
        """Return whether the expression fits any part of the first 4,000 characters of the text."""
        return _Search(text[:_LONGEST_TEXT]).fits(self._parts)


def _steps(parts: Any) -> int:
    """Return how many steps a part takes on a long text, at the most. Raises ValueError for what is refused."""
    steps = 0
    for operation, argument in parts:
        name = str(operation)
        if name in _REFUSED:
            raise ValueError(f"a pattern has no {_REFUSED[name]}")
        match name:
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, inner = int(argument[0]), int(argument[1]), argument[2]
                once = _steps(inner)
                more = min(most - least, _LONGEST_TEXT)
                steps += least * once + (_DOUBLINGS if more == _LONGEST_TEXT and _is_single(inner) else more * once)
            case "BRANCH":
                steps += sum(_steps(branch) for branch in argument[1]) + 1
            case "SUBPATTERN":
                if argument[1] or argument[2]:
                    raise ValueError("a pattern has no flags such as (?-i:…)")
                steps += _steps(argument[3])
            case "ASSERT" | "ASSERT_NOT":
                steps += _steps(argument[1]) + 1
            case _:
                steps += 1
        if steps > _MOST_STEPS:
            return steps
    return steps


def _is_single(parts: Any) -> bool:
    return len(parts) == 1 and str(parts[0][0]) in _SINGLE


class _Search:
    """One text. A set of places in it is a number: bit `i` is the place before the character `i`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._all = (1 << len(text) + 1) - 1
        self._where: dict[str, int] = {}
        for index, character in enumerate(text):
            self._where[character] = self._where.get(character, 0) | 1 << index
        self._classes: dict[tuple[str, int], int] = {}
        """What was found of a character or a class already, by its part."""

    def fits(self, parts: Any) -> bool:
        return self._through(parts, self._all, 1) != 0

    def _through(self, parts: Sequence[Any], places: int, way: int) -> int:
        """Return the places that are reached from `places`, forwards (`way` 1) or backwards (-1)."""
        for operation, argument in parts if way == 1 else reversed(list(parts)):
            if not places:
                return 0
            places = self._step(str(operation), argument, places, way)
        return places

    def _step(self, name: str, argument: Any, places: int, way: int) -> int:
        match name:
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeated(int(argument[0]), int(argument[1]), argument[2], places, way)
            case "BRANCH":
                reached = 0
                for branch in argument[1]:
                    reached |= self._through(branch, places, way)
                return reached
            case "SUBPATTERN":
                return self._through(argument[3], places, way)
            case "ASSERT":
                return places & self._looked_at(argument)
            case "ASSERT_NOT":
                return places & ~self._looked_at(argument)
            case "AT":
                return places & self._at(str(argument))
        return self._moved(places, self._of_class(name, argument), way)

    def _looked_at(self, argument: tuple[int, Any]) -> int:
        """The places before (or, for a look behind, after) which a part fits: those from which it can be left."""
        way, parts = argument
        return self._through(parts, self._all, -way)

    @staticmethod
    def _moved(places: int, fitting: int, way: int) -> int:
        return (places & fitting) << 1 if way == 1 else (places >> 1) & fitting

    def _repeated(self, least: int, most: int, parts: Any, places: int, way: int) -> int:
        for _ in range(least):
            places = self._through(parts, places, way)
        if _is_single(parts) and most - least >= len(self._text):
            return self._run(places, self._of_class(str(parts[0][0]), parts[0][1]), way)
        reached = fresh = places
        for _ in range(min(most - least, len(self._text))):
            fresh = self._through(parts, fresh, way) & ~reached
            if not fresh:
                break
            reached |= fresh
        return reached

    @staticmethod
    def _run(places: int, fitting: int, way: int) -> int:
        """The places that are reached over any number of fitting characters, in steps of 1, 2, 4, … of them."""
        over, by = (fitting << 1 if way == 1 else fitting), 1
        for _ in range(_DOUBLINGS):
            places |= over & (places << by if way == 1 else places >> by)
            over &= over << by if way == 1 else over >> by
            by *= 2
        return places

    def _at(self, code: str) -> int:
        text, end = self._text, 1 << len(self._text)
        match code:
            case "AT_BEGINNING" | "AT_BEGINNING_STRING":
                return 1
            case "AT_END":
                return end | (end >> 1 if text.endswith("\n") else 0)
            case "AT_END_STRING":
                return end
        words = self._of(_CATEGORIES["WORD"])
        edges = words ^ (words << 1)
        if code == "AT_BOUNDARY":
            return edges & self._all
        return self._all & ~edges if text else 0  # so does Python

    def _of_class(self, name: str, argument: Any) -> int:
        """The places of the characters that fit a single part."""
        key = (name, argument if isinstance(argument, int) else id(argument))
        if key not in self._classes:
            self._classes[key] = self._found(name, argument)
        return self._classes[key]

    def _found(self, name: str, argument: Any) -> int:
        match name:
            case "LITERAL":
                return self._of(lambda c: _is_like(c, argument))
            case "NOT_LITERAL":
                return self._of(lambda c: not _is_like(c, argument))
            case "ANY":
                return self._of(lambda c: c != "\n")
        negated = str(argument[0][0]) == "NEGATE"
        one_of = argument[1:] if negated else argument
        return self._of(lambda c: any(_is_in(c, *member) for member in one_of) != negated)

    def _of(self, fits: Callable[[str], bool]) -> int:
        places = 0
        for character, where in self._where.items():
            if fits(character):
                places |= where
        return places


def _is_like(character: str, code: int) -> bool:
    return chr(code) in (character, character.lower(), character.upper())


def _is_in(character: str, operation: Any, argument: Any) -> bool:
    match str(operation):
        case "LITERAL":
            return _is_like(character, argument)
        case "RANGE":
            return any(
                len(c) == 1 and argument[0] <= ord(c) <= argument[1]
                for c in (character, character.lower(), character.upper())
            )
    kind = str(argument).removeprefix("CATEGORY_")
    return _CATEGORIES[kind.removeprefix("NOT_")](character) != kind.startswith("NOT_")
