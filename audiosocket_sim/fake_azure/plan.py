"""What goes wrong, and how fast the service works: the plan of each key, as frozen data. Pure.

A plan is a list of steps, one for each request that comes with the key; the last step stays. Recognition and synthesis
are counted apart. A request is a turn: an utterance to speak, or a turn of recognition, of which the SDK opens another
by itself where the service ended one; or an upgrade, where the step is about the upgrade.
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
    raise ValueError(f"reset, or a close code such as 1000, 1011 or 4429 was expected, not {value!r}")


class FaultMoment(Model):
    """When it happens: at one of these; at the beginning of the turn where there is none."""

    before: ConnectionPath | None = Field(default=None, description="before the service sends this message")
    after: ConnectionPath | None = Field(default=None, description="after the service sent this message")
    after_audio: DurationMs | None = Field(
        default=None, description="when so much audio was received (recognition) or sent (synthesis)"
    )

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        found = [key for key in ("before", "after", "after_audio") if getattr(self, key) is not None]
        if len(found) > 1:
            raise misfit(f"one moment is enough: {' or '.join(found)}", found[-1])
        if self.after == "upgrade":
            raise misfit("after the upgrade a turn begins: leave it out", "after")
        return self

    @property
    def at_upgrade(self) -> bool:
        return self.before == "upgrade"

    @property
    def at_start(self) -> bool:
        return self.before is None and self.after is None and self.after_audio is None


class Drop(FaultMoment):
    """The connection ends."""

    with_: Annotated[
        Any, BeforeValidator(_ending), WithJsonSchema({"anyOf": [{"const": "reset"}, {"type": "integer"}]})
    ] = Field(default="reset", alias="with", description="a close code, or reset")

    @model_validator(mode="after")
    def _no_code_without_a_websocket(self) -> Self:
        if self.at_upgrade and self.with_ != "reset":
            raise misfit("before the upgrade there is nothing to close with a code: reset", "with")
        return self


class Stall(FaultMoment):
    """The service falls silent, and goes on where it stopped."""

    for_: PositiveMs | None = Field(default=None, alias="for", description="how long; for ever otherwise")


class Pace(Model):
    """How fast a service in good health works; at once otherwise."""

    interim: DurationMs = Field(default=0, description="from the audio to the hypothesis")
    final: DurationMs = Field(default=0, description="from the end of the phrase to its final text")
    first_byte: DurationMs = Field(default=0, description="from the text to the first synthesised audio")
    chunk: PositiveMs = Field(default=100, description="synthesised audio in one message")
    speed: float | None = Field(default=None, gt=0, description="times real time; as fast as it can otherwise")


class PlanStep(Model):
    """One request: all well where nothing else is said."""

    only: ServiceKind | None = Field(default=None, description="the step is for this service alone")
    times: int = Field(default=1, ge=1, description="for so many requests")
    refuse: int | None = Field(default=None, ge=300, le=599, description="answer the upgrade with this HTTP status")
    drop: Annotated[Drop, Shorthand("with")] | None = Field(default=None, description="the connection ends")
    stall: Stall | None = Field(default=None, description="the service falls silent")
    status: PhraseStatus | None = Field(default=None, description="of every phrase, whatever was said")
    no_audio: bool = Field(default=False, description="synthesis succeeds with nothing")
    pace: Pace = Field(default=Pace(), description="how fast it works")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.refuse is not None and (self.drop or self.stall or self.status or self.no_audio):
            raise misfit("a refused upgrade has no turn in which anything else could go wrong", "refuse")
        if self.only == "synthesis" and self.status is not None:
            raise misfit("only a recognised phrase has a status", "status")
        if self.only == "recognition" and self.no_audio:
            raise misfit("only synthesis makes audio", "no_audio")
        return self

    @property
    def at_upgrade(self) -> bool:
        """Whether it is about the upgrade, and not about a turn."""
        return self.refuse is not None or any(moment.at_upgrade for moment in (self.drop, self.stall) if moment)

    @property
    def phrase_status(self) -> Status | None:
        return self.status


PlanSteps = Annotated[tuple[PlanStep, ...], Field(strict=False)]

ALL_WELL = PlanStep()


class Faults(Model):
    """The plans, by subscription key (or token)."""

    keys: dict[str, PlanSteps] = Field(default_factory=dict, description="the plan of each key")
    default: PlanSteps = Field(default=(), description="the plan of every other key, and of clients without one")

    def plan(self, key: str) -> tuple[PlanStep, ...]:
        return self.keys.get(key, self.default)
