"""Many saved calls in figures: outcomes, causes, how long callers waited, what was slowest, what is not steady. Pure.

A cause is worded without the call's own words, so that calls that failed in the same way stand together.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from audiosocket_sim.call_log.voices import call_turns
from audiosocket_sim.report.call.problems import problems_of
from audiosocket_sim.report.call.redacted import redacted_problem
from audiosocket_sim.report.pass_rate import RunRow, pass_rate
from audiosocket_sim.report.saved.saved_call import SavedCall
from audiosocket_sim.turn_taking import CallTurns, together

__all__ = [
    "NOT_JUDGED",
    "HistogramBin",
    "IndexRow",
    "RunFigures",
    "UnsteadyScenario",
    "figures_of",
    "histogram",
    "index_row",
    "slowest",
    "unsteady",
]

NOT_JUDGED = "not_judged"
_RANK = {"failed": 0, "set_up": 1, "invalid": 2, "inconclusive": 3, NOT_JUDGED: 4, "passed": 5}
_RUN = re.compile(r"\[run=\d+\]|,run=\d+(?=\])")
_MOST_BINS = 16
_WIDTHS_MS = (20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One call of an index. `place`: its folder below that of all calls, which is its name there.

    `scenario`: what its runs have in common. `outcome`: as in result.json, or `not_judged`. `cause`: the kind of its
    worst problem and the side that broke, "" if it passed; `sentence`: that problem in full, with what was expected.
    """

    place: str
    scenario: str
    outcome: str
    verdict: str
    cause: str
    sentence: str
    tags: tuple[str, ...]
    target: str
    seeds: str
    duration_ms: int
    turns: CallTurns

    @property
    def order(self) -> tuple[int, str]:
        """The key by which rows are sorted: what did not pass comes first."""
        return _RANK.get(self.outcome, 4), self.place

    @property
    def longest_wait_ms(self) -> float | None:
        """The caller's longest wait for an answer; infinite if one never came; None if he asked for none."""
        return math.inf if self.turns.unanswered else max(self.turns.waits_ms, default=None)

    @property
    def longest_yield_ms(self) -> float | None:
        """The longest time until the bot fell silent for the caller; infinite if it never did; None: he never spoke
        over it."""
        return math.inf if self.turns.unyielded else max(self.turns.yields_ms, default=None)


def index_row(place: str, call: SavedCall, *, redact: bool = False) -> IndexRow:
    """Return the row of one call, which lies at `place`. `redact`: without words, tags and target."""
    worst = next((one for one in problems_of(call) if one.rank != "observation"), None)
    if redact and worst is not None:
        worst = redacted_problem(worst)
    kind = "" if worst is None else worst.kind.replace("_", " ").strip() or "problem"
    target = call.environment.get("target")
    return IndexRow(
        place=place,
        scenario=_scenario_of(place, call.name),
        outcome=call.outcome or NOT_JUDGED,
        verdict=call.verdict,
        cause="" if worst is None else f"{kind}: {worst.side.words}",
        sentence="" if worst is None else ". ".join(part for part in (worst.sentence, worst.measure) if part),
        tags=() if redact else tuple(sorted(set(call.tags))),
        target=target if isinstance(target, str) and not redact else "",
        seeds=", ".join(f"{key}={seed}" for key, seed in call.seeds.items()),
        duration_ms=call.duration_ms,
        turns=call_turns(call.entries),
    )


def _scenario_of(place: str, name: str) -> str:
    """What the runs of one scenario have in common: the place without the number of the run, or of the repetition."""
    bare = PurePosixPath(_RUN.sub("", place))
    again = re.fullmatch(re.escape(name) + r"-\d+", bare.name)
    return (bare.with_name(name) if again else bare).as_posix()


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures of all calls of one saved run. Times in ms: None if nothing was measured, infinite for "never"."""

    calls: int
    by_outcome: tuple[tuple[str, int], ...]
    passed: int
    response_p50_ms: float | None
    response_p95_ms: float | None
    responses: int
    yield_p50_ms: float | None
    yield_p95_ms: float | None
    yields: int


def figures_of(rows: Sequence[IndexRow]) -> RunFigures:
    """Return the figures of these calls together. A percentile is one of the measured values, never an average."""
    turns = together(row.turns for row in rows)
    counted = Counter(row.outcome for row in rows)
    return RunFigures(
        calls=len(rows),
        by_outcome=tuple(sorted(counted.items(), key=lambda one: _RANK.get(one[0], 4))),
        passed=counted["passed"],
        response_p50_ms=turns.response(50).value_ms,
        response_p95_ms=turns.response(95).value_ms,
        responses=len(turns.waits_ms) + turns.unanswered,
        yield_p50_ms=turns.yielding(50).value_ms,
        yield_p95_ms=turns.yielding(95).value_ms,
        yields=len(turns.yields_ms) + turns.unyielded,
    )


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """How many values lie from `from_ms` to below `to_ms`; both are infinite for what never came."""

    from_ms: float
    to_ms: float
    count: int


def histogram(values_ms: Iterable[int], never: int) -> list[HistogramBin]:
    """Return at most 16 equal bins over all values, and one more if something never came. Empty without any value."""
    values = list(values_ms)
    bins = []
    if values:
        low, high = min(0, *values) if min(values) < 0 else 0, max(values)
        width = next((one for one in _WIDTHS_MS if (high - low) / one < _MOST_BINS - 1), 0) or high - low + 1
        first = math.floor(low / width)
        counted = Counter(math.floor(value / width) for value in values)
        bins = [
            HistogramBin(n * width, (n + 1) * width, counted[n]) for n in range(first, math.floor(high / width) + 1)
        ]
    return [*bins, *([HistogramBin(math.inf, math.inf, never)] if never else [])]


def slowest(rows: Sequence[IndexRow], of: Callable[[IndexRow], float | None], most: int = 10) -> list[IndexRow]:
    """Return the rows with the largest values, the largest first. `of`: the value of a row, or None if it has none."""
    measured = [(value, row) for row in rows if (value := of(row)) is not None]
    return [row for _, row in sorted(measured, key=lambda one: (-one[0], one[1].place))[:most]]


@dataclass(frozen=True, slots=True)
class UnsteadyScenario:
    """A scenario that passed in some of its runs and failed in others. `rate`: in words, with its interval."""

    scenario: str
    passed: int
    failed: int
    rate: str
    failures: tuple[IndexRow, ...]


def unsteady(rows: Sequence[IndexRow], most: int = 10) -> list[UnsteadyScenario]:
    """Return the scenarios whose runs had different verdicts, those nearest to one half first."""
    runs: dict[str, list[IndexRow]] = defaultdict(list)
    for row in rows:
        if row.outcome in ("passed", "failed"):
            runs[row.scenario].append(row)
    found = []
    for scenario, of_it in runs.items():
        failures = tuple(row for row in of_it if row.outcome == "failed")
        if failures and len(failures) < len(of_it):
            rate = pass_rate([RunRow(n, row.outcome, row.seeds) for n, row in enumerate(of_it, 1)])
            found.append(UnsteadyScenario(scenario, len(of_it) - len(failures), len(failures), rate, failures))
    nearest = sorted(found, key=lambda one: (abs(one.passed / (one.passed + one.failed) - 0.5), one.scenario))
    return nearest[:most]
