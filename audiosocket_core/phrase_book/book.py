"""A phrase book: recordings with their texts, read from `manifest.yaml`. Also what makes two texts the same text.

Reads only the manifest when a book is loaded; a recording is read when its sound is first asked for. Must not match
sounds (`matching`), make speech (`synthetic_voice`) or write files.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from audiosocket_core.errors import AudioSocketError

__all__ = ["MANIFEST_NAME", "Phrase", "PhraseBook", "PhraseBookError", "normalise", "speech_edges_ms"]

MANIFEST_NAME = "manifest.yaml"
SAMPLE_RATE_HZ = 8000

# A 10 ms piece belongs to the speech when it is at most this far under the loudest one: a breath is not speech, the
# soft last vowel of a Portuguese word is.
_SPEECH_RANGE_DB = 32.0
_PIECE_MS = 10

_REQUIRED = ("file", "text", "language")
_OPTIONAL_MS = ("duration_ms", "speech_start_ms", "speech_end_ms")
_KEYS = (*_REQUIRED, "voice", *_OPTIONAL_MS, "licence")

_V = TypeVar("_V", str, int)


class PhraseBookError(AudioSocketError):
    """A manifest cannot be used. One line: the file, the entry, what is wrong with it."""


def normalise(text: str) -> str:
    """The text as it is compared everywhere: small letters, no accents, no punctuation, single spaces.

    >>> normalise("Não, obrigado: é só isso!")
    'nao obrigado e so isso'
    """
    # Decomposed on both sides of casefold: some letters are capital only once they are taken apart.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


@dataclass(frozen=True, slots=True)
class Phrase:
    """One known sound and what is said in it. Times are milliseconds from the start of the recording.

    `path` is None for a phrase made by a synthetic voice; such a phrase holds its samples itself (`from_pcm`).
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

    @property
    def pcm(self) -> bytes:
        """SLIN, 16-bit little-endian, 8 kHz, mono. Read from the file at the first use, then kept by the process."""
        if self.samples is not None:
            return self.samples
        if self.path is None:
            raise PhraseBookError(f"phrase {self.name}: neither a file nor samples")
        return _read(self.path)

    @classmethod
    def from_pcm(cls, name: str, text: str, pcm: bytes, *, language: str = "", voice: str = "") -> "Phrase":
        """A phrase of SLIN (8 kHz) in memory; where its speech begins and ends is measured."""
        start_ms, end_ms = speech_edges_ms(pcm)
        duration_ms = len(pcm) // 2 * 1000 // SAMPLE_RATE_HZ
        return cls(name, text, language, voice, duration_ms, start_ms, end_ms, samples=pcm)


class PhraseBook:
    """Phrases in the order of their manifests, found by name or by text. Does not change once made."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)
        self._by_name: dict[str, Phrase] = {}
        self._by_text: dict[str, list[Phrase]] = {}
        for phrase in self._phrases:
            self._by_name.setdefault(phrase.name, phrase)
            self._by_text.setdefault(normalise(phrase.text), []).append(phrase)

    @classmethod
    def load(cls, *sources: Path | str) -> "PhraseBook":
        """Read folders (their `manifest.yaml`) or manifests; of two phrases of one name the first source's wins.

        Raises PhraseBookError naming the file and the entry.
        """
        return cls(phrase for source in sources for phrase in _load_manifest(Path(source)))

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        return self._phrases

    def by_name(self, name: str) -> Phrase | None:
        """The phrase of that name, such as `pt-br/sim` (the path in its book, without suffix), or None."""
        return self._by_name.get(name)

    def by_text(self, text: str, *, voice: str | None = None, language: str | None = None) -> Phrase | None:
        """The first phrase that says this (case, accents and punctuation aside), or None.

        `voice` and `language`, where given, must be the phrase's own: callers and bot say some of the same texts.
        """
        for phrase in self._by_text.get(normalise(text), ()):
            voice_fits = voice is None or phrase.voice == voice
            if voice_fits and (language is None or phrase.language.casefold() == language.casefold()):
                return phrase
        return None


def speech_edges_ms(pcm: bytes) -> tuple[int, int]:
    """Where the speech in SLIN of 8 kHz begins and ends, in steps of 10 ms; (0, 0) for digital silence.

    Meant for clean recordings: everything within 32 dB of the loudest 10 ms is speech.
    """
    import numpy as np  # late: loading a book whose manifest knows the times needs no numpy

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
    from audiosocket_core.slin import read_audio  # late: see speech_edges_ms

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
    from ruamel.yaml import YAML  # late: who only compares texts needs no YAML
    from ruamel.yaml.error import YAMLError

    try:
        entries = YAML(typ="safe", pure=True).load(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PhraseBookError(f"{manifest}: cannot be read: {error}") from error
    except YAMLError as error:
        raise PhraseBookError(f"{manifest}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(entries, list):
        raise PhraseBookError(f"{manifest}: a list of phrases was expected (- file: …)")
    phrases: list[Phrase] = []
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        phrase = _entry(manifest, number, entry)
        if phrase.name in names:
            raise PhraseBookError(f"{manifest}: entry {number}: {phrase.name} is there twice")
        names.add(phrase.name)
        phrases.append(phrase)
    return tuple(phrases)


def _entry(manifest: Path, number: int, entry: object) -> Phrase:
    where = f"{manifest}: entry {number}"
    if not isinstance(entry, Mapping):
        raise PhraseBookError(f"{where}: keys and values were expected, got {entry!r}")
    for key in entry:
        if key not in _KEYS:
            raise PhraseBookError(f"{where}: unknown key {key!r}; known are {', '.join(_KEYS)}")
    for key in _REQUIRED:
        if not _value(where, entry, key, str):
            raise PhraseBookError(f"{where}: {key} is missing")
    file = Path(_value(where, entry, "file", str) or "")
    where = f"{where} ({file})"
    path = manifest.parent / file
    if not path.is_file():
        raise PhraseBookError(f"{where}: there is no such file")
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
            f"{where}: 0 <= speech_start_ms <= speech_end_ms <= duration_ms was expected,"
            f" got {start_ms}, {end_ms}, {duration_ms}"
        )
    return Phrase(name, text, language, voice, duration_ms, start_ms, end_ms, path)


def _value(where: str, entry: Mapping[str, object], key: str, wanted: type[_V]) -> _V | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise PhraseBookError(f"{where}: {key}: {wanted.__name__} was expected, got {value!r}")
    return value
