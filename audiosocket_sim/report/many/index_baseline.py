"""Many saved calls against those of runs before: what got slower or different, and the trend over the runs. Pure.

Only calls that were made from the same scenario, sound, profile and seeds are compared; for others the reason is given.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from audiosocket_sim.report.diff.call_diff import CallDiff, compare_calls
from audiosocket_sim.report.many.index_data import IndexRow, RunFigures, figures_of, index_row
from audiosocket_sim.report.saved.same_call import not_comparable
from audiosocket_sim.report.saved.saved_call import SavedCall

__all__ = ["AgainstBaseline", "ComparedCall", "RefusedCall", "SavedRun", "TrendPoint", "against", "trend"]


@dataclass(frozen=True, slots=True)
class SavedRun:
    """All calls of one saved run, by their places in it, with their rows. `name`: that of its folder."""

    name: str
    calls: Mapping[str, SavedCall]
    rows: Mapping[str, IndexRow]

    @classmethod
    def of(cls, name: str, calls: Mapping[str, SavedCall], *, redact: bool = False) -> Self:
        """Return the run of these calls; makes their rows, which takes a ms a call. `redact`: rows without words."""
        return cls(name, calls, {place: index_row(place, call, redact=redact) for place, call in calls.items()})


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
            diff = compare_calls(place, kept, call, {}, redact=redact)
            compared.append(_compared(before.rows[place], now.rows[place], diff))
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


def _compared(before: IndexRow, now: IndexRow, diff: CallDiff) -> ComparedCall:
    was_ms, is_ms = before.longest_wait_ms, now.longest_wait_ms
    change_ms = 0.0 if was_ms is None or is_ms is None or was_ms == is_ms else is_ms - was_ms
    if not math.isfinite(change_ms):  # an answer that never came, before or now: that is another call, and not a time
        return ComparedCall(before, now, diff, 0)
    return ComparedCall(before, now, diff, round(change_ms) if abs(change_ms) > diff.tolerance_ms else 0)


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
    points = [TrendPoint(run.name, figures_of([run.rows[place] for place in places])) for run in runs]
    return points, len(places)
