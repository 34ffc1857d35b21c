"""Relay one connection between Asterisk and the server, in both directions: whole messages, one write for each read.

Nothing is checked and nothing is changed. The end of a stream, a half-close and a reset are passed on as such. While
one side does not read, the other is not read from (back-pressure). All traffic is appended to a tape.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import cast

from audiosocket_core.sockets import read_buffer, tune
from audiosocket_sim.live.capture.message_splitter import MessageSplitter
from audiosocket_sim.live.capture.tape import Tape, Who
from audiosocket_sim.net.tcp_reset import reset

__all__ = ["Relay"]

_READ_BUFFER_BYTES = 16_384
"""Room for two of the largest 20 ms messages (192 kHz)."""
_WRITE_BUFFER_LIMIT_BYTES = 16_384
"""With more than this unsent to one side the other side is not read, so that buffered data stays bounded."""
_KERNEL_BUFFER_BYTES = 32_768
"""Size of the kernel's buffers, each way on each side. Data in them is heard late by a side that reads again. The
kernel's default holds minutes; this adds at most two seconds of 8 kHz audio to the delay without the capture."""
_CONNECT_SECONDS = 10.0
_LEFT_OPEN_SECONDS = 2.0
"""How long after the caller's end the server may keep its connection. Asterisk closes both ways at once."""


class Relay:
    """One call. `caller_side` is the protocol of the connection from Asterisk; the server is dialled when it is made.

    on_uuid: called when the UUID has arrived. on_over: called when both connections are closed.
    on_trouble: called with a line for people. It holds nothing that anybody said.
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
        """Our own end of the connection to the server as HOST:PORT, which the server sees as its peer; "" before it."""
        transport = self._server_side.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return f"{name[0]}:{name[1]}" if name else ""

    def abort(self) -> None:
        """Close both connections at once, since the capture is being stopped."""
        self.tape.end(self._loop.time(), "nobody", "interrupted")
        if self._dialling is not None:
            self._dialling.cancel()
        for side in (self.caller_side, self._server_side):
            if side.transport is not None:
                side.transport.abort()

    # --- called by the sides

    def connected(self, side: "_Side") -> None:
        """One side is connected. The caller's side is not read until the server's side is connected too."""
        if side is self.caller_side:
            side.pause()
            self._dialling = self._loop.create_task(self._dial())
        else:
            self.caller_side.resume()

    def named(self, uuid: str) -> None:
        """The caller's first message gave the call's UUID, as 32 hexadecimal digits."""
        self.tape.uuid = uuid
        self._on_uuid(self)

    def no_audiosocket(self, who: Who, at: float, *, in_mid_call: bool) -> None:
        """The bytes of one side are not AudioSocket, or stop being it after the call has begun."""
        line = f"the {who} sent bytes that are not AudioSocket: they were passed on unchanged"
        if in_mid_call:
            self.tape.was_audiosocket_until = at
            line = f"after {at - self.tape.connected_at:.1f} s {line}, and are not in what is written of the call"
        self.tape.no_audiosocket = line

    def caller_has_ended(self) -> None:
        """The caller's side has ended: close the server's side a little later, even if the server never does."""
        self._loop.call_later(_LEFT_OPEN_SECONDS, self._close_what_was_left_open)

    def _close_what_was_left_open(self) -> None:
        side = self._server_side
        if side.transport is not None and not side.is_lost:
            self._on_trouble(
                f"the bot had not closed its connection {_LEFT_OPEN_SECONDS:g} s after the caller: "
                "a run of this call fails for that (quality: left_open)"
            )
            side.transport.abort()

    def lost(self, side: "_Side") -> None:
        """One side's connection is closed."""
        other = side.other
        if other.transport is None and self._dialling is not None:
            self._dialling.cancel()  # where it has failed already this does nothing
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
        self._recorded = side
        self._tape = relay.tape
        self._now = asyncio.get_running_loop().time
        self._view = read_buffer(_READ_BUFFER_BYTES)
        self._needs_a_name = who == "caller"
        self._is_recorded = True
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
            if self._messages.raw:
                self._take_the_last(data, at)
            else:
                self._take(data, at)

    def eof_received(self) -> bool:
        mid_frame = self._messages.is_inside_a_message and self._who == "caller"
        self._tape.end(self._now(), self._who, "mid_frame" if mid_frame else "fin")
        self._has_ended = True
        if self._who == "caller":
            self._relay.caller_has_ended()
        if rest := self._messages.end():
            self.other.write(rest)
        self.other.end()
        return True  # keep the transport open: the other side may still send

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
        if self._who == "caller" and not self._has_ended:
            self._relay.caller_has_ended()
        self._relay.lost(self)

    # --- called by the other side

    def write(self, data: bytes) -> None:
        """Send bytes to this side."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def end(self) -> None:
        """Half-close this side, since the other has ended its stream; close both if this side has ended its own too."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._has_ended:
            self.transport.close()
            self.other.close()
        elif self.transport.can_write_eof():
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    def close(self) -> None:
        """Close this side after what is still unsent."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    def reset(self) -> None:
        """Close this side with a TCP reset."""
        if self.transport is not None and not self.transport.is_closing():
            with contextlib.suppress(OSError):
                reset(self.transport)

    def pause(self) -> None:
        """Stop reading from this side."""
        if self.transport is not None and self.transport.is_reading():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read from this side again."""
        if self.transport is not None and not self._has_ended and not self.transport.is_closing():
            self.transport.resume_reading()

    # --- what is recorded

    def _take(self, data: bytes, at: float) -> None:
        """Record messages. The first from the caller gives the call's name."""
        self._tape.take(self._recorded, at, data)
        if self._needs_a_name:
            self._needs_a_name = False
            self._relay.named(data[3:19].hex())

    def _take_the_last(self, data: bytes, at: float) -> None:
        """Record the messages before bytes that are none: those after a hang-up, or of something else."""
        if not self._is_recorded:
            return
        self._is_recorded = False
        messages = self._messages
        if messages.whole_bytes:
            self._take(data[: messages.whole_bytes], at)
        if not messages.has_hung_up:
            self._relay.no_audiosocket(self._who, at, in_mid_call=messages.has_begun)
        elif self._who == "server":
            self._tape.end(at, "server", "hangup_message")
