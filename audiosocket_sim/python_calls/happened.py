"""The values that steps of a call in Python return: when something happened, and its details. Data only.

`at`: when it happened or began; `until`: when it ended. Both are seconds since the call's UUID; the next step counts
from `until`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from audiosocket_sim.call_log.events import BackendAsked, BotSpoke, CallEnded
from audiosocket_sim.running.progress import CarriedOut

__all__ = [
    "BackendRequest",
    "BranchTaken",
    "CallEnd",
    "HoldHeard",
    "Lasted",
    "SpeechHeard",
    "StateSeen",
    "StepDone",
    "TurnMeasured",
    "backend_request",
    "branch_taken",
    "call_end",
    "hold_heard",
    "if_it_happened",
    "lasted",
    "speech_heard",
    "state_seen",
    "step_done",
    "turn_measured",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step of the caller: when its first sound left and when it was completed, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchTaken:
    """One of several things has happened: which, by its `index` from 0, when, and until when it lasted, in seconds."""

    index: int
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasted:
    """Speech or silence of the bot that lasted long enough: from `at` until `until`, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnMeasured:
    """The bot answered, stopped for the caller, went on or asked again, at `at` seconds since the UUID.

    `took_ms`: the time since the caller's last word, since his first sound, since the bot's stop (`expect_resumes`) or
    since anything was heard; of `expect_goes_on` its longest pause. The next step counts from `until`.
    """

    at: float
    until: float
    took_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechHeard(BotSpoke):
    """Speech of the bot, as the caller heard it: from `at` until `until`, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldHeard:
    """Hold audio that plays, or has stopped, at `at` seconds since the UUID.

    `duration_ms` and `seamless` (no jump and no gap in it) are set if it has stopped. `into_waiting_ms`, the time since
    the bot entered the state WAITING, is set if it has started and the bot reports its states. Otherwise they are None.
    `file` is the name of the music, if the scenario has one for it.
    """

    at: float
    until: float
    duration_ms: int | None = None
    seamless: bool | None = None
    into_waiting_ms: int | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSeen:
    """The bot's own state since `at` seconds after the UUID. `reported`: False if the target reports no states, so that
    the step was passed over (`when_told`)."""

    at: float
    until: float
    state: str
    reported: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRequest(BackendAsked):
    """A request to the AI backend at `at` seconds since the UUID: what the bot understood (`content`)."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd(CallEnded):
    """The end of the call at `at` seconds since the UUID, as Asterisk saw it."""

    at: float
    until: float


def _times(done: CarriedOut) -> dict[str, Any]:
    return {"at": done.at_ms / 1000, "until": done.completed_ms / 1000}


def _fields(done: CarriedOut) -> dict[str, Any]:
    return {} if done.entry is None else asdict(done.entry.event)


def step_done(done: CarriedOut) -> StepDone:
    """Return the value of a step of the caller."""
    return StepDone(**_times(done))


def lasted(done: CarriedOut) -> Lasted:
    """Return the value of `expect_speaks` and `expect_silent`."""
    return Lasted(**_times(done))


def speech_heard(done: CarriedOut) -> SpeechHeard:
    """Return the value of `expect_says`."""
    return SpeechHeard(**_times(done), **_fields(done))


def hold_heard(done: CarriedOut) -> HoldHeard:
    """Return the value of `expect_hold`."""
    return HoldHeard(**_times(done), **_fields(done))


def state_seen(done: CarriedOut, state: str) -> StateSeen:
    """Return the value of `expect_state`."""
    return StateSeen(**_times(done), state=state, reported=not done.passed_over)


def backend_request(done: CarriedOut) -> BackendRequest:
    """Return the value of `expect_backend_asked`."""
    return BackendRequest(**_times(done), **_fields(done))


def call_end(done: CarriedOut) -> CallEnd:
    """Return the value of `expect_hangs_up`."""
    return CallEnd(**_times(done), **_fields(done))


def turn_measured(done: CarriedOut) -> TurnMeasured:
    """Return the value of the expectations that measure a time: `expect_responds`, `expect_stops` and the like."""
    assert done.took_ms is not None
    return TurnMeasured(**_times(done), took_ms=done.took_ms)


def branch_taken(done: CarriedOut) -> BranchTaken:
    """Return the value of `any_of`."""
    assert done.branch is not None
    return BranchTaken(**_times(done), index=done.branch)


def if_it_happened(done: CarriedOut) -> StepDone | None:
    """Return the value of `happens`."""
    return None if done.branch is None else step_done(done)
