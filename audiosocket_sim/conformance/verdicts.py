"""From the statements of a case to its outcome, and from outcomes to the exit code. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from audiosocket_sim.conformance.case import Case, CaseOutcome, SeenCase, Statement
from audiosocket_sim.conformance.features import Features

__all__ = ["CaseResult", "ConformanceResult", "outcome_of", "with_known_failing"]

EXIT_FINE, EXIT_FAILED, EXIT_SET_UP, EXIT_INCONCLUSIVE = 0, 1, 3, 4


@dataclass(frozen=True)
class CaseResult:
    """A case, what became of it, and why. Two verdicts: on what the server did in the call, and on how it ended it."""

    case: Case
    outcome: CaseOutcome
    statements: tuple[Statement, ...] = ()
    why: str = ""
    """Of one that was not run, or is known to fail: the reason."""
    observed: SeenCase | None = None

    @property
    def behaviour(self) -> CaseOutcome:
        """The verdict on what the server did during the call."""
        return outcome_of(self.case, [one for one in self.statements if one.about == "behaviour"])

    @property
    def ending(self) -> CaseOutcome:
        """The verdict on how it ended the call, or let it end."""
        return outcome_of(self.case, [one for one in self.statements if one.about == "ending"])

    @property
    def failures(self) -> tuple[Statement, ...]:
        """The statements that do not hold, then those that could not be told."""
        return (
            *(one for one in self.statements if one.ok is False),
            *(one for one in self.statements if one.ok is None),
        )


@dataclass(frozen=True)
class ConformanceResult:
    """All cases of a run, in the order of their ids, and what is known of the server."""

    results: tuple[CaseResult, ...]
    features: Features
    target: str
    seconds: float
    n_calls: int
    virtual: bool
    trouble: str = ""
    """A fault of the set-up; "" if there was none."""
    gone: str = ""
    """That the server was gone before the end, how, and after which case, which fails; "" if it was not."""

    def count(self, *outcomes: CaseOutcome) -> int:
        """Return how many cases had one of these outcomes."""
        return sum(result.outcome in outcomes for result in self.results)

    @property
    def n_statements(self) -> int:
        """How many statements were judged."""
        return sum(statement.ok is not None for result in self.results for statement in result.statements)

    @property
    def exit_code(self) -> int:
        """1 if a case fails or an entry of the known failures is stale; else 3 after a fault of the set-up; else 4 if a
        case is inconclusive, or nothing at all was judged; else 0."""
        if self.count(CaseOutcome.FAIL, CaseOutcome.UNEXPECTED_PASS):
            return EXIT_FAILED
        if self.trouble:
            return EXIT_SET_UP
        nothing = self.n_statements == 0
        return EXIT_INCONCLUSIVE if nothing or self.count(CaseOutcome.INCONCLUSIVE) else EXIT_FINE


def outcome_of(case: Case, statements: Iterable[Statement]) -> CaseOutcome:
    """Return the outcome of a case with these statements. None at all: nothing was seen that could be judged."""
    oks = [statement.ok for statement in statements]
    if False in oks:
        return CaseOutcome.FAIL if case.level == "must" else CaseOutcome.WARN
    if None in oks:
        return CaseOutcome.INCONCLUSIVE
    return CaseOutcome.PASS if oks else CaseOutcome.NOT_RUN


def with_known_failing(results: Iterable[CaseResult], known: Mapping[str, str]) -> list[CaseResult]:
    """Return the results as they are with this list of cases (id: reason) that are known to fail."""
    return [_known(result, known) for result in results]


def _known(result: CaseResult, known: Mapping[str, str]) -> CaseResult:
    reason = known.get(result.case.id)
    if reason is None:
        return result
    if result.outcome in (CaseOutcome.FAIL, CaseOutcome.WARN):
        return replace(result, outcome=CaseOutcome.EXPECTED_FAILURE, why=reason)
    if result.outcome is CaseOutcome.PASS:
        return replace(result, outcome=CaseOutcome.UNEXPECTED_PASS, why=reason)
    return result
