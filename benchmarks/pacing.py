"""Does the server keep 50 frames a second? One call for a minute, beside the original's design at the same time.

Both servers run at once, each with one call, so both have the same machine. Drift is how much longer than a minute a
minute of frames took. Then 100 calls: how late is a frame, against the grid of the first.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.load import OURS, ServerKind, backend, measure, started
from benchmarks.report import Row

__all__ = ["ABOUT", "ORIGINAL", "run"]

ABOUT = "drift and lateness of what the server sends"
ORIGINAL = ServerKind("the original's design", (sys.executable, "-m", "benchmarks.original"))
_MOST_DRIFT_MS, _MOST_LATE_MS = 1.0, 1.0


def run(quick: bool = False) -> list[Row]:
    seconds = 10.0 if quick else 60.0
    kinds = [*OURS.values(), ORIGINAL]
    with backend(), ThreadPoolExecutor(len(kinds)) as pool:
        drifts = list(pool.map(lambda kind: _drift(kind, seconds), kinds))
        rows = [_drift_row(kind, drift) for kind, drift in zip(kinds, drifts, strict=True)]
        for kind in OURS.values():
            with started(kind) as server:
                m = measure(server, 100, seconds / 4, warm_up=4.0, woken=True)
            note = f"p50 {m.late_p50:.2f}, max {m.late_max:.2f} ms; generator's own p99 {m.own_p99:.2f} ms"
            met = m.late_p99 < _MOST_LATE_MS
            rows.append(Row(f"{kind.name}: 100 calls, p99 late", m.late_p99, "ms", note, f"< {_MOST_LATE_MS:g}", met))
    return rows


def _drift(kind: ServerKind, seconds: float) -> float:
    with started(kind) as server:
        return measure(server, 1, seconds, warm_up=2.0, woken=True).drift_ms_per_minute


def _drift_row(kind: ServerKind, drift: float) -> Row:
    name = f"{kind.name}: one call, drift"
    if kind is ORIGINAL:
        return Row(name, drift, "ms a minute", "for comparison, in the same minute")
    return Row(name, drift, "ms a minute", "", f"< {_MOST_DRIFT_MS:g}", abs(drift) < _MOST_DRIFT_MS)
