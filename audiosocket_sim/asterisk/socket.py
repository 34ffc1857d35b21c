"""The peer's TCP socket, used as Asterisk uses it: how it connects, writes, closes (docs/protocol.md, 2.1, 3.4, 3.6).

Asterisk's write is one non-blocking send() that is never repeated, so a short one matters. asyncio's transports hide
that: they keep the rest and send it later. So messages go past the transport, straight to its socket; the transport
only reads, and owns the descriptor. Nothing here knows messages, eras or calls.
"""

import asyncio
import ipaddress
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

from audiosocket_sim.asterisk.faults import Cuts
from audiosocket_sim.net.tcp_reset import reset

__all__ = ["CONNECT_SECONDS", "ConnectError", "PeerSocket", "dial"]

CONNECT_SECONDS = 2.0
"""Limit for each address (`MAX_CONNECT_TIMEOUT_MSEC` of res_audiosocket.c)."""


class ConnectError(Exception):
    """No address accepted the connection. `how` is `refused`; the message says how each address failed."""


class _Sender(Protocol):
    def send(self, data: bytes, /) -> int: ...


async def dial(
    host: str, port: int, protocol: Callable[[], asyncio.BufferedProtocol], *, nodelay: bool, cuts: Cuts
) -> "PeerSocket":
    """Connect to `host`, in the resolver's order of addresses, each tried once (FID-05).

    An address that does not answer within `CONNECT_SECONDS` is followed by the next one; one that fails at once ends
    the tries, as in `res_audiosocket.c`. Raises `ConnectError`.
    """
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    for address in await _addresses(host, port):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, _ = await loop.create_connection(protocol, address, port)
        except TimeoutError:
            failures.append(f"{address}: no answer within {CONNECT_SECONDS:g} s")
        except OSError as error:
            failures.append(f"{address}: {'refused' if isinstance(error, ConnectionRefusedError) else error}")
            break
        else:
            return PeerSocket(loop, transport, nodelay=nodelay, cuts=cuts)
    raise ConnectError("; ".join(failures) or f"{host} has no address")


async def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host.strip("[]")))]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectError(f"{host}: {error.strerror or error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_readable(transport: asyncio.Transport) -> bool:
    """Whether data, an end of stream or an error waits at the transport's socket."""
    waits = select.poll()
    waits.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(waits.poll(0))


class PeerSocket:
    """A connected socket. Its reading side starts paused: what the server says early waits, as in Asterisk's kernel."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, *, nodelay: bool, cuts: Cuts
    ) -> None:
        self._loop = loop
        self._transport = transport
        hidden = getattr(transport.get_extra_info("socket"), "_sock", None)  # asyncio hides send()
        self._sender: _Sender | None = hidden if hasattr(hidden, "send") else None
        self._hidden = hidden
        self._cuts = cuts if isinstance(hidden, socket.socket) and cuts.mode != "none" else None
        self._waiting: deque[bytes] = deque()
        self._fits = True
        if not nodelay:  # asyncio sets it on every socket
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    @property
    def local_address(self) -> tuple[str, int]:
        """The address and port of our end of the connection."""
        name = self._transport.get_extra_info("sockname")
        return str(name[0]), int(name[1])

    @property
    def server_has_closed(self) -> bool | None:
        """Whether the server has closed its end; None on a real network, which does not say so after a reset."""
        closed: bool | None = getattr(self._hidden, "peer_is_closed", None)
        return closed

    def pause_reading(self) -> None:
        """Leave what the server sends in the kernel."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Continue reading after `pause_reading`."""
        self._transport.resume_reading()

    def write(self, data: bytes) -> bool:
        """Write once. Returns False for a short write, of which a part may be sent (FID-22). Raises OSError.

        Where the loop does not let us at the socket (uvloop), a transport that holds earlier data stands for one.
        """
        if self._cuts is not None:
            return self._write_in_pieces(data)
        if self._sender is not None:
            return self._send(self._sender, data)
        if self._transport.get_write_buffer_size() > 0:
            return False
        self._transport.write(data)
        return True

    def close(self) -> None:
        """Close as the kernel does: with a FIN, or a reset if it holds unread data of the server (FID-11)."""
        self._flush()
        self._transport.abort()  # only drops what the transport itself holds, which is nothing

    def close_and_watch(self) -> bool:
        """Close as `close` does, and go on reading if the server has neither sent nor closed before: to see what it
        does after the end. To the server it is a closed connection, if what it sends is answered by `reset`.

        Returns whether the connection is being watched.
        """
        self._flush()
        if self._transport.is_closing() or _is_readable(self._transport):
            self._transport.abort()
            return False
        try:
            self._transport.write_eof()
        except OSError:
            self._transport.abort()
            return False
        return True

    def abort(self) -> None:
        """Let go of a connection that was watched."""
        self._transport.abort()

    def reset(self) -> None:
        """Reset the connection: the data was unread by Asterisk only and not by us, so the kernel would send a FIN."""
        self._flush()
        reset(self._transport)

    def _send(self, sender: _Sender, data: bytes) -> bool:
        try:
            return sender.send(data) == len(data)
        except BlockingIOError:
            return False

    def _write_in_pieces(self, data: bytes) -> bool:
        """Write in pieces, two turns of the loop apart, so that a server in this process reads each by itself."""
        assert self._cuts is not None
        if not self._waiting:
            self._loop.call_soon(self._next_piece)
        self._waiting.extend(self._cuts.pieces(data))
        return self._fits

    def _next_piece(self) -> None:
        if not self._waiting or self._transport.is_closing():
            return
        self._send_piece()
        if self._waiting:
            self._loop.call_soon(self._loop.call_soon, self._next_piece)

    def _send_piece(self) -> None:
        piece = self._waiting.popleft()
        try:
            self._fits = self._sender is not None and self._send(self._sender, piece)
        except OSError:
            self._fits = True  # the reading side reports the error
            self._waiting.clear()
        if not self._fits:
            self._waiting.clear()

    def _flush(self) -> None:
        while self._waiting:
            self._send_piece()
