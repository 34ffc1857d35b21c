"""`run`: scenarios from the command line, each call shown as it goes, and at its end where its files lie.

With `--json` every path leaves one object a scenario on stdout, also that of a scenario that is not valid.
"""

import contextlib
import json
import logging
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from pydantic import SecretStr

from audiosocket_sim.call_log.live_view import LiveView
from audiosocket_sim.call_log.transcript import around, heading
from audiosocket_sim.cli.console import stopwatch
from audiosocket_sim.parties.peer import PeerName
from audiosocket_sim.parties.target import TargetError, parse_target
from audiosocket_sim.running.runner import LATE_MS, Options, Outcome, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import ScenarioError, load
from audiosocket_sim.scenario.paths import PROJECT, find_scenario

__all__ = ["no_such_scenario", "run_command"]

_WORD = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "FAILED",
    Outcome.INVALID: "invalid",
    Outcome.SET_UP: "set-up error",
    Outcome.INCONCLUSIVE: "inconclusive",
}

_SIDES = "  (left: the caller, right: what he heard)"


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
    peer: PeerName = "simulated",
    control_token: SecretStr | None = None,
    trust: bool = False,
) -> int:
    """Run each; returns the highest exit code. Nothing is run where one of them is not valid, or after Ctrl-C."""
    if verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        in_process = parse_target(target, control_url).in_process
    except TargetError as error:
        return _refuse(None, str(error), as_json=as_json)
    loaded = [_load(name) for name in names]
    wrong = [(name, found) for name, found in zip(names, loaded, strict=True) if isinstance(found, str)]
    for name, found in wrong:
        _refuse(Path(name).stem, found, as_json=as_json)
    if wrong:
        return Outcome.INVALID
    scenarios = [found for found in loaded if isinstance(found, Scenario)]
    worst = Outcome.PASSED
    used: Counter[str] = Counter()
    for scenario in scenarios:
        used[scenario.name] += 1
        number = used[scenario.name]
        options = Options(
            target=target,
            control_url=control_url,
            control_token=control_token,
            peer=peer,
            real_time=real_time or not in_process or peer == "asterisk",
            ai_port=ai_port,
            trust=trust,
            artefacts=artefacts / (scenario.name if number == 1 else f"{scenario.name}-{number}"),
        )
        with _sigterm_interrupts():
            result = _run_one(scenario, options, as_json=as_json)
        worst = max(worst, result.outcome)
        if result.interrupted:
            break
    return worst


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """As Ctrl-C: what was started is stopped, and what is known is written."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _load(name: str) -> Scenario | str:
    """The scenario, or what is wrong with it."""
    try:
        return load(_near(find_scenario(name, Path.cwd())))
    except FileNotFoundError:
        return no_such_scenario(name)
    except ScenarioError as error:
        return str(error)


def no_such_scenario(name: str) -> str:
    """One line: what is not there, and the nearest that is."""
    folders = (Path.cwd() / "scenarios", PROJECT / "scenarios")
    here = sorted({path.name for folder in folders for path in folder.glob("*.yaml")})
    near = get_close_matches(Path(name).name, here, n=1, cutoff=0.5)
    return f"{name}: no such scenario, here or in scenarios/" + (f"; did you mean {near[0]}?" if near else "")


def _run_one(scenario: Scenario, options: Options, *, as_json: bool) -> Result:
    elapsed = stopwatch()
    out = sys.stderr if as_json else sys.stdout
    with LiveView(out) as view:
        view.heading(heading(scenario))
        result = run(scenario, options, on_entry=view.show)
        if result.worth_repeating:
            view.heading("inconclusive: this machine was too busy; once more")
            result = run(scenario, options, on_entry=view.show)
    _print("\n".join(_summary(result, elapsed(), real_time=options.real_time)), out)
    if as_json:
        _print(json.dumps(_to_json(result), ensure_ascii=False), sys.stdout)
    return result


def _summary(result: Result, seconds: float, *, real_time: bool) -> list[str]:
    call = result.duration_ms / 1000
    pace = "real time" if real_time else f"{call / seconds:.0f} times real time"
    lines = [f"{_WORD[result.outcome]}: {result.scenario.name}, {call:.1f} s of call in {seconds:.2f} s ({pace})"]
    lines += [f"  {fault}" for fault in result.faults]
    lines += [f"  {line}" for failure in result.failures for line in failure.block()]
    if result.was_late:
        lines.append(f"  the simulator's own packets were up to {result.own_lateness_ms:.0f} ms late: a busy machine")
    elif result.outcome is Outcome.FAILED and result.processor_wait_ms > LATE_MS:
        waited = f"{result.processor_wait_ms:.0f} ms of a tenth of a second"
        lines.append(f"  the simulator waited for a processor for up to {waited}: a busy machine")
    if result.artefacts is not None:
        for name, path in result.artefacts.by_name().items():
            lines.append(f"  {name:<10}  {_near(path)}{_SIDES if name == 'recording' else ''}")
    return lines


def _to_json(result: Result) -> dict[str, object]:
    return {
        "scenario": result.scenario.name,
        "outcome": result.outcome.name.lower(),
        "exit_code": int(result.outcome),
        "problems": result.problems,
        "failures": [
            {**failure.to_json(), "around": around(result.entries, failure.at_ms)} for failure in result.failures
        ],
        "call_seconds": result.duration_ms / 1000,
        "own_lateness_ms": round(result.own_lateness_ms, 3),
        "processor_wait_ms": round(result.processor_wait_ms, 3),
        "artefacts": None
        if result.artefacts is None
        else {name: str(path) for name, path in asdict(result.artefacts).items() if path is not None},
        "events": [entry.to_json() for entry in result.entries],
    }


def _near(path: Path) -> str:
    """Relative where it lies below this folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _refuse(name: str | None, problems: str, *, as_json: bool) -> int:
    """What cannot be run at all: told on stderr, and with `--json` as an object without a call too."""
    _print(problems, sys.stderr)
    if as_json:
        code = int(Outcome.INVALID)
        told = {"scenario": name, "outcome": "invalid", "exit_code": code, "problems": problems.splitlines()}
        _print(json.dumps(told, ensure_ascii=False), sys.stdout)
    return Outcome.INVALID


def _print(text: str, out: TextIO) -> None:
    out.write(f"{text}\n")
    out.flush()
