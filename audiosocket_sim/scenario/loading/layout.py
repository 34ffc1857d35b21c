"""Lays a scenario out: its text, its folder's defaults and the command line's values, as a tree for each cell.

The cells are those of `for_each`. What is wrong in several cells is reported once, with the cells in which it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.scenario.loading import yaml_tree
from audiosocket_sim.scenario.loading.assembly import Assembly, assembled
from audiosocket_sim.scenario.loading.documents import FileError, Problem, problem
from audiosocket_sim.scenario.loading.matrix import FOR_EACH, Cell, cells_of
from audiosocket_sim.scenario.loading.merging import merged
from audiosocket_sim.scenario.loading.overrides import WrongOverride, parse_override
from audiosocket_sim.scenario.loading.part_files import PartFiles
from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, Place, Tree

__all__ = ["CellProblems", "Layout", "lay_out"]


_MOST_VALUES = 400_000
_MOST_CHARACTERS = 20_000_000
_TOO_LARGE = (
    f"more than {_MOST_VALUES} values, or {_MOST_CHARACTERS} characters, together: make fewer, or several files"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A scenario, laid out. `problems`: what is wrong with it whatever the cell. `parts`: its other files."""

    assemblies: tuple[tuple[Cell, Assembly], ...]
    problems: tuple[Problem, ...]
    parts: tuple[Path, ...]


def lay_out(text: str, file: str, folder: Path | None, overrides: Sequence[str], option: str) -> Layout:
    """Return the trees of all cells. Raises FileError for a text that is no YAML, and for an override that is none."""
    try:
        main = yaml_tree.read(text)
        return _laid_out(main, file, PartFiles(file, folder), overrides, option)
    except MalformedYaml as error:
        raise FileError(problem(file, error.place, error.message)) from None


def _laid_out(main: Tree, file: str, parts: PartFiles, overrides: Sequence[str], option: str) -> Layout:
    if main.data is not None:
        main = _with_defaults(main, parts)
        main = _with_overrides(main, overrides, option)
    problems = [problem(file, place, message) for place, message in main.problems]
    main.problems.clear()
    cells, wrong = cells_of(main)
    made = _all_assembled(main, cells, parts)
    unused = _unused(made)
    if unused and overrides:  # what was set stands in their place
        for name in unused:
            del main.data[FOR_EACH][name]
        if not main.data[FOR_EACH]:
            del main.data[FOR_EACH]
        cells, wrong = cells_of(main)
        made = _all_assembled(main, cells, parts)
    elif unused:
        wrong += [_is_unused(main, name) for name in unused]
    problems += [problem(file, place, message) for place, message in wrong]
    return Layout(made, (*problems, *parts.problems), parts.read)


def _all_assembled(main: Tree, cells: Sequence[Cell], parts: PartFiles) -> tuple[tuple[Cell, Assembly], ...]:
    """Return the trees of all cells. Raises MalformedYaml if one of them, or all together, are too large."""
    made: list[tuple[Cell, Assembly]] = []
    n_values = n_characters = 0
    for cell in cells:
        assembly = assembled(main, cell, parts)
        n_values, n_characters = n_values + assembly.n_values, n_characters + assembly.n_characters
        if n_values > _MOST_VALUES or n_characters > _MOST_CHARACTERS:
            raise MalformedYaml(main.place((FOR_EACH,)), f"{FOR_EACH}: {len(cells)} calls with {_TOO_LARGE}")
        made.append((cell, assembly))
    return tuple(made)


def _with_defaults(main: Tree, parts: PartFiles) -> Tree:
    defaults = parts.defaults()
    return main if defaults is None or not isinstance(main.data, dict) else merged(defaults, main)


def _with_overrides(main: Tree, overrides: Sequence[str], option: str) -> Tree:
    for text in overrides:
        try:
            over = parse_override(text, option)
        except WrongOverride as error:
            raise FileError(Problem(option, 0, 0, str(error))) from None
        if isinstance(main.data, dict):
            main = merged(main, over)
    return main


def _unused(made: Sequence[tuple[Cell, Assembly]]) -> list[str]:
    """Return the variables of `for_each` that occur in no cell; none of them if a text has a variable that is none."""
    if any(assembly.tree.problems for _, assembly in made):
        return []
    used: set[str] = set()
    names: list[str] = []
    for cell, assembly in made:
        names = list(cell.labels)
        used |= assembly.used
    return [name for name in names if name not in used]


def _is_unused(main: Tree, name: str) -> tuple[Place, str]:
    place = main.place((FOR_EACH, name), of_key=True)
    return place, f"{name} is used nowhere: write ${{{name}}} where its values belong"


class CellProblems:
    """Collects the problems of all cells. `cells`: their number. `file`: the scenario's file as errors name it."""

    def __init__(self, cells: int, file: str) -> None:
        self._cells = cells
        self._file = file
        self._names: dict[Problem, list[str]] = {}

    def add(self, name: str, problems: Iterable[Problem], uses: Mapping[Place, set[tuple[str, Place]]]) -> None:
        """Add the problems of the cell `name`. `uses`: which variable brought the value of a place to where."""
        for one in problems:
            names = self._names.setdefault(self._with_use(one, uses), [])
            if name not in names:
                names.append(name)

    @property
    def found(self) -> list[Problem]:
        """All problems. One that is in some of the cells only names them; it counts once."""
        return [self._named(one, names) for one, names in self._names.items()]

    def _named(self, one: Problem, names: list[str]) -> Problem:
        if len(names) == self._cells:
            return one
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return Problem(one.file, one.line, one.column, f"{one.message} (in {names[0]}{more})")

    def _with_use(self, one: Problem, uses: Mapping[Place, set[tuple[str, Place]]]) -> Problem:
        """Return the problem with the place where its value is used, if it is a value of `for_each`."""
        spot = (one.file, one.line, one.column)
        found = [use for place, at in uses.items() if self._spot(place) == spot for use in at]
        if not found:
            return one
        name, use = found[0]
        where = f"{use.file}:{use.line}" if use.file else f"line {use.line}"
        used = f"${{{name}}} in {where}" if len(found) == 1 else f"${{{name}}}"
        return Problem(*spot, f"{one.message} ({used})")

    def _spot(self, place: Place) -> tuple[str, int, int]:
        return place.file or self._file, place.line, place.column
