"""Which outcome a call has: what is final goes before the set-up, what lateness could turn is inconclusive."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import BotSpoke, StepFailed
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate
from audiosocket_sim.parties.target import TargetCloseError, TargetError, TargetUsageError
from audiosocket_sim.running.one_call import OneCall
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.result import Outcome
from audiosocket_sim.running.runner import run
from audiosocket_sim.running.trouble import Trouble
from audiosocket_sim.scenario.loading import load_text

SCENARIO = load_text("summary: A call.\nsteps: [{expect: {bot_speaks: 1s}}]\n", "call", folder=Path(__file__).parent)
FINAL = (StepFailed(1, "expect bot_speaks", "it", (), 0, 2000), 2020)
TURNS = (StepFailed(1, "expect bot_speaks", "it", (), 0, 2970), 2990)
LOG = entries((3000, BotSpoke(None, 1000, gap_ms=50)))
LATE = LatenessRecord([WasLate(LateBy.THREAD, 3020, 50)])
SET_UP = Outcome.SET_UP
INCONCLUSIVE, FAILED, PASSED = Outcome.INCONCLUSIVE, Outcome.FAILED, Outcome.PASSED


def call(error: Exception | Trouble | None, *, held: bool | None = True) -> OneCall:
    one = OneCall(SCENARIO, Options(), virtual=False)
    one.held = held
    if isinstance(error, Exception):
        one.blame(error)
    else:
        one.trouble = error
    return one


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("error", "failed", "late", "outcome"),
    [
        (None, [], LATE, PASSED),
        (None, [FINAL], LATE, FAILED),
        (None, [TURNS], LATE, INCONCLUSIVE),
        (None, [TURNS], LatenessRecord(), FAILED),
        (None, [TURNS, FINAL], LATE, FAILED),
        (TargetError("gone"), [], LATE, SET_UP),
        (TargetError("gone"), [FINAL], LATE, FAILED),
        (TargetError("gone"), [TURNS], LATE, INCONCLUSIVE),
        (Trouble(SET_UP, "unread", unread=True), [], LATE, INCONCLUSIVE),
        (Trouble(SET_UP, "unread", unread=True), [], LatenessRecord(), SET_UP),
        (TargetUsageError("no control URL"), [FINAL], LATE, Outcome.INVALID),
        (Trouble(FAILED, "the target ended its own process"), [TURNS], LATE, FAILED),
        (Trouble(INCONCLUSIVE, "interrupted"), [FINAL], LATE, INCONCLUSIVE),
        (TargetCloseError("close() failed"), [], LATE, PASSED),
        (TargetCloseError("close() failed"), [FINAL], LATE, FAILED),
    ],
)
def test_the_outcome(
    error: Exception | Trouble | None,
    failed: list[tuple[StepFailed, int]],
    late: LatenessRecord,
    outcome: Outcome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OneCall, "_lateness", lambda self: late)
    one = call(error)
    log = entries((3000, BotSpoke(None, 1000, gap_ms=50)), *((at_ms, event) for event, at_ms in failed))
    doubtful = [event for _, event in one._doubtful(log)]
    marked = [(replace(event, unsure=event in doubtful), at_ms) for event, at_ms in failed]
    found, lines = one._verdict(marked, log, 50.0)
    assert found is outcome
    if isinstance(error, Exception) and not isinstance(error, TargetCloseError):
        assert str(error) in lines


def test_a_call_that_was_not_judged_to_its_end_has_not_passed() -> None:
    assert call(None, held=None)._verdict([], LOG, 0.0)[0] is FAILED


def test_a_close_that_fails_before_there_is_a_verdict_is_what_is_wrong() -> None:
    assert call(TargetCloseError("close() failed"), held=None)._verdict([], LOG, 0.0) == (SET_UP, ("close() failed",))


def test_what_this_machine_may_have_caused_is_not_said_of_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that fails for one thing does not accuse the bot of another, for which we may have been too late."""
    text = (
        "summary: A bot that is silent between.\nquality: {wire_silence: 1s}\n"
        "steps: [expect: {bot_speaks: 5s, within: 6s}]\n"
    )
    scenario = load_text(text, "call", folder=Path(__file__).parent)
    script = [[0.5, "say", "pt-br/pode_subir"], [4.0, "say", "pt-br/pode_subir"]]
    scenario = scenario.model_copy(update={"server": {"script": script, "quiet": True}})
    monkeypatch.setattr(OneCall, "_could_turn", lambda self, failed, *rest: failed.step.startswith("expect"))
    result = run(scenario, Options(target="helpers.scripted_bot:serve"))
    assert result.outcome is FAILED
    assert [(failure.what, failure.unsure) for failure in result.failures] == [
        ("quality", False),
        ("step 1 (expect bot_speaks)", True),
    ]
    late = "but  this machine was late, which may have caused it"
    assert [late in "\n".join(failure.block()) for failure in result.failures] == [False, True]
    assert "unsure   step 1 (expect bot_speaks)" in result.transcript
    assert "FAILED   quality" in result.transcript
