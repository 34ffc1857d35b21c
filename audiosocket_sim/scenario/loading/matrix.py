"""`for_each`: the cells that it makes of one scenario, one for each combination of its values. Pure.

A cell has a readable id, `noise_dbfs=-40,voice=a`, which is a part of the name of its test and of its files.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from audiosocket_sim.scenario.loading.variables import NAME, as_text, variables_in
from audiosocket_sim.scenario.loading.yaml_tree import Place, Tree

__all__ = ["FOR_EACH", "Cell", "cells_of", "is_chosen", "no_such_cell"]

FOR_EACH = "for_each"
_MOST_CELLS = 200
_MOST_VARIABLES = 8
_LONGEST_LABEL = 40
_LONGEST_ID = 120
_NOT_IN_A_NAME = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the values of `for_each`. A scenario without it has one cell, which is empty.

    `labels`: a short text for the value of each variable, fit for the name of a file. `indices`: the position, from 0,
    of each value in its list.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)

    def name(self, scenario: str) -> str:
        """Return the name of the cell's test: `quiet_line[noise_dbfs=-40,voice=a]`, or the scenario's own name."""
        inside = ",".join(f"{name}={label}" for name, label in self.labels.items())
        return f"{scenario}[{inside}]" if inside else scenario


def cells_of(tree: Tree) -> tuple[tuple[Cell, ...], list[tuple[Place, str]]]:
    """Return the cells of the scenario in a tree, and what is wrong with its `for_each`; with a problem, no cells.

    The last variable changes fastest.
    """
    if not isinstance(tree.data, dict) or FOR_EACH not in tree.data:
        return (Cell(),), []
    problems = list(_problems(tree))
    if problems:
        return (), problems
    asked: dict[str, list[object]] = tree.data[FOR_EACH]
    labels = {name: _labels(values) for name, values in asked.items()}
    longest = sum(len(name) + 2 + max(map(len, found)) for name, found in labels.items())
    if longest > _LONGEST_ID:
        labels = {name: _positions(values) for name, values in asked.items()}
    choices = itertools.product(*(range(len(values)) for values in asked.values()))
    return tuple(_cell(list(asked), labels, choice) for choice in choices), []


def _cell(names: Sequence[str], labels: Mapping[str, list[str]], choice: tuple[int, ...]) -> Cell:
    indices = dict(zip(names, choice, strict=True))
    return Cell({name: labels[name][index] for name, index in indices.items()}, indices)


def _problems(tree: Tree) -> Iterator[tuple[Place, str]]:
    asked = tree.data[FOR_EACH]
    here = tree.place((FOR_EACH,))
    if not isinstance(asked, dict) or not asked:
        yield here, f"{FOR_EACH}: needs a mapping of names to lists of values, such as {{noise_dbfs: [-60, -40]}}"
        return
    if len(asked) > _MOST_VARIABLES:
        yield here, f"{FOR_EACH}: at most {_MOST_VARIABLES} variables, not {len(asked)}"
    for name, values in asked.items():
        key = tree.place((FOR_EACH, name), of_key=True)
        if not NAME.fullmatch(name):
            yield key, f"{name[:60]!r}: a variable's name has up to 30 letters, digits and _, and begins with no digit"
        if not isinstance(values, list) or not values:
            yield key, f"{name}: needs a list of values, such as [-60, -40]"
            continue
        for index, value in enumerate(values):
            path = (FOR_EACH, name, index)
            if any(_is_same(value, before) for before in values[:index]):
                yield tree.place(path), f"{name}: the value {_shown(value)} is here twice"
            if _has_variable(value):
                yield tree.place(path), f"{name}: a value of {FOR_EACH} has no variables of its own"
    sizes = [len(values) for values in asked.values() if isinstance(values, list)]
    if math.prod(sizes) > _MOST_CELLS:
        product = " × ".join(map(str, sizes))
        yield here, f"{FOR_EACH}: {product} values make {math.prod(sizes)} calls: at most {_MOST_CELLS} are taken"


def _is_same(value: object, other: object) -> bool:
    """Whether two values are the same to YAML: 1 is not true, and "1" is not 1."""
    return type(value) is type(other) and value == other


def _shown(value: object) -> str:
    return "(a mapping)" if isinstance(value, dict) else "(a list)" if isinstance(value, list) else as_text(value)[:60]


def _has_variable(value: object) -> bool:
    if isinstance(value, str):
        return bool(variables_in(value))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_has_variable(item) for item in inner)


def _labels(values: Sequence[object]) -> list[str]:
    """Return a label for each value: its text, or, if the texts do not tell all values apart, its position."""
    labels = [_label(value) for value in values]
    folded = {label.casefold() for label in labels}  # some disks do not tell capitals apart
    return labels if all(labels) and len(folded) == len(labels) else _positions(values)


def _positions(values: Sequence[object]) -> list[str]:
    return [str(number) for number in range(1, len(values) + 1)]


def _label(value: object) -> str:
    """Return the text of a single value without what cannot stand in a file's name; "" for a mapping or a list."""
    if isinstance(value, dict | list):
        return ""
    label = _NOT_IN_A_NAME.sub("-", as_text(value)).rstrip("-")
    return label if len(label) <= _LONGEST_LABEL else ""


# --- one cell by its name -----------------------------------------------------------------------------------------


def is_chosen(labels: Mapping[str, str], cell: str) -> bool:
    """Whether a cell with these labels is meant by `noise_dbfs=-40`, which names some of its variables; "": all."""
    if not cell:
        return True
    pairs = (pair.partition("=") for pair in cell.split(","))
    return all(labels.get(name.strip()) == label.strip() for name, _, label in pairs)


def no_such_cell(name: str, cell: str, known: Sequence[str]) -> str:
    """Return one line: that the scenario has no such cell, with the nearest of the `known` names of its cells."""
    asked = f"{name}[{cell}]"
    if len(known) == 1 and "[" not in known[0]:
        return f"{asked}: the scenario has no {FOR_EACH}: its name is {known[0]}"
    near = get_close_matches(f"{known[0].partition('[')[0]}[{cell}]", known, n=1, cutoff=0.0)
    return f"{asked}: for_each makes no such call; did you mean {near[0]!r}?"
