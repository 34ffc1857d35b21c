"""`--set line.noise_dbfs=-40`: a value from the command line, as a part of a scenario. Pure."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

from audiosocket_sim.scenario.loading import yaml_tree
from audiosocket_sim.scenario.loading.yaml_tree import Place, Tree
from audiosocket_sim.scenario.short_forms import is_text
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["WrongOverride", "parse_override", "unheeded_override"]

_PATH = re.compile(r"[^\s.=\[\]]+(\.[^\s.=\[\]]+)*")
_FORM = "expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"


class WrongOverride(ValueError):
    """A text is no override. The message is one line for people, without the option's name."""


def parse_override(text: str, option: str = "--set") -> Tree:
    """Return the override as a tree of nested mappings. Its places name the option and the text. Raises WrongOverride.

    The value is YAML: `-40`, `300ms`, `{codec: alaw}`. Where a scenario has a text that looks like a number, such as
    the version of Asterisk, it needs no quotes.
    """
    key, equals, value = text.partition("=")
    if not equals or not _PATH.fullmatch(key):
        raise WrongOverride(f"{text[:100]!r}: {_FORM}")
    try:
        read = yaml_tree.read(value)
    except yaml_tree.MalformedYaml as error:
        raise WrongOverride(f"{text[:100]!r}: {error.message}") from None
    if read.problems:
        raise WrongOverride(f"{text[:100]!r}: {read.problems[0][1]}")
    if read.data is None and value.strip() not in ("null", "~"):
        raise WrongOverride(f"{text[:100]!r}: needs a value after =")
    keys = tuple(key.split("."))
    data = value.strip() if isinstance(read.data, int | float) and is_text(keys) else read.data
    return _nested(keys, data, Place(0, 0, f"{option} {text[:100]}"))


def unheeded_override(overrides: Sequence[str], names: Collection[str]) -> str | None:
    """Return what is wrong if an override gives values to a name of `for_each` that no scenario has; None if none does.

    `names`: those of all scenarios that it was meant for. The result is one line, without the option's name.
    """
    for text in overrides:
        asked = parse_override(text).data.get("for_each")
        for name in map(str, asked if isinstance(asked, dict) else ()):
            if name not in names:
                near = get_close_matches(name, sorted(names), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                return f"{text[:100]}: no scenario of this run has {name!r} in its for_each{hint}"
    return None


def _nested(keys: Sequence[str], value: Any, place: Place) -> Tree:
    made = Tree()
    for depth in range(len(keys) + 1):
        made.values[tuple(keys[:depth])] = place
        if depth:
            made.keys[tuple(keys[:depth])] = place
    _note(made, value, tuple(keys), place)
    for key in reversed(keys):
        value = {key: value}
    made.data = value
    return made


def _note(made: Tree, value: Any, path: KeyPath, place: Place) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        made.values[*path, key] = place
        if isinstance(value, dict):
            made.keys[*path, key] = place
        _note(made, inner, (*path, key), place)
