"""What one scenario's test leaves for the reports: the target, the result, and what is to be mentioned once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_sim.parties.target_choice import TargetChoice
    from audiosocket_sim.report.table import ReportRow
    from audiosocket_sim.running.result import Result

__all__ = ["ScenarioFailed", "ScenarioRecord", "row_from"]


class ScenarioFailed(Exception):
    """The scenario did not hold. The message is what a person reads."""


@dataclass(slots=True)
class ScenarioRecord:
    """Filled in while the test runs; a repetition (`--reruns`) starts it anew."""

    scenario: str
    file: str
    target: "TargetChoice | None" = None
    result: "Result | None" = None
    lacks_snapshot: bool = False

    def start(self) -> None:
        """Forget the call of an earlier run of the same test."""
        self.result, self.lacks_snapshot = None, False

    def to_report(self, failure: str | None) -> dict[str, object]:
        """Texts and numbers only: pytest-xdist sends a report from one process to another. `failure`: its text."""
        from audiosocket_sim.running.outcome_rows import row_of, word_of
        from audiosocket_sim.running.result import Outcome

        row = None if self.result is None else row_of(self.result)
        outcome = "passed" if failure is None else "failed"
        if row is not None and failure is not None and row.outcome != word_of(Outcome.PASSED):
            outcome = row.outcome
        return {
            "name": self.scenario,
            "outcome": outcome,
            "reason": failure or "",
            "file": self.file,
            "line": 0 if row is None else row.line,
            "target": "" if self.target is None else self.target.visible,
            "target_origin": "" if self.target is None else self.target.origin,
            "lacks_snapshot": self.lacks_snapshot,
        }


def row_from(told: dict[str, object]) -> "ReportRow":
    """The row of a report that `to_report` made."""
    from audiosocket_sim.report.table import ReportRow

    name, outcome, reason, file, target = (str(told[k]) for k in ("name", "outcome", "reason", "file", "target"))
    line = told["line"]
    return ReportRow(name, outcome, reason, file, line if isinstance(line, int) else 0, target)
