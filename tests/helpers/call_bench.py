"""A server with a scripted engine and backend, and a raw caller, in virtual time: for tests of whole calls."""

import asyncio
import functools
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from audiosocket_server.backend.client import BackendError
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import CallState, Recorded
from audiosocket_server.listener import ServerHandle
from audiosocket_server.registry.calls import CallRecord
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.fallback import StandIns

from audiosocket_core.connection import Connection, Role
from audiosocket_core.messages import Kind
from audiosocket_sim.virtual_time import run

ROOT = Path(__file__).resolve().parents[2]
UUID_TEXT = "40325ec2-5efd-4bd3-805f-53576e581d13"
SIM = (ROOT / "recordings/pt-br/sim.wav").read_bytes()[44:]  # "Sim.", with a quiet lead-in: real speech for the VAD
VOICE = b"\x11\x11"
HOLD = b"\x22\x22" * 1600
SILENCE = bytes(320)


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in virtual time; at its end no task and no timer may be left in the loop."""

    @functools.wraps(test)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        async def main() -> None:
            await test(*args, **kwargs)
            loop = asyncio.get_running_loop()
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks outlived the server: {left}"
            timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
            assert not timers, f"timers outlived the server: {timers}"

        run(main)

    wrapper.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del wrapper.__wrapped__  # type: ignore[attr-defined]  # or pytest would take it for a coroutine function
    return wrapper


@dataclass
class Engine:
    """Hears what `hears` says, turn by turn; None is never an answer. Speaks every text for `speaks_ms`, or as `speech`
    says: pieces of so many ms, a fault, or (None) nothing any more."""

    hears: deque[str | Exception | None] = field(default_factory=deque)
    speaks_ms: int = 1000
    speech: dict[str, list[int | Exception | None]] = field(default_factory=dict)
    after_seconds: float = 0.0
    fed: list[bytes] = field(default_factory=list)
    cancelled: int = 0
    tells_words: bool = False
    interim: Callable[[str], None] | None = None
    name = "scripted"

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> "Turn":
        self.fed.append(b"")
        self.interim = on_interim
        return Turn(self)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        await asyncio.sleep(self.after_seconds)
        for piece in self.speech.get(text, [self.speaks_ms]):
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                await asyncio.Event().wait()
            else:
                yield VOICE * (8 * piece)

    async def aclose(self) -> None:
        pass


class Turn:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.number = engine, len(engine.fed) - 1

    def feed(self, pcm: bytes) -> None:
        self.engine.fed[self.number] += pcm

    async def finish(self) -> str:
        heard = self.engine.hears.popleft() if self.engine.hears else "sim"
        if isinstance(heard, Exception):
            raise heard
        if heard is None:
            await asyncio.Event().wait()
        return heard or ""

    def cancel(self) -> None:
        self.engine.cancelled += 1


@dataclass
class Backend:
    """Answers with what `says` holds, in order, each after `after_seconds`."""

    says: deque[BackendReply | BackendError] = field(default_factory=deque)
    after_seconds: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    interrupted: list[Interrupted | None] = field(default_factory=list)

    async def ask(self, conversation_id: str, content: str, interrupted: Interrupted | None = None) -> BackendReply:
        self.asked.append((conversation_id, content))
        self.interrupted.append(interrupted)
        await asyncio.sleep(self.after_seconds)
        answer = self.says.popleft() if self.says else reply("Pois não.")
        if isinstance(answer, BackendError):
            raise answer
        return answer


def reply(text: str, status: CallState = CallState.USER_TURN) -> BackendReply:
    return BackendReply(text, status, {"content": {"mensagem": text}, "set_call_status": str(status)})


class Caller:
    """Sends a frame every 20 ms from its UUID on (what `say` queued, else silence) and keeps what it hears."""

    def __init__(self, bench: "Bench", uuid: str) -> None:
        self.bench = bench
        self.uuid = UUID(uuid)
        self.heard: list[tuple[float, bytes]] = []  # seconds since the UUID, payload
        self.ended_by: str | None = None  # "hangup" (00 00 00), "eof" or "reset"
        self.muted = False
        self.kind = int(Kind.SLIN8)
        self.frame_bytes = 320
        self._says = b""
        self._connection = Connection(Role.PEER)
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()

    async def connect(self, *, uuid: bool = True) -> "Caller":
        self.reader, self.writer = await asyncio.open_connection(self.bench.server.host, self.bench.server.port)
        self.address = "{}:{}".format(*self.writer.get_extra_info("sockname")[:2])
        self._tasks.append(self._loop.create_task(self._hear()))
        if uuid:
            self.begin()
        return self

    def begin(self) -> None:
        self.t0 = self._loop.time()
        self.send(Kind.UUID, self.uuid.bytes)
        self._tasks.append(self._loop.create_task(self._talk()))

    def send(self, kind: int, payload: bytes) -> None:
        self.writer.write(bytes([kind]) + len(payload).to_bytes(2, "big") + payload)

    def say(self, pcm: bytes = SIM) -> None:
        self._says += pcm

    async def until(self, seconds: float) -> None:
        """Wait until so long after the UUID."""
        await asyncio.sleep(max(0.0, self.t0 + seconds - self._loop.time()))

    async def until_event(self, kind: str, **fields: object) -> Recorded:
        """Wait for an event with these fields, from now on."""
        record = self.record
        seen = len(record.events())
        wake = asyncio.Event()
        unwatch = record.watch(wake.set)
        try:
            while True:
                for recorded in record.events(seen):
                    seen = recorded.number
                    told = recorded.to_json()
                    if told["type"] == kind and all(told[k] == v for k, v in fields.items()):
                        return recorded
                assert record.live, f"the call ended before {kind} {fields}"
                wake.clear()
                await wake.wait()
        finally:
            unwatch()

    async def until_state(self, state: CallState) -> None:
        if self.record.state is not state:
            await self.until_event("state_changed", after=state)

    @property
    def record(self) -> CallRecord:
        return next(call for call in self.bench.server.calls.all() if call.peer == self.address)

    def hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.writer.close()

    async def ended(self) -> str:
        """Until the server has ended the call: how."""
        await self._ended.wait()
        self.hang_up()
        assert self.ended_by is not None
        return self.ended_by

    async def _hear(self) -> None:
        try:
            while data := await self.reader.read(4096):
                for kind, payload in self._connection.receive(data):
                    if kind == Kind.HANGUP:
                        self._end("hangup")
                    else:
                        assert self.ended_by is None
                        self.heard.append((round(self._loop.time() - self.t0, 6), payload))
            self._end("eof")
        except ConnectionResetError:
            self._end("reset")

    def _end(self, by: str) -> None:
        self.ended_by = self.ended_by or by
        self._ended.set()

    async def _talk(self) -> None:
        n = 0
        while self.ended_by is None:
            n += 1
            await asyncio.sleep(max(0.0, self.t0 + n * 0.02 - self._loop.time()))
            frame, self._says = self._says[: self.frame_bytes], self._says[self.frame_bytes :]
            if not self.muted:
                self.send(self.kind, frame.ljust(self.frame_bytes, b"\0"))


class Bench:
    def __init__(self, server: ServerHandle, engine: Engine, backend: Backend) -> None:
        self.server, self.engine, self.backend = server, engine, backend
        self.callers: list[Caller] = []

    def caller(self, uuid: str = UUID_TEXT) -> Caller:
        self.callers.append(Caller(self, uuid))
        return self.callers[-1]

    async def call(self, uuid: str = UUID_TEXT) -> Caller:
        """A call whose UUID the server has read."""
        caller = await self.caller(uuid).connect()
        await asyncio.sleep(0.001)
        return caller


@asynccontextmanager
async def bench(
    settings: Mapping[str, Any] | None = None,
    *,
    engine: Engine | None = None,
    backend: Backend | None = None,
    stand_ins: StandIns | None = None,
) -> AsyncIterator[Bench]:
    engine, backend = engine or Engine(), backend or Backend()
    defaults = {"system": {"silence_threshold_seconds": 0.5}, "greeting": {"delay_seconds": 0.5}}
    merged = {key: {**defaults.get(key, {}), **value} for key, value in {**defaults, **(settings or {})}.items()}
    server = ServerHandle(Settings.from_overrides(merged), engine, HOLD, stand_ins)
    await server._services.backend.aclose()  # type: ignore[attr-defined]
    server._services = server._door._services = replace(server._services, backend=backend)
    await server._start("127.0.0.1", 0, None)
    made = Bench(server, engine, backend)
    try:
        yield made
    finally:
        for caller in made.callers:
            caller.hang_up()
        await asyncio.sleep(0.1)
        await server.close()


def told(record: CallRecord) -> list[str]:
    """The call's events, a line each: seconds, type, and what is worth comparing."""
    lines = []
    for recorded in record.events():
        json = recorded.to_json()
        words = [str(v) for k, v in json.items() if k not in ("number", "at", "type", "uuid", "peer", "detail")]
        lines.append(" ".join([f"{json['at']:.2f}", recorded.type, *words]))
    return lines


def types(record: CallRecord) -> list[str]:
    return [recorded.type for recorded in record.events()]


def fault(text: str = "it broke") -> SpeechError:
    return SpeechError(text)
