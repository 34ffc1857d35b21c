"""`--set line.noise_dbfs=-40`: a value from the command line, as a part of a scenario. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from audiosocket_sim.scenario.loading import yaml_tree
from audiosocket_sim.scenario.loading.yaml_tree import Place, Tree
from audiosocket_sim.scenario.short_forms import is_text
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["WrongOverride", "parse_override"]

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
