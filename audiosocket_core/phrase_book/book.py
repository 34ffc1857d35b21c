"""A phrase book: recordings with their texts, read from `manifest.yaml`. Also the rule by which two texts are equal.

Loading a book reads only the manifest; a recording is read when its sound is first needed. Matching sounds belongs in
`matching`, synthesis in `synthetic_voice`; nothing here writes files.
"""

import re
import reprlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file

__all__ = [
    "MANIFEST_NAME",
    "SOUND_KINDS",
    "WITHOUT_WORDS",
    "CallerSoundKind",
    "Phrase",
    "PhraseBook",
    "PhraseBookError",
    "longest_known",
    "normalise",
    "speech_edges_ms",
]

MANIFEST_NAME = "manifest.yaml"
SAMPLE_RATE_HZ = 8000
_LARGEST_MANIFEST_BYTES = 2_000_000
_DEEPEST = 20

# A piece of 10 ms is speech if it is at most this far below the loudest piece: that excludes a breath, and includes the
# soft last vowel of a Portuguese word.
_SPEECH_RANGE_DB = 32.0
_PIECE_MS = 10

_REQUIRED = ("file", "text", "language")
_OPTIONAL_MS = ("duration_ms", "speech_start_ms", "speech_end_ms")
_KEYS = (*_REQUIRED, "voice", "kind", *_OPTIONAL_MS, "word_ends_ms", "licence")

CallerSoundKind = Literal["turn", "backchannel", "vocal_tic", "non_directed"]
"""What a caller's sound is in a conversation: a turn; “uh-huh”; a cough, breath or laugh; a dog, a door, television."""
SOUND_KINDS: tuple[CallerSoundKind, ...] = get_args(CallerSoundKind)
WITHOUT_WORDS = ("vocal_tic", "non_directed")
"""Kinds of sounds that have no words: a manifest needs no `text` and no `language` for them."""

_TYPES = {str: "text", int: "a whole number"}

_V = TypeVar("_V", str, int)


class PhraseBookError(AudioSocketError):
    """A manifest cannot be used. The message is one line: the file, the entry, and what is wrong with it."""


def normalise(text: str) -> str:
    """Return the text in the form in which texts are compared: lower case, no accents or punctuation, single spaces.

    >>> normalise("Não, obrigado: é só isso!")
    'nao obrigado e so isso'
    """
    # Decomposed before and after casefold, because some letters have a lower-case form only once decomposed.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(plain.translate(_KEPT).split())


def longest_known(texts: Iterable[str]) -> int:
    """Return how long a text may be, in characters, that is looked up among `texts`: a longer one is none of them.

    Looking it up would take milliseconds, since a character can be made of twenty.
    """
    return 100 + 4 * max(map(len, texts), default=0)


class _Kept(dict[int, int | None]):
    """Cache of what `normalise` makes of each character, by code point: the character, a space, or nothing."""

    _MOST = 10_000

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        kept = None if unicodedata.combining(character) else code if character.isalnum() else ord(" ")
        if len(self) < self._MOST:
            self[code] = kept
        return kept


_KEPT = _Kept()


@dataclass(frozen=True, slots=True)
class Phrase:
    """One recording and its text. Times are milliseconds from the start of the recording.

    `path` is None for a phrase in memory, which holds its samples itself (`from_pcm`). `kind`: what it is in a
    conversation, by its label in the manifest. A sound without words has the text "".
    """

    name: str
    text: str
    language: str
    voice: str
    duration_ms: int
    speech_start_ms: int
    speech_end_ms: int
    path: Path | None = None
    samples: bytes | None = None
    kind: CallerSoundKind = "turn"
    word_ends_ms: tuple[int, ...] = ()
    """When each word of the text ends, as the manifest says; empty if it does not."""

    def word_ends_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Iterate over the words of `text`: its characters up to the end of a word, and when that ends (ms).

        `text`: this phrase's, in whatever case and punctuation. Nothing, if the manifest does not say when words end.
        """
        words = list(re.finditer(r"\S+", text))
        if len(words) == len(self.word_ends_ms):
            for word, ends_ms in zip(words, self.word_ends_ms, strict=True):
                yield word.end(), ends_ms

    @property
    def pcm(self) -> bytes:
        """The sound: SLIN, 16-bit little-endian, 8 kHz, mono. The process reads a file once, and keeps its sound.

        Raises AudioFileError or OSError if the file cannot be read.
        """
        if self.samples is not None:
            return self.samples
        if self.path is None:
            raise PhraseBookError(f"phrase {self.name} has neither a file nor samples")
        return _read(self.path)

    @classmethod
    def from_pcm(cls, name: str, text: str, pcm: bytes, *, language: str = "", voice: str = "") -> "Phrase":
        """Make a phrase from SLIN (8 kHz) in memory; the edges of its speech are measured."""
        start_ms, end_ms = speech_edges_ms(pcm)
        duration_ms = len(pcm) // 2 * 1000 // SAMPLE_RATE_HZ
        return cls(name, text, language, voice, duration_ms, start_ms, end_ms, samples=pcm)


class PhraseBook:
    """Phrases in the order of their manifests, found by name or by text. Immutable."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._recordings = tuple(phrases)
        self._phrases = tuple(phrase for phrase in self._recordings if phrase.text)
        self._by_name: dict[str, Phrase] = {}
        self._by_text: dict[str, list[Phrase]] = {}
        for phrase in self._recordings:
            self._by_name.setdefault(phrase.name, phrase)
        for phrase in self._phrases:
            self._by_text.setdefault(normalise(phrase.text), []).append(phrase)
        self._longest = longest_known(phrase.text for phrase in self._phrases)

    @classmethod
    def load(cls, *sources: Path | str) -> "PhraseBook":
        """Read manifests, or folders with a `manifest.yaml`. If two phrases have one name, the first one counts.

        Raises PhraseBookError that names the file and the entry.
        """
        return cls(phrase for source in sources for phrase in _load_manifest(Path(source)))

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """All recordings with words."""
        return self._phrases

    @property
    def recordings(self) -> tuple[Phrase, ...]:
        """All recordings, those without words too."""
        return self._recordings

    def by_name(self, name: str) -> Phrase | None:
        """Return the phrase with this name, such as `pt-br/sim` (its path in the book, without suffix), or None."""
        return self._by_name.get(name)

    def by_text(self, text: str, *, voice: str | None = None, language: str | None = None) -> Phrase | None:
        """Return the first phrase with this text, or None. Case, accents and punctuation are ignored.

        `voice` and `language`, if given, must be those of the phrase: the callers and the bot share some texts.
        """
        if len(text) > self._longest:
            return None
        for phrase in self._by_text.get(normalise(text), ()):
            voice_fits = voice is None or phrase.voice == voice
            if voice_fits and (language is None or phrase.language.casefold() == language.casefold()):
                return phrase
        return None


def speech_edges_ms(pcm: bytes) -> tuple[int, int]:
    """Return where the speech in SLIN (8 kHz) begins and ends, in steps of 10 ms; (0, 0) for digital silence.

    Only for clean recordings: everything within 32 dB of the loudest 10 ms counts as speech.
    """
    import numpy as np  # imported late: a book whose manifest has the times needs no numpy

    piece = SAMPLE_RATE_HZ * _PIECE_MS // 1000
    count = len(pcm) // 2 // piece
    wave = np.frombuffer(pcm, "<i2", count * piece).astype(np.float64).reshape(count, piece)
    power = (wave**2).mean(axis=1)
    loudest = power.max(initial=0.0)
    if loudest <= 0.0:
        return 0, 0
    loud = np.flatnonzero(power >= loudest * 10 ** (-_SPEECH_RANGE_DB / 10))
    return int(loud[0]) * _PIECE_MS, (int(loud[-1]) + 1) * _PIECE_MS


@lru_cache(maxsize=4096)
def _read(path: Path) -> bytes:
    from audiosocket_core.slin import read_audio  # imported late: see speech_edges_ms

    return read_audio(path, SAMPLE_RATE_HZ)


def _load_manifest(source: Path) -> tuple[Phrase, ...]:
    manifest = source / MANIFEST_NAME if source.is_dir() else source
    try:
        found = manifest.stat()
    except OSError as error:
        raise PhraseBookError(f"{manifest}: cannot be read: {error}") from error
    return _phrases(manifest, (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=64)
def _phrases(manifest: Path, version: tuple[int, ...]) -> tuple[Phrase, ...]:
    """What the manifest holds. Read once for each `version` of the file: every call of a test run needs it."""
    entries = _yaml(manifest)
    if not isinstance(entries, list):
        raise PhraseBookError(f"{manifest}: expected a list of phrases (- file: …)")
    phrases: list[Phrase] = []
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        phrase = _entry(manifest, number, entry)
        if phrase.name in names:
            raise PhraseBookError(f"{manifest}: entry {number}: the phrase {phrase.name} occurs twice")
        names.add(phrase.name)
        phrases.append(phrase)
    return tuple(phrases)


def _yaml(manifest: Path) -> object:
    """What the manifest holds, whoever wrote it: bounded in size and depth. Raises PhraseBookError with the place."""
    from ruamel.yaml import YAML  # late: who only compares texts needs no YAML
    from ruamel.yaml.constructor import ConstructorError, SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    class Constructor(SafeConstructor):
        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except ValueError as error:  # a number of thousands of digits, a date in the 13th month
                raise ConstructorError(None, None, f"no value that can be read: {error}", node.start_mark) from None

    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor, yaml.max_depth = Constructor, _DEEPEST
    try:
        return yaml.load(read_regular_file(manifest, _LARGEST_MANIFEST_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise PhraseBookError(f"{manifest}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PhraseBookError(f"{manifest}: cannot be read: {error}") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{manifest}:{mark.line + 1}:{mark.column + 1}" if mark is not None else f"{manifest}"
        why = str(error.problem or error.context or "cannot be read")
        raise PhraseBookError(f"{place}: not YAML: {' '.join(why.split())[:300]}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise PhraseBookError(f"{manifest}: not YAML: {' '.join(str(error).split())[:300]}") from error


def _entry(manifest: Path, number: int, entry: object) -> Phrase:
    where = f"{manifest}: entry {number}"
    if not isinstance(entry, Mapping):
        raise PhraseBookError(f"{where}: expected keys and values, got {reprlib.repr(entry)}")
    for key in entry:
        if key not in _KEYS:
            raise PhraseBookError(f"{where}: unknown key {reprlib.repr(key)}; expected one of {', '.join(_KEYS)}")
    kind = _value(where, entry, "kind", str) or "turn"
    if kind not in SOUND_KINDS:
        raise PhraseBookError(f"{where}: kind: expected one of {', '.join(SOUND_KINDS)}, got {reprlib.repr(kind)}")
    for key in ("file",) if kind in WITHOUT_WORDS else _REQUIRED:
        if not _value(where, entry, key, str):
            raise PhraseBookError(f"{where}: {key} is missing")
    file = Path(_value(where, entry, "file", str) or "")
    where = f"{where} ({file})"
    path = manifest.parent / file
    if not path.is_file():
        raise PhraseBookError(f"{where}: no such file")
    name, text = file.with_suffix("").as_posix(), _value(where, entry, "text", str) or ""
    language, voice = _value(where, entry, "language", str) or "", _value(where, entry, "voice", str) or ""
    times = [_value(where, entry, key, int) for key in _OPTIONAL_MS]
    if None in times:
        measured = Phrase.from_pcm(name, text, _read(path))
        own = (measured.duration_ms, measured.speech_start_ms, measured.speech_end_ms)
        times = [given if given is not None else found for given, found in zip(times, own, strict=True)]
    duration_ms, start_ms, end_ms = (time or 0 for time in times)
    if not 0 <= start_ms <= end_ms <= duration_ms:
        raise PhraseBookError(
            f"{where}: expected 0 <= speech_start_ms <= speech_end_ms <= duration_ms,"
            f" got {start_ms}, {end_ms}, {duration_ms}"
        )
    ends_ms = _word_ends(where, entry, text, duration_ms)
    return Phrase(name, text, language, voice, duration_ms, start_ms, end_ms, path, kind=kind, word_ends_ms=ends_ms)


def _word_ends(where: str, entry: Mapping[str, object], text: str, duration_ms: int) -> tuple[int, ...]:
    """When the words end, by the manifest; empty if it does not say."""
    given: Any = entry.get("word_ends_ms")
    if given is None:
        return ()
    wanted = f"{len(text.split())} whole numbers, one a word, rising, up to {duration_ms}"
    numbers = isinstance(given, list) and all(isinstance(ms, int) and not isinstance(ms, bool) for ms in given)
    rising = numbers and all(a < b for a, b in pairwise([-1, *given, duration_ms + 1]))
    if not rising or len(given) != len(text.split()):
        raise PhraseBookError(f"{where}: word_ends_ms: expected {wanted}, got {reprlib.repr(given)}")
    return tuple(given)


def _value(where: str, entry: Mapping[str, object], key: str, wanted: type[_V]) -> _V | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise PhraseBookError(f"{where}: {key}: expected {_TYPES[wanted]}, got {reprlib.repr(value)}")
    return value
