"""A bot that is not ours, with an AI backend of its own: chat completions over one HTTP client, no control API.

`serve` is the bot alone; its backend is at the `ai.api_url` that it is given. `serve_captured` is the same bot with
a capture before it, and with its real backend behind the capture. It hears by level only, so its backend gets no words.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from audiosocket_core.http_server import HttpServer
from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import level_dbfs, silence
from audiosocket_sim.live.capture import Capture, CaptureOptions

PROMPTS = Path(__file__).resolve().parents[2] / "audio" / "prompts"
GREETING = "Condomínio Apoena, em que posso ajudar?"
ANSWERS = ["Qual é o seu nome?", "A autorização foi confirmada, pode entrar."]
SPEECH_DBFS = -45.0
TURN_ENDS_FRAMES = 40


@dataclass
class Behaviour:
    """What the next bot and its backend do. streams: the answers come as events. `capture` and `troubles` are set."""

    answers: list[str] = field(default_factory=lambda: list(ANSWERS))
    streams: bool = False
    swaps: dict[str, str] = field(default_factory=dict)
    """What the bot says instead of an answer of its backend: a changed bot."""
    asks: str = "(audio)"
    """What it asks; `{ms}` in it is how long the caller has spoken."""
    replies: Callable[[list[dict[str, str]]], str] | None = None
    """Gives the backend's answer to the messages of a request; None: `answers`, one after the other."""
    options: CaptureOptions | None = None
    capture: Capture | None = None
    lines: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


behaviour = Behaviour()


@dataclass
class Running:
    host: str
    port: int
    bot: asyncio.Server
    behind: list[Any] = field(default_factory=list)
    control_url: str | None = None

    async def close(self) -> None:
        for each in self.behind:
            await each.aclose()
        self.bot.close()
        await self.bot.wait_closed()


async def serve(host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Running:
    """The bot alone."""
    backend = urlsplit(str(settings["ai"]["api_url"]))
    book = PhraseBook.load(PROMPTS)
    url = f"http://{backend.netloc}/v1/chat/completions"
    bot = await asyncio.get_running_loop().create_server(lambda: _Call(url, book), host, port)
    return Running(host, bot.sockets[0].getsockname()[1], bot)


async def serve_captured(host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Running:
    """The bot with a capture around it."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    left = list(behaviour.answers)

    async def complete(request: Request) -> Response:
        await asyncio.sleep(0.3)
        said = behaviour.replies((await request.json())["messages"]) if behaviour.replies else left.pop(0)
        if not behaviour.streams:
            return JSONResponse({"choices": [{"message": {"role": "assistant", "content": said}}]})

        async def events() -> Any:
            for word in said.split(" "):
                await asyncio.sleep(0.05)
                yield f"data: {json.dumps({'choices': [{'delta': {'content': f'{word} '}}]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    backend = HttpServer(Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])]))
    to = f"http://127.0.0.1:{await backend.start()}"
    alone = await serve(host, 0, 0, {"ai": {"api_url": f"http://{host}:{port or 19_001}"}})
    assert behaviour.options is not None
    options = CaptureOptions(
        (host, 0), (alone.host, alone.port), behaviour.options.out, (host, 19_001), to,
        redact=behaviour.options.redact,
    )  # fmt: skip
    capture = Capture(options, say=behaviour.lines.append, trouble=behaviour.troubles.append)
    await capture.start()
    behaviour.capture = capture
    return Running(host, capture.port, alone.bot, [capture, backend])


class _Call(asyncio.Protocol):
    """One call: greets, and after each turn of the caller says what the backend answers; hangs up after the last."""

    def __init__(self, url: str, book: PhraseBook) -> None:
        self._url = url
        self._book = book
        self._messages: list[dict[str, str]] = [{"role": "system", "content": "You are a receptionist."}]
        self._rest = b""
        self._spoken = self._quiet = 0
        self._queue: list[bytes] = []
        self._tasks: list[asyncio.Task[None]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._say(GREETING)
        self._tasks.append(asyncio.get_running_loop().create_task(self._send()))

    def connection_lost(self, exc: Exception | None) -> None:
        for task in self._tasks:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= 3 and len(self._rest) >= (end := 3 + int.from_bytes(self._rest[1:3], "big")):
            kind, payload, self._rest = self._rest[0], self._rest[3:end], self._rest[end:]
            if kind == Kind.SLIN8 and not self._queue:
                self._hear(payload)

    def _hear(self, payload: bytes) -> None:
        if level_dbfs(payload) > SPEECH_DBFS:
            self._spoken, self._quiet = self._spoken + 1, 0
        elif self._spoken:
            self._quiet += 1
        if self._spoken > 10 and self._quiet == TURN_ENDS_FRAMES:
            asks = behaviour.asks.format(ms=self._spoken * 20)
            self._spoken = self._quiet = 0
            self._tasks.append(asyncio.get_running_loop().create_task(self._ask(asks)))

    async def _ask(self, content: str) -> None:
        self._messages.append({"role": "user", "content": content})
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            answer = await client.post(self._url, json={"model": "m", "messages": self._messages})
        if answer.headers["content-type"].startswith("application/json"):
            said = answer.json()["choices"][0]["message"]["content"]
        else:
            events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
            said = "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events).strip()
        self._messages.append({"role": "assistant", "content": said})
        self._say(behaviour.swaps.get(said, said))
        if said == ANSWERS[-1]:
            self._queue.append(b"")

    def _say(self, text: str) -> None:
        phrase = self._book.by_text(text)
        assert phrase is not None, text
        self._queue += [phrase.pcm[at : at + 320].ljust(320, b"\0") for at in range(0, len(phrase.pcm), 320)]

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            frame = self._queue.pop(0) if self._queue else silence(20)
            if not frame:
                break
            self._transport.write(encode(Kind.SLIN8, frame))
            due += 0.02
            await asyncio.sleep(due - loop.time())
        self._transport.write(encode(Kind.HANGUP))
