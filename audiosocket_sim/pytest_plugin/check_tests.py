"""The conformance cases as tests, with `--audiosocket-check`: one run of the suite, a test for each case of it.

The run is made when the first of its tests is; it has the cases that were selected. What was not run is skipped with
its reason, a known failure is an expected one, and what is inconclusive is shown as such, and counts as failed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import check_options, options

if TYPE_CHECKING:
    from audiosocket_sim.conformance.stated.ready import ReadyRun
    from audiosocket_sim.conformance.verdicts import CaseResult

__all__ = ["CHECK_OUTCOME", "CheckItem", "add_cases", "attach_check"]

NAME = "audiosocket-check"
CHECK_OUTCOME = "audiosocket_check_outcome"
"""The attribute of a test's report with the outcome of its case."""
_READY = pytest.StashKey["ReadyRun"]()
_RUN = pytest.StashKey["dict[str, CaseResult] | str"]()
_WIDTH = 110


class CheckCases(pytest.Collector):
    """All cases, in no file."""

    def collect(self) -> Iterator["CheckItem"]:
        """Yield a test for each case."""
        from audiosocket_sim.conformance.cases.catalogue import CASES

        for case in CASES:
            yield CheckItem.from_parent(self, name=case.id, title=case.title)


class CheckItem(pytest.Item):
    """The test of one case."""

    def __init__(self, *, title: str, **more: Any) -> None:
        super().__init__(**more)
        self.title = title
        self.outcome: str | None = None

    def runtest(self) -> None:
        """Take the result of the case from the run, which is made if there is none yet."""
        from audiosocket_sim.conformance.case import CaseOutcome

        result = _result_of(self)
        self.outcome = result.outcome.value
        match result.outcome:
            case CaseOutcome.NOT_RUN:
                pytest.skip(result.why)
            case CaseOutcome.EXPECTED_FAILURE:
                pytest.xfail(result.why)
            case CaseOutcome.UNEXPECTED_PASS:
                raise CaseFailed(f"[XPASS(strict)] it passes, and is listed as known to fail: {result.why}")
            case CaseOutcome.FAIL | CaseOutcome.INCONCLUSIVE:
                raise CaseFailed(_text(self.config, result))
            case CaseOutcome.WARN:
                self.warn(CaseWarning(f"{self.name} {self.title}: {result.failures[0].says}"))
            case _:
                pass

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the place, which is none, and the name for the report."""
        return self.path, None, f"{NAME}::{self.name} {self.title}"

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the text of the failure, without a traceback."""
        return str(excinfo.value) if excinfo.errisinstance(CaseFailed) else super().repr_failure(excinfo)


class CaseFailed(Exception):
    """The case did not pass. The message is the report for people."""


class CaseWarning(UserWarning):
    """The bot does not do what it should."""


def add_cases(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the cases to the tests of the session, if they are wanted; those of one run stay in one worker of xdist.

    Raises pytest.UsageError without a target, and for a file that is not valid.
    """
    if not check_options.is_wanted(session.config):
        return
    session.config.stash[_READY] = _ready(session.config)
    collector = CheckCases.from_parent(session, name=NAME, nodeid=NAME)
    cases = list(collector.collect())
    for item in cases:
        item.add_marker(pytest.mark.xdist_group(NAME))
    items += cases
    # pytest shows how many tests it collected, and does not know of these
    report = pytest.CollectReport(NAME, "passed", None, list(cases))
    session.config.hook.pytest_collectreport(report=report)


def attach_check(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach the outcome of a case to the report of its test; junit shows it."""
    if isinstance(item, CheckItem) and report.when == "call" and item.outcome is not None:
        setattr(report, CHECK_OUTCOME, item.outcome)
        report.user_properties.append(("audiosocket_outcome", item.outcome))


def _result_of(item: CheckItem) -> "CaseResult":
    """Return the result of the case of this test. Raises CaseFailed if the run cannot be made; the other tests of it
    are skipped then."""
    stash = item.session.config.stash
    made = stash.get(_RUN, None)
    if made is None:
        made = stash[_RUN] = _run(item)
        if isinstance(made, str):
            raise CaseFailed(made)
    if isinstance(made, str):
        pytest.skip(f"no run could be made: {made}")
    return made[item.name]


def _run(item: CheckItem) -> "dict[str, CaseResult] | str":
    """Make the run of all cases that were selected. Returns their results, or a line that says why there are none."""
    from dataclasses import replace

    from audiosocket_sim.conformance.suite import run_suite
    from audiosocket_sim.parties.target import TargetError

    selected = {one.name for one in item.session.items if isinstance(one, CheckItem)}
    suite = item.config.stash[_READY].suite
    suite = replace(suite, cases=tuple(case for case in suite.cases if case.id in selected))
    try:
        result = run_suite(suite)
    except TargetError as error:
        return f"{suite.target_text}: {error}"
    return {one.case.id: one for one in result.results}


def _ready(config: pytest.Config) -> "ReadyRun":
    from audiosocket_sim.conformance.cases.catalogue import CASES
    from audiosocket_sim.conformance.stated.ready import made_ready
    from audiosocket_sim.parties.target import TargetUsageError
    from audiosocket_sim.scenario.loading import FileError

    try:
        choice = options.configured(config)
        if choice is None:
            places = "--audiosocket-target, the ini key audiosocket_target, or pyproject.toml (docs/targets.md)"
            raise pytest.UsageError(f"--audiosocket-check needs a target: {places}")
        return made_ready(
            choice,
            CASES,
            [case.id for case in CASES],
            config=check_options.file_of(config, "audiosocket_check_config"),
            known_failing=check_options.file_of(config, "audiosocket_check_known"),
            heavy=check_options.is_heavy(config),
            real_time=options.real_time(config),
        )
    except (TargetUsageError, FileError) as error:
        raise pytest.UsageError(str(error)) from None


def _text(config: pytest.Config, result: "CaseResult") -> str:
    """Return the block of a case that did not pass."""
    from audiosocket_sim.conformance.results.failure_text import failure_lines
    from audiosocket_sim.conformance.results.lines import plain

    target = config.getoption("audiosocket_target")
    named = f" --audiosocket-target '{target}'" if target else ""

    def repeat(name: str) -> str:
        return f"pytest --audiosocket-check -k {name}{named}"

    first = f"{result.case.title}: {result.failures[0].says}"  # pytest's summary shows the first line
    return "\n".join([first, *(plain(line) for line in failure_lines(result, repeat, _WIDTH))])
