"""Reads what `capture` left of a call, which has no log: its sound, the backend's cassette, and its scenario.

What the caller said stands in the scenario; when he said it is found by the sample, since each utterance was cut out of
the recording. Nothing in these files is trusted.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import read_audio
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    CallerSpoke,
    CallLog,
    LogEvent,
    Source,
)
from audiosocket_sim.report.saved.saved_call import SOUND, NoSavedCall, SavedCall, ScenarioText, as_json, text_of
from audiosocket_sim.report.saved.sound_alone import log_of_sound
from audiosocket_sim.report.saved.stereo import RATE_HZ, StereoSound, read_stereo
from audiosocket_sim.scenario import Scenario, says_in
from audiosocket_sim.scenario.cassette import answer_words, question_words, raw_exchange
from audiosocket_sim.scenario.loading import ScenarioError, load
from audiosocket_sim.scenario.paths import PROJECT, nearest_folder

__all__ = ["CASSETTE", "read_captured_call", "read_sound_alone"]

CASSETTE = "cassette.json"
_LARGEST_BYTES = 100_000_000
_LARGEST_TEXT_BYTES = 1_000_000
_LATEST_MS = 24 * 3_600_000


def read_sound_alone(path: Path) -> SavedCall:
    """Return the call of which there is only a stereo WAV. Blocks: a second a minute. Raises NoSavedCall."""
    try:
        sound = read_stereo(path)
        entries = log_of_sound(sound, *_known_sounds(path.parent))
    except AudioSocketError as error:
        raise NoSavedCall(str(error)) from None
    return SavedCall(path.stem, "sound", path, entries, duration_ms=sound.duration_ms, sound=sound)


def read_captured_call(folder: Path) -> SavedCall:
    """Return the captured call in the folder `NAME`, beside which its scenario `NAME.yaml` lies. Blocks.

    Raises NoSavedCall if its sound cannot be read.
    """
    notes: list[str] = []
    try:
        sound = read_stereo(folder / SOUND)
    except AudioSocketError as error:
        raise NoSavedCall(str(error)) from None
    file = folder.parent / f"{folder.name}.yaml"
    scenario = _scenario(file, notes)
    said = None if scenario is None else list(_said(scenario, folder.parent, sound))
    log = CallLog()
    for entry in log_of_sound(sound, *_known_sounds(folder), more=said or None):
        log.add(entry.at_ms, entry.source, entry.event)
    for at_ms, source, event in _backend(folder / CASSETTE):
        log.add(at_ms, source, event)
    return SavedCall(
        name=folder.name,
        kind="capture",
        path=folder,
        entries=tuple(log.entries),
        summary="" if scenario is None else scenario.summary,
        heading=""
        if scenario is None
        else f"captured · Asterisk {scenario.asterisk.version}, {scenario.asterisk.attach}",
        duration_ms=sound.duration_ms,
        scenario=_text(file, scenario),
        sound=sound,
        notes=tuple(notes),
    )


def _known_sounds(folder: Path) -> tuple[PhraseBook, bytes]:
    """The prompts and the hold music near a folder, else the project's."""
    near = nearest_folder("audio/prompts", folder, "manifest.yaml")
    own = PROJECT / "audio" / "prompts"
    music = nearest_folder("audio", folder, "waiting.slin")
    try:
        books = [place for place in dict.fromkeys((near, own)) if place is not None and place.is_dir()]
        return PhraseBook.load(*books), b"" if music is None else read_audio(music / "waiting.slin")
    except (AudioSocketError, OSError):
        return PhraseBook([]), b""


def _scenario(file: Path, notes: list[str]) -> Scenario | None:
    if not file.is_file():
        return None
    try:
        return load(file)
    except ScenarioError:
        notes.append(f"{file.name} is no valid scenario: what was said is not known")
        return None


def _text(file: Path, scenario: Scenario | None) -> ScenarioText | None:
    if scenario is None:
        return None
    try:
        text = read_regular_file(file, _LARGEST_TEXT_BYTES).decode(errors="replace")
    except OSError:
        return None
    places = scenario.written.places.items()
    lines = {path[1:]: line for path, (line, _) in places if len(path) > 1 and path[0] == "steps"}
    return ScenarioText(file.name, text, {path: line for path, line in lines.items() if isinstance(path[-1], int)})


def _said(scenario: Scenario, folder: Path, sound: StereoSound) -> Iterator[tuple[int, Source, CallerSpoke]]:
    """What the caller said, each utterance where its samples are in the recording."""
    after = 0
    for step in says_in(scenario.steps):
        if step.say.file is None:
            continue
        try:
            pcm = read_audio(folder / step.say.file)
        except (AudioSocketError, OSError):
            continue
        third = len(pcm) // 6 * 2
        at = _find(sound.caller, pcm[third : 2 * third], after) if third else None
        if at is None:
            continue
        after = at
        at_ms, length_ms = round((at - third) / 2 * 1000 / RATE_HZ), len(pcm) // 2 * 1000 // RATE_HZ
        yield (
            max(0, at_ms),
            Source.CALLER,
            CallerSpoke(step.say.text, None if step.say.text else step.say.file, length_ms),
        )


def _find(track: bytes, piece: bytes, after: int) -> int | None:
    """Where the samples of a piece are in a track, from `after` on, in bytes; None if they are not there."""
    at = track.find(piece, after)
    while at % 2 == 1:
        at = track.find(piece, at + 1)
    return at if at >= 0 else None


def _backend(path: Path) -> Iterator[tuple[int, Source, LogEvent]]:
    """The questions, answers and pushes of a cassette."""
    try:
        whole = as_json(read_regular_file(path, _LARGEST_BYTES).decode(errors="replace"))
    except OSError:
        return
    found = whole if isinstance(whole, dict) else {}
    exchanges, pushes = found.get("exchanges"), found.get("pushes")
    for number, one in enumerate(exchanges if isinstance(exchanges, list) else (), 1):
        if isinstance(one, dict) and (at_ms := _time(one.get("at_ms"))) is not None:
            yield from _exchange(number, at_ms, one)
    for one in pushes if isinstance(pushes, list) else ():
        if isinstance(one, dict) and (at_ms := _time(one.get("at_ms"))) is not None:
            http = one.get("http_status")
            says, status = _words(one.get("body"))
            yield at_ms, Source.BACKEND, BackendPushed(says, status, http if isinstance(http, int) else 0)


def _exchange(number: int, at_ms: int, one: Mapping[str, Any]) -> Iterator[tuple[int, Source, LogEvent]]:
    answer = one.get("answer")
    if "request" in one:
        try:
            raw = raw_exchange(dict(one))
        except (KeyError, TypeError, ValueError, AttributeError):
            return
        yield at_ms, Source.HEARD, BackendAsked(number, "", question_words(raw.body))
        if raw.answer is not None and _time(raw.answer.at_ms) is not None:
            said = answer_words(raw.answer.body) or None
            reply = BackendReplied(number, said, None, raw.answer.at_ms, raw.answer.fault)
            yield at_ms + raw.answer.at_ms, Source.BACKEND, reply
        return
    yield at_ms, Source.HEARD, BackendAsked(number, text_of(one.get("id")), text_of(one.get("content")))
    if isinstance(answer, dict) and (until := _time(answer.get("at_ms"))) is not None:
        says, status = _words(answer.get("body"))
        fault = text_of(answer.get("fault")) or None
        yield until, Source.BACKEND, BackendReplied(number, says, status, max(0, until - at_ms), fault)


def _words(body: object) -> tuple[str | None, str | None]:
    """The message and the status of an answer in the reference server's protocol."""
    outer = body if isinstance(body, dict) else {}
    content = outer.get("content")
    inner = content if isinstance(content, dict) else {}
    status = inner.get("set_call_status", outer.get("set_call_status"))
    return text_of(inner.get("mensagem")) or None, text_of(status) or None


def _time(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _LATEST_MS else None
