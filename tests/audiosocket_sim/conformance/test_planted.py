"""Good servers of each kind pass all cases; one with a planted fault fails the case that is meant, for that cause."""

import re

import pytest
from planted.faults import PLANTED
from planted.keeper import play, run, wrong
from planted.table import Planted
from planted.ways import KINDS

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.cases.catalogue import CASES

BY_ID = {case.id: case for case in CASES}


GOOD = KINDS | {f"twin-{planted}": planted.of for planted in PLANTED if planted.ways is not None}


@pytest.mark.one_python
@pytest.mark.long("the reference server passes all cases")
@pytest.mark.parametrize("kind", GOOD)
def test_a_good_server_of_each_kind_passes(kind: str) -> None:
    result = run(CASES, GOOD[kind])
    assert set(wrong(result)) == GOOD[kind].lacks, wrong(result)
    assert result.exit_code == (1 if GOOD[kind].lacks else 0)
    assert result.n_statements > 0


@pytest.mark.every(13)
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_fault_fails_its_case(planted: Planted) -> None:
    case = BY_ID[planted.case]
    result = play(case, planted.of, planted.fault, heavy=planted.heavy)
    assert result.outcome is (CaseOutcome.FAIL if case.level == "must" else CaseOutcome.WARN), result.why
    said = " | ".join(statement.says for statement in result.failures)
    assert re.search(planted.says, said), said


FAMILIES = ({"HS", "FR", "DT"}, {"AI", "AO"}, {"TD", "RB"}, {"AV"})
"""Sections whose cases a fault of one may fail too. All of them would take an hour."""


@pytest.mark.one_python
@pytest.mark.long("faults fail the case that is meant")
@pytest.mark.parametrize("planted", [one for one in PLANTED if not one.spreads], ids=str)
def test_a_planted_fault_fails_no_other_case_than_is_listed(planted: Planted) -> None:
    family = next(sections for sections in FAMILIES if planted.case[:2] in sections)
    cases = [case for case in CASES if case.id[:2] in family or case.id in planted.consequences]
    found = wrong(run(cases, planted.of, planted.fault))
    own = set() if planted.heavy else {planted.case}
    lacks = planted.of.lacks & {case.id for case in cases}
    assert set(found) == own | {*planted.consequences} | lacks, found
