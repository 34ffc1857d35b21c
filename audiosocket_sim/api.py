"""Everything that code outside this package may import: `from audiosocket_sim import …`. docs/api.md.

It contains scenarios and functions that run them, calls written in Python, and the results of both.
"""

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallBegan,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    Entry,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    LogEvent,
    MessageCount,
    Noted,
    PhoneLostSound,
    PhoneUsed,
    ReadWord,
    Source,
    StageTook,
    StateTold,
    StepFailed,
    VoicesOverlapped,
    WireSummary,
)
from audiosocket_sim.call_log.in_progress import CallInProgress, HeardNow
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.parties.target_choice import TargetChoice
from audiosocket_sim.python_calls.arguments import CallArgumentError
from audiosocket_sim.python_calls.driving import CallPlayer
from audiosocket_sim.python_calls.errors import CallFailed, CallMisuse, CallNotJudged
from audiosocket_sim.python_calls.happened import (
    BackendRequest,
    BranchTaken,
    CallEnd,
    HoldHeard,
    Lasted,
    SpeechHeard,
    StateSeen,
    StepDone,
    TurnMeasured,
)
from audiosocket_sim.python_calls.phone_call import CallTime, PhoneCall, StepToAwait, event
from audiosocket_sim.python_calls.placing import place_call
from audiosocket_sim.reading.judge import JudgedCall
from audiosocket_sim.reading.judge import JudgeVerdict as Verdict
from audiosocket_sim.running.environment import Environment
from audiosocket_sim.running.one_call import OnEntry
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.result import Artefacts, CallResult, Outcome, Result
from audiosocket_sim.running.runner import arun, run
from audiosocket_sim.scenario import (
    Anchor,
    AsteriskPeer,
    CallerEar,
    CallerPlace,
    Line,
    Network,
    Push,
    Quality,
    Reply,
    Scenario,
    TurnLimits,
)
from audiosocket_sim.scenario.loading import Problem, ScenarioError, load_scenarios

__all__ = [
    "Anchor",
    "Artefacts",
    "AsteriskPeer",
    "BackendAsked",
    "BackendPushed",
    "BackendReplied",
    "BackendRequest",
    "BotSpoke",
    "BranchTaken",
    "CallArgumentError",
    "CallBegan",
    "CallEnd",
    "CallEnded",
    "CallFailed",
    "CallInProgress",
    "CallMisuse",
    "CallNotJudged",
    "CallPlayer",
    "CallResult",
    "CallTime",
    "CallerAction",
    "CallerEar",
    "CallerPlace",
    "CallerSpoke",
    "DefectFound",
    "Entry",
    "Environment",
    "ExpectationJudged",
    "Failure",
    "HeardNow",
    "HoldHeard",
    "HoldStarted",
    "HoldStopped",
    "JudgedCall",
    "Lasted",
    "Line",
    "LogEvent",
    "MessageCount",
    "Network",
    "Noted",
    "OnEntry",
    "Options",
    "Outcome",
    "PhoneCall",
    "PhoneLostSound",
    "PhoneUsed",
    "Problem",
    "Push",
    "Quality",
    "ReadWord",
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
    "TurnLimits",
    "TurnMeasured",
    "Verdict",
    "VoicesOverlapped",
    "WireSummary",
    "arun",
    "event",
    "load_scenarios",
    "place_call",
    "run",
]
