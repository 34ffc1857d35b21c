"""Listen in the bot's place, take one call, and observe it while playing a correct server.

The server sends silence every 20 ms from the UUID on. At the end it sends one message in two pieces, by which versions
of Asterisk can be distinguished, and hangs up.
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
from audiosocket_core.stop_signals import stop_signals
from audiosocket_sim.live.doctor.observed import Observed

__all__ = ["NobodyCalled", "examine", "examine_calls"]

_FRAME = encode(Kind.SLIN8, silence(20))
_FRAME_SECONDS = 0.02
_PIECES_APART_SECONDS = 0.1
_ENDING_SECONDS = 1.0
_FIRST_BYTES = 16


class NobodyCalled(Exception):
    """No connection arrived in time or before Ctrl-C, or not as many as were waited for.

    calls: those that came before. waited_seconds: how long the last one was waited for.
    """

    def __init__(self, calls: list[Observed], waited_seconds: float) -> None:
        super().__init__("nobody called")
        self.calls = calls
        self.waited_seconds = waited_seconds


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
    """Take one connection and observe it for `listen_seconds`, or until it ends.

    wait_seconds: how long to wait for the connection. probe: end with a message in two pieces, after which versions
    before 20.19, 22.9 and 23.3 drop the call. on_listening: called with the bound host and port. on_call: called when
    the connection has arrived.

    Raises OSError if the port cannot be bound, and NobodyCalled.
    """
    (call,) = await examine_calls(
        host,
        port,
        1,
        listen_seconds=listen_seconds,
        wait_seconds=wait_seconds,
        probe=probe,
        on_listening=on_listening,
        on_call=on_call,
    )
    return call


async def examine_calls(
    host: str,
    port: int,
    n_calls: int,
    *,
    listen_seconds: float = 12.0,
    wait_seconds: float = 300.0,
    probe: bool = True,
    on_listening: Callable[[str, int], None] = lambda host, port: None,
    on_call: Callable[[Observed], None] = lambda call: None,
    on_over: Callable[[Observed], None] = lambda call: None,
) -> list[Observed]:
    """Take `n_calls` connections, one after another, and observe each; the rest as for `examine`.

    on_over: called with each call when it has been observed. A connection that comes meanwhile is closed at once.
    Ctrl-C while none is there raises NobodyCalled, too.
    """
    loop = asyncio.get_running_loop()
    door = _Door()
    server = await loop.create_server(lambda: _ObservedConnection(door), host, port)
    calls: list[Observed] = []
    try:
        name = server.sockets[0].getsockname()
        on_listening(str(name[0]), int(name[1]))
        while len(calls) < n_calls:
            door.arrived, waits_since = loop.create_future(), loop.time()
            try:
                with stop_signals(door.give_up):
                    connection = await asyncio.wait_for(door.arrived, wait_seconds)
            except TimeoutError:
                raise NobodyCalled(calls, loop.time() - waits_since) from None
            on_call(connection.seen)
            try:
                await connection.watch(listen_seconds, probe=probe)
            finally:
                connection.close()
            calls.append(connection.seen)
            on_over(connection.seen)
        return calls
    finally:
        server.close()
        await server.wait_closed()


class _Door:
    """Where connections arrive: the first one that comes is let in, if one is waited for."""

    arrived: "asyncio.Future[_ObservedConnection] | None" = None

    def give_up(self) -> None:
        """Wait no longer, as if the time were over."""
        if self.arrived is not None and not self.arrived.done():
            self.arrived.set_exception(TimeoutError())


class _ObservedConnection(asyncio.Protocol):
    """One connection. It is accepted if one is waited for, and closed at once otherwise."""

    seen: Observed

    def __init__(self, door: _Door) -> None:
        self._loop = asyncio.get_running_loop()
        self._door = door
        self._connection = Connection(Role.SERVER)
        self._over = asyncio.Event()
        self._ours = False
        self._observing = True  # until the probe, which breaks a rule on purpose and must not spoil the facts

    # --- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("?", 0)
        self.seen = Observed(f"{name[0]}:{name[1]}", self._loop.time())
        arrived = self._door.arrived
        if arrived is None or arrived.done():
            self._transport.abort()
        else:
            arrived.set_result(self)

    def data_received(self, data: bytes) -> None:
        now, seen = self._loop.time(), self.seen
        seen.first_bytes = seen.first_bytes or bytes(data[:_FIRST_BYTES])
        try:
            messages = self._connection.receive(data)
        except RemoteProtocolError:
            self._end("breach")
            return
        for message in messages:
            if message.kind == Kind.UUID and seen.uuid is None:
                seen.uuid, seen.uuid_after_ms = str(UUID(bytes=message.payload)), (now - seen.connected_at) * 1000
            if self._observing:
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

    # --- what the doctor does

    async def watch(self, seconds: float, *, probe: bool) -> None:
        """Send silence and observe the call for `seconds`, then end it."""
        ends_at = self._loop.time() + seconds
        await self._send_silence_until(ends_at)
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

    async def _send_silence_until(self, when: float) -> None:
        due = self._loop.time()
        while due < when and not self._over.is_set():
            if self.seen.uuid is not None:
                self._transport.write(_FRAME)
            due = max(due + _FRAME_SECONDS, self._loop.time() - _FRAME_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), max(0.0, due - self._loop.time()))

    async def _probe(self) -> None:
        """Send a header's first byte, pause, and send the rest. Which of the two ends the call shows the version."""
        ours = self._loop.time()
        self._observing = False
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
        """Close the connection; abort it if it has ended already."""
        self._transport.abort() if self._over.is_set() else self._transport.close()
