"""What becomes of the results when a server has ended, or takes no more calls: which case may have done it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.conformance.case import Case, CaseOutcome, Statement
from audiosocket_sim.conformance.script import Announce, Close, FinishSending, Reset, Send, SendPaced
from audiosocket_sim.conformance.seen_call import Delays, SeenCall
from audiosocket_sim.conformance.verdicts import CaseResult

__all__ = ["PlayedCase", "blamed", "crowded_out", "left_out", "noticed", "suspects", "was_not_taken", "was_too_late"]

_ACTS = (Announce, Send, SendPaced, FinishSending, Close, Reset)
"""Actions after which a server may fall over; a caller's sound is the same in most cases."""
_JUST_BEFORE_SECONDS = 2.0
_CONNECT_SECONDS, _STOOD_STILL_SECONDS = 2.5, 0.5
_NOT_TAKEN = ("refused", "unanswered", "reset")


@dataclass(frozen=True, slots=True)
class PlayedCase:
    """A case that was played. `began`, `ended`: in loop time."""

    result: CaseResult
    began: float
    ended: float


def noticed(result: CaseResult) -> bool:
    """Whether a case has seen anything that makes one ask if the server is still there."""
    refused = result.observed is not None and any(
        call.connected_at is None and not call.script.host for call in result.observed.calls
    )
    return refused or result.outcome not in (CaseOutcome.PASS, CaseOutcome.NOT_RUN)


def crowded_out(result: CaseResult) -> bool:
    """Whether a case failed because a connection was not taken, or was reset before the server had sent a byte.

    It is what a short queue of connections does while other cases connect. It may be the server's answer to this case,
    too: that shows when the case is played alone.
    """
    seen = result.observed
    if seen is None or result.outcome in (CaseOutcome.PASS, CaseOutcome.NOT_RUN):
        return False
    legs = any(leg.who == "server" and leg.how in _NOT_TAKEN and not leg.messages for leg in seen.leg_ends)
    return legs or any(was_not_taken(call) for call in seen.calls if not call.script.host)


def was_not_taken(call: SeenCall) -> bool:
    """Whether there was no connection, or it was reset before the server had sent a byte."""
    return call.connected_at is None or (call.end.by == "server" and call.end.how == "reset" and not call.received)


def was_too_late(call: SeenCall, delays: Delays) -> bool:
    """Whether there was no connection in time, and this machine stood still for a good part of that time."""
    begins = call.script.starts
    waited = call.connected_at is None and call.why_not_connected.startswith("no answer")
    return waited and delays.total(begins, begins + _CONNECT_SECONDS) > _STOOD_STILL_SECONDS


def suspects(played: Iterable[PlayedCase], gone_at: float) -> list[PlayedCase]:
    """Return the cases that may have ended the server, the likeliest first: who acted last before its end.

    `gone_at`: when it was known to be gone, in loop time. With a program all its connections end at once: its end is
    taken for the last end of a connection by the server until then.
    """
    recent = [one for one in played if one.ended > gone_at - _JUST_BEFORE_SECONDS and one.began < gone_at]
    ends = [
        one.began + call.end.at
        for one in recent
        if one.result.observed is not None
        for call in one.result.observed.calls
        if call.end.by == "server" and gone_at - _JUST_BEFORE_SECONDS < one.began + call.end.at <= gone_at
    ]
    died = max(ends, default=gone_at)
    last_acts = [(_last_act(one, died), one) for one in recent]
    return [one for _, one in sorted(last_acts, key=lambda pair: -pair[0])]


def blamed(result: CaseResult, how: str) -> CaseResult:
    """Return the result of a case after which the server is gone: failed, whatever its level."""
    statement = Statement(False, f"can be called afterwards, but {how}", "ending")
    return replace(result, outcome=CaseOutcome.FAIL, statements=(*result.statements, statement))


def left_out(cases: Sequence[Case], why: str) -> list[CaseResult]:
    """Return the results of cases that were not run, or whose results say only that the server was gone."""
    return [CaseResult(case, CaseOutcome.NOT_RUN, why=why) for case in cases]


def _last_act(one: PlayedCase, until: float) -> float:
    """When it last acted before a time; minus infinity: not at all."""
    seen = one.result.observed
    acts = [
        one.began + at
        for call in (() if seen is None else seen.calls)
        for done in call.done
        if isinstance(done.action, _ACTS)
        for at in (done.began, done.ended)
        if one.began + at <= until
    ]
    return max(acts, default=float("-inf"))
