"""Scenarios as pytest tests: `pytest scenarios/`, `pytest scenarios/hold.yaml`, `-k`, tags as markers, snapshots.

A YAML file is a scenario when it lies in a folder named `scenarios` or names `scenario.schema.json` in its first lines.
Transcripts are asserted in virtual time only; in real time the run is compared with the virtual one as a call log.
Without syrupy the steps are checked all the same, and the snapshots are not.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

__all__: list[str] = []


class ScenarioFailed(Exception):
    """The scenario did not hold. The message is what a person reads."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("audiosocket", "scenarios of phone calls")
    group.addoption(
        "--target", dest="audiosocket_target", default="server:serve", help="what is under test (docs/targets.md)"
    )
    group.addoption(
        "--real-time", dest="audiosocket_real_time", action="store_true", help="scenarios on the real clock"
    )
    group.addoption("--kernel", dest="audiosocket_kernel", action="store_true", help="scenarios over kernel loopback")
    group.addoption(
        "--artefacts", dest="audiosocket_artefacts", default="runs/pytest", help="folder of logs and recordings"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    if file_path.suffix in (".yaml", ".yml") and _is_scenario(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _is_scenario(path: Path) -> bool:
    if path.parent.name == "scenarios":
        return True
    with path.open(encoding="utf-8", errors="replace") as file:
        return any("scenario.schema.json" in line for line, _ in zip(file, range(5), strict=False))


class ScenarioFile(pytest.File):
    """One file, one scenario, one test."""

    def collect(self) -> Iterator["ScenarioItem"]:
        from audiosocket_sim.loader import ScenarioError, load

        try:
            scenario = load(self.path)
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        item = ScenarioItem.from_parent(self, name=scenario.name, callobj=_test_of(scenario, self.config))
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


def _test_of(scenario: Any, config: pytest.Config) -> Any:
    """The test of one scenario: with the snapshot where there is syrupy and the clock is virtual."""
    from audiosocket_sim.target import parse_target

    target = config.getoption("audiosocket_target")
    real_time = config.getoption("audiosocket_real_time") or not parse_target(target).in_process
    if real_time or not config.pluginmanager.has_plugin("syrupy"):

        def test() -> None:
            _run(scenario, config, real_time=real_time)
    else:

        def test(scenario_snapshot: Any) -> None:  # type: ignore[misc]
            assert _run(scenario, config, real_time=False) == scenario_snapshot

    test.__module__ = "scenarios"
    test.__name__ = scenario.name
    return test


def _run(scenario: Any, config: pytest.Config, *, real_time: bool) -> str:
    from audiosocket_sim.runner import Options, Outcome, run
    from audiosocket_sim.transcript import around

    options = Options(
        target=config.getoption("audiosocket_target"),
        real_time=real_time,
        kernel=config.getoption("audiosocket_kernel"),
        artefacts=Path(config.getoption("audiosocket_artefacts")) / scenario.name,
    )
    result = run(scenario, options)
    if result.worth_repeating:
        result = run(scenario, options)
    if result.outcome is not Outcome.PASSED:
        lines = [f"{scenario.name}: {result.outcome.name.lower().replace('_', '-')}", *result.problems]
        if result.failed_at_ms is not None:
            lines += ["", *around(result.entries, result.failed_at_ms)]
        if result.artefacts is not None:
            lines += ["", f"call log: {result.artefacts.call_log}", f"recording: {result.artefacts.recording}"]
        raise ScenarioFailed("\n".join(lines))
    return result.transcript


@pytest.fixture
def scenario_snapshot(snapshot: Any) -> Any:
    """The snapshot of a scenario: one readable text file, scenarios/__snapshots__/NAME.txt."""
    from audiosocket_sim.snapshots import TranscriptExtension

    return snapshot.use_extension(TranscriptExtension)
