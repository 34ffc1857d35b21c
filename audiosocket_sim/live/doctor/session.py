"""Listens in a bot's place, takes one call, and plays a server that does all right: silence every 20 ms, from the first
moment on. At the end it sends one message in two pieces, which tells versions apart, and hangs up.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast
from uuid import UUID

from audiosocket_core.connection import Connection, Role
from audiosocket_core.errors import RemoteProtocolError
from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import silence
from audiosocket_sim.live.doctor.observed import Observed

__all__ = ["NobodyCalled", "examine"]

_FRAME = encode(Kind.SLIN8, silence(20))
_FRAME_SECONDS = 0.02
_PIECES_APART_SECONDS = 0.1
_ENDING_SECONDS = 1.0


class NobodyCalled(Exception):
    """The time was up before anybody connected."""


async def examine(
    host: str,
    port: int,
    *,
    listen_seconds: float = 12.0,
    wait_seconds: float = 300.0,
    probe: bool = True,
    on_listening: Callable[[str, int], None] = lambda host, port: None,
    on_call: Callable[[Observed], None] = lambda call: None,
) -> Observed:
    """Take one connection and watch it for `listen_seconds`, or until it ends. Raises OSError, NobodyCalled.

    probe: end with a message in pieces; versions before 20.19, 22.9, 23.3 then drop the call.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[_Patient] = loop.create_future()
    server = await loop.create_server(lambda: _Patient(arrived), host, port)
    try:
        name = server.sockets[0].getsockname()
        on_listening(str(name[0]), int(name[1]))
        try:
            patient = await asyncio.wait_for(arrived, wait_seconds)
        except TimeoutError:
            raise NobodyCalled from None
        on_call(patient.seen)
        try:
            await patient.watch(listen_seconds, probe=probe)
        finally:
            patient.close()
        return patient.seen
    finally:
        server.close()
        await server.wait_closed()


class _Patient(asyncio.Protocol):
    """One connection. Only the first is taken."""

    seen: Observed

    def __init__(self, arrived: "asyncio.Future[_Patient]") -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = arrived
        self._connection = Connection(Role.SERVER)
        self._over = asyncio.Event()
        self._ours = False
        self._looking = True  # until we break a rule on purpose: what comes of that is no fault of the call

    # --- asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("?", 0)
        self.seen = Observed(f"{name[0]}:{name[1]}", self._loop.time())
        if self._arrived.done():
            self._transport.abort()
        else:
            self._arrived.set_result(self)

    def data_received(self, data: bytes) -> None:
        now, seen = self._loop.time(), self.seen
        try:
            messages = self._connection.receive(data)
        except RemoteProtocolError:
            self._end("breach")
            return
        for message in messages:
            if message.kind == Kind.UUID and seen.uuid is None:
                seen.uuid, seen.uuid_after_ms = str(UUID(bytes=message.payload)), (now - seen.connected_at) * 1000
            if self._looking:
                seen.take(message, now)

    def eof_received(self) -> bool:
        in_message = self._connection.in_header or self._connection.in_payload
        self._end("mid_message" if in_message else "fin")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("fin" if exc is None else "reset")

    def _end(self, how: str) -> None:
        if self._over.is_set():
            return
        self._over.set()
        if self._ours:
            self.seen.answered_by = "reset" if how == "reset" else "fin"
        else:
            self.seen.end = how  # type: ignore[assignment]
            self.seen.ended_at = self._loop.time()

    # --- what we do

    async def watch(self, seconds: float, *, probe: bool) -> None:
        """Send silence all the time, and look; then end it."""
        ends_at = self._loop.time() + seconds
        await self._be_silent_until(ends_at)
        if self._over.is_set() or self.seen.uuid is None:
            self._ours = True
            self.seen.ended_at = self.seen.ended_at or self._loop.time()
            return
        if probe:
            await self._probe()
        self._ours = True
        self.seen.ended_at = self.seen.ended_at or self._loop.time()
        if not self._over.is_set():
            self._transport.write(encode(Kind.HANGUP))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _ENDING_SECONDS)

    async def _be_silent_until(self, when: float) -> None:
        due = self._loop.time()
        while due < when and not self._over.is_set():
            if self.seen.uuid is not None:
                self._transport.write(_FRAME)
            due = max(due + _FRAME_SECONDS, self._loop.time() - _FRAME_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), max(0.0, due - self._loop.time()))

    async def _probe(self) -> None:
        """A header's first byte, a pause, and the rest: what ends the call is the version's sign."""
        ours = self._loop.time()
        self._looking = False
        self._transport.write(_FRAME[:1])
        if await self._ends_within(_PIECES_APART_SECONDS):
            self.seen.probe = "ended_before_the_rest"
        else:
            self._transport.write(_FRAME[1:])
            ended = await self._ends_within(_PIECES_APART_SECONDS)
            self.seen.probe = "ended_after_the_rest" if ended else "survived"
        if self._over.is_set():
            self.seen.end, self.seen.ended_at = "doctor", ours

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._over.is_set()

    def close(self) -> None:
        self._transport.abort() if self._over.is_set() else self._transport.close()
