"""Stand-ins for failed synthesis: recordings of what the server says, by their text.

The greeting, the apologies and the usual sentences are recorded in `audio/prompts`, so a call can continue while the
vendor is unavailable. A text without a recording is skipped. All recordings are read at the start, so that no file is
opened during a call.
"""

from collections.abc import Mapping
from pathlib import Path

from audiosocket_core.phrase_book.book import PhraseBook, longest_known, normalise

__all__ = ["StandIns"]


class StandIns:
    """Recordings (SLIN, 8 kHz) by text. Case, accents and punctuation are ignored."""

    def __init__(self, pcm_by_text: Mapping[str, bytes]) -> None:
        self._pcm = {normalise(text): pcm for text, pcm in pcm_by_text.items()}
        self._longest = longest_known(pcm_by_text)

    @classmethod
    def load(cls, folder: Path, language: str) -> "StandIns":
        """Load the recordings of a phrase book in this language. Blocking. Raises AudioSocketError."""
        phrases = PhraseBook.load(folder).phrases
        spoken = [phrase for phrase in phrases if phrase.language.casefold() == language.casefold()]
        return cls({phrase.text: phrase.pcm for phrase in spoken})

    def of(self, text: str) -> bytes | None:
        """Return the recording of this text (SLIN, 8 kHz), or None."""
        return self._pcm.get(normalise(text)) if len(text) <= self._longest else None
