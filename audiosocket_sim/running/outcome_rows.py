"""Results as rows of a report: the outcome in a word, the reason, and where in its file that lies."""

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
    """`passed`, `failed`, `invalid`, `set-up error` or `inconclusive`."""
    return _WORDS[outcome]


def row_of(result: Result) -> ReportRow:
    """The row of one call; its place is that of the first failed step, or the scenario's first line."""
    written = result.scenario.written.file
    file, line = next((place for place in map(_place, _headlines(result)) if place[0] == written), (written, 0))
    reason = [*result.faults, *(line for failure in result.failures for line in failure.block())]
    target = "" if result.environment is None else result.environment.target
    return ReportRow(result.scenario.name, word_of(result.outcome), "\n".join(reason), file, line, target)


def rows_of_problems(name: str, problems: str, file: str = "") -> list[ReportRow]:
    """The rows of a scenario that is not valid: one for each line of `problems`, at the place it begins with.

    `file` is the place of a line that begins with none.
    """
    rows = []
    for problem in problems.splitlines():
        where, line = _place(problem)
        rows.append(ReportRow(name, "invalid", problem, where or file, line))
    return rows


def _headlines(result: Result) -> list[str]:
    return [*(failure.where for failure in result.failures), *result.faults]


def _place(text: str) -> tuple[str, int]:
    """File and line that a text begins with (`call.yaml:3:5: …`); empty and 0 without."""
    found = _PLACE.match(text)
    return (found["file"], int(found["line"])) if found else ("", 0)
