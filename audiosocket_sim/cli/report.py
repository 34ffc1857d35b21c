"""`report`: the page of one saved call; of a folder of many calls a page of each, and the index of them all."""

from collections.abc import Sequence
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say, trouble
from audiosocket_sim.report.call.call_report import report_path, write_call_report
from audiosocket_sim.report.many.call_reports import holds_many_calls, write_folder_reports
from audiosocket_sim.report.saved.saved_call import NoSavedCall

__all__ = ["report_command"]


def report_command(call: Path, *, to: Path | None, redact: bool, baselines: Sequence[Path] = ()) -> int:
    """Write the page or, of a folder of calls, the pages; print the path to open, and return the exit code.

    `to` None: beside the call. `baselines`: folders of earlier runs of the same calls, the oldest first.
    """
    many = holds_many_calls(call)
    if baselines and not many:
        return refuse(f"--baseline is for a folder of many calls, and {visible(str(call))} is none", USAGE)
    target = to or (call if many else report_path(call, redact=redact))
    try:
        written = _write_many(call, to, baselines, redact=redact) if many else _write_one(call, target, redact=redact)
    except NoSavedCall as error:
        return refuse(visible(str(error)), USAGE)
    except OSError as error:
        return refuse(f"cannot write {error.filename or target}: {error.strerror or error}", SET_UP)
    except AudioSocketError as error:
        return refuse(visible(str(error)), SET_UP)
    say(str(written))
    return FINE


def _write_one(call: Path, target: Path, *, redact: bool) -> Path:
    return write_call_report(call, target, redact=redact)


def _write_many(folder: Path, to: Path | None, baselines: Sequence[Path], *, redact: bool) -> Path:
    written = write_folder_reports(folder, to=to, baselines=baselines, redact=redact)
    for note in written.notes:
        trouble(visible(note))
    return written.path
