"""The client of the AI backend: what is asked, what counts as which fault, and that it asks once."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import respx
from audiosocket_server.backend.client import MAX_ANSWER_BYTES, AiClient, BackendError
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.events import CallState
from audiosocket_server.settings.settings import AiSettings

URL = "http://backend.test/messages"
ANSWER = {"content": {"mensagem": "Um momento."}, "set_call_status": "WAITING"}


@pytest.fixture
def backend() -> Iterator[respx.MockRouter]:
    with respx.mock(using="httpx") as router:
        yield router


@pytest.fixture
async def client() -> AsyncIterator[AiClient]:
    made = AiClient(AiSettings(api_url=URL))
    yield made
    await made.aclose()


async def test_the_question_is_posted_and_the_reply_read(client: AiClient, backend: respx.MockRouter) -> None:
    route = backend.post(URL).respond(json=ANSWER)
    reply = await client.ask("42", "Quero falar com o apartamento 202, por favor.")
    assert (reply.message, reply.status, reply.raw) == ("Um momento.", CallState.WAITING, ANSWER)
    request = route.calls.last.request
    assert json.loads(request.content) == {"id": "42", "content": "Quero falar com o apartamento 202, por favor."}
    assert request.headers["content-type"] == "application/json"


INTERRUPTED = Interrupted("Pode subir, por favor.", "Pode subir,", 1240, 2100)


async def test_what_was_heard_of_an_interrupted_message_is_told(client: AiClient, backend: respx.MockRouter) -> None:
    route = backend.post(URL).respond(json=ANSWER)
    await client.ask("42", "Espera.", INTERRUPTED)
    told = {"text": "Pode subir, por favor.", "heard": "Pode subir,", "said_ms": 1240, "of_ms": 2100}
    assert json.loads(route.calls.last.request.content) == {"id": "42", "content": "Espera.", "interrupted": told}


async def test_a_backend_that_refuses_unknown_keys_is_told_of_no_interruption(backend: respx.MockRouter) -> None:
    route = backend.post(URL).respond(json=ANSWER)
    client = AiClient(AiSettings(api_url=URL, tell_interruptions=False))
    await client.ask("42", "Espera.", INTERRUPTED)
    await client.aclose()
    assert json.loads(route.calls.last.request.content) == {"id": "42", "content": "Espera."}


async def test_a_trailing_slash_in_the_address_is_ignored(backend: respx.MockRouter) -> None:
    route = backend.post(URL).respond(json=ANSWER)
    client = AiClient(AiSettings(api_url=f"{URL}/"))
    await client.ask("1", "Sim.")
    await client.aclose()
    assert str(route.calls.last.request.url) == URL


@pytest.mark.parametrize("code", [200, 201, 202, 299])
async def test_any_2xx_with_a_reply_is_an_answer(client: AiClient, code: int, backend: respx.MockRouter) -> None:
    backend.post(URL).respond(code, json=ANSWER)
    assert (await client.ask("1", "Sim.")).message == "Um momento."


@pytest.mark.parametrize("code", [400, 404, 422, 500, 503, 304])
async def test_any_other_status_is_an_http_error_and_is_not_tried_again(
    client: AiClient, code: int, backend: respx.MockRouter
) -> None:
    route = backend.post(URL).respond(code, json=ANSWER)
    with pytest.raises(BackendError) as caught:
        await client.ask("1", "Sim.")
    assert (caught.value.kind, caught.value.detail, route.call_count) == ("http_error", f"HTTP {code}", 1)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html>", "not valid JSON: Expecting value (line 1, column 1)"),
        (b"", "not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"set_call_status": "WAITING"}', "content is missing"),
        (b'{"content": {"mensagem": 1}}', "content.mensagem: expected text, not a number"),
        (b" " * (MAX_ANSWER_BYTES + 1), f"an answer of more than {MAX_ANSWER_BYTES} bytes"),
    ],
)
async def test_an_answer_that_is_no_reply_is_an_http_error(
    client: AiClient, body: bytes, detail: str, backend: respx.MockRouter
) -> None:
    backend.post(URL).respond(200, content=body)
    with pytest.raises(BackendError) as caught:
        await client.ask("1", "Sim.")
    assert (caught.value.kind, caught.value.detail) == ("http_error", detail)


async def test_a_body_that_cannot_be_unpacked_is_an_http_error(client: AiClient, backend: respx.MockRouter) -> None:
    headers = {"content-encoding": "gzip"}
    backend.post(URL).mock(
        side_effect=lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"no gzip"))
    )
    with pytest.raises(BackendError) as caught:
        await client.ask("1", "Sim.")
    assert caught.value.kind == "http_error"


@pytest.mark.parametrize("fault", [httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError])
async def test_no_answer_is_unreachable_and_is_not_tried_again(
    client: AiClient, fault: type[httpx.TransportError], backend: respx.MockRouter
) -> None:
    route = backend.post(URL).mock(side_effect=fault("a\nb"))
    with pytest.raises(BackendError) as caught:
        await client.ask("1", "Sim.")
    assert (caught.value.kind, caught.value.detail) == ("unreachable", f"{fault.__name__}: a b")
    assert route.call_count == 1


async def test_the_time_limit_holds_for_redirects_and_answer_together(backend: respx.MockRouter) -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.03)
        return httpx.Response(307, headers={"location": str(request.url) + "x"})

    backend.route().mock(side_effect=slow)
    client = AiClient(AiSettings(api_url=URL, timeout_seconds=0.05))
    with pytest.raises(BackendError) as caught:
        await client.ask("1", "Sim.")
    await client.aclose()
    assert (caught.value.kind, caught.value.detail) == ("unreachable", "no answer within 0.05 s")


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_followed_with_the_question(client: AiClient, code: int, backend: respx.MockRouter) -> None:
    backend.post(URL).respond(code, headers={"location": "/v2/messages"})
    moved = backend.post("http://backend.test/v2/messages").respond(json=ANSWER)
    assert (await client.ask("7", "Sim.")).message == "Um momento."
    assert json.loads(moved.calls.last.request.content) == {"id": "7", "content": "Sim."}


async def test_see_other_is_fetched(client: AiClient, backend: respx.MockRouter) -> None:
    backend.post(URL).respond(303, headers={"location": "http://other.test/1"})
    backend.get("http://other.test/1").respond(json=ANSWER)
    assert (await client.ask("7", "Sim.")).message == "Um momento."


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        (URL, "more than 5 redirects"),
        ("ftp://backend.test/", "HTTP 307 to an address that is not http"),
    ],
)
async def test_a_redirect_to_nowhere_is_an_http_error(
    client: AiClient, location: str, detail: str, backend: respx.MockRouter
) -> None:
    backend.post(URL).respond(307, headers={"location": location})
    with pytest.raises(BackendError) as caught:
        await client.ask("7", "Sim.")
    assert (caught.value.kind, caught.value.detail) == ("http_error", detail)


async def test_certificates_that_cannot_be_read_are_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise FileNotFoundError("no such bundle")

    monkeypatch.setattr(httpx, "create_ssl_context", broken)
    client = AiClient(AiSettings(api_url="https://backend.test/messages"))
    with pytest.raises(BackendError, match="unreachable: ConnectError: the certificates cannot be read"):
        await client.ask("1", "Sim.")
    await client.aclose()


_FIRST_QUESTION = """
import asyncio, sys
from audiosocket_server.backend.client import AiClient, BackendError
from audiosocket_server.settings.settings import AiSettings

async def main() -> None:
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as server:
        client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
        before = set(sys.modules)
        try:
            await client.ask("1", "Sim.")
        except BackendError:
            print(sorted(set(sys.modules) - before))
        await client.aclose()

asyncio.run(main())
"""


@pytest.mark.long("it needs a fresh process; other questions are asked here")
@pytest.mark.kernel
def test_the_first_question_makes_no_call_wait_for_imports() -> None:
    """In a process of its own: here everything is imported long since."""
    done = subprocess.run([sys.executable, "-c", _FIRST_QUESTION], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.kernel
async def test_over_real_sockets_each_question_has_a_connection_of_its_own() -> None:
    """A kept connection that the backend closed meanwhile would look like a backend that cannot be reached."""
    peers = []
    served = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        body = json.dumps(ANSWER).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.release()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{port}/messages"))
        assert [(await client.ask("1", "Sim.")).message for _ in range(2)] == ["Um momento."] * 2
        await client.aclose()
        for _ in range(2):
            await served.acquire()
    assert len(set(peers)) == 2


@pytest.mark.kernel
@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"\xff\xff not http\r\n\r\n"]
)
async def test_over_real_sockets_a_broken_answer_is_unreachable(sent: bytes) -> None:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{port}/messages"))
        with pytest.raises(BackendError) as caught:
            await client.ask("1", "Sim.")
        await client.aclose()
        await served.wait()
    assert caught.value.kind == "unreachable"


async def test_an_address_that_no_resolver_takes_is_unreachable() -> None:
    client = AiClient(AiSettings(api_url=f"http://{'a' * 70}.test/messages"))
    with pytest.raises(BackendError, match="unreachable"):
        await client.ask("1", "Sim.")
    await client.aclose()


@pytest.mark.kernel
async def test_over_real_sockets_nobody_listening_is_unreachable() -> None:
    async with await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    client = AiClient(AiSettings(api_url=f"http://127.0.0.1:{port}/messages"))
    with pytest.raises(BackendError, match="unreachable: ConnectError"):
        await client.ask("1", "Sim.")
    await client.aclose()


async def test_no_cookie_of_one_call_reaches_another(client: AiClient, backend: respx.MockRouter) -> None:
    route = backend.post(URL).respond(json=ANSWER, headers={"Set-Cookie": "session=of-call-1; Path=/"})
    await client.ask("1", "Sim.")
    await client.ask("2", "Não.")
    assert "cookie" not in route.calls.last.request.headers
