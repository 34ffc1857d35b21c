"""The voice of the fake: recordings of the phrase book, or else the synthetic voice. Blocking."""

from collections.abc import Callable, Sequence
from pathlib import Path

from audiosocket_core.phrase_book.book import PhraseBook, normalise

__all__ = ["TextToSpeech", "phrase_book_synthesiser"]

TextToSpeech = Callable[[str, str, str], bytes]
"""Takes text, voice and language, and returns 8 kHz SLIN. Called in an executor; raises AudioSocketError, OSError."""


def phrase_book_synthesiser(folders: Sequence[Path], cache: Path) -> TextToSpeech:
    """Return a function that speaks the recordings of these phrase books, and any other text in the synthetic voice.

    The synthetic voice needs the extra `[voice]`; its sound is kept in the folder `cache`. Raises PhraseBookError.
    """
    book = PhraseBook.load(*folders)

    def speak(text: str, voice: str, language: str) -> bytes:
        if not normalise(text):
            return b""
        phrase = book.by_text(text, language=language) or book.by_text(text)
        if phrase is not None:
            return phrase.pcm
        from audiosocket_core.phrase_book.synthetic_voice import render  # imported here, since it needs the extra

        return render(text, language or "pt-BR", cache=cache)

    return speak
