"""Plain HTTP for the AI client: a transport for httpx. h11 reads and writes; here are the socket and the order of it.

One connection a request, over the loop's own streams. What httpx's own transport has besides (a pool, locks, traces,
anyio's network) takes half of a question's time, and nothing of it is used here. No TLS, no proxy, and no time limits:
the asker has one for the whole answer.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import h11
import httpx

__all__ = ["PlainHttpTransport"]

_MOST_HEAD_BYTES = 100 * 1024
_READ_BYTES = 64 * 1024
_NEXT_ADDRESS_SECONDS = 0.25  # of a name with several addresses, the next one is tried so soon
_TRY_SECONDS = 1.0


class PlainHttpTransport(httpx.AsyncBaseTransport):
    """Raises what httpx's own does: `httpx.TransportError`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(*await _connected(request.url.host, request.url.port or 80))
        try:
            await exchange.ask(request)
            head = await exchange.head()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=exchange,
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, and the connection that it has for itself. Iterated, it is the answer's body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD_BYTES)

    async def ask(self, request: httpx.Request) -> None:
        try:
            sent = [
                self._http.send(
                    h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
                ),
                self._http.send(h11.Data(data=await request.aread())),
                self._http.send(h11.EndOfMessage()),
            ]
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        self._writer.write(b"".join(data for data in sent if data))
        with contextlib.suppress(OSError):  # a server may have answered before it has read all, and closed
            await self._writer.drain()

    async def head(self) -> h11.Response:
        """The answer up to its body."""
        while not isinstance(event := await self._next(), h11.Response):
            pass  # an informational one
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """At once: of an answer that is not read to its end, nothing more is wanted."""
        self._writer.transport.abort()
        await asyncio.sleep(0)  # in which the socket is closed

    async def _next(self) -> Any:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(_READ_BYTES)
                if not data and self._http.their_state is h11.SEND_RESPONSE:  # which h11 says less well
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        return event


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connected(host: str, port: int) -> _Streams:
    """A name may have several addresses, of which one does not answer: that must not cost the answer."""
    try:
        if _is_address(host):
            return await asyncio.open_connection(host, port)
        if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):  # side by side
            return await asyncio.open_connection(host, port, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        return await _connected_in_turn(host, port)
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error


async def _connected_in_turn(host: str, port: int) -> _Streams:
    """What uvloop can do: every address but the last gets a second."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    *some, last = (str(address[0]) for *_, address in found)
    for address in some:
        with contextlib.suppress(OSError):  # TimeoutError, too
            async with asyncio.timeout(_TRY_SECONDS):
                return await asyncio.open_connection(address, port)
    return await asyncio.open_connection(last, port)


def _is_address(host: str) -> bool:
    """Rather than a name, which may have several."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
