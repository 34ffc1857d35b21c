"""An earlier run as what is expected of this one: any case that comes out differently is a deviation."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from audiosocket_core.files import read_regular_file
from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.verdicts import CaseResult

__all__ = ["NoRun", "deviations", "outcomes_of_run", "read_run"]

_LARGEST_BYTES = 50_000_000
_FAILS = (CaseOutcome.FAIL, CaseOutcome.WARN, CaseOutcome.EXPECTED_FAILURE)
_PASSES = (CaseOutcome.PASS, CaseOutcome.UNEXPECTED_PASS)


class NoRun(ValueError):
    """A file is no run's JSON. The message is one line for people, and names the file."""


def read_run(path: Path) -> dict[str, Any]:
    """Return the object that `check --json` wrote. Raises NoRun."""
    try:
        found = json.loads(read_regular_file(path, _LARGEST_BYTES))
    except OSError as error:
        raise NoRun(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise NoRun(f"{path}: no JSON: expected what `check --json` writes") from None
    if not isinstance(found, dict) or found.get("made_by") != "audiosocket-sim check":
        raise NoRun(f"{path}: not a run: expected what `check --json` writes")
    if found.get("format") != 1:
        raise NoRun(f"{path}: of another version of audiosocket-sim: format {str(found.get('format'))[:20]}, not 1")
    try:
        outcomes_of_run(found)
    except (KeyError, TypeError, ValueError):
        raise NoRun(f"{path}: damaged: a case has no id or no outcome") from None
    return found


def outcomes_of_run(run: Mapping[str, Any]) -> dict[str, CaseOutcome]:
    """Return the outcome of each case of a run, by its id. Raises KeyError, TypeError or ValueError for no run."""
    return {case["id"]: CaseOutcome(case["outcome"]) for case in run["cases"]}


def deviations(
    results: Iterable[CaseResult], expected: Mapping[str, CaseOutcome], chosen: Collection[str] | None = None
) -> list[str]:
    """Return a line for each case that came out differently. `chosen`: the cases of this run; None: all.

    That a case fails is the same whether it is known to or not. One that is inconclusive deviates from nothing.
    """
    lines = []
    seen: set[str] = set()
    for result in results:
        name = result.case.id
        seen.add(name)
        before = expected.get(name)
        if before is None:
            lines.append(f"{name}: {result.outcome.value}, and that run has no such case")
        elif CaseOutcome.INCONCLUSIVE not in (before, result.outcome) and _kind(before) != _kind(result.outcome):
            lines.append(f"{name}: {result.outcome.value}, and {before.value} in that run")
    if chosen is None:
        lines += [f"{name}: there is no such case any more" for name in expected if name not in seen]
    return lines


def _kind(outcome: CaseOutcome) -> str:
    return "fails" if outcome in _FAILS else "passes" if outcome in _PASSES else outcome.value
