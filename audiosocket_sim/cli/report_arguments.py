"""The arguments of the commands that show and compare saved calls. Their code is imported only when they are called."""

import argparse
from pathlib import Path

from audiosocket_sim.cli.arguments import command

__all__ = ["add_diff", "add_report"]


def add_diff(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `diff`."""
    parser = command(
        commands,
        "diff",
        "compare two saved calls, or two folders of them: what moved, what changed, what is new or gone",
        "diff runs/before runs/now --tolerance bot=100ms --html diff.html",
        "exit codes: 0 the same, 1 different, 2 usage or nothing to compare, 3 the page cannot be written",
    )
    parser.add_argument("first", type=Path, metavar="A", help="the folder of a call, or a folder of such folders")
    parser.add_argument("second", type=Path, metavar="B", help="what is compared with it")
    parser.add_argument(
        "--tolerance",
        action="append",
        default=[],
        metavar="CLASS=TIME",
        help="by how much events of a class may differ, such as bot=100ms (20 ms; on the real clock 40 ms, "
        "and as much as the caller's own packets were late); can be given several times (docs/diff.md)",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the differences as a page, too")
    parser.add_argument("--redact", action="store_true", help="show no words of the calls: times and kinds only")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.set_defaults(command=_diff)


def _diff(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.diff import diff_command

    return diff_command(
        options.first,
        options.second,
        tolerances=options.tolerance,
        html=options.html,
        redact=options.redact,
        as_json=options.json,
    )


def add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `report`."""
    parser = command(
        commands,
        "report",
        "write the report of a saved call, one HTML file to look at, to listen to and to send on; or of many calls",
        "report runs --baseline runs-of-yesterday",
        "exit codes: 0 written, 2 usage or no saved call, 3 the page cannot be written",
    )
    parser.add_argument(
        "call",
        type=Path,
        metavar="PATH",
        help="the folder of a run, of a microphone call or of a captured call; its call.jsonl; a stereo WAV, "
        "the caller on the left; or a folder of many calls: a page of each, and index.html",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="the page to write (report.html in the call's folder, NAME.html for a WAV); of many calls: the folder "
        "for their pages",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="of many calls: a folder of the same calls from before, to say what got slower or different; several, the "
        "oldest first, make a trend",
    )
    parser.add_argument("--redact", action="store_true", help="no words and no sound: shapes and times only")
    parser.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.report import report_command

    return report_command(options.call, to=options.to, redact=options.redact, baselines=options.baseline)
