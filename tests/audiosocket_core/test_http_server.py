"""An HTTP server in the running loop: where it listens, what its end does to answers under way, what is left of it."""

import asyncio
import os
import resource
import subprocess
import sys
from typing import Any

import httpx
import pytest
from helpers.call_bench import virtual

from audiosocket_core import http_slices
from audiosocket_core.http_limits import HttpLimits
from audiosocket_core.http_server import HttpServer


class App:
    """An ASGI app that answers `seconds` after it was asked; it notes how each request ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = asyncio.Event()
        self.ends: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.asked.set()
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("answered")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


async def ask(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=None) as client:
        try:
            return (await client.get(url)).text
        except httpx.HTTPError as error:
            return type(error).__name__


async def asked_and_closed(seconds: float, drain_seconds: float) -> tuple[App, str]:
    app = App(seconds)
    server = HttpServer(app, drain_seconds=drain_seconds)
    await server.start()
    asking = asyncio.create_task(ask(server.url))
    await app.asked.wait()
    await server.aclose()
    return app, await asking


@virtual
async def test_its_address() -> None:
    server = HttpServer(App(0))
    port = await server.start()
    assert (server.url, server.port) == (f"http://127.0.0.1:{port}", port)
    assert await ask(server.url) == "ok"
    with pytest.raises(OSError):
        await HttpServer(App(0)).start(port=port)
    await server.aclose()
    await server.aclose()
    assert await ask(f"http://127.0.0.1:{port}") == "ConnectError"


@pytest.mark.kernel
async def test_an_ipv6_address_is_in_brackets() -> None:
    server = HttpServer(App(0))
    port = await server.start("::1")
    assert server.url == f"http://[::1]:{port}"
    assert await ask(server.url) == "ok"
    await server.aclose()


@virtual
async def test_an_answer_under_way_is_broken_off() -> None:
    app, got = await asked_and_closed(5, drain_seconds=0)
    assert got in ("RemoteProtocolError", "ReadError")
    assert app.ends == ["answered"]  # to nobody; its task is not left behind


@virtual
async def test_or_is_let_come_to_its_end() -> None:
    app, got = await asked_and_closed(5, drain_seconds=10)
    assert (got, app.ends) == ("ok", ["answered"])


@virtual
async def test_but_not_for_longer_than_the_drain_lasts() -> None:
    began_at = asyncio.get_running_loop().time()
    app, got = await asked_and_closed(60, drain_seconds=10)
    assert (got, app.ends) == ("Internal Server Error", ["cancelled"])
    assert 10 <= asyncio.get_running_loop().time() - began_at < 10.1


@virtual
async def test_a_connection_is_found_by_its_client_and_can_be_broken() -> None:
    server: HttpServer

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        transport = server.transport_of(scope["client"])
        assert transport is not None
        assert server.transport_of(("127.0.0.1", 1)) is None
        transport.abort()

    server = HttpServer(app)
    await server.start()
    assert await ask(server.url) in ("RemoteProtocolError", "ReadError")
    await server.aclose()


def test_uvicorn_is_imported_when_a_server_starts_and_not_before() -> None:
    code = "import sys; import audiosocket_core.http_server; sys.exit('uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def _bodies(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the length of the request's body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = str(len(body)).encode()
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def sent(*pieces: bytes) -> tuple[list[bytes], int]:
    """Send pieces over one connection. Returns the last lines of the answers, and the turns that it took."""
    server = HttpServer(_bodies)
    port = await server.start()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    writer.write_eof()
    answers = await reader.read()
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    writer.close()
    await writer.wait_closed()
    await server.aclose()
    return [part.partition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 ")[1:]], turns


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.long("requests in one piece are answered in turn")
@virtual
async def test_thousands_of_chunks_let_others_have_their_turn_in_between() -> None:
    answers, turns = await sent(CHUNKED + b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n")
    assert answers == [b"20000"]
    assert turns > 120_000 / http_slices.SLICE_BYTES


@virtual
async def test_requests_after_one_another_in_one_piece_are_answered_in_turn() -> None:
    one = CHUNKED + b"5\r\nabcde\r\n" * 1_000 + b"0\r\n\r\n"
    two = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000)
    get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answers, _ = await sent(one + two + one, two, get)
    assert answers == [b"5000", b"100000", b"5000", b"100000", b"0"]


@virtual
async def test_a_head_of_thousands_of_lines_is_refused() -> None:
    many = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:b\r\n" * 5_000 + b"\r\n"
    assert (await sent(many))[0] == [b"too many headers"]
    few = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"a:b\r\n" * 150 + b"\r\n"
    assert (await sent(few))[0] == [b"0"]
    first = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert (await sent(first * 250 + few))[0] == [b"0"] * 251
    assert (await sent(first + many))[0] == [b"0", b"too many headers"]


LIMITS = HttpLimits(connections=3, head_seconds=10)


async def connected(server: HttpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    await asyncio.sleep(0.001)
    return reader, writer


async def is_closed(reader: asyncio.StreamReader) -> bool:
    await asyncio.sleep(0.001)
    return reader.at_eof() or reader.exception() is not None


@virtual
async def test_a_head_has_ten_seconds_from_the_connection_or_the_last_answer() -> None:
    server = HttpServer(App(30), limits=LIMITS)
    await server.start()
    reader, writer = await connected(server)
    for byte in b"GET / HTT":  # a byte a second does not prolong it
        writer.write(bytes([byte]))
        await asyncio.sleep(1)
    assert not await is_closed(reader)
    await asyncio.sleep(1)
    assert await is_closed(reader)
    writer.close()
    reader, writer = await connected(server)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(29)  # an answer may take longer
    assert not await is_closed(reader)
    await asyncio.sleep(2)
    assert (await reader.read(99)).startswith(b"HTTP/1.1 200")
    writer.write(b"G")  # ends uvicorn's own limit of an idle connection
    await asyncio.sleep(8)
    assert not await is_closed(reader)
    await asyncio.sleep(2)
    assert await is_closed(reader)
    writer.close()
    await server.aclose()


@virtual
async def test_a_connection_too_many_takes_the_place_of_an_idle_one_or_is_answered_503() -> None:
    app = App(30)
    server = HttpServer(app, limits=LIMITS)
    await server.start()
    idle = [await connected(server) for _ in range(3)]
    further = [await connected(server) for _ in range(2)]
    assert [await is_closed(reader) for reader, _ in idle] == [True, True, False]
    busy = [idle[2], *further]
    for _, writer in busy:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.01)
    reader, writer = await connected(server)
    answer = await reader.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert f"content-length: {len(body)}".encode() in head
    assert body == b'{"error": "too many connections"}'
    await asyncio.sleep(40)
    for reader, writer_of_busy in busy:
        assert (await reader.read(99)).startswith(b"HTTP/1.1 200")
        writer_of_busy.close()
    for _, each in [*idle, (reader, writer)]:
        each.close()
    await server.aclose()


@pytest.mark.kernel
async def test_the_last_descriptors_of_the_process_are_for_others() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = HttpServer(App(0), limits=HttpLimits(100, 10, spare_files=20))
    await server.start()
    assert await ask(server.url) == "ok"
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 20, hard))
    try:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await ask(server.url) == "ok"
    await server.aclose()
