"""An earlier run as what is expected: which cases deviate."""

from helpers.check_results import outcomes

from audiosocket_sim.conformance.case import CaseOutcome
from audiosocket_sim.conformance.stated.expected_run import deviations

ALL = {one.case.id: one.outcome for one in outcomes()}


def test_the_same_run_deviates_in_nothing() -> None:
    assert deviations(outcomes(), ALL) == []


def test_that_a_case_fails_is_the_same_whether_it_was_known_or_not() -> None:
    assert deviations(outcomes(), {**ALL, "AO-02": CaseOutcome.FAIL, "HS-02": CaseOutcome.EXPECTED_FAILURE}) == []


def test_what_is_inconclusive_deviates_from_nothing() -> None:
    assert deviations(outcomes(), {**ALL, "FR-02": CaseOutcome.PASS, "HS-01": CaseOutcome.INCONCLUSIVE}) == []


def test_better_and_worse_and_new_and_gone() -> None:
    expected = {**ALL, "HS-01": CaseOutcome.FAIL, "HS-02": CaseOutcome.PASS, "TD-09": CaseOutcome.PASS}
    del expected["AO-01"]
    lines = [
        "HS-01: pass, and fail in that run",
        "HS-02: fail, and pass in that run",
        "AO-01: not run, and that run has no such case",
    ]
    assert deviations(outcomes(), expected) == [*lines, "TD-09: there is no such case any more"]
    assert deviations(outcomes(), expected, {one.case.id for one in outcomes()}) == lines
