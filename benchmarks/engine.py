"""A speech engine that costs nothing, so that what is measured is the server and not its recogniser.

`speech.engine: benchmarks.engine:load`. It hears nothing and yet always understands the same sentence; it says every
text with the same sound, made beforehand. The voice activity detector, endpointing, turns, the AI backend and playback
are the server's own, and work as always.
"""

from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from pathlib import Path

from audiosocket_server.settings.settings import Settings, project_path
from audiosocket_server.speech.base import SpeechEngine

from audiosocket_core.phrase_book.book import PhraseBook

__all__ = ["UNDERSTOOD", "load"]

UNDERSTOOD = "Quero falar com o apartamento 202, por favor."
_SPOKEN = "pt-br/qual_e_o_seu_nome"


class _Nothing:
    """A recognition that does no work."""

    def feed(self, pcm: bytes) -> None:
        """Not listened to."""

    async def finish(self) -> str:
        return UNDERSTOOD

    def cancel(self) -> None:
        """Nothing is held."""


class _Engine:
    name = "none"

    def __init__(self, spoken: bytes) -> None:
        self._spoken = spoken

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> _Nothing:
        return _Nothing()

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        yield self._spoken

    async def aclose(self) -> None:
        """Nothing is held."""


def load(settings: Settings) -> SpeechEngine:
    """What `speech.engine` calls."""
    return _Engine(_spoken(project_path(settings.audio.prompts_folder)))


@lru_cache(maxsize=1)
def _spoken(prompts_folder: Path) -> bytes:
    phrase = PhraseBook.load(prompts_folder).by_name(_SPOKEN)
    assert phrase is not None, f"the project's prompts have no {_SPOKEN}"
    return phrase.pcm
