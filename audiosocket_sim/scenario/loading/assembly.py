"""Puts one cell of a scenario together: its variables get their values, and the steps that it includes their place.

What is made is a tree as if all of it were written in one file, with the places where each part is written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiosocket_sim.scenario.callers import path_of_the_call
from audiosocket_sim.scenario.loading.matrix import FOR_EACH, Cell
from audiosocket_sim.scenario.loading.part_files import NO_STEP, PartFiles
from audiosocket_sim.scenario.loading.variables import characters_of, filled, plain, variable_alone, variables_in
from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, Place, Tree
from audiosocket_sim.scenario.step_models import INCLUDE_KEY
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["Assembly", "assembled"]

_DEEPEST = 10
_MOST_VALUES = 50_000
_TOO_LARGE = f"more than {_MOST_VALUES} values with all that is included: too large for a scenario"
_MOST_CHARACTERS = 5_000_000
_TOO_LONG = f"more than {_MOST_CHARACTERS} characters with the values of all variables: too large for a scenario"
_BLOCKS = ("steps", "optional", "then", "else")
"""Keys with a list of steps, or a single step."""


def _is_in_steps(path: KeyPath) -> bool:
    return path_of_the_call(path)[:1] == ("steps",)


def _is_include(value: object) -> bool:
    return isinstance(value, dict) and INCLUDE_KEY in value


class Assembly:
    """One cell's tree. `used`: the names of the variables that occur. `uses`: for the place of a value of `for_each`,
    the variables and places where it is used alone. `n_values`, `n_characters`: how large it is."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.used: set[str] = set()
        self.uses: dict[Place, set[tuple[str, Place]]] = {}
        self.n_values = self.n_characters = 0


def assembled(main: Tree, cell: Cell, parts: PartFiles) -> Assembly:
    """Return the cell's tree, without `for_each`. What is wrong with it is in its `problems`.

    Raises MalformedYaml if it has too many values or characters, as files can include one another many times, and a
    long text can stand for a variable.
    """
    made = _Maker(main, cell, parts)
    if not isinstance(main.data, dict):
        made.made.tree.data = made.copy(main, main.data, (), (), ())
        return made.made
    made.note(main, (), ())
    made.note(main, (FOR_EACH,), (FOR_EACH,))
    made.made.tree.data = {
        key: made.copy(main, value, (key,), (key,), ()) for key, value in main.data.items() if key != FOR_EACH
    }
    return made.made


class _Maker:
    """Copies a tree into another one. `old` is a path in the source, `new` that of the same part in what is made."""

    def __init__(self, main: Tree, cell: Cell, parts: PartFiles) -> None:
        self.made = Assembly()
        self._main = main
        self._cell = cell
        self._parts = parts
        asked = main.data.get(FOR_EACH, {}) if isinstance(main.data, dict) else {}
        self._values: Mapping[str, object] = {name: plain(asked[name][index]) for name, index in cell.indices.items()}

    def copy(self, source: Tree, value: Any, old: KeyPath, new: KeyPath, chain: tuple[Path, ...]) -> Any:
        """Return the value with its variables filled in, and with the steps that it includes.

        `chain`: the files of steps that include one another, down to this one. Raises MalformedYaml.
        """
        self.note(source, old, new)
        self._count_value(source.place(old))
        if _is_in_steps(new) and new[-1] in _BLOCKS and _is_include(value):  # alone, where a list may stand
            return self._included(source, value, old, new, chain)
        if isinstance(value, dict):
            return {key: self.copy(source, inner, (*old, key), (*new, key), chain) for key, inner in value.items()}
        if isinstance(value, list):
            result: list[Any] = []
            self._extend(result, source, value, old, new, chain)
            return result
        return self._text(source, value, old, new) if isinstance(value, str) else value

    def note(self, source: Tree, old: KeyPath, new: KeyPath) -> None:
        """Keep the place of a part."""
        if old in source.values:
            self.made.tree.values[new] = source.values[old]
        if old in source.keys and new:
            self.made.tree.keys[new] = source.keys[old]

    def _extend(
        self, result: list[Any], source: Tree, items: list[Any], old: KeyPath, new: KeyPath, chain: tuple[Path, ...]
    ) -> None:
        for index, item in enumerate(items):
            here = (*old, index)
            there = (*new, len(result))
            if new[-1:] == ("any_of",) and _is_in_steps(new) and _is_include(item):  # each item is a list of steps
                result.append(self._included(source, item, here, there, chain))
            elif _is_in_steps(new) and _is_include(item):
                self._include(result, source, item, here, new, chain)
            else:
                result.append(self.copy(source, item, here, there, chain))

    def _included(self, source: Tree, item: dict[str, Any], old: KeyPath, new: KeyPath, chain: tuple[Path, ...]) -> Any:
        """Return the steps of a file as a list."""
        result: list[Any] = []
        self._include(result, source, item, old, new, chain)
        return result

    def _include(
        self,
        result: list[Any],
        source: Tree,
        item: dict[str, Any],
        old: KeyPath,
        new: KeyPath,
        chain: tuple[Path, ...],
    ) -> None:
        """Add the steps of a file to the list `new`."""
        here = (*new, len(result))
        self.note(source, old, here)
        try:
            path, tree = self._file(source, item, old, chain)
        except ValueError as error:
            place = source.place((*old, INCLUDE_KEY))
            self.made.tree.problems.append((place, f"{INCLUDE_KEY}: {error}"))
            result.append(dict(NO_STEP))
            return
        self._count_value(source.place(old))
        self._extend(result, tree, tree.data, (), new, (*chain, path))

    def _file(self, source: Tree, item: dict[str, Any], old: KeyPath, chain: tuple[Path, ...]) -> tuple[Path, Tree]:
        """Return the path and the tree of the file that a step includes. Raises ValueError with a line for people."""
        others = [key for key in item if key != INCLUDE_KEY]
        if others:
            raise ValueError(f"stands alone in its step; {others[0]!r} belongs to another one")
        name = item[INCLUDE_KEY]
        if isinstance(name, str):
            self._count_characters(name, source.place((*old, INCLUDE_KEY)))
            name = filled(name, self._values)
            self.made.used |= variables_in(item[INCLUDE_KEY])
        if not isinstance(name, str) or not name:
            raise ValueError("needs the name of a file of steps, such as steps/greeting.yaml")
        path, tree = self._parts.steps(name, chain[-1] if chain else None)
        if path in chain:
            round_trip = [*chain[chain.index(path) :], path]
            raise ValueError(f"{' includes '.join(part.name for part in round_trip)}: a circle has no end")
        if len(chain) >= _DEEPEST:
            raise ValueError(f"{name}: at most {_DEEPEST} files deep")
        return path, tree

    def _count_value(self, place: Place) -> None:
        self.made.n_values += 1
        if self.made.n_values > _MOST_VALUES:
            raise MalformedYaml(place, _TOO_LARGE)

    def _count_characters(self, text: str, place: Place) -> None:
        self.made.n_characters += characters_of(text, self._values)
        if self.made.n_characters > _MOST_CHARACTERS:
            raise MalformedYaml(place, _TOO_LONG)

    def _text(self, source: Tree, text: str, old: KeyPath, new: KeyPath) -> Any:
        self._count_characters(text, source.place(old))
        self.made.used |= variables_in(text)
        try:
            value = filled(text, self._values)
        except ValueError as error:
            self.made.tree.problems.append((source.place(old), str(error)))
            return text
        name = variable_alone(text)
        if name is None:
            return value
        return self._value(value, (FOR_EACH, name, self._cell.indices[name]), new, source.place(old))

    def _value(self, value: Any, old: KeyPath, new: KeyPath, use: Place) -> Any:
        """Return a copy of a value of `for_each`. Its place is where it is written, and not the `use` of its name."""
        self.note(self._main, old, new)
        self._count_value(use)
        self.made.uses.setdefault(self._main.place(old), set()).add((str(old[1]), use))
        if isinstance(value, dict):
            return {key: self._value(inner, (*old, key), (*new, key), use) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._value(inner, (*old, index), (*new, index), use) for index, inner in enumerate(value)]
        return plain(value)
