"""The embedded speech engine: recognises known recordings by their sound, and plays known prompts.

It is always available and needs no key and no network: for tests, for load, and for a first try. It recognises only
recordings of its phrase books, and only if they are heard whole (`audiosocket_core.phrase_book.matching`); it never
invents a text. Texts without a recording are spoken in a synthetic voice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import MANIFEST_NAME, Phrase, PhraseBook
from audiosocket_server.speech.base import SpeechError, Synthesised, WordEnd

if TYPE_CHECKING:
    from audiosocket_core.phrase_book.matching import Listening, Matcher

__all__ = ["EmbeddedEngine"]

LONGEST_GAP_MS = 2000
"""Callers think in the middle of a sentence, and `silence_threshold_seconds` decides how long is too long."""


class EmbeddedEngine:
    """The engine; made by `load`, which may take a second. It may serve several servers of one process."""

    name = "embedded"
    tells_words = True

    def __init__(self, matcher: "Matcher", prompts: PhraseBook, language: str, cache_folder: Path) -> None:
        self._matcher = matcher
        self._prompts = prompts
        self._language = language
        self._cache_folder = cache_folder

    @classmethod
    def load(
        cls,
        phrase_books: Sequence[Path],
        prompts_folder: Path,
        *,
        more_phrase_books: Sequence[Path] = (),
        language: str,
        cache_folder: Path,
    ) -> "EmbeddedEngine":
        """Read the phrase books and make their fingerprints. Blocking: call it in the executor.

        `phrase_books` and prompts are cached by the process; `more_phrase_books` are small, and read each time.
        `cache_folder`: for synthetic speech. Raises PhraseBookError or AudioFileError.
        """
        matcher = _matcher(_stamped(phrase_books))
        if more_phrase_books:
            matcher = _larger(matcher, _book(_stamped(phrase_books)), more_phrase_books)
        return cls(matcher, _book(_stamped([prompts_folder])), language, cache_folder)

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> "MatchedTurn":
        """Start the recognition of one utterance; there are no interim texts. See `SpeechEngine`."""
        return MatchedTurn(self._matcher.listen())

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[Synthesised]:
        """Play the prompt with this text, whatever its voice; other texts are spoken in the synthetic voice."""
        phrase = self._prompts.by_text(text, language=self._language) or self._prompts.by_text(text)
        try:
            if phrase is not None:
                for end in phrase.word_ends_in(text):
                    yield WordEnd(*end)
                yield phrase.pcm
                return
            from audiosocket_core.phrase_book.synthetic_voice import (
                render,  # imported late: it needs an extra, and few servers say texts without a recording
            )

            loop = asyncio.get_running_loop()
            yield await loop.run_in_executor(None, partial(render, text, self._language, cache=self._cache_folder))
        except (AudioSocketError, OSError) as error:  # OSError: the process cannot be started
            raise SpeechError(str(error)) from error

    async def aclose(self) -> None:
        """No-op: the engine holds nothing but memory."""


class MatchedTurn:
    """The `Recognition` of one utterance: the phrases that were heard whole, in order.

    There are no interim texts: which phrase it is remains a guess until all of it was heard.
    """

    def __init__(self, listening: "Listening") -> None:
        self._listening: Listening | None = listening

    def feed(self, pcm: bytes) -> None:
        """Take caller audio. See `Recognition`."""
        if self._listening is not None:
            self._listening.feed(pcm)

    def likely(self) -> str:
        """Return the texts of the phrases heard so far, and of the best one that is being heard. See `TellsLikely`."""
        return " ".join(match.phrase.text for match in self._listening.so_far()) if self._listening is not None else ""

    async def finish(self) -> str:
        """Return the texts of the phrases heard whole, joined by spaces. See `Recognition`."""
        listening, self._listening = self._listening, None
        if listening is None:
            return ""
        found = None
        for found in listening.finishing():
            if found is None:
                await asyncio.sleep(0)  # a long utterance takes milliseconds: let other calls run in between
        return " ".join(match.phrase.text for match in found or () if match.whole)

    def cancel(self) -> None:
        """Discard the recognition. See `Recognition`."""
        self._listening = None


# A book is read once for all servers of a process, and again if its manifest has changed.
_Stamped = tuple[tuple[Path, int], ...]


def _stamped(folders: Sequence[Path]) -> _Stamped:
    manifests = [folder / MANIFEST_NAME for folder in folders]
    return tuple(
        (folder, manifest.stat().st_mtime_ns if manifest.is_file() else 0)
        for folder, manifest in zip(folders, manifests, strict=True)
    )


@lru_cache(maxsize=8)
def _book(folders: _Stamped) -> PhraseBook:
    book = PhraseBook.load(*(folder for folder, _ in folders))
    for phrase in book.phrases:
        _ = phrase.pcm  # reads the recording now, not during a call
    return book


@lru_cache(maxsize=8)
def _matcher(folders: _Stamped) -> "Matcher":
    return _ready(_book(folders).phrases)


def _larger(known: "Matcher", book: PhraseBook, folders: Sequence[Path]) -> "Matcher":
    """Return a matcher of the book and of the folders' present content, which is read anew."""
    from audiosocket_core.slin import read_audio

    fresh = [
        replace(phrase, samples=read_audio(phrase.path)) if phrase.path is not None else phrase
        for phrase in PhraseBook.load(*folders).phrases
    ]
    return _ready([*book.phrases, *fresh]) if fresh else known


def _ready(phrases: Sequence[Phrase]) -> "Matcher":
    from audiosocket_core.phrase_book.matching import Matcher  # imported late: numpy

    matcher = Matcher(phrases, longest_gap_ms=LONGEST_GAP_MS)
    matcher.listen()  # makes the fingerprints
    return matcher
