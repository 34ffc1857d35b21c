"""Loads all scenarios of a folder. A file is recognised as a scenario by its content, not by its name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading.documents import Problem
from audiosocket_sim.scenario.loading.load import ScenarioError, load_all
from audiosocket_sim.scenario.paths import find_scenario

__all__ = ["load_scenarios"]

_SUFFIXES = (".yaml", ".yml")
_MODELINE = "scenario.schema.json"
_MODELINE_LINES = 5
_STEPS = re.compile(r"^steps:", re.MULTILINE)
_SUMMARY = re.compile(r"^summary:", re.MULTILINE)
_LARGEST_BYTES = 1_000_000


def load_scenarios(path: str | os.PathLike[str]) -> list[Scenario]:
    """Load the scenario of a file, or all scenarios below a folder in the order of their paths: one for each call.

    A file may also be given as a bare name, as for `run`: it is looked for in scenarios/, then among the shipped ones.
    In a folder, a YAML file is a scenario if it names `scenario.schema.json` in its first five lines or has the keys
    `summary` and `steps`. Other files, and folders whose names begin with a dot, are ignored. Raises ScenarioError with
    all problems of all files, also if there is no such file, or no scenario in the folder.
    """
    place = Path(path)
    if not place.is_dir():
        return list(load_all(_file(place)))
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for file in sorted(_yaml_files(place)):
        if _is_scenario(file):
            try:
                scenarios += load_all(file)
            except ScenarioError as error:
                problems += error.problems
    if not scenarios and not problems:
        problems.append(Problem(str(path), 1, 1, "no scenario in this folder or below it"))
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
