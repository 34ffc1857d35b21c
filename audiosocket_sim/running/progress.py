"""The progress of a call: the time from which the next step counts, and the log entries that met an expectation; and
the names of steps. Data only."""

from dataclasses import dataclass, field

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.scenario import ExpectStep, NeverStep, Step

__all__ = ["CarriedOut", "Progress", "step_title"]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A step that was carried out or met. Times are ms since the UUID.

    `at_ms`: when the step began or the expected event happened. `completed_ms`: the time from which the next step
    counts. `entry`: the log entry that met the expectation, if there is one. `passed_over`: True if a state was
    expected and not judged, because the target reports no states. `took_ms`: what was measured, if it is a time.
    `branch`: which branch of a step was taken, from 0; None if none was.
    """

    at_ms: int
    completed_ms: int
    entry: Entry | None = None
    passed_over: bool = False
    took_ms: int | None = None
    branch: int | None = None


@dataclass(slots=True)
class Progress:
    """The data that the steps of one call share. `completed` and `began` are loop times in seconds."""

    completed: float
    """When the step before was completed: the time from which the next step counts."""
    began: float
    """When the current step began: the time of its first packet, or the time at which it was reached."""
    hung_up: bool = False
    """True once the caller hung up by a step."""
    hung_up_at: float | None = None
    """The loop time at which the caller hung up, by a step or because the scenario was over; None: he has not."""
    over_at: float | None = None
    """The loop time at which the scenario was over and the caller hung up for that reason."""
    completed_by: int | None = None
    """The number of the entry that completed the step before; None if that was no event."""
    cut_short: str | None = None
    """The step that the end of the call has cut short, in words; None if there is none."""
    since: float = float("-inf")
    """When the step before began: an anchor counts what has happened since."""
    looks_back: float | None = None
    """From when on an `expect` counts, if what was waited for just before did not come and was passed over; else None.
    """
    taken: set[int] = field(default_factory=set)
    """Numbers of the entries that met an expectation; no later expectation may take them again."""

    @property
    def opens(self) -> float:
        """The loop time from which an expectation counts."""
        return self.completed if self.looks_back is None else self.looks_back

    def fall_back(self, opened: float, given_up: float) -> None:
        """Let the next step count from `given_up`: what was waited for since `opened` has not come, and need not."""
        self.completed, self.looks_back = given_up, opened
        self.completed_by = None


def step_title(step: Step) -> str:
    """Return a step's key, for an expectation with that of its kind: `say`, `expect bot_says`."""
    match step:
        case ExpectStep(expect=expect):
            return f"expect {expect.key}"
        case NeverStep(never=never):
            return f"never {never.key}"
        case _:
            return next(key for key in type(step).model_fields if key not in ("after", "at"))
