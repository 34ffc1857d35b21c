"""What the fake says: known prompts from a phrase book, by their text; else the synthetic voice. Blocking."""

from collections.abc import Callable, Sequence
from pathlib import Path

from audiosocket_core.phrase_book.book import PhraseBook, normalise

__all__ = ["TextToSpeech", "phrase_book_synthesiser"]

TextToSpeech = Callable[[str, str, str], bytes]
"""(text, voice, language) -> SLIN of 8 kHz. Called in the executor; raises AudioSocketError, OSError."""


def phrase_book_synthesiser(folders: Sequence[Path], cache: Path) -> TextToSpeech:
    """Speaks from these phrase books; what is in none of them, in the synthetic voice (extra `[voice]`), kept in
    `cache`. Raises PhraseBookError."""
    book = PhraseBook.load(*folders)

    def speak(text: str, voice: str, language: str) -> bytes:
        if not normalise(text):
            return b""
        phrase = book.by_text(text, language=language) or book.by_text(text)
        if phrase is not None:
            return phrase.pcm
        from audiosocket_core.phrase_book.synthetic_voice import render  # late: needs the extra

        return render(text, language or "pt-BR", cache=cache)

    return speak
