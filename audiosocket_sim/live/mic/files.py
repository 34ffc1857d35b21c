"""Write the files of a call with the microphone: transcript, call log and stereo recording, in a private folder."""

import json
from dataclasses import dataclass
from pathlib import Path

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.recording import caller_track, recording
from audiosocket_sim.call_log.transcript import line_of

__all__ = ["CallFiles", "write_files"]

_RATE_HZ = 8000


@dataclass(frozen=True, slots=True)
class CallFiles:
    """The paths of the three files."""

    transcript: Path
    call_log: Path
    recording: Path


def write_files(
    folder: Path, heading: str, entries: list[Entry], sent: list[tuple[float, bytes]], t0: float, heard: bytes
) -> CallFiles:
    """Write the files into the first free one of `mic-1`, `mic-2`, … in `folder`; no file is ever overwritten.

    heading: first line of the transcript. sent: the caller's packets (loop time in s, 8 kHz SLIN). t0: loop time of the
    UUID. heard: the bot's sound since then, 8 kHz SLIN. Blocks. Raises OSError.
    """
    place = _new_folder(folder)
    files = CallFiles(place / "transcript.txt", place / "call.jsonl", place / "call.wav")
    lines = [heading, *map(line_of, entries)]
    _write(files.transcript, "\n".join(lines) + "\n")
    _write(files.call_log, "".join(f"{json.dumps(entry.to_json(), ensure_ascii=False)}\n" for entry in entries))
    write_private_file(files.recording, recording(caller_track(sent, t0, _RATE_HZ), heard))
    return files


def _new_folder(folder: Path) -> Path:
    make_private_folder(folder)
    number = 1
    while True:
        try:
            (place := folder / f"mic-{number}").mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return place


def _write(path: Path, text: str) -> None:
    write_private_file(path, text.encode(errors="backslashreplace"))
