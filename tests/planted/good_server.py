"""A small server that does everything right, of any kind (`ways`), with a method for each thing that can be done wrong.

A planted fault is a subclass of `Call`, or of `Server` where it is about connections, of a few lines. In process:
`planted.good_server:serve` with the settings `{"planted": {"ways": Ways(…), "fault": class or None}}`. As a program:
`good_server.py PORT KIND [MODULE:FAULT]`.
"""

import asyncio
import contextlib
import importlib
import sys
from collections import deque
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

if __name__ == "__main__":  # as a program it finds its own package, and the project's
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from audiosocket_core.messages import RATE_HZ, Kind, encode
from audiosocket_core.slin import level_dbfs
from audiosocket_sim.net.tcp_reset import reset
from planted.ways import KINDS, Ways

__all__ = ["Call", "Server", "beep", "serve", "voice"]

UUID_SECONDS = 10.5
"""How long it waits for a UUID."""
LINGER_SECONDS = 2.0
"""How long after 00 00 00 it waits for the peer's end."""
_ENDS = (asyncio.IncompleteReadError, ConnectionError, TimeoutError)


class Refused(Exception):
    """The connection is no call."""


@cache
def voice(seconds: float, rate_hz: int = 8000) -> bytes:
    """Something like a voice: a hum that swells four times a second."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * 180 * times) + 0.5 * np.sin(2 * np.pi * 540 * times)
    return (wave * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * times)) * 6000).astype("<i2").tobytes()


@cache
def beep(key: int) -> bytes:
    """A beep of 120 ms, of a pitch of its own for each key."""
    times = np.arange(960) / 8000
    return (np.sin(2 * np.pi * (300 + 10 * (key % 64)) * times) * 8000).astype("<i2").tobytes()


class Call:
    """One call. `queue`: what is still to be sent, sound by sound: (kind, bytes)."""

    def __init__(self, ways: Ways, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ways, self.reader, self.writer = ways, reader, writer
        self.notes: dict[object, Any] = {}
        """What all calls of a server share; the good ones share nothing."""
        self.uuid = b""
        self.queue: deque[tuple[int, bytearray]] = deque()
        self.over = False
        """Nothing is sent any more."""
        self.hung_up = False
        self.caller_speaks = False
        self._spoken = self._quiet = 0.0
        self._answer: asyncio.TimerHandle | None = None

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    # --- the connection: what comes in

    async def read_message(self) -> tuple[int, bytes]:
        """Read one message, whatever its kind."""
        header = await self.read(3)
        return header[0], await self.read(self.length_of(header))

    def length_of(self, header: bytes) -> int:
        return int.from_bytes(header[1:], "big")

    async def read(self, count: int) -> bytes:
        return await self.reader.readexactly(count)

    async def begin(self) -> None:
        """Wait for the UUID. Raises Refused if something else comes."""
        async with asyncio.timeout(UUID_SECONDS):
            kind, payload = await self.read_message()
        if not self.is_uuid(kind, payload):
            raise Refused
        self.uuid = payload

    def is_uuid(self, kind: int, payload: bytes) -> bool:
        return kind == Kind.UUID and len(payload) == 16

    async def listen(self) -> None:
        """Take messages until the caller, or the connection, ends."""
        while True:
            kind, payload = await self.read_message()
            if kind == Kind.HANGUP:
                return
            self.received(kind, payload)

    def received(self, kind: int, payload: bytes) -> None:
        """Take one message; unknown ones have been skipped by their length."""
        if kind in RATE_HZ:
            if payload and (kind == Kind.SLIN8 or self.ways.wideband):
                self.hear(kind, payload)
        elif kind == Kind.DTMF:
            self.key(payload)

    # --- the caller

    def hear(self, kind: int, payload: bytes) -> None:
        """Take the caller's audio: 16-bit samples; an odd last byte is no sample."""
        if self.ways.at_once:
            self.put(kind, payload)
            return
        even = payload[: len(payload) // 2 * 2]
        if not even:
            return
        if self.ways.echoes:
            self.say(kind, even)
            return
        seconds = len(even) / 2 / RATE_HZ[kind]
        if level_dbfs(even) >= -42.0:
            self._spoken, self._quiet = self._spoken + seconds, 0.0
            if not self.caller_speaks and self._spoken >= 0.06:
                self.caller_speaks = True
                self.caller_began()
        else:
            self._quiet += seconds
            if self._quiet >= 0.4:
                if self.caller_speaks:
                    self.caller_speaks = False
                    self.caller_ended()
                self._spoken = 0.0

    def caller_began(self) -> None:
        """The caller speaks: be silent."""
        if self.ways.answers:
            self.queue.clear()
            if self._answer is not None:
                self._answer.cancel()

    def caller_ended(self) -> None:
        if self.ways.answers:
            self._answer = asyncio.get_running_loop().call_later(self.ways.thinks, self.answer)

    def answer(self) -> None:
        self._answer = None
        self.say(Kind.SLIN8, voice(0.8))

    def awaits_answer(self) -> bool:
        """Whether the call ended between the caller's last word and the answer to it."""
        return self._answer is not None and not self.caller_speaks

    def key(self, payload: bytes) -> None:
        if self.ways.takes_keys and len(payload) == 1:
            self.say(Kind.SLIN8, beep(payload[0]))

    # --- the connection: what goes out

    def say(self, kind: int, sound: bytes) -> None:
        """Put sound behind what is to be sent."""
        if self.queue and self.queue[-1][0] == kind:
            self.queue[-1][1].extend(sound)
        else:
            self.queue.append((kind, bytearray(sound)))

    def put(self, kind: int, payload: bytes) -> None:
        """Send one message, in one write."""
        if not self.writer.is_closing() and not self.over:
            self.write(encode(kind, payload))

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def next_frame(self) -> tuple[int, bytes] | None:
        """Take the next message from what is to be sent, padded with silence; None: nothing is sent."""
        if not self.queue:
            return self.idle()
        kind, sound = self.queue[0]
        size = 2 * round(RATE_HZ[kind] * self.ways.packet)
        frame = bytes(sound[:size])
        del sound[:size]
        if not sound:
            self.queue.popleft()
        return kind, frame.ljust(size, b"\0")

    def idle(self) -> tuple[int, bytes] | None:
        """What is sent when there is nothing to say."""
        return (int(Kind.SLIN8), bytes(2 * round(8000 * self.ways.packet))) if self.ways.idle else None

    async def send(self) -> None:
        """Send a message a tick, on an absolute grid."""
        due = self.now
        while not self.over:
            self.tick()
            due = max(due + self.ways.packet, self.now - 0.06)
            await asyncio.sleep(max(0.0, due - self.now))

    def tick(self) -> None:
        frame = self.next_frame()
        if frame is not None:
            self.put(*frame)

    # --- the whole

    def greet(self) -> None:
        if self.ways.greets:
            self.say(Kind.SLIN8, voice(self.ways.greeting))

    async def run(self) -> None:
        """Serve the connection to its end."""
        try:
            await self.begin()
        except (*_ENDS, Refused):
            self.refuse()
            return
        self.greet()
        tasks = [asyncio.ensure_future(work()) for work in (self.listen, self.send, self.live)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self.hung_up:
                await self.linger(tasks[0])
        except asyncio.CancelledError:
            await self.stopped(tasks[0])
            raise
        finally:
            self.over = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._answer is not None:
                self._answer.cancel()
            self.close()

    async def live(self) -> None:
        """Hang up when it is time."""
        lives = 2.0 if self.uuid == self.ways.hangs_up_on else self.ways.lives
        await asyncio.sleep(1e6 if lives is None else lives)
        self.hang_up()

    def hang_up(self) -> None:
        """Say that the call is over, and nothing after it."""
        self.put(Kind.HANGUP, b"")
        self.over = self.hung_up = True

    async def linger(self, listening: "asyncio.Future[None]") -> None:
        """Read on until the peer closes, so that no reset overtakes the hangup."""
        with contextlib.suppress(OSError):
            self.writer.write_eof()
        await asyncio.wait([listening], timeout=LINGER_SECONDS)

    async def stopped(self, listening: "asyncio.Future[None]") -> None:
        """The server is stopped."""
        self.hang_up()
        await self.linger(listening)

    def reset(self) -> None:
        """End the connection with a reset."""
        reset(self.writer.transport)

    def refuse(self) -> None:
        """End a connection that is no call."""
        self.close()

    def close(self) -> None:
        self.writer.close()


class Server:
    """Takes connections, and serves each as a `call`."""

    call: type[Call] = Call
    control_url = None

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.notes: dict[object, Any] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._transports: WeakSet[asyncio.WriteTransport] = WeakSet()
        self._turn = asyncio.Lock()

    async def start(self, host: str, port: int) -> "Server":
        self.server = await asyncio.start_server(self._serve, host, port)
        self.host, self.port = self.server.sockets[0].getsockname()[:2]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        self._transports.add(writer.transport)
        try:
            await self.take(reader, writer)
        except asyncio.CancelledError:  # the server ends
            writer.close()
        except Exception:  # noqa: BLE001 - a planted fault may raise anything; what the peer sees of it is the matter
            await self.failed(writer)
        finally:
            self._calls.discard(task)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        call = self.call(self.ways, reader, writer)
        call.notes = self.notes
        if self.ways.one_at_a_time:
            async with self._turn:
                await call.run()
        else:
            await call.run()

    async def failed(self, writer: asyncio.StreamWriter) -> None:
        """A call has raised an error."""
        writer.close()

    async def close(self) -> None:
        self.server.close()
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        for transport in list(self._transports):  # a planted fault may have left some open
            transport.abort()
        await asyncio.sleep(0)


def server_of(ways: Ways, fault: type[Call] | type[Server] | None) -> Server:
    if fault is None:
        return Server(ways)
    if issubclass(fault, Server):
        return fault(ways)
    server = Server(ways)
    server.call = fault
    return server


async def serve(*, host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> Server:
    planted = settings["planted"]
    return await server_of(planted["ways"], planted.get("fault")).start(host, port)


async def main(port: int, kind: str, fault: str = "") -> None:
    module, _, name = fault.partition(":")
    found = getattr(importlib.import_module(module), name) if fault else None
    await (await server_of(KINDS[kind], found).start("127.0.0.1", port)).server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
