"""The control API and the debug page (docs/server.md, Control API): calls, their events, pushes, hang-ups, metrics.

It reads calls through the two protocols below, and changes only two things: it hands a pushed message to its call, and
it hangs up. What callers say is private: it is sent only to clients that the `guard` admits, and never written to the
log. Every answer is JSON, except the page, the metrics and the streams; every error is {"error": "one line"}.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from audiosocket_core.http_limits import HttpLimits
from audiosocket_core.http_server import HttpServer
from audiosocket_core.lanes import FILES
from audiosocket_core.ticker import Ticker
from audiosocket_server.admission import MOST_EXPECTED, Expected, read_announcement
from audiosocket_server.backend.reply import BackendReply, ReplyError, read_reply
from audiosocket_server.events import CallState
from audiosocket_server.registry.metrics import CallMetrics, Snapshot, as_text
from audiosocket_server.turns.vocabulary import ASKED_TO
from audiosocket_server.web.guard import AccessGuard, json_error
from audiosocket_server.web.sliced import json_bytes, sliced
from audiosocket_server.web.streams import CallSource, CallsSource, Streams, listed_call

__all__ = ["CallView", "CallsView", "ControlServer", "build_app"]

log = logging.getLogger("audiosocket_server")

Json = Mapping[str, object]

MAX_BODY_BYTES = 1_000_000
BODY_SECONDS = 10.0  # time limit of a request's body
HEAD_SECONDS = 10.0  # time limit of a request's head
MOST_CONNECTIONS = 320
SPARE_FILES = 32  # the last descriptors of the process, which phones may need
END_WITHIN_SECONDS = 1.0  # answers under way when the server ends
CALLS_AT_ONCE = 50  # listed or measured in one turn of the loop, which takes two milliseconds at most
TAKES_MESSAGES = (CallState.WAITING, CallState.IA_TURN)

_PAGE = Path(__file__).parent / "page"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_PAGE_FILES = {f"/page/{path.name}": path for path in (*FILES, *sorted(_PAGE.iterdir())) if path.suffix in _MEDIA_TYPES}
_OPEN_PATHS = frozenset({"/", "/health", *_PAGE_FILES})


class CallView(CallSource, Protocol):
    """Protocol of a call, as the control API sees it; implemented by `registry.calls.CallRecord`."""

    @property
    def id(self) -> str:
        """The conversation id: the UUID, or UUID-2 for a second live call with the same UUID."""

    @property
    def state(self) -> CallState:
        """The state of the call."""

    @property
    def last_answer(self) -> Json | None:
        """The complete JSON of the backend's last reply or push."""

    def transcript(self) -> Sequence[Json]:
        """Return the transcript: entries of at (seconds since the UUID), origin (caller, ai, system) and text."""

    def push(self, reply: BackendReply) -> bool:
        """Queue a message of the backend. Returns False if the state accepts none or the queue is full."""

    def hang_up(self, reason: str) -> bool:
        """Hang up at once. Returns False if the call has ended already."""


class CallsView(CallsSource, Protocol):
    """Protocol of the calls of a server, live and recent; implemented by `registry.calls.Calls`."""

    @property
    def metrics(self) -> CallMetrics:
        """The counters over all calls."""

    def all(self) -> Sequence[CallView]:
        """Return all calls that are kept, the oldest first."""

    def get(self, key: str) -> CallView | None:
        """Find a call by its id (the newest one with that id) or by its number; None if there is none."""


class ControlServer:
    """The control API on a port of its own, in the running loop.

    token: every client needs it; None: no token. expected: the calls that are expected; None: any call is.
    most_connections: at a time.
    """

    def __init__(
        self,
        calls: CallsView,
        token: SecretStr | None = None,
        *,
        expected: Expected | None = None,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self._streams = Streams(uuid4().hex)
        app = guarded(build_app(calls, self._streams, expected), token)
        limits = HttpLimits(most_connections, HEAD_SECONDS, SPARE_FILES)
        self._server = HttpServer(app, drain_seconds=END_WITHIN_SECONDS, limits=limits, on_trouble=log.warning)

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the base address. Port 0 is any free one. Raises OSError if the port is in use."""
        await self._server.start(host, port)
        return self._server.url

    async def aclose(self) -> None:
        """End the streams after their last event, and close. Idempotent; takes about one second at most."""
        self._streams.end()
        await self._server.aclose()


def guarded(app: ASGIApp, token: SecretStr | None) -> ASGIApp:
    """Return `app` behind the access guard."""
    return AccessGuard(app, token, _OPEN_PATHS)


def build_app(calls: CallsView, streams: Streams | None = None, expected: Expected | None = None) -> Starlette:
    """Return the ASGI app. Without `streams` of a `ControlServer`, a stream ends only with its call or its client."""
    api = _Api(calls, streams or Streams(), expected or Expected(None, 0))
    return Starlette(
        routes=[
            Route("/calls", api.list_calls),
            Route("/calls/{id}", api.show_call),
            Route("/calls/{id}/events", api.stream_call),
            Route("/calls/{id}/messages", api.push_message, methods=["POST"]),
            Route("/calls/{id}/hangup", api.hang_up, methods=["POST"]),
            Route("/events", api.stream_list),
            Route("/expected", api.expect_call, methods=["POST"]),
            Route("/health", api.health),
            Route("/metrics", api.metrics),
            Route("/", _page_file(_PAGE / "index.html")),
            *(Route(path, _page_file(file)) for path, file in _PAGE_FILES.items()),
        ],
        exception_handlers={HTTPException: _on_http_error},
    )


# --- the routes ---------------------------------------------------------------------------------------------------


class _Api:
    """The handlers of the routes."""

    def __init__(self, calls: CallsView, streams: Streams, expected: Expected) -> None:
        self._calls = calls
        self._streams = streams
        self._expected = expected

    async def list_calls(self, request: Request) -> Response:
        return await _json({"calls": [listed_call(call) async for call in sliced(self._calls.all(), CALLS_AT_ONCE)]})

    async def show_call(self, request: Request) -> Response:
        call = self._call(request)
        return await _json({**listed_call(call), "transcript": call.transcript(), "last_answer": call.last_answer})

    async def stream_call(self, request: Request) -> Response:
        """Stream the call's events to its end: all of them, or those after the Last-Event-ID of the client."""
        call = self._call(request)
        after = request.headers.get("last-event-id", "")
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 20 else 0
        if not call.live and not call.events(number):
            return Response(status_code=204)  # tells an EventSource not to reconnect
        return self._streams.call(call, number)

    async def stream_list(self, request: Request) -> Response:
        return self._streams.list(self._calls, levels=request.query_params.get("levels") == "1")

    async def push_message(self, request: Request) -> Response:
        self._live_call(request)
        body = await _body(request)
        await asyncio.sleep(0)  # to read a megabyte takes milliseconds: in a turn of its own
        call = self._live_call(request)  # looked up again: the call may have ended while the body arrived
        try:
            reply = read_reply(body)
        except ReplyError as error:
            raise HTTPException(422, str(error)) from None
        if not call.push(reply):
            states = " or ".join(TAKES_MESSAGES)
            why = (
                "its queue of messages is full"
                if call.state in TAKES_MESSAGES
                else f"messages are accepted only in {states}"
            )
            raise HTTPException(409, f"call {call.id} is in {call.state}: {why}")
        return await _json({"accepted": True, "warnings": reply.warnings}, 202)

    async def expect_call(self, request: Request) -> Response:
        body = await _body(request)
        if self._expected.takes_any:
            raise HTTPException(409, "server.expected_uuids is null: a call with any UUID is accepted")
        try:
            uuid = read_announcement(json.loads(body))
        except (ValueError, RecursionError) as error:
            why = "expected JSON" if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)) else str(error)
            raise HTTPException(422, why) from None
        if not self._expected.announce(uuid, asyncio.get_running_loop().time()):
            raise HTTPException(429, f"{MOST_EXPECTED} calls are expected already")
        return await _json({"uuid": str(uuid), "valid_seconds": self._expected.valid_seconds}, 201)

    async def hang_up(self, request: Request) -> Response:
        call = self._live_call(request)
        call.hang_up(ASKED_TO)
        return await _json(listed_call(call))

    async def health(self, request: Request) -> Response:
        return await _json({"status": "ok", "live_calls": self._live_calls()})

    async def metrics(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()
        ticker = Ticker.of(loop)
        measured = [(call, call.vitals()) async for call in sliced(self._calls.all(), CALLS_AT_ONCE) if call.live]
        dropped = sum(vitals.dropped_messages for call, vitals in measured if call.live)  # else counted at its end
        snapshot = Snapshot.of(self._calls.metrics, self._live_calls(), dropped, ticker.lateness, ticker.skipped)
        text, media_type = await loop.run_in_executor(None, as_text, snapshot)
        return Response(text, headers={"Content-Type": media_type})

    def _live_calls(self) -> int:
        return sum(call.live for call in self._calls.all())

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
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise HTTPException(413, f"a message may have at most {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the message did not arrive within {BODY_SECONDS:g} s") from None
    return bytes(body)


def _page_file(file: Path) -> Callable[[Request], Awaitable[Response]]:
    content, kind = file.read_bytes(), _MEDIA_TYPES[file.suffix]

    async def send(request: Request) -> Response:
        return Response(content, headers={"Cache-Control": "no-cache"}, media_type=kind)

    return send


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return json_error(error.status_code, error.detail, dict(error.headers or {}))


async def _json(content: object, status_code: int = 200) -> Response:
    return Response(await json_bytes(content), status_code, media_type="application/json")
