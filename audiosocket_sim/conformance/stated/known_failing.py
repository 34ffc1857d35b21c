"""The list of cases that are known to fail, each with its reason: a YAML file that is read, and written."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.planning import nearest_id
from audiosocket_sim.conformance.verdicts import CaseResult
from audiosocket_sim.scenario.loading import FileError, Problem, read_text
from audiosocket_sim.scenario.loading.yaml_tree import MalformedYaml, Place, read

__all__ = ["known_failing_text", "read_known_failing"]

_HEAD = """\
# Cases of `audiosocket-sim check` that are known to fail, each with its reason (docs/check.md).
# Each must go on failing: one that passes fails the run, so that this list stays true.
"""
_LONGEST_REASON = 300


def read_known_failing(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Read the list (id: reason). `ids`: all cases that there are. Raises FileError with the line of each problem."""
    file = str(path)
    try:
        tree = read(read_text(path, FileError, "list of known failures"))
    except MalformedYaml as error:
        raise FileError(_problem(file, error.place, error.message)) from None
    problems = [_problem(file, place, message) for place, message in tree.problems]
    if tree.data is None:
        tree.data = {}
    if not isinstance(tree.data, dict):
        raise FileError(_problem(file, Place(), "expected a line `id: reason` for each case, such as `AO-03: …`"))
    for name, reason in tree.data.items():
        if name not in ids:
            problems.append(_problem(file, tree.place((name,), of_key=True), _no_case(str(name), ids)))
        elif not isinstance(reason, str) or not reason.strip():
            problems.append(_problem(file, tree.place((name,)), f"{name}: expected the reason, in words"))
    if problems:
        raise FileError(*problems)
    return {str(name): " ".join(reason.split()) for name, reason in tree.data.items()}


def known_failing_text(results: Iterable[CaseResult], known: Mapping[str, str]) -> str:
    """Return the file for what fails in this run. Reasons that were known are kept; the others are what was seen.

    What was not run, or was inconclusive, is kept as it was known.
    """
    lines = []
    for result in results:
        name = result.case.id
        if result.outcome is CaseOutcome.FAIL:
            lines.append(f"{name}: {_quoted(_reason(result))}")
        elif name in known and result.outcome is not CaseOutcome.UNEXPECTED_PASS:
            lines.append(f"{name}: {_quoted(known[name])}")
    return _HEAD + "".join(f"{line}\n" for line in lines) + ("" if lines else "{}\n")


def _reason(result: CaseResult) -> str:
    says = result.failures[0].says if result.failures else result.case.title
    return says if len(says) <= _LONGEST_REASON else f"{says[: _LONGEST_REASON - 1]}…"


def _quoted(text: str) -> str:
    """Return the text as YAML in single quotes, on one line."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _no_case(name: str, ids: Sequence[str]) -> str:
    near = nearest_id(name, ids)
    return f"no case {name[:40]!r}" + (f"; did you mean {near}?" if near else "")


def _problem(file: str, place: Place, message: str) -> Problem:
    return Problem(file, place.line, place.column, message)
