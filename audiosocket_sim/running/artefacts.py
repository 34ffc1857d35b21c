"""Writes the files of a run: transcript, call log, recording, result and, if the simulator failed, the details.

Each file is readable by its owner only, and is replaced atomically: a reader sees a whole file or none.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.call_log.recording import caller_track, recording
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.result import Artefacts, Outcome, Result
from audiosocket_sim.running.result_file import result_text
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.callers import SECOND_RUN

__all__ = ["SECOND_RUN", "call_folders", "cannot_write", "with_artefacts", "with_faults", "with_transcript"]


def with_artefacts(result: Result, folder: Path, fixture: CallFixture | None) -> Result:
    """Write the files of a run to `folder` and return the result with their paths.

    Each file is written even if others fail, and replaces that of an earlier run. If one cannot be written, the result
    gets a fault, and the file of that name from an earlier run is removed; so is an earlier run's second run.
    """
    writing = _Writing(folder)
    call_log = writing.write("call.jsonl", lambda: _text(_lines(result)))
    transcript = writing.write("transcript.txt", lambda: _text(result.transcript))
    details = writing.write("details.txt", lambda: _text(result.details)) if result.details else None
    sound = writing.write("call.wav", lambda: _sound(result.scenario, fixture))
    if not result.details:
        writing.remove("details.txt")
    writing.remove("report.html")  # of an earlier run
    writing.remove_second_run()
    writing.write("result.json", lambda: _text(result_text(with_faults(result, writing.faults), fixture)))
    result = with_faults(result, writing.faults)
    files = Artefacts(transcript, call_log, sound, details)
    return replace(result, artefacts=files if files.by_name() else None)


def with_transcript(result: Result, folder: Path) -> Result:
    """Write the transcript of all calls of a scenario with several, beside the folders of the calls, and return the
    result with its path. What an earlier run of one call has left there is removed."""
    writing = _Writing(folder)
    transcript = writing.write("transcript.txt", lambda: _text(result.transcript))
    details = writing.write("details.txt", lambda: _text(result.details)) if result.details else None
    for name in ("call.jsonl", "call.wav", "result.json", *(() if result.details else ("details.txt",))):
        writing.remove(name)
    writing.remove_second_run()
    result = with_faults(result, writing.faults)
    files = Artefacts(transcript, None, None, details)
    return replace(result, artefacts=files if files.by_name() else None)


def call_folders(result: Result) -> list[Path]:
    """Return the folders of the calls of a run whose logs were written: one, or those of several callers."""
    files = (call.artefacts for call in result.calls)
    return [one.call_log.parent for one in files if one is not None and one.call_log is not None]


def with_faults(result: Result, faults: list[str]) -> Result:
    """Return the result with further set-up faults, without repetitions. The outcome FAILED is kept."""
    if not faults:
        return result
    outcome = max(result.outcome, Outcome.SET_UP) if result.outcome is not Outcome.FAILED else result.outcome
    return replace(result, outcome=outcome, faults=(*result.faults, *dict.fromkeys(faults)))


def cannot_write(error: OSError, folder: Path) -> str:
    """Return one line that says why a file could not be written."""
    return f"cannot write to {error.filename or folder}: {error.strerror or error}"


_FILES = ("call.jsonl", "transcript.txt", "details.txt", "call.wav", "result.json", "report.html")


class _Writing:
    """Writes files to a folder, and collects the faults."""

    def __init__(self, folder: Path) -> None:
        self.faults: list[str] = []
        self._folder = folder

    def write(self, name: str, content: Callable[[], bytes]) -> Path | None:
        """Write the file and return its path; None if it could not be written."""
        path = self._folder / name
        try:
            data = content()
            make_private_folder(self._folder)
            write_private_file(path, data)
        except OSError as error:
            self.faults.append(cannot_write(error, self._folder))
        except Exception as error:  # noqa: BLE001 - a fault of one file must not cost the others
            self.faults.append(f"the simulator failed to write the files of this run: {error!r}")
        else:
            return path
        self.remove(name)
        return None

    def remove(self, name: str) -> None:
        """Remove the file of an earlier run, so that nobody takes it for this run's."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except NotADirectoryError:
            pass
        except OSError as error:
            self.faults.append(cannot_write(error, self._folder))

    def remove_second_run(self) -> None:
        """Remove the files of a second run that an earlier run made."""
        for name in _FILES:
            self.remove(f"{SECOND_RUN}/{name}")
        with contextlib.suppress(OSError):  # there is none, or there is something else in it
            (self._folder / SECOND_RUN).rmdir()


def _lines(result: Result) -> str:
    first = [] if result.environment is None else [result.environment.to_json()]
    records = [*first, *(entry.to_json() for entry in result.entries)]
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)


def _text(text: str) -> bytes:
    """Encode the text as UTF-8. Lone surrogates, which texts from the wire may contain, are written as escapes."""
    return text.encode(errors="backslashreplace")


def _sound(scenario: Scenario, fixture: CallFixture | None) -> bytes:
    if fixture is None:
        return recording(b"", b"")
    caller = caller_track(fixture.caller.sent, fixture.t0, scenario.asterisk.rate_hz)
    return recording(caller, fixture.ear.timeline(fixture.t0))
