"""The suite as a whole: the reference server passes it, in virtual time."""

import pytest

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.parties.target import parse_target

REFERENCE = "audiosocket_server:serve"


@pytest.mark.long("good servers of each kind, and parts of this one, are held to the cases")
def test_the_reference_server_passes() -> None:
    result = run_suite(Suite(parse_target(REFERENCE), REFERENCE, CASES))
    wrong = [
        f"{one.case.id}: {[statement.says for statement in one.failures]}"
        for one in result.results
        if one.outcome not in (CaseOutcome.PASS, CaseOutcome.NOT_RUN)
    ]
    assert wrong == []
    assert result.exit_code == 0
    assert result.n_statements > 0
