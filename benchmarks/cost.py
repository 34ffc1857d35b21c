"""What one call costs: processor time a tick (one frame in, one out) of the whole server, against a C program.

A bare server on the same transport and clock has the detector and sends silence: what any bot in Python pays. The
yardstick in C moves the same frames, without VAD and without a bot. Rounds are interleaved, yardstick first, and each
round has its own ratio, so that a machine that changes its speed moves both sides. The goals are for whole calls, with
their turns; beside them, what a tick costs while a call only streams.
"""

import statistics
from collections.abc import Sequence

from benchmarks.load import BARE, OURS, STREAMING, Measured, ServerKind, backend, measure, started
from benchmarks.machine import compiled
from benchmarks.report import Row

__all__ = ["ABOUT", "run", "yardstick"]

ABOUT = "processor time a call-tick of the whole server, 400 calls"
CALLS = 400
_MOST_AGAINST_BARE = {"uvloop": 1.2}
_MOST_LATE_MS = 2.0
# Seconds. All calls begin within 80 ms, so all greetings end at one instant: whole calls are measured after that.
_WARM_UP, _WARM_UP_WHOLE = 4.0, 14.0


def yardstick() -> ServerKind:
    """The program in C. Raises Unavailable where there is no compiler."""
    return ServerKind("yardstick in C", (str(compiled("yardstick")),))


def run(quick: bool = False) -> list[Row]:
    rounds, seconds = (1, 5.0) if quick else (5, 10.0)
    whole = tuple(OURS.values())
    kinds = [yardstick(), *BARE.values(), *OURS.values(), *STREAMING.values()]
    measured: dict[str, list[Measured]] = {kind.name: [] for kind in kinds}
    with backend():
        for _ in range(rounds):
            for kind in kinds:
                with started(kind) as server:
                    warm_up = _WARM_UP_WHOLE if kind in whole else _WARM_UP
                    measured[kind.name].append(measure(server, CALLS, seconds, warm_up))
    disturbed = sum(not m.undisturbed for each in measured.values() for m in each)
    note = f"{disturbed} of {rounds * len(kinds)} runs were disturbed: the machine is busy" if disturbed else ""
    yard = measured[kinds[0].name]
    rows = [Row(kinds[0].name, _middle(yard), "µs", note or "the measure of the others")]
    for kind in kinds[1:]:
        ours = measured[kind.name]
        rows.append(Row(kind.name, _middle(ours), "µs"))
        rows.append(Row(f"{kind.name}, against C", _ratio(ours, yard), "times", note))
    for loop, kind in OURS.items():
        ratio, most = _ratio(measured[kind.name], measured[BARE[loop].name]), _MOST_AGAINST_BARE.get(loop)
        goal, met = ("", None) if most is None else (f"<= {most}", ratio <= most)
        rows.append(Row(f"{kind.name}, against {BARE[loop].name}", ratio, "times", note, goal, met))
        late = statistics.median(m.late_p99 for m in measured[kind.name])
        met = late <= _MOST_LATE_MS
        rows.append(Row(f"{kind.name}, frames late, p99", late, "ms", note, f"<= {_MOST_LATE_MS:g}", met))
    return rows


def _middle(runs: Sequence[Measured]) -> float:
    return statistics.median(run.us_a_tick for run in runs)


def _ratio(runs: Sequence[Measured], to: Sequence[Measured]) -> float:
    return statistics.median(own.us_a_tick / its.us_a_tick for own, its in zip(runs, to, strict=True))
