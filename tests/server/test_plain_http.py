"""The transport of plain HTTP: what goes over the wire, every shape of an answer, every way in which it fails."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from call_bench import virtual

from server import plain_http
from server.plain_http import PlainHttpTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nSim"


class Peer:
    """A server that reads a request and sends `says`, piece by piece; then it closes, if it is told to."""

    def __init__(self, says: tuple[bytes, ...], *, closes: bool, reads: bool) -> None:
        self.asked = b""
        self.seen_end = asyncio.Event()
        self.done = asyncio.Event()
        self._says, self._closes, self._reads = says, closes, reads

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await self._serve(reader, writer)
        writer.close()
        self.done.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._reads:
            self.asked = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in self.asked.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            self.asked += await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
        for piece in self._says:
            writer.write(piece)
            await asyncio.sleep(0.01)
        if not self._closes:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            self.seen_end.set()


@contextlib.asynccontextmanager
async def peer(*says: bytes, closes: bool = False, reads: bool = True) -> AsyncIterator[tuple[Peer, str]]:
    it = Peer(says, closes=closes, reads=reads)
    async with await asyncio.start_server(it.serve, "127.0.0.1", 0) as server:
        yield it, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/messages?a=b"
        await it.done.wait()


async def ask(url: str, method: str = "POST", **what: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=PlainHttpTransport(), timeout=None) as client:
        return await client.request(method, url, **what)


@virtual
async def test_a_question_is_one_request_and_its_connection_is_closed_with_the_answer() -> None:
    async with peer(OK) as (it, url):
        answer = await ask(url, json={"a": 1}, headers={"X-One": "2"})
        await it.seen_end.wait()
    head, _, body = it.asked.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /messages?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-One: 2" in head.split(b"\r\n")
    assert body == b'{"a":1}'
    assert (answer.status_code, answer.reason_phrase, answer.http_version, answer.content) == (
        200,
        "OK",
        "HTTP/1.1",
        b"Sim",
    )


@virtual
async def test_a_get_has_no_body() -> None:
    async with peer(OK) as (it, url):
        await ask(url, "GET")
    assert it.asked.startswith(b"GET /messages?a=b HTTP/1.1\r\n")
    assert it.asked.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "says",
    [
        (OK[:5], OK[5:30], OK[30:]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nSi\r\n", b"1\r\nm\r\n0\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK),
        (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nS", b"im"),
    ],
    ids=["in pieces", "chunked", "after informational answers", "to the end of the connection"],
)
@virtual
async def test_an_answer_in_any_shape_is_read_whole(says: tuple[bytes, ...]) -> None:
    async with peer(*says, closes=b"1.0" in says[0]) as (_, url):
        assert (await ask(url, content=b"?")).text == "Sim"


@virtual
async def test_an_answer_that_came_before_the_question_was_read_counts() -> None:
    async with peer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", reads=False) as (_, url):
        assert (await ask(url, content=b"?" * 1000)).status_code == 413


@pytest.mark.parametrize(
    ("says", "fault"),
    [
        (b"", "Server disconnected without sending a response."),
        (b"HTTP/1.1 200", "Server disconnected"),
        (OK[:-1], "peer closed connection without sending complete message body"),
        (b"\xff\xff no HTTP\r\n\r\n", "illegal"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "."),
    ],
    ids=["nothing", "half a head", "half a body", "no HTTP", "a head without end"],
)
@virtual
async def test_what_is_no_answer_is_a_protocol_error(says: bytes, fault: str) -> None:
    async with peer(says, closes=True) as (_, url):
        with pytest.raises(httpx.RemoteProtocolError, match=fault):
            await ask(url, content=b"?")


@virtual
async def test_a_header_that_cannot_be_sent_is_our_error() -> None:
    async with peer(reads=False) as (_, url):
        with pytest.raises(httpx.LocalProtocolError):
            await ask(url, headers={"X": "a\nb"})


@virtual
async def test_a_question_that_is_given_up_closes_its_connection() -> None:
    async with peer() as (it, url):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await ask(url, content=b"?")
        await it.seen_end.wait()


@virtual
async def test_nobody_listening_is_a_connect_error() -> None:
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(httpx.ConnectError):
        await ask(url)


@virtual
async def test_of_a_name_with_several_addresses_one_that_does_not_answer_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on uvloop, which tries one address after another."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    opened = asyncio.open_connection

    async def both(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("10.9.9.9", "127.0.0.1")]

    async def only_the_second(host: str, port: int) -> Any:
        return await (opened(host, port) if host == "127.0.0.1" else asyncio.Event().wait())

    monkeypatch.setattr(loop, "getaddrinfo", both)
    monkeypatch.setattr(asyncio, "open_connection", only_the_second)
    async with peer(OK) as (_, url):
        _, writer = await plain_http._connected_in_turn("backend.test", httpx.URL(url).port or 0)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        writer.close()
    assert 1 <= loop.time() - began < 2
