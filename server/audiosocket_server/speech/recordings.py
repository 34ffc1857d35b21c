"""The embedded engine: recognises known recordings by their sound, speaks known prompts, other texts in a synthetic
voice. Always there, needs no key and no network; for tests, for load, and for the first run.

The book gives the candidates and the sound decides (`audiosocket_core.phrase_book.matching`): what is in no book, or
is not heard whole, is not recognised. It invents no text.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import MANIFEST_NAME, Phrase, PhraseBook
from audiosocket_server.speech.base import SpeechError

if TYPE_CHECKING:
    from audiosocket_core.phrase_book.matching import Listening, Matcher

__all__ = ["EmbeddedEngine"]


class EmbeddedEngine:
    """Made by `load`, which may take a second; serves all calls. One engine may serve several servers of a process."""

    name = "embedded"

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
        """Read the books and make their prints. Blocks: for the executor. Raises PhraseBookError, AudioFileError.

        `phrase_books` and prompts are kept by the process; `more_phrase_books` are small, and read each time.
        """
        matcher = _matcher(_stamped(phrase_books))
        if more_phrase_books:
            matcher = _larger(matcher, _book(_stamped(phrase_books)), more_phrase_books)
        return cls(matcher, _book(_stamped([prompts_folder])), language, cache_folder)

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> "MatchedTurn":
        return MatchedTurn(self._matcher.listen())

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        """A prompt by its text, whatever the voice; any other text in the synthetic voice, made in the executor."""
        phrase = self._prompts.by_text(text, language=self._language) or self._prompts.by_text(text)
        try:
            if phrase is not None:
                yield phrase.pcm
                return
            from audiosocket_core.phrase_book.synthetic_voice import (
                render,  # late: needs the extra, and few servers say unknown texts
            )

            loop = asyncio.get_running_loop()
            yield await loop.run_in_executor(None, partial(render, text, self._language, cache=self._cache_folder))
        except (AudioSocketError, OSError) as error:  # the latter: no place for the cache, no process for the voice
            raise SpeechError(str(error)) from error

    async def aclose(self) -> None:
        """Nothing is held but memory."""


class MatchedTurn:
    """The `Recognition` of one caller turn: the phrases that were heard whole, in their order. No interim texts: what a
    phrase is going to be is a guess, until it has been heard."""

    def __init__(self, listening: "Listening") -> None:
        self._listening: Listening | None = listening

    def feed(self, pcm: bytes) -> None:
        if self._listening is not None:
            self._listening.feed(pcm)

    async def finish(self) -> str:
        listening, self._listening = self._listening, None
        if listening is None:
            return ""
        found = None
        for found in listening.finishing():
            if found is None:
                await asyncio.sleep(0)  # after a long utterance it is milliseconds: other calls go on between
        return " ".join(match.phrase.text for match in found or () if match.whole)

    def cancel(self) -> None:
        self._listening = None


# A book is read and measured once, whatever number of servers a test starts; again where its manifest has changed.
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
        _ = phrase.pcm  # read now, not at the first frame
    return book


@lru_cache(maxsize=8)
def _matcher(folders: _Stamped) -> "Matcher":
    return _ready(_book(folders).phrases)


def _larger(known: "Matcher", book: PhraseBook, folders: Sequence[Path]) -> "Matcher":
    """A matcher of the book and of what is in these folders now, also where it was something else a minute ago."""
    from audiosocket_core.slin import read_audio

    fresh = [
        replace(phrase, samples=read_audio(phrase.path)) if phrase.path is not None else phrase
        for phrase in PhraseBook.load(*folders).phrases
    ]
    return _ready([*book.phrases, *fresh]) if fresh else known


def _ready(phrases: Sequence[Phrase]) -> "Matcher":
    from audiosocket_core.phrase_book.matching import Matcher  # late: numpy

    matcher = Matcher(phrases)
    matcher.listen()  # makes the prints
    return matcher
