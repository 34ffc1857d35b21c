"""Runs the suite, or some of its cases, against a good server or one with a planted fault, in virtual time."""

from collections.abc import Sequence

from audiosocket_sim.conformance.case import Case, CaseOutcome
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import ConformanceResult
from audiosocket_sim.parties.target import parse_target
from planted.good_server import Call, Server
from planted.ways import Ways

__all__ = ["FINE", "run", "wrong"]

TARGET = "planted.good_server:serve"
FINE = (CaseOutcome.PASS, CaseOutcome.NOT_RUN)


def run(cases: Sequence[Case], ways: Ways, fault: type[Call] | type[Server] | None = None) -> ConformanceResult:
    settings = {"planted": {"ways": ways, "fault": fault}}
    return run_suite(Suite(parse_target(TARGET), TARGET, tuple(cases), stated=ways.stated, settings=settings))


def wrong(result: ConformanceResult) -> dict[str, list[str]]:
    """Return the cases that neither passed nor were left out, each with the words of its failures."""
    return {
        one.case.id: [one.outcome.value, *[statement.says for statement in one.failures]]
        for one in result.results
        if one.outcome not in FINE
    }
