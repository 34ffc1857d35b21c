"""Writes the files of a run: transcript, call log, recording and, of a fault of the simulator, its details."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from audiosocket_sim.call_log.recording import caller_track, write_recording
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.result import Artefacts, Outcome, Result
from audiosocket_sim.scenario import Scenario

__all__ = ["with_artefacts"]


def with_artefacts(result: Result, folder: Path, fixture: CallFixture | None) -> Result:
    """Write the files, each whatever becomes of the others: also over those of an earlier run in the same folder."""
    details = folder / "details.txt"
    files = Artefacts(
        folder / "transcript.txt", folder / "call.jsonl", folder / "call.wav", details if result.details else None
    )
    lines = (json.dumps(entry.to_json(), ensure_ascii=False) for entry in result.entries)
    work: list[Callable[[], object]] = [
        lambda: _write_text(files.call_log, "".join(f"{line}\n" for line in lines)),
        lambda: _write_text(files.transcript, result.transcript),
        lambda: _write_text(details, result.details) if result.details else details.unlink(missing_ok=True),
        lambda: _write_sound(files.recording, result.scenario, fixture),
    ]
    wrong: list[str] = []
    for write in work:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write()
        except OSError as error:
            wrong.append(f"cannot write to {error.filename or folder}: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - a fault of one file must not cost the others
            wrong.append(f"the simulator failed to write the files of this run: {error!r}")
    if wrong:
        outcome = max(result.outcome, Outcome.SET_UP) if result.outcome is not Outcome.FAILED else result.outcome
        result = replace(result, outcome=outcome, faults=[*result.faults, *dict.fromkeys(wrong)])
    return replace(result, artefacts=files)


def _write_text(path: Path, text: str) -> None:
    """What came over the wire may hold halves of characters: they are written as escapes."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _write_sound(path: Path, scenario: Scenario, fixture: CallFixture | None) -> None:
    path.open("wb").close()  # where that is not allowed, `wave` leaves a half-made writer behind
    if fixture is None:
        write_recording(path, b"", b"")
        return
    caller = caller_track(fixture.caller.sent, fixture.t0, scenario.asterisk.rate_hz)
    write_recording(path, caller, fixture.ear.timeline(fixture.t0))
