"""Failures of which the same was seen, most likely for one cause: one is shown, the others are named. Pure."""

import re
from collections.abc import Iterable

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.results.failure_text import required_and_seen
from audiosocket_sim.conformance.verdicts import CaseResult

__all__ = ["alike"]

_TIME = re.compile(r"\d+(\.\d+)? (ms|s)\b")


def alike(results: Iterable[CaseResult]) -> list[tuple[CaseResult, tuple[CaseResult, ...]]]:
    """Return the results in their order, each with those of the same outcome behind it of which the same was seen.

    Times may differ. A case of which nothing was said, or with several failures, stands by itself.
    """
    groups: dict[object, list[CaseResult]] = {}
    for result in results:
        groups.setdefault(_key(result), []).append(result)
    return [(first, tuple(others)) for first, *others in groups.values()]


def _key(result: CaseResult) -> tuple[CaseOutcome, str]:
    seen = required_and_seen(result.failures[0])[1] if len(result.failures) == 1 else ""
    return result.outcome, _TIME.sub("…", seen) or result.case.id
