"""What one call costs: processor time a tick (one frame in, one out) of the whole server, against a C program.

The yardstick moves the same frames, without VAD and without a bot. Rounds are interleaved, yardstick first, and each
round has its own ratio, so that a machine that changes its speed moves both sides. The goal is for whole calls, with
their turns; beside them, what a tick costs while a call only streams.
"""

import statistics

from benchmarks.load import OURS, STREAMING, Measured, ServerKind, backend, measure, started
from benchmarks.machine import compiled
from benchmarks.report import Row

__all__ = ["ABOUT", "run", "yardstick"]

ABOUT = "processor time a call-tick of the whole server, 400 calls"
CALLS = 400
_TARGETS = {"asyncio": 2.5, "uvloop": 2.0}


def yardstick() -> ServerKind:
    """The program in C. Raises Unavailable where there is no compiler."""
    return ServerKind("yardstick in C", (str(compiled("yardstick")),))


def run(quick: bool = False) -> list[Row]:
    rounds, seconds = (1, 5.0) if quick else (5, 10.0)
    kinds = [yardstick(), *OURS.values(), *STREAMING.values()]
    measured: dict[str, list[Measured]] = {kind.name: [] for kind in kinds}
    with backend():
        for _ in range(rounds):
            for kind in kinds:
                with started(kind) as server:
                    measured[kind.name].append(measure(server, CALLS, seconds, warm_up=4.0))
    disturbed = sum(not m.undisturbed for each in measured.values() for m in each)
    note = f"{disturbed} of {rounds * len(kinds)} runs were disturbed: the machine is busy" if disturbed else ""
    yard = [m.us_a_tick for m in measured[kinds[0].name]]
    rows = [Row(kinds[0].name, statistics.median(yard), "µs", note or "the measure of the others")]
    for kind in kinds[1:]:
        ticks = [m.us_a_tick for m in measured[kind.name]]
        ratio = statistics.median(own / its for own, its in zip(ticks, yard, strict=True))
        rows.append(Row(kind.name, statistics.median(ticks), "µs"))
        rows.append(_ratio_row(kind, ratio, note))
    return rows


def _ratio_row(kind: ServerKind, ratio: float, note: str) -> Row:
    most = next((_TARGETS[loop] for loop, ours in OURS.items() if ours is kind), None)
    goal, met = ("", None) if most is None else (f"<= {most}", ratio <= most)
    return Row(f"{kind.name}, against C", ratio, "times", note, goal, met)
