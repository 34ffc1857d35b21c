"""The AI backend and the control API through the capture: the same bytes both ways, recorded on the right tape."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from audiosocket_core.http_server import HttpServer
from audiosocket_sim.live.capture import Capture, CaptureOptions
from audiosocket_sim.live.capture.backend_proxy import BackendProxy
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.virtual_time import run

ID = "0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57"
ANSWER = {"content": {"mensagem": "Pode subir.", "dados": {"intent_type": "x"}}, "set_call_status": "STANDBY"}


class Upstream:
    """The backend behind the proxy: records its requests, and answers as the test sets it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.status = 200
        self.body = json.dumps(ANSWER).encode()
        self.headers = {"content-type": "application/json", "x-own": "yes"}
        self.after = 0.0
        self.stuck = False
        """Begin an answer, and never continue it."""
        self.gone = 0
        self.pieces: list[bytes] = []
        """The answer as pieces, half a second before each."""

    async def answer(self, request: Any) -> Any:
        from starlette.responses import Response, StreamingResponse

        query = f"?{request.url.query}" if request.url.query else ""
        self.paths.append(request.url.path + query)
        self.seen.append((request.method, str(request.url.path), dict(request.headers), await request.body()))
        try:
            await asyncio.sleep(self.after)
        except asyncio.CancelledError:
            self.gone += 1
            raise
        if self.pieces:
            return StreamingResponse(self._in_pieces(), self.status, headers=self.headers)
        if self.stuck:
            return StreamingResponse(self._stuck(), self.status, headers=self.headers)
        return Response(self.body, self.status, headers=self.headers)

    async def _in_pieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0.5)
            yield piece

    async def _stuck(self) -> AsyncIterator[bytes]:
        yield b"{"
        try:
            await asyncio.sleep(3600)
        finally:
            self.gone += 1


class Bench:
    def __init__(self) -> None:
        self.backend, self.control = Upstream(), Upstream()
        self.tapes: dict[str, Tape] = {ID: Tape(0.0, 3600.0)}
        self.troubles: list[str] = []
        self.url = ""
        self.proxy: BackendProxy

    @property
    def tape(self) -> Tape:
        return self.tapes[ID]


def through(
    scene: Callable[[Bench, httpx.AsyncClient], Awaitable[None]],
    *,
    listening: bool = True,
    below: str = "",
    host: str = "127.0.0.1",
) -> Bench:
    async def whole() -> Bench:
        from starlette.applications import Starlette
        from starlette.routing import Route

        bench = Bench()
        servers = []
        for upstream in (bench.backend, bench.control):
            servers.append(HttpServer(Starlette(routes=[Route("/{p:path}", upstream.answer, methods=["GET", "POST"])])))
        ports = [await server.start() for server in servers]
        if not listening:
            await servers[0].aclose()
        proxy = BackendProxy(
            f"http://127.0.0.1:{ports[0]}{below}",
            f"http://127.0.0.1:{ports[1]}",
            tape_of=bench.tapes.get,
            on_trouble=bench.troubles.append,
        )
        bench.proxy = proxy
        bench.url = f"http://127.0.0.1:{await proxy.start(host, 0)}"
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as client:
            del client.headers["accept-encoding"]
            await scene(bench, client)
        await proxy.aclose()
        for server in servers:
            await server.aclose()
        return bench

    return run(whole)


def asked(content: str = "Quero subir.", conversation: str = ID) -> dict[str, str]:
    return {"id": conversation, "content": content}


def test_a_question_and_its_answer_pass_unchanged_and_are_on_the_tape() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.after = 1.2
        answer = await client.post(
            f"{bench.url}/messages?a=1", json=asked(), headers={"x-token": "t", "user-agent": "us"}
        )
        assert answer.content == bench.backend.body
        assert answer.headers["x-own"] == "yes"

    bench = through(scene)
    ((method, path, headers, body),) = bench.backend.seen
    assert (method, path, headers["x-token"]) == ("POST", "/messages", "t")
    assert headers["user-agent"] == "us"
    assert "accept-encoding" not in headers  # who asked did not say that he takes any
    assert json.loads(body) == asked()
    (noted,) = bench.tape.asked
    assert (noted.content, noted.conversation_id) == ("Quero subir.", ID)
    assert noted.answered_at - noted.at == pytest.approx(1.2)
    assert noted.answer == Answer(0, 200, ANSWER)


@pytest.mark.every(6)
@pytest.mark.parametrize("path", ["/calls", f"/calls/{ID}", "/messages"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebind.evil", "Sec-Fetch-Site": "same-origin"},
        {"Host": "rebind.evil"},
        {"Origin": "http://page.evil"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_web_page_reaches_neither_the_backend_nor_the_control_api(path: str, headers: dict[str, str]) -> None:
    """The control API sees the proxy's own request, under its own address: it cannot refuse it."""

    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        assert (await client.get(f"{bench.url}{path}", headers=headers)).status_code == 403
        assert (await client.get(f"{bench.url}{path}", headers={"Host": "capture:8000"})).status_code == 200

    bench = through(scene)
    assert len(bench.backend.seen) + len(bench.control.seen) == 1


def test_beyond_loopback_only_the_control_api_is_kept_from_other_names() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        for path, status in (("/messages", 200), ("/calls", 403), ("/calls/1/events", 403), ("/call%73", 403)):
            answer = await client.get(f"{bench.url}{path}", headers={"Host": "capture.example.com"})
            assert answer.status_code == status, path

    through(scene, host="0.0.0.0")


@pytest.mark.parametrize(
    ("status", "body", "noted"),
    [
        (500, b"{}", Answer(0, 500, {})),
        (200, b'{"content": {"mens', Answer(0, 200, None)),
        (307, b"", Answer(0, 307, None)),
    ],
)
def test_a_bad_answer_passes_unchanged(status: int, body: bytes, noted: Answer) -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.status, bench.backend.body = status, body
        answer = await client.post(bench.url, json=asked())
        assert (answer.status_code, answer.content) == (status, body)

    assert through(scene).tape.asked[0].answer == noted


def test_a_compressed_answer_passes_as_it_is_and_is_read_for_the_tape() -> None:
    import gzip

    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.body = gzip.compress(bench.backend.body)
        bench.backend.headers["content-encoding"] = "gzip"
        async with client.stream("POST", bench.url, json=asked()) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert raw == bench.backend.body

    assert through(scene).tape.asked[0].answer == Answer(0, 200, ANSWER)


def test_a_backend_that_is_not_there_is_a_broken_connection() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.TransportError):
            await client.post(bench.url, json=asked())

    bench = through(scene, listening=False)
    assert bench.tape.asked[0].answer == Answer(0, fault="refused")
    assert len(bench.troubles) == 1


def test_who_gives_up_is_given_up_for() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.after = 60
        with pytest.raises(httpx.ReadTimeout):
            await client.post(bench.url, json=asked(), timeout=3)
        await asyncio.sleep(1)

    bench = through(scene)
    assert bench.tape.asked[0].answer == Answer(0, fault="no_answer")


def test_who_gives_up_in_the_midst_of_an_answer_is_given_up_for() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.stuck = True
        with pytest.raises(httpx.ReadTimeout):
            await client.post(bench.url, json=asked(), timeout=3)
        await asyncio.sleep(1)
        assert bench.backend.gone == 1

    assert through(scene).tape.asked[0].answer == Answer(0, fault="no_answer")


def test_a_client_that_leaves_in_the_middle_of_its_question_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(bench.url).port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)

    assert through(scene).backend.seen == []
    assert caplog.messages == []


def test_only_paths_below_calls_go_to_the_control_api() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        for path in ("/calls", "/calls/1", "/callscript"):
            await client.get(bench.url + path)

    bench = through(scene)
    assert [path for _, path, _, _ in bench.control.seen] == ["/calls", "/calls/1"]
    assert [path for _, path, _, _ in bench.backend.seen] == ["/callscript"]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("given", "asked_for", "arrives"),
    [
        ("", "/messages", "/messages"),
        ("/bot/", "/messages", "/bot/messages"),
        ("/bot?key=1", "/messages", "/bot/messages?key=1"),
        ("?key=1", "/messages?id=2", "/messages?key=1&id=2"),
        ("/bot?key=1", "/", "/bot?key=1"),
    ],
)
def test_a_backend_with_a_path_and_a_query_of_its_own(given: str, asked_for: str, arrives: str) -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        await client.post(bench.url + asked_for, json=asked())

    bench = through(scene, below=given)
    assert bench.backend.paths == [arrives]


def test_a_push_goes_to_the_control_api() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.control.status = 202
        answer = await client.post(f"{bench.url}/calls/{ID}/messages", json=ANSWER)
        assert answer.status_code == 202

    bench = through(scene)
    assert bench.backend.seen == []
    assert [(method, path) for method, path, _, _ in bench.control.seen] == [("POST", f"/calls/{ID}/messages")]
    assert [(push.body, push.http_status) for push in bench.tape.pushed] == [(ANSWER, 202)]


def test_a_request_that_is_too_large_is_refused_here() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        answer = await client.post(bench.url, content=b"x" * 1_000_001)
        assert answer.status_code == 413

    assert through(scene).backend.seen == []


def test_a_question_of_no_known_call_passes_and_is_reported() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        answer = await client.post(bench.url, json=asked(conversation="somebody else"))
        assert answer.status_code == 200

    bench = through(scene)
    assert bench.tape.asked == []
    assert bench.troubles == [
        "a question to the AI backend is in no cassette: it is not clear which call it belongs to. Capture such calls "
        "one at a time"
    ]


# --- whose conversation is it


def tapes_of(tmp_path: Path, *uuids: str) -> tuple[Capture, list[Tape]]:
    async def made() -> tuple[Capture, list[Tape]]:
        capture = Capture(CaptureOptions(("", 0), ("", 0), tmp_path), say=lambda line: None, trouble=lambda line: None)
        tapes = [Tape(0.0, 3600.0, uuid=uuid.replace("-", "")) for uuid in uuids]
        capture._known = tapes
        return capture, tapes

    return run(made)


OTHER = "11111111-5d2a-4c7e-9b1f-2a6d8e4c0b57"


def test_a_conversation_is_known_by_the_calls_uuid(tmp_path: Path) -> None:
    capture, (first, second) = tapes_of(tmp_path, ID, OTHER)
    assert capture._tape_of(ID) is first
    assert capture._tape_of(OTHER.upper()) is second
    assert capture._tape_of("session 7") is None  # two calls: nobody knows whose


def test_of_two_calls_with_one_uuid_the_second_has_a_number(tmp_path: Path) -> None:
    capture, (first, second) = tapes_of(tmp_path, ID, ID)
    assert capture._tape_of(ID) is first
    assert capture._tape_of(f"{ID}-2") is second


def test_an_id_of_its_own_kind_is_the_only_calls(tmp_path: Path) -> None:
    capture, (only,) = tapes_of(tmp_path, ID)
    assert capture._tape_of("session 7") is only


# --- another protocol


def other(scene: Callable[[Bench, httpx.AsyncClient], Awaitable[None]]) -> Bench:
    """As `through`, with every request of another protocol taken for the call's."""

    async def also(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.proxy._tape_for = lambda evidence: bench.tape
        await scene(bench, client)

    return through(also)


def test_a_question_of_another_protocol_is_kept_as_it_is_with_the_pieces_of_its_answer() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.pieces = [b"data: 1\n\n", b"data: 2\n\n"]
        async with client.stream("POST", f"{bench.url}/v1/turn?a=1", json={"turn": 1}) as answer:
            came = [piece async for piece in answer.aiter_raw()]
        assert came == bench.backend.pieces

    (noted,) = other(scene).tape.asked
    assert noted.raw is not None
    assert (noted.raw.method, noted.raw.path, json.loads(noted.raw.body)) == ("POST", "/v1/turn?a=1", {"turn": 1})
    assert (noted.is_known, noted.is_question, noted.content) == (False, True, "")
    answer = noted.raw.answer
    assert answer is not None
    assert (answer.at_ms, answer.pieces) == (0, ((500, b"data: 1\n\n"), (1000, b"data: 2\n\n")))


def test_a_compressed_answer_of_another_protocol_is_read_for_the_tape() -> None:
    import gzip

    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.backend.body = gzip.compress(b"plain")
        bench.backend.headers = {"content-encoding": "gzip"}
        await client.get(f"{bench.url}/health", headers={"accept-encoding": "gzip"})

    (noted,) = other(scene).tape.asked
    assert not noted.is_question
    assert noted.raw is not None
    assert noted.raw.answer is not None
    assert noted.raw.answer.body == b"plain"


def test_a_backend_that_refuses_a_question_of_another_protocol_is_kept_too() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        bench.proxy._tape_for = lambda evidence: bench.tape
        with pytest.raises(httpx.TransportError):
            await client.post(f"{bench.url}/v1/turn", json={"turn": 1})

    (noted,) = through(scene, listening=False).tape.asked
    assert noted.raw is not None
    assert noted.raw.answer is not None
    assert noted.raw.answer.fault == "refused"


def test_what_cannot_be_paired_is_said_once_and_only_in_a_call() -> None:
    async def scene(bench: Bench, client: httpx.AsyncClient) -> None:
        for turn in range(3):
            await client.post(f"{bench.url}/v1/turn", json={"turn": turn})
        await client.get(f"{bench.url}/health")
        assert bench.proxy.n_unpaired == 3
        bench.proxy._is_any_going_on = lambda: False
        await client.post(f"{bench.url}/v1/turn", json={"turn": 4})
        assert bench.proxy.n_unpaired == 3

    bench = through(scene)
    assert len(bench.troubles) == 1
    assert "in no cassette" in bench.troubles[0]


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("backend", "control", "read"),
    [
        ("http://a", None, False),
        ("http://a", "http://b", False),
        ("https://a", None, True),
        ("HTTPS://a", "http://b", True),
        ("http://a", "https://b", True),
    ],
)
def test_certificates_are_read_where_there_is_somebody_to_be_certain_of(
    backend: str, control: str | None, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[str] = []
    default = ssl.create_default_context

    def noted(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        reading.append(backend)
        return default(*args, **kwargs)

    monkeypatch.setattr(ssl, "create_default_context", noted)

    async def scene() -> None:
        await BackendProxy(backend, control, tape_of=lambda _: None, on_trouble=reading.append).aclose()

    run(scene())
    assert bool(reading) is read
