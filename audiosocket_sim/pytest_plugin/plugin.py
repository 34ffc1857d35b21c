"""Scenarios as pytest tests: `pytest scenarios/`, `pytest scenarios/hold.yaml`, `-k`, tags as markers, snapshots.

This module has pytest's hooks, each of which calls the module that does the work, and the plug-in's fixtures. Heavy
modules are imported only when a scenario is collected, since pytest loads the plug-in in every project of an
environment. Transcripts are compared with snapshots in virtual time only; a run in real time is compared with the call
log of a virtual run.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import call_pages, check_options, check_tests, collection, options, reporting
from audiosocket_sim.pytest_plugin.call_tests import (  # pytest finds the hooks and fixtures of a plug-in in its module
    add_call_settings,
    audiosocket_call,
    note_report,
    pytest_pycollect_makeitem,
    register_marker,
)
from audiosocket_sim.pytest_plugin.junit_attachments import JUnitAttachments

if TYPE_CHECKING:
    from audiosocket_sim.fake_azure import FakeAzure

__all__ = ["audiosocket_call", "pytest_pycollect_makeitem"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the plug-in's options and ini keys."""
    options.add_options(parser)
    call_pages.add_page_options(parser)
    add_call_settings(parser)
    check_options.add_check_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> Generator[None]:
    """Refuse options by their old names, after every conftest.py has registered its own options."""
    yield
    options.refuse_old_names(parser, args)


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, complete the places to collect, and register the marker."""
    options.check_settings(config)
    call_pages.check_page_settings(config)
    check_options.check_settings_of_check(config)
    collection.add_hidden_folders(config)
    register_marker(config)
    config.pluginmanager.register(JUnitAttachments(config))


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the target in pytest's header."""
    return reporting.header(config)


@pytest.hookimpl(optionalhook=True)
def pytest_metadata(metadata: dict[str, str], config: pytest.Config) -> None:
    """Add the target to the metadata, which pytest-html shows as the environment."""
    line = reporting.header(config)
    if line is not None:
        metadata["AudioSocket target"] = line.removeprefix("audiosocket target: ")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file that is a scenario."""
    return collection.collect_file(file_path, parent)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the conformance cases, which `-k` then chooses from; refuse values for what no scenario has."""
    check_tests.add_cases(session, items)
    collection.check_overrides(session, items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for transcripts without a scenario, and see which of the files passed over are parts of scenarios."""
    collection.forget_parts(session)
    collection.note_left_over_transcripts(session)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget the pages of the session before."""
    call_pages.forget_index(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Attach the problems of an invalid scenario to the report of its file."""
    report = yield
    reporting.attach_problems(collector, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach target, outcome and place of a scenario's call to the report of its test."""
    report = yield
    note_report(item, report)
    reporting.attach_call(item, report)
    check_tests.attach_check(item, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Show a call without a verdict as INCONCLUSIVE; pytest counts it as failed."""
    return reporting.status_of(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the findings of a pytest-xdist worker to its controller; judge what was measured over all calls."""
    reporting.send_to_controller(session.config)
    reporting.refuse_unheeded(session)
    reporting.judge_turns(session)
    reporting.write_index(session)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a new pytest-xdist worker the places that the command line names."""
    node.workerinput[collection.NAMED_PLACES] = collection.named_places(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the findings of a pytest-xdist worker that has ended."""
    reporting.take_from_worker(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write the section on phone calls."""
    reporting.write_summary(terminalreporter, config)


@pytest.fixture
def fake_azure() -> "Iterator[FakeAzure]":
    """A fake Azure Speech service in its own thread, without faults until `fake_azure.script(…)` (docs/speech.md)."""
    from audiosocket_sim.fake_azure import FakeAzure

    with FakeAzure.in_thread() as fake:
        yield fake


@pytest.fixture
def scenario_snapshot(snapshot: Any) -> Any:
    """The snapshot of a scenario: a text file, scenarios/transcripts/NAME.txt."""
    from audiosocket_sim.pytest_plugin.snapshots import TranscriptExtension

    return snapshot.use_extension(TranscriptExtension)
