"""`check`: makes the calls of the suite to one server, and says what Asterisk would suffer from."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiosocket_core.files import write_shared_file
from audiosocket_sim.cli.check_view import CheckView
from audiosocket_sim.cli.console import FAILED, FINE, INCONCLUSIVE, SET_UP, USAGE, refuse
from audiosocket_sim.conformance.case import Case, CaseOutcome, Level
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.planning import Plan, chosen, plan
from audiosocket_sim.conformance.probe import FIRST_CALLS, LATER_CALLS
from audiosocket_sim.conformance.results.explain import explain_lines, list_lines
from audiosocket_sim.conformance.results.failure_text import MARKS, failure_lines, required_and_seen
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line
from audiosocket_sim.conformance.results.result_json import result_json
from audiosocket_sim.conformance.results.summary import (
    feature_lines,
    last_line,
    not_run_lines,
    plan_words,
    table_lines,
)
from audiosocket_sim.conformance.stated.check_file import CHECK_FILE, read_check_file
from audiosocket_sim.conformance.stated.expected_run import NoRun, deviations, outcomes_of_run, read_run
from audiosocket_sim.conformance.stated.known_failing import known_failing_text, read_known_failing
from audiosocket_sim.conformance.suite import Suite, run_suite
from audiosocket_sim.conformance.verdicts import CaseResult, ConformanceResult
from audiosocket_sim.parties.target import TargetError, TargetUsageError, parse_target
from audiosocket_sim.parties.target_choice import THREE_KINDS, TargetChoice, configured_target
from audiosocket_sim.scenario.loading import FileError

__all__ = ["CheckRequest", "check_command"]

_SHOWN = (CaseOutcome.FAIL, CaseOutcome.UNEXPECTED_PASS, CaseOutcome.WARN, CaseOutcome.INCONCLUSIVE)
"""The outcomes that are shown in full, in this order."""
_MOST_IN_FULL = 12


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The arguments of `check`. `json`: a file, or - for stdout. `program`: how this command is called."""

    target: str | None = None
    config: Path | None = None
    only: Sequence[str] = ()
    level: Level | None = None
    heavy: bool = False
    lists: bool = False
    explain: str | None = None
    known_failing: Path | None = None
    expect: Path | None = None
    write_known_failing: Path | None = None
    json: str | None = None
    ai_port: int = 0
    real_time: bool = False
    seed: int = 1
    program: str = "audiosocket-sim"


class _Usage(Exception):
    """A wrong command line or file; the message has a line for each problem."""


@dataclass(frozen=True)
class _Ready:
    """All that is needed before the first call."""

    suite: Suite
    choice: TargetChoice
    config: Path | None
    expected: dict[str, CaseOutcome] = field(default_factory=dict)


def check_command(asked: CheckRequest) -> int:
    """Run the command and return the exit code: 0 passed, 1 failed, 2 usage, 3 set-up, 4 inconclusive."""
    try:
        cases = chosen(CASES, asked.only, [asked.level] if asked.level else ["must", "should"])
        if not cases:
            raise _Usage(f"none of these cases is of the level {asked.level} (--list shows all)")
        if asked.explain is not None:
            return _explain(asked.explain)
        if asked.lists:
            return _print(*list_lines(cases))
        ready = _made_ready(asked, tuple(cases))
    except LookupError as error:
        return refuse(f"--only: {error.args[0]}", USAGE)
    except (_Usage, TargetUsageError, FileError, NoRun) as error:
        return refuse(str(error), USAGE)
    return _run(asked, ready)


def _explain(pattern: str) -> int:
    try:
        cases = chosen(CASES, [pattern], ["must", "should"])
    except LookupError as error:
        raise _Usage(f"--explain: {error.args[0]}") from None
    view = CheckView(sys.stdout)
    for number, case in enumerate(cases):
        view.show(*([text_line("")] if number else []), *explain_lines(case, view.width))
    return FINE


def _print(*lines: TextLine) -> int:
    CheckView(sys.stdout).show(*lines)
    return FINE


def _made_ready(asked: CheckRequest, cases: tuple[Case, ...]) -> _Ready:
    choice = configured_target(command_line=asked.target)
    if choice is None:
        places = "--target, or `target = …` below [tool.audiosocket-sim] in pyproject.toml"
        raise _Usage(f"no target: say which bot to call ({THREE_KINDS}) with {places} (docs/targets.md)")
    target = parse_target(choice.text, None, choice.folder)
    config = asked.config
    if config is None:
        beside = (choice.folder or Path()) / CHECK_FILE
        config = _near(beside) if beside.is_file() else None
    ids = [case.id for case in CASES]
    suite = Suite(
        target=target,
        target_text=choice.visible,
        cases=cases,
        stated=Features() if config is None else read_check_file(config),
        known={} if asked.known_failing is None else read_known_failing(asked.known_failing, ids),
        heavy=asked.heavy,
        real_time=asked.real_time,
        ai_port=asked.ai_port,
        seed=asked.seed,
    )
    expected = {} if asked.expect is None else outcomes_of_run(read_run(asked.expect))
    return _Ready(suite, choice, config, expected)


def _run(asked: CheckRequest, ready: _Ready) -> int:
    suite, out = ready.suite, sys.stderr if asked.json == "-" else sys.stdout
    results: list[CaseResult] = []
    with CheckView(out) as view:
        view.show(*_opening(ready, view.width))

        def on_plan(todo: Plan, features: Features) -> None:
            view.show(*feature_lines(features, view.width))
            words = plan_words(todo, len(suite.cases), virtual=suite.is_virtual)
            view.show(*labelled("runs", words, view.width, "bold"))
            view.begin(len(todo.together) + len(todo.alone))

        def on_result(result: CaseResult) -> None:
            results.append(result)
            failed = result.outcome is CaseOutcome.FAIL and result.case.id not in suite.known
            view.note(result.case.id, failed=failed)
            if failed:
                view.show(_as_it_comes(result))

        try:
            result = run_suite(suite, on_plan=on_plan, on_result=on_result)
        except TargetError as error:
            code = USAGE if isinstance(error, TargetUsageError) else SET_UP
            return refuse(f"{suite.target_text}: {error}" if code == SET_UP else str(error), code)
        except KeyboardInterrupt:
            return refuse(f"interrupted, after {len(results)} of {len(suite.cases)} cases", INCONCLUSIVE)
    return _report(result, asked, ready, view)


def _opening(ready: _Ready, width: int) -> list[TextLine]:
    """Return what is said before the first call: what is called, how often at most, and that calls may cost money."""
    suite = ready.suite
    probe = len(FIRST_CALLS) + len(LATER_CALLS)
    at_most = plan(suite.cases, Features(two_calls=True), heavy=suite.heavy, virtual=suite.is_virtual)
    everything = sum(case.n_calls(heavy=suite.heavy) for case in suite.cases if suite.heavy or not case.only_heavy)
    lines: list[TextLine] = [(TextPart("check", "bold"), TextPart(f"  {ready.choice}"))]
    if ready.config is not None:
        lines += labelled("stated", f"in {_near(ready.config)}", width)
    took = "" if suite.is_virtual else f", {at_most.seconds + 20:.0f} s at most if it serves two calls at once"
    lines += labelled("calls", f"{probe} to find out what it can do, then {everything} at most{took}", width)
    lines += labelled(
        "cost", "calls cost money where the bot asks a paid service; its AI is the mock AI if it takes one", width
    )
    return lines


def _near(path: Path) -> Path:
    """Return the path, relative to the working folder if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _as_it_comes(result: CaseResult) -> TextLine:
    sign, style = MARKS[result.outcome]
    _, seen = required_and_seen(result.failures[0])
    return (TextPart(f"  {sign} {result.case.id}  ", style), TextPart(result.case.title), TextPart(f"  {seen}", "dim"))


def _report(result: ConformanceResult, asked: CheckRequest, ready: _Ready, view: CheckView) -> int:
    limited = {case.id for case in ready.suite.cases} if len(ready.suite.cases) < len(CASES) else None
    differs = deviations(result.results, ready.expected, limited) if asked.expect is not None else []
    code = _exit_code(result, asked, differs)
    shown = [one for outcome in _SHOWN for one in result.results if one.outcome is outcome]
    if asked.expect is not None:
        shown = [one for one in shown if any(line.startswith(f"{one.case.id}:") for line in differs)]
    for one in shown[:_MOST_IN_FULL]:
        view.show(text_line(""), *failure_lines(one, lambda name: _repeat(asked, name), view.width))
    if len(shown) > _MOST_IN_FULL:
        view.show(text_line(""), text_line(f"{len(shown) - _MOST_IN_FULL} more, in short (--only shows one in full):"))
        view.show(*[_as_it_comes(one) for one in shown[_MOST_IN_FULL:] if one.failures])
    view.show(text_line(""), *table_lines(result), *not_run_lines(result.results, view.width))
    if asked.expect is not None:
        view.show(
            text_line(
                f"{len(differs)} cases came out differently from {asked.expect}"
                if differs
                else f"all cases came out as in {asked.expect}"
            )
        )
        view.show(*[text_line(f"  {line}", "red") for line in differs])
    if result.trouble:
        view.show(text_line(f"set-up: {result.trouble}", "red"))
    troubles = list(_write_files(result, code, asked, ready, view))
    view.show(last_line(result, code))
    for line in troubles:
        refuse(line, SET_UP)
    return SET_UP if troubles and code == FINE else code


def _exit_code(result: ConformanceResult, asked: CheckRequest, differs: Sequence[str]) -> int:
    if asked.expect is None:
        return result.exit_code
    if differs:
        return FAILED
    return SET_UP if result.trouble else INCONCLUSIVE if result.count(CaseOutcome.INCONCLUSIVE) else FINE


def _write_files(
    result: ConformanceResult, code: int, asked: CheckRequest, ready: _Ready, view: CheckView
) -> list[str]:
    """Write the files that were asked for. Returns a line for each that cannot be written."""
    made: dict[str, Any] = {
        "version": version("audiosocket-sim"),
        "heavy": asked.heavy,
        "seed": asked.seed,
        "only": list(asked.only),
    }
    run = result_json(result, code, made)
    files: list[tuple[str, Path, str]] = []
    if asked.json == "-":
        sys.stdout.write(json.dumps(run, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    elif asked.json is not None:
        files.append(("json", Path(asked.json), json.dumps(run, ensure_ascii=False, indent=1) + "\n"))
    if asked.write_known_failing is not None:
        text = known_failing_text(result.results, ready.suite.known)
        files.append(("known", asked.write_known_failing, text))
    troubles = []
    for name, path, text in files:
        try:
            write_shared_file(path, text.encode(errors="backslashreplace"))
        except OSError as error:
            troubles.append(f"cannot write to {path}: {error.strerror or error}")
        else:
            view.show(*labelled(name, str(path), view.width))
    return troubles


def _repeat(asked: CheckRequest, name: str) -> str:
    """Return the command that runs one case alone, with the options that matter for it."""
    words = [*shlex.split(asked.program), "check"]
    if asked.target is not None:
        words += ["--target", TargetChoice(asked.target, "").visible]
    if asked.config is not None:
        words += ["--config", str(asked.config)]
    words += ["--only", name]
    words += ["--heavy"] if asked.heavy else []
    words += ["--real-time"] if asked.real_time else []
    words += ["--ai-port", str(asked.ai_port)] if asked.ai_port else []
    words += ["--seed", str(asked.seed)] if asked.seed != 1 else []
    return shlex.join(words)
