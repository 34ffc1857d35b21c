"""What was spoken once is not made again; what failed or was given up is not kept."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.cached import CachedSpeech


class Counting:
    name = "counting"

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.closed = 0

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        self.made[text] += 1
        try:
            yield b"\1\1" * 100
            if text == "broken":
                raise SpeechError("it broke")
            yield text.encode() * 2
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        self.closed = -1


async def spoken(speech: CachedSpeech, text: str, voice: str = "a") -> bytes:
    return b"".join([chunk async for chunk in speech.synthesise(text, voice) if isinstance(chunk, bytes)])


@pytest.fixture
def engine() -> Counting:
    return Counting()


async def test_the_second_time_comes_from_memory(engine: Counting) -> None:
    speech = CachedSpeech(engine)  # type: ignore[arg-type]
    first = await spoken(speech, "bom dia")
    assert await spoken(speech, "bom dia") == first
    assert engine.made["bom dia"] == 1
    await spoken(speech, "bom dia", "another voice")
    assert engine.made["bom dia"] == 2


async def test_memory_is_bounded_and_what_is_used_stays(engine: Counting) -> None:
    speech = CachedSpeech(engine, most_bytes=500)  # type: ignore[arg-type]
    for text in ("a", "b", "a", "c", "a", "b"):
        await spoken(speech, text)
    assert engine.made == {"a": 1, "b": 2, "c": 1}


async def test_what_fails_is_made_again(engine: Counting) -> None:
    speech = CachedSpeech(engine)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(SpeechError):
            await spoken(speech, "broken")
    assert engine.made["broken"] == 2


async def test_what_is_given_up_is_closed_and_not_kept(engine: Counting) -> None:
    speech = CachedSpeech(engine)  # type: ignore[arg-type]
    chunks = speech.synthesise("bom dia", "a")
    await anext(aiter(chunks))
    await chunks.aclose()  # type: ignore[attr-defined]
    assert engine.closed == 1
    await spoken(speech, "bom dia")
    assert engine.made["bom dia"] == 2


async def test_closing_closes_the_engine(engine: Counting) -> None:
    await CachedSpeech(engine).aclose()  # type: ignore[arg-type]
    assert engine.closed == -1
