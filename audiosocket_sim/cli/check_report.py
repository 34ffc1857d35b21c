"""The end of `check`: what did not pass, the table, the files that were asked for, and the verdict."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiosocket_core.files import write_shared_file
from audiosocket_sim.cli.check_request import CheckRequest, repeat_command
from audiosocket_sim.cli.check_view import CheckView
from audiosocket_sim.cli.console import FAILED, FINE, INCONCLUSIVE, SET_UP, refuse
from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.results.alike import alike
from audiosocket_sim.conformance.results.failure_text import MARKS, failure_lines, required_and_seen
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line
from audiosocket_sim.conformance.results.result_json import result_json
from audiosocket_sim.conformance.results.summary import last_line, not_run_lines, root_words, table_lines
from audiosocket_sim.conformance.stated.expected_run import deviations
from audiosocket_sim.conformance.stated.known_failing import known_failing_text
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult
from audiosocket_sim.report.github import annotation, append_job_summary, is_github
from audiosocket_sim.report.table import ReportRow

__all__ = ["as_it_comes", "in_full", "report_failures", "report_run"]

_SHOWN = (CaseOutcome.FAIL, CaseOutcome.UNEXPECTED_PASS, CaseOutcome.WARN, CaseOutcome.INCONCLUSIVE)
"""The outcomes that are shown in full, in this order."""
_MOST_IN_FULL = 12
"""Of those of which the same was seen, one."""
_ROW_OUTCOMES = {
    CaseOutcome.PASS: "passed",
    CaseOutcome.FAIL: "failed",
    CaseOutcome.UNEXPECTED_PASS: "failed",
    CaseOutcome.NOT_RUN: "not run",
}


def as_it_comes(result: CaseResult) -> TextLine:
    """Return a case that did not pass in one line."""
    sign, style = MARKS[result.outcome]
    seen = required_and_seen(result.failures[0])[1] if result.failures else result.why
    return (TextPart(f"  {sign} {result.case.id}  ", style), TextPart(result.case.title), TextPart(f"  {seen}", "dim"))


def in_full(result: CaseResult, asked: CheckRequest, width: int) -> list[TextLine]:
    """Return a case that did not pass as a block of lines, with the command that repeats it."""
    return list(failure_lines(result, lambda name: repeat_command(asked, name), width))


def report_run(
    result: ConformanceResult,
    asked: CheckRequest,
    view: CheckView,
    *,
    known: Mapping[str, str],
    expected: Mapping[str, CaseOutcome],
    is_part: bool,
) -> int:
    """Print the report, write the files, and return the exit code.

    `known`: the cases that are known to fail. `expected`: the outcomes of the run of `--expect`. `is_part`: only some
    cases were chosen.
    """
    chosen = {one.case.id for one in result.results} if is_part else None
    differs = deviations(result.results, expected, chosen) if asked.expect is not None else []
    code = _exit_code(result, asked, differs)
    shown = [one for outcome in _SHOWN for one in result.results if one.outcome is outcome]
    if asked.expect is not None:
        shown = [one for one in shown if any(line.startswith(f"{one.case.id}:") for line in differs)]
    if root := root_words(result):
        view.show(text_line(""), text_line(root, "bold red"))
    report_failures(shown, asked, view)
    view.show(text_line(""), *table_lines(result), *not_run_lines(result.results, view.width))
    if asked.expect is not None:
        view.show(text_line(_compared(len(differs), asked.expect)))
        view.show(*[text_line(f"  {line}", "red") for line in differs])
    if result.gone:
        view.show(text_line(result.gone, "red"))
    if result.trouble:
        view.show(text_line(f"set-up: {result.trouble}", "red"))
    troubles = _write_files(_files(result, code, asked, known), view)
    view.show(last_line(result, code))
    troubles += _to_github(result)
    for line in troubles:
        refuse(line, SET_UP)
    return SET_UP if troubles and code == FINE else code


def report_failures(shown: Sequence[CaseResult], asked: CheckRequest, view: CheckView) -> None:
    """Print these results in full, those of which the same was seen once; of very many the rest in a line each."""
    groups = alike(shown)
    for one, others in groups[:_MOST_IN_FULL]:
        view.show(text_line(""), *in_full(one, asked, view.width))
        if others:
            names = "; ".join(f"{other.case.id} {other.case.title}" for other in others)
            view.show(*labelled("the same", names, view.width))
    rest = [one for first, others in groups[_MOST_IN_FULL:] for one in (first, *others)]
    if rest:
        view.show(text_line(""), text_line(f"and {len(rest)} more; --only ID shows one in full:"))
        view.show(*map(as_it_comes, rest))


def _compared(number: int, expect: Path) -> str:
    if not number:
        return f"all cases came out as in {expect}"
    return f"{number} case{'s' if number > 1 else ''} came out differently from {expect}:"


def _exit_code(result: ConformanceResult, asked: CheckRequest, differs: Sequence[str]) -> int:
    if asked.expect is None:
        return result.exit_code
    if differs:
        return FAILED
    nothing = result.n_statements == 0
    return SET_UP if result.trouble else INCONCLUSIVE if nothing or result.count(CaseOutcome.INCONCLUSIVE) else FINE


def _files(
    result: ConformanceResult, code: int, asked: CheckRequest, known: Mapping[str, str]
) -> list[tuple[str, Path, str]]:
    """Return the files that were asked for: label, path, and text. JSON for stdout is printed."""
    made: dict[str, Any] = {
        "version": version("audiosocket-sim"),
        "heavy": asked.heavy,
        "seed": asked.seed,
        "only": list(asked.only),
    }

    def repeat(name: str) -> str:
        return repeat_command(asked, name)

    files: list[tuple[str, Path, str]] = []
    if asked.json == "-":
        sys.stdout.write(json.dumps(result_json(result, code, made), ensure_ascii=False) + "\n")
        sys.stdout.flush()
    elif asked.json is not None:
        text = json.dumps(result_json(result, code, made), ensure_ascii=False, indent=1)
        files.append(("json", Path(asked.json), f"{text}\n"))
    if asked.junit is not None:
        from audiosocket_sim.conformance.results.junit import junit_xml

        files.append(("junit", asked.junit, junit_xml(result, repeat)))
    if asked.badge is not None:
        from audiosocket_sim.conformance.results.badge import badge_json

        files.append(("badge", asked.badge, json.dumps(badge_json(result, code), ensure_ascii=False) + "\n"))
    if asked.page is not None:
        from audiosocket_sim.conformance.results.page import check_page

        files.append(("page", asked.page, check_page(result, code, made, repeat)))
    if asked.write_known_failing is not None:
        files.append(("known", asked.write_known_failing, known_failing_text(result.results, known)))
    return files


def _write_files(files: Sequence[tuple[str, Path, str]], view: CheckView) -> list[str]:
    """Write the files. Returns a line for each that cannot be written."""
    troubles = []
    for name, path, text in files:
        try:
            write_shared_file(path, text.encode(errors="backslashreplace"))
        except OSError as error:
            troubles.append(f"cannot write to {path}: {error.strerror or error}")
        else:
            view.show(*labelled(name, str(path), view.width))
    return troubles


def _to_github(result: ConformanceResult) -> list[str]:
    """In a job of GitHub Actions, print annotations and write the job's summary. Returns what went wrong."""
    if not is_github(os.environ):
        return []
    rows = [_row(one, result.target) for one in result.results]
    for row in rows:
        if row.outcome in ("failed", "inconclusive", "warn"):
            sys.stderr.write(f"{annotation(row, os.environ)}\n")
    trouble = append_job_summary(rows, "AudioSocket check", os.environ, noun="case")
    return [] if trouble is None else [trouble]


def _row(result: CaseResult, target: str) -> ReportRow:
    says = result.failures[0].says if result.failures else result.why
    outcome = _ROW_OUTCOMES.get(result.outcome, result.outcome.value)
    return ReportRow(f"{result.case.id} {result.case.title}", outcome, says, target=target)
