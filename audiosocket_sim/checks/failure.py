"""A failed expectation in text: a headline with file and line, what was expected, what happened instead. Pure."""

from dataclasses import dataclass
from typing import Self

from audiosocket_sim.call_log.events import StepFailed
from audiosocket_sim.scenario import Scenario

__all__ = ["Failure"]

_UNSURE = "this machine was late, which may have caused it"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a scenario.

    `where`: `calls/two_turns.yaml:15`, or "" without a file. `what`: `step 2 (expect bot_says)`, or the scenario's key.
    `at_ms`: when the failure was known, in ms since the UUID. `unsure`: this machine was late, and may have caused it.
    """

    scenario: str
    where: str
    what: str
    expected: str
    happened: tuple[str, ...]
    at_ms: int
    unsure: bool = False

    @classmethod
    def of(cls, event: StepFailed, at_ms: int, scenario: Scenario) -> Self:
        """Return the failure that was logged at `at_ms`. Without a step number, `event.step` is a key of the scenario
        (`ai`, `max_duration`), and the failure is placed there."""
        number = event.number
        path = ("steps", number - 1, *event.path) if number else (event.step, *event.path)
        where = scenario.written.line(*path)
        return cls(scenario.name, where, event.named, event.expected, event.happened, at_ms, event.unsure)

    @property
    def headline(self) -> str:
        """The place, the scenario and what did not hold, in one line."""
        return f"{self.where}: {self.scenario}, {self.what}".removeprefix(": ")

    def block(self) -> list[str]:
        """Return the headline, then `expected` and `happened` on lines of their own, aligned."""
        happened = [f"{'happened' if i == 0 else '':>10}  {line}" for i, line in enumerate(self.happened)]
        doubt = [f"{'but':>10}  {_UNSURE}"] if self.unsure else []
        return [self.headline, f"{'expected':>10}  {self.expected}", *happened, *doubt]

    def __str__(self) -> str:
        """Return the block as one line."""
        doubt = [f"but {_UNSURE}"] if self.unsure else []
        return f"{self.headline}: expected {self.expected}; {'; '.join([*self.happened, *doubt])}"

    def to_json(self) -> dict[str, object]:
        """Return the failure as JSON has it; the scenario's name stands outside."""
        return {
            "where": self.where,
            "what": self.what,
            "expected": self.expected,
            "happened": list(self.happened),
            "at_ms": self.at_ms,
            "unsure": self.unsure,
        }
