"""Writes the report of one saved call: one HTML file that opens without any request."""

from pathlib import Path

from audiosocket_core.files import make_private_folder, read_regular_file, write_private_file
from audiosocket_sim.report.call.call_view import CallPage, call_view
from audiosocket_sim.report.call.embedded_sound import embedded_sound
from audiosocket_sim.report.call.render import Download, rendered
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.report.saved.saved_call import LOG, SOUND, SavedCall

__all__ = ["call_report", "report_path", "write_call_report"]

_LARGEST_LOG_BYTES = 3_000_000
"""A longer call log is left out of the page; it lies beside it."""


def write_call_report(source: Path, target: Path, *, redact: bool = False) -> Path:
    """Write the page of the call at `source` to the file `target`, and return that. Blocks: about 1 s a minute of call.

    `source`: the folder of a run, of a microphone call or of a capture, a `call.jsonl`, or a stereo WAV. `redact`: no
    words and no sound, shapes and times only. The file is readable by its owner only, and replaces one that is there.
    Raises NoSavedCall and OSError.
    """
    page = call_report(read_saved_call(source, sound=True), redact=redact)
    make_private_folder(target.parent)
    write_private_file(target, page.encode(errors="replace"))
    return target


def report_path(source: Path, *, redact: bool = False) -> Path:
    """Return where the page of a call is written unless another place is named: in its folder, or beside its file."""
    name = "report-redacted.html" if redact else "report.html"
    if source.is_dir():
        return source / name
    if source.name == LOG:
        return source.with_name(name)
    return source.with_name(f"{source.stem}{'-redacted' if redact else ''}.html")


def call_report(call: SavedCall, *, redact: bool = False, compress: bool | None = None) -> str:
    """Return the page of a saved call as HTML. `compress`: as in `embedded_sound`. Blocks."""
    view = call_view(call, redact=redact, here=Path.cwd())
    sound = None if redact or call.sound is None else embedded_sound(call.sound, compress=compress)
    return rendered(view, sound, [] if redact else _downloads(call, view), _beside(call, redact=redact))


def _downloads(call: SavedCall, view: CallPage) -> list[Download]:
    found = []
    log = _log(call)
    if log:
        found.append(Download(LOG, "the call log (JSON lines)", "application/x-ndjson", log))
    if view.labels:
        found.append(Download("labels.txt", "labels for Audacity", "text/plain", _encoded(view.labels)))
    if call.scenario is not None:
        name = Path(call.scenario.file).name or "scenario.yaml"
        found.append(Download(name, "the scenario", "text/plain", _encoded(call.scenario.text)))
    return found


def _log(call: SavedCall) -> bytes:
    try:
        return read_regular_file(call.path / LOG, _LARGEST_LOG_BYTES)
    except OSError:
        return b""


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _beside(call: SavedCall, *, redact: bool) -> str:
    if redact:
        return "Redacted: there is nothing to download but this page."
    if call.sound is None:
        return ""
    place = call.path.name if call.kind == "sound" else f"{call.path.name}/{SOUND}"
    return f"The sound without loss lies where the call was saved: {place} (the caller left, what he heard right)."
