"""Whole phone calls as tests, for bots on Asterisk's AudioSocket.

The interface for programmers: `run` and `arun` run scenarios, `load_scenarios` reads them, `place_call` makes a call
step by step (docs/calls-in-python.md, docs/api.md). Each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiosocket_sim.api import (
        Artefacts,
        AsteriskPeer,
        BackendAsked,
        BackendPushed,
        BackendReplied,
        BackendRequest,
        BotSpoke,
        CallArgumentError,
        CallEnd,
        CallEnded,
        CallerAction,
        CallerSpoke,
        CallFailed,
        CallMisuse,
        CallNotJudged,
        CallPlayer,
        CallResult,
        CallTime,
        Entry,
        Environment,
        Failure,
        HoldHeard,
        HoldStarted,
        HoldStopped,
        Lasted,
        Line,
        LogEvent,
        Network,
        Noted,
        OnEntry,
        Options,
        Outcome,
        PhoneCall,
        Problem,
        Push,
        Reply,
        Result,
        Scenario,
        ScenarioError,
        Source,
        SpeechHeard,
        StageTook,
        StateSeen,
        StateTold,
        StepDone,
        StepFailed,
        StepToAwait,
        TargetChoice,
        TurnMeasured,
        VoicesOverlapped,
        arun,
        load_scenarios,
        place_call,
        run,
    )

__all__ = [
    "Artefacts",
    "AsteriskPeer",
    "BackendAsked",
    "BackendPushed",
    "BackendReplied",
    "BackendRequest",
    "BotSpoke",
    "CallArgumentError",
    "CallEnd",
    "CallEnded",
    "CallFailed",
    "CallMisuse",
    "CallNotJudged",
    "CallPlayer",
    "CallResult",
    "CallTime",
    "CallerAction",
    "CallerSpoke",
    "Entry",
    "Environment",
    "Failure",
    "HoldHeard",
    "HoldStarted",
    "HoldStopped",
    "Lasted",
    "Line",
    "LogEvent",
    "Network",
    "Noted",
    "OnEntry",
    "Options",
    "Outcome",
    "PhoneCall",
    "Problem",
    "Push",
    "Reply",
    "Result",
    "Scenario",
    "ScenarioError",
    "Source",
    "SpeechHeard",
    "StageTook",
    "StateSeen",
    "StateTold",
    "StepDone",
    "StepFailed",
    "StepToAwait",
    "TargetChoice",
    "TurnMeasured",
    "VoicesOverlapped",
    "arun",
    "load_scenarios",
    "place_call",
    "run",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from audiosocket_sim import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
