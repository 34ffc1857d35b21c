"""The table that ends a run of several scenarios: name, outcome, and the first line of the reason. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ReportRow", "counted", "table"]

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One scenario's call. `outcome`: `passed`, `failed`, `invalid`, `set-up error` or `inconclusive`.

    `reason`: why it did not pass, in any number of lines; empty if it passed. `file` and `line`: the place of the
    reason in the scenario; line 0 if only the file is known. `target`: its text, secrets masked. `report`: the path of
    the call's page, or "".
    """

    name: str
    outcome: str
    reason: str = ""
    file: str = ""
    line: int = 0
    target: str = ""
    report: str = ""

    @property
    def passed(self) -> bool:
        """True if the outcome is `passed`."""
        return self.outcome == "passed"

    @property
    def first_line(self) -> str:
        """The first line of the reason, at most 200 characters."""
        line = next((line.strip() for line in self.reason.splitlines() if line.strip()), "")
        return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"


def counted(rows: Sequence[ReportRow], noun: str = "scenario") -> str:
    """Return such as `3 scenarios: 1 failed, 2 passed`; the number of passed ones comes last. `noun`: what a row is."""
    outcomes = Counter(row.outcome for row in rows)
    parts = [f"{outcomes[word]} {word}" for word in sorted(outcomes, key=lambda word: (word == "passed", word))]
    return f"{len(rows)} {noun}{'s' if len(rows) != 1 else ''}: {', '.join(parts)}"


def table(rows: Sequence[ReportRow]) -> list[str]:
    """Return the lines for a terminal: the count, then one line for each scenario in the order in which they ran."""
    widths = max((len(row.name) for row in rows), default=0), max((len(row.outcome) for row in rows), default=0)
    lines = [f"  {row.name:<{widths[0]}}  {row.outcome:<{widths[1]}}  {row.first_line}".rstrip() for row in rows]
    return [counted(rows), *lines]
