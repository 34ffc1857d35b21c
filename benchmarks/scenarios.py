"""Whole scenarios: how fast they run with everything that they have, where their time goes, and how soon they start.

With the ear, the steps, the log, the recording and the transcript, as `run` and pytest have them. The scenarios whose
writes are cut into single bytes are told apart: their work is bytes, not seconds of call.
"""

import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from audiosocket_sim.cli.console import stopwatch
from audiosocket_sim.running.runner import Options, Outcome
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load
from benchmarks.machine import PROJECT, Elapsed, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "whole scenarios, with the ear; the suite; the start of a program"
START_SECONDS, SUITE_SECONDS = 0.7, 10.0
_EXAMPLE = "greeting_then_hold"
_PARTS = 9


def run(quick: bool = False) -> list[Row]:
    rows = [_start(3 if quick else 9)]
    if not quick:
        rows.append(_suite())
    pin(0)
    scenarios = [load(path) for path in sorted((PROJECT / "scenarios").glob("*.yaml"))]
    cut = [scenario for scenario in scenarios if scenario.network.split == "bytes"]
    whole = [scenario for scenario in scenarios if scenario.network.split != "bytes"]
    with tempfile.TemporaryDirectory() as folder:
        _times(whole, Path(folder))  # warm
        example = [scenario for scenario in whole if scenario.name == _EXAMPLE]
        rows.append(_row(f"{_EXAMPLE}.yaml", [_times(example, Path(folder)) for _ in range(3 if quick else 15)]))
        rows.append(_row(f"all {len(whole)} in a row", [_times(whole, Path(folder)) for _ in range(1 if quick else 3)]))
        rows.append(_row("byte by byte", [_times(cut, Path(folder))]))
        rows += _where_time_goes(whole, Path(folder))
    return rows


def _start(repeats: int) -> Row:
    """From the start of the process to its first line, which is printed when the call begins."""
    seconds = []
    command = [sys.executable, "-m", "audiosocket_sim", "run", _EXAMPLE]
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            elapsed = stopwatch()
            with subprocess.Popen([*command, "--artefacts", folder], stdout=subprocess.PIPE, cwd=PROJECT) as process:
                assert process.stdout is not None
                process.stdout.readline()
                seconds.append(elapsed())
                process.stdout.read()
    value = statistics.median(seconds[1:])
    return Row("start of `run`, to its first line", value, "s", "", f"< {START_SECONDS}", value < START_SECONDS)


def _suite() -> Row:
    """`pytest scenarios/` on two cores, as a user runs it."""
    elapsed = stopwatch()
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "scenarios"]
    environment = {
        **os.environ,
        "PYTEST_ADDOPTS": "-p audiosocket_sim.pytest_plugin.plugin",
    }  # also where not installed
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    value = elapsed()
    words = done.stdout.strip().splitlines()[-1:] or ["it printed nothing"]
    met = value < SUITE_SECONDS and done.returncode == 0
    return Row("pytest -n 2 scenarios", value, "s", words[0], f"< {SUITE_SECONDS:g}", met)


def _times(scenarios: Sequence[Scenario], folder: Path) -> tuple[float, float, float]:
    """Seconds of call, of processor, on the wall."""
    elapsed, call = Elapsed(), 0.0
    for scenario in scenarios:
        result = run_scenario(scenario, Options(artefacts=folder / scenario.name))
        if result.outcome is not Outcome.PASSED:
            raise RuntimeError(f"{scenario.name}: {'; '.join(result.problems)}")
        call += result.duration_ms / 1000
    return call, elapsed.cpu, elapsed.wall


def _row(name: str, times: Sequence[tuple[float, float, float]]) -> Row:
    call, cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
    note = f"{call:,.0f} s of call in {cpu:.2f} s of CPU; {call / wall:.0f} times by the wall clock"
    return Row(name, call / cpu, "times", note)


def _where_time_goes(scenarios: Sequence[Scenario], folder: Path) -> list[Row]:
    """Shares of the processor time, by the part that was at work; under a profiler, which weighs calls too heavily."""
    profile = cProfile.Profile()
    profile.runcall(_times, scenarios, folder)
    seconds: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if file != "~":
            seconds[_part(file)] += own
            continue
        if "poll" in name or "acquire" in name:
            continue  # waiting, for a thread for instance
        for (caller, _, _), (_, _, its, _) in callers.items():  # what is built in counts for who called it
            seconds[_part(caller)] += its
    whole = sum(seconds.values())
    return [Row(f"  of it: {part}", 100 * part_s / whole, "%") for part, part_s in seconds.most_common(_PARTS)]


_FILES = {
    "the ear": ("hearing", "playout", "hold_", "speech_segments", "loudness"),
    "recogniser's matching, ear's too": ("matching", "fingerprint", "phrase_tracker"),
    "virtual clock and network": ("virtual_", "memory_", "outside_work"),
    "simulated Asterisk, line, caller": ("asterisk", "line.", "caller.", "profiles", "faults"),
    "scenario: steps, checks, log": (
        "steps",
        "checks",
        "stage",
        "call_log",
        "runner",
        "transcript",
        "recording",
        "sounds",
    ),
}
_FOLDERS = {
    "wire, sound, pacing": f"{os.sep}audiosocket{os.sep}",
    "server": f"{os.sep}server{os.sep}",
    "HTTP (httpx, uvicorn, starlette, anyio)": "site-packages",
    "asyncio": f"{os.sep}asyncio{os.sep}",
}


def _part(file: str) -> str:
    path = Path(file)
    if "numpy" in path.parts:
        return "numpy's own Python"
    if path.parent.name in ("audiosocket_sim", "audiosocket"):
        for part, beginnings in _FILES.items():
            if path.name.startswith(beginnings):
                return part
    return next((part for part, folder in _FOLDERS.items() if folder in file), "the rest")
