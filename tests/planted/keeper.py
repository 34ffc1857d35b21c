"""Runs the suite, or one of its cases, against a good server or one with a planted fault, in virtual time."""

import asyncio
from collections.abc import Sequence

from audiosocket_sim.conformance.case import Case, CaseOutcome
from audiosocket_sim.conformance.conduct import Conductor
from audiosocket_sim.conformance.conduct import Server as Dialled
from audiosocket_sim.conformance.delays import DelayRecord
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult
from audiosocket_sim.parties.target import parse_target
from audiosocket_sim.virtual_time import new_loop
from planted.good_server import Call, Server, serve
from planted.ways import Ways

__all__ = ["FINE", "play", "run", "wrong"]

TARGET = "planted.good_server:serve"
FINE = (CaseOutcome.PASS, CaseOutcome.NOT_RUN)
Fault = type[Call] | type[Server] | None


def run(cases: Sequence[Case], ways: Ways, fault: Fault = None) -> ConformanceResult:
    """Run these cases as an author does: the server is probed first."""
    settings = {"planted": {"ways": ways, "fault": fault}}
    return run_suite(Suite(parse_target(TARGET), TARGET, tuple(cases), stated=ways.stated, settings=settings))


def play(case: Case, ways: Ways, fault: Fault = None, *, heavy: bool = False) -> CaseResult:
    """Play one case against a server of which is known what its good twin can do."""
    features = _features(ways)
    with asyncio.Runner(loop_factory=lambda: new_loop(split="writes", program="a planted fault")) as runner:
        return runner.run(_play(case, ways, fault, features, heavy))


_PROBED: dict[str, Features] = {}


def _features(ways: Ways) -> Features:
    if repr(ways) not in _PROBED:
        _PROBED[repr(ways)] = run((), ways).features
    return _PROBED[repr(ways)]


async def _play(case: Case, ways: Ways, fault: Fault, features: Features, heavy: bool) -> CaseResult:
    server = await serve(host="127.0.0.1", port=0, control_port=0, settings={"planted": {"ways": ways, "fault": fault}})
    try:
        conductor = Conductor(Dialled(server.host, server.port, stop=server.close), features, DelayRecord())
        return await conductor.play(case, heavy=heavy)
    finally:
        await server.close()


def wrong(result: ConformanceResult) -> dict[str, list[str]]:
    """Return the cases that neither passed nor were left out, each with the words of its failures."""
    return {
        one.case.id: [one.outcome.value, *[statement.says for statement in one.failures]]
        for one in result.results
        if one.outcome not in FINE
    }
