"""`run`: scenarios from the command line, each call shown as it goes, and at its end where its files lie."""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

from audiosocket_sim.dates import stopwatch
from audiosocket_sim.live import LiveView
from audiosocket_sim.loader import ScenarioError, load
from audiosocket_sim.places import PROJECT, find_scenario
from audiosocket_sim.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.target import TargetError, parse_target
from audiosocket_sim.transcript import around, heading

__all__ = ["no_such_scenario", "run_command"]

_WORD = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "FAILED",
    Outcome.INVALID: "invalid",
    Outcome.SET_UP: "set-up error",
    Outcome.INCONCLUSIVE: "inconclusive",
}


def run_command(
    names: Sequence[str],
    *,
    target: str,
    control_url: str | None,
    real_time: bool,
    ai_port: int,
    artefacts: Path,
    as_json: bool,
    verbose: bool,
) -> int:
    """Run each; returns the highest exit code."""
    if verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        in_process = parse_target(target, control_url).in_process
        scenarios = [load(find_scenario(name, Path.cwd())) for name in names]
    except FileNotFoundError as error:
        return _refuse(no_such_scenario(str(error)))
    except (ScenarioError, TargetError) as error:
        return _refuse(str(error))
    worst = Outcome.PASSED
    for scenario in scenarios:
        options = Options(
            target=target,
            control_url=control_url,
            real_time=real_time or not in_process,
            ai_port=ai_port,
            artefacts=artefacts / scenario.name,
        )
        worst = max(worst, _run_one(scenario, options, as_json=as_json))
    return worst


def no_such_scenario(name: str) -> str:
    """One line: what is not there, and the nearest that is."""
    here = sorted(path.name for path in (PROJECT / "scenarios").glob("*.yaml"))
    near = get_close_matches(Path(name).name, here, n=1, cutoff=0.5)
    return f"{name}: no such scenario, here or in scenarios/" + (f"; did you mean {near[0]}?" if near else "")


def _run_one(scenario: Scenario, options: Options, *, as_json: bool) -> Outcome:
    elapsed = stopwatch()
    with LiveView(sys.stderr if as_json else sys.stdout) as view:
        view.heading(heading(scenario))
        result = run(scenario, options, on_entry=view.show)
        if result.worth_repeating:
            view.heading("inconclusive: this machine was too busy; once more")
            result = run(scenario, options, on_entry=view.show)
    _tell(result, elapsed(), sys.stderr if as_json else sys.stdout, real_time=options.real_time)
    if as_json:
        print(json.dumps(_to_json(result), ensure_ascii=False))  # noqa: T201
    return result.outcome


def _tell(result: Result, seconds: float, out: object, *, real_time: bool) -> None:
    call = result.duration_ms / 1000
    pace = "real time" if real_time else f"{call / seconds:.0f} times real time"
    lines = [f"{_WORD[result.outcome]}: {result.scenario.name}, {call:.1f} s of call in {seconds:.2f} s ({pace})"]
    lines += [f"  {problem}" for problem in result.problems]
    if result.outcome is Outcome.FAILED and result.failed_at_ms is not None:
        lines += ["  around it:", *(f"  {line}" for line in around(result.entries, result.failed_at_ms))]
    if result.artefacts is not None:
        lines.append(f"  transcript  {_near(result.artefacts.transcript)}")
        lines.append(f"  call log    {_near(result.artefacts.call_log)}")
        lines.append(f"  recording   {_near(result.artefacts.recording)}  (left: the caller, right: what he heard)")
    print("\n".join(lines), file=out)  # type: ignore[call-overload]


def _to_json(result: Result) -> dict[str, object]:
    return {
        "scenario": result.scenario.name,
        "outcome": result.outcome.name.lower(),
        "exit_code": int(result.outcome),
        "problems": list(result.problems),
        "call_seconds": result.duration_ms / 1000,
        "own_lateness_ms": round(result.own_lateness_ms, 3),
        "artefacts": None
        if result.artefacts is None
        else {name: str(path) for name, path in asdict(result.artefacts).items()},
        "events": [entry.to_json() for entry in result.entries],
    }


def _near(path: Path) -> str:
    """Relative where it lies below this folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _refuse(line: str) -> int:
    print(line, file=sys.stderr)  # noqa: T201
    return Outcome.INVALID
