"""Scenarios as pytest tests: `pytest scenarios/`, `pytest scenarios/hold.yaml`, `-k`, tags as markers, snapshots.

pytest's hooks, each a line into the file that does the work; and the plug-in's fixtures. Nothing heavy is imported
before a scenario is collected: the plug-in is loaded in each project of an environment that it is installed in.
Transcripts are asserted in virtual time only; in real time the run is compared with the virtual one as a call log.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import collection, options, reporting
from audiosocket_sim.pytest_plugin.call_tests import (  # a plug-in's hooks and fixtures are what stands in its module
    add_call_settings,
    audiosocket_call,
    pytest_pycollect_makeitem,
    register_marker,
)

if TYPE_CHECKING:
    from audiosocket_sim.fake_azure import FakeAzure

__all__ = ["audiosocket_call", "pytest_pycollect_makeitem"]


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


def pytest_report_header(config: pytest.Config) -> str | None:
    return reporting.header(config)


@pytest.hookimpl(optionalhook=True)
def pytest_metadata(metadata: dict[str, str], config: pytest.Config) -> None:
    """Into the environment table of pytest-html, which pytest-metadata collects."""
    line = reporting.header(config)
    if line is not None:
        metadata["AudioSocket target"] = line.removeprefix("audiosocket target: ")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return collection.collect_file(file_path, parent)


def pytest_collection_finish(session: pytest.Session) -> None:
    collection.note_left_over_transcripts(session)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    reporting.attach_problems(collector, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    reporting.attach_call(item, report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporting.send_to_controller(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist is about to start."""
    node.workerinput[collection.NAMED_PLACES] = collection.named_places(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    reporting.take_from_worker(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reporting.write_summary(terminalreporter, config)


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
