"""A failed expectation as people read it: a headline with file and line, what was expected, what happened. Pure."""

from dataclasses import dataclass
from typing import Self

from audiosocket_sim.call_log.events import StepFailed
from audiosocket_sim.scenario import Scenario

__all__ = ["Failure"]


@dataclass(frozen=True, slots=True)
class Failure:
    """`where`: `calls/two_turns.yaml:15`; `what`: the step, or what else did not hold; `at_ms`: when that was known."""

    scenario: str
    where: str
    what: str
    expected: str
    happened: tuple[str, ...]
    at_ms: int

    @classmethod
    def of(cls, event: StepFailed, at_ms: int, scenario: Scenario) -> Self:
        """What is no step (`ai`, `max_duration`) is written under the key of its name, if at all."""
        number, step = event.number, event.step
        where = scenario.written.line("steps", number - 1) if number else scenario.written.line(step)
        what = f"step {number} ({step})" if number else step
        return cls(scenario.name, where, what, event.expected, event.happened, at_ms)

    @property
    def headline(self) -> str:
        """Where it is written, and which step of which scenario: `calls/hold.yaml:15: hold, step 3 (expect state)`."""
        return f"{self.where}: {self.scenario}, {self.what}".removeprefix(": ")

    def block(self) -> list[str]:
        """The headline; `expected` and `happened` on lines of their own, aligned."""
        happened = [f"{'happened' if i == 0 else '':>10}  {line}" for i, line in enumerate(self.happened)]
        return [self.headline, f"{'expected':>10}  {self.expected}", *happened]

    def __str__(self) -> str:
        """The same in one line."""
        return f"{self.headline}: expected {self.expected}; {'; '.join(self.happened)}"

    def to_json(self) -> dict[str, object]:
        """The failure as `run --json` has it, without the scenario's name."""
        return {
            "where": self.where,
            "what": self.what,
            "expected": self.expected,
            "happened": list(self.happened),
            "at_ms": self.at_ms,
        }
