"""Collects scenario files, and makes each scenario a test.

A file with the modeline (`$schema=…scenario.schema.json`) is collected from any folder. A file with a top-level
`summary` or `steps` is collected below the folders of the ini key `audiosocket_scenarios`, or if the command line names
it. All other YAML files are ignored, since they belong to other tools.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import options
from audiosocket_sim.pytest_plugin.scenario_record import ScenarioFailed, ScenarioRecord
from audiosocket_sim.pytest_plugin.transcripts import has_scenario
from audiosocket_sim.scenario_files import has_modeline, is_yaml, looks_like_scenario

if TYPE_CHECKING:
    from audiosocket_sim.scenario import Scenario

__all__ = [
    "LEFT_OVER",
    "NAMED_PLACES",
    "PASSED_OVER",
    "UNHEEDED",
    "ScenarioFile",
    "ScenarioItem",
    "add_hidden_folders",
    "check_overrides",
    "collect_file",
    "forget_parts",
    "named_places",
    "note_left_over_transcripts",
]

PASSED_OVER = pytest.StashKey[dict[str, bool]]()
"""YAML files in named folders that are not collected; True for those to report in any project."""
PARTS = pytest.StashKey[set[str]]()
"""The files that the collected scenarios include, and their folders' defaults; links resolved."""
CELL_NAMES = pytest.StashKey[set[str]]()
"""The names in the `for_each` of all collected scenarios; there is none as long as none is collected."""
LEFT_OVER = pytest.StashKey[list[str]]()
"""Transcripts whose scenario does not exist any more."""
UNHEEDED = pytest.StashKey[str]()
"""What the command line sets and no scenario has, as the line of an error."""
NAMED_PLACES = "audiosocket_named_places"
_HEADING = " · Asterisk "


def collect_file(path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Return the collector of a file that is a scenario; None for any other file."""
    if not is_yaml(path):
        return None
    if has_modeline(path):
        return ScenarioFile.from_parent(parent, path=path)
    config = parent.config
    in_ini = any(path.is_relative_to(folder) for folder in options.scenario_folders(config))
    if not in_ini and not any(path.is_relative_to(place) for place in named_places(config)):
        return None
    looks = looks_like_scenario(path)
    if looks and (in_ini or parent.session.isinitpath(path)):
        return ScenarioFile.from_parent(parent, path=path)
    passed_over = config.stash.setdefault(PASSED_OVER, {})
    passed_over[_from_root(path, config)] = in_ini or looks or "scenarios" in path.parent.parts
    return None


def named_places(config: pytest.Config) -> list[str]:
    """Return the files and folders that the command line names, without those of `testpaths`.

    A worker of pytest-xdist gets them from its controller, as it cannot distinguish the two.
    """
    given = getattr(config, "workerinput", {}).get(NAMED_PLACES)
    if given is not None:
        return list(given)
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return []
    here = config.invocation_params.dir
    return [os.path.normpath(here / argument.partition("::")[0]) for argument in config.args]


def add_hidden_folders(config: pytest.Config) -> None:
    """Add the ini key's folders that lie outside of `testpaths` to the places that pytest collects.

    Only if the command line names no place. A worker of pytest-xdist gets the places from its controller.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    here = config.invocation_params.dir
    places = [os.path.normpath(here / argument) for argument in config.args]
    ignored = [os.path.normpath(here / name) for name in config.getoption("ignore") or ()]
    for folder in options.scenario_folders(config):
        if not any(folder.is_relative_to(place) for place in (*places, *ignored)):
            config.args.append(str(folder))


def forget_parts(session: pytest.Session) -> None:
    """Take the files that scenarios include, and their folders' defaults, from those that were passed over."""
    passed_over = session.config.stash.get(PASSED_OVER, {})
    parts = session.config.stash.get(PARTS, set())
    for name in [name for name in passed_over if str((session.config.rootpath / name).resolve()) in parts]:
        del passed_over[name]


def check_overrides(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Raise pytest.UsageError if the command line gives values to a name that is in no scenario's `for_each`.

    Not if a scenario could not be read: the name may be its. The ini key is for any choice of scenarios. A worker of
    pytest-xdist cannot end the session: there all tests are taken from `items`, and the controller is told why.
    """
    names = session.config.stash.get(CELL_NAMES, None)
    if names is None or session.testsfailed:
        return
    from audiosocket_sim.scenario.loading import unheeded_override

    unheeded = unheeded_override(session.config.getoption("audiosocket_set") or (), names)
    if unheeded is None:
        return
    line = f"{options.OVERRIDE} {unheeded}"
    if not hasattr(session.config, "workerinput"):
        raise pytest.UsageError(line)
    items.clear()
    session.config.stash[UNHEEDED] = line


def note_left_over_transcripts(session: pytest.Session) -> None:
    """Store the transcripts without a scenario, beside the collected scenarios and in the ini key's folders."""
    folders = {item.path.parent for item in session.items if isinstance(item, ScenarioItem)}
    folders |= {folder for folder in options.scenario_folders(session.config) if folder.is_dir()}
    found = [path for folder in sorted(folders) for path in sorted((folder / "transcripts").glob("*.txt"))]
    session.config.stash[LEFT_OVER] = [_from_root(path, session.config) for path in found if _is_left_over(path)]


def _is_left_over(transcript: Path) -> bool:
    if has_scenario(transcript):
        return False
    try:
        with transcript.open(encoding="utf-8", errors="replace") as file:
            return _HEADING in file.readline(1000)
    except OSError:
        return False


def _from_root(path: Path, config: pytest.Config) -> str:
    return str(path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path)


def _near(path: Path) -> Path:
    """Return the path, relative to the working folder if it is below it. Errors begin with it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class ScenarioFile(pytest.File):
    """A file with one scenario: a test for each cell of its `for_each` and each of its runs, `--count` times."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """Yield the file's tests. Raises CollectError if the file is not a valid scenario."""
        from audiosocket_sim.scenario.loading import ScenarioError, load_all

        try:
            cells = load_all(_near(self.path), options.overrides(self.config), option=options.OVERRIDE)
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        parts = self.config.stash.setdefault(PARTS, set())
        names = self.config.stash.setdefault(CELL_NAMES, set())
        for scenario in cells:
            parts.update(map(str, scenario.parts))
            names.update(scenario.cell)
            yield from self._tests(scenario)

    def _tests(self, scenario: "Scenario") -> Iterator["ScenarioItem"]:
        """Yield the tests of one call: one, or one for each run and each repetition."""
        from audiosocket_sim.pytest_plugin.scenario_test import make_test

        for tag in scenario.tags:
            self.config.addinivalue_line("markers", f"{tag}: a tag of scenarios")
        from audiosocket_sim.scenario.repeats import marked, run_of, seeds_text

        times, runs = _times(self.config), options.repeat(self.config) or scenario.runs
        for run, number in itertools.product(range(1, runs + 1), range(1, times + 1)):
            called = run_of(scenario, run)
            record = ScenarioRecord(scenario.name, str(_near(self.path)), calls=len(scenario.calls))
            if runs > 1:
                record.run, record.runs, record.seeds = run, runs, seeds_text(called)
            test = make_test(called, self.path, self.config, record, number)
            name = scenario.name if runs == 1 else marked(scenario.name, f"run={run}")
            name = name if times == 1 else marked(name, f"{number}-{times}")
            item: ScenarioItem = ScenarioItem.from_parent(self, name=name, callobj=test)
            item.record = record
            for tag in scenario.tags:
                item.add_marker(tag)
            yield item


def _times(config: pytest.Config) -> int:
    """Return `--count` of pytest-repeat, which itself repeats Python functions only; 1 without that plug-in."""
    is_there = config.getoption("repeat_scope", None) is not None
    return max(1, int(config.getoption("count", 1))) if is_there else 1


class ScenarioItem(pytest.Function):
    """The test of a scenario: a pytest.Function, so that fixtures, syrupy and xdist treat it as a test function."""

    record: ScenarioRecord

    def runtest(self) -> None:
        """Run the test, with a fresh record of the call."""
        self.record.start()
        super().runtest()

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the scenario's file, and its name for the report."""
        return self.path, 0, f"scenario {self.name}"

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the report of a failed scenario: its failures, or the differences in its transcript."""
        if excinfo.errisinstance(ScenarioFailed):
            return str(excinfo.value)
        if excinfo.errisinstance(AssertionError):
            return f"{self.path.name}: the transcript differs from its snapshot\n{excinfo.value}"
        return super().repr_failure(excinfo)
