"""One connection passed on: from Asterisk to the server, and back. Whole messages, one write each read.

It judges nothing and changes nothing. The end of a stream, a half-close and a reset go on as what they were; a side
that does not read is not read for. What went by is appended to a tape, and nothing else is done on the way.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import cast

from audiosocket_core.messages import Kind
from audiosocket_core.sockets import read_buffer, tune
from audiosocket_sim.live.capture.message_splitter import MessageSplitter
from audiosocket_sim.live.capture.tape import Tape, Who
from audiosocket_sim.net.tcp_reset import reset

__all__ = ["Relay"]

_READ_BUFFER_BYTES = 16_384
"""Two of the largest 20 ms messages."""
_WRITE_BUFFER_LIMIT_BYTES = 16_384
"""With more than this unsent to one side the other is not read: what is under way stays bounded."""
_KERNEL_BUFFER_BYTES = 32_768
"""Each way, on each side: what lies in the kernel is heard late by a side that reads again. Left alone it keeps
minutes; so it is two seconds of 8 kHz more than without the capture."""
_CONNECT_SECONDS = 10.0


class Relay:
    """One call. `caller_side` is the protocol for the connection that Asterisk made; the other is dialled at once.

    on_uuid: the call has a name. on_over: both connections are gone. on_trouble: a line for people.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tape: Tape,
        *,
        on_uuid: Callable[["Relay"], None],
        on_over: Callable[["Relay"], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self.tape = tape
        self._address = (host, port)
        self._loop = asyncio.get_running_loop()
        self._on_uuid = on_uuid
        self._on_over = on_over
        self._on_trouble = on_trouble
        self._dialling: asyncio.Task[None] | None = None
        self.caller_side = _Side(self, "caller", MessageSplitter(begins_with_uuid=True), tape.caller)
        self._server_side = _Side(self, "server", MessageSplitter(begins_with_uuid=False), tape.bot)
        self.caller_side.other, self._server_side.other = self._server_side, self.caller_side

    @property
    def server_address(self) -> str:
        """Our own address, as the server knows its caller."""
        transport = self._server_side.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return f"{name[0]}:{name[1]}" if name else ""

    def abort(self) -> None:
        """The capture is stopped: both connections are broken."""
        self.tape.end(self._loop.time(), "nobody", "interrupted")
        if self._dialling is not None:
            self._dialling.cancel()
        for side in (self.caller_side, self._server_side):
            if side.transport is not None:
                side.transport.abort()

    # --- what the sides tell

    def connected(self, side: "_Side") -> None:
        if side is self.caller_side:
            side.pause()  # until there is somebody to tell
            self._dialling = self._loop.create_task(self._dial())
        else:
            self.caller_side.resume()

    def named(self, uuid: str) -> None:
        self.tape.uuid = uuid
        self._on_uuid(self)

    def no_audiosocket(self, who: Who) -> None:
        self.tape.no_audiosocket = f"what the {who} sent is no AudioSocket: it was passed on as it came"

    def lost(self, side: "_Side") -> None:
        other = side.other
        if other.transport is None and not (self._dialling is None or self._dialling.done()):
            self._dialling.cancel()
        if other.transport is None or other.is_lost:
            self._on_over(self)

    async def _dial(self) -> None:
        host, port = self._address
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._loop.create_connection(lambda: self._server_side, host, port)
        except (OSError, TimeoutError) as error:
            errno = error.errno or 0  # asyncio puts the address into `strerror`, a second time
            why = os.strerror(errno).lower() if errno > 0 else str(error) or "no answer"
            self._on_trouble(f"no connection to {host}:{port}: {why}; the call was broken off")
            self.tape.end(self._loop.time(), "server", "reset")
            self.caller_side.reset()


class _Side(asyncio.BufferedProtocol):
    """One of the two connections."""

    other: "_Side"

    def __init__(self, relay: Relay, who: Who, messages: MessageSplitter, side: list[tuple[float, bytes]]) -> None:
        self._relay = relay
        self._who: Who = who
        self._messages = messages
        self._side = side
        self._tape = relay.tape
        self._now = asyncio.get_running_loop().time
        self._view = read_buffer(_READ_BUFFER_BYTES)
        self._told = False
        self._has_ended = False
        self.transport: asyncio.Transport | None = None
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=_WRITE_BUFFER_LIMIT_BYTES)
        tune(
            transport.get_extra_info("socket"),
            send_buffer_bytes=_KERNEL_BUFFER_BYTES,
            receive_buffer_bytes=_KERNEL_BUFFER_BYTES,
            notices_vanished_peers=False,  # a side that does not read may stay: the relay breaks nothing off by itself
        )
        self._relay.connected(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        data = self._messages.feed(self._view[:nbytes])
        if data:
            at = self._now()
            self.other.write(data)
            self._tape.take(self._side, at, data)
            if not self._told:
                self._look(data, at)

    def eof_received(self) -> bool:
        how = "mid_frame" if self._messages.is_inside_a_message and self._who == "caller" else "fin"
        self._tape.end(self._now(), self._who, "fin" if how == "fin" else "mid_frame")
        self._has_ended = True
        if rest := self._messages.end():
            self.other.write(rest)
        self.other.end()
        return True  # the other side may still have something to say

    def pause_writing(self) -> None:
        self.other.pause()

    def resume_writing(self) -> None:
        self.other.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if exc is not None:
            self._tape.end(self._now(), self._who, "reset")
            self.other.reset()
        else:
            self.other.close()
        self._relay.lost(self)

    # --- what is done to this side

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def end(self) -> None:
        """The other side says nothing any more: a half-close; the whole where this side has ended as well."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.other._has_ended and self._has_ended:
            self.transport.close()
            self.other.close()
        elif self.transport.can_write_eof():
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    def close(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    def reset(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            with contextlib.suppress(OSError):
                reset(self.transport)

    def pause(self) -> None:
        if self.transport is not None and self.transport.is_reading():
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport is not None and not self._has_ended and not self.transport.is_closing():
            self.transport.resume_reading()

    # --- what is noticed

    def _look(self, data: bytes, at: float) -> None:
        """For the one side, the UUID; for the other, the hangup: until it was found."""
        if self._who == "caller":
            self._told = True
            if self._messages.raw:
                self._relay.no_audiosocket(self._who)
            else:
                self._relay.named(data[3:19].hex())
        elif self._messages.raw:
            self._told = True
            if _holds_a_hangup(data):
                self._tape.end(at, "server", "hangup_message")
            else:
                self._relay.no_audiosocket(self._who)


def _holds_a_hangup(data: bytes) -> bool:
    at = 0
    while len(data) - at >= 3:
        if data[at] == Kind.HANGUP:
            return True
        at += 3 + (data[at + 1] << 8 | data[at + 2])
    return False
