"""Questions over connections, in virtual time: what a backend sends byte by byte, and what becomes of its faults."""

import asyncio
import contextlib
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from audiosocket_server.backend import http_answer, http_transport, reply
from audiosocket_server.backend.client import AiClient, BackendError
from audiosocket_server.settings.settings import AiSettings

from tests.helpers.call_bench import virtual

Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BODY = json.dumps({"content": {"mensagem": "Um momento."}, "set_call_status": "WAITING"}).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CERTIFICATE = Path(__file__).parent / "localhost.pem"
"""A key and its certificate for localhost, until 2126, which nobody trusts."""


class Backend:
    """Answers each connection with `served`, once its request has arrived; `requests` are their bytes."""

    def __init__(self, served: Served | bytes) -> None:
        self.requests: list[bytes] = []
        self.sent_bytes = 0
        self._served = served
        self._open: set[asyncio.Task[None] | None] = set()

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Listen on a port of this machine."""
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls) as server:
            yield server.sockets[0].getsockname()[1]
            await asyncio.gather(*(task for task in self._open if task is not None))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
            self.requests.append(head + await reader.readexactly(length))
            if isinstance(self._served, bytes):
                writer.write(self._served)
            else:
                await self._served(reader, writer)
            await writer.drain()
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def asked(served: Served | bytes, *, path: str = "/messages", seconds: float = 5.0) -> str | BackendError:
    """Return what becomes of one question: the message, or the failure."""
    backend = Backend(served)
    async with backend.listening() as port:
        client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{port}{path}", timeout_seconds=seconds))
        try:
            return (await client.ask("1", "Sim.")).message
        except BackendError as error:
            return error
        finally:
            await client.aclose()


def endless(piece: bytes, *, start: bytes = b"", pause: float = 0.0) -> Served:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return serve


@virtual
async def test_a_question_is_one_request_on_a_connection_that_is_then_closed() -> None:
    backend = Backend(OK)
    async with backend.listening() as port:
        client = AiClient(AiSettings(api_url=f"http://us%65r:word@127.0.0.1:{port}/messages?a=b%20c"))
        assert [(await client.ask("42", "Olá.")).message for _ in range(2)] == ["Um momento."] * 2
        await client.aclose()
    assert len(backend.requests) == 2
    head, _, body = backend.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {"id": "42", "content": "Olá."}
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /messages?a=b%20c HTTP/1.1"
    assert set(headers) >= {f"Host: 127.0.0.1:{port}", "Accept-Encoding: identity", "Connection: close"}
    assert "Authorization: Basic dXNlcjp3b3Jk" in headers


@virtual
async def test_a_later_httpx_may_do_without_the_method_that_respx_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx.AsyncClient, "_transport_for_url", None)

    async def send(client: httpx.AsyncClient, request: httpx.Request, **options: object) -> httpx.Response:
        assert options == {"stream": True, "follow_redirects": False, "auth": None}
        return httpx.Response(200, content=BODY, request=request)

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    assert await asked(OK) == "Um momento."


@virtual
async def test_a_name_is_looked_up_and_its_addresses_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    backend = Backend(OK)
    async with backend.listening() as port:
        for found in (["127.0.0.1"], ["127.0.0.9:refused", "127.0.0.1"], ["127.0.0.9:hangs", "127.0.0.1"]):
            await _ask_by_name(loop, monkeypatch, port, found)
    assert len(backend.requests) == 3


async def _ask_by_name(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, port: int, found: list[str]
) -> None:
    connect = loop.create_connection

    async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
        return [(2, 1, 6, "", (address, port)) for address in found]

    async def create_connection(factory: object, host: str, port: int, **options: object) -> object:
        if host.endswith("refused"):
            raise ConnectionRefusedError(111, "Connection refused")
        if host.endswith("hangs"):
            await asyncio.sleep(1000)
        return await connect(factory, host, port, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        patched.setattr(loop, "getaddrinfo", getaddrinfo)
        patched.setattr(loop, "create_connection", create_connection)
        client = AiClient(AiSettings(api_url=f"http://backend.test:{port}/messages"))
        before = loop.time()
        assert (await client.ask("1", "Sim.")).message == "Um momento."
        assert loop.time() - before <= http_transport.NEXT_ADDRESS_SECONDS + 0.001
        await client.aclose()


@virtual
async def test_the_first_address_s_failure_is_the_one_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
        return [(10, 1, 6, "", ("::1", port, 0, 0)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    client = AiClient(AiSettings(api_url="http://backend.test:9/messages"))
    with pytest.raises(BackendError, match=r"unreachable: ConnectError: .*refused|Connect call failed"):
        await client.ask("1", "Sim.")
    await client.aclose()


@virtual
async def test_a_question_that_is_broken_off_leaves_no_connection_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def create_connection(*given: object, **options: object) -> object:
        await asyncio.sleep(1000)
        raise AssertionError

    async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
        return [(2, 1, 6, "", (f"127.0.0.{number}", port)) for number in (1, 2)]

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    client = AiClient(AiSettings(api_url="http://backend.test:9/messages", timeout_seconds=2))
    with pytest.raises(BackendError, match="no answer within 2 s"):
        await client.ask("1", "Sim.")
    await client.aclose()


PACKED = gzip.compress(BODY)


@pytest.mark.parametrize(
    ("sent", "kind", "detail"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(PACKED), PACKED),
            "http_error",
            "an answer with Content-Encoding 'gzip', which was not asked for",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: identity, br\r\nContent-Length: 2\r\n\r\n{}",
            "http_error",
            "an answer with Content-Encoding 'identity, br', which was not asked for",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{",
            "http_error",
            "an answer of more than 1000000 bytes",
        ),
        (
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000,
            "unreachable",
            "RemoteProtocolError: headers of more than 32000 bytes or 200 lines",
        ),
        (b"junk", "unreachable", "no answer within 5 s"),
    ],
)
def test_an_answer_that_is_out_of_bounds_fails_for_its_reason(sent: bytes, kind: str, detail: str) -> None:
    @virtual
    async def scene() -> None:
        failure = await asked(sent)
        assert isinstance(failure, BackendError)
        assert (failure.kind, failure.detail) == (kind, detail)

    scene()


@pytest.mark.parametrize(
    ("served", "kind", "detail"),
    [
        pytest.param(
            endless(b"1\r\n \r\n" * 500, start=HEAD),
            "http_error",
            "DecodingError: an answer in more than 10000 pieces",
            id="chunks of one byte",
        ),
        pytest.param(
            endless(b" " * 60_000, start=b"HTTP/1.1 200 OK\r\n\r\n"),
            "http_error",
            "an answer of more than 1000000 bytes",
            id="no end",
        ),
        pytest.param(
            endless(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.1),
            "unreachable",
            "RemoteProtocolError: status 100, which was not asked for",
            id="continue",
        ),
        pytest.param(
            endless(b"A: b\r\n", start=b"HTTP/1.1 200 OK\r\n", pause=0.1),
            "unreachable",
            "no answer within 5 s",
            id="slow headers",
        ),
        pytest.param(
            endless(b"data: a\n\n", start=b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", pause=1),
            "unreachable",
            "no answer within 5 s",
            id="a stream of events",
        ),
        pytest.param(
            endless(b" ", start=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", pause=1),
            "unreachable",
            "no answer within 5 s",
            id="a byte a second",
        ),
    ],
)
def test_an_endless_answer_ends_with_its_limit_or_with_the_time(served: Served, kind: str, detail: str) -> None:
    @virtual
    async def scene() -> None:
        failure = await asked(served)
        assert isinstance(failure, BackendError)
        assert (failure.kind, failure.detail) == (kind, detail)

    scene()


@virtual
async def test_thousands_of_pieces_let_others_have_their_turn_in_between() -> None:
    """One read holds all of them: the answer is read in many turns of the loop, each of 200 parts at most."""
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY.ljust(9_000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    assert await asked(HEAD + pieces + b"0\r\n\r\n") == "Um momento."
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert turns > 2 * 9_000 / http_transport.PARTS_A_TURN  # a piece has two parts: itself, and its end


@virtual
async def test_a_backend_that_is_not_read_from_is_held_up() -> None:
    """What has arrived and was not read is bounded, also while the answer's reader does not come to it."""
    backend = Backend(endless(b" " * 50_000, start=b"HTTP/1.1 200 OK\r\n\r\n"))
    async with backend.listening() as port:
        transport = http_transport.AsyncioTransport(_no_tls)
        response = await transport.handle_async_request(httpx.Request("GET", f"http://127.0.0.1:{port}/"))
        await asyncio.sleep(1)
        (connection,) = transport._open
        assert (
            connection._answer.unread_bytes <= http_transport.MOST_UNREAD_BYTES + 262_144
        )  # and one read of asyncio's
        await response.aclose()
        await transport.aclose()


@virtual
async def test_closing_the_client_breaks_off_a_question_under_way() -> None:
    backend = Backend(b"")
    async with backend.listening() as port:
        client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{port}/messages"))
        asking = asyncio.ensure_future(client.ask("1", "Sim."))
        await asyncio.sleep(1)
        await client.aclose()
        with pytest.raises(BackendError, match="unreachable: ReadError: the connection is closed"):
            await asking


@virtual
async def test_an_answer_that_is_reset_says_so() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK[:-3])
        await writer.drain()
        await asyncio.sleep(1)
        writer.transport.abort()

    failure = await asked(serve)
    assert isinstance(failure, BackendError)
    assert failure.kind == "unreachable"


@virtual
async def test_a_header_that_http_does_not_allow_is_not_sent() -> None:
    transport = http_transport.AsyncioTransport(_no_tls)
    request = httpx.Request("GET", "http://127.0.0.1:9/", headers={"A": "b\r\nC: d"})
    with pytest.raises(httpx.LocalProtocolError):
        await transport.handle_async_request(request)


async def _no_tls() -> ssl.SSLContext:
    raise AssertionError("no https was asked for")


def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_https_is_verified_in_virtual_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    def trusting() -> ssl.SSLContext:
        reads.append(1)
        return ssl.create_default_context(cafile=str(CERTIFICATE))

    @virtual
    async def scene() -> None:
        backend = Backend(OK)
        async with backend.listening(_server_tls()) as port:
            url = f"https://localhost:{port}/messages"
            strict = AiClient(AiSettings(api_url=url))
            with pytest.raises(BackendError, match=r"unreachable: ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
                await strict.ask("1", "Sim.")
            await strict.aclose()
            monkeypatch.setattr(httpx, "create_ssl_context", trusting)
            moved = b"HTTP/1.1 307 Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % url.encode()
            async with Backend(moved).listening() as plain_port:
                client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{plain_port}/messages"))
                assert [(await client.ask("1", "Sim.")).message for _ in range(2)] == ["Um momento."] * 2
                await client.aclose()
            other = AiClient(AiSettings(api_url=f"https://127.0.0.2:{port}/messages"))
            with pytest.raises(BackendError, match=r"unreachable: ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
                await other.ask("1", "Sim.")
            await other.aclose()
        assert len(reads) == 2  # once for each client

    scene()


def test_the_docs_name_the_limits_of_an_answer() -> None:
    text = (Path(__file__).parents[3] / "docs/server.md").read_text(encoding="utf-8")
    for limit in (
        f"{http_answer.MOST_HEAD_BYTES:,} bytes or {http_answer.MOST_HEAD_LINES} lines of headers",
        f"{http_answer.MOST_INTERIM_ANSWERS} interim answers",
        f"{http_answer.MOST_PIECES:,} pieces",
        f"nested {reply.MOST_DEPTH} deep; {reply.MOST_PARTS:,} values; numbers of {reply.MOST_DIGITS} digits",
        f"{reply.MOST_MESSAGE_BYTES:,} bytes in UTF-8",
    ):
        assert limit in text
