"""A scripted AI backend over real HTTP: it answers from the scenario's replies, and reports each question and answer.

A question gets the first unused reply that fits the caller's words. A question that fits no reply is answered with 500
and recorded in `failures`. Events are reported as they happen. It does not check the bot or the call.
The JSON is described in docs/server.md, The AI backend; times are the running loop's.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiosocket_core.http_server import HttpServer
from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import BackendAsked, BackendPushed, BackendReplied
from audiosocket_sim.mock_ai.cassette_order import CassetteOrder, differs, name_of
from audiosocket_sim.net.control_client import ControlError
from audiosocket_sim.net.http_guard import guarded
from audiosocket_sim.net.tcp_reset import reset
from audiosocket_sim.scenario import Push, Reply
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange, answer_words, question_words

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["ANY_METHOD", "POST_ONLY", "MockAi", "answer_json", "body_of"]

_TIMESTAMP = "2025-01-01T12:00:00"
"""The timestamp of every answer. It is constant, since a changing one would change recorded runs."""

_LARGEST_REQUEST_BYTES = 1_000_000
POST_ONLY = ("POST",)
ANY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The HTTP methods that a scripted backend takes, and a captured one of any protocol."""

Event = BackendAsked | BackendReplied | BackendPushed


def answer_json(says: str | None, status: str | None, *, nested_status: bool = False) -> dict[str, Any]:
    """Return the JSON body of an answer or a push; None leaves a key out.

    `nested_status` puts the status inside `content`.
    """
    content: dict[str, Any] = {"dados": {}, "valid_for_action": False}
    if says is not None:
        content = {"mensagem": says, **content}
    body: dict[str, Any] = {"content": content, "timestamp": _TIMESTAMP}
    if status is not None:
        (content if nested_status else body)["set_call_status"] = status
    return body


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: its number from 1, its fields, its loop time, and the request, which reports a disconnect."""

    number: int
    conversation_id: str
    content: str
    at: float
    request: "Request"
    interrupted: dict[str, str | int | None] | None = None


class MockAi:
    """The backend of one call. Call `start`, then `aclose`.

    on_event: called with each question, answer and push.
    push: delivers a later message; takes the conversation id and the JSON, returns the HTTP status or raises
    ControlError.
    cassette: the raw exchanges of a captured backend, played instead of `replies`: each request gets the next answer.
    None: there is none; empty: a conversation that asks nothing.
    each_call: every conversation may use all replies again, for a backend that serves call after call.
    on_failure: called with a line for each deviation from the script; `failures` collects the lines in any case.
    on_unmatched: called instead with a question that fits no reply, and the line for it.
    on_late: called with the seconds by which an answer or a push comes later than scripted, when it does.
    on_error: called with an unexpected exception in the mock itself, for which neither script nor bot is to blame.
    """

    def __init__(
        self,
        replies: Sequence[Reply],
        on_event: Callable[[Event], None],
        push: Callable[[str, dict[str, Any]], Awaitable[int]],
        *,
        cassette: Sequence[RawExchange] | None = None,
        each_call: bool = False,
        on_failure: Callable[[str], None] | None = None,
        on_unmatched: Callable[[BackendAsked, str], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_late: Callable[[float], None] | None = None,
    ) -> None:
        self._replies = tuple(replies)
        self._cassette = None if cassette is None else CassetteOrder(cassette, again=each_call)
        self._on_event = on_event
        self._push = push
        self._each_call = each_call
        self._on_failure = on_failure
        self._on_unmatched = on_unmatched
        self._on_error = on_error
        self._on_late = on_late
        self._loop = asyncio.get_running_loop()
        self._used: Counter[tuple[str, int]] = Counter()
        self._own_server: HttpServer | None = None
        self._server: HttpServer | None = None
        self._pushing: set[asyncio.Task[None]] = set()
        self._unsent: list[str] = []
        self._requests = 0
        self._doubt = ""
        self._closing = False
        self.failures: list[str] = []
        """The deviations from the script, one line each."""
        self.unmatched: list[BackendAsked] = []
        """The questions that fitted no reply; each is a failure too."""

    @property
    def refuses(self) -> bool:
        """True if the script has the fault `refused`: nothing listens at the backend's address."""
        return any(reply.fault == "refused" for reply in self._replies)

    @property
    def plays_a_cassette(self) -> bool:
        """Whether it takes requests of any protocol, which need not say whose they are."""
        return self._cassette is not None

    def waits_for(self, method: str, path: str, body: bytes) -> bool:
        """Whether the cassette has just this request as one of the next; False without a cassette."""
        return self._cassette is not None and self._cassette.waits_for(method, path, body)

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Listen, and return the URL for the bot. Raises OSError if the port cannot be bound.

        If the script has the fault `refused`, nothing listens at the URL.
        """
        from starlette.applications import Starlette
        from starlette.routing import Route

        methods = POST_ONLY if self._cassette is None else ANY_METHOD
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])
        self._own_server = self._server = HttpServer(guarded(app, host))
        port = await self._server.start(host, port)
        if self.refuses:
            await self._server.aclose()
        return f"http://{host}:{port}/messages"

    def served_by(self, server: HttpServer) -> None:
        """Answer the requests that `answer` is given by this server, in the place of one of its own."""
        self._server = server

    async def drop_pushes(self) -> None:
        """Send no more later messages of the replies so far: the call is over, and others go on."""
        pushing = list(self._pushing)
        for task in pushing:
            task.cancel()
        await asyncio.gather(*pushing, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop listening. Unanswered requests lose their connection, and pushes that are not due yet are dropped."""
        self._closing = True
        await self.drop_pushes()
        if self._own_server is not None:
            await self._own_server.aclose()

    def unused(self) -> list[str]:
        """Return the required replies that were never used, each named by its number and its `hears`.

        Of a cassette they are the questions that were never asked.
        """
        if self._cassette is not None:
            return self._cassette.unused()
        used = Counter(index for (_, index), times in self._used.items() for _ in range(times))
        return [
            _name(index, reply)
            for index, reply in enumerate(self._replies)
            if not used[index] and not reply.optional and reply.fault != "refused"
        ]

    def unsent(self) -> list[str]:
        """Return the names of the pushes of used replies that are not due yet or not answered yet."""
        return list(self._unsent)

    # --- one request

    async def _answer(self, request: "Request") -> "Response":
        from starlette.requests import ClientDisconnect
        from starlette.responses import Response

        at = self._loop.time()
        try:
            data = await body_of(request)
        except ClientDisconnect:
            return Response()  # which nobody receives
        return await self.answer(request, data, at)

    async def answer(self, request: "Request", data: bytes | None, at: float, doubt: str = "") -> "Response":
        """Answer a request that came at the loop time `at`. `data`: its body; None if it was too large.

        `doubt`: why it may belong to another call, for the line about a request that fits no reply.
        """
        self._doubt = doubt
        try:
            if self._cassette is not None:
                return await self._answer_from(self._cassette, request, data, at)
            return await self._answer_as_scripted(request, data, at)
        except Exception as error:
            if self._on_error is not None:
                self._on_error(error)
            raise

    async def _answer_as_scripted(self, request: "Request", data: bytes | None, at: float) -> "Response":
        from starlette.background import BackgroundTask
        from starlette.responses import PlainTextResponse, Response

        asked = None if data is None else self._read(request, data, at)
        if asked is None:
            self._fail('the AI backend got a request that is not {"id": "…", "content": "…"}')
            headers = {"Connection": "close"} if data is None else None  # the rest of it is not waited for
            return PlainTextResponse('expected JSON: {"id": "…", "content": "…"}', 422, headers)
        event = BackendAsked(asked.number, asked.conversation_id, asked.content, asked.interrupted)
        self._on_event(event)
        index = self._choose(asked)
        if index is None:
            return self._refuse(event)
        reply = self._replies[index]
        if await self._disconnects_within(asked, None if reply.fault == "no_answer" else reply.after / 1000):
            self._report(asked, reply, delivered=False)
            return Response()  # which nobody receives
        self._note_lateness(asked.at + reply.after / 1000)
        self._report(asked, reply)
        if reply.fault == "reset":
            await self._reset(asked)
            return Response()
        status, body = _answer_of(reply)
        background = BackgroundTask(self._begin_pushes, asked.conversation_id, index) if reply.then_pushes else None
        return Response(body, status, media_type="application/json", background=background)

    async def _answer_from(
        self, cassette: CassetteOrder, request: "Request", body: bytes | None, at: float
    ) -> "Response":
        """Answer as the captured backend did at this place of the call."""
        from starlette.responses import Response, StreamingResponse

        if body is None:
            self._fail(f"the AI backend got a request of more than {_LARGEST_REQUEST_BYTES} bytes")
            return Response("", 413, {"Connection": "close"})
        self._requests += 1
        path = request.url.path
        words = question_words(body)
        said = words or f"{request.method} {path}"
        event = BackendAsked(self._requests, "", said)
        self._on_event(event)
        exchange = cassette.choose(request.method, path, words)
        if exchange is None:
            return self._refuse(event)
        if differs(exchange, words):
            was = question_words(exchange.body)
            self._fail(f"the bot asked “{said}”; {name_of(exchange)} is “{was}”{self._doubt}")
        answer = exchange.answer
        asked = _Asked(self._requests, "", said, at, request)
        never = answer is None or answer.fault == "no_answer"
        if await self._disconnects_within(asked, None if never or answer is None else answer.at_ms / 1000):
            self._report_raw(asked, answer, delivered=False)
            return Response()  # which nobody receives
        assert answer is not None
        self._note_lateness(at + answer.at_ms / 1000)
        if answer.fault is not None:
            self._report_raw(asked, answer)
            await self._reset(asked)
            return Response()

        async def pieces() -> AsyncIterator[bytes]:
            for after_ms, piece in answer.pieces:
                await asyncio.sleep(max(0.0, at + after_ms / 1000 - self._loop.time()))
                yield piece
            self._report_raw(asked, answer)

        headers = {"content-type": answer.content_type} if answer.content_type else {}
        if len(answer.pieces) > 1:
            return StreamingResponse(pieces(), answer.http_status, headers)
        self._report_raw(asked, answer)
        return Response(answer.body, answer.http_status, headers)

    def _report_raw(self, asked: _Asked, answer: RawAnswer | None, *, delivered: bool = True) -> None:
        if self._closing:
            return
        after_ms = round((self._loop.time() - asked.at) * 1000)
        if answer is None or answer.fault is not None:
            fault = "no_answer" if answer is None else answer.fault
            self._on_event(BackendReplied(asked.number, None, None, after_ms, fault, delivered))
            return
        says = answer_words(answer.body) or f"{len(answer.body)} bytes, {answer.content_type or 'of no type'}"
        status = f"HTTP {answer.http_status}"
        self._on_event(BackendReplied(asked.number, says, status, after_ms, None, delivered))

    def _read(self, request: "Request", data: bytes, at: float) -> _Asked | None:
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(fields, dict):
            return None
        conversation_id, content = fields.get("id"), fields.get("content")
        if not isinstance(conversation_id, str) or not isinstance(content, str):
            return None
        self._requests += 1
        return _Asked(self._requests, conversation_id, content, at, request, _interrupted(fields.get("interrupted")))

    def _choose(self, asked: _Asked) -> int | None:
        """Return the index of the first unused reply that fits, and count its use; None if there is none."""
        words = normalise(asked.content)
        conversation = asked.conversation_id if self._each_call else ""
        for index, reply in enumerate(self._replies):
            if self._used[conversation, index] < reply.times and (
                reply.hears is None or normalise(reply.hears) in words
            ):
                self._used[conversation, index] += 1
                return index
        return None

    def _refuse(self, event: BackendAsked) -> "Response":
        from starlette.responses import PlainTextResponse

        self.unmatched.append(event)
        waiting = "; ".join(self.unused()) or "none"
        where = "no reply of the scenario" if self._cassette is None else "no answer of the cassette"
        text = f"request {event.number}, “{event.content}”, fits {where} (not used so far: {waiting}){self._doubt}"
        if self._on_unmatched is None:
            self._fail(text)
        else:
            self.failures.append(text)
            self._on_unmatched(event, text)
        self._on_event(BackendReplied(event.number, None, None, 0, fault="no_reply_fits"))
        return PlainTextResponse(text, 500)

    async def _disconnects_within(self, asked: _Asked, seconds: float | None) -> bool:
        """Wait this long (None: for ever) or until the sender disconnects; return True if it did."""
        listening = self._loop.create_task(_until_disconnect(asked.request))
        try:
            done, _ = await asyncio.wait({listening}, timeout=seconds)
            return bool(done)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _fail(self, what: str) -> None:
        self.failures.append(what)
        if self._on_failure is not None:
            self._on_failure(what)

    def _report(self, asked: _Asked, reply: Reply, *, delivered: bool = True) -> None:
        if self._closing:
            return  # the call is over: the end of the backend is not an event of the call
        says, status = _words(reply)
        after_ms = round((self._loop.time() - asked.at) * 1000)
        self._on_event(BackendReplied(asked.number, says, status, after_ms, reply.fault, delivered))

    def _note_lateness(self, due: float) -> None:
        if self._on_late is not None:
            self._on_late(self._loop.time() - due)

    async def _reset(self, asked: _Asked) -> None:
        client = asked.request.client
        transport = self._server.transport_of((client.host, client.port)) if self._server and client else None
        if transport is not None:
            reset(transport)
        await self._disconnects_within(asked, None)

    # --- later messages

    async def _begin_pushes(self, conversation_id: str, index: int) -> None:
        """Start sending the pushes of a reply; called when its answer has been written."""
        if not self._closing:
            reply = self._replies[index]
            names = [f"push {number} of {_name(index, reply)}" for number in range(1, len(reply.then_pushes) + 1)]
            self._unsent += names
            task = self._loop.create_task(self._send_pushes(conversation_id, reply.then_pushes, names))
            self._pushing.add(task)
            task.add_done_callback(self._pushed)

    async def _send_pushes(self, conversation_id: str, pushes: Sequence[Push], names: Sequence[str]) -> None:
        sent_at = self._loop.time()
        for name, push in zip(names, pushes, strict=True):
            due = sent_at + push.after / 1000
            await asyncio.sleep(due - self._loop.time())
            self._note_lateness(due)
            sent_at = self._loop.time()
            try:
                http_status = await self._push(conversation_id, _push_body(push))
            except ControlError as error:
                self._unsent.remove(name)
                self._fail(f"{name} could not be delivered: {error}")
                return
            self._unsent.remove(name)
            self._on_event(BackendPushed(push.says, push.set_call_status, http_status))
            if push.expect_http is not None and http_status != push.expect_http:
                self._fail(f"{name} was answered with {http_status}, not {push.expect_http}")

    def _pushed(self, task: asyncio.Task[None]) -> None:
        self._pushing.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._on_error is not None and isinstance(error, Exception):
            self._on_error(error)
        elif error is not None:
            self._fail(f"a push failed with an internal error: {error!r}")


async def body_of(request: "Request") -> bytes | None:
    """Return the request's body, None if it is too large: what is beyond is not kept. Raises ClientDisconnect."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_REQUEST_BYTES:
            return None
    return bytes(body)


async def _until_disconnect(request: "Request") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _name(index: int, reply: Reply) -> str:
    return f"{index + 1} (hears “{reply.hears}”)" if reply.hears is not None else f"{index + 1} (hears anything)"


def _answer_of(reply: Reply) -> tuple[int, str]:
    """Return the HTTP status and the body of the answer, with the reply's fault in them."""
    match reply.fault:
        case "http_500":
            return 500, '{"error": "the mock AI fails, as the scenario says"}'
        case "http_404":
            return 404, '{"error": "nothing is here, as the scenario says"}'
        case "invalid_json":
            return 200, '{"content": {"mensagem": "cut o'
    body = reply.body
    if body is None:
        body = answer_json(reply.says, reply.set_call_status, nested_status=reply.nested_status)
    if reply.fault == "missing_content":
        body = {key: value for key, value in body.items() if key != "content"}
    return 200, json.dumps(body, ensure_ascii=False)


def _push_body(push: Push) -> dict[str, Any]:
    return answer_json(push.says, push.set_call_status, nested_status=push.nested_status)


def _words(reply: Reply) -> tuple[str | None, str | None]:
    """Return the text and the status of a reply for the log, also from a `body` that the scenario gives in full."""
    if reply.body is None:
        return reply.says, reply.set_call_status
    content = reply.body.get("content")
    nested = content if isinstance(content, dict) else {}
    says, status = nested.get("mensagem"), reply.body.get("set_call_status", nested.get("set_call_status"))
    return (None if says is None else str(says)), (None if status is None else str(status))


def _interrupted(told: object) -> dict[str, str | int | None] | None:
    """Return what the bot tells of an interruption; None for what is not in its form (docs/server.md)."""
    if not isinstance(told, dict):
        return None
    wanted: dict[str, type] = {"text": str, "heard": str, "said_ms": int, "of_ms": int}
    return {key: told[key] for key, kind in wanted.items() if isinstance(told.get(key), kind)}
