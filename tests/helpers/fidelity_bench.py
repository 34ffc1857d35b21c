"""A call of the simulated Asterisk with a scripted server, a bare asyncio protocol without any of our decoders."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from audiosocket_sim.asterisk import CallLeg, LegEnd
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.virtual_time import run

ID = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
STRICT = ("22.4", "22.5", "22.8", "22.9", "22.10")
EVERY = ("20.6", *STRICT)
FRAME = b"\x10\x01\x40" + bytes(range(256)) + bytes(64)
NETWORKS = pytest.mark.parametrize(
    "in_memory", [pytest.param(True, id="memory"), pytest.param(False, id="kernel", marks=pytest.mark.kernel)]
)

Script = Callable[["Session"], None]


class Session(asyncio.Protocol):
    """The server's side of one connection: writes what the script says, notes what comes and how it ends."""

    def __init__(self, script: Script, keep_open: bool) -> None:
        self.loop = asyncio.get_running_loop()
        self.script = script
        self.keep_open = keep_open
        self.reads: list[tuple[float, bytes]] = []
        self.end: str | None = None
        self.ended_at = 0.0
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.script(self)

    def data_received(self, data: bytes) -> None:
        self.reads.append((self.loop.time(), data))

    def eof_received(self) -> bool:
        self.told("fin")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.told("closed" if exc is None else "reset")
        self.gone.set()

    def told(self, end: str) -> None:
        if self.end is None:
            self.end, self.ended_at = end, self.loop.time()

    def at(self, seconds: float, what: Callable[..., Any], *args: Any) -> None:
        """Do `what` so many seconds after the connection was made."""
        self.loop.call_later(seconds, what, *args)

    def write_at(self, seconds: float, data: bytes) -> None:
        def write() -> None:
            if not self.transport.is_closing():
                self.transport.write(data)

        self.at(seconds, write)

    def talk(self, seconds: float, start: float = 0.0) -> None:
        for number in range(round(seconds / 0.02)):
            self.write_at(start + number * 0.02, FRAME)

    def reset_at(self, seconds: float) -> None:
        def reset() -> None:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

        self.at(seconds, reset)

    @property
    def received(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def messages(self) -> list[tuple[float, int, bytes]]:
        """Loop time, kind, payload. The peer writes whole messages, so a read ends where a message does."""
        found = []
        for at, data in self.reads:
            while data:
                length = data[1] << 8 | data[2]
                found.append((at, data[0], data[3 : 3 + length]))
                data = data[3 + length :]
        return found

    @property
    def audio_at(self) -> list[float]:
        return [at for at, kind, _ in self.messages if kind >= 0x10]


def speaking(n_samples: int) -> bytes:
    return b"\1\0" * n_samples


def quiet(n_samples: int) -> None:
    return None


def nothing(session: Session) -> None:
    """The script of a server that only listens."""


def in_pieces(*pieces: tuple[float, bytes]) -> Script:
    """A server that writes each piece at its time."""

    def script(session: Session) -> None:
        for at, data in pieces:
            session.write_at(at, data)

    return script


@asynccontextmanager
async def listening(script: Script = nothing, keep_open: bool = False) -> AsyncIterator[tuple[int, list[Session]]]:
    sessions: list[Session] = []

    def session() -> Session:
        sessions.append(Session(script, keep_open))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], sessions
    for each in sessions:
        each.transport.abort()
        await each.gone.wait()
    server.close()
    await server.wait_closed()


def leg(version: str = "22.10", attach: str = "app", heard: list[Any] | None = None, **options: Any) -> CallLeg:
    options.setdefault("source", speaking)
    options.setdefault("first_packet_ms", options.get("packet_time_ms", 20))  # the grid begins with the UUID
    sink = [] if heard is None else heard
    return CallLeg(profile(version, attach), ID, on_bot_audio=lambda *what: sink.append(what), **options)


class Call:
    """What both sides have after a call."""

    def __init__(self, leg: CallLeg, end: LegEnd, session: Session, heard: list[Any]) -> None:
        self.leg, self.end, self.session, self.heard = leg, end, session, heard

    @property
    def outcome(self) -> tuple[str, str, str]:
        return self.end.who, self.end.how, self.end.dialplan


def call(
    script: Script = nothing,
    version: str = "22.10",
    attach: str = "app",
    *,
    hang_up_at: float = 60.0,
    how: str = "close",
    in_memory: bool = True,
    keep_open: bool = False,
    meanwhile: Callable[[CallLeg], Any] | None = None,
    **options: Any,
) -> Call:
    """One call from the connect to both sockets' ends. The caller hangs up at `hang_up_at` if nobody has before."""

    async def whole() -> Call:
        heard: list[Any] = []
        loop = asyncio.get_running_loop()
        async with listening(script, keep_open) as (port, sessions):
            peer = leg(version, attach, heard, **options)
            hang_up = loop.call_later(hang_up_at, peer.hang_up, how)
            await peer.connect("127.0.0.1", port)
            task = None if meanwhile is None else loop.create_task(meanwhile(peer))
            end = await peer.wait_ended()
            hang_up.cancel()
            if task is not None:
                await task
            await asyncio.sleep(0.1)
            assert peer._channel._running is False
            assert len(asyncio.all_tasks()) == 1
            return Call(peer, end, sessions[0], heard)

    return run(whole, memory_network=in_memory)


def after(seconds: float, what: Callable[[CallLeg], Any]) -> Callable[[CallLeg], Any]:
    async def wait(peer: CallLeg) -> None:
        await asyncio.sleep(seconds)
        await what(peer)

    return wait
