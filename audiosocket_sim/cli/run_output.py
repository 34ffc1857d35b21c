"""What `run` prints of each run: the lines at its end, and its JSON object."""

from dataclasses import asdict
from pathlib import Path

from audiosocket_sim.call_log.transcript import around
from audiosocket_sim.call_log.voices import measures
from audiosocket_sim.running.outcome_rows import word_of
from audiosocket_sim.running.result import Artefacts, CallResult
from audiosocket_sim.running.runner import LATE_MS, Outcome, Result

__all__ = ["near", "pace_of", "result_json", "summary_lines"]

_SIDES = "  (left: the caller, right: what he heard)"


def pace_of(times: float) -> str:
    """Return how much quicker than real time it was: `(30 times real time)`, `(0.7 times real time)`."""
    return f"({times:.0f} times real time)" if times >= 1.5 else f"({times:.1f} times real time)"


def summary_lines(result: Result, seconds: float, *, real_time: bool) -> list[str]:
    """Return the lines at the end of a run: outcome, failures, files. `seconds`: how long it took on this machine."""
    call = result.duration_ms / 1000
    pace = "(real time)" if real_time else pace_of(call / seconds)
    took = f"{seconds:.2f} s" if result.outcome in (Outcome.INVALID, Outcome.SET_UP) else f"{seconds:.2f} s {pace}"
    word = "FAILED" if result.outcome is Outcome.FAILED else word_of(result.outcome)
    lines = [f"{word}: {result.scenario.name}, {call:.1f} s of call in {took}"]
    lines += [f"  {fault}" for fault in result.faults]
    lines += [f"  {line}" for failure in result.failures for line in failure.block()]
    if result.was_late:
        lines.append(f"  the simulator's own packets were up to {result.own_lateness_ms:.0f} ms late: a busy machine")
    elif result.outcome is Outcome.FAILED and result.processor_wait_ms > LATE_MS:
        waited = f"{result.processor_wait_ms:.0f} ms of a tenth of a second"
        lines.append(f"  the simulator waited for a processor for up to {waited}: a busy machine")
    lines += _files(result)
    for name, other in result.other_runs:
        lines += [f"  {name}: {word_of(other.outcome)}", *(f"    {fault}" for fault in other.faults)]
        lines += [f"    {line}" for failure in other.failures for line in failure.block()]
        lines += [f"  {line}" for line in _files(other)]
    return lines


def _files(result: Result) -> list[str]:
    files = {} if result.artefacts is None else result.artefacts.by_name()
    lines = [f"  {name:<10}  {near(path)}{_SIDES if name == 'recording' else ''}" for name, path in files.items()]
    for call in result.made_calls:
        names = {} if call.artefacts is None else call.artefacts.by_name()
        if names:
            lines.append(f"  {call.caller:<10}  {near(next(iter(names.values())).parent)}: {', '.join(names)}")
    return lines


def result_json(result: Result) -> dict[str, object]:
    """Return the object of a run that `--json` prints."""
    return {
        "scenario": result.scenario.name,
        "cell": dict(result.scenario.cell),
        "target": None if result.environment is None else result.environment.target,
        "outcome": result.outcome.name.lower(),
        "exit_code": int(result.outcome),
        "problems": result.problems,
        "failures": [
            {**failure.to_json(), "around": around(result.entries, failure.at_ms)} for failure in result.failures
        ],
        **({} if result.made_calls else {"turn_taking": measures(result.entries)}),
        **({"calls": [_call_json(call) for call in result.made_calls]} if result.made_calls else {}),
        "call_seconds": result.duration_ms / 1000,
        "own_lateness_ms": round(result.own_lateness_ms, 3),
        "processor_wait_ms": round(result.processor_wait_ms, 3),
        "loop_late_ms": round(result.loop_late_ms, 3),
        "artefacts": _artefacts_json(result.artefacts),
        "first_run": _other_run_json(result.first_run),
        "second_run": _other_run_json(result.second_run),
        "environment": None if result.environment is None else result.environment.to_json(),
        "events": [entry.to_json() for entry in result.entries],
    }


def _call_json(call: CallResult) -> dict[str, object]:
    """Return one of several calls; its failures and its events stand with those of all."""
    return {
        "caller": call.caller,
        "uuid": None if call.uuid is None else str(call.uuid),
        "outcome": call.outcome.name.lower(),
        "began_ms": call.began_ms,
        "call_seconds": call.duration_ms / 1000,
        "turn_taking": measures(call.entries),
        "artefacts": _artefacts_json(call.artefacts),
    }


def _artefacts_json(files: Artefacts | None) -> dict[str, str] | None:
    if files is None:
        return None
    return {name: str(path) for name, path in asdict(files).items() if path is not None}


def _other_run_json(result: Result | None) -> dict[str, object] | None:
    """Return the other one of two runs in short, as the object of the run that counts has it."""
    if result is None:
        return None
    return {
        "outcome": result.outcome.name.lower(),
        "exit_code": int(result.outcome),
        "problems": result.problems,
        "artefacts": _artefacts_json(result.artefacts),
    }


def near(path: Path) -> str:
    """Return the path, relative to the working folder if it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
