"""Converts results to rows of a report: the outcome in a word, the reason, and its place in the file."""

import re

from audiosocket_sim.report.table import ReportRow
from audiosocket_sim.running.result import Outcome, Result

__all__ = ["row_of", "rows_of_problems", "word_of"]

_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INVALID: "invalid",
    Outcome.SET_UP: "set-up error",
    Outcome.INCONCLUSIVE: "inconclusive",
}
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
    return ReportRow(result.scenario.name, word_of(result.outcome), "\n".join(reason), file, line, target)


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
