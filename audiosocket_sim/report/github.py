"""Reports a run to GitHub Actions: annotations at file and line, and a table in the job's summary.

Formats: GitHub Actions' documentation, "Workflow commands". An annotation is `::error file=…,line=…::message`, with
`%`, CR and LF escaped in the message, and also `:` and `,` in the properties. The summary is Markdown, appended to the
file that `GITHUB_STEP_SUMMARY` names. Texts from scenarios and bots are escaped: they cannot end an annotation or the
table.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from audiosocket_sim.report.table import ReportRow, counted

__all__ = ["annotation", "append_job_summary", "is_github", "job_summary"]

_MOST_ROWS = 500
"""GitHub accepts 1 MiB of summary from a step, and drops a larger one altogether."""
_MOST_CHARACTERS = 4000
_MARKUP = {ord(character): f"&#{ord(character)};" for character in "\\`*_[]|~#&<>"}


def is_github(environment: Mapping[str, str]) -> bool:
    """True in a job of GitHub Actions, which sets `GITHUB_ACTIONS` to `true`."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotation(row: ReportRow, environment: Mapping[str, str]) -> str | None:
    """Return the line that makes GitHub show the row at its file and line; None for a scenario that passed."""
    if row.passed:
        return None
    kind = "warning" if row.outcome in ("inconclusive", "warn") else "error"
    properties = [f"title={_property(f'{row.name}: {row.outcome}')}"]
    if row.file:
        properties.insert(0, f"file={_property(_in_workspace(row.file, environment))}")
        properties.insert(1, f"line={max(row.line, 1)}")
    return f"::{kind} {','.join(properties)}::{_message(row.reason.strip()[:_MOST_CHARACTERS] or row.outcome)}"


def job_summary(rows: Sequence[ReportRow], title: str, report: str = "", noun: str = "scenario") -> str:
    """Return the table as Markdown, with a final newline. Scenarios that did not pass come first; at most 500 rows.

    `report`: the path of the page to open, which the job may upload, or "". `noun`: what a row is.
    """
    shown = sorted(rows, key=lambda row: row.passed)[:_MOST_ROWS]
    lines = [f"### {_cell(title)}", "", counted(rows, noun), ""]
    if report:
        lines += [f"Report: {_cell(report)}, among the files that the job uploads", ""]
    with_page = any(row.report for row in shown)
    heads = [noun, "outcome", "reason", "target", *(["page"] if with_page else [])]
    lines += [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in shown:
        cells = [row.name, row.outcome, row.first_line, row.target, *([row.report] if with_page else [])]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    if len(rows) > len(shown):
        lines += ["", f"… and {len(rows) - len(shown)} more"]
    return "\n".join(lines) + "\n\n"


def append_job_summary(
    rows: Sequence[ReportRow],
    title: str,
    environment: Mapping[str, str],
    report: str = "",
    *,
    noun: str = "scenario",
) -> str | None:
    """Append the table to the job's summary, if there is one. Returns a line if it could not be written, else None."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path or not rows:
        return None
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(job_summary(rows, title, _in_workspace(report, environment) if report else "", noun))
    except OSError as error:
        return f"cannot write the job summary to {path}: {error.strerror or error}"
    return None


def _in_workspace(file: str, environment: Mapping[str, str]) -> str:
    """Return the path relative to the top of the repository, as GitHub expects it, whatever the working folder."""
    place = Path(os.path.abspath(file))
    workspace = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
    return place.relative_to(workspace).as_posix() if place.is_relative_to(workspace) else file


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Return the text on one line, with the characters of Markdown and HTML escaped."""
    return " ".join(text.split()).translate(_MARKUP)
