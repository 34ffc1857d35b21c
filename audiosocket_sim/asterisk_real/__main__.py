"""`python -m audiosocket_sim.asterisk_real`: fetch a real Asterisk for the tests, and list those that can be run."""

import argparse
import sys
from collections.abc import Iterable

from audiosocket_sim.asterisk_real.packages import (
    HOW_TO_GET_IT,
    AsteriskMissing,
    Installation,
    fetch,
    fetch_suites,
    installations,
    results,
)
from audiosocket_sim.asterisk_real.suites import SUITES, SuiteResult

_SET_UP = 3
_NAME = "python -m audiosocket_sim.asterisk_real"


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit code: 0, or 3 where no Asterisk could be had. SystemExit(2): wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.action == "fetch" and options.again and not (options.all or options.suite):
        parser.error("fetch --again: expected --all or --suite NAME beside it")
    try:
        return _list() if options.action == "list" else _fetch(options.suite, every=options.all, again=options.again)
    except AsteriskMissing as error:
        sys.stderr.write(f"{error}\n")
        return _SET_UP


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME,
        description="A real Asterisk for tests: the machine's own, or Debian's packages unpacked into a cache folder.",
        epilog=f"example: {_NAME} fetch --all",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "make sure that there is one: download Debian's where none is here (24 MB, no root)"
    fetching = actions.add_parser("fetch", help=text, description=text, epilog=f"example: {_NAME} fetch --suite sid")
    which = fetching.add_mutually_exclusive_group()
    which.add_argument("--suite", metavar="NAME", help=f"the one of this suite of Debian: {', '.join(SUITES)}, …")
    which.add_argument("--all", action="store_true", help="one of each version that Debian's suites have")
    fetching.add_argument("--again", action="store_true", help="ask the mirror also about suites that are settled")
    text = "list those that can be run here, and what each suite of Debian had; asks no mirror"
    actions.add_parser("list", help=text, description=text, epilog=f"example: {_NAME} list")
    return parser


def _fetch(suite: str | None, *, every: bool, again: bool) -> int:
    if suite is None and not every:
        _say(_line_of(fetch()))
        return 0
    found: list[SuiteResult] = []
    for result in fetch_suites(SUITES if suite is None else [suite], again=again):
        _say(str(result))
        found.append(result)
    runs = any(result.outcome == "runs" for result in found)
    return 0 if runs or (every and installations()) else _SET_UP


def _list() -> int:
    here = installations()
    _say("Here:" if here else f"Here: none ({HOW_TO_GET_IT})")
    _say_all(f"  {_line_of(one)}" for one in here)
    _say("Suites of Debian:")
    tried = results()
    untried = f"not tried yet ({HOW_TO_GET_IT} --all)"
    names = dict.fromkeys([*SUITES, *tried])
    _say_all(f"  {tried[suite]}" if suite in tried else f"  {suite}: {untried}" for suite in names)
    return 0 if here else _SET_UP


def _line_of(installation: Installation) -> str:
    return f"Asterisk {installation.version}: {installation.command[-1]}"


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
