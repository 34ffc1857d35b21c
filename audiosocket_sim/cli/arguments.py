"""Shared parts of the commands' arguments: numbers with bounds, the form of the help, the control token."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

__all__ = [
    "DOCS",
    "EXIT_CODES",
    "TOOL_EXIT_CODES",
    "add_control_token",
    "command",
    "control_token",
    "count",
    "port",
    "program",
    "seconds",
]

_SCRIPT = "audiosocket-sim"
DOCS = "https://github.com/audiosocket-sim/audiosocket-sim"
"""Where the pages are that help, errors and failures name: an installed copy has none."""
EXIT_CODES = "exit codes: 0 pass, 1 failed, 2 usage or invalid scenario, 3 set-up, 4 inconclusive"
TOOL_EXIT_CODES = "exit codes: 0 done, 2 usage or an invalid file, 3 set-up, such as a port in use or a missing extra"
"""Those of commands that judge no call."""


def program() -> str:
    """Return the command that started this process, for usage lines and examples."""
    return _SCRIPT if Path(sys.argv[0]).name == _SCRIPT else "python -m audiosocket_sim"


def port(text: str) -> int:
    """Parse a port, 0 to 65535; 0 means any free one. Raises ArgumentTypeError, which argparse reports."""
    number = _whole_number(text)
    if number is None or number > 65535:
        raise argparse.ArgumentTypeError(f"{text[:40]} is no port: 0 to 65535")
    return number


def seconds(text: str) -> float:
    """Parse a time in seconds, more than 0 and at most a day. Raises ArgumentTypeError, which argparse reports."""
    try:
        length = float(text)
    except ValueError:
        length = 0.0
    if not 0 < length <= 86_400:
        raise argparse.ArgumentTypeError(f"{text[:40]} is no time: expected more than 0 s and at most a day")
    return length


def count(text: str) -> int:
    """Parse a number from 1 to 100000. Raises ArgumentTypeError, which argparse reports."""
    number = _whole_number(text)
    if not number or number > 100_000:
        raise argparse.ArgumentTypeError(f"{text[:40]}: expected a number from 1 to 100000")
    return number


def _whole_number(text: str) -> int | None:
    """Return the number that the text gives in at most ten ASCII digits; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    example: str,
    exit_codes: str = EXIT_CODES,
) -> argparse.ArgumentParser:
    """Return the parser of one command, whose code is in the module of this folder with the same name.

    `about`: the text of its help. `example`: the arguments of the example in its help, without the program's name.
    `exit_codes`: the last line of its help, where the codes mean something else than for most commands.
    """
    parser = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example: {program()} {example}\n{exit_codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=f"audiosocket_sim.cli.{name.replace('-', '_')}")
    return parser


def add_control_token(parser: argparse.ArgumentParser) -> None:
    """Add `--control-token` to a command."""
    parser.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="token for a control URL that requires one; safer as CONTROL_TOKEN in the environment",
    )


def control_token(options: argparse.Namespace) -> "SecretStr | None":
    """Return the token of the option or else of the environment, or None. It is never shown."""
    from pydantic import SecretStr

    from audiosocket_sim.net.control_client import token_from_environment

    return SecretStr(options.control_token) if options.control_token else token_from_environment()
