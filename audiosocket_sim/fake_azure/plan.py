"""The plan of each key: which faults occur, and how fast the service works. Frozen data, pure.

A plan is a list of steps, one for each request that comes with the key; the last step applies to all later requests.
Recognition and synthesis are counted separately. A request is a turn: an utterance to speak, or a turn of recognition
(the SDK opens another one by itself after the service ended one). For a step that applies to the upgrade, the request
is an upgrade.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from audiosocket_sim.fake_azure.client_requests import ServiceKind
from audiosocket_sim.fake_azure.messages import Status
from audiosocket_sim.scenario.fields import DurationMs, Model, PositiveMs, Shorthand, misfit

__all__ = ["ALL_WELL", "Drop", "FaultMoment", "Faults", "Pace", "PlanStep", "Stall"]

ConnectionPath = Literal[
    "upgrade",
    "turn.start",
    "speech.startDetected",
    "speech.hypothesis",
    "speech.endDetected",
    "speech.phrase",
    "response",
    "audio",
    "turn.end",
]

PhraseStatus = Literal[
    "NoMatch",
    "InitialSilenceTimeout",
    "BabbleTimeout",
    "Error",
    "TooManyRequests",
    "BadRequest",
    "Forbidden",
    "ServiceUnavailable",
]

_SENDABLE = (*range(1000, 1004), *range(1007, 1015), *range(3000, 5000))


def _ending(value: object) -> object:
    if value == "reset" or (isinstance(value, int) and not isinstance(value, bool) and value in _SENDABLE):
        return value
    raise ValueError(f"expected reset, or a close code such as 1000, 1011 or 4429, not {value!r}")


class FaultMoment(Model):
    """When a fault occurs: at the one moment given, or at the beginning of the turn if none is given."""

    before: ConnectionPath | None = Field(default=None, description="before the service sends this message")
    after: ConnectionPath | None = Field(default=None, description="after the service sent this message")
    after_audio: DurationMs | None = Field(
        default=None, description="when this much audio was received (recognition) or sent (synthesis)"
    )

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        found = [key for key in ("before", "after", "after_audio") if getattr(self, key) is not None]
        if len(found) > 1:
            raise misfit(f"only one moment may be given: {' or '.join(found)}", found[-1])
        if self.after == "upgrade":
            raise misfit("after the upgrade a turn begins, which is the default: leave this key out", "after")
        return self

    @property
    def at_upgrade(self) -> bool:
        """True if the moment is before the answer to the upgrade."""
        return self.before == "upgrade"

    @property
    def at_start(self) -> bool:
        """True if the moment is the beginning of the turn."""
        return self.before is None and self.after is None and self.after_audio is None


class Drop(FaultMoment):
    """The connection ends."""

    with_: Annotated[
        Any, BeforeValidator(_ending), WithJsonSchema({"anyOf": [{"const": "reset"}, {"type": "integer"}]})
    ] = Field(default="reset", alias="with", description="a close code, or reset")

    @model_validator(mode="after")
    def _no_code_without_a_websocket(self) -> Self:
        if self.at_upgrade and self.with_ != "reset":
            raise misfit("before the upgrade there is no websocket to close with a code: expected reset", "with")
        return self


class Stall(FaultMoment):
    """The service falls silent, and then continues where it stopped."""

    for_: PositiveMs | None = Field(default=None, alias="for", description="how long; without it for ever")


class Pace(Model):
    """How fast a healthy service works. Without a value there is no delay."""

    interim: DurationMs = Field(default=0, description="from the audio to the hypothesis")
    final: DurationMs = Field(default=0, description="from the end of the phrase to its final text")
    first_byte: DurationMs = Field(default=0, description="from the text to the first synthesised audio")
    chunk: PositiveMs = Field(default=100, description="synthesised audio in one message")
    speed: float | None = Field(default=None, gt=0, description="times real time; without it as fast as possible")


class PlanStep(Model):
    """The treatment of one request. An empty step means no fault."""

    only: ServiceKind | None = Field(default=None, description="the step is for this service alone")
    times: int = Field(default=1, ge=1, description="how many requests the step applies to")
    refuse: int | None = Field(default=None, ge=300, le=599, description="answer the upgrade with this HTTP status")
    drop: Annotated[Drop, Shorthand("with")] | None = Field(default=None, description="the connection ends")
    stall: Stall | None = Field(default=None, description="the service falls silent")
    status: PhraseStatus | None = Field(default=None, description="the status of every phrase, whatever was said")
    no_audio: bool = Field(default=False, description="synthesis succeeds without any audio")
    pace: Pace = Field(default=Pace(), description="how fast the service works")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.refuse is not None and (self.drop or self.stall or self.status or self.no_audio):
            raise misfit("a refused upgrade has no turn, so the step can have no other fault", "refuse")
        if self.only == "synthesis" and self.status is not None:
            raise misfit("only a recognised phrase has a status", "status")
        if self.only == "recognition" and self.no_audio:
            raise misfit("only synthesis makes audio", "no_audio")
        return self

    @property
    def at_upgrade(self) -> bool:
        """True if the step applies to an upgrade, not to a turn."""
        return self.refuse is not None or any(moment.at_upgrade for moment in (self.drop, self.stall) if moment)

    @property
    def phrase_status(self) -> Status | None:
        """The status of every phrase, None for the true one."""
        return self.status


PlanSteps = Annotated[tuple[PlanStep, ...], Field(strict=False)]

ALL_WELL = PlanStep()


class Faults(Model):
    """The plans of all keys. A token counts as a key."""

    keys: dict[str, PlanSteps] = Field(default_factory=dict, description="the plan of each key")
    default: PlanSteps = Field(default=(), description="the plan of every other key, and of clients without one")

    def plan(self, key: str) -> tuple[PlanStep, ...]:
        """Return the steps for a key, those of `default` if it has no plan of its own."""
        return self.keys.get(key, self.default)
