"""The event streams of the control API: one call's events, and the list of all calls with their levels.

Streams carry wake-ups, not events: each reads on in the calls' own history, so a slow client costs no memory and delays
nobody. Levels are measured at most five times a second, once for all who watch, and not at all when nobody does.
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

__all__ = ["LISTED_CALLS", "MOST_STREAMS", "CallSource", "CallsSource", "Streams", "listed_call"]

PING_SECONDS = 15
LIST_EVERY_SECONDS = 0.2  # the list of calls and the levels are sent no more often than this
MOST_STREAMS = 256  # open at a time; each costs a connection and a task
LISTED_CALLS = 100  # in the stream of the list, the newest; GET /calls has all

Watch = Callable[[Callable[[], None]], Callable[[], None]]


class CallSource(Protocol):
    """A call as its streams see it."""

    @property
    def number(self) -> int:
        """Of all calls of the server; never given twice."""

    @property
    def live(self) -> bool: ...

    @property
    def version(self) -> int:
        """Rises with each event."""

    @property
    def began_at(self) -> float:
        """In the loop's seconds."""

    def summary(self) -> Mapping[str, object]: ...

    def events(self, after: int = 0) -> Sequence[Recorded]: ...

    def vitals(self) -> Vitals: ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]: ...


class CallsSource(Protocol):
    def all(self) -> Sequence[CallSource]: ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]: ...


class Streams:
    """The open streams of one server. `server_id` tells a client that comes back whether it is still the same one."""

    def __init__(self, server_id: str = "") -> None:
        self._server_id = server_id
        self.open = 0
        self._wakes: set[asyncio.Event] = set()
        self._ended = False
        self._levels = _Levels()

    def end(self) -> None:
        """Every stream ends after its last event."""
        self._ended = True
        for wake in self._wakes:
            wake.set()

    def call(self, call: CallSource, after: int) -> Response:
        """The events of one call that come after number `after`."""
        return _Stream(self._call_events(call, after), self)

    def list(self, calls: CallsSource, *, levels: bool) -> Response:
        """The list of calls."""
        return _Stream(self._call_lists(calls, levels=levels), self)

    async def _call_events(self, call: CallSource, after: int) -> AsyncIterator[ServerSentEvent]:
        with self._watching(call.watch) as wake:
            while True:
                wake.clear()
                last_look = not call.live or self._ended  # before the events: the last is recorded, then the call ends
                for recorded in call.events(after):
                    after = recorded.number
                    yield ServerSentEvent(_json(recorded.to_json()), id=str(after), event=recorded.type)
                if last_look:
                    return
                await wake.wait()

    async def _call_lists(self, calls: CallsSource, *, levels: bool) -> AsyncIterator[ServerSentEvent]:
        """First the whole list, then what changed in it; with `levels` also those, as long as a call is live."""
        sent: dict[int, int] = {}
        first = True
        with self._watching(calls.watch) as wake:
            while not self._ended:
                wake.clear()
                listed = calls.all()[-LISTED_CALLS:]
                changed = [call for call in listed if sent.get(call.number) != call.version]
                gone = sorted(sent.keys() - {call.number for call in listed})
                sent = {call.number: call.version for call in listed}
                if changed or gone or first:
                    told: dict[str, object] = {"calls": [listed_call(call) for call in changed], "gone": gone}
                    if first:
                        told = {"server": self._server_id, **told}
                    yield ServerSentEvent(_json(told), event="calls" if first else "changed")
                    first = False
                live = [call for call in listed if call.live] if levels else []
                if live:
                    yield ServerSentEvent(self._levels.of(live), event="levels")
                await asyncio.sleep(LIST_EVERY_SECONDS)
                if not live:
                    await wake.wait()

    @contextmanager
    def _watching(self, watch: Watch) -> Iterator[asyncio.Event]:
        """An event that is set after each change, and at the end of the server."""
        wake = asyncio.Event()
        unwatch = watch(wake.set)
        self._wakes.add(wake)
        try:
            yield wake
        finally:
            self._wakes.discard(wake)
            unwatch()


def listed_call(call: CallSource) -> Mapping[str, object]:
    """Its summary, and how long ago it began."""
    return {**call.summary(), "began_seconds_ago": round(asyncio.get_running_loop().time() - call.began_at, 3)}


class _Levels:
    """The levels of the live calls, measured once for all who watch."""

    def __init__(self) -> None:
        self._text = ""
        self._numbers: list[int] = []
        self._measured_at = float("-inf")

    def of(self, live: Sequence[CallSource]) -> str:
        """As JSON: number -> seconds since the UUID, the caller's level, the bot's (dBFS)."""
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
    """Server-sent events, with a sign of life now and then. One too many answers 503."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], streams: Streams) -> None:
        super().__init__(events, ping=PING_SECONDS, ping_message_factory=lambda: ServerSentEvent(comment="still here"))
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._streams.open >= MOST_STREAMS:
            refusal = json_error(503, f"{MOST_STREAMS} streams are open, the limit", {"Retry-After": "10"})
            await refusal(scope, receive, send)
            return
        self._streams.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.open -= 1

    async def _listen_for_exit_signal(self) -> None:  # type: ignore[override]
        """The library would watch the process for signals, twice a second and past the server's end. A stream of ours
        ends by itself, when its server does (`Streams.end`)."""
        await asyncio.Event().wait()
