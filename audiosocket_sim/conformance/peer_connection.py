"""The peer's end of a connection: how it is dialled, and what comes of it, handed to whoever listens."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Protocol

__all__ = ["ConnectionListener", "MessageParser", "PeerConnection", "dial"]

_CONNECT_SECONDS = 2.0
"""How long Asterisk waits for a connection."""
_LATE_SECONDS = 0.05
"""A limit that is noticed so much too late has ended while our loop did something else."""
_MOST_TRIES = 3
_NARROW_BYTES, _SMALL_SEGMENT_BYTES = 2048, 88
_READ_BUFFER_BYTES = 262_144
"""Larger than any message, so that in memory a read is a write."""


class ConnectionListener(Protocol):
    """Is told of all that happens in a connection."""

    def connected(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""

    def before_a_read(self) -> tuple[int, int] | None:
        """Return in how many pieces how many bytes have come, if the system knows."""

    def received(self, data: bytes, pieces: tuple[int, int] | None) -> None:
        """A read found `data`."""

    def finished(self) -> None:
        """The server has sent its FIN."""

    def lost(self, error: Exception | None) -> None:
        """The connection is over; `error`: it was reset."""


async def dial(
    host: str, port: int, make: Callable[[], asyncio.BufferedProtocol], *, narrow: bool = False
) -> asyncio.Transport | str:
    """Connect as Asterisk does, within 2 s. Where it was our own loop that came late, try again.

    `narrow`: with small buffers. Returns the transport, or why there is none, in words.
    """
    loop = asyncio.get_running_loop()
    for _ in range(_MOST_TRIES):
        due = loop.time() + _CONNECT_SECONDS
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if narrow:
                    return (await loop.create_connection(make, sock=await _narrow_socket(host, port)))[0]
                return (await loop.create_connection(make, host, port))[0]
        except TimeoutError:
            if loop.time() - due < _LATE_SECONDS:
                break
        except OSError as error:
            return "refused" if isinstance(error, ConnectionRefusedError) else str(error)
    return f"no answer within {_CONNECT_SECONDS:g} s"


async def _narrow_socket(host: str, port: int) -> socket.socket:
    """Return a connected socket of a small receive buffer, which has to be set before it connects."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW_BYTES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SMALL_SEGMENT_BYTES)  # the sender's buffer follows
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


class PeerConnection(asyncio.BufferedProtocol):
    """Hands all that happens to its listener. Its own end stays open after the server's FIN."""

    def __init__(self, listener: ConnectionListener) -> None:
        self._listener = listener
        self._buffer = memoryview(bytearray(_READ_BUFFER_BYTES))
        self._pieces: tuple[int, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand on that the connection is there."""
        self._listener.connected(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where a read goes, after a look at what has come."""
        self._pieces = self._listener.before_a_read()
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what a read found."""
        self._listener.received(bytes(self._buffer[:nbytes]), self._pieces)

    def eof_received(self) -> bool:
        """Hand on the server's FIN, and keep our own end open."""
        self._listener.finished()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on that the connection is over."""
        self._listener.lost(exc)


class MessageParser:
    """Takes messages out of the stream as they become whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the messages, kind and payload, that are whole with these bytes."""
        self._buffer += data
        while len(self._buffer) >= 3:
            stop = 3 + int.from_bytes(self._buffer[1:3], "big")
            if len(self._buffer) < stop:
                return
            yield self._buffer[0], bytes(self._buffer[3:stop])
            del self._buffer[:stop]
