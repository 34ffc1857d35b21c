"""A bounded cache of synthesised speech in front of any engine, so that frequent sentences are made only once.

Only complete messages are kept, not those that failed or were stopped. Recognition passes through.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

from audiosocket_server.speech.base import Recognition, SpeechEngine, Synthesised, TellsWords, WordEnd

__all__ = ["CachedSpeech"]

MOST_BYTES = 32_000_000  # over half an hour of 8 kHz
LONGEST_BYTES = 1_000_000  # about a minute: longer messages are hardly ever repeated


class CachedSpeech:
    """A `SpeechEngine` that caches the speech of another. `most_bytes`: size of the cache."""

    def __init__(self, engine: SpeechEngine, *, most_bytes: int = MOST_BYTES) -> None:
        self._engine = engine
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, tuple[WordEnd, ...]]] = (
            OrderedDict()
        )  # by text and voice; least recently used first
        self._bytes = 0

    @property
    def name(self) -> str:
        """The name of the engine behind the cache."""
        return self._engine.name

    @property
    def tells_words(self) -> bool:
        """Whether the engine behind the cache tells words before an utterance ends. See `TellsWords`."""
        return isinstance(self._engine, TellsWords) and self._engine.tells_words

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> Recognition:
        """Start the recognition of one utterance. See `SpeechEngine`."""
        return self._engine.recognise(language, on_interim)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[Synthesised]:
        """Speak `text`: in one chunk if it is in the cache, else as the engine makes it. See `SpeechEngine`."""
        key = (text, voice)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            pcm, words = kept
            for word in words:
                yield word
            yield pcm
            return
        made = bytearray()
        ends: list[WordEnd] = []
        chunks = self._engine.synthesise(text, voice)
        try:
            async for chunk in chunks:
                if isinstance(chunk, WordEnd):
                    ends.append(chunk)
                elif len(made) <= LONGEST_BYTES:
                    made += chunk
                yield chunk
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()
        if 0 < len(made) <= LONGEST_BYTES:
            self._keep(key, bytes(made), tuple(ends))

    def _keep(self, key: tuple[str, str], pcm: bytes, words: tuple[WordEnd, ...]) -> None:
        before, _ = self._kept.pop(key, (b"", ()))  # two calls may have made the same text at once
        self._bytes += len(pcm) - len(before)
        self._kept[key] = pcm, words
        while self._bytes > self._most_bytes:
            _, (dropped, _) = self._kept.popitem(last=False)
            self._bytes -= len(dropped)

    async def aclose(self) -> None:
        """Empty the cache, and close the engine."""
        self._kept.clear()
        self._bytes = 0
        await self._engine.aclose()
