"""The asyncio protocol of a TCP connection: moves bytes between the socket, a `Connection` and a handler.

It always reads, into one small shared buffer (asyncio's plain protocols allocate 256 KB for each read), and writes each
message in one piece. It ends a connection so that every release of Asterisk sees an orderly end. It decides nothing
about a call: the handler gets what arrives, and decides what is sent.

What one connection may do in one turn of the loop is bounded: one read, and a few messages. The rest waits for its
`fair_share` of the next turns, and the connection is not read meanwhile. (uvloop reads a ready socket up to 32 times
before it lets others run, unless reading is paused.)
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from audiosocket_core.connection import Connection, Role, State
from audiosocket_core.errors import RemoteProtocolError
from audiosocket_core.fair_share import FairShare
from audiosocket_core.messages import MAX_PAYLOAD_BYTES, Kind, Message, encode, sample_rate_hz
from audiosocket_core.sockets import read_buffer, tune

__all__ = ["AudioSocketProtocol", "EndCause", "EndKind", "Handler"]

READ_BUFFER_BYTES = 4_096
MESSAGES_AT_FIRST = 4
"""Messages of a read that are handled at once: those of a caller whose audio was held up a little. In one turn of the
loop there may be a read of each connection."""
MESSAGES_A_TURN = 16
"""Messages of one connection that are handled when its rest has its turn."""
PIECES_A_TURN = 4
"""The same for the pieces of a long audio message."""
WRITE_BUFFER_LIMIT_BYTES = 8_192
"""If more than this is unsent (half a second of audio, besides the kernels' buffers), new messages are dropped."""

# Audio in the kernel's buffer for a peer that does not read is heard late when the peer reads again. By default the
# kernel keeps over four minutes of 8 kHz audio; with this size, both kernels of a loopback connection keep 8 seconds.
_SEND_BUFFER_BYTES = 16_384

DRAIN_SECONDS = 2.0
"""How long the other side may take to close after this side's half-close."""

_SAMPLE_BYTES = 2
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
    """One connection. Pass `lambda: AudioSocketProtocol(Connection(role), handler)` to `create_server`.

    `longest_audio_ms`: a longer audio message is handed on in pieces of this length, some in each turn of the loop: a
    message may hold 4 s of sound, which a handler may need long for. None: every message is handed on whole.
    `begins_in_turn`: the first bytes wait for their share of the loop: to begin a call may take long, too, and a
    hundred may begin at one instant.
    """

    def __init__(
        self,
        connection: Connection,
        handler: Handler,
        *,
        longest_audio_ms: int | None = None,
        begins_in_turn: bool = False,
    ) -> None:
        self.connection = connection
        self.dropped_messages = 0
        """Messages that `send` did not write, because the other side does not read, or the connection is ending."""
        self._handler = handler
        self._on_message = handler.on_message
        self._receive: Callable[[memoryview | bytes, int], Sequence[Message]] = connection.receive
        self._has_rest = False  # reading is paused, and `fair_share` has the rest
        self._longest_audio_ms = longest_audio_ms or 0
        # No longer message of any kind needs to be looked at; 8 kHz is the lowest rate.
        self._whole_bytes = 16 * longest_audio_ms if longest_audio_ms else MAX_PAYLOAD_BYTES
        self._begins_in_turn = begins_in_turn
        self._first = b""
        self._rest: deque[Message] = deque()  # pieces of a long message, and what came behind it
        self._transport: asyncio.Transport | None = None
        self._address: object = None
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
    def has_unheard(self) -> bool:
        """True while messages that have arrived wait for their share of the loop."""
        return self._has_rest

    @property
    def peer(self) -> str:
        """The other side's address, "ip:port" ("[ip]:port" for IPv6); empty if unknown."""
        if not isinstance(self._address, tuple):
            return ""
        host, port = self._address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def send(self, kind: int, payload: bytes = b"") -> bool:
        """Write one message at once, in one piece. Returns False if it was dropped and counted: late audio is useless.

        Raises `LocalProtocolError` like `Connection.send`. Use `end` to send a hangup.
        """
        transport = self._transport
        over = self._over or (self._rest and self.connection.state is State.ENDED)  # a hangup waits behind the rest
        if over or self._is_full or transport is None or transport.is_closing():
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
        self._address = transport.get_extra_info("peername")  # now, as uvloop cannot say it of a closed socket
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
        """Called by the event loop when `nbytes` were read: hands messages to the handler, and leaves the rest."""
        if self._begins_in_turn:
            self._begins_in_turn = False
            self._first = bytes(self._view[:nbytes])
        else:
            self._hand_on(self._view[:nbytes], MESSAGES_AT_FIRST)
        if nbytes == READ_BUFFER_BYTES or self._rest or self._first or self.connection.has_more:
            self._leave_rest()

    def _leave_rest(self) -> None:
        """Stop reading until the rest of what was read has had its turns."""
        if not (self._over or self._has_rest):
            transport = self._transport
            if transport is not None and not transport.is_closing():
                self._has_rest = True
                transport.pause_reading()
                FairShare.of(asyncio.get_running_loop()).add(self._go_on)

    @property
    def _is_behind(self) -> bool:
        return bool(self._rest or self._first) or self.connection.has_more

    def _go_on(self) -> bool:
        """Hand on some messages of the rest. Returns False if none is left: then the connection is read again."""
        if self._is_behind and not self._over:
            first, self._first = self._first, b""
            self._hand_on(first)
            if self._is_behind and not self._over:
                return True
        self._read_again()
        return False

    def _read_again(self) -> None:
        if self._has_rest:
            self._has_rest = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def _hand_on(self, data: memoryview | bytes, most: int = MESSAGES_A_TURN) -> None:
        try:
            if self._rest:
                self._hand_on_rest()
                if self._over or (self._rest and not data):
                    return
            for kind, payload in self._receive(data, most):
                if self._rest or (len(payload) > self._whole_bytes and self._is_long(kind, payload)):
                    self._rest.extend(self._pieces(kind, payload))
                    continue
                if kind == _HANGUP:
                    self._hung_up()
                else:
                    self._on_message(kind, payload)
                if self._over:
                    return
            if self.connection.error is not None and not (self._rest or self._over):  # found behind complete messages
                raise self.connection.error
        except RemoteProtocolError as error:
            self._say_goodbye(hangup=True)
            self._finish(EndCause("protocol_error", str(error)))
        except Exception as error:  # noqa: BLE001 - ends this connection with an event, and no other
            self._handler_failed(error)

    def _hung_up(self) -> None:
        self._say_goodbye(hangup=False)
        self._finish(EndCause("hangup_message"))

    def _hand_on_rest(self) -> None:
        for _ in range(PIECES_A_TURN):
            if not self._rest or self._over:
                return
            kind, payload = self._rest.popleft()
            if kind == _HANGUP:
                self._hung_up()
            else:
                self._on_message(kind, payload)

    def _is_long(self, kind: int, payload: bytes) -> bool:
        return len(payload) > self._piece_bytes(kind)

    def _piece_bytes(self, kind: int) -> int:
        rate_hz = sample_rate_hz(kind)
        return MAX_PAYLOAD_BYTES if rate_hz is None else rate_hz * self._longest_audio_ms // 1000 * _SAMPLE_BYTES

    def _pieces(self, kind: int, payload: bytes) -> list[Message]:
        size = self._piece_bytes(kind)
        return [Message(kind, payload[at : at + size]) for at in range(0, max(1, len(payload)), size)]

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
        self._first = b""
        self._rest.clear()
        self._read_again()  # until the other side closes, or the time limit does

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


def _discard(data: memoryview | bytes, most: int) -> Sequence[Message]:
    """Drop bytes after the end. They are read only so that the close is not a reset."""
    return ()


def _where(connection: Connection) -> str:
    """Return where the stream ended: "inside a payload", "inside a header", or "" between two messages."""
    if connection.in_payload:
        return "inside a payload"
    return "inside a header" if connection.in_header else ""
