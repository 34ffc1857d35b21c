"""What a run gives back: its outcome, its log, what did not hold, and the files that were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from uuid import UUID

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.transcript import transcript
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.running.environment import Environment
from audiosocket_sim.scenario import Scenario

__all__ = ["LATE_MS", "Artefacts", "CallResult", "Outcome", "Result"]

LATE_MS = 20.0
"""Own lateness past which a failure in real time says more of the machine than of the bot."""


class Outcome(IntEnum):
    """How a run ended. The values are the exit codes; as text it reads `passed`, `set-up error`."""

    PASSED = 0
    FAILED = 1
    INVALID = 2
    SET_UP = 3
    INCONCLUSIVE = 4

    def __str__(self) -> str:
        return _IN_WORDS[self]


_IN_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INVALID: "invalid",
    Outcome.SET_UP: "set-up error",
    Outcome.INCONCLUSIVE: "inconclusive",
}


@dataclass(frozen=True, slots=True)
class Artefacts:
    """The files of a run, None where one could not be written. `details` is there only where there is more to say of a
    fault than a line."""

    transcript: Path | None
    call_log: Path | None
    recording: Path | None
    details: Path | None = None

    def by_name(self) -> dict[str, Path]:
        """The files that are there, by what they are: `transcript`, `call log`, `recording`, `details`."""
        found = {
            "transcript": self.transcript,
            "call log": self.call_log,
            "recording": self.recording,
            "details": self.details,
        }
        return {name: path for name, path in found.items() if path is not None}


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call of a run: its log, what did not hold in it, and its files."""

    name: str
    """The scenario's name, or the test's."""
    uuid: UUID | None
    """The call's own, as the bot received it; None where the set-up failed before there was a call."""
    entries: Sequence[Entry]
    """The call log, in the order in which things happened."""
    failures: Sequence[Failure]
    """What did not hold, in the order in which it was known."""
    transcript: str
    """The log as text, one line an event."""
    duration_ms: int
    """From the UUID to the last event."""
    artefacts: Artefacts | None
    """The files that were written; None where no folder was named, or none could be written to."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, and everything known of it."""

    scenario: Scenario
    outcome: Outcome
    entries: Sequence[Entry] = ()
    """The call log, in the order in which things happened."""
    failures: Sequence[Failure] = ()
    """What did not hold, in the order in which it was known."""
    faults: Sequence[str] = ()
    """Why there is no verdict, or what is wrong beside it: one line each."""
    details: str = ""
    """Of a fault of the simulator's own: its traceback, or who waits for what."""
    artefacts: Artefacts | None = None
    """The files that were written; None where no folder was named, or none could be written to."""
    uuid: UUID | None = None
    """The call's own, as the bot received it."""
    own_lateness_ms: float = 0.0
    """In real time, the most that a packet of the caller left later than due; 0 in virtual time."""
    processor_wait_ms: float = 0.0
    """In real time, the most of any tenth of a second that this thread was ready to run and had no processor."""
    duration_ms: int = 0
    """From the UUID to the last event."""
    interrupted: bool = False
    """True after Ctrl-C."""
    environment: Environment | None = None
    """What the call was made with; None where it was not known which target to call."""

    @property
    def calls(self) -> tuple[CallResult, ...]:
        """The calls of the run: one."""
        one = CallResult(
            self.scenario.name,
            self.uuid,
            self.entries,
            self.failures,
            self.transcript,
            self.duration_ms,
            self.artefacts,
        )
        return (one,)

    @property
    def worth_repeating(self) -> bool:
        """True where the outcome is inconclusive because the machine was busy: a second run may give a verdict."""
        return self.outcome is Outcome.INCONCLUSIVE and not self.interrupted

    @property
    def was_late(self) -> bool:
        """Whether a packet of the caller left more than `LATE_MS` later than due."""
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
        """The log as text, one line an event."""
        return transcript(self.scenario, self.entries)
