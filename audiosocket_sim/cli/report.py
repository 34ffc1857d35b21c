"""`report`: the page of one saved call."""

from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say
from audiosocket_sim.report.call_report import report_path, write_call_report
from audiosocket_sim.report.saved_call import NoSavedCall

__all__ = ["report_command"]


def report_command(call: Path, *, to: Path | None, redact: bool) -> int:
    """Write the page, print its path, and return the exit code. `to` None: beside the call."""
    target = report_path(call, redact=redact) if to is None else to
    try:
        say(str(write_call_report(call, target, redact=redact)))
    except NoSavedCall as error:
        return refuse(str(error), USAGE)
    except OSError as error:
        return refuse(f"cannot write {error.filename or target}: {error.strerror or error}", SET_UP)
    except AudioSocketError as error:
        return refuse(str(error), SET_UP)
    return FINE
