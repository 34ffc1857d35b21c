"""Many saved calls against those of runs before: what got slower or different, and the trend over the runs. Pure.

Only calls that were made from the same scenario, sound, profile and seeds are compared; for others the reason is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiosocket_sim.report.call_diff import CallDiff, compare_calls
from audiosocket_sim.report.index_data import IndexRow, RunFigures, figures_of, index_row
from audiosocket_sim.report.saved_call import SavedCall
from audiosocket_sim.report.same_call import not_comparable

__all__ = ["AgainstBaseline", "ComparedCall", "RefusedCall", "SavedRun", "TrendPoint", "against", "trend"]


@dataclass(frozen=True, slots=True)
class SavedRun:
    """All calls of one saved run, by their places in it. `name`: that of its folder."""

    name: str
    calls: Mapping[str, SavedCall]


@dataclass(frozen=True, slots=True)
class ComparedCall:
    """A call that is not as it was. `slower_ms`: by how much its longest answer came later (negative: sooner); 0 if
    that is within the tolerance, or not to be compared."""

    before: IndexRow
    now: IndexRow
    diff: CallDiff
    slower_ms: int


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that is not compared with the one in its place, and why."""

    place: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgainstBaseline:
    """A run against an earlier one. `slower` and `quicker`: by their longest answers, the largest change first;
    `different`: all other calls with a difference; `refused`: not compared; `same`: how many are as they were."""

    name: str
    slower: tuple[ComparedCall, ...] = ()
    quicker: tuple[ComparedCall, ...] = ()
    different: tuple[ComparedCall, ...] = ()
    refused: tuple[RefusedCall, ...] = ()
    same: int = 0
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def against(before: SavedRun, now: SavedRun, *, redact: bool = False) -> AgainstBaseline:
    """Return what is different from the run before."""
    compared, refused = [], []
    for place, call in now.calls.items():
        kept = before.calls.get(place)
        if kept is None:
            continue
        reasons = not_comparable(kept, call)
        if reasons:
            refused.append(RefusedCall(place, tuple(reasons)))
        else:
            compared.append(_compared(place, kept, call, redact=redact))
    changed = [one for one in compared if one.diff.found or one.slower_ms]
    return AgainstBaseline(
        before.name,
        slower=tuple(sorted((one for one in changed if one.slower_ms > 0), key=lambda one: -one.slower_ms)),
        quicker=tuple(sorted((one for one in changed if one.slower_ms < 0), key=lambda one: one.slower_ms)),
        different=tuple(one for one in changed if not one.slower_ms),
        refused=tuple(refused),
        same=len(compared) - len(changed),
        new=tuple(place for place in now.calls if place not in before.calls),
        gone=tuple(place for place in before.calls if place not in now.calls),
    )


def _compared(place: str, before: SavedCall, now: SavedCall, *, redact: bool) -> ComparedCall:
    rows = [index_row(place, call) for call in (before, now)]
    diff = compare_calls(place, before, now, {}, redact=redact)
    waits = [row.longest_wait_ms for row in rows]
    slower = 0
    if all(wait is not None and abs(wait) < 10**9 for wait in waits):
        change = round((waits[1] or 0) - (waits[0] or 0))
        slower = change if abs(change) > diff.tolerance_ms else 0
    return ComparedCall(rows[0], rows[1], diff, slower)


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The figures of one saved run in a trend, over the calls that all of its runs have and that can be compared."""

    name: str
    figures: RunFigures


def trend(runs: Sequence[SavedRun]) -> tuple[list[TrendPoint], int]:
    """Return the figures of each run, the oldest first, and the number of calls that they are of.

    These are the calls that every run has, made from the same scenario, sound, profile and seeds; of others a trend
    would show how the tests have changed, and not how the bot has.
    """
    last = runs[-1]
    places = [
        place
        for place, call in last.calls.items()
        if all(place in run.calls and not not_comparable(run.calls[place], call) for run in runs[:-1])
    ]
    points = [
        TrendPoint(run.name, figures_of([index_row(place, run.calls[place]) for place in places])) for run in runs
    ]
    return points, len(places)
