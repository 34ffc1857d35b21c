"""Each bad bot of the zoo fails, first for the cause that is meant, and for none that is false; good twins pass."""

import re
import shutil
from typing import Any

import pytest
from helpers.reported_calls import saved_result

from audiosocket_sim.report.call.problems import problems_of
from audiosocket_sim.running.runner import Outcome
from zoo.keeper import call, causes, setup_of, twin
from zoo.kinds import KINDS, NOT_YET, Animal, Kind, animals
from zoo.page import PAGE, key, page, row, rows_of
from zoo.small_bot import Setup

ROWS = rows_of(PAGE.read_text(encoding="utf-8"))
LONG = pytest.mark.long("a bot of each thirtieth kind is called, and the rooms' own tests hold each kind")
QUICK = {kind.name for kind in KINDS[::30]}


def bad_bots() -> list[Any]:
    return [pytest.param(kind, animal, id=key(kind, animal), marks=_marks(kind, animal)) for kind, animal in animals()]


def good_bots() -> list[Any]:
    """Each of them once: many bad bots have the same good twin."""
    found: dict[tuple[str, Setup, str], Any] = {}
    for kind, animal in animals():
        name, good = kind.call, twin(kind, animal)
        told = f"{name}, {Animal(voice=good.voice, gain_db=good.gain_db, runs=animal.runs)}"
        marks = _marks(kind, animal)
        found.setdefault((name, good, animal.runs), pytest.param(name, good, animal.runs, id=told, marks=marks))
    return list(found.values())


def _marks(kind: Kind, animal: Animal) -> list[pytest.MarkDecorator]:
    marks = [] if kind.name in QUICK and animal is kind.three[0] else [LONG]
    if animal.runs != "here":
        marks += [pytest.mark.real_time]
    if animal.runs == "node":
        marks += [pytest.mark.apt]
    return marks


def needs_node(runs: str) -> None:
    if runs == "node" and shutil.which("node") is None:
        pytest.skip("node is not installed: `make test-all` installs it")


@pytest.mark.parametrize(("kind", "animal"), bad_bots())
def test_a_bad_bot_is_found(kind: Kind, animal: Animal) -> None:
    needs_node(animal.runs)
    result = call(kind.call, setup_of(kind, animal), animal.runs)
    found = causes(result)
    told = "\n".join([*result.problems, result.transcript])
    meanwhile = NOT_YET.get(key(kind, animal))
    if meanwhile is not None:
        assert not (found and re.search(kind.cause, found[0].text)), f"it is found: take it from NOT_YET\n{told}"
        assert result.outcome is (Outcome.FAILED if meanwhile else Outcome.PASSED), told
        assert [line for one in found for line in one.false_lines(meanwhile)] == [], told
    else:
        assert result.outcome is Outcome.FAILED, told
        assert re.search(kind.cause, found[0].text), told
        true = f"{kind.cause}|{kind.also}" if kind.also else kind.cause
        assert [line for one in found for line in one.false_lines(true)] == [], told
    first = problems_of(saved_result(result))[0]
    screen = "\n".join([first.sentence, *first.more])
    if meanwhile is None:
        assert re.search(kind.report or kind.cause, screen), f"its report's first screen names no cause\n{screen}"
        assert first.side.who == "the bot", screen
    assert row(kind, animal, found) in ROWS, f"docs/zoo.md: `make zoo` writes it\n{told}"


@pytest.mark.parametrize(("name", "good", "runs"), good_bots())
def test_its_good_twin_passes(name: str, good: Setup, runs: str) -> None:
    needs_node(runs)
    result = call(name, good, runs)
    accepted = (Outcome.PASSED,) if runs == "here" else (Outcome.PASSED, Outcome.INCONCLUSIVE)
    assert result.outcome in accepted, "\n".join([*result.problems, result.transcript])


def test_the_zoo_is_large_and_its_kinds_are_three_different_bots_each() -> None:
    assert len(KINDS) >= 30
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert [kind.name for kind in KINDS if len(set(kind.three)) < 3] == []
    assert {animal.runs for _, animal in animals()} == {"here", "program", "node"}
    assert set(NOT_YET) <= {key(kind, animal) for kind, animal in animals()}


def test_the_page_has_these_bots_and_no_others() -> None:
    bots = [tuple(line[2:].split(" | ")[:2]) for line in ROWS]
    assert bots == [(kind.name, str(animal)) for kind, animal in animals()]
    assert PAGE.read_text(encoding="utf-8") == page(ROWS)
