"""`check --fuzz`: searches for streams that harm a server; and the cases of a user's own that come of it."""

import sys
from collections.abc import Iterable
from pathlib import Path

from audiosocket_sim.cli.check_request import CheckRequest, repeat_command
from audiosocket_sim.cli.check_view import CheckView
from audiosocket_sim.cli.console import INCONCLUSIVE, SET_UP, USAGE, refuse, stopwatch
from audiosocket_sim.conformance.case import Case
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding
from audiosocket_sim.conformance.fuzzing.own_cases import case_of_file, own_cases
from audiosocket_sim.conformance.fuzzing.result_text import finding_lines, search_lines
from audiosocket_sim.conformance.fuzzing.running import run_fuzz
from audiosocket_sim.conformance.fuzzing.stream_file import StreamFileError
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line
from audiosocket_sim.conformance.stated.ready import ReadyRun
from audiosocket_sim.parties.target import TargetError, TargetUsageError
from audiosocket_sim.parties.target_choice import configured_target

__all__ = ["COST", "folder_of_cases", "fuzz", "users_cases", "whom"]

COST = "calls cost money where the bot asks a paid service; its AI is the mock AI if it takes one"
_FOLDER = "checks"


def folder_of_cases(asked: CheckRequest) -> Path:
    """Return where the user's own cases are: `--cases`, or `checks` beside check.yaml or where that would be."""
    if asked.cases is not None:
        return asked.cases
    choice = configured_target(command_line=asked.target)
    beside = asked.config.parent if asked.config is not None else (choice and choice.folder) or Path()
    folder = beside / _FOLDER
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def users_cases(folder: Path, replay: Iterable[Path], *, is_named: bool = False) -> tuple[Case, ...]:
    """Return the cases of these files or, if there are none, of the folder. Raises StreamFileError.

    `is_named`: the folder was asked for, and must be there.
    """
    files = tuple(replay)
    if not files:
        if is_named and not folder.is_dir():
            raise StreamFileError(f"{folder}: no such folder (--cases)")
        return own_cases(folder)
    cases = tuple(case_of_file(path) for path in files)
    if len({case.id for case in cases}) < len(cases):
        raise StreamFileError(f"--replay: two of these files have the same id ({', '.join(case.id for case in cases)})")
    return cases


def whom(ready: ReadyRun, width: int) -> list[TextLine]:
    """Return the lines that say what is called, and where its author has said what it can do."""
    lines: list[TextLine] = [(TextPart("check", "bold"), TextPart(f"  {ready.choice}"))]
    if ready.config is not None:
        lines += labelled("stated", f"in {ready.config}", width)
    return lines


def fuzz(asked: CheckRequest, ready: ReadyRun, folder: Path) -> int:
    """Run the search and return the exit code: 0 nothing found, 1 found, 3 set-up, 4 what was seen came only once."""
    suite, seconds, tried = ready.suite, asked.fuzz or 0.0, 0
    with CheckView(sys.stdout) as view:
        clock = "calls in virtual time" if suite.is_virtual else "on the real clock"
        words = f"{seconds:g} s of trying, seed {suite.seed}, {clock}; findings go to {folder}"
        view.show(*whom(ready, view.width), *labelled("search", words, view.width))
        view.show(*labelled("cost", COST, view.width))

        def on_finding(finding: FuzzFinding) -> None:
            again = "" if finding.file is None else repeat_command(asked, "", file=finding.file)
            view.show(text_line(""), *finding_lines(finding, again, view.width))

        def on_round(streams: int) -> None:
            nonlocal tried
            tried = streams
            view.say(f"{streams:,} streams tried")

        try:
            result = run_fuzz(
                suite, seconds, suite.seed, on_finding, clock=stopwatch(), on_round=on_round, folder=folder
            )
        except TargetError as error:
            code = USAGE if isinstance(error, TargetUsageError) else SET_UP
            return refuse(f"{suite.target_text}: {error}" if code == SET_UP else str(error), code)
        except OSError as error:
            return refuse(f"cannot write to {folder}: {error.strerror or error}", SET_UP)
        except KeyboardInterrupt:
            return refuse(f"interrupted, after {tried} streams", INCONCLUSIVE)
        view.show(text_line(""), *search_lines(result, view.width, virtual=suite.is_virtual))
    return result.exit_code
