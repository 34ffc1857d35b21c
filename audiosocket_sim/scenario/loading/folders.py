"""Loads all scenarios of a folder. A file is recognised as a scenario by its content, not by its name."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading.documents import Problem
from audiosocket_sim.scenario.loading.load import ScenarioError, load_all
from audiosocket_sim.scenario.loading.overrides import unheeded_override
from audiosocket_sim.scenario.paths import find_scenario

__all__ = ["load_scenarios"]

_SUFFIXES = (".yaml", ".yml")
_MODELINE = "scenario.schema.json"
_MODELINE_LINES = 5
_STEPS = re.compile(r"^steps:", re.MULTILINE)
_SUMMARY = re.compile(r"^summary:", re.MULTILINE)
_LARGEST_BYTES = 1_000_000
_OPTION = "set"
"""How errors name what gave a value."""


def load_scenarios(
    path: str | os.PathLike[str],
    *,
    set: Mapping[str, object] | Sequence[str] = (),
) -> list[Scenario]:
    """Load the scenario of a file, or all scenarios below a folder in the order of their paths: one for each call.

    A file may also be given as a bare name, as for `run`: it is looked for in scenarios/, then among the shipped ones.
    In a folder, a YAML file is a scenario if it names `scenario.schema.json` in its first five lines or has the keys
    `summary` and `steps`. Other files, and folders whose names begin with a dot, are ignored.

    `set`: values in the place of those of the scenarios, `{"line.noise_dbfs": -40}`, or as `run --set` takes them,
    `["line.noise_dbfs=-40"]`. Raises ScenarioError with all problems of all files, also if there is no such file, no
    scenario in the folder, or no scenario with a name of `for_each` to which `set` gives values.
    """
    place, overrides = Path(path), _overrides(set)
    if place.is_dir():
        scenarios = _load_below(place, overrides)
    else:
        scenarios = list(load_all(_file(place), overrides, option=_OPTION))
    names = {name for scenario in scenarios for name in scenario.cell}
    if (unheeded := unheeded_override(overrides, names)) is not None:
        raise ScenarioError(Problem(_OPTION, 0, 0, unheeded))
    return scenarios


def _overrides(given: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Return values as `load_all` takes them. Raises ScenarioError for a value that is no plain data."""
    if isinstance(given, Mapping):
        try:
            return [f"{key}={json.dumps(value, ensure_ascii=False, allow_nan=False)}" for key, value in given.items()]
        except (TypeError, ValueError) as error:
            raise ScenarioError(Problem(_OPTION, 0, 0, f"needs texts, numbers, lists and mappings: {error}")) from None
    return [given] if isinstance(given, str) else list(given)


def _load_below(place: Path, overrides: Sequence[str]) -> list[Scenario]:
    """Load all scenarios below a folder. Raises ScenarioError."""
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for file in sorted(_yaml_files(place)):
        if _is_scenario(file):
            try:
                scenarios += load_all(file, overrides, option=_OPTION)
            except ScenarioError as error:
                problems += error.problems
    if not scenarios and not problems:
        problems.append(Problem(str(place), 0, 0, "no scenario in this folder or below it"))
    if problems:
        raise ScenarioError(*problems)
    return scenarios


def _file(place: Path) -> Path:
    try:
        return place if place.is_file() else find_scenario(str(place), Path.cwd())
    except FileNotFoundError:
        return place  # `load` says that there is no such file


def _yaml_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in files if name.endswith(_SUFFIXES))


def _is_scenario(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            text = opened.read(_LARGEST_BYTES)
    except PermissionError:
        return True  # `load` reports it
    except OSError:
        return False  # a link to nowhere
    first = text.split("\n", _MODELINE_LINES)[:_MODELINE_LINES]
    return any(_MODELINE in line for line in first) or bool(_STEPS.search(text) and _SUMMARY.search(text))
