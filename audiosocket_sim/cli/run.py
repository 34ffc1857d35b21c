"""`run`: runs scenarios, shows each call while it runs, and prints the paths of its files at its end.

With `--json` stdout gets one object for each scenario, even for an invalid one; the table and the annotations then go
to stderr.
"""

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from pydantic import SecretStr

from audiosocket_sim.call_log.live_view import LiveView
from audiosocket_sim.call_log.transcript import heading
from audiosocket_sim.checks.turn_limits import broken_limits
from audiosocket_sim.cli.chosen_scenarios import choose_scenarios
from audiosocket_sim.cli.console import sigterm_interrupts, stopwatch
from audiosocket_sim.cli.run_output import near, result_json, summary_lines
from audiosocket_sim.parties.peer import PeerName
from audiosocket_sim.parties.target import TargetError, parse_target
from audiosocket_sim.parties.target_choice import TargetChoice, choose_target
from audiosocket_sim.reading.choice import reader_problem
from audiosocket_sim.report.github import annotation, append_job_summary, is_github
from audiosocket_sim.report.pass_rate import rate_lines
from audiosocket_sim.report.table import ReportRow, table
from audiosocket_sim.running.again import run_twice_if_inconclusive
from audiosocket_sim.running.outcome_rows import rows_of_problems, rows_of_runs, run_row
from audiosocket_sim.running.runner import Options, Outcome, Result
from audiosocket_sim.running.turns_file import turns_of_result, write_turns
from audiosocket_sim.scenario import Scenario, TurnLimits
from audiosocket_sim.scenario.loading import ScenarioError, WrongOverride, load_all, parse_override, unheeded_override
from audiosocket_sim.scenario.loading.ear_option import parse_ear
from audiosocket_sim.scenario.loading.matrix import is_chosen, no_such_cell
from audiosocket_sim.scenario.loading.used_files import scenario_file
from audiosocket_sim.scenario.repeats import marked, run_of, seeds_of, seeds_text
from audiosocket_sim.turn_taking import CallTurns, summary_line, together

__all__ = ["RunRequest", "run_command"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The arguments of `run`. `target` None: chosen for each scenario (docs/targets.md)."""

    names: Sequence[str]
    target: str | None = None
    control_url: str | None = None
    control_token: SecretStr | None = None
    peer: PeerName = "simulated"
    asterisk_version: str | None = None
    ear: str | None = None
    real_time: bool = False
    again: bool = False
    ai_port: int = 0
    artefacts: Path = Path("runs")
    reader: str | None = None
    trust: bool = False
    report: bool = False
    as_json: bool = False
    verbose: bool = False
    repeat: int = 0
    """How many runs of each scenario; 0: as many as the scenario itself says."""
    on_outcome: Callable[[Path, int], None] | None = None
    """Called with the file of a scenario and its exit code, after its runs."""
    overrides: Sequence[str] = ()
    """Values that go before those of the scenarios, such as `line.noise_dbfs=-40`."""
    turn_limits: TurnLimits = field(default_factory=TurnLimits)
    is_part: bool = False
    """Whether these are only some of the scenarios that the overrides are meant for, as in a round of `--watch`."""


def run_command(asked: RunRequest) -> int:
    """Run all scenarios and return the highest exit code. If one is invalid, none is run; Ctrl-C ends the whole run."""
    if asked.verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        if asked.target is not None:
            parse_target(asked.target, asked.control_url)
        if asked.ear is not None:
            parse_ear(asked.ear)
    except TargetError as error:
        return _refuse(None, str(error), asked)
    except ValueError as error:
        return _refuse(None, f"--ear: {error}", asked)
    problem = None if asked.reader is None else reader_problem(asked.reader)
    if problem is not None:
        return _refuse(None, f"--reader: {problem}", asked)
    if asked.asterisk_version is not None and asked.peer != "asterisk":
        return _refuse(None, "--asterisk-version names a real Asterisk: it needs --peer asterisk", asked)
    try:
        for text in asked.overrides:
            parse_override(text)
    except WrongOverride as error:
        return _refuse(None, f"--set {error}", asked)
    loaded = [found for name in asked.names for found in _load(name, asked.overrides)]
    named = {variable for found in loaded if isinstance(found, Scenario) for variable in found.cell}
    unheeded = unheeded_override(asked.overrides, named)
    if unheeded is not None and not asked.is_part and not any(isinstance(found, _Refused) for found in loaded):
        return _refuse(None, f"--set {unheeded}", asked)
    planned = [_plan(found, asked) for found in loaded if isinstance(found, Scenario)]
    wrong = [found for found in [*loaded, *planned] if isinstance(found, _Refused)]
    for found in wrong:
        _refuse(found.name, found.problems, asked, found.file)
    if wrong:
        return Outcome.INVALID
    return _run_all([found for found in planned if isinstance(found, _Planned)], asked)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A scenario, or a name, that cannot be run. `problems`: one line for each problem."""

    name: str | None
    problems: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class _Planned:
    scenario: Scenario
    target: TargetChoice
    in_process: bool


def _plan(scenario: Scenario, asked: RunRequest) -> _Planned | _Refused:
    try:
        choice = choose_target(scenario.folder, command_line=asked.target)
        return _Planned(scenario, choice, parse_target(choice.text, asked.control_url).in_process)
    except TargetError as error:
        return _Refused(scenario.name, f"{scenario.written.file}: {error}", scenario.written.file)


def _run_all(planned: Sequence[_Planned], asked: RunRequest) -> int:
    rows: list[ReportRow] = []
    made: list[Result] = []
    measured: list[CallTurns | None] = []
    worst = Outcome.PASSED
    used: Counter[str] = Counter()
    for plan in planned:
        name = plan.scenario.name
        used[name] += 1
        folder = name if used[name] == 1 else f"{name}-{used[name]}"
        results = _run_each(plan, folder, asked)
        rows.append(rows_of_runs(results))
        made += results
        measured.extend(map(turns_of_result, results))
        outcome = max(result.outcome for result in results)
        worst = max(worst, outcome)
        if asked.on_outcome is not None:
            asked.on_outcome(scenario_file(plan.scenario), int(outcome))
        if results[-1].interrupted:
            break
    report = _page_to_open(made, asked)
    _report(rows, asked, report)
    kept = _report_turns(together(turns for turns in measured if turns is not None), asked)
    if report:
        _print(f"report: {report}", sys.stderr if asked.as_json else sys.stdout)
    return worst if kept else max(worst, Outcome.FAILED)


def _run_each(plan: _Planned, folder: str, asked: RunRequest) -> list[Result]:
    """Make the runs of one scenario, and print how many of several passed. After Ctrl-C there are fewer."""
    runs = asked.repeat or plan.scenario.runs
    results: list[Result] = []
    for number in range(1, runs + 1):
        options = Options(
            target=plan.target,
            control_url=asked.control_url,
            control_token=asked.control_token,
            peer=asked.peer,
            asterisk_version=asked.asterisk_version,
            real_time=asked.real_time or not plan.in_process or asked.peer == "asterisk",
            again=asked.again,
            ai_port=asked.ai_port,
            reader=asked.reader,
            trust=asked.trust,
            ear_model=None if asked.ear is None else parse_ear(asked.ear),
            artefacts=asked.artefacts / (folder if runs == 1 else marked(folder, f"run={number}")),
        )
        with sigterm_interrupts():
            run = replace(plan, scenario=run_of(plan.scenario, number))
            results.append(_run_one(run, options, asked, number, runs))
        if results[-1].interrupted:
            break
    if runs > 1:
        out = sys.stderr if asked.as_json else sys.stdout
        runs_made = [run_row(result, number) for number, result in enumerate(results, 1)]
        _print("\n".join(["", *rate_lines(plan.scenario.name, runs_made)]), out)
    return results


def _report_turns(turns: CallTurns, asked: RunRequest) -> bool:
    """Print one line of what was measured over all calls, and write it to a file. Returns whether the limits hold."""
    out = sys.stderr if asked.as_json else sys.stdout
    if line := summary_line(turns):
        _print(line, out)
    broken = broken_limits(turns, asked.turn_limits) if turns.calls else ()
    for one in broken:
        _print(f"FAILED: {one}", out)
    trouble = write_turns(asked.artefacts, turns)
    if trouble is not None:
        _print(trouble, sys.stderr)
    return not broken


def _page_to_open(results: Sequence[Result], asked: RunRequest) -> str:
    """Return the path of the index of several calls, or of the page of a single one; "" if there is none."""
    if not asked.report:
        return ""
    from audiosocket_sim.cli.run_reports import page_to_open

    page = page_to_open(results, asked.artefacts, complain=lambda line: _print(line, sys.stderr))
    return "" if page is None else near(page)


def _report(rows: Sequence[ReportRow], asked: RunRequest, report: str) -> None:
    """Print the table after several scenarios and, in a job of GitHub Actions, annotations and the job's summary."""
    out = sys.stderr if asked.as_json else sys.stdout
    if len(rows) > 1:
        _print("\n".join(["", *table(rows)]), out)
    if is_github(os.environ):
        for line in filter(None, (annotation(row, os.environ) for row in rows)):
            _print(line, out)
        trouble = append_job_summary(rows, "Phone calls", os.environ, report)
        if trouble is not None:
            _print(trouble, sys.stderr)


def _load(name: str, overrides: Sequence[str]) -> Iterator[Scenario | _Refused]:
    """Yield the scenarios that one argument names, and for an invalid one its problems."""
    try:
        chosen = choose_scenarios(name)
    except LookupError as error:
        yield _Refused(Path(name).stem, str(error.args[0]))
        return
    parts: set[Path] = set()
    for file in chosen.files:
        shown = near(file)
        try:
            cells = load_all(shown, overrides)
        except ScenarioError as error:
            yield _Refused(file.stem, str(error), shown)
            continue
        parts.update(*(cell.parts for cell in cells))
        if chosen.cell and not any(is_chosen(cell.cell, chosen.cell) for cell in cells):
            yield _Refused(file.stem, no_such_cell(file.stem, chosen.cell, [cell.name for cell in cells]), shown)
        yield from (cell for cell in cells if is_chosen(cell.cell, chosen.cell))
    if (note := chosen.note(parts)) is not None:
        _print(note, sys.stderr)


def _run_one(plan: _Planned, options: Options, asked: RunRequest, number: int, runs: int) -> Result:
    """Make the run `number` of `runs` of a scenario, and show it."""
    scenario = plan.scenario
    elapsed = stopwatch()
    out = sys.stderr if asked.as_json else sys.stdout
    with LiveView(out) as view:
        above = [heading(options.applied_to(scenario)), f"target: {plan.target}"]
        above += [f"set: {', '.join(asked.overrides)}"] if asked.overrides else []
        above += [f"run {number} of {runs}: {seeds_text(scenario)}"] if runs > 1 else []
        view.heading("\n".join(above))
        result = run_twice_if_inconclusive(
            scenario,
            options,
            view.show,
            announce=lambda: view.heading("inconclusive: this machine was too busy; once more"),
        )
    if asked.report:
        from audiosocket_sim.cli.run_reports import with_page

        result = with_page(result)
    _print("\n".join(summary_lines(result, elapsed(), real_time=options.real_time)), out)
    if asked.as_json:
        of_runs = {"run": number, "runs": runs, "seeds": seeds_of(scenario)} if runs > 1 else {}
        _print(json.dumps({**result_json(result), **of_runs}, ensure_ascii=False), sys.stdout)
    return result


def _refuse(name: str | None, problems: str, asked: RunRequest, file: str = "") -> int:
    """Report on stderr what cannot be run; with `--json` also as an object on stdout, on GitHub also as annotations."""
    _print(problems, sys.stderr)
    if asked.as_json:
        code = int(Outcome.INVALID)
        report = {"scenario": name, "outcome": "invalid", "exit_code": code, "problems": problems.splitlines()}
        _print(json.dumps(report, ensure_ascii=False), sys.stdout)
    if is_github(os.environ):
        rows = rows_of_problems(name or "run", problems, file)
        for line in filter(None, (annotation(row, os.environ) for row in rows)):
            _print(line, sys.stderr if asked.as_json else sys.stdout)
        append_job_summary(rows, "Phone calls", os.environ)
    return Outcome.INVALID


def _print(text: str, out: TextIO) -> None:
    out.write(f"{text}\n")
    out.flush()
