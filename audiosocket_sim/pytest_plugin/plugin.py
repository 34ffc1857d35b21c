"""Scenarios as pytest tests: `pytest scenarios/`, `pytest scenarios/hold.yaml`, `-k`, tags as markers, snapshots.

A YAML file is a scenario when it lies in a folder named `scenarios` or names `scenario.schema.json` in its first lines.
Transcripts are asserted in virtual time only; in real time the run is compared with the virtual one as a call log.
Without syrupy the steps are checked all the same, and the snapshots are not.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import options
from audiosocket_sim.pytest_plugin.call_tests import (  # a plug-in's hooks and fixtures are what stands in its module
    add_call_settings,
    audiosocket_call,
    pytest_pycollect_makeitem,
    register_marker,
)

if TYPE_CHECKING:
    from audiosocket_sim.fake_azure import FakeAzure
    from audiosocket_sim.running.runner import Options, Result
    from audiosocket_sim.scenario import Scenario

__all__ = ["audiosocket_call", "pytest_pycollect_makeitem"]

_MODELINE_LINES = 5


class ScenarioFailed(Exception):
    """The scenario did not hold. The message is what a person reads."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)
    add_call_settings(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> Generator[None]:
    """By the end of this hook each conftest.py has registered its own options: an old name is then ours or nobody's."""
    yield
    options.refuse_old_names(parser, args)


def pytest_configure(config: pytest.Config) -> None:
    options.check_settings(config)
    register_marker(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    if file_path.suffix in (".yaml", ".yml") and _is_scenario(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _near(path: Path) -> Path:
    """What a person in this folder would call it: errors begin so."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _is_scenario(path: Path) -> bool:
    if path.parent.name == "scenarios":
        return True
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return any("scenario.schema.json" in line for line, _ in zip(file, range(_MODELINE_LINES), strict=False))
    except OSError:
        return False  # somebody's file that may not be read, or a link to nowhere: it is not ours to complain


class ScenarioFile(pytest.File):
    """One file, one scenario, one test."""

    def collect(self) -> Iterator["ScenarioItem"]:
        from audiosocket_sim.scenario.loading import ScenarioError, load

        try:
            scenario = load(_near(self.path))
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        item = ScenarioItem.from_parent(self, name=scenario.name, callobj=_test_of(scenario, self.path, self.config))
        for tag in scenario.tags:
            self.config.addinivalue_line("markers", f"{tag}: a tag of scenarios")
            item.add_marker(tag)
        yield item


class ScenarioItem(pytest.Function):
    """A test function, so that fixtures, syrupy and xdist treat it as one."""

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"scenario {self.name}"

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if excinfo.errisinstance(ScenarioFailed):
            return str(excinfo.value)
        if excinfo.errisinstance(AssertionError):
            return f"{self.path.name}: the transcript differs from its snapshot\n{excinfo.value}"
        return super().repr_failure(excinfo)


def _test_of(scenario: "Scenario", path: Path, config: pytest.Config) -> Any:
    """The test of one scenario: with the snapshot where there is syrupy and the clock is virtual."""
    from audiosocket_sim.parties.target import TargetUsageError, parse_target

    real = options.peer(config) == "asterisk"
    try:
        target = options.target_of(config, scenario.folder)
        in_process = parse_target(target.text, options.control_url(config)).in_process
    except TargetUsageError as error:
        return _failing(scenario, str(error))
    real_time = options.real_time(config) or real or not in_process
    if real_time or not config.pluginmanager.has_plugin("syrupy"):

        def test() -> None:
            if real:
                _skip_what_a_phone_cannot_play(scenario)
            how = _options(path, config, target.text, real_time=real_time)
            result = _run(scenario, how)
            if real_time and in_process:
                _compare(scenario, how, result)
    else:

        def test(scenario_snapshot: Any) -> None:  # type: ignore[misc]
            assert _run(scenario, _options(path, config, target.text, real_time=False)).transcript == scenario_snapshot

    test.__module__ = "scenarios"
    test.__name__ = scenario.name
    return test


def _failing(scenario: "Scenario", why: str) -> Any:
    def test() -> None:
        raise ScenarioFailed(f"{scenario.name}: {why}")

    test.__module__, test.__name__ = "scenarios", scenario.name
    return test


def _options(path: Path, config: pytest.Config, target: str, *, real_time: bool) -> "Options":
    from audiosocket_sim.net.control_client import token_from_environment
    from audiosocket_sim.running.runner import Options

    root = config.rootpath
    folder = path.relative_to(root).with_suffix("") if path.is_relative_to(root) else Path(path.stem)
    return Options(
        target=target,
        control_url=options.control_url(config),
        control_token=token_from_environment(),
        peer=options.peer(config),
        real_time=real_time,
        kernel=options.kernel(config),
        trust=options.trust(config),
        artefacts=options.artefacts(config) / folder,
    )


def _run(scenario: "Scenario", how: "Options") -> "Result":
    """Run it, and once more where the machine was too busy. Raises ScenarioFailed; KeyboardInterrupt is pytest's."""
    from audiosocket_sim.running import runner
    from audiosocket_sim.running.report_lines import report_lines

    result = runner.run(scenario, how)
    if result.worth_repeating:
        result = runner.run(scenario, how)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.outcome is not runner.Outcome.PASSED:
        raise ScenarioFailed("\n".join(report_lines(result)))
    return result


def _skip_what_a_phone_cannot_play(scenario: "Scenario") -> None:
    from audiosocket_sim.asterisk_real.leg import real_leg
    from audiosocket_sim.parties.target import TargetUsageError

    try:
        real_leg(scenario)
    except TargetUsageError as error:
        pytest.skip(str(error))


def _compare(scenario: "Scenario", how: "Options", real: "Result") -> None:
    """The same call on both clocks; on a busy machine one quiet repetition decides."""
    from dataclasses import replace

    from audiosocket_sim.call_log.agreement import disagreements
    from audiosocket_sim.running.runner import LATE_MS

    told_by_asterisk = how.peer == "asterisk"
    virtual = _run(scenario, replace(how, peer="simulated", real_time=False, artefacts=None))

    def differences(real: "Result") -> list[str]:
        allowance_ms = _COMPUTE_MS + real.disturbed_ms
        return disagreements(virtual.entries, real.entries, allowance_ms, told_by_asterisk=told_by_asterisk)

    found = differences(real)
    if found and real.disturbed_ms > LATE_MS:
        found = differences(_run(scenario, how))
    if found:
        where = "with a real Asterisk" if told_by_asterisk else "in real time"
        told = [f"{scenario.name}: {where} it is another call than in virtual time", *found]
        raise ScenarioFailed("\n".join(told))


_COMPUTE_MS = 20.0
"""What the server's own work may take where the virtual clock takes it to be nothing."""


@pytest.fixture
def fake_azure() -> "Iterator[FakeAzure]":
    """A fake Azure Speech service in a thread of its own; all is well until `fake_azure.script(…)` (docs/speech.md)."""
    from audiosocket_sim.fake_azure import FakeAzure

    with FakeAzure.in_thread() as fake:
        yield fake


@pytest.fixture
def scenario_snapshot(snapshot: Any) -> Any:
    """The snapshot of a scenario: one readable text file, scenarios/transcripts/NAME.txt."""
    from audiosocket_sim.pytest_plugin.snapshots import TranscriptExtension

    return snapshot.use_extension(TranscriptExtension)
