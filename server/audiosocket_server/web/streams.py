"""The event streams of the control API: the events of one call, and the list of all calls with their audio levels.

A stream is only woken, and then reads on in the history of the calls, so a slow client needs no memory and delays no
other client. Levels are measured at most five times a second, once for all clients, and not at all without a client.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from audiosocket_server.events import Recorded
from audiosocket_server.registry.vitals import Vitals
from audiosocket_server.web.guard import json_error
from audiosocket_server.web.sliced import sliced

__all__ = ["LISTED_CALLS", "MOST_STREAMS", "CallSource", "CallsSource", "Streams", "listed_call"]

PING_SECONDS = 15
LIST_EVERY_SECONDS = 0.2  # shortest time between two messages of the list or of the levels
EVENTS_AT_ONCE = 25  # sent in one turn of the loop: a client that comes late may want thousands
MOST_STREAMS = 256  # open at a time; each needs a connection and a task
LISTED_CALLS = 100  # the newest calls, which the stream of the list holds; GET /calls has all

Watch = Callable[[Callable[[], None]], Callable[[], None]]


class CallSource(Protocol):
    """Protocol of a call, as far as streams need it; implemented by `registry.calls.CallRecord`."""

    @property
    def number(self) -> int:
        """The call's number among all calls of the server; never used again."""

    @property
    def live(self) -> bool:
        """True until the call has ended."""

    @property
    def version(self) -> int:
        """A number that rises with each event."""

    @property
    def began_at(self) -> float:
        """When the UUID arrived, in seconds of the loop's clock."""

    def summary(self) -> Mapping[str, object]:
        """Return the call as an entry of the list of calls (docs/server.md)."""

    def events(self, after: int = 0) -> Sequence[Recorded]:
        """Return the kept events with a number greater than `after`, in order."""

    def vitals(self) -> Vitals:
        """Return the audio levels at this moment."""

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after each event. Returns a function that ends the watch."""


class CallsSource(Protocol):
    """Protocol of the calls of a server, as far as streams need it; implemented by `registry.calls.Calls`."""

    def all(self) -> Sequence[CallSource]:
        """Return all calls that are kept, the oldest first."""

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after a call began, had an event or ended. Returns a function that ends the watch."""


class Streams:
    """The open streams of one server. By `server_id`, a client that reconnects recognises a restarted server."""

    def __init__(self, server_id: str = "") -> None:
        self._server_id = server_id
        self.open = 0
        """The number of open streams."""
        self._wakes: set[asyncio.Event] = set()
        self._ended = False
        self._levels = _Levels()

    def end(self) -> None:
        """End every stream after its last event."""
        self._ended = True
        for wake in self._wakes:
            wake.set()

    def call(self, call: CallSource, after: int) -> Response:
        """Return a stream of the call's events with a number greater than `after`."""
        return _Stream(self._call_events(call, after), self)

    def list(self, calls: CallsSource, *, levels: bool) -> Response:
        """Return a stream of the list of calls, then of its changes; with `levels`, of the audio levels too."""
        return _Stream(self._call_lists(calls, levels=levels), self)

    async def _call_events(self, call: CallSource, after: int) -> AsyncIterator[ServerSentEvent]:
        with self._watching(call.watch) as wake:
            while True:
                wake.clear()
                ended = not call.live or self._ended  # read before the events, so that the last event is among them
                async for recorded in sliced(call.events(after), EVENTS_AT_ONCE):
                    after = recorded.number
                    yield ServerSentEvent(_json(recorded.to_json()), id=str(after), event=recorded.type)
                if ended:
                    return
                await wake.wait()

    async def _call_lists(self, calls: CallsSource, *, levels: bool) -> AsyncIterator[ServerSentEvent]:
        """Yield the whole list, then its changes; with `levels`, the audio levels too while a call is live."""
        list_state = _ListState(self._server_id)
        with self._watching(calls.watch) as wake:
            while not self._ended:
                wake.clear()
                listed = calls.all()[-LISTED_CALLS:]
                if (message := list_state.update(listed)) is not None:
                    yield message
                live = [call for call in listed if call.live] if levels else []
                if live:
                    yield ServerSentEvent(self._levels.of(live), event="levels")
                await asyncio.sleep(LIST_EVERY_SECONDS)
                if not live:
                    await wake.wait()

    @contextmanager
    def _watching(self, watch: Watch) -> Iterator[asyncio.Event]:
        """Yield an event that is set after each change, and when the streams end."""
        wake = asyncio.Event()
        unwatch = watch(wake.set)
        self._wakes.add(wake)
        try:
            yield wake
        finally:
            self._wakes.discard(wake)
            unwatch()


def listed_call(call: CallSource) -> Mapping[str, object]:
    """Return the call's summary, with the seconds since it began. Needs the running loop."""
    return {**call.summary(), "began_seconds_ago": round(asyncio.get_running_loop().time() - call.began_at, 3)}


class _ListState:
    """The list of calls as one client knows it."""

    def __init__(self, server_id: str) -> None:
        self._server_id = server_id
        self._versions: dict[int, int] | None = None  # by call number; None: nothing was sent yet

    def update(self, listed: Sequence[CallSource]) -> ServerSentEvent | None:
        """Return the message that brings the client up to date: the whole list, then changes; None if up to date."""
        known = self._versions
        self._versions = {call.number: call.version for call in listed}
        if known is None:
            whole = {"server": self._server_id, "calls": [listed_call(call) for call in listed], "gone": []}
            return ServerSentEvent(_json(whole), event="calls")
        changed = [listed_call(call) for call in listed if known.get(call.number) != call.version]
        gone = sorted(known.keys() - self._versions.keys())
        if not changed and not gone:
            return None
        return ServerSentEvent(_json({"calls": changed, "gone": gone}), event="changed")


class _Levels:
    """The audio levels of the live calls, measured once for all clients."""

    def __init__(self) -> None:
        self._text = ""
        self._numbers: list[int] = []
        self._measured_at = float("-inf")

    def of(self, live: Sequence[CallSource]) -> str:
        """Return JSON: by call number, the seconds since the UUID, the caller's level and the bot's level (dBFS)."""
        now = asyncio.get_running_loop().time()
        numbers = [call.number for call in live]
        if numbers != self._numbers or now - self._measured_at > LIST_EVERY_SECONDS / 2:
            self._numbers, self._measured_at = numbers, now
            self._text = _json({str(call.number): _level(call, now) for call in live})
        return self._text


def _level(call: CallSource, now: float) -> list[float]:
    vitals = call.vitals()
    return [round(now - call.began_at, 2), round(vitals.caller_dbfs), round(vitals.bot_dbfs)]


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


class _Stream(EventSourceResponse):
    """A response of server-sent events, with a ping every 15 s. Beyond `MOST_STREAMS` it answers 503."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], streams: Streams) -> None:
        super().__init__(events, ping=PING_SECONDS, ping_message_factory=lambda: ServerSentEvent(comment="still here"))
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._streams.open >= MOST_STREAMS:
            refusal = json_error(503, f"too many streams are open: {MOST_STREAMS} is the limit", {"Retry-After": "10"})
            await refusal(scope, receive, send)
            return
        self._streams.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.open -= 1

    async def _listen_for_exit_signal(self) -> None:  # type: ignore[override]
        """Wait for ever: the stream ends when its server does (`Streams.end`).

        The library's own method watches the process for signals, twice a second and beyond the server's end.
        """
        await asyncio.Event().wait()
