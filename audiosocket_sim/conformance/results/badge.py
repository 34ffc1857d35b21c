"""A run as a badge: the JSON that shields.io takes from an address ("endpoint badge"). Pure."""

from typing import Any

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.verdicts import ConformanceResult

__all__ = ["badge_json"]


def badge_json(result: ConformanceResult, exit_code: int) -> dict[str, Any]:
    """Return the badge: how many cases passed of those that were run, and how many failed."""
    passed = result.count(CaseOutcome.PASS, CaseOutcome.UNEXPECTED_PASS)
    failed = result.count(CaseOutcome.FAIL, CaseOutcome.EXPECTED_FAILURE)
    run = len(result.results) - result.count(CaseOutcome.NOT_RUN)
    message = f"{passed} of {run} pass" + (f", {failed} fail" if failed else "")
    warned = result.count(CaseOutcome.WARN, CaseOutcome.EXPECTED_FAILURE)
    good = "yellowgreen" if warned else "brightgreen"
    colour = {0: good, 1: "red"}.get(exit_code, "lightgrey") if run else "lightgrey"
    return {"schemaVersion": 1, "label": "AudioSocket", "message": message if run else "not run", "color": colour}
