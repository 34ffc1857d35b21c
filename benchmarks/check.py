"""What `check` is worth on a busy machine: its outcomes on the reference server, beside four busy processes.

The suite is run on the real clock, the server as a `command:`: once as the machine is, then again and again beside
four processes that use all they can get of two cores. A case must come out as it did the first time, or inconclusive.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import PROJECT
from benchmarks.report import Row
from benchmarks.verdicts import busy

__all__ = ["ABOUT", "run"]

ABOUT = "outcomes of `check` on the reference server beside four busy processes on two cores"
RUNS, QUICK_RUNS = 20, 1
_RUNS = "BENCHMARKS_CHECK_RUNS"
"""Environment variable: how many runs beside the busy processes."""
_TARGET = "command: {python} -m audiosocket_server --port {port} --control-port {control_port}"
_FINE = ("pass", "not run", "warn")
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class _Run:
    code: int
    outcomes: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    why: str = ""


def run(quick: bool = False) -> list[Row]:
    runs = int(os.environ.get(_RUNS) or (QUICK_RUNS if quick else RUNS))
    quiet = _check("alone")
    with busy():
        beside = [_check(f"{n + 1} of {runs}") for n in range(runs)]
    whole = [one for one in beside if one.outcomes]
    failed = Counter(case for one in whole for case in _false_failures(quiet, one))
    inconclusive = Counter(case for one in whole for case, came in one.outcomes.items() if came == "inconclusive")
    others = Counter(case for one in whole for case in _otherwise(quiet, one))
    cases = sum(outcome != "not run" for outcome in quiet.outcomes.values())
    return [
        Row("as the machine is", cases, "cases", f"exit {quiet.code}: {_told(Counter(quiet.outcomes.values()))}"),
        Row("whole runs beside four", len(whole), f"of {runs}", "; ".join(one.why for one in beside if one.why)),
        Row("exit 0 or 4", sum(one.code in (0, 4) for one in whole), f"of {len(whole)}"),
        Row("false failures", failed.total(), "cases", _told(failed), "none", not failed),
        Row("inconclusive", inconclusive.total() / max(1, len(whole)), "a run", _told(inconclusive)),
        Row("other differences", others.total(), "cases", _told(others), "none", not others),
        Row("longest run", max((one.seconds for one in whole), default=0.0), "s", f"alone {quiet.seconds:.0f} s"),
    ]


def _false_failures(quiet: _Run, one: _Run) -> list[str]:
    return [case for case, came in one.outcomes.items() if came in ("fail", "warn") and quiet.outcomes[case] != came]


def _otherwise(quiet: _Run, one: _Run) -> list[str]:
    return [
        case
        for case, came in one.outcomes.items()
        if came in ("pass", "not run") and came != quiet.outcomes[case] and quiet.outcomes[case] in _FINE
    ]


def _check(name: str) -> _Run:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "run.json"
        command = [sys.executable, "-m", "audiosocket_sim", "check", "--target", _TARGET, "--json", str(saved)]
        environment = {**os.environ, "SPEECH_ENGINE": "embedded"}  # the local one loads for too long beside four
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        if not saved.exists():
            why = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
            print(f"  {name}: {why[0]}", file=sys.stderr, flush=True)
            return _Run(done.returncode, why=why[0])
        found = json.loads(saved.read_text(encoding="utf-8"))
    outcomes = {case["id"]: case["outcome"] for case in found["cases"]}
    print(f"  {name}: exit {done.returncode}, {_told(Counter(outcomes.values()))}", file=sys.stderr, flush=True)
    for case in found["cases"]:
        if case["outcome"] in ("fail", "warn"):
            says = [one["says"] for one in case["statements"] if one["ok"] is False]
            print(f"    {case['id']} {case['outcome']}: {says}", file=sys.stderr, flush=True)
    return _Run(done.returncode, outcomes, found["seconds"])


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in counts.most_common(_SHOWN))
