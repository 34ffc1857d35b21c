"""The voice of the fake: recordings of the phrase book, or else the synthetic voice. Blocking.

It says when each word is said, as the service does: as the phrase book's manifest says, and where that says nothing, by
an estimate: letters take equal shares of the sound.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_core.phrase_book.book import Phrase, PhraseBook, normalise
from audiosocket_sim.fake_azure.messages import WordBoundary

__all__ = ["SpokenText", "TextToSpeech", "phrase_book_synthesiser"]

_WORD = re.compile(r"\S+")
_PARTS = re.compile(r"(\W*)(.*?)(\W*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What was synthesised: SLIN (8 kHz), and its words in order. A punctuation mark is an entry of its own."""

    pcm: bytes
    words: tuple[WordBoundary, ...] = ()


TextToSpeech = Callable[[str, str, str], SpokenText]
"""Takes text, voice and language. Called in an executor; raises AudioSocketError, OSError."""


def phrase_book_synthesiser(folders: Sequence[Path], cache: Path) -> TextToSpeech:
    """Return a function that speaks the recordings of these phrase books, and any other text in the synthetic voice.

    The synthetic voice needs the extra `[voice]`; its sound is kept in the folder `cache`. Raises PhraseBookError.
    """
    book = PhraseBook.load(*folders)

    def speak(text: str, voice: str, language: str) -> SpokenText:
        if not normalise(text):
            return SpokenText(b"")
        phrase = book.by_text(text, language=language) or book.by_text(text)
        if phrase is None:
            from audiosocket_core.phrase_book.synthetic_voice import render  # imported here, since it needs the extra

            phrase = Phrase.from_pcm("", text, render(text, language or "pt-BR", cache=cache))
        return SpokenText(phrase.pcm, tuple(_words(text, phrase)))

    return speak


def _words(text: str, phrase: Phrase) -> Iterator[WordBoundary]:
    begins_ms, at = phrase.speech_start_ms, 0
    for text_end, ends_ms in list(phrase.word_ends_in(text)) or _estimated(text, phrase):
        _, word, marks = _parts(text[at:text_end].strip())
        if word:
            yield WordBoundary(word, begins_ms, ends_ms - begins_ms)
        if marks:
            yield WordBoundary(marks, ends_ms, 0, is_punctuation=True)
        begins_ms, at = ends_ms, text_end


def _estimated(text: str, phrase: Phrase) -> list[tuple[int, int]]:
    lasts_ms = phrase.speech_end_ms - phrase.speech_start_ms
    letters = len("".join(text.split()))
    ends: list[tuple[int, int]] = []
    said = 0
    for word in _WORD.finditer(text):
        said += len(word.group())
        ends.append((word.end(), phrase.speech_start_ms + round(lasts_ms * said / letters)))
    return ends


def _parts(written: str) -> tuple[str, str, str]:
    """Split what stands between two spaces: the marks before the word, the word, and the marks behind it."""
    found = _PARTS.fullmatch(written)
    assert found is not None, "the expression matches any text"
    return found[1], found[2], found[3]
