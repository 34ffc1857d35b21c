"""What stands in for an engine that cannot speak: the recordings of what the server says, by their text.

Greeting, apologies and the usual sentences lie in `audio/prompts`; so a call goes on while the vendor is away. A text
that is not among them has no stand-in: then the message is skipped, as for every failed synthesis. All is read at the
start, so that no file is opened during a call.
"""

from collections.abc import Mapping
from pathlib import Path

from audiosocket_core.phrase_book.book import PhraseBook, normalise

__all__ = ["StandIns"]


class StandIns:
    """SLIN of 8 kHz by text. Case, accents and punctuation do not count."""

    def __init__(self, pcm_by_text: Mapping[str, bytes]) -> None:
        self._pcm = {normalise(text): pcm for text, pcm in pcm_by_text.items()}

    @classmethod
    def load(cls, folder: Path, language: str) -> "StandIns":
        """Those of a phrase book that are in this language. Blocks: for the executor. Raises AudioSocketError."""
        phrases = PhraseBook.load(folder).phrases
        spoken = [phrase for phrase in phrases if phrase.language.casefold() == language.casefold()]
        return cls({phrase.text: phrase.pcm for phrase in spoken})

    def of(self, text: str) -> bytes | None:
        """The recording of this text, or None."""
        return self._pcm.get(normalise(text))
