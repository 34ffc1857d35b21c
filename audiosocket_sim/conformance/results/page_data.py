"""What the page of a run shows, as plain data for its template. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from audiosocket_sim.conformance.case import SECTIONS, CaseOutcome
from audiosocket_sim.conformance.features import FEATURES, Features
from audiosocket_sim.conformance.results.drawing import drawing
from audiosocket_sim.conformance.results.failure_text import leg_words, required_and_seen
from audiosocket_sim.conformance.results.summary import root_words
from audiosocket_sim.conformance.results.wire_around import around
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult

__all__ = ["DATA_OF", "page_data"]

DATA_OF = {
    CaseOutcome.PASS: "passed",
    CaseOutcome.FAIL: "failed",
    CaseOutcome.WARN: "warn",
    CaseOutcome.INCONCLUSIVE: "inconclusive",
    CaseOutcome.NOT_RUN: "not_run",
    CaseOutcome.EXPECTED_FAILURE: "expected",
    CaseOutcome.UNEXPECTED_PASS: "failed",
}
"""The outcome as the styles of the page know it."""
_IN_FULL = (
    CaseOutcome.FAIL,
    CaseOutcome.UNEXPECTED_PASS,
    CaseOutcome.WARN,
    CaseOutcome.INCONCLUSIVE,
    CaseOutcome.EXPECTED_FAILURE,
)
_MOST_IN_FULL = 60
_MOST_STATEMENTS = 8
_VERDICTS = {0: "passed", 1: "failed", 3: "set-up error", 4: "inconclusive"}


def page_data(
    result: ConformanceResult, exit_code: int, made: Mapping[str, Any], repeat: Callable[[str], str]
) -> dict[str, Any]:
    """Return the data. `made`: with which version and options; `repeat`: makes the command for one case alone."""
    shown = [one for outcome in _IN_FULL for one in result.results if one.outcome is outcome]
    sections = []
    for name, words in SECTIONS.items():
        mine = [one for one in result.results if one.case.id[:2] == name]
        if mine:
            sections.append({"id": name, "name": words, "counts": _counts(mine), "cases": [_row(one) for one in mine]})
    return {
        "headline": _headline(result),
        "verdict": _VERDICTS.get(exit_code, "set-up error"),
        "mark": {0: "passed", 4: "inconclusive"}.get(exit_code, "failed"),
        "target": result.target,
        "made": _made_words(result, made),
        "notes": [*filter(None, (root_words(result), result.gone, result.trouble))],
        "outcomes": [outcome for outcome in CaseOutcome if result.count(outcome) or outcome in _IN_FULL[:1]],
        "sections": sections,
        "features": _features(result.features),
        "failed": [_full(one, repeat) for one in shown[:_MOST_IN_FULL]],
        "left_out": max(0, len(shown) - _MOST_IN_FULL),
    }


def _headline(result: ConformanceResult) -> str:
    failed = result.count(CaseOutcome.FAIL)
    warned = result.count(CaseOutcome.WARN)
    more = f", and {warned} {'warns' if warned == 1 else 'warn'}" if warned else ""
    run = len(result.results) - result.count(CaseOutcome.NOT_RUN)
    if failed:
        return (f"1 case of {run} fails" if failed == 1 else f"{failed} cases of {run} fail") + more
    known = result.count(CaseOutcome.EXPECTED_FAILURE)
    passed = result.count(CaseOutcome.PASS)
    return f"{passed} cases of {run} pass" + (f", {known} fail as expected" if known else "") + more


def _made_words(result: ConformanceResult, made: Mapping[str, Any]) -> str:
    clock = "in virtual time" if result.virtual else "on the real clock"
    words = [f"{result.n_statements} statements judged in {result.n_calls} calls", f"{result.seconds:.1f} s {clock}"]
    words += ["with --heavy"] if made.get("heavy") else []
    words += [f"only {', '.join(made['only'])}"] if made.get("only") else []
    return " · ".join([*words, f"audiosocket-sim {made.get('version', '')}".strip()])


def _counts(results: list[CaseResult]) -> dict[str, int]:
    return {outcome.value: sum(one.outcome is outcome for one in results) for outcome in CaseOutcome}


def _row(result: CaseResult) -> dict[str, Any]:
    says = result.failures[0].says if result.failures else result.why
    return {
        "id": result.case.id,
        "title": result.case.title,
        "level": result.case.level,
        "outcome": result.outcome.value,
        "mark": DATA_OF[result.outcome],
        "says": says,
        "in_full": result.outcome in _IN_FULL,
    }


def _features(features: Features) -> list[tuple[str, str]]:
    words = {True: "yes", False: "not seen", None: "not known"}
    found = []
    for name, text in FEATURES.items():
        value = features.has(name)
        stated = " (stated in check.yaml)" if name in features.stated else ""
        found.append((text, (("no" if value is False else words[value]) if stated else words[value]) + stated))
    if features.lives is not None:
        found.append(("ends a call by itself after", f"{features.lives:.1f} s"))
    return found


def _full(result: CaseResult, repeat: Callable[[str], str]) -> dict[str, Any]:
    case = result.case
    several = result.observed is not None and len(result.observed.calls) > 1
    statements = []
    for one in result.failures[:_MOST_STATEMENTS]:
        required, seen = required_and_seen(one)
        late = "this machine was too late to tell" if one.ok is None else ""
        statements.append(
            {
                "required": f"{one.call}: {required}" if several else required,
                "seen": "; ".join(filter(None, (seen, late))) or "not so",
                "about": one.about,
            }
        )
    return {
        **_row(result),
        "behaviour": result.behaviour.value,
        "ending": result.ending.value,
        "behaviour_mark": DATA_OF[result.behaviour],
        "ending_mark": DATA_OF[result.ending],
        "known": result.why,
        "peer": case.peer,
        "good": case.good,
        "why": case.why,
        "section": case.section,
        "statements": statements,
        "more": max(0, len(result.failures) - _MOST_STATEMENTS),
        "repeat": repeat(case.id),
        **_wire(result),
    }


def _wire(result: CaseResult) -> dict[str, Any]:
    seen = result.observed
    if seen is None or not seen.calls:
        legs = [] if seen is None else [leg_words(leg) for leg in seen.leg_ends]
        return {"picture": None, "wire": None, "legs": legs, "call": ""}
    statement = result.failures[0] if result.failures else None
    name = "" if statement is None else statement.call
    call = next((one for one in seen.calls if one.script.name == name), seen.calls[0])
    shown = call.script.name if len(seen.calls) > 1 else ""
    return {"picture": drawing(call, statement), "wire": around(call, statement), "legs": [], "call": shown}
