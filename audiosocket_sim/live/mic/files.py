"""What a call leaves: transcript, call log, stereo recording, in a folder of its own that only its owner may read."""

import json
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.recording import caller_track, write_recording
from audiosocket_sim.call_log.transcript import line_of

__all__ = ["CallFiles", "write_files"]

_RATE_HZ = 8000


@dataclass(frozen=True, slots=True)
class CallFiles:
    transcript: Path
    call_log: Path
    recording: Path


def write_files(
    folder: Path, heading: str, entries: list[Entry], sent: list[tuple[float, bytes]], t0: float, heard: bytes
) -> CallFiles:
    """Write them to `mic-1`, `mic-2`, … in the folder: a call cannot be had again. Raises OSError. Blocking."""
    place = _new_folder(folder)
    files = CallFiles(place / "transcript.txt", place / "call.jsonl", place / "call.wav")
    lines = [heading, *map(line_of, entries)]
    _write(files.transcript, "\n".join(lines) + "\n")
    _write(files.call_log, "".join(f"{json.dumps(entry.to_json(), ensure_ascii=False)}\n" for entry in entries))
    write_recording(files.recording, caller_track(sent, t0, _RATE_HZ), heard)
    return files


def _new_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        try:
            (place := folder / f"mic-{number}").mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return place


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
