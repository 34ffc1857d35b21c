"""A reverse proxy for the AI backend and the control API; it records questions, answers and pushes on a call's tape.

Method, path, query, headers and body are passed on unchanged in both directions, except for the headers that belong to
one connection (RFC 9110, 7.6.1). Requests to `/calls/…` go to the control API if one is given, all others to the
backend. Bodies are bounded. `tape_of` tells the proxy which call's tape a conversation id belongs to.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import httpx

from audiosocket_core.http_server import HttpServer
from audiosocket_sim.live.capture.tape import AskedAt, PushedAt, Tape
from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.net.http_guard import guarded
from audiosocket_sim.net.pairing import Evidence
from audiosocket_sim.net.request_evidence import evidence_in
from audiosocket_sim.net.tcp_reset import reset
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange, question_words

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["BackendProxy", "origin_of"]

_T = TypeVar("_T")

_LARGEST_REQUEST_BYTES = 1_000_000
_LARGEST_ANSWER_BYTES = 4_000_000
_CONNECT_SECONDS = 10.0
_MOST_CONNECTIONS = 200
_CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade", "host", "content-length"}
)  # fmt: skip
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class _ClientGone(Exception):
    """The client that sent the request has closed its connection."""


class BackendProxy:
    """Call `start`, then `aclose`.

    backend_url: requests go to its path plus their own; control_url: the control API, None for none.
    tape_of: returns the tape of a conversation id, None if it is not known; tape_for: the same for a request in another
    protocol, None if it is not clear; is_any_going_on: whether a call is in progress.
    on_trouble: called with a line for people about an error. It holds nothing that anybody said.
    """

    def __init__(
        self,
        backend_url: str,
        control_url: str | None,
        *,
        tape_of: Callable[[str], Tape | None],
        tape_for: Callable[[Evidence], Tape | None] = lambda evidence: None,
        is_any_going_on: Callable[[], bool] = lambda: True,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._tape_for = tape_for
        self._is_any_going_on = is_any_going_on
        self.n_unpaired = 0
        """How many questions are in no cassette, since it was not clear which call they belong to."""
        self._backend = backend_url
        self._control = control_url
        self._tape_of = tape_of
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        limits = httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=0)
        # To read the system's certificates takes up to 30 ms: only where there is somebody to be certain of.
        secure = any(url.lower().startswith("https:") for url in (backend_url, control_url or ""))
        self._http = httpx.AsyncClient(trust_env=False, verify=secure, limits=limits)
        self._server: HttpServer | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError if it cannot be bound."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)])
        # The control API trusts whoever reaches it under its own address, which is the one that it sees: the check of
        # the name falls to this proxy.
        self._server = HttpServer(guarded(app, host, strict=self._is_for_control))
        return await self._server.start(host, port)

    async def aclose(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            await self._server.aclose()
        await self._http.aclose()

    # --- one request

    async def _pass_on(self, request: "Request") -> "Response":
        from starlette.requests import ClientDisconnect
        from starlette.responses import PlainTextResponse

        try:
            body = await _bounded(request)
        except ClientDisconnect:
            return PlainTextResponse("")
        if body is None:
            self._on_trouble(f"a request of more than {_LARGEST_REQUEST_BYTES} bytes was refused")
            return PlainTextResponse(f"the request is too large: at most {_LARGEST_REQUEST_BYTES} bytes", 413)
        conversation = self._pushed_to(request)
        if conversation is not None:
            return await self._push(request, body, conversation)
        asked = self._asked(request, body)
        try:
            return await self._answer(request, body, asked)
        except _ClientGone:
            self._note(asked, Answer(0, fault="no_answer"))
            return PlainTextResponse("")

    async def _answer(self, request: "Request", body: bytes, asked: AskedAt | None) -> "Response":
        answered = await self._until_gone(request, self._send(request, body))
        if isinstance(answered, httpx.HTTPError):
            refused = isinstance(answered, httpx.ConnectError | httpx.ConnectTimeout)
            self._note(asked, Answer(0, fault="refused" if refused else "reset"))
            self._on_trouble(f"no answer from the AI backend at {origin_of(self._backend)}: {type(answered).__name__}")
            return await self._broken(request)
        if asked is None or not asked.is_known:
            return self._streamed(answered, asked)
        content = await self._until_gone(request, _bounded_answer(answered))
        if content is None:
            self._note(asked, Answer(0, fault="reset"))
            self._on_trouble(
                f"an answer of the AI backend ended early, or was cut off at {_LARGEST_ANSWER_BYTES} bytes"
            )
            return await self._broken(request)
        self._note(asked, Answer(0, answered.status_code, _json_object(answered, content)))
        self._note_raw(asked, answered, [(self._loop.time(), content)])
        return _response(answered, content)

    async def _push(self, request: "Request", body: bytes, conversation: str) -> "Response":
        from starlette.responses import PlainTextResponse

        at = self._loop.time()
        answered: httpx.Response | httpx.HTTPError | None
        try:
            answered = await self._until_gone(request, self._send(request, body))
        except _ClientGone:  # the message may still have arrived
            answered = None
        status = answered.status_code if isinstance(answered, httpx.Response) else None
        tape, pushed = self._tape_of(conversation), _parsed(body)
        if tape is not None and isinstance(pushed, dict) and tape.has_room():
            tape.pushed.append(PushedAt(at, pushed, status))
        if answered is None:
            return PlainTextResponse("")
        if isinstance(answered, httpx.HTTPError):
            place = origin_of(self._control or "")
            self._on_trouble(f"no answer from the control API at {place}: {type(answered).__name__}")
            return PlainTextResponse("the control API cannot be reached", 502)
        return self._streamed(answered)

    async def _send(self, request: "Request", body: bytes) -> httpx.Response | httpx.HTTPError:
        url = self._url(request)
        headers = [(k, v) for k, v in request.headers.raw if k.decode("latin-1").lower() not in _CONNECTION_HEADERS]
        try:
            # Not the client's `build_request`, which adds headers of its own (Accept-Encoding, for one).
            timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS).as_dict()
            made = httpx.Request(
                request.method, url, headers=headers, content=body or None, extensions={"timeout": timeout}
            )
            return await self._http.send(made, stream=True)
        except httpx.HTTPError as error:
            return error

    def _is_for_control(self, path: str) -> bool:
        return self._control is not None and (path == "/calls" or path.startswith("/calls/"))

    def _url(self, request: "Request") -> str:
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        base = self._control if self._control is not None and self._is_for_control(path) else self._backend
        base, _, own_query = base.partition("?")
        query = "&".join(filter(None, (own_query, request.scope["query_string"].decode("latin-1"))))
        return base.rstrip("/") + ("" if path == "/" else path) + (f"?{query}" if query else "")

    def _pushed_to(self, request: "Request") -> str | None:
        """Return the ID of a `POST /calls/ID/messages`; None for other requests, or without a control API."""
        parts = request.scope["path"].strip("/").split("/")
        is_push = request.method == "POST" and len(parts) == 3 and (parts[0], parts[2]) == ("calls", "messages")
        return unquote(parts[1]) if is_push and self._control is not None else None

    def _asked(self, request: "Request", body: bytes) -> AskedAt | None:
        """Record the request on its call's tape, and return the record; None if it is not clear which call that is."""
        if self._is_for_control(request.scope["path"]):
            return None
        asked = _parsed(body) if request.method == "POST" else None
        conversation, content = (asked.get("id"), asked.get("content")) if isinstance(asked, dict) else (None, None)
        is_known = isinstance(conversation, str) and isinstance(content, str)
        tape = self._tape_of(str(conversation)) if is_known else self._tape_for(evidence_in(request, body))
        query = request.scope["query_string"].decode("latin-1")
        raw = RawExchange(request.method, request.url.path + (f"?{query}" if query else ""), body)
        words = str(content) if is_known else question_words(body)
        noted = AskedAt(self._loop.time(), words, str(conversation or ""), raw=raw, is_known=is_known)
        if tape is None or not tape.has_room():
            if noted.is_question and (is_known or self._is_any_going_on()):
                self._say_that_it_is_unpaired()
            return None
        tape.asked.append(noted)
        tape.n_bytes += len(body)
        return noted

    def _say_that_it_is_unpaired(self) -> None:
        """Report the first such question; `n_unpaired` counts all."""
        self.n_unpaired += 1
        if self.n_unpaired == 1:
            self._on_trouble(
                "a question to the AI backend is in no cassette: it is not clear which call it belongs to. Capture "
                "such calls one at a time"
            )

    def _note(self, asked: AskedAt | None, answer: Answer) -> None:
        if asked is None:
            return
        asked.answered_at, asked.answer = self._loop.time(), answer
        if asked.raw is not None and answer.fault is not None:
            asked.raw = replace(asked.raw, answer=RawAnswer(self._ms_since(asked), fault=answer.fault))

    def _note_raw(self, asked: AskedAt, answered: httpx.Response, pieces: Sequence[tuple[float, bytes]]) -> None:
        """Record the answer as it came, with the loop times of its pieces; a compressed one as one piece."""
        if asked.raw is None:
            return
        headers_ms = round((asked.answered_at - asked.at) * 1000)
        timed = tuple((round((at - asked.at) * 1000), piece) for at, piece in pieces)
        if "content-encoding" in answered.headers and timed:
            whole = b"".join(piece for _, piece in timed)
            with contextlib.suppress(httpx.DecodingError):
                whole = httpx.Response(200, headers=answered.headers, content=whole).content
            timed = ((timed[-1][0], whole),)
        kind = answered.headers.get("content-type", "")
        asked.raw = replace(asked.raw, answer=RawAnswer(headers_ms, answered.status_code, kind, timed))

    def _ms_since(self, asked: AskedAt) -> int:
        return round((self._loop.time() - asked.at) * 1000)

    async def _until_gone(self, request: "Request", work: Coroutine[Any, Any, _T]) -> _T:
        """Return the result of `work`. Raises _ClientGone if the client disconnects first."""
        task = self._loop.create_task(work)
        listening = self._loop.create_task(_until_disconnect(request))
        try:
            await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _ClientGone
            return task.result()
        finally:
            for each in (task, listening):
                each.cancel()
            await asyncio.gather(task, listening, return_exceptions=True)

    async def _broken(self, request: "Request") -> "Response":
        """Reset the client's connection, as the backend's failure would have done without the proxy."""
        from starlette.responses import PlainTextResponse

        client = request.client
        transport = self._server.transport_of((client.host, client.port)) if self._server and client else None
        if transport is not None:
            with contextlib.suppress(OSError):
                reset(transport)
        await _until_disconnect(request)
        return PlainTextResponse("")

    def _streamed(self, answered: httpx.Response, asked: AskedAt | None = None) -> "Response":
        """Pass on an answer piece by piece as it arrives (a stream of events, for instance), and record it if asked."""
        from starlette.responses import StreamingResponse

        self._note(asked, Answer(0, answered.status_code))
        came: list[tuple[float, bytes]] = []

        async def pieces() -> AsyncIterator[bytes]:
            n_bytes = 0
            try:
                async for piece in answered.aiter_raw():
                    n_bytes += len(piece)
                    if asked is not None and n_bytes <= _LARGEST_ANSWER_BYTES:
                        came.append((self._loop.time(), piece))
                    yield piece
            except httpx.HTTPError:
                return
            finally:
                if asked is not None:
                    self._note_raw(asked, answered, came)
                await answered.aclose()

        response = StreamingResponse(pieces(), answered.status_code)
        response.raw_headers = _headers(answered)
        return response


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL, for messages: the rest may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


async def _bounded(request: "Request") -> bytes | None:
    """Return the request's body, None if it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_REQUEST_BYTES:
            return None
    return bytes(body)


async def _bounded_answer(answered: httpx.Response) -> bytes | None:
    """Return the body without decoding it, None if it is too large or ends early."""
    content = bytearray()
    try:
        async for piece in answered.aiter_raw():
            content += piece
            if len(content) > _LARGEST_ANSWER_BYTES:
                return None
    except httpx.HTTPError:
        return None
    finally:
        await answered.aclose()
    return bytes(content)


async def _until_disconnect(request: "Request") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _headers(answered: httpx.Response) -> list[tuple[bytes, bytes]]:
    """Return the answer's headers without those of the connection. Content-Length stays, since the body is the same."""
    kept = [(k.lower(), v) for k, v in answered.headers.raw]
    return [(k, v) for k, v in kept if k == b"content-length" or k.decode("latin-1") not in _CONNECTION_HEADERS]


def _response(answered: httpx.Response, content: bytes) -> "Response":
    from starlette.responses import Response

    response = Response(content, answered.status_code)
    length = (b"content-length", str(len(content)).encode())
    response.raw_headers = [*(header for header in _headers(answered) if header[0] != b"content-length"), length]
    return response


def _json_object(answered: httpx.Response, content: bytes) -> dict[str, Any] | None:
    """Return the decoded body as a JSON object, None if it is not one."""
    with contextlib.suppress(httpx.DecodingError, ValueError, RecursionError):
        whole = httpx.Response(200, headers=answered.headers, content=content)
        parsed = _parsed(whole.content)
        return parsed if isinstance(parsed, dict) else None
    return None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
