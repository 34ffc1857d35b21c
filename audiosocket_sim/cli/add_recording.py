"""`add-recording`: adds an audio file to recordings/, or to its sounds/, as 8 kHz WAV with a line in the manifest."""

import io
import re
import sys
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import write_shared_file
from audiosocket_core.phrase_book.book import (
    WITHOUT_WORDS,
    CallerSoundKind,
    PhraseBook,
    normalise,
    speech_edges_ms,
)
from audiosocket_core.slin import duration_ms, is_silent, read_audio
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.cli.recording_language import LanguageUnknownError, language_of
from audiosocket_sim.scenario.paths import SOUNDS

__all__ = ["RecordingRefused", "add_recording", "add_recording_command"]

_RATE_HZ = 8000
_LONGEST_MS = 60_000
_NAME = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")
_SET_UP, _USAGE = 3, 2


class RecordingRefused(AudioSocketError):
    """The recording is refused. The message is one line: what is wrong, and what was expected."""


def add_recording(
    file: Path,
    *,
    text: str | None,
    to: Path,
    language: str | None,
    voice: str,
    licence: str,
    name: str | None = None,
    kind: CallerSoundKind = "turn",
) -> tuple[str, Path]:
    """Convert the file, write it below `to`, and list it in the manifest. Returns the recording's name and its file.

    A sound that is no turn (`kind`) goes to the folder `sounds` in `to`, which has a manifest of its own; coughs, dogs
    and the like have no `text` and no `language`. Raises RecordingRefused for a silent or over-long recording, a name
    that is taken or invalid, or a text that is missing or too much; and what `audiosocket_core.slin.read_audio` raises
    for a file that is not audio.
    """
    _check_words(text, language, kind)
    start = "" if kind == "turn" else f"{SOUNDS}/"
    to = to if kind == "turn" or to.name == SOUNDS else to / SOUNDS
    name = (name or _name_of(file, text, language, kind)).removeprefix(start)
    if not _NAME.fullmatch(name):
        raise RecordingRefused(f"--name {name}: expected lower-case letters, digits, _ and -, such as pt-br/my_phrase")
    manifest = to / "manifest.yaml"
    known = PhraseBook.load(manifest) if _lists_any(manifest) else PhraseBook([])
    if known.by_name(name) is not None:
        raise RecordingRefused(f"{start}{name} is in {manifest} already: choose another --name")
    wav = to / f"{name}.wav"
    if wav.exists() and not wav.samefile(file):
        raise RecordingRefused(f"{wav} is there already, and in no manifest: choose another --name, or remove it")
    pcm = _checked_sound(file)
    start_ms, end_ms = speech_edges_ms(pcm)
    entry: dict[str, str | int] = {
        "file": f"{name}.wav",
        **({} if kind == "turn" else {"kind": kind}),
        **({} if text is None or language is None else {"text": text, "language": language}),
        "voice": voice,
        "duration_ms": round(duration_ms(pcm, _RATE_HZ)),
        "speech_start_ms": start_ms,
        "speech_end_ms": end_ms,
        "licence": licence,
    }
    wav.parent.mkdir(parents=True, exist_ok=True)
    write_shared_file(wav, wav_bytes(pcm, _RATE_HZ))
    _list(manifest, entry)
    return f"{start}{name}", wav


def _check_words(text: str | None, language: str | None, kind: CallerSoundKind) -> None:
    """Raise RecordingRefused if there are no words where the kind has some, or some where it has none."""
    if kind in WITHOUT_WORDS:
        given = "--text" if text is not None else "--language" if language is not None else None
        if given is not None:
            raise RecordingRefused(f"{given}: a sound of the kind {kind} has no words")
    elif text is None:
        others = " or ".join(WITHOUT_WORDS)
        raise RecordingRefused(f"--text is missing: the words that are spoken (none for --kind {others})")
    elif not normalise(text):
        raise RecordingRefused("--text is empty: it needs the words that are spoken in the recording")


def _checked_sound(file: Path) -> bytes:
    """Return the sound of the file, as SLIN of 8 kHz. Raises RecordingRefused, and what `read_audio` raises."""
    pcm = read_audio(file, _RATE_HZ)
    length_ms = round(duration_ms(pcm, _RATE_HZ))
    if is_silent(pcm):
        raise RecordingRefused(f"{file}: silent throughout: nothing can be heard in it")
    if length_ms > _LONGEST_MS:
        raise RecordingRefused(f"{file}: {length_ms / 1000:.0f} s long, and at most {_LONGEST_MS // 1000} s are taken")
    return pcm


def _lists_any(manifest: Path) -> bool:
    return manifest.exists() and _entries(manifest.read_text(encoding="utf-8")) != []


def _name_of(file: Path, text: str | None, language: str | None, kind: CallerSoundKind) -> str:
    """Return the name by the words, or by the file's own where there are none."""
    words = "_".join(normalise(file.stem if text is None else text).split()[:6])
    plain = words.encode("ascii", "ignore").decode() or "recording"
    return plain if kind != "turn" else f"{language or ''}/{plain}".casefold()


def _list(manifest: Path, entry: dict[str, str | int]) -> None:
    """Append an entry to the manifest. A list with one dash per line keeps its text byte for byte."""
    before = manifest.read_bytes().decode("utf-8") if manifest.exists() else ""
    after = _appended(before, entry)
    if _entries(after) != [*(_entries(before) or []), entry]:
        after = _rewritten(before, entry)
    write_shared_file(manifest, after.encode("utf-8"))


def _appended(before: str, entry: dict[str, str | int]) -> str:
    """Return the manifest with the entry at its end, with its dash below the other dashes."""
    dash = re.search(r"^( *)- ", before, re.MULTILINE)
    indent = dash[1] if dash else ""
    quoted = {} if "text" not in entry else {"text": DoubleQuotedScalarString(str(entry["text"]))}
    shown = {**entry, **quoted}  # as in the manifests that ship with the project
    lines = _dumped([shown]).splitlines()
    end = "\r\n" if "\r\n" in before else "\n"
    start = before if not before or before.endswith("\n") else before + end
    return start + "".join(f"{indent}{line}{end}" for line in lines)


def _rewritten(before: str, entry: dict[str, str | int]) -> str:
    """Return a manifest in another style, such as `[{file: …}]`, with the entry. Comments and quotes are kept."""
    entries = _yaml().load(before)
    entries.append(entry)
    return _dumped(entries)


def _entries(text: str) -> list[object] | None:
    try:
        return list(YAML(typ="safe", pure=True).load(text) or [])
    except (YAMLError, ValueError, RecursionError):  # `PhraseBook.load` reports the error
        return None


def _dumped(entries: list[object]) -> str:
    text = io.StringIO()
    _yaml().dump(entries, text)
    return text.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.allow_unicode = True
    yaml.width = 4096
    return yaml


def add_recording_command(
    file: Path,
    *,
    text: str | None,
    to: Path,
    language: str | None,
    voice: str,
    licence: str,
    name: str | None,
    kind: CallerSoundKind = "turn",
) -> int:
    """Run the command and return the exit code. `language` None: taken from the name's folder, guessed, or asked."""
    if not file.exists():
        print(f"{file}: no such file", file=sys.stderr)  # noqa: T201
        return _USAGE
    asks = sys.stderr if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() else None
    guess = ""
    try:
        _check_words(text, language, kind)
        tag = language
        if text is not None:
            tongue = language_of(text, given=language, name=name, asks=asks, answers=sys.stdin)
            tag, guess = tongue.tag, "" if language else f"; language {tongue.tag} ({tongue.origin})"
        taken, wav = add_recording(
            file, text=text, to=to, language=tag, voice=voice, licence=licence, name=name, kind=kind
        )
    except (RecordingRefused, LanguageUnknownError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return _USAGE
    except FileNotFoundError:
        print(f"{file}: no such file", file=sys.stderr)  # noqa: T201
        return _USAGE
    except (AudioSocketError, OSError, ValueError, YAMLError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return _SET_UP
    print(f"{wav}: say it with `- say: {taken}`{guess}")  # noqa: T201
    return 0
