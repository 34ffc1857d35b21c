"""How far a call has come: what the next step counts from, which entries of the log have met an expectation; and what
a step is called. Data only."""

from dataclasses import dataclass, field

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.scenario import ExpectStep, NeverStep, Step

__all__ = ["CarriedOut", "Progress", "step_title"]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A step that held. Times are ms since the UUID: when it began or happened, and what the next step counts from.

    `entry`: the entry of the log that met an expectation, where there is one. `passed_over`: an expectation of a state
    that was not judged, because the target reports none.
    """

    at_ms: int
    completed_ms: int
    entry: Entry | None = None
    passed_over: bool = False


@dataclass(slots=True)
class Progress:
    """What the steps of one call share. `completed` and `began` are loop times in seconds."""

    completed: float
    """When the step before was completed: what the next one counts from."""
    began: float
    """When the step that is being carried out began: its first packet, or the moment it was reached."""
    hung_up: bool = False
    """True once the caller hung up."""
    taken: set[int] = field(default_factory=set)
    """Numbers of the entries that met an expectation; no later expectation may take them again."""


def step_title(step: Step) -> str:
    """The step's key, and the main word of an expectation: `expect bot_says`."""
    match step:
        case ExpectStep(expect=expect):
            return f"expect {expect.key}"
        case NeverStep(never=never):
            return f"never {never.key}"
        case _:
            return next(key for key in type(step).model_fields if key != "after")
