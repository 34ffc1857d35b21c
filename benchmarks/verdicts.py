"""What a call in real time is worth on a busy machine: exit codes of bad bots and of their good twins.

Each call is `audiosocket_sim run` with the bot as a `command:`, beside four processes that use all they can get of two
cores. A bad bot must end with 1. Its twin must never end with 1, and with 4 in a quarter of the runs at most. A fault
of 100 to 300 ms is 1 or, where the machine was late by as much, 4. Bad bots on one scenario have one twin. Several
calls at a time (`_AT_ONCE`) make the machine busier still, and the whole shorter.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.faulty_bot import SOUNDS
from benchmarks.machine import PROJECT
from benchmarks.report import Row

__all__ = ["ABOUT", "busy", "run"]

ABOUT = "exit codes beside four busy processes on two cores: bad bots, their good twins, faults of 100 to 300 ms"
RUNS, QUICK_RUNS = 20, 2
_BUSY = 4
_CORES = 2
_MOST_INCONCLUSIVE = 0.25
_SCENARIOS = PROJECT / "benchmarks" / "calls" / "verdicts"
IN_TIME = {
    "hangs up too soon": "goodbye",
    "stays on": "goodbye",
    "deaf after one turn": "two_turns",
    "no answer": "two_turns",
    "stalls": "two_sentences",
    "talks on": "barge_in",
}
"""Faults of a second and more, and the scenario that each fails."""
SMALL = {"cuts the last word": "goodbye", "stops late": "barge_in", "answers late": "answer"}
_AT_ONCE = "BENCHMARKS_VERDICTS_AT_ONCE"
"""Environment variable: how many calls are made at a time; 1 unless it is set."""
_ONLY = "BENCHMARKS_VERDICTS"
"""Environment variable: names of faults, separated by commas, to try these alone."""


def run(quick: bool = False) -> list[Row]:
    runs = QUICK_RUNS if quick else RUNS
    in_sound = dict.fromkeys(SOUNDS, "any_voice")
    wanted = [name for name in os.environ.get(_ONLY, "").split(",") if name]
    faults = {**IN_TIME, **in_sound, **SMALL}
    tried = {fault: scenario for fault, scenario in faults.items() if not wanted or fault in wanted}
    rows: list[Row] = []
    with busy(), tempfile.TemporaryDirectory() as folder:
        for fault, scenario in tried.items():
            allowed = {1, 4} if fault in SMALL else {1}
            rows.append(_bad(fault, _codes(fault, scenario, runs, Path(folder)), runs, allowed))
        for scenario in dict.fromkeys(tried.values()):
            rows.append(_good(scenario, _codes("none", scenario, runs, Path(folder)), runs))
    return rows


def _bad(fault: str, codes: Counter[int], runs: int, allowed: set[int]) -> Row:
    right = sum(number for code, number in codes.items() if code in allowed)
    target = f"exit {' or '.join(map(str, sorted(allowed)))} in all"
    return Row(f"bad: {fault}", right, f"of {runs}", _told(codes), target, right == runs)


def _good(scenario: str, codes: Counter[int], runs: int) -> Row:
    met = not codes.keys() - {0, 4} and codes[4] <= _MOST_INCONCLUSIVE * runs
    return Row(
        f"good twin: {scenario}", codes[0], f"of {runs}", _told(codes), f"no 1, 4 in {_MOST_INCONCLUSIVE:.0%}", met
    )


def _told(codes: Counter[int]) -> str:
    return "exit " + ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))


def _codes(fault: str, scenario: str, runs: int, folder: Path) -> Counter[int]:
    target = f"command: {{python}} -m benchmarks.faulty_bot '{fault}' --port {{port}} --ai {{ai_url}}"
    command = [sys.executable, "-m", "audiosocket_sim", "run", str(_SCENARIOS / f"{scenario}.yaml")]

    def call(number: int) -> int:
        artefacts = folder / fault / scenario / str(number)
        whole = [*command, "--target", target, "--artefacts", str(artefacts)]
        done = subprocess.run(whole, cwd=PROJECT, capture_output=True, text=True, check=False)
        print(f"  {fault}, {scenario}: exit {done.returncode}", file=sys.stderr, flush=True)
        if done.returncode not in (0, 1 if fault != "none" else 0):
            print(done.stdout, file=sys.stderr, flush=True)
        return done.returncode

    with ThreadPoolExecutor(int(os.environ.get(_AT_ONCE, "1"))) as calls:
        return Counter(calls.map(call, range(runs)))


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Four processes that never wait, on the two cores on which this process and all that it starts then run."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:_CORES]))
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(_BUSY)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
