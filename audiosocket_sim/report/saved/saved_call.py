"""Reads a call that was saved: the folder of a run or of a microphone call, or a stereo WAV alone, and what is in it.

`captured` and `sound_alone` beside this module read what has no call log. Nothing that a file says is trusted: an event
that cannot be read is left out and counted, and a time that no call has is none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, Entry, LogEvent, Source, StepFailed
from audiosocket_sim.report.saved.stereo import StereoSound, read_stereo
from audiosocket_sim.turn_taking import SOUND_LABELS

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["NoSavedCall", "SavedCall", "SavedFailure", "ScenarioText", "SentRow", "read_call_folder"]

LOG, SOUND, RESULT, TRANSCRIPT = "call.jsonl", "call.wav", "result.json", "transcript.txt"
_LARGEST_BYTES = 200_000_000
_LATEST_MS = 24 * 3_600_000
_EARLIEST_MS = -600_000
_MOST_EVENTS = 100_000
_LARGEST_NUMBER = 10**12
_SOUNDS = ("speech", "music", "tone", "noise", "click")


class NoSavedCall(AudioSocketError):
    """There is no saved call at this path. The message is one line: the path, what is wrong, what was expected."""


@dataclass(frozen=True, slots=True)
class SavedFailure:
    """A failure as it was reported. `where`: `calls/two_turns.yaml:15`, or ""; `at_ms`: since the UUID. `unsure`: this
    machine was late, and may have caused it."""

    where: str
    what: str
    expected: str
    happened: tuple[str, ...]
    at_ms: int
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """The scenario's file: its name, its text, and the lines of the steps by their paths, from 0 (`(2,)`)."""

    file: str
    text: str
    lines: Mapping[tuple[str | int, ...], int]


@dataclass(frozen=True, slots=True)
class SentRow:
    """Messages of the bot that arrived from `at_ms` to `until_ms`, with `sound_ms` of sound, the last of it `ahead_ms`
    ahead of its playing. `audible`: whether any of it is."""

    at_ms: int
    until_ms: int
    sound_ms: int
    ahead_ms: int
    audible: bool


@dataclass(frozen=True, slots=True)
class SavedCall:
    """One saved call. Times are ms since the UUID or, of a sound alone, since its beginning."""

    name: str
    kind: Literal["run", "microphone", "capture", "sound"]
    path: Path
    entries: tuple[Entry, ...]
    outcome: str | None = None
    """`passed`, `failed`, `set_up`, `inconclusive`, `invalid`; None: nobody judged it, or it was not written down."""
    failures: tuple[SavedFailure, ...] = ()
    faults: tuple[str, ...] = ()
    """Why there is no verdict, or what else was wrong, a line each."""
    heading: str = ""
    """The first line of the transcript: scenario, Asterisk, line."""
    summary: str = ""
    duration_ms: int = 0
    tags: tuple[str, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Of `scenario`, `audio` and `profile`: calls with other hashes cannot be compared. Empty: not known."""
    seeds: Mapping[str, int] = field(default_factory=dict)
    scenario: ScenarioText | None = None
    sent: tuple[SentRow, ...] = ()
    lost: tuple[tuple[int, int], ...] = ()
    """When the phone had no room for sound, and how many ms it lost then."""
    late: tuple[tuple[str, int, int], ...] = ()
    """When this machine was late, from and to: `packet`, `thread`, `backend` or `bot`."""
    own_lateness_ms: float = 0.0
    sound: StereoSound | None = None
    notes: tuple[str, ...] = ()
    """What could not be read, a line each."""

    @property
    def verdict(self) -> str:
        """The outcome in words of people; `not judged` if there is none."""
        return _IN_WORDS.get(self.outcome or "", "not judged")


_IN_WORDS = {
    "passed": "passed",
    "failed": "failed",
    "invalid": "invalid",
    "set_up": "set-up error",
    "inconclusive": "inconclusive",
}


def read_call_folder(folder: Path, *, sound: bool = True) -> SavedCall:
    """Return the call whose `call.jsonl` lies in the folder. `sound`: read its sound too. Blocks.

    Raises NoSavedCall if there is no call log, or nothing of it can be read.
    """
    log = _bytes(folder / LOG)
    if log is None:
        raise NoSavedCall(f"{folder}: there is no {LOG}: expected the folder of a call, as `run` and `mic` write it")
    environment, entries, unread = _entries(log)
    if not entries and not environment and unread:
        raise NoSavedCall(f"{folder / LOG}: not a call log: no line of it is an event")
    notes = [f"{unread} lines of {LOG} could not be read, and are left out"] if unread else []
    result = _result(folder, notes)
    heading = text_of(result.get("heading")) or _first_line(folder)
    is_mic = not environment and not result
    heard = _sound(folder, notes) if sound else None
    last_ms = max((entry.at_ms for entry in entries), default=0)
    failures = _failures(result, entries)
    outcome = text_of(result.get("outcome")) or None
    return SavedCall(
        name=text_of(result.get("name")) or heading.split(" · ")[0].strip() or folder.resolve().name,
        kind="microphone" if is_mic else "run",
        path=folder,
        entries=entries,
        outcome=outcome if outcome in _IN_WORDS else ("failed" if failures else None),
        failures=failures,
        faults=texts_of(result.get("faults")),
        heading=heading,
        summary=text_of(result.get("summary")),
        duration_ms=max(last_ms, _number(result.get("duration_ms"))),
        tags=texts_of(result.get("tags")),
        environment=environment,
        hashes=_texts_by_key(result.get("hashes")),
        seeds={key: value for key, value in _mapping(result.get("seeds")).items() if isinstance(value, int)},
        scenario=_scenario(result),
        sent=tuple(SentRow(*row) for row in _rows(result.get("sent"), (int, int, int, int, bool))),
        lost=tuple((at, ms) for at, ms in _rows(result.get("lost"), (int, int))),
        late=tuple((by, start, end) for by, start, end in _rows(result.get("late"), (str, int, int))),
        own_lateness_ms=float(_number(result.get("own_lateness_ms"))),
        sound=heard,
        notes=tuple(notes),
    )


# --- call.jsonl


def _entries(log: bytes) -> tuple[Mapping[str, Any], tuple[Entry, ...], int]:
    """The environment, the events in the order of the call, and how many lines could not be read."""
    environment: Mapping[str, Any] = {}
    found: list[Entry] = []
    unread = 0
    for line in log.decode(errors="replace").split("\n"):
        if not line.strip():
            continue
        record = as_json(line)
        if isinstance(record, dict) and record.get("type") == "Environment":
            environment = {key: value for key, value in record.items() if key not in ("type", "at_ms", "source")}
            continue
        entry = _entry(record, len(found) + 1) if isinstance(record, dict) else None
        if entry is None or len(found) >= _MOST_EVENTS:
            unread += 1
        else:
            found.append(entry)
    return environment, tuple(sorted(found, key=lambda entry: entry.order)), unread


def _entry(record: dict[str, Any], number: int) -> Entry | None:
    """The entry of one line; None if it is none."""
    adapter, at_ms = _adapter(record.get("type")), record.get("at_ms")
    source = Source.__members__.get(str(record.get("source")).upper())
    if adapter is None or source is None or type(at_ms) is not int or not _EARLIEST_MS <= at_ms <= _LATEST_MS:
        return None
    try:
        event: LogEvent = adapter.validate_python(record)
    except ValueError:  # pydantic's too
        return None
    return Entry(at_ms, source, number, _of_known_kind(event))


def _of_known_kind(event: LogEvent) -> LogEvent:
    """The event with the usual kind in place of one that is none."""
    if isinstance(event, CallerSpoke) and event.kind not in ("turn", *SOUND_LABELS):
        return replace(event, kind="turn")
    if isinstance(event, BotSpoke) and event.sound not in _SOUNDS:
        return replace(event, sound="speech")
    return event


@cache
def _adapter(kind: object) -> "TypeAdapter[Any] | None":
    """What checks the fields of an event of this name; None: there is no such event."""
    from pydantic import TypeAdapter

    events = {one.__name__: one for one in LogEvent.__args__}
    return TypeAdapter(events[kind]) if isinstance(kind, str) and kind in events else None


# --- result.json


def _result(folder: Path, notes: list[str]) -> Mapping[str, Any]:
    data = _bytes(folder / RESULT)
    if data is None:
        return {}
    found = as_json(data.decode(errors="replace"))
    if not isinstance(found, dict):
        notes.append(f"{RESULT} is not a JSON object, and is left out")
        return {}
    return found


def _failures(result: Mapping[str, Any], entries: Sequence[Entry]) -> tuple[SavedFailure, ...]:
    """The failures as they were reported; of an older call, those of its log."""
    listed = result.get("failures")
    if isinstance(listed, list):
        return tuple(_failure(one) for one in listed if isinstance(one, dict))
    failed = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, StepFailed)]
    return tuple(SavedFailure("", e.named, e.expected, e.happened, at_ms, e.unsure) for at_ms, e in failed)


def _failure(one: Mapping[str, Any]) -> SavedFailure:
    where, what, expected = (text_of(one.get(key)) for key in ("where", "what", "expected"))
    happened, at_ms = texts_of(one.get("happened")), _number(one.get("at_ms"))
    return SavedFailure(where, what, expected, happened, at_ms, one.get("unsure") is True)


def _scenario(result: Mapping[str, Any]) -> ScenarioText | None:
    found = _mapping(result.get("scenario"))
    text = text_of(found.get("text"))
    if not text:
        return None
    listed = found.get("lines")
    lines: dict[tuple[str | int, ...], int] = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, list) and len(one) == 2 and isinstance(one[0], list) and type(one[1]) is int:
            lines[tuple(part for part in one[0] if isinstance(part, str | int))] = one[1]
    return ScenarioText(text_of(found.get("file")), text, lines)


# --- parts that are not trusted


def as_json(text: str) -> Any:
    """Return what the JSON text says; None for a text that is none. What is no number of JSON (NaN) is None too."""
    try:
        return _whole(json.loads(text, parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return None


def _whole(value: Any) -> Any:
    """The value with half characters as escapes, and without numbers that are none of a call."""
    match value:
        case str():
            return value if value.isascii() else value.encode(errors="backslashreplace").decode()
        case bool():
            return value
        case int() | float():
            return value if abs(value) <= _LARGEST_NUMBER else None
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {_whole(key): _whole(one) for key, one in value.items()}
    return value


def text_of(value: object) -> str:
    """Return the value if it is a text, else ""."""
    return value if isinstance(value, str) else ""


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts of a list; what is none is left out."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _number(value: object) -> int:
    return round(value) if isinstance(value, int | float) and abs(value) <= _LATEST_MS else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts_by_key(value: object) -> dict[str, str]:
    return {key: text for key, text in _mapping(value).items() if isinstance(text, str)}


def _rows(value: object, kinds: tuple[type, ...]) -> list[list[Any]]:
    """The rows of a list whose values are of these types, and whose times are those of a call."""
    found = []
    for row in value if isinstance(value, list) else ():
        if not isinstance(row, list) or tuple(map(type, row)) != kinds:
            continue
        if all(abs(one) <= _LATEST_MS for one in row if type(one) is int):
            found.append(row)
    return found


def _first_line(folder: Path) -> str:
    data = _bytes(folder / TRANSCRIPT) or b""
    return data[:4000].decode(errors="replace").partition("\n")[0].strip()


def _bytes(path: Path) -> bytes | None:
    try:
        return read_regular_file(path, _LARGEST_BYTES)
    except OSError:
        return None


def _sound(folder: Path, notes: list[str]) -> StereoSound | None:
    if not (folder / SOUND).exists():
        notes.append(f"there is no {SOUND}: the call can be seen and not heard")
        return None
    try:
        return read_stereo(folder / SOUND)
    except AudioSocketError as error:
        why = str(error).removeprefix(f"{folder / SOUND}: ")
        notes.append(f"{SOUND} cannot be played: {why}")
        return None
