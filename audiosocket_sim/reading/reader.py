"""A reader of stretches of speech: how it is found by its name, called, checked, and its answers kept.

A reader is a callable `reader(pcm, rate_hz, language)`, plain or `async def`. It gets a whole stretch as SLIN of 8 kHz
with silence around it, and the language as a tag such as pt-BR, or "" if it is not known. It returns the text, "" for
none; or an object or a mapping with `text` and, if it has them, `confidence` (0 to 1) and `words`, each with `text`,
`start_ms`, `end_ms` (from the beginning of what it got) and `confidence`. Optional attributes of the callable:
`version`, a text that changes whenever its answers do (by default the hash of its file), and `prepare()`, which is
called before the first call. It is called in a thread, for one stretch at a time.
"""

import asyncio
import inspect
import json
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeGuard

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.kept_files import KeptFiles
from audiosocket_sim.reading.choice import LOCAL, LOCAL_IMPORT
from audiosocket_sim.reading.code_version import version_of
from audiosocket_sim.reading.named_callable import named_callable
from audiosocket_sim.reading.read_speech import ReadSpeech, ReadWord

__all__ = ["ReaderError", "StretchReader", "load_reader"]

RATE_HZ = 8000
_MS = 2 * RATE_HZ // 1000  # bytes
_BEFORE_MS, _BEHIND_MS = 300, 600
"""Silence around a stretch (ms): a recogniser hears the first and the last word better."""
_LONGEST_TEXT = 20_000
_MOST_KEPT = 4_000
_WANTED = "expected reader(pcm, rate_hz, language)"
_FORM = 1
"""The form of what is kept: a new number forgets all."""


class ReaderError(AudioSocketError):
    """A reader cannot be used, or has failed. The message is one line."""


class StretchReader:
    """One reader, with its cache. `name`: as the user wrote it. `call`: the callable."""

    def __init__(self, name: str, call: Callable[..., Any], cache: KeptFiles) -> None:
        self.name = name
        self._call = call
        self._cache = cache
        self._lock = threading.Lock()
        self._version = version_of(call)

    def prepare(self) -> None:
        """Let the reader load what it needs. Blocking. Raises ReaderError."""
        prepare = getattr(self._call, "prepare", None)
        if callable(prepare):
            self._of_the_reader(prepare)

    def kept(self, pcm: bytes, language: str) -> ReadSpeech | None:
        """Return what was read of this sound before, or None."""
        answer = self._cache.get(*self._key(pcm, language))
        try:
            return None if answer is None else _read_speech(self.name, json.loads(answer))
        except (ValueError, ReaderError):
            return None  # a file that somebody has damaged

    def read(self, pcm: bytes, language: str) -> ReadSpeech:
        """Read a stretch (SLIN, 8 kHz), and keep the answer. Blocking. Raises ReaderError."""
        sound = bytes(_BEFORE_MS * _MS) + pcm + bytes(_BEHIND_MS * _MS)
        with self._lock:
            answer = self._of_the_reader(self._call, sound, RATE_HZ, language)
        found = _within(_read_speech(self.name, answer), len(pcm) // _MS)
        self._cache.put(json.dumps(asdict(found)).encode(), *self._key(pcm, language))
        return found

    def _key(self, pcm: bytes, language: str) -> tuple[bytes, ...]:
        return (str(_FORM).encode(), self.name.encode(), self._version.encode(), language.encode(), pcm)

    def _of_the_reader(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            answer = call(*arguments)
            return asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer
        except Exception as error:  # it is somebody's code, and may raise anything
            said = " ".join(str(error).split())
            kind = (
                "" if isinstance(error, ReaderError) or type(error).__name__ == "SpeechError" else type(error).__name__
            )
            raise ReaderError(f"the reader {self.name} failed: {': '.join(filter(None, (kind, said)))}") from error


async def _awaited(answer: Any) -> Any:
    return await answer


def load_reader(name: str, cache_folder: Path, folder: Path | None = None) -> StretchReader:
    """Return the reader of this name, `local` or `module:callable`. Imports it. Raises ReaderError.

    `cache_folder`: where answers are kept. `folder`: where a module may lie that is not in the working folder.
    """
    import_string = LOCAL_IMPORT if name == LOCAL else name
    try:
        found = named_callable(f"the reader {name}", import_string, folder, (b"", RATE_HZ, ""), _WANTED)
    except ValueError as error:
        raise ReaderError(str(error)) from error
    return StretchReader(name, found, KeptFiles(cache_folder, ".json", most_files=_MOST_KEPT))


def _read_speech(name: str, answer: object) -> ReadSpeech:
    """Return the answer of a reader in our form. Raises ReaderError with what was expected."""
    if isinstance(answer, str):
        return ReadSpeech(_one_line(answer))
    text = _of(answer, "text")
    if not isinstance(text, str):
        raise ReaderError(
            f"the reader {name} returned {type(answer).__name__}: expected a text, or an object with `text`"
        )
    words = _of(answer, "words") or ()
    if not isinstance(words, Iterable) or isinstance(words, str | bytes):
        raise ReaderError(f"the reader {name}: words: expected a list, not {words!r:.80}")
    return ReadSpeech(_one_line(text), tuple(_word(name, word) for word in words), _share(name, answer))


def _word(name: str, word: object) -> ReadWord:
    text, start, end = (_of(word, key) for key in ("text", "start_ms", "end_ms"))
    if not isinstance(text, str) or not _is_time(start) or not _is_time(end):
        raise ReaderError(f"the reader {name}: words: each needs text, start_ms and end_ms, not {word!r:.80}")
    return ReadWord(_one_line(text), round(start), round(end), _share(name, word))


def _is_time(ms: object) -> TypeGuard[float]:
    return isinstance(ms, int | float) and math.isfinite(ms)


def _share(name: str, answer: object) -> float | None:
    value = _of(answer, "confidence")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ReaderError(f"the reader {name}: confidence: expected a number from 0 to 1, not {value!r:.80}")
    return float(value)


def _of(answer: object, key: str) -> object:
    return answer.get(key) if isinstance(answer, Mapping) else getattr(answer, key, None)


def _one_line(text: str) -> str:
    return " ".join(text[:_LONGEST_TEXT].split())


def _within(found: ReadSpeech, length_ms: int) -> ReadSpeech:
    """The answer with the times of its words counted from the stretch, and inside it."""

    def inside(ms: int) -> int:
        return min(max(0, ms - _BEFORE_MS), length_ms)

    words = tuple(ReadWord(w.text, inside(w.start_ms), inside(w.end_ms), w.confidence) for w in found.words)
    return ReadSpeech(found.text, words, found.confidence)
