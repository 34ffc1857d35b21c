"""The asyncio protocol of a TCP connection: moves bytes between the socket, a `Connection` and a handler.

It always reads, into one small shared buffer (asyncio's plain protocols allocate 256 KB for each read), and writes each
message in one piece. It ends a connection so that every release of Asterisk sees an orderly end. It decides nothing
about a call: the handler gets what arrives, and decides what is sent.
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
"""If more than this is unsent (half a second of audio, besides the kernels' buffers), new messages are dropped."""

# Audio in the kernel's buffer for a peer that does not read is heard late when the peer reads again. By default the
# kernel keeps over four minutes of 8 kHz audio; with this size, both kernels of a loopback connection keep 8 seconds.
_SEND_BUFFER_BYTES = 16_384

DRAIN_SECONDS = 2.0
"""How long the other side may take to close after this side's half-close."""

_HANGUP = int(Kind.HANGUP)  # an enum's member costs a look-up of its own for each message

EndKind = Literal["hangup_message", "eof", "reset", "protocol_error", "local"]
"""How a connection ended: see `EndCause`."""


@dataclass(frozen=True, slots=True)
class EndCause:
    """Why a connection ended. A caller's hang-up appears as either EOF or reset (docs/protocol.md 3.4).

    `hangup_message`: 0x00 arrived; `eof`: the other side closed; `reset`: the connection broke (reset, broken pipe,
    keepalive time-out); `protocol_error`: the bytes broke the protocol; `local`: this side ended the connection.
    """

    kind: EndKind
    detail: str = ""


class Handler(Protocol):
    """Protocol of the handler of a connection. The event loop calls its methods, which must be short."""

    def on_connected(self, shell: "AudioSocketProtocol") -> None:
        """Take the new TCP connection. Its call is not known yet."""

    def on_message(self, kind: int, payload: bytes) -> None:
        """Take a message; the first one is the UUID. A hangup is reported to `on_end` instead.

        An exception ends the connection in an orderly way.
        """

    def on_end(self, cause: EndCause) -> None:
        """Take note of the end: no more messages arrive, and none can be sent.

        Called exactly once, and never from within `end` or `abort`, which report `local` on the loop's next turn. The
        socket may still be open: see `AudioSocketProtocol.wait_closed`.
        """


class AudioSocketProtocol(asyncio.BufferedProtocol):
    """One connection. Pass `lambda: AudioSocketProtocol(Connection(role), handler)` to `create_server`."""

    def __init__(self, connection: Connection, handler: Handler) -> None:
        self.connection = connection
        self.dropped_messages = 0
        """Messages that `send` did not write, because the other side does not read, or the connection is ending."""
        self._handler = handler
        self._on_message = handler.on_message
        self._receive: Callable[[memoryview], Sequence[Message]] = connection.receive
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._is_full = False
        self._closed = asyncio.Event()
        self._drain_limit: asyncio.TimerHandle | None = None
        self._view = read_buffer(READ_BUFFER_BYTES)

    # --- for the handler ---

    @property
    def is_over(self) -> bool:
        """True once the end has begun: `send` drops messages, and messages that arrive are discarded."""
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
        """Write one message at once, in one piece. Returns False if it was dropped and counted: late audio is useless.

        Raises `LocalProtocolError` like `Connection.send`. Use `end` to send a hangup.
        """
        transport = self._transport
        if self._over or self._is_full or transport is None or transport.is_closing():
            self.dropped_messages += 1
            return False
        transport.write(self.connection.send(kind, payload))
        return True

    def end(self, hangup: bool = True) -> None:
        """End in an orderly way: send 00 00 00, half-close, discard input until the other side closes, then close.

        The other side has 2 s to close. Old releases ignore a FIN without 00 00 00. New releases treat a reset as an
        error, and a close with unread audio causes a reset. Without `hangup`, only half-close. Idempotent.
        """
        if not self._over:
            self._say_goodbye(hangup)
            self._finish_soon(EndCause("local"))

    def abort(self) -> None:
        """Close at once, and lose unsent data; the other side may see a reset."""
        if self._transport is not None:
            self._transport.abort()
        if not self._over:
            self._finish_soon(EndCause("local", "aborted"))

    async def wait_closed(self) -> None:
        """Wait until the socket is closed."""
        await self._closed.wait()

    # --- for the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop: tunes the socket and calls the handler's `on_connected`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_LIMIT_BYTES, low=WRITE_BUFFER_LIMIT_BYTES)
        kept = _SEND_BUFFER_BYTES if self.connection.role is Role.SERVER else None
        tune(transport.get_extra_info("socket"), send_buffer_bytes=kept)
        try:
            self._handler.on_connected(self)
        except Exception as error:  # noqa: BLE001 - as in buffer_updated
            self._handler_failed(error)

    def pause_writing(self) -> None:
        """Called by the event loop when too much is unsent: from here on `send` drops."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Called by the event loop when the other side reads again."""
        self._is_full = False

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the event loop: where to read to."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the event loop when `nbytes` were read: hands each message to the handler."""
        try:
            for kind, payload in self._receive(self._view[:nbytes]):
                if kind == _HANGUP:
                    self._say_goodbye(hangup=False)
                    self._finish(EndCause("hangup_message"))
                else:
                    self._on_message(kind, payload)
                if self._over:
                    return
            if self.connection.error is not None and not self._over:  # found behind complete messages
                raise self.connection.error
        except RemoteProtocolError as error:
            self._say_goodbye(hangup=True)
            self._finish(EndCause("protocol_error", str(error)))
        except Exception as error:  # noqa: BLE001 - ends this connection with an event, and no other
            self._handler_failed(error)

    def eof_received(self) -> bool:
        """Called by the event loop when the other side has closed. Returns False: the transport closes too."""
        if not self._over:
            cause = EndCause("eof", _where(self.connection))
            try:
                self.connection.receive_eof()
            except RemoteProtocolError as error:
                cause = EndCause("protocol_error", str(error))
            self._limit_drain()
            self._finish(cause)
        return False  # the transport writes its unsent data, and closes

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop when the socket is closed; `exc` is why, if it broke."""
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

    # --- the end ---

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
        """Send what an orderly end needs, and start the time limit for the other side's close."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._limit_drain()
        # A reset that the kernel already knows of appears here first; connection_lost follows.
        with contextlib.suppress(OSError):
            if hangup and self.connection.role is Role.SERVER:  # Asterisk never sends it
                broken = self.connection.state is State.ENDED  # by a protocol error: `send` would raise
                transport.write(encode(Kind.HANGUP) if broken else self.connection.send(Kind.HANGUP))
            if transport.can_write_eof() and not transport.is_closing():
                transport.write_eof()

    def _limit_drain(self) -> None:
        if self._drain_limit is None and self._transport is not None:
            # abort, not close, which would wait without limit for a peer that does not read.
            self._drain_limit = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._transport.abort)


def _discard(data: memoryview) -> Sequence[Message]:
    """Drop bytes after the end. They are read only so that the close is not a reset."""
    return ()


def _where(connection: Connection) -> str:
    """Return where the stream ended: "inside a payload", "inside a header", or "" between two messages."""
    if connection.in_payload:
        return "inside a payload"
    return "inside a header" if connection.in_header else ""
