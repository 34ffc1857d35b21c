"""The arguments of `check`. Its code is imported only when it is called."""

import argparse
import re
from pathlib import Path

from audiosocket_sim.cli.arguments import command, port, program

__all__ = ["add_check"]

_EXIT_CODES = (
    "exit codes: 0 passed, 1 a case fails (or passes though it is known to fail, or differs from --expect),\n"
    "2 usage or an invalid file, 3 the target cannot be started, 4 inconclusive (this machine was too busy), or "
    "nothing judged"
)


def add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `check`, and of `check matrix`."""
    parser = command(
        commands,
        "check",
        "is this bot a good AudioSocket server? 149 cases, in at most 400 short calls, find out (docs/check.md)",
        "check --target tcp://127.0.0.1:8080",
        _EXIT_CODES,
    )
    parser.add_argument(
        "--target",
        help="the bot to call: module:callable (in this process), 'command: PROGRAM … {port}', or tcp://HOST:PORT; by "
        "default the target of [tool.audiosocket-sim] in pyproject.toml (docs/targets.md)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="what its author states of the bot: roles, features, limits (by default check.yaml beside pyproject.toml)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="IDS",
        help="only these cases: AO-03, 'RB-*', or several with commas; can be given several times",
    )
    parser.add_argument("--level", choices=["must", "should"], help="only cases of this level")
    parser.add_argument(
        "--heavy", action="store_true", help="long and large forms too: minutes, a thousand connections"
    )
    parser.add_argument("--list", action="store_true", help="list the cases, and end")
    parser.add_argument("--explain", metavar="ID", help="show all of one case: what the peer does, why, and end")
    expected = parser.add_mutually_exclusive_group()
    expected.add_argument(
        "--known-failing",
        type=Path,
        metavar="FILE",
        help="cases (id: reason) that must fail; one that passes fails the run",
    )
    expected.add_argument(
        "--expect", type=Path, metavar="RUN.json", help="an earlier run: each case must come out as it did there"
    )
    parser.add_argument(
        "--write-known-failing", type=Path, metavar="FILE", help="write the list of what fails now, to edit and to keep"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the run as JSON; - writes it to stdout, and all else to stderr"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the run as JUnit XML, a test suite a section")
    parser.add_argument("--badge", type=Path, metavar="FILE", help="write a badge, the JSON of a shields.io endpoint")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write one HTML file with each failed case drawn")
    parser.add_argument(
        "--fuzz",
        type=_seconds,
        metavar="SECONDS",
        help="instead of the cases: for so long, streams that no Asterisk sends, drawn from --seed, beside a good call",
    )
    parser.add_argument(
        "--cases", type=Path, metavar="FOLDER", help="your own cases, which --fuzz finds (checks/ beside check.yaml)"
    )
    parser.add_argument(
        "--replay", type=Path, action="append", default=[], metavar="FILE", help="only the case of this file"
    )
    parser.add_argument("--ai-port", type=port, default=0, help="port of the mock AI, for a target with a fixed AI URL")
    parser.add_argument(
        "--real-time", action="store_true", help="run on the real clock (always so for a target in another process)"
    )
    parser.add_argument(
        "--seed", type=_seed, default=1, help="draws the UUIDs, and the streams of --fuzz (%(default)s)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the bot's log, on stderr")
    parser.set_defaults(command=_check)
    _add_matrix(parser)


def _add_matrix(parser: argparse.ArgumentParser) -> None:
    more = parser.add_subparsers(metavar="matrix", title="several runs side by side")
    about = "several runs side by side, cases × servers: as Markdown on stdout, or as files"
    matrix = more.add_parser(
        "matrix",
        help=about,
        description=about,
        epilog=f"example: {program()} check matrix mine=mine.json other.json --html matrix.html\n"
        "exit codes: 0 written, 2 a file is no run, 3 a file cannot be written",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    matrix.add_argument("runs", nargs="+", metavar="RUN", help="a file of `check --json`, or NAME=FILE")
    matrix.add_argument("--html", type=Path, metavar="FILE", help="write the table as a page")
    matrix.add_argument("--markdown", metavar="FILE", help="write the table as Markdown; -, the default: on stdout")
    matrix.set_defaults(command=_matrix)


def _matrix(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.check_matrix import matrix_command

    return matrix_command(options.runs, html=options.html, markdown=options.markdown)


def _seed(text: str) -> int:
    """Parse a seed. Raises ArgumentTypeError, which argparse reports."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"{text[:40]}: expected a whole number, 0 or more")
    return int(text)


def _seconds(text: str) -> float:
    """Parse a time. Raises ArgumentTypeError, which argparse reports."""
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII) or float(text) == 0.0:
        raise argparse.ArgumentTypeError(f"{text[:40]}: expected seconds, more than 0")
    return float(text)


def _check(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.check import check_command
    from audiosocket_sim.cli.check_request import CheckRequest

    return check_command(
        CheckRequest(
            target=options.target,
            config=options.config,
            only=options.only,
            level=options.level,
            heavy=options.heavy,
            lists=options.list,
            explain=options.explain,
            known_failing=options.known_failing,
            expect=options.expect,
            write_known_failing=options.write_known_failing,
            json=options.json,
            junit=options.junit,
            badge=options.badge,
            page=options.page,
            ai_port=options.ai_port,
            real_time=options.real_time,
            seed=options.seed,
            verbose=options.verbose,
            fuzz=options.fuzz,
            cases=options.cases,
            replay=options.replay,
            program=program(),
        )
    )
