"""A server that is gone is told of once, with the case that did it; what was not over by then is not run."""

import sys
from pathlib import Path

import pytest
from planted.gone import StopsListening
from planted.keeper import run
from planted.ways import KINDS

from audiosocket_sim.conformance.case import Case, CaseOutcome, Level
from audiosocket_sim.conformance.judging import connects
from audiosocket_sim.conformance.script import Announce, Close, Pause, PeerAction, Script, Send, SendSound, StopServer
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import ConformanceResult
from audiosocket_sim.parties.target import parse_target

SERVER = Path(__file__).resolve().parents[2] / "planted" / "good_server.py"
ODD = Send(b"\x7f\x00\x00")


def case(name: str, *actions: PeerAction, level: Level = "must", starts: float = 0.0, alone: bool = False) -> Case:
    scripts = (Script((Announce(), SendSound(0.2, "silence"), *actions), starts=starts),)
    return Case(
        name, "", level, "", "", "", "", judge=lambda seen: [connects(seen.call())], scripts=scripts, alone=alone
    )


FINE = case("HS-01", Close())
LONG = case("HS-02", SendSound(8.0, "silence"))
FATAL = case("FR-09", Pause(1.0), ODD, Pause(0.5), level="should")
LATER = case("TD-01", Close(), starts=3.0)
LAST = case("TD-02", Close(), alone=True)


def outcomes(result: ConformanceResult) -> dict[str, str]:
    return {one.case.id: one.outcome.value for one in result.results}


@pytest.mark.long("the case that stops the server is tried")
def test_the_case_after_which_nobody_listens_fails_and_the_rest_is_not_run() -> None:
    result = run([FINE, LONG, FATAL, LATER, LAST], KINDS["doorman"], StopsListening)
    assert result.gone == "the server is gone after FR-09: the port refuses connections"
    found = outcomes(result)
    assert (found["HS-01"], found["FR-09"], found["TD-01"]) == ("pass", "fail", "not run")
    left_out = {one.why for one in result.results if one.outcome is CaseOutcome.NOT_RUN}
    assert left_out == {result.gone}
    assert [one.says for one in result.results[2].failures] == [
        "can be called afterwards, but the port refuses connections"
    ]
    assert result.exit_code == 1


@pytest.mark.long("the case that stops the server is tried")
def test_a_server_that_stays_is_not_told_of() -> None:
    result = run([FINE, FATAL, LAST], KINDS["doorman"])
    assert (result.gone, set(outcomes(result).values())) == ("", {"pass"})


def test_the_case_that_stops_the_server_is_the_last_and_no_fault() -> None:
    stops = case("HS-03", StopServer(), Pause(1.0))
    result = run([stops, LONG, LAST], KINDS["doorman"])
    assert (result.gone, set(outcomes(result).values())) == ("", {"pass"})
    assert result.exit_code == 0


@pytest.mark.long("a server in this process is gone")
@pytest.mark.real_time
def test_a_program_that_ends_is_told_of_with_its_exit_code() -> None:
    target = f"command: {sys.executable} {SERVER} {{port}} doorman planted.gone:DiesOfAnError"
    result = run_suite(Suite(parse_target(target), target, (FINE, LONG, FATAL, LATER)))
    assert result.gone == "the server is gone after FR-09: the program ended with code 7"
    assert outcomes(result)["FR-09"] == "fail"
    assert result.exit_code == 1
