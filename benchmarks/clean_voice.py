"""A speech engine that speaks with any voice: each text is a sound that was laid out before. It understands every
sentence alike.

`speech.engine: benchmarks.clean_voice:load`. For calls in virtual time, whose server runs in this process.
"""

from collections.abc import AsyncIterator, Callable

from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine

__all__ = ["SOUNDS", "load"]

SOUNDS: dict[str, bytes] = {}
"""What the engine says (SLIN of 8 kHz), by its text."""


class _Understood:
    """A recognition that does no work."""

    def feed(self, pcm: bytes) -> None:
        """Not listened to."""

    async def finish(self) -> str:
        return "Quero falar com o apartamento 202, por favor."

    def cancel(self) -> None:
        """Nothing is held."""


class _LaidOut:
    name = "laid out"

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> _Understood:
        return _Understood()

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        yield SOUNDS[text]

    async def aclose(self) -> None:
        """Nothing is held."""


def load(settings: Settings) -> SpeechEngine:
    """What `speech.engine` calls."""
    return _LaidOut()
