"""In which order cases run: those that find most come first, and one after the other the short ones before the long."""

import asyncio

import pytest
from planted.audio_out import SilentWhenIdle
from planted.framing import OneReadIsAHeader
from planted.good_server import Call
from planted.keeper import TARGET
from planted.keys import AKeyIsTheEnd
from planted.ways import KINDS

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.planning import TELLING, Plan, plan
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import CaseResult
from audiosocket_sim.parties.target import parse_target

IDS = {case.id: case for case in CASES}
TWO_MINUTES = 120.0


class FoundError(Exception):
    """Enough was seen."""


def planned(*, two_calls: bool, virtual: bool = False) -> Plan:
    return plan(CASES, Features(two_calls=two_calls), heavy=False, virtual=virtual)


def test_those_that_tell_most_are_cases_that_must_pass() -> None:
    assert [name for name in TELLING if name not in IDS or IDS[name].level != "must"] == []


@pytest.mark.parametrize("two_calls", [True, False])
def test_those_that_tell_most_begin_first(two_calls: bool) -> None:
    plan = planned(two_calls=two_calls)
    expected = [name for name in TELLING if not two_calls or not IDS[name].alone]
    assert [case.id for case in plan.together[: len(expected)]] == expected


def test_beside_one_another_the_long_ones_follow() -> None:
    rest = [case for case in planned(two_calls=True).together if case.id not in TELLING]
    assert [case.seconds(heavy=False) for case in rest] == sorted(
        (case.seconds(heavy=False) for case in rest), reverse=True
    )


def test_one_after_the_other_the_short_ones_that_must_pass_follow() -> None:
    rest = [case for case in planned(two_calls=False).together if case.id not in TELLING]
    keys = [(case.level, case.seconds(heavy=False)) for case in rest]
    assert keys == sorted(keys)


def test_one_after_the_other_only_the_end_of_the_server_waits_for_all_others() -> None:
    assert [case.id for case in planned(two_calls=False).alone] == ["TD-12"]


@pytest.mark.long("which cases begin first is tried")
@pytest.mark.parametrize(
    ("fault", "case"), [(AKeyIsTheEnd, "DT-07"), (OneReadIsAHeader, "FR-02"), (SilentWhenIdle, "AO-06")]
)
def test_the_first_finding_comes_within_two_minutes(fault: type[Call], case: str) -> None:
    """Of a bot that takes one call at a time, and has a fault that many have."""
    found: list[tuple[str, float]] = []

    def on_result(result: CaseResult) -> None:
        if result.outcome is CaseOutcome.FAIL:
            found.append((result.case.id, asyncio.get_running_loop().time()))
            raise FoundError

    settings = {"planted": {"ways": KINDS["one_at_a_time"], "fault": fault}}
    with pytest.raises(ExceptionGroup):
        run_suite(Suite(parse_target(TARGET), TARGET, CASES, settings=settings), on_result=on_result)
    assert found[0][0] == case
    assert found[0][1] < TWO_MINUTES  # virtual time begins at 0
