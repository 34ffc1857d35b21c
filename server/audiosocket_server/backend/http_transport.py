"""A transport for httpx on asyncio's own connections: one question, one connection, little work.

httpx's default transport takes ten times as long for a question (`python -m benchmarks question`), and all of that is
time in which no other call of the loop gets its frames. Not here: HTTP/2, proxies, and connections that are kept.
Addresses of a name are tried as RFC 8305 says, as httpx's default transport does it.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, cast

import httpx

from audiosocket_server.backend.http_answer import (
    END,
    AnswerEnd,
    AnswerHead,
    AnswerReader,
    BadAnswer,
    TooManyPieces,
    request_bytes,
)

__all__ = ["AsyncioTransport"]

PARTS_A_TURN = 200
"""Parts of an answer that are read before others get their turn: a millisecond at most."""
MOST_UNREAD_BYTES = 65_536
"""What may have arrived and not been read before reading from the socket is paused."""
NEXT_ADDRESS_SECONDS = 0.25
"""After so long the next address of a name is tried beside the one before."""


class AsyncioTransport(httpx.AsyncBaseTransport):
    """Sends each request over a connection of its own. `tls`: returns the context for https, waited for once.

    Its errors are those of httpx: ConnectError, ReadError, RemoteProtocolError, LocalProtocolError, DecodingError.
    """

    def __init__(self, tls: Callable[[], Awaitable[ssl.SSLContext]]) -> None:
        self._read_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._open: set[_Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its answer, whose body is read as it is iterated."""
        try:
            asked = request_bytes(request.method, request.url.raw_path, request.headers.raw, await request.aread())
        except ValueError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        connection = await self._connect(request.url)
        try:
            head = await connection.ask(asked)
        except BaseException:
            connection.close()
            raise
        extensions = {"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason}
        return httpx.Response(head.status, headers=head.headers, stream=_Body(connection), extensions=extensions)

    async def aclose(self) -> None:
        """Close every connection and wait until they are closed. A request under way fails."""
        for connection in tuple(self._open):
            connection.close()
        while self._open:  # noqa: ASYNC110  the loop reports each end in one of its next turns
            await asyncio.sleep(0)

    async def _connect(self, url: httpx.URL) -> "_Connection":
        host, secure = url.raw_host.decode("ascii"), url.scheme == "https"
        port = url.port or (443 if secure else 80)
        options: dict[str, Any] = {"ssl": await self._context(), "server_hostname": host} if secure else {}
        try:
            addresses = [host] if _is_address(host) else await _addresses(host, port)
            return await _first_of(addresses, lambda address: self._connect_to(address, port, options))
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    async def _connect_to(self, address: str, port: int, options: dict[str, Any]) -> "_Connection":
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(lambda: _Connection(loop, self._open), address, port, **options))[1]

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            try:
                self._tls = await self._read_tls()
            except OSError as error:
                raise httpx.ConnectError(f"the certificates cannot be read: {error}") from error
        return self._tls


class _Connection(asyncio.Protocol):
    """A connection for one exchange. It reads no more than `MOST_UNREAD_BYTES` ahead of who reads the answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, open_connections: "set[_Connection]") -> None:
        self._loop = loop
        self._open_connections = open_connections
        self._answer = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._answer.received(data)
        if self._answer.unread_bytes >= MOST_UNREAD_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._answer.ended()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._open_connections.discard(self)
        self._error = error
        self._answer.ended()
        self._wake()

    async def ask(self, asked: bytes) -> AnswerHead:
        """Send the bytes of a request and return the head of its answer."""
        assert self._transport is not None
        self._transport.write(asked)
        head = await self._part()
        assert isinstance(head, AnswerHead)
        return head

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, without what frames it."""
        while True:
            pieces = []
            part: AnswerHead | bytes | AnswerEnd | None = await self._part()
            while isinstance(part, bytes):
                pieces.append(part)
                part = self._next_part() if len(pieces) < PARTS_A_TURN else None
            if pieces:
                yield b"".join(pieces)
            if part is END:
                return
            if len(pieces) == PARTS_A_TURN:
                await asyncio.sleep(0)

    def close(self) -> None:
        """Close the connection at once. Idempotent."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()  # everything has been sent, or nobody wants it any more
        self._wake()

    async def _part(self) -> AnswerHead | bytes | AnswerEnd:
        while True:
            part = self._next_part()
            if part is not None:
                return part
            if self._is_paused and self._transport is not None:
                self._is_paused = False
                self._transport.resume_reading()
            self._arrived = self._loop.create_future()
            await self._arrived

    def _next_part(self) -> AnswerHead | bytes | AnswerEnd | None:
        if self._is_closed:
            raise httpx.ReadError("the connection is closed")
        try:
            return self._answer.next_part()
        except BadAnswer as error:
            if self._error is not None:
                raise httpx.ReadError(str(self._error)) from self._error
            raise httpx.RemoteProtocolError(str(error)) from error
        except TooManyPieces as error:
            raise httpx.DecodingError(str(error)) from error

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body()

    async def aclose(self) -> None:
        self._connection.close()


@lru_cache(maxsize=16)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _addresses(host: str, port: int) -> list[str]:
    """Resolve a name: its addresses, of both families in turn. Raises OSError; UnicodeError for an impossible name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[int, dict[str, None]] = {}
    for family, _, _, _, address in found:
        families.setdefault(family, {})[str(address[0])] = None
    queues = [list(addresses) for addresses in families.values()]
    return [queue[at] for at in range(max(map(len, queues))) for queue in queues if at < len(queue)]


async def _first_of(addresses: Iterable[str], connect: Callable[[str], Awaitable[_Connection]]) -> _Connection:
    """Return the first connection that is made; the next address is tried when one fails or takes long.

    Raises the first address's OSError if all fail.
    """
    waiting = list(addresses)
    if len(waiting) == 1:
        return await connect(waiting[0])
    trying: list[asyncio.Future[_Connection]] = []
    winner: asyncio.Future[_Connection] | None = None
    try:
        while winner is None:
            if waiting:
                trying.append(asyncio.ensure_future(connect(waiting.pop(0))))
            under_way = [attempt for attempt in trying if not attempt.done()]
            if under_way:
                seconds = NEXT_ADDRESS_SECONDS if waiting else None
                await asyncio.wait(under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            winner = next((attempt for attempt in trying if attempt.done() and attempt.exception() is None), None)
            if winner is None and not waiting and all(attempt.done() for attempt in trying):
                return trying[0].result()  # which raises
        return winner.result()
    finally:
        losers = [attempt for attempt in trying if attempt is not winner]
        for loser in losers:
            loser.cancel()
        for outcome in await asyncio.gather(*losers, return_exceptions=True):
            if isinstance(outcome, _Connection):
                outcome.close()
