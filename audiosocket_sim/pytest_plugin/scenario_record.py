"""The record of one test that makes calls, for the reports: the target, the result, and a missing snapshot."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_sim.parties.target_choice import TargetChoice
    from audiosocket_sim.report.table import ReportRow
    from audiosocket_sim.running.result import Result

__all__ = ["ScenarioFailed", "ScenarioRecord", "row_from"]


class ScenarioFailed(Exception):
    """The scenario did not pass. The message is the report for people."""


@dataclass(slots=True)
class ScenarioRecord:
    """The record of a test, filled in while it runs; `--reruns` starts it anew.

    `scenario`: its name, or that of a test that makes its calls in Python. `line`: the place of a test in Python, from
    1; 0 for a scenario. `calls`: the number of calls made. `lacks_snapshot`: the scenario has none yet. `turns`: what
    was measured of the turns of each call.
    """

    scenario: str
    file: str
    line: int = 0
    run: int = 1
    """Which of `runs` runs with other seeds, from 1."""
    runs: int = 1
    seeds: str = ""
    target: "TargetChoice | None" = None
    result: "Result | None" = None
    calls: int = 1
    lacks_snapshot: bool = False
    turns: list[dict[str, object]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    """The folders of the calls' files."""

    def start(self) -> None:
        """Clear the call of an earlier run of the same test."""
        self.result, self.lacks_snapshot = None, False
        self.turns.clear()
        self.folders.clear()

    def measure(self, result: "Result") -> None:
        """Keep the folder of a call's files and, if there is a verdict, what was measured of its turns."""
        from audiosocket_sim.running.artefacts import call_folders
        from audiosocket_sim.running.turns_file import turns_of_result

        self.folders += call_folders(result)
        measured = turns_of_result(result)
        if measured is not None:
            self.turns.append(measured.to_plain())

    def to_report(self, failure: str | None) -> dict[str, object]:
        """Return the record as texts and numbers, which pytest-xdist can send between processes.

        `failure`: the text of the failure, or None if the test passed.
        """
        from audiosocket_sim.running.outcome_rows import cause_of, row_of, word_of
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
            "line": (0 if row is None else row.line) or self.line,
            "calls": self.calls,
            "target": "" if self.target is None else self.target.visible,
            "target_origin": "" if self.target is None else self.target.origin,
            "lacks_snapshot": self.lacks_snapshot,
            "run": self.run,
            "runs": self.runs,
            "seeds": self.seeds,
            "cause": "" if failure is None else (self.result and cause_of(self.result)) or failure.partition("\n")[0],
            "turns": self.turns,
        }


def row_from(report: dict[str, object]) -> "ReportRow":
    """Return the row of a report that `to_report` made."""
    from audiosocket_sim.report.table import ReportRow

    name, outcome, reason, file, target = (str(report[k]) for k in ("name", "outcome", "reason", "file", "target"))
    line = report["line"]
    pages = report.get("pages")
    page = next((str(one) for one in pages if one), "") if isinstance(pages, list) else ""
    return ReportRow(name, outcome, reason, file, line if isinstance(line, int) else 0, target, page)
