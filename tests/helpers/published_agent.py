"""The published package `asterisk-ai-voice-agent` as a target: `helpers.published_agent:serve`.

Its recogniser's and its model's services, and its synthesis, are replaced: they give fixed texts and prompts at once.
All else is its own: the wire, the pacing by `time.monotonic`, the detection of speech, turns and barge-in. The call's
UUID counts as registered.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from audiosocket_core.slin import read_audio

PROMPTS = Path(__file__).resolve().parents[2] / "audio" / "prompts" / "pt-br"
GREETING = "Condomínio Apoena, em que posso ajudar?"
REPLY = "Vou verificar, aguarde um momento."
SOUNDS = {GREETING: "condominio_apoena_em_que_posso_ajudar", REPLY: "vou_verificar_aguarde_um_momento"}
FRAME_BYTES = 320


class Service:
    """Stands in for the clients of the services that the package asks."""

    def __init__(self, **_: Any) -> None:
        pass

    async def close(self) -> None:
        pass


@contextlib.contextmanager
def services_are_replaced() -> Iterator[None]:
    """While the package is imported, which imports the clients of two services that are not installed."""
    stand_ins = {"anthropic": "AsyncAnthropic", "openai": "AsyncOpenAI"}
    for module, name in stand_ins.items():
        sys.modules[module] = ModuleType(module)
        setattr(sys.modules[module], name, Service)
    level, handlers = logging.root.level, logging.root.handlers[:]
    try:
        yield
    finally:
        for module in stand_ins:
            del sys.modules[module]
        logging.root.setLevel(level)  # the package sets up the log of the whole process
        logging.root.handlers[:] = handlers


class Voice:
    """Its synthesis: the prompts of the example bot, in frames, at once."""

    def __init__(self, **_: Any) -> None:
        pass

    async def start(self) -> None:
        pass

    async def synthesise(self, text: str, should_stop: Callable[[], bool] | None = None) -> AsyncIterator[bytes]:
        pcm = read_audio(PROMPTS / f"{SOUNDS[text]}.wav")
        for at in range(0, len(pcm), FRAME_BYTES):
            yield pcm[at : at + FRAME_BYTES]

    async def close(self) -> None:
        pass


class Model(Voice):
    """Its language model: one reply to everything."""

    async def add_user(self, text: str) -> None:
        pass

    async def replace_last_assistant(self, text: str) -> None:
        pass

    async def stream_reply(self) -> AsyncIterator[dict[str, str]]:
        yield {"kind": "text", "text": REPLY}
        yield {"kind": "end"}


class Registered:
    """Every UUID is registered."""

    def take(self, uuid: str) -> dict[str, str]:
        return {"persona": "demo"}


class Agent:
    host = "127.0.0.1"
    control_url = None

    def __init__(self, agent: Any) -> None:
        self.agent = agent
        self.calls: set[asyncio.Task[Any]] = set()

    async def start(self, port: int) -> None:
        self.server = await asyncio.start_server(self.answer, self.host, port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = self.agent.AudioSocketTransport(reader, writer)
        personas = {"demo": {"greeting": GREETING, "stt_language": "pt"}}
        settings = {"providers": {"openai": {"api_key": "none"}}}
        call = asyncio.create_task(self.agent.Call(transport, settings, personas, Registered()).run())
        self.calls.add(call)
        await asyncio.wait([call])
        self.calls.discard(call)

    async def close(self) -> None:
        self.server.close()
        if self.calls:
            await asyncio.wait(self.calls, timeout=10)


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Agent:
    with services_are_replaced():
        from asterisk_ai_voice_agent import agent, stt  # type: ignore[import-not-found]

    async def transcribe(self: Any, wav: bytes) -> str:
        return "um texto qualquer"

    stt.StreamingSTT._transcribe_whisper = transcribe
    agent.StreamingTTS, agent.LLM = Voice, Model
    running = Agent(agent)
    await running.start(port)
    return running
