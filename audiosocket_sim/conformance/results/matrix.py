"""Several runs of `check --json` side by side: cases × servers, as a table and as Markdown. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiosocket_sim.conformance.case import SECTIONS, CaseOutcome

__all__ = ["SIGNS", "Matrix", "MatrixCell", "MatrixRow", "matrix_markdown", "matrix_of"]

SIGNS = {
    CaseOutcome.PASS: "✓",
    CaseOutcome.FAIL: "✗",
    CaseOutcome.WARN: "!",
    CaseOutcome.INCONCLUSIVE: "?",
    CaseOutcome.NOT_RUN: "–",
    CaseOutcome.EXPECTED_FAILURE: "✗",
    CaseOutcome.UNEXPECTED_PASS: "✓",
}
"""The sign of each outcome in a cell. Whether its author expects it makes no difference there."""
_WORDS = {"✓": "passes", "✗": "fails", "!": "does not do what it should", "?": "inconclusive", "–": "not run"}
_MARKUP = {ord(character): f"\\{character}" for character in "\\`*_[]|~<>"}


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """What became of a case with one server. `says`: the first thing that does not hold, or why it was not run."""

    sign: str
    words: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A case, with one cell for each server."""

    id: str
    title: str
    level: str
    section: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The table. `servers`: name and target of each. `passed`, `failed`, `run`: how many cases, of each."""

    servers: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]
    passed: tuple[int, ...]
    failed: tuple[int, ...]
    run: tuple[int, ...]


def matrix_of(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> Matrix:
    """Return the table of these runs: (name of the server, run)."""
    cases: dict[str, Mapping[str, Any]] = {}
    for _, run in runs:
        for case in run["cases"]:
            cases.setdefault(case["id"], case)
    order = {name: place for place, name in enumerate(SECTIONS)}
    ids = sorted(cases, key=lambda name: (order.get(name[:2], len(order)), name))
    found = [{case["id"]: case for case in run["cases"]} for _, run in runs]
    rows = tuple(
        MatrixRow(
            name,
            str(cases[name].get("title", "")),
            str(cases[name].get("level", "")),
            SECTIONS.get(name[:2], ""),
            tuple(_cell(one.get(name)) for one in found),
        )
        for name in ids
    )

    def count(*signs: str) -> tuple[int, ...]:
        return tuple(sum(row.cells[place].sign in signs for row in rows) for place in range(len(runs)))

    servers = tuple((name, str(run.get("target", ""))) for name, run in runs)
    return Matrix(servers, rows, count("✓"), count("✗"), count("✓", "✗", "!", "?"))


def _cell(case: Mapping[str, Any] | None) -> MatrixCell:
    if case is None:
        return MatrixCell("–", "not run", "there was no such case in that run")
    sign = SIGNS[CaseOutcome(case["outcome"])]
    wrong = next((one["says"] for one in case.get("statements", ()) if one.get("ok") is not True), "")
    return MatrixCell(sign, _WORDS[sign], "" if sign == "✓" else str(wrong or case.get("why", "")))


def matrix_markdown(matrix: Matrix) -> str:
    """Return the table in Markdown: how many cases of each server pass, and a table for each section."""
    lines = ["| server | target | pass | fail | run |", "|---|---|--:|--:|--:|"]
    for (name, target), passed, failed, run in zip(
        matrix.servers, matrix.passed, matrix.failed, matrix.run, strict=True
    ):
        lines.append(f"| {_text(name)} | {_text(target)} | {passed} | {failed} | {run} |")
    lines += ["", "; ".join(f"{sign} {words}" for sign, words in _WORDS.items())]
    for section in dict.fromkeys(row.section for row in matrix.rows):
        names = [_text(name) for name, _ in matrix.servers]
        lines += ["", f"### {section.capitalize()}", "", f"| case | | {' | '.join(names)} |"]
        lines.append(f"|---|---|{':-:|' * len(names)}")
        for row in matrix.rows:
            if row.section == section:
                signs = " | ".join(cell.sign for cell in row.cells)
                lines.append(f"| {row.id} | {_text(row.title)} ({row.level}) | {signs} |")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return " ".join(text.split()).translate(_MARKUP)
