"""`check`: makes the calls of the suite to one server, and says what Asterisk would suffer from."""

import logging
import sys
from collections.abc import Sequence

from audiosocket_sim.cli.check_fuzz import COST, folder_of_cases, fuzz, users_cases, whom
from audiosocket_sim.cli.check_report import as_it_comes, in_full, report_failures, report_run
from audiosocket_sim.cli.check_request import CheckRequest, without_a_folder
from audiosocket_sim.cli.check_view import CheckView
from audiosocket_sim.cli.console import FINE, INCONCLUSIVE, SET_UP, USAGE, refuse, sigterm_interrupts
from audiosocket_sim.conformance.case import Case, CaseOutcome
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.stream_file import StreamFileError
from audiosocket_sim.conformance.planning import Plan, chosen, plan
from audiosocket_sim.conformance.probe import LATER_CALLS, TWO_CALLS
from audiosocket_sim.conformance.results.explain import explain_lines, list_lines
from audiosocket_sim.conformance.results.lines import TextLine, labelled, text_line
from audiosocket_sim.conformance.results.summary import feature_lines, plan_words, time_words
from audiosocket_sim.conformance.stated.expected_run import NoRun, outcomes_of_run, read_run
from audiosocket_sim.conformance.stated.ready import ReadyRun, made_ready
from audiosocket_sim.conformance.suite import run_suite
from audiosocket_sim.conformance.verdicts import CaseResult
from audiosocket_sim.parties.target import TargetError, TargetUsageError
from audiosocket_sim.parties.target_choice import THREE_KINDS, TargetChoice, configured_target
from audiosocket_sim.scenario.loading import FileError

__all__ = ["check_command"]


class _Usage(Exception):
    """A wrong command line or file; the message has a line for each problem."""


def check_command(asked: CheckRequest) -> int:
    """Run the command and return the exit code: 0 passed, 1 failed, 2 usage, 3 set-up, 4 inconclusive."""
    try:
        folder = folder_of_cases(asked)
        own = users_cases(folder, asked.replay, is_named=asked.cases is not None and asked.fuzz is None)
        every = own if asked.replay else (*CASES, *own)
        cases = chosen(every, asked.only, [asked.level] if asked.level else ["must", "should"])
        if not cases:
            raise _Usage(f"none of these cases is of the level {asked.level} (--list shows all)")
        if asked.explain is not None:
            return _explain(asked.explain, every)
        if asked.lists:
            return _print(*list_lines(cases))
        ready = made_ready(
            _target(asked),
            cases,
            [case.id for case in every],
            config=asked.config,
            known_failing=asked.known_failing,
            heavy=asked.heavy,
            real_time=asked.real_time,
            ai_port=asked.ai_port,
            seed=asked.seed,
        )
        expected = {} if asked.expect is None else outcomes_of_run(read_run(asked.expect))
    except LookupError as error:
        return refuse(f"--only: {error.args[0]}", USAGE)
    except (_Usage, TargetUsageError, FileError, NoRun, StreamFileError) as error:
        return refuse(str(error), USAGE)
    if (file := without_a_folder(asked)) is not None:
        return refuse(f"cannot write to {file}: there is no folder {file.parent}", SET_UP)
    if asked.verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    else:  # a bot in this process complains of what the cases do to it: that is meant, and would drown the result
        logging.getLogger().addHandler(logging.NullHandler())
    if asked.fuzz is not None:
        return fuzz(asked, ready, folder)
    return _run(asked, ready, expected, is_part=len(cases) < len(every))


def _explain(pattern: str, every: Sequence[Case]) -> int:
    try:
        cases = chosen(every, [pattern], ["must", "should"])
    except LookupError as error:
        raise _Usage(f"--explain: {error.args[0]}") from None
    view = CheckView(sys.stdout)
    for number, case in enumerate(cases):
        view.show(*([text_line("")] if number else []), *explain_lines(case, view.width))
    return FINE


def _print(*lines: TextLine) -> int:
    CheckView(sys.stdout).show(*lines)
    return FINE


def _target(asked: CheckRequest) -> TargetChoice:
    choice = configured_target(command_line=asked.target)
    if choice is None:
        places = "--target, or `target = …` below [tool.audiosocket-sim] in pyproject.toml"
        raise _Usage(f"no target: say which bot to call ({THREE_KINDS}) with {places} (docs/targets.md)")
    return choice


def _run(asked: CheckRequest, ready: ReadyRun, expected: dict[str, CaseOutcome], *, is_part: bool) -> int:
    suite, out = ready.suite, sys.stderr if asked.json == "-" else sys.stdout
    results: list[CaseResult] = []
    in_turn = False
    with CheckView(out) as view:
        view.show(*_opening(ready, view.width))

        def is_failure(result: CaseResult) -> bool:
            return result.outcome is CaseOutcome.FAIL and result.case.id not in suite.known

        def on_plan(todo: Plan, features: Features) -> None:
            nonlocal in_turn
            in_turn = todo.at_once == 1
            view.show(*feature_lines(features, view.width))
            words = plan_words(todo, len(suite.cases), virtual=suite.is_virtual)
            view.show(*labelled("runs", words, view.width, "bold"))
            view.begin(len(todo.together) + len(todo.alone))

        def on_result(result: CaseResult) -> None:
            results.append(result)
            failed = is_failure(result)
            is_first = failed and not any(map(is_failure, results[:-1]))
            view.note(result.case.id, failed=failed)
            if failed and is_first and in_turn:
                view.show(*in_full(result, asked, view.width), text_line(""))
            elif failed:
                view.show(as_it_comes(result))

        try:
            with sigterm_interrupts():
                result = run_suite(suite, on_plan=on_plan, on_result=on_result)
        except TargetError as error:
            code = USAGE if isinstance(error, TargetUsageError) else SET_UP
            return refuse(f"{suite.target_text}: {error}" if code == SET_UP else str(error), code)
        except KeyboardInterrupt:
            report_failures(list(filter(is_failure, results)), asked, view)
            return refuse(f"interrupted, after {len(results)} of {len(suite.cases)} cases", INCONCLUSIVE)
    return report_run(result, asked, view, known=suite.known, expected=expected, is_part=is_part)


def _opening(ready: ReadyRun, width: int) -> list[TextLine]:
    """Return what is said before the first call: what is called, how often at most, and that calls may cost money."""
    suite = ready.suite
    probe = len(TWO_CALLS) + len(LATER_CALLS)
    at_once, in_turn = [
        plan(suite.cases, Features(two_calls=two_calls), heavy=suite.heavy, virtual=suite.is_virtual)
        for two_calls in (True, False)
    ]
    everything = sum(case.n_calls(heavy=suite.heavy) for case in suite.cases if suite.heavy or not case.only_heavy)
    lines = whom(ready, width)
    took = ""
    if not suite.is_virtual:
        took = f", {time_words(at_once.seconds + 20)} at most if it serves two calls at once"
        took += f"; {time_words(in_turn.seconds + 60)} at most if it serves one"
    lines += labelled("calls", f"{probe} to find out what it can do, then {everything} at most{took}", width)
    return [*lines, *labelled("cost", COST, width)]
