"""Puts the results of several calls together: one outcome, one log on one clock, and each call by itself. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.several import LoggedCall, as_one_log
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.running.trouble import Trouble
from audiosocket_sim.scenario import Scenario

__all__ = ["CallMade", "result_of_calls"]

_WORST_FIRST = (Outcome.FAILED, Outcome.INVALID, Outcome.SET_UP, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class CallMade:
    """The result of one call, and when it began: ms after the first UUID of all. `made`: it was begun at all."""

    result: Result
    began_ms: int
    made: bool


def result_of_calls(
    scenario: Scenario, calls: Sequence[CallMade], trouble: Trouble | None, later_faults: Sequence[str]
) -> Result:
    """Return the result of a scenario with several calls. `trouble`: why there is no verdict on any of them.

    One call that failed fails them all, unless the run was interrupted.
    """
    results = [call.result for call in calls]
    outcomes = {result.outcome for result in results} | ({trouble.outcome} if trouble is not None else set())
    interrupted = any(result.interrupted for result in results)
    outcome = next((one for one in _WORST_FIRST if one in outcomes), Outcome.PASSED)
    named = [(call, call.result.scenario.caller.name) for call in calls]
    logged = [
        LoggedCall(
            name, call.began_ms, None if call.result.uuid is None else str(call.result.uuid), call.result.entries
        )
        for call, name in named
        if call.made
    ]
    entries, numbers = as_one_log(logged)
    failures = [
        replace(failure, at_ms=failure.at_ms + call.began_ms) for call in calls for failure in call.result.failures
    ]
    return Result(
        scenario,
        Outcome.INCONCLUSIVE if interrupted else outcome,
        entries,
        tuple(sorted(failures, key=lambda failure: (failure.unsure, failure.at_ms))),
        (*_faults(calls, trouble), *later_faults),
        details="\n".join(filter(None, [trouble.details if trouble else "", *(one.details for one in results)])),
        uuid=results[0].uuid,
        own_lateness_ms=max(result.own_lateness_ms for result in results),
        processor_wait_ms=max(result.processor_wait_ms for result in results),
        loop_late_ms=max(result.loop_late_ms for result in results),
        duration_ms=max((entry.at_ms for entry in entries), default=0),
        interrupted=interrupted or (trouble is not None and trouble.outcome is Outcome.INCONCLUSIVE),
        asserted={
            numbers[name, old]: text for call, name in named if call.made for old, text in call.result.asserted.items()
        },
        environment=next((result.environment for result in results if result.environment is not None), None),
        cannot_follow=any(result.cannot_follow for result in results),
        made_calls=tuple(replace(call.result.calls[0], began_ms=call.began_ms) for call in calls),
    )


def _faults(calls: Sequence[CallMade], trouble: Trouble | None) -> tuple[str, ...]:
    """The faults of all calls, each with the caller's name; one that is that of several has theirs."""
    names: dict[str, list[str]] = {}
    for call in calls:
        for fault in call.result.faults if call.made else ():
            names.setdefault(fault, []).append(call.result.scenario.caller.name)
    own = () if trouble is None else (trouble.line, *trouble.more)
    every = sum(call.made for call in calls)
    return (
        *own,
        *(
            fault if len(who) == every else f"{', '.join(who)}: {fault}"
            for fault, who in names.items()
            if fault not in own
        ),
    )
