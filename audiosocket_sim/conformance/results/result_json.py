"""A run of the suite as a JSON object: for programs, for the next run, and for the matrix of several servers. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from audiosocket_sim.conformance.case import SECTIONS, CaseOutcome, SeenCase, Statement
from audiosocket_sim.conformance.features import FEATURES, Features
from audiosocket_sim.conformance.results.wire_around import WireLine, around
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult

__all__ = ["result_json"]

_FORMAT = 1
_SHOWN_FAILURES = 5


def result_json(result: ConformanceResult, exit_code: int, made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run. `made`: with which version and options."""
    return {
        "made_by": "audiosocket-sim check",
        "format": _FORMAT,
        **made,
        "target": result.target,
        "clock": "virtual" if result.virtual else "real",
        "seconds": round(result.seconds, 3),
        "calls": result.n_calls,
        "statements": result.n_statements,
        "exit_code": exit_code,
        "trouble": result.trouble,
        "gone": result.gone,
        "features": features_json(result.features),
        "counts": {outcome.value: result.count(outcome) for outcome in CaseOutcome},
        "cases": [_case_json(one) for one in result.results],
    }


def features_json(features: Features) -> dict[str, Any]:
    """Return what is known of the server."""
    return {
        **{name: features.has(name) for name in FEATURES},
        "answer_seconds": round(features.answer_seconds, 3),
        "lives_seconds": None if features.lives is None else round(features.lives, 3),
        "roles": sorted(features.roles),
        "stated": sorted(features.stated),
    }


def _case_json(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "title": case.title,
        "section": SECTIONS[case.id[:2]],
        "level": case.level,
        "outcome": result.outcome.value,
        "behaviour": result.behaviour.value,
        "ending": result.ending.value,
        "why": result.why,
        "statements": [_statement_json(one) for one in result.statements],
        "around": _around_json(result),
    }


def _statement_json(one: Statement) -> dict[str, Any]:
    return {**asdict(one), "at": None if one.at is None else round(one.at, 4)}


def _around_json(result: CaseResult) -> list[dict[str, Any]]:
    """Return the bytes around each of the first failures; nothing for what holds. `here`: which line is meant."""
    if result.observed is None:
        return []
    return [_wire_json(one, result.observed) for one in result.failures[:_SHOWN_FAILURES] if result.observed.calls]


def _wire_json(statement: Statement, seen: SeenCase) -> dict[str, Any]:
    try:
        call = seen.call(statement.call)
    except StopIteration:
        call = seen.calls[0]
    found = around(call, statement)
    return {
        "call": call.script.name,
        "at": None if statement.at is None else round(statement.at, 4),
        "here": found.here,
        "lines": [_line_json(line) for line in found.lines],
    }


def _line_json(line: WireLine) -> dict[str, Any]:
    return {
        "at": round(line.at, 4),
        "until": round(line.until, 4),
        "side": line.side,
        "words": line.words,
        "times": line.times,
        "hex": line.hex,
    }
