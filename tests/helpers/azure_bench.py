"""For tests of the Azure engine: whether they can run, and an engine that talks to the fake service."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import pytest
from audiosocket_server.settings.settings import PROJECT_ROOT, Settings
from audiosocket_server.speech.azure import load
from audiosocket_server.speech.base import SpeechEngine, SpeechError

from audiosocket_core.phrase_book.book import PhraseBook

_NEEDED = {"azure.cognitiveservices.speech": "azure", "websockets": "fake-azure"}


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


_MISSING = [extra for module, extra in _NEEDED.items() if not _is_there(module)]
NEEDS_AZURE = [
    pytest.mark.extra,
    pytest.mark.real_time,
    pytest.mark.skipif(bool(_MISSING), reason=f"needs the extras {', '.join(_MISSING)}"),
]


def settings(endpoint: str, key: str = "any", **speech: Any) -> Settings:
    given = {"engine": "azure", "azure_key": key, "azure_endpoint": endpoint, **speech}
    return Settings.from_overrides({"speech": given})


@asynccontextmanager
async def engine(endpoint: str, key: str = "any", **speech: Any) -> AsyncIterator[SpeechEngine]:
    made = load(settings(endpoint, key, **speech))
    try:
        yield made
    finally:
        await made.aclose()


@lru_cache
def recording(name: str) -> bytes:
    phrase = PhraseBook.load(PROJECT_ROOT / "recordings").by_name(f"pt-br/{name}")
    assert phrase is not None
    return phrase.pcm


async def heard(
    engine: SpeechEngine, pcm: bytes, on_interim: Callable[[str], None] = lambda text: None, *, speed: float = 1.0
) -> str:
    """What a caller turn of this audio gives, fed as it would come; or what failed, as `SpeechError: …`."""
    loop = asyncio.get_running_loop()
    turn = engine.recognise("pt-BR", on_interim)
    began_at = loop.time()
    for at in range(0, len(pcm), 320):
        turn.feed(pcm[at : at + 320])
        await asyncio.sleep(began_at + at / 16000 / speed - loop.time())
    try:
        return await turn.finish()
    except SpeechError as error:
        return f"{type(error).__name__}: {error}"


async def spoken(engine: SpeechEngine, text: str) -> tuple[bytes, str]:
    """The audio of this text, and what failed then, if anything."""
    pcm = b""
    try:
        async for chunk in engine.synthesise(text, "pt-BR-AntonioNeural"):
            pcm += chunk if isinstance(chunk, bytes) else b""
    except SpeechError as error:
        return pcm, f"{type(error).__name__}: {error}"
    return pcm, ""
