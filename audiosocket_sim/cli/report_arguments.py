"""The arguments of the commands that show and compare saved calls. Their code is imported only when they are called."""

import argparse
from pathlib import Path

from audiosocket_sim.cli.arguments import command

__all__ = ["add_report"]


def add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `report`."""
    parser = command(
        commands,
        "report",
        "write the report of a saved call: one HTML file to look at, to listen to and to send on",
        "report runs/greets",
        "exit codes: 0 written, 2 usage or no saved call, 3 the page cannot be written",
    )
    parser.add_argument(
        "call",
        type=Path,
        metavar="PATH",
        help="the folder of a run, of a microphone call or of a captured call; its call.jsonl; or a stereo WAV, "
        "the caller on the left",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="the page to write (report.html in the call's folder, NAME.html for a WAV)",
    )
    parser.add_argument("--redact", action="store_true", help="no words and no sound: shapes and times only")
    parser.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.report import report_command

    return report_command(options.call, to=options.to, redact=options.redact)
