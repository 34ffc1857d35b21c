"""The control API and the debug page (docs/server.md, Control API): shows calls, streams their events, takes pushes.

It reads calls through the two small protocols below and changes one thing only: it hands a pushed message to its call.
What callers say is private data: it goes out here, to whoever may connect (loopback, unless configured otherwise), and
never into the log. Every answer is JSON, the page and the streams aside; every error is {"error": "one line"}.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.events import Recorded, State
from server.reply import Reply, ReplyError, read_reply
from server.web_server import InLoopServer

__all__ = ["CallView", "CallsView", "ControlServer", "build_app"]

Json = Mapping[str, object]

MAX_BODY_BYTES = 1_000_000
PING_SECONDS = 15
LIST_EVERY_SECONDS = 0.2  # the list of calls is sent no more often than this
MOST_STREAMS = 256  # open at a time; each costs a connection and a task
LISTED_CALLS = 100  # in that stream, the newest; GET /calls has all
TAKES_MESSAGES = (State.WAITING, State.IA_TURN)

_PAGE = Path(__file__).parent / "page"
_PAGE_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class CallView(Protocol):
    """A call as the control API sees it."""

    @property
    def id(self) -> str:
        """The conversation id: the UUID, or UUID-2 for a second live call with it."""

    @property
    def state(self) -> State: ...

    @property
    def live(self) -> bool: ...

    @property
    def last_answer(self) -> Json | None:
        """The whole last reply JSON of the backend, answered or pushed."""

    def summary(self) -> Json:
        """id, uuid, peer (ip:port), state, live, and whatever else says it in a line."""

    def transcript(self) -> Sequence[Json]:
        """Entries of at (seconds since the UUID), origin (caller, ai or system) and text, in their order."""

    def events(self, after: int = 0) -> Sequence[Recorded]:
        """The events kept whose number is greater than `after`, in their order."""

    def push(self, reply: Reply) -> bool:
        """Queue a message of the backend; False where the state takes none or too many wait."""

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after each event; the answer, called, ends that. `wake` returns at once and does not raise."""


class CallsView(Protocol):
    """The calls, live and recent."""

    def all(self) -> Sequence[CallView]:
        """The oldest first."""

    def get(self, call_id: str) -> CallView | None: ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after a call began, changed its state or ended; as `CallView.watch`."""


class ControlServer:
    """The control API on a port of its own, in the running loop."""

    def __init__(self, calls: CallsView) -> None:
        self._streams = _Streams()
        self._server = InLoopServer(build_app(calls, self._streams))

    async def start(self, host: str, port: int) -> str:
        """Listen (port 0: any free one); the base address. Raises OSError, where the port is in use for instance."""
        return await self._server.start(host, port)

    async def aclose(self) -> None:
        """End the streams after their last event, and close. Idempotent; returns within a second or so."""
        self._streams.end()
        await self._server.aclose()


def build_app(calls: CallsView, streams: "_Streams | None" = None) -> Starlette:
    """The ASGI app. Without a `ControlServer` around it, its streams end with their call or client only."""
    api = _Api(calls, streams or _Streams())
    return Starlette(
        routes=[
            Route("/calls", api.list_calls),
            Route("/calls/{id}", api.show_call),
            Route("/calls/{id}/events", api.stream_call),
            Route("/calls/{id}/messages", api.push_message, methods=["POST"]),
            Route("/events", api.stream_list),
            Route("/health", api.health),
            *(Route(path, _page_file(name)) for path, name in _PAGE_FILES.items()),
        ],
        exception_handlers={HTTPException: _on_http_error},
    )


# --- the routes ---------------------------------------------------------------------------------------------------


class _Api:
    def __init__(self, calls: CallsView, streams: "_Streams") -> None:
        self._calls = calls
        self._streams = streams

    async def list_calls(self, request: Request) -> Response:
        return _Json({"calls": [call.summary() for call in self._calls.all()]})

    async def show_call(self, request: Request) -> Response:
        call = self._call(request)
        return _Json({**call.summary(), "transcript": call.transcript(), "last_answer": call.last_answer})

    async def stream_call(self, request: Request) -> Response:
        """Replays from the start, or from the Last-Event-ID of a client that comes back, and goes on to the end."""
        call = self._call(request)
        after = request.headers.get("last-event-id", "")
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 20 else 0
        if not call.live and not call.events(number):
            return Response(status_code=204)  # tells an EventSource that there is nothing to come back for
        self._streams.refuse_too_many()
        return _Stream(self._streams.call_events(call, number))

    async def stream_list(self, request: Request) -> Response:
        self._streams.refuse_too_many()
        return _Stream(self._streams.call_lists(self._calls))

    async def push_message(self, request: Request) -> Response:
        _refuse_other_origins(request)
        self._live_call(request)
        body = await _body(request)
        call = self._live_call(request)  # it may have ended meanwhile, or be another one of that id
        try:
            reply = read_reply(body)
        except ReplyError as error:
            raise HTTPException(422, str(error)) from None
        if not call.push(reply):
            taken = " or ".join(TAKES_MESSAGES)
            why = "too many messages wait" if call.state in TAKES_MESSAGES else f"a message is taken in {taken} only"
            raise HTTPException(409, f"call {call.id} is in {call.state}: {why}")
        return _Json({"accepted": True, "warnings": reply.warnings}, 202)

    async def health(self, request: Request) -> Response:
        return _Json({"status": "ok", "live_calls": sum(call.live for call in self._calls.all())})

    def _live_call(self, request: Request) -> CallView:
        call = self._call(request)
        if not call.live:
            raise HTTPException(404, f"call {call.id} has ended")
        return call

    def _call(self, request: Request) -> CallView:
        call = self._calls.get(request.path_params["id"])
        if call is None:
            raise HTTPException(404, "no such call")
        return call


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"a message has at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _refuse_other_origins(request: Request) -> None:
    """A web page that somebody happens to visit must not speak into calls; a backend sends no Origin."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "not from a page of another origin")


def _page_file(name: str) -> Callable[[Request], Awaitable[Response]]:
    kind = _MEDIA_TYPES[Path(name).suffix]

    async def send(request: Request) -> Response:
        return Response((_PAGE / name).read_bytes(), headers=_PAGE_HEADERS, media_type=kind)

    return send


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _Json({"error": error.detail}, error.status_code, error.headers)


class _Json(JSONResponse):
    def render(self, content: object) -> bytes:
        # A backend's answer may hold half a surrogate pair, which UTF-8 cannot.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


# --- the streams --------------------------------------------------------------------------------------------------


class _Streams:
    """The open event streams. They carry wake-ups, not events: each stream reads on in the call's own history, so a
    slow client costs no memory and delays nobody."""

    def __init__(self) -> None:
        self._wakes: set[asyncio.Event] = set()
        self._ended = False

    def end(self) -> None:
        self._ended = True
        for wake in self._wakes:
            wake.set()

    def refuse_too_many(self) -> None:
        if len(self._wakes) >= MOST_STREAMS:
            raise HTTPException(503, f"{MOST_STREAMS} streams are open, the limit")

    async def call_events(self, call: CallView, after: int) -> AsyncIterator[ServerSentEvent]:
        with self._watching(call.watch) as wake:
            while True:
                wake.clear()
                last_look = not call.live or self._ended  # before the events: the last is recorded, then the call ends
                for recorded in call.events(after):
                    after = recorded.number
                    data = json.dumps(recorded.to_json(), ensure_ascii=False, separators=(",", ":"))
                    yield ServerSentEvent(data, id=str(after), event=recorded.type)
                if last_look:
                    return
                await wake.wait()

    async def call_lists(self, calls: CallsView) -> AsyncIterator[ServerSentEvent]:
        with self._watching(calls.watch) as wake:
            while not self._ended:
                wake.clear()
                listed = {"calls": [call.summary() for call in calls.all()[-LISTED_CALLS:]]}
                yield ServerSentEvent(json.dumps(listed, ensure_ascii=False, separators=(",", ":")), event="calls")
                await asyncio.sleep(LIST_EVERY_SECONDS)
                await wake.wait()

    @contextmanager
    def _watching(self, watch: Callable[[Callable[[], None]], Callable[[], None]]) -> Iterator[asyncio.Event]:
        """An event that is set after each change, and at the end of the server."""
        wake = asyncio.Event()
        unwatch = watch(wake.set)
        self._wakes.add(wake)
        try:
            yield wake
        finally:
            self._wakes.discard(wake)
            unwatch()


class _Stream(EventSourceResponse):
    def __init__(self, events: AsyncIterator[ServerSentEvent]) -> None:
        super().__init__(events, ping=PING_SECONDS, ping_message_factory=lambda: ServerSentEvent(comment="still here"))

    async def _listen_for_exit_signal(self) -> None:  # type: ignore[override]
        """The library would watch the process for signals, twice a second and past the server's end. A stream of ours
        ends by itself, when its server does (`_Streams.end`)."""
        await asyncio.Event().wait()
