"""A TCP connection driven through a `Connection`: the shell that moves the bytes.

Reads always, into one small buffer of its own (asyncio's plain protocols get 256 KB allocated for each read); writes
each message in one piece; ends a connection so that every release of Asterisk takes it for an orderly end. It decides
nothing about a call: what comes goes to the handler, what leaves comes from it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from audiosocket_core.connection import Connection, Role, State
from audiosocket_core.errors import RemoteProtocolError
from audiosocket_core.messages import Kind, Message, encode
from audiosocket_core.sockets import read_buffer, tune

__all__ = ["AudioSocketProtocol", "EndCause", "EndKind", "Handler"]

READ_BUFFER_BYTES = 4_096
WRITE_BUFFER_LIMIT_BYTES = 8_192
"""With more than this unsent (half a second of audio, on top of the kernels' buffers) new messages are dropped."""

# What our kernel keeps for a peer that does not read is heard late when it reads again. Left alone it keeps over four
# minutes of 8 kHz audio; with this, both kernels of a loopback connection together keep eight seconds.
_SEND_BUFFER_BYTES = 16_384

DRAIN_SECONDS = 2.0
"""After our half-close: how long the other side may take to close as well."""

_HANGUP = int(Kind.HANGUP)  # an enum's member costs a look-up of its own for each message

EndKind = Literal["hangup_message", "eof", "reset", "protocol_error", "local"]


@dataclass(frozen=True, slots=True)
class EndCause:
    """Why a connection ended. EOF and reset both are what a caller's hang-up looks like (docs/protocol.md 3.4).

    `hangup_message`: 0x00 came; `eof`: the other side closed; `reset`: the connection broke (reset, broken pipe,
    keepalive time-out); `protocol_error`: the bytes were no AudioSocket; `local`: this side ended it.
    """

    kind: EndKind
    detail: str = ""


class Handler(Protocol):
    """Who gets what arrives. All three are called by the event loop and must be short."""

    def on_connected(self, shell: "AudioSocketProtocol") -> None:
        """The TCP connection is there. Nothing is known of the call yet."""

    def on_message(self, kind: int, payload: bytes) -> None:
        """A message came: the UUID first. Never a hangup (`on_end`). An exception ends the connection, orderly."""

    def on_end(self, cause: EndCause) -> None:
        """No more messages, and nothing more can be sent. Called exactly once, and never from within `end` or `abort`:
        those report `local` on the loop's next turn. `wait_closed` tells when the socket is gone, too."""


class AudioSocketProtocol(asyncio.BufferedProtocol):
    """One connection. Give `lambda: AudioSocketProtocol(Connection(role), handler)` to `create_server`."""

    def __init__(self, connection: Connection, handler: Handler) -> None:
        self.connection = connection
        self.dropped_messages = 0
        """Messages that `send` did not write: the other side does not read, or the connection is ending."""
        self._handler = handler
        self._on_message = handler.on_message
        self._receive: Callable[[memoryview], Sequence[Message]] = connection.receive
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._is_full = False
        self._closed = asyncio.Event()
        self._drain_limit: asyncio.TimerHandle | None = None
        self._view = read_buffer(READ_BUFFER_BYTES)

    # What the handler's side may use

    @property
    def is_over(self) -> bool:
        """The end has begun: `send` drops, and messages that still come are discarded."""
        return self._over

    @property
    def peer(self) -> str:
        """The other side's address, "ip:port" ("[ip]:port" for IPv6); empty if unknown."""
        address = self._transport.get_extra_info("peername") if self._transport is not None else None
        if not isinstance(address, tuple):
            return ""
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def send(self, kind: int, payload: bytes = b"") -> bool:
        """Write one message now, in one piece. False, and counted, if it was dropped instead: late audio is no use.

        Raises `LocalProtocolError` as `Connection.send` does. A hangup goes out through `end`.
        """
        transport = self._transport
        if self._over or self._is_full or transport is None or transport.is_closing():
            self.dropped_messages += 1
            return False
        transport.write(self.connection.send(kind, payload))
        return True

    def end(self, hangup: bool = True) -> None:
        """End orderly: 00 00 00, half-close, read on and discard until the other side closes too, at most 2 s; close.

        Old releases ignore a bare FIN, and new ones take a reset (which is what closing with unread audio makes) for an
        error: hence both, in this order. Without `hangup` only the half-close. Does nothing at a second call.
        """
        if not self._over:
            self._say_goodbye(hangup)
            self._finish_soon(EndCause("local"))

    def abort(self) -> None:
        """Close at once, losing what is unsent; the other side may see a reset."""
        if self._transport is not None:
            self._transport.abort()
        if not self._over:
            self._finish_soon(EndCause("local", "aborted"))

    async def wait_closed(self) -> None:
        """Until the socket is closed."""
        await self._closed.wait()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_LIMIT_BYTES, low=WRITE_BUFFER_LIMIT_BYTES)
        kept = _SEND_BUFFER_BYTES if self.connection.role is Role.SERVER else None
        tune(transport.get_extra_info("socket"), send_buffer_bytes=kept)
        try:
            self._handler.on_connected(self)
        except Exception as error:  # noqa: BLE001 - as in buffer_updated
            self._handler_failed(error)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for kind, payload in self._receive(self._view[:nbytes]):
                if kind == _HANGUP:
                    self._say_goodbye(hangup=False)
                    self._finish(EndCause("hangup_message"))
                else:
                    self._on_message(kind, payload)
                if self._over:
                    return
            if self.connection.error is not None and not self._over:  # found behind messages that were whole
                raise self.connection.error
        except RemoteProtocolError as error:
            self._say_goodbye(hangup=True)
            self._finish(EndCause("protocol_error", str(error)))
        except Exception as error:  # noqa: BLE001 - ends this connection with an event, and no other
            self._handler_failed(error)

    def eof_received(self) -> bool:
        if not self._over:
            cause = EndCause("eof", _where(self.connection))
            try:
                self.connection.receive_eof()
            except RemoteProtocolError as error:
                cause = EndCause("protocol_error", str(error))
            self._limit_drain()
            self._finish(cause)
        return False  # the transport writes what it still has, and closes

    def connection_lost(self, exc: Exception | None) -> None:
        if self._drain_limit is not None:
            self._drain_limit.cancel()
            self._drain_limit = None
        self._closed.set()
        if self._over:
            return
        if isinstance(exc, OSError):
            self._finish(EndCause("reset", f"{type(exc).__name__}: {exc}"))
        elif exc is not None:
            self._finish(EndCause("local", f"{type(exc).__name__}: {exc}"))
        else:
            self._finish(EndCause("eof", _where(self.connection)))

    # The end

    def _finish(self, cause: EndCause) -> None:
        self._stop_listening()
        self._handler.on_end(cause)

    def _finish_soon(self, cause: EndCause) -> None:
        self._stop_listening()
        asyncio.get_running_loop().call_soon(self._handler.on_end, cause)

    def _stop_listening(self) -> None:
        self._over = True
        self._receive = _discard

    def _handler_failed(self, error: Exception) -> None:
        fault = {"message": "an AudioSocket handler failed", "exception": error, "protocol": self}
        asyncio.get_running_loop().call_exception_handler(fault)
        if not self._over:
            self._say_goodbye(hangup=True)
            self._finish(EndCause("local", f"handler failed: {type(error).__name__}"))

    def _say_goodbye(self, hangup: bool) -> None:
        """Send what an orderly end needs, and start to wait for the other side's."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._limit_drain()
        # A reset that is already known to the kernel shows here first; connection_lost follows.
        with contextlib.suppress(OSError):
            if hangup and self.connection.role is Role.SERVER:  # Asterisk never says it
                broken = self.connection.state is State.ENDED  # by a breach: it sends nothing any more
                transport.write(encode(Kind.HANGUP) if broken else self.connection.send(Kind.HANGUP))
            if transport.can_write_eof() and not transport.is_closing():
                transport.write_eof()

    def _limit_drain(self) -> None:
        if self._drain_limit is None and self._transport is not None:
            # Not close(): that would wait without limit for a peer that does not read.
            self._drain_limit = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._transport.abort)


def _discard(data: memoryview) -> Sequence[Message]:
    """What is done with bytes after the end: read, so that the close is no reset, and dropped."""
    return ()


def _where(connection: Connection) -> str:
    """Where the stream broke off, if it did not end between two messages."""
    if connection.in_payload:
        return "inside a payload"
    return "inside a header" if connection.in_header else ""
