"""How many calls one core carries: the whole server on core 0, with VAD on each frame; the callers on core 1.

The goals are for calls that stream; beside them, whole calls, each with a question to the AI every ten seconds.

A ladder of 15 % steps. A step holds when the wire shows it: no message refused, no call closed, 49.5 frames a second to
each caller, and 99 of 100 frames at most 20 ms late. A step that fails is tried once more; the second failure ends it.
The yardstick in C climbs the same ladder, without VAD and without a bot: what this machine's network can do at all.
"""

from benchmarks.cost import yardstick
from benchmarks.load import OURS, STREAMING, Measured, ServerKind, backend, measure, started
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "calls on one core with p99 lateness of 20 ms at most, webrtcvad on each frame"
FIRST, STEP, MOST = 500, 1.15, 4000
LATE_MS = 20.0
_TARGETS = {"asyncio": 1200, "uvloop": 1600}


def run(quick: bool = False) -> list[Row]:
    seconds = 4.0 if quick else 10.0
    with backend():
        c = _climb(yardstick(), seconds)
        rows = [_row(yardstick(), c, None)]
        targets = {STREAMING[loop].name: target for loop, target in _TARGETS.items()}
        for kind in (*STREAMING.values(), *OURS.values()):
            best = _climb(kind, seconds)
            rows.append(_row(kind, best, targets.get(kind.name)))
            if best is not None and c is not None:
                rows.append(Row(f"{kind.name}, against C", best.calls / c.calls, "times"))
    return rows


def _row(kind: ServerKind, best: Measured | None, target: int | None) -> Row:
    goal = "" if target is None else f">= {target}"
    if best is None:
        return Row(kind.name, 0, "calls", f"not even {FIRST}", goal, None if target is None else False)
    note = (
        f"p50 {best.late_p50:.2f} ms, p99 {best.late_p99:.2f} ms, {100 * best.server_cpu:.0f} % of the core, "
        f"{best.us_a_tick:.1f} µs a tick; generator's own p99 {best.own_p99:.2f} ms"
    )
    return Row(kind.name, best.calls, "calls", note, goal, None if target is None else best.calls >= target)


def _climb(kind: ServerKind, seconds: float) -> Measured | None:
    """The highest step that held."""
    best: Measured | None = None
    calls = float(FIRST)
    while calls <= MOST:
        for _ in range(2):
            with started(kind) as server:
                measured = measure(server, round(calls), seconds, warm_up=4.0)
            if _holds(measured):
                break
        else:
            return best
        best = measured
        calls *= STEP
    return best


def _holds(m: Measured) -> bool:
    return not m.refused and not m.closed and m.received_fps >= 49.5 and m.late_p99 <= LATE_MS
