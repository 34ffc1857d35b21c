"""`${name}` in the texts of a scenario: what it stands for. Pure.

Alone it is the value itself, of whatever type; within a text it is text. `$${` is the two characters `${`.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from audiosocket_sim.scenario.written import NAME_PATTERN

__all__ = ["NAME", "as_text", "characters_of", "filled", "plain", "variable_alone", "variables_in"]

NAME = re.compile(NAME_PATTERN, re.ASCII)
_ALONE = re.compile(rf"\$\{{({NAME.pattern})\}}", re.ASCII)
_PART = re.compile(r"\$\$(?=\{)|\$\{(?P<inside>[^{}]*)(?P<end>\}?)")
_LONGEST_SHOWN = 40


def variable_alone(text: str) -> str | None:
    """Return the name of the variable if the text is one and nothing else; None otherwise."""
    found = _ALONE.fullmatch(text)
    return found[1] if found else None


def variables_in(text: str) -> set[str]:
    """Return the names of all variables in the text, whether they exist or not."""
    return {part["inside"] for part in _PART.finditer(text) if part["inside"] is not None}


def filled(text: str, values: Mapping[str, object]) -> object:
    """Return the text with the values of its variables in their places; for a variable alone, its value.

    Raises ValueError with a line for people: for an unknown variable, for `${` that begins none, and for a mapping or
    a list within a text.
    """
    name = variable_alone(text)
    if name is not None:
        return _value(name, values)
    return _PART.sub(lambda part: _written(part, values), text)


def characters_of(text: str, values: Mapping[str, object]) -> int:
    """Return how long the text is at the most with the texts of its variables in their places. Quick, also for a
    text that `filled` would make huge."""
    asked = (values.get(part["inside"]) for part in _PART.finditer(text) if part["inside"] is not None)
    return len(text) + sum(len(value) for value in asked if isinstance(value, str))


def _written(part: re.Match[str], values: Mapping[str, object]) -> str:
    if part["inside"] is None:
        return "$"
    name = part["inside"]
    if not part["end"] or not NAME.fullmatch(name):
        shown = part[0] if len(part[0]) <= _LONGEST_SHOWN else f"{part[0][: _LONGEST_SHOWN - 1]}…"
        raise ValueError(f"{shown!r}: a variable is written ${{name}}; for these characters themselves write $${{")
    value = _value(name, values)
    if isinstance(value, dict | list):
        kind = "a mapping" if isinstance(value, dict) else "a list"
        raise ValueError(f"${{{name}}} is {kind}: it can stand alone only, not within a text")
    return as_text(value)


def _value(name: str, values: Mapping[str, object]) -> object:
    if name in values:
        return values[name]
    if not values:
        raise ValueError(f"${{{name}}}: there is no for_each that names it; for these characters themselves write $${{")
    near = get_close_matches(name, list(values), n=1, cutoff=0.5)
    meant = f"did you mean ${{{near[0]}}}?" if near else f"there are {', '.join(values)}"
    raise ValueError(f"${{{name}}}: for_each has no {name!r}; {meant}")


def plain(value: object) -> object:
    """Return a single value that has no variables, with `${` for each `$${` in a text."""
    return value.replace("$${", "${") if isinstance(value, str) else value


def as_text(value: object) -> str:
    """Return a single value as YAML writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
