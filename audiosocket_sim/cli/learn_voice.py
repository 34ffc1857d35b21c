"""`learn-voice`: the bot's speech in a recorded call becomes prompts of a phrase book, which the ear reads by sound.

The texts are those that were read in the call, those of a reader, or typed ones. A stretch that the ear knew already,
that is no speech, or that has holes in it, is left out, each with a line that says so.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_core.phrase_book.book import PhraseBook, normalise
from audiosocket_core.slin import silence, write_wav
from audiosocket_core.wav import WavError, read_wav
from audiosocket_sim.cli.add_recording import RecordingRefused, add_recording
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE
from audiosocket_sim.reading import StretchReader, load_reader, reader_problem
from audiosocket_sim.scenario.paths import cache_folder
from audiosocket_sim.words import likely_language

__all__ = ["learn_voice_command"]

_RATE_HZ = 8000
_SHORTEST_MS = 200
_EDGE_MS = 2
"""Times in the log are rounded to ms."""
_LEAD_MS, _TAIL_MS = 200, 300
_LARGEST_BYTES = 200_000_000
_LONGEST_MS = 24 * 60 * 60_000
_TIMES = ("at_ms", "heard_ms", "gap_ms")


class NothingToLearn(AudioSocketError):
    """The call cannot be used. The message is one line: what is wrong, and what was expected."""


@dataclass(frozen=True, slots=True)
class HeardStretch:
    """A stretch of the bot's speech in a recorded call: its number there, from 1, its sound, and its words if known."""

    number: int
    at_ms: int
    pcm: bytes
    text: str | None
    left_out: str
    """Why it is not learned; "" if it can be."""


def learn_voice_command(
    call: Path, *, to: Path, reader: str | None, language: str | None, voice: str, texts: Sequence[str], ask: bool
) -> int:
    """Run the command and return the exit code. `texts`: `NUMBER=TEXT` for single stretches; `ask`: ask for each."""
    try:
        typed = _typed(texts)
        problem = None if reader is None else reader_problem(reader)
        if problem is not None:
            raise NothingToLearn(f"--reader: {problem}")
        stretches = _stretches(call)
        unknown = sorted(set(typed) - {stretch.number for stretch in stretches})
        if unknown:
            last = len(stretches)
            raise NothingToLearn(f"--text {unknown[0]}=…: the bot's speech in {call} has the numbers 1 to {last}")
        made = None if reader in (None, "none") else load_reader(str(reader), cache_folder() / "readings")
        named = [(stretch, _text(stretch, typed, made, language, ask=ask)) for stretch in stretches]
        tag = language or _language([text for _, text in named if text])
        return _learn(named, to=to, language=tag, voice=voice)
    except NothingToLearn as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except (AudioSocketError, OSError, ValueError, YAMLError) as error:
        sys.stderr.write(f"{error}\n")
        return SET_UP


def _typed(texts: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for text in texts:
        number, equals, words = text.partition("=")
        if not equals or not number.strip().isdecimal() or not normalise(words):
            raise NothingToLearn(f"--text {text}: expected NUMBER=TEXT, such as --text '1=Bom dia.'")
        found[int(number)] = words.strip()
    return found


def _stretches(call: Path) -> list[HeardStretch]:
    """Return the bot's speech in the folder of a call. Raises NothingToLearn, also if there is none."""
    files = [call / "call.jsonl", call / "call.wav"]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise NothingToLearn(f"{missing}: no such file: expected the folder of a call, with call.jsonl and call.wav")
    log, wav = (read_regular_file(file, _LARGEST_BYTES) for file in files)
    try:
        sound = read_wav(wav)
    except WavError as error:
        raise NothingToLearn(f"{files[1]}: {error}") from None
    if sound.channels != 2 or sound.rate_hz != _RATE_HZ:
        raise NothingToLearn(f"{call / 'call.wav'}: expected two channels at 8 kHz: the caller, and what he heard")
    heard = b"".join(sound.data[at + 2 : at + 4] for at in range(0, len(sound.data) - 3, 4))
    spoken = list(_spoken(files[0], log))
    if not spoken:
        raise NothingToLearn(f"{files[0]}: the bot was not heard to speak in this call")
    return [_stretch(number, event, heard) for number, event in enumerate(spoken, 1)]


def _spoken(file: Path, log: bytes) -> Iterator[Mapping[str, Any]]:
    """Yield the events of the bot's speech in a call log. Raises NothingToLearn with the line that is damaged."""
    for number, line in enumerate(log.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            raise NothingToLearn(f"{file}:{number}: no JSON: the call log is damaged or cut off") from None
        if not isinstance(event, dict) or event.get("type") != "BotSpoke":
            continue
        for key in _TIMES:
            ms = event.get(key, 0)
            if isinstance(ms, bool) or not isinstance(ms, int) or not 0 <= ms <= _LONGEST_MS:
                why = f"expected whole milliseconds from 0 on, not {ms!r:.60}"
                raise NothingToLearn(f"{file}:{number}: {key}: {why}: the call log is damaged")
        yield event


def _stretch(number: int, event: Mapping[str, Any], heard: bytes) -> HeardStretch:
    at_ms, heard_ms, gap_ms = (event.get(key, 0) for key in _TIMES)
    first, last = max(0, at_ms - _EDGE_MS), at_ms + heard_ms + gap_ms + _EDGE_MS
    per_ms = 2 * _RATE_HZ // 1000
    cut = heard[first * per_ms : last * per_ms]
    left_out = ""
    if event.get("voice") in ("prompt", "synthetic"):
        left_out = "the ear knows it already"
    elif event.get("sound", "speech") != "speech" or heard_ms < _SHORTEST_MS:
        left_out = "no speech"
    elif gap_ms:
        left_out = f"it has gaps of {gap_ms} ms"
    elif len(cut) < heard_ms * per_ms:
        left_out = "call.wav ends before it"
    text = event.get("text")
    return HeardStretch(
        number, at_ms, silence(_LEAD_MS) + cut + silence(_TAIL_MS), text if isinstance(text, str) else None, left_out
    )


def _text(
    stretch: HeardStretch, typed: Mapping[int, str], reader: StretchReader | None, language: str | None, *, ask: bool
) -> str | None:
    """Return the words of a stretch: typed, as the log has them, or as the reader reads them; None if nobody knows."""
    if stretch.left_out:
        return None
    if stretch.number in typed:
        return typed[stretch.number]
    text = stretch.text
    if reader is not None:
        text = reader.read(stretch.pcm, language or "").text or text
    if ask:
        sys.stderr.write(f"{stretch.number}  {stretch.at_ms / 1000:.3f}  text [{text or 'none: leave it out'}]: ")
        sys.stderr.flush()
        text = sys.stdin.readline().strip() or text
    return text if text and normalise(text) else None


def _language(texts: Sequence[str]) -> str:
    code = likely_language(texts)
    if texts and code is None:
        raise NothingToLearn("the language of the texts is not certain: give it, such as --language pt-BR")
    return {"pt": "pt-BR"}.get(code or "", code or "")


def _learn(named: Sequence[tuple[HeardStretch, str | None]], *, to: Path, language: str, voice: str) -> int:
    """Write the prompts, and print a line for each stretch. Returns the exit code."""
    there = PhraseBook.load(to).phrases if (to / "manifest.yaml").exists() else ()
    known = {normalise(phrase.text) for phrase in there}
    text_of = {phrase.pcm: phrase.text for phrase in there}
    learned, nameless = 0, []
    for stretch, text in named:
        what = f"{stretch.number}  {stretch.at_ms / 1000:.3f}  "
        if stretch.left_out:
            sys.stdout.write(f"{what}left out: {stretch.left_out}\n")
        elif text is None:
            nameless.append(stretch.number)
            sys.stdout.write(f"{what}left out: its words are not known\n")
        elif normalise(text) in known:
            sys.stdout.write(f"{what}left out: “{text}” is in {to} already\n")
        elif stretch.pcm in text_of:
            there_as = f"as “{text_of[stretch.pcm]}”: correct its text in {to / 'manifest.yaml'}"
            sys.stdout.write(f"{what}left out: this sound is in {to} already, {there_as}\n")
        else:
            known.add(normalise(text))
            with tempfile.TemporaryDirectory() as folder:
                sound = Path(folder) / "stretch.wav"
                write_wav(sound, stretch.pcm)
                try:
                    _, wav = add_recording(sound, text=text, to=to, language=language, voice=voice, licence="own")
                except RecordingRefused as error:
                    raise NothingToLearn(f"{what}“{text}”: {error}") from None
            learned += 1
            sys.stdout.write(f"{what}“{text}”  {wav}\n")
    if nameless and not learned:
        first = nameless[0]
        how = f"give them (--text '{first}=…'), or name a reader (--reader local)"
        raise NothingToLearn(f"nothing was learned: the words are not known: {how}")
    return FINE
