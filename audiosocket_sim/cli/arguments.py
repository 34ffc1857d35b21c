"""What the commands' own arguments have in common: numbers with their bounds, the help's form, the control token."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

__all__ = ["EXIT_CODES", "add_control_token", "command", "control_token", "count", "port", "seconds"]

EXIT_CODES = "exit codes: 0 pass, 1 failed, 2 usage or invalid scenario, 3 set-up, 4 inconclusive"


def port(text: str) -> int:
    """0 to 65535; 0 is any free one. Raises what argparse tells."""
    number = _whole_number(text)
    if number is None or number > 65535:
        raise argparse.ArgumentTypeError(f"{text[:40]} is no port: 0 to 65535")
    return number


def seconds(text: str) -> float:
    """More than 0, a day at most. Raises what argparse tells."""
    try:
        length = float(text)
    except ValueError:
        length = 0.0
    if not 0 < length <= 86_400:
        raise argparse.ArgumentTypeError(f"{text[:40]} is no time: more than 0 s, a day at most")
    return length


def count(text: str) -> int:
    """1 to 100000. Raises what argparse tells."""
    number = _whole_number(text)
    if not number or number > 100_000:
        raise argparse.ArgumentTypeError(f"{text[:40]}: a number from 1 to 100000 was expected")
    return number


def _whole_number(text: str) -> int | None:
    """The number in ASCII digits, of at most ten of them (Python itself reads none of more than 4,300); else None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str, example: str
) -> argparse.ArgumentParser:
    """The parser of one command, whose code is in the module of this folder that has its name.

    `about` is its help; `example` is what stands behind the program's name in the example of a call.
    """
    parser = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example: python -m audiosocket_sim {example}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=f"audiosocket_sim.cli.{name.replace('-', '_')}")
    return parser


def add_control_token(parser: argparse.ArgumentParser) -> None:
    """Add `--control-token` to a command."""
    parser.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="for a control URL that asks for one; better as CONTROL_TOKEN in the environment",
    )


def control_token(options: argparse.Namespace) -> "SecretStr | None":
    """The flag, else the environment; never shown."""
    from pydantic import SecretStr

    from audiosocket_sim.net.control_client import token_from_environment

    return SecretStr(options.control_token) if options.control_token else token_from_environment()
