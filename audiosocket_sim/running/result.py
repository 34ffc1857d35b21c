"""The result of a run: its outcome, its log, the failures, and the files that were written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from uuid import UUID

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.transcript import snapshot, transcript
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.running.environment import Environment
from audiosocket_sim.scenario import Scenario

__all__ = ["LATE_MS", "Artefacts", "CallResult", "Outcome", "Result"]

LATE_MS = 20.0
"""If the simulator's own packets were later than this, a failure in real time may be the machine's, not the bot's."""


class Outcome(IntEnum):
    """How a run ended. The values are the exit codes; `str` gives `passed`, `set-up error`, …"""

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
    """The files of a run; None for a file that could not be written.

    `details`: only written if a fault needs more than one line, such as a traceback. `report`: the page to look at, if
    one was asked for.
    """

    transcript: Path | None
    call_log: Path | None
    recording: Path | None
    details: Path | None = None
    report: Path | None = None

    def by_name(self) -> dict[str, Path]:
        """Return the files that were written, by kind: `transcript`, `call log`, `recording`, `details`, `report`."""
        found = {
            "transcript": self.transcript,
            "call log": self.call_log,
            "recording": self.recording,
            "details": self.details,
            "report": self.report,
        }
        return {name: path for name, path in found.items() if path is not None}


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call of a run: its log, its failures, and its files."""

    name: str
    """The scenario's name, or the test's."""
    uuid: UUID | None
    """The call's UUID, as the bot received it; None if the set-up failed before there was a call."""
    entries: Sequence[Entry]
    """The call log, in the order in which the events happened."""
    failures: Sequence[Failure]
    """The failures, in the order of the log; last those that this machine's lateness may have caused."""
    transcript: str
    """The log as text, one line for each event."""
    duration_ms: int
    """From the UUID to the last event, in ms."""
    artefacts: Artefacts | None
    """The files that were written; None if no folder was named, or no file could be written."""
    outcome: Outcome
    """How this call ended. A call that passed may stand in a run that failed, if there are several."""
    faults: Sequence[str] = ()
    """Why there is no verdict on this call, one line for each reason."""
    caller: str = ""
    """The caller's name, in a scenario with several calls; "" otherwise."""
    began_ms: int = 0
    """When the call began: its UUID, in ms after the first UUID of the run."""

    @property
    def passed(self) -> bool:
        """Whether this call passed."""
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, with its log, failures, faults and files."""

    scenario: Scenario
    outcome: Outcome
    entries: Sequence[Entry] = ()
    """The call log, in the order in which the events happened. Of several calls it has the events of all, each with its
    caller, on the clock of the first call; `calls` has the log of each."""
    failures: Sequence[Failure] = ()
    """The failures, in the order of the log; last those that this machine's lateness may have caused."""
    faults: Sequence[str] = ()
    """Why there is no verdict, or what else is wrong, one line for each: a file that cannot be written, a target whose
    close() failed after the verdict."""
    details: str = ""
    """For a fault of the simulator itself: the traceback, or the list of waiting tasks."""
    artefacts: Artefacts | None = None
    """The files that were written; None if no folder was named, or no file could be written."""
    uuid: UUID | None = None
    """The call's UUID, as the bot received it."""
    own_lateness_ms: float = 0.0
    """In real time, by how much the latest packet of the caller left later than due, in ms; 0 in virtual time."""
    processor_wait_ms: float = 0.0
    """In real time, the longest time within 100 ms that this thread was ready to run and had no processor, in ms."""
    loop_late_ms: float = 0.0
    """In real time, by how many ms this thread was late at most within 100 ms: it computed, or had no processor."""
    duration_ms: int = 0
    """From the UUID to the last event, in ms."""
    interrupted: bool = False
    """True after Ctrl-C."""
    asserted: Mapping[int, str] = field(default_factory=dict)
    """What steps have asked for, by the number of the entry that met it, for `snapshot`."""
    environment: Environment | None = None
    """Target, clock and versions; None if no target could be determined."""
    first_run: "Result | None" = None
    """The run before this one, which was inconclusive; None if this is the first."""
    second_run: "Result | None" = None
    """The run after this one, where this one was inconclusive and the second gave no verdict either."""
    cannot_follow: bool = False
    """True if the bot did not follow the virtual clock, so that it can be judged in real time only."""
    made_calls: tuple[CallResult, ...] = ()
    """The calls of a scenario with several; empty for one with a single call. `calls` has them in either case."""

    @property
    def passed(self) -> bool:
        """Whether the outcome is PASSED. An outcome itself is an exit code, so PASSED is 0 and false in a condition."""
        return self.outcome is Outcome.PASSED

    @property
    def has_verdict(self) -> bool:
        """Whether there is a verdict on the bot: it passed or failed."""
        return self.outcome in (Outcome.PASSED, Outcome.FAILED)

    @property
    def calls(self) -> tuple[CallResult, ...]:
        """The calls of the run, in the order of the scenario: one, or those of `callers` and `then`."""
        if self.made_calls:
            return self.made_calls
        one = CallResult(
            self.scenario.name,
            self.uuid,
            self.entries,
            self.failures,
            self.transcript,
            self.duration_ms,
            self.artefacts,
            self.outcome,
            self.faults,
            self.scenario.caller.name,
        )
        return (one,)

    @property
    def worth_repeating(self) -> bool:
        """True if the outcome is inconclusive because the machine was busy: a second run may give a verdict."""
        return self.outcome is Outcome.INCONCLUSIVE and not self.interrupted

    @property
    def was_late(self) -> bool:
        """Whether a packet of the caller left more than `LATE_MS` later than due."""
        return self.own_lateness_ms > LATE_MS

    @property
    def disturbed_ms(self) -> float:
        """By how many ms the simulator's own work or a busy machine, and not the bot, may have delayed an event."""
        return self.own_lateness_ms + self.loop_late_ms

    @property
    def other_runs(self) -> "list[tuple[str, Result]]":
        """The other run of this scenario, if two were made, with its name for people: `first run`, `second run`."""
        named = (("first run", self.first_run), ("second run", self.second_run))
        return [(name, run) for name, run in named if run is not None]

    @property
    def problems(self) -> list[str]:
        """All faults and failures, one line for each."""
        return [*self.faults, *map(str, self.failures)]

    @property
    def transcript(self) -> str:
        """The log as text, one line for each event."""
        return transcript(self.scenario, self.entries)

    @property
    def snapshot(self) -> str:
        """The transcript as it is kept for comparison: of what a reader has read, the words that steps asked for."""
        return snapshot(self.scenario, self.entries, self.asserted)
