"""Converts results to rows of a report: the outcome in a word, the reason, and its place in the file."""

import re
from collections.abc import Sequence
from dataclasses import replace

from audiosocket_sim.report.pass_rate import RunRow, pass_rate
from audiosocket_sim.report.table import ReportRow
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.scenario.repeats import seeds_text

__all__ = ["cause_of", "row_of", "rows_of_problems", "rows_of_runs", "run_row", "word_of"]

_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INVALID: "invalid",
    Outcome.SET_UP: "set-up error",
    Outcome.INCONCLUSIVE: "inconclusive",
}
_WINDOW = re.compile(r", from [\d.]+ until [\d.]+")
_PLACE = re.compile(r"(?P<file>[^\n]+?):(?P<line>\d+)(?::\d+)?(?::? |$)")


def word_of(outcome: Outcome) -> str:
    """Return the word for an outcome: `passed`, `failed`, `invalid`, `set-up error` or `inconclusive`."""
    return _WORDS[outcome]


def row_of(result: Result) -> ReportRow:
    """Return the row of one call. Its place is that of the first failed step, or else the file without a line."""
    written = result.scenario.written.file
    own = {written, *result.scenario.written.files.values()}
    file, line = next((place for place in map(_place, _headlines(result)) if place[0] in own), (written, 0))
    reason = [*result.faults, *(line for failure in result.failures for line in failure.block())]
    target = "" if result.environment is None else result.environment.target
    files = [call.artefacts for call in sorted(result.calls, key=lambda call: call.passed)]  # the worst first
    report = next((str(one.report) for one in files if one is not None and one.report is not None), "")
    return ReportRow(result.scenario.name, word_of(result.outcome), "\n".join(reason), file, line, target, report)


def run_row(result: Result, number: int) -> RunRow:
    """Return the row of one of several runs of a scenario."""
    return RunRow(number, word_of(result.outcome), seeds_text(result.scenario), cause_of(result))


def cause_of(result: Result) -> str:
    """Return why a call did not pass, in one line without the times of that call; "" if it passed."""
    if result.failures and result.outcome is Outcome.FAILED:
        first = result.failures[0]
        return f"{first.where}: {first.what}: expected {_WINDOW.sub('', first.expected)}".removeprefix(": ")
    return next(iter(result.faults), "")


def rows_of_runs(results: Sequence[Result]) -> ReportRow:
    """Return one row for several runs of a scenario: that of the worst, with the pass rate as the reason."""
    worst = max(results, key=lambda result: result.outcome)
    row = row_of(worst)
    if len(results) == 1:
        return row
    rate = pass_rate([run_row(result, number) for number, result in enumerate(results, 1)])
    return replace(row, reason=f"{rate}\n{row.reason}".rstrip())


def rows_of_problems(name: str, problems: str, file: str = "") -> list[ReportRow]:
    """Return the rows of an invalid scenario: one for each line of `problems`, at the place with which it begins.

    `file`: the file for a line that begins without a place.
    """
    rows = []
    for problem in problems.splitlines():
        where, line = _place(problem)
        rows.append(ReportRow(name, "invalid", problem, where or file, line))
    return rows


def _headlines(result: Result) -> list[str]:
    return [*(failure.where for failure in result.failures), *result.faults]


def _place(text: str) -> tuple[str, int]:
    """Return the file and line with which a text begins (`call.yaml:3:5: …`); `""` and 0 if there are none."""
    found = _PLACE.match(text)
    return (found["file"], int(found["line"])) if found else ("", 0)
