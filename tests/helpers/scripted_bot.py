"""A bot that does what its script says, so that the simulator is proved apart from any server: `scripted_bot:serve`.

The scenario's `server:` holds the script, `{script: [[0.5, say, pt-br/pode_subir], [4, hang_up]]}`: seconds since the
UUID, what, and its argument. Sound goes out on an absolute grid of 20 ms, silence between; `{quiet: true}` sends none
of that. `{tick: 0.0206}`: its grid is another; `{keeps_open: true}`: it never closes its connection; `{echo: 0.2}`:
it sends back what it hears, so many seconds later. `{control: true}` gives it a control URL. As a program:
`scripted_bot.py PORT CONTROL_PORT SETTINGS-AS-JSON`.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import read_audio, resample
from audiosocket_sim.net.tcp_reset import reset

if TYPE_CHECKING:  # as a program it is started often, and seldom speaks HTTP
    from starlette.requests import Request
    from starlette.responses import Response

    from audiosocket_core.http_server import HttpServer

ROOT = Path(__file__).resolve().parents[2]
FRAME_BYTES = 320


def sound(name: str) -> bytes:
    """A prompt (`pt-br/pode_subir`), a caller's recording (`recordings/pt-br/sim`: the ear cannot read it), `hold`."""
    if name == "hold":
        return read_audio(ROOT / "audio" / "waiting.slin")
    folder = ROOT if name.startswith("recordings/") else ROOT / "audio" / "prompts"
    return read_audio(folder / f"{name}.wav")


@dataclass(eq=False)
class ScriptedCall:
    bot: "ScriptedBot"
    writer: asyncio.StreamWriter
    uuid: str
    began: float
    queue: bytearray = field(default_factory=bytearray)
    loop_pcm: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    silent_until: float = 0.0
    state: str = "STANDBY"
    over: bool = False

    @property
    def at(self) -> float:
        return asyncio.get_running_loop().time() - self.began

    def tell(self, type_: str, **fields: Any) -> None:
        self.events.append({"type": type_, "at": self.at, **fields})
        self.changed.set()

    async def carry_out(self) -> None:
        for at, what, *argument in self.bot.script:
            await asyncio.sleep(at - self.at)
            await self.do(what, *argument)

    async def do(self, what: str, argument: Any = None) -> None:
        match what:
            case "say":
                self.queue += sound(argument)
            case "go_on":  # a prompt from so many seconds on
                name, seconds = argument
                self.queue += sound(name)[round(seconds * 8000) * 2 :]
            case "hold":
                self.loop_pcm = sound("hold")
            case "hold_off":
                self.loop_pcm = b""
                self.queue.clear()
            case "flush":
                self.queue.clear()
            case "hole":
                self.silent_until = self.at + argument
            case "ahead":
                pcm = sound(argument)
                frames = (pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES))
                self.writer.write(b"".join(encode(Kind.SLIN8, frame) for frame in frames))
            case "ahead_at_once":
                self.writer.write(encode(Kind.SLIN8, bytes(argument)))
            case "wide":
                self.writer.write(encode(Kind.SLIN16, resample(sound(argument), 8000, 16000)[:60_000]))
            case "state":
                before, self.state = self.state, argument
                self.tell("state_changed", before=before, after=argument)
            case "tell":
                self.tell(**argument)
            case "think":  # in a thread
                await asyncio.to_thread(sum, range(10))
            case "ask":
                import httpx

                async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
                    with contextlib.suppress(httpx.HTTPError):
                        body = json.dumps({"id": self.uuid, "content": argument})  # httpx refuses half characters
                        await http.post(self.bot.ai_url, content=body)
            case "raw":
                self.writer.write(bytes.fromhex(argument))
            case "hang_up":
                self.writer.write(encode(Kind.HANGUP))
                self.end()
            case "close":
                self.over = True
                self.writer.write_eof()
            case "reset":
                reset(self.writer.transport)
                self.end()
            case "garbage":
                self.writer.write(b"HTTP/1.1 400 Bad Request")
            case "die":
                os._exit(argument)
            case "signal":
                os.kill(os.getpid(), argument)
            case "exit":
                raise SystemExit(argument)
            case _:
                raise AssertionError(what)

    def end(self) -> None:
        self.over = True
        self.changed.set()
        self.writer.close()

    async def speak(self) -> None:
        """20 ms at a time; nothing at all where there is nothing to say and the bot is `quiet`, or in a hole."""
        number = 0
        while not self.over:
            number += 1
            await asyncio.sleep(self.began + number * self.bot.tick - asyncio.get_running_loop().time())
            if self.loop_pcm and len(self.queue) < FRAME_BYTES:
                self.queue += self.loop_pcm
            if self.over or self.at < self.silent_until or (self.bot.quiet and not self.queue):
                continue
            frame = bytes(self.queue[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
            del self.queue[:FRAME_BYTES]
            self.writer.write(encode(Kind.SLIN8, frame))


class ScriptedBot:
    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.script: list[list[Any]] = settings.get("script", [])
        self.quiet = bool(settings.get("quiet"))
        self.tick = float(settings.get("tick", 0.02))
        self.keeps_open = bool(settings.get("keeps_open"))
        self.echo: float | None = settings.get("echo")
        self.endless = bool(settings.get("endless"))  # its stream of events does not end with the call
        self.ai_url: str = settings["ai"]["api_url"]
        self.calls: list[ScriptedCall] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.host, self.port = "127.0.0.1", 0
        self.control_url: str | None = None
        self.control: HttpServer | None = None

    async def start(self, port: int, control_port: int, *, control: bool) -> None:
        self.server = await asyncio.start_server(self.answer, self.host, port)
        self.port = self.server.sockets[0].getsockname()[1]
        if control:
            from starlette.applications import Starlette
            from starlette.routing import Route

            from audiosocket_core.http_server import HttpServer

            routes = [
                Route("/calls", self.list_calls),
                Route("/calls/{id}/events", self.follow),
                Route("/calls/{id}/messages", self.push, methods=["POST"]),
            ]
            self.control = HttpServer(Starlette(routes=routes))
            self.control_url = f"http://127.0.0.1:{await self.control.start(port=control_port)}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            uuid = (await reader.readexactly(19))[3:].hex()
            call = ScriptedCall(self, writer, uuid, asyncio.get_running_loop().time())
            self.calls.append(call)
            self.tasks |= {asyncio.create_task(call.carry_out()), asyncio.create_task(call.speak())}
            while data := await reader.read(65536):
                if self.echo is not None:
                    asyncio.get_running_loop().call_later(self.echo, call.writer.write, data)
            while self.keeps_open:
                call.over = True
                await asyncio.sleep(3600)
            call.end()
        except (ConnectionError, asyncio.IncompleteReadError):
            for call in self.calls:
                call.end()
        finally:
            writer.close()

    def peer(self, call: ScriptedCall) -> str:
        host, port = call.writer.get_extra_info("peername")[:2]
        return f"{host}:{port}"

    async def list_calls(self, request: "Request") -> "Response":
        import uuid

        from starlette.responses import JSONResponse

        return JSONResponse(
            {"calls": [{"id": c.uuid, "uuid": str(uuid.UUID(c.uuid)), "peer": self.peer(c)} for c in self.calls]}
        )

    async def follow(self, request: "Request") -> "Response":
        from starlette.responses import StreamingResponse

        call = next(c for c in self.calls if c.uuid == request.path_params["id"])

        async def events() -> AsyncIterator[str]:
            told = 0
            while True:
                for event in call.events[told:]:
                    yield f"data: {json.dumps(event)}\n\n"
                told = len(call.events)
                if call.over and not self.endless:
                    return
                call.changed.clear()
                await call.changed.wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    async def push(self, request: "Request") -> "Response":
        from starlette.responses import Response

        call = next(c for c in self.calls if c.uuid == request.path_params["id"])
        return Response(status_code=404 if call.over else 202)

    async def close(self) -> None:
        self.server.close()
        for call in self.calls:
            call.end()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.control is not None:
            await self.control.aclose()
        await self.server.wait_closed()


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> ScriptedBot:
    bot = ScriptedBot(settings)
    await bot.start(port, control_port, control=bool(settings.get("control")))
    return bot


async def main(port: str, control_port: str, settings: str) -> None:
    """Serve until the script says `die`."""
    bot = await serve(
        host="127.0.0.1",
        port=int(port),
        control_port=int(control_port),
        settings={"ai": {"api_url": os.environ["AI_API_URL"]}, **json.loads(settings)},
    )
    print("the bot is ready", flush=True)  # noqa: T201
    await bot.server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
