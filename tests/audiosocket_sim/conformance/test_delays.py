"""When this machine was late: how much of it may have delayed one message. Arithmetic."""

import pytest

from audiosocket_sim.conformance.case import CaseOutcome, SeenCase
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.script import Announce, Pause, Script
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Delays, Done, SeenCall
from audiosocket_sim.conformance.verdicts import outcome_of

BUSY = Delays(tuple((round(at * 0.1, 1), 0.07) for at in range(1, 60)))
"""A machine on which a third more is wanted than there is: late all the time, and never by much."""


def test_delays_within_a_second_add_up_and_those_long_before_do_not() -> None:
    assert BUSY.total(0.0, 5.0) == pytest.approx(3.5)
    assert BUSY.densest(0.0, 5.0) == pytest.approx(11 * 0.07)
    assert Delays(((1.0, 0.4), (1.5, 0.4), (3.0, 0.5))).densest() == pytest.approx(0.8)
    assert Delays().densest() == 0.0
    assert BUSY.densest(7.0) == 0.0


@pytest.mark.parametrize(
    ("late", "outcome"),
    [(Delays(), CaseOutcome.FAIL), (BUSY, CaseOutcome.FAIL), (Delays(((3.0, 3.2),)), CaseOutcome.INCONCLUSIVE)],
)
def test_five_seconds_without_a_message_are_the_server_s_unless_we_stood_still(
    late: Delays, outcome: CaseOutcome
) -> None:
    case = next(case for case in CASES if case.id == "AO-06")
    pause = next(action for action in case.scripts[0].actions if isinstance(action, Pause))
    call = SeenCall(
        Script(case.scripts[0].actions),
        bytes(16),
        connected_at=0.0,
        sent=(Chunk(0.0, bytes(19)),),
        done=(Done(Announce(), 0.0, 0.0), Done(pause, 0.0, pause.seconds)),
        end=ConnectionEnd("peer", "fin", pause.seconds, pause.seconds),
    )
    assert outcome_of(case, list(case.judge(SeenCase((call,), Features(), late)))) is outcome
