"""What only happens because cases connect beside one another is no failure: they are played again, each alone."""

import pytest
from planted.keeper import run, wrong
from planted.short_queue import ResetsAll, ResetsOddOnes, ShortQueue
from planted.ways import KINDS

from audiosocket_sim.conformance.cases.catalogue import CASES

BY_ID = {case.id: case for case in CASES}
SOME = [
    BY_ID[name] for name in ("HS-01", "HS-02", "HS-16", "HS-17", "FR-02", "FR-13", "AO-06", "AV-05", "AV-12", "TD-10")
]


@pytest.mark.long("what a server does alone too is a failure, and not what it does in a crowd")
def test_a_server_with_a_short_queue_fails_none() -> None:
    result = run(SOME, KINDS["doorman"], ShortQueue)
    assert wrong(result) == {}
    assert result.n_calls > 6 + sum(case.n_calls(heavy=False) for case in SOME)


def test_what_a_server_does_alone_too_is_a_failure() -> None:
    result = run(SOME, KINDS["doorman"], ResetsOddOnes)
    assert set(wrong(result)) == {"HS-02", "HS-16", "HS-17"}


def test_one_that_takes_no_call_is_not_called_twice() -> None:
    result = run(SOME, KINDS["doorman"], ResetsAll)
    assert len(wrong(result)) > 5
    assert result.n_calls <= 8 + sum(case.n_calls(heavy=False) for case in SOME)
