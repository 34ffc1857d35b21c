"""In `make test` the cells of a parametrised test are one test: for each test pytest itself takes 3 ms, and most of our
four thousand cells take less.

Only cells that cannot touch each other: of a plain function without fixtures, or with such as whole files share. All of
them are run, whichever fails, and each that fails is named. Everywhere else, as with `pytest tests/…`, each cell is a
test.
"""

import dataclasses
import functools
import inspect
from collections.abc import Sequence
from typing import Any

import hypothesis
import pytest

__all__ = ["choose_cells", "run_cells"]


def choose_cells(metafunc: pytest.Metafunc) -> None:
    """Make one test of a parametrised one, where its cells can stand together.

    With the marker `every(n)` it has each n-th of them, and the others are one `long` test, which says how many they
    are.
    """
    cells: list[Any] = metafunc._calls
    every = metafunc.definition.get_closest_marker("every")
    step = every.args[0] if every else 1
    chosen = cells[::step]
    others = [cell for place, cell in enumerate(cells) if place % step]
    metafunc._calls = _together(metafunc, chosen)
    if others:
        why = "another of its cells is run" + (f" ({len(others)} cells)" if len(others) > 1 else "")
        metafunc._calls.append(_marked(others[0], pytest.mark.long(why)))


def _together(metafunc: pytest.Metafunc, cells: Sequence[Any]) -> list[Any]:
    """Cells with a marker of their own stay tests of their own."""
    alike = [cell for cell in cells if not cell.marks]
    if len(alike) < 2 or not _stand_together(metafunc, alike[0]):
        return list(cells)
    marker = pytest.mark.cells([(cell.id, cell.params) for cell in alike])
    first = dataclasses.replace(_marked(alike[0], marker), _idlist=(f"{len(alike)} cells",))
    return [first, *(cell for cell in cells if cell.marks)]


def _stand_together(metafunc: pytest.Metafunc, cell: Any) -> bool:
    """A fixture that each cell would have anew, or that asks who wants it, is not for several cells."""
    function = metafunc.function
    fixtures = set(metafunc.fixturenames) - set(cell.params) - {"request"}
    return (
        all(metafunc._arg2fixturedefs[name][-1].scope != "function" for name in fixtures)
        and "indirect" not in metafunc._params_directness.values()
        and "request" not in inspect.signature(function).parameters
        and metafunc.cls is None
        and not inspect.iscoroutinefunction(function)
        and not hypothesis.is_hypothesis_test(function)
    )


def _marked(cell: Any, marker: pytest.MarkDecorator) -> Any:
    return dataclasses.replace(cell, marks=[*cell.marks, marker.mark])


def run_cells(item: pytest.Function) -> bool:
    """Run the cells of a test that `choose_cells` made; False for every other test.

    Raises what a cell raises with the cell's name as a note, and a group of these if several fail.
    """
    marker = item.get_closest_marker("cells")
    if marker is None:
        return False
    fixtures = {name: item.funcargs[name] for name in inspect.signature(item.obj).parameters if name in item.funcargs}
    failed: dict[str, BaseException] = {}
    for name, params in marker.args[0]:
        call = pytest.CallInfo.from_call(
            functools.partial(item.obj, **fixtures | params), "call", (KeyboardInterrupt, pytest.exit.Exception)
        )
        if call.excinfo is not None:
            call.excinfo.value.add_note(f"cell [{name}]")
            failed[name] = call.excinfo.value
    if len(failed) == 1:
        raise next(iter(failed.values()))
    if failed:
        names = ", ".join(f"[{name}]" for name in failed)
        raise BaseExceptionGroup(f"cells {names} of {len(marker.args[0])} failed", list(failed.values()))
    return True
