"""Reports a session's calls: target, missing snapshots, ignored files; and annotations for GitHub."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from audiosocket_sim.pytest_plugin import options
from audiosocket_sim.pytest_plugin.call_pages import attach_pages, write_index_of_session
from audiosocket_sim.pytest_plugin.call_tests import CallTest
from audiosocket_sim.pytest_plugin.check_tests import CHECK_OUTCOME
from audiosocket_sim.pytest_plugin.collection import LEFT_OVER, PASSED_OVER, UNHEEDED, ScenarioFile, ScenarioItem
from audiosocket_sim.pytest_plugin.junit_attachments import attach_as_output
from audiosocket_sim.pytest_plugin.scenario_record import row_from

__all__ = [
    "attach_call",
    "attach_problems",
    "header",
    "judge_turns",
    "refuse_unheeded",
    "send_to_controller",
    "status_of",
    "take_from_worker",
    "write_index",
    "write_summary",
]

_ATTRIBUTE = "audiosocket_call"
_PROPERTIES = ("audiosocket_target", "audiosocket_outcome", "audiosocket_report")
_MOST_NAMES = 10
_TURN_LINES = pytest.StashKey[list[str]]()
_INDEX = pytest.StashKey[tuple[str, str]]()


def header(config: pytest.Config) -> str | None:
    """Return the line of pytest's header that names the target; None if none is named for the whole session."""
    from audiosocket_sim.parties.target import TargetUsageError

    try:
        choice = options.configured(config)
    except TargetUsageError as error:
        return f"audiosocket target: {error}"
    return None if choice is None else f"audiosocket target: {choice}"


def attach_call(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach target, outcome, place and pages to the report of a test's calls; junit shows all but the place.

    A test in Python whose call could not be set up has them too.
    """
    if report.skipped or not isinstance(item, ScenarioItem | CallTest):
        return
    if report.when != "call" and not (isinstance(item, CallTest) and report.when == "setup" and report.failed):
        return
    data = item.record.to_report(report.longreprtext if report.failed else None)
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and isinstance(item, CallTest):  # an error of the test's own: its message, without traceback
        data["reason"] = crash.message.removeprefix("Failed: ")  # the name of pytest.fail's exception
        data["line"] = crash.lineno if crash.path == str(item.path) else data["line"]
    pages = attach_pages(report, data, item.record.folders, item.config)
    setattr(report, _ATTRIBUTE, data)
    shown = [("audiosocket_target", data["target"]), ("audiosocket_outcome", data["outcome"])]
    shown += [("audiosocket_report", page) for page in pages]
    item.user_properties[:] = [pair for pair in item.user_properties if pair[0] not in _PROPERTIES] + shown
    report.user_properties[:] = item.user_properties
    attach_as_output(item, pages)


def status_of(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Return pytest's category, letter and word for an inconclusive call or case; None for any other test."""
    call = getattr(report, _ATTRIBUTE, None)
    is_inconclusive = report.failed and call is not None and call.get("outcome") == "inconclusive"
    is_inconclusive |= report.failed and getattr(report, CHECK_OUTCOME, None) == "inconclusive"
    return ("failed", "I", "INCONCLUSIVE") if is_inconclusive else None


def attach_problems(collector: pytest.Collector, report: pytest.CollectReport) -> None:
    """Attach the problems of an invalid scenario to the report of its file, one line for each."""
    if isinstance(collector, ScenarioFile) and report.failed:
        setattr(report, _ATTRIBUTE, {"name": collector.path.stem, "problems": report.longreprtext})


def send_to_controller(config: pytest.Config) -> None:
    """In a worker of pytest-xdist, send the findings of the collection to the controller."""
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["audiosocket_passed_over"] = config.stash.setdefault(PASSED_OVER, {})
        output["audiosocket_left_over"] = config.stash.setdefault(LEFT_OVER, [])
        output["audiosocket_unheeded"] = config.stash.get(UNHEEDED, None)


def take_from_worker(config: pytest.Config, output: Mapping[str, Any]) -> None:
    """In the controller of pytest-xdist, take the findings of a worker; those of all workers are the same."""
    config.stash.setdefault(PASSED_OVER, {}).update(output.get("audiosocket_passed_over", {}))
    if output.get("audiosocket_unheeded"):
        config.stash[UNHEEDED] = output["audiosocket_unheeded"]
    known = config.stash.setdefault(LEFT_OVER, [])
    known += [name for name in output.get("audiosocket_left_over", []) if name not in known]


def refuse_unheeded(session: pytest.Session) -> None:
    """In the controller of pytest-xdist, end with a usage error if the workers have found one."""
    line = session.config.stash.get(UNHEEDED, None)
    if line is not None and not hasattr(session.config, "workeroutput"):
        print(f"ERROR: {line}", file=sys.stderr)  # noqa: T201 - where pytest writes its own usage errors
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def judge_turns(session: pytest.Session) -> None:
    """Put what was measured of turn-taking in all calls together, write it to a file, and judge it by the limits of the
    session, which a broken limit fails. Not in a worker of pytest-xdist: its controller does it."""
    config = session.config
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workeroutput") or terminal is None:
        return
    called = [one for report in _reports(terminal.stats) if "problems" not in (one := getattr(report, _ATTRIBUTE))]
    if not called:
        return
    plain = [turns for one in called for turns in one.get("turns", ())]
    from audiosocket_sim.checks.turn_limits import broken_limits
    from audiosocket_sim.running.turns_file import write_turns
    from audiosocket_sim.turn_taking import CallTurns, summary_line, together

    turns, limits = together(map(CallTurns.from_plain, plain)), options.turn_limits(config)
    broken = [] if limits is None or not plain else broken_limits(turns, limits)
    trouble = write_turns(options.artefacts(config), turns)
    lines = [summary_line(turns), *(f"FAILED: {one}" for one in broken), trouble]
    config.stash[_TURN_LINES] = [line for line in lines if line]
    if broken and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def write_index(session: pytest.Session) -> None:
    """Write the page that leads to those of all calls. Not in a worker of pytest-xdist: its controller does it."""
    config = session.config
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if not hasattr(config, "workeroutput") and terminal is not None:
        calls = [getattr(report, _ATTRIBUTE) for report in _reports(terminal.stats)]
        config.stash[_INDEX] = write_index_of_session(calls, config)


def write_summary(terminal: Any, config: pytest.Config) -> None:
    """Write the section of the terminal's summary, if there is anything to report; in a GitHub job also annotations."""
    calls = [getattr(report, _ATTRIBUTE) for report in _reports(terminal.stats)]
    lines = list(_lines(calls, config))
    if lines:
        terminal.write_sep("-", "phone calls")
        for line in lines:
            terminal.write_line(line)
    if calls:
        _report_to_github(calls, terminal, config.stash.get(_INDEX, ("", ""))[0])


def _reports(stats: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Yield the reports of tests that make calls, without runs that pytest-rerunfailures has repeated."""
    for outcome, reports in stats.items():
        if outcome != "rerun":
            yield from (report for report in reports if hasattr(report, _ATTRIBUTE))


def _lines(calls: Sequence[dict[str, Any]], config: pytest.Config) -> Iterator[str]:
    made = [call for call in calls if "problems" not in call]
    numbers = Counter[tuple[str, str]]()
    for call in made:
        numbers[call["target"], call["target_origin"]] += call["calls"]
    for (target, origin), number in numbers.items():
        if target and number:
            yield f"{number} call{'s' if number != 1 else ''} of {target} ({origin})"
    yield from _rates(made)
    yield from config.stash.get(_TURN_LINES, [])
    page, trouble = config.stash.get(_INDEX, ("", ""))
    yield from filter(None, (page and f"report: {page}", trouble))
    lacking = dict.fromkeys(call["name"] for call in made if call["lacks_snapshot"])
    if lacking:
        yield f"no snapshot of the transcript yet: {_some(lacking)} (--snapshot-update writes them)"
    left_over = [name for name in config.stash.get(LEFT_OVER, []) if (config.rootpath / name).exists()]
    if left_over:
        yield f"transcripts without a scenario: {_some(left_over)}"
    passed_over = config.stash.get(PASSED_OVER, {})
    uses_us = bool(calls) or any(True for _ in options.scenario_folders(config))
    named = [name for name, is_ours in passed_over.items() if is_ours or uses_us]
    if named:
        files = f"{len(named)} YAML file{'s' if len(named) != 1 else ''}"
        why = "no modeline `# yaml-language-server: $schema=…scenario.schema.json`"
        yield f"passed over {files}: {_some(named)} ({why}; docs/scenarios.md)"


def _rates(calls: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield how many calls passed of each scenario that has several runs."""
    from audiosocket_sim.report.pass_rate import RunRow, rate_lines

    runs: dict[tuple[str, str], list[RunRow]] = {}
    for call in calls:
        if call["runs"] > 1:
            row = RunRow(call["run"], call["outcome"], call["seeds"], call["cause"])
            runs.setdefault((call["file"], call["name"]), []).append(row)
    for (_, name), rows in runs.items():
        yield from rate_lines(name, sorted(rows, key=lambda row: row.number))


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return ", ".join(listed[:_MOST_NAMES]) + more


def _report_to_github(calls: Sequence[dict[str, Any]], terminal: Any, page: str) -> None:
    from audiosocket_sim.report.github import annotation, append_job_summary, is_github

    if not is_github(os.environ):
        return
    from audiosocket_sim.running.outcome_rows import rows_of_problems

    rows = []
    for call in calls:
        rows += rows_of_problems(call["name"], call["problems"]) if "problems" in call else [row_from(call)]
    lines = [line for line in (annotation(row, os.environ) for row in rows) if line is not None]
    trouble = append_job_summary(rows, "Phone calls", os.environ, page)
    for line in [*lines, *([trouble] if trouble else [])]:
        terminal.write_line(line)
