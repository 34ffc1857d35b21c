"""The same sentences are not made again on every call: a memory of speech in front of any engine. Bounded.

What is kept is a message that was made to its end; where one fails or is given up, nothing is. Recognition passes
through.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

from audiosocket_server.speech.base import Recognition, SpeechEngine

__all__ = ["CachedSpeech"]

MOST_BYTES = 32_000_000  # over half an hour of 8 kHz
LONGEST_BYTES = 1_000_000  # a minute: longer messages are hardly said twice


class CachedSpeech:
    """A `SpeechEngine` in front of another; `aclose` closes both."""

    def __init__(self, engine: SpeechEngine, *, most_bytes: int = MOST_BYTES) -> None:
        self._engine = engine
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()  # by text and voice; the oldest use first
        self._bytes = 0

    @property
    def name(self) -> str:
        return self._engine.name

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> Recognition:
        return self._engine.recognise(language, on_interim)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        key = (text, voice)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            yield kept
            return
        made = bytearray()
        chunks = self._engine.synthesise(text, voice)
        try:
            async for chunk in chunks:
                if len(made) <= LONGEST_BYTES:
                    made += chunk
                yield chunk
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()
        if 0 < len(made) <= LONGEST_BYTES:
            self._keep(key, bytes(made))

    def _keep(self, key: tuple[str, str], pcm: bytes) -> None:
        self._bytes += len(pcm) - len(self._kept.pop(key, b""))  # two calls may have made it at the same time
        self._kept[key] = pcm
        while self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)

    async def aclose(self) -> None:
        self._kept.clear()
        self._bytes = 0
        await self._engine.aclose()
