"""What a step of a call in Python gives back: when it happened, and what is known of it. Data only.

`at` is when it happened or began, `until` when it was over, both in seconds since the call's UUID; the next step counts
from `until`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from audiosocket_sim.call_log.events import BackendAsked, BotSpoke, CallEnded
from audiosocket_sim.running.progress import CarriedOut

__all__ = [
    "BackendRequest",
    "CallEnd",
    "HoldHeard",
    "Lasted",
    "SpeechHeard",
    "StateSeen",
    "StepDone",
    "backend_request",
    "call_end",
    "hold_heard",
    "lasted",
    "speech_heard",
    "state_seen",
    "step_done",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step of the caller: when its first sound left and when it was completed, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasted:
    """Speech or silence of the bot that lasted long enough: from `at` until `until`, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechHeard(BotSpoke):
    """What the bot said, as the caller heard it: from `at` until `until`, in seconds since the UUID."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldHeard:
    """Hold audio that plays, or has stopped, at `at` seconds since the UUID.

    `duration_ms` and `seamless` (no jump and no hole in it) are known where it stopped, `into_waiting_ms` (since the
    bot's state WAITING) where it started and the bot reports its states; else None.
    """

    at: float
    until: float
    duration_ms: int | None = None
    seamless: bool | None = None
    into_waiting_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSeen:
    """The bot's own state since `at` seconds after the UUID. `reported` is False where the target reports no states and
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
    """What a step of the caller gives back."""
    return StepDone(**_times(done))


def lasted(done: CarriedOut) -> Lasted:
    """What `expect_speaks` and `expect_silent` give back."""
    return Lasted(**_times(done))


def speech_heard(done: CarriedOut) -> SpeechHeard:
    """What `expect_says` gives back."""
    return SpeechHeard(**_times(done), **_fields(done))


def hold_heard(done: CarriedOut) -> HoldHeard:
    """What `expect_hold` gives back."""
    return HoldHeard(**_times(done), **_fields(done))


def state_seen(done: CarriedOut, state: str) -> StateSeen:
    """What `expect_state` gives back."""
    return StateSeen(**_times(done), state=state, reported=not done.passed_over)


def backend_request(done: CarriedOut) -> BackendRequest:
    """What `expect_backend_asked` gives back."""
    return BackendRequest(**_times(done), **_fields(done))


def call_end(done: CarriedOut) -> CallEnd:
    """What `expect_hangs_up` gives back."""
    return CallEnd(**_times(done), **_fields(done))
