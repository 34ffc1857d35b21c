"""What a run gives back: its outcome, its log, what did not hold, and the files that were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.transcript import transcript
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.scenario import Scenario

__all__ = ["LATE_MS", "Artefacts", "Outcome", "Result"]

LATE_MS = 20.0
"""Own lateness past which a failure in real time says more of the machine than of the bot."""


class Outcome(IntEnum):
    """The values are the exit codes."""

    PASSED = 0
    FAILED = 1
    INVALID = 2
    SET_UP = 3
    INCONCLUSIVE = 4


@dataclass(frozen=True, slots=True)
class Artefacts:
    """The files of a run. `details` is there only where there is more to say of a fault than a line."""

    transcript: Path
    call_log: Path
    recording: Path
    details: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    scenario: Scenario
    outcome: Outcome
    entries: Sequence[Entry] = ()
    failures: Sequence[Failure] = ()
    """What did not hold, in the order in which it was known."""
    faults: Sequence[str] = ()
    """Why there is no verdict, or what is wrong beside it: one line each."""
    details: str = ""
    """Of a fault of the simulator's own: its traceback, or who waits for what."""
    artefacts: Artefacts | None = None
    own_lateness_ms: float = 0.0
    """In real time, the most that a packet of the caller left later than due; 0 in virtual time."""
    processor_wait_ms: float = 0.0
    """In real time, the most of any tenth of a second that this thread was ready to run and had no processor."""
    duration_ms: int = 0
    interrupted: bool = False

    @property
    def worth_repeating(self) -> bool:
        """Inconclusive since the machine was busy: once more may tell."""
        return self.outcome is Outcome.INCONCLUSIVE and not self.interrupted

    @property
    def was_late(self) -> bool:
        return self.own_lateness_ms > LATE_MS

    @property
    def disturbed_ms(self) -> float:
        """How much later than on a free machine an event may have come, by no fault of the bot's."""
        return self.own_lateness_ms + self.processor_wait_ms

    @property
    def problems(self) -> list[str]:
        """All that is wrong, one line each."""
        return [*self.faults, *map(str, self.failures)]

    @property
    def transcript(self) -> str:
        return transcript(self.scenario, self.entries)
