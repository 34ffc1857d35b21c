"""A control server over fake calls, in virtual time, and a reader of its streams."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import httpx
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import CallEndedEvent, CallEvent, CallState, Recorded
from audiosocket_server.registry.metrics import CallMetrics
from audiosocket_server.registry.vitals import Vitals
from audiosocket_server.web.api import CallView, ControlServer
from pydantic import SecretStr

from audiosocket_sim import virtual_time

REPLY = {"content": {"mensagem": "Pode entrar."}, "set_call_status": "STANDBY"}


class FakeCall:
    """Stands for a call: what `CallView` asks for, and nothing else."""

    def __init__(self, call_id: str, *events: CallEvent) -> None:
        self.id = call_id
        self.state = CallState.WAITING
        self.live = True
        self.number = sum(map(ord, call_id))
        self.began_at = 0.0
        self.hung_up: list[str] = []
        self.measured = 0
        self.last_answer: Mapping[str, object] | None = {"content": {"mensagem": "half a pair: \ud800"}}
        self.pushed: list[BackendReply] = []
        self.watchers: list[Callable[[], None]] = []
        self._events: list[Recorded] = []
        for event in events:
            self.record(event)

    def record(self, event: CallEvent) -> None:
        self._events.append(Recorded(self.id, len(self._events) + 1, len(self._events) / 10, event))
        if isinstance(event, CallEndedEvent):
            self.live = False
        for wake in list(self.watchers):
            wake()

    def summary(self) -> Mapping[str, object]:
        return {"id": self.id, "uuid": self.id, "peer": "127.0.0.1:9", "state": self.state, "live": self.live}

    def transcript(self) -> Sequence[Mapping[str, object]]:
        return [{"at": 0.1, "origin": "caller", "text": "Olá."}]

    def events(self, after: int = 0) -> Sequence[Recorded]:
        return self._events[after:]

    @property
    def version(self) -> int:
        return len(self._events)

    def hang_up(self, reason: str) -> bool:
        self.hung_up.append(reason)
        self.record(CallEndedEvent("server", reason, 1))
        return True

    def vitals(self) -> Vitals:
        self.measured += 1
        return Vitals(-30.4, -20.4, 2)

    def push(self, reply: BackendReply) -> bool:
        if self.state not in (CallState.WAITING, CallState.IA_TURN) or len(self.pushed) == 2:
            return False
        self.pushed.append(reply)
        return True

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(wake)
        return lambda: self.watchers.remove(wake)


class FakeCalls:
    def __init__(self, *calls: FakeCall) -> None:
        self.calls = list(calls)
        self.watchers: list[Callable[[], None]] = []
        self.metrics = CallMetrics()

    def all(self) -> Sequence[CallView]:
        return self.calls

    def get(self, call_id: str) -> CallView | None:
        return next((call for call in self.calls if call.id == call_id), None)

    def add(self, call: FakeCall) -> None:
        self.calls.append(call)
        self.tell()

    def tell(self) -> None:
        """Something changed."""
        for wake in list(self.watchers):
            wake()

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(wake)
        return lambda: self.watchers.remove(wake)


def serving(
    calls: FakeCalls, client: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]], token: str | None = None
) -> None:
    """Run `client` against a control server, in virtual time; afterwards nothing of the server may be left."""

    async def scene() -> None:
        server = ControlServer(calls, SecretStr(token) if token else None)
        url = await server.start("127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=30) as http:
            await client(http)
        await server.aclose()
        await server.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert calls.watchers == []
        assert [call.watchers for call in calls.calls] == [[] for _ in calls.calls]

    virtual_time.run(scene)


async def read_events(http: httpx.AsyncClient, url: str, **headers: str) -> list[dict[str, Any]]:
    """Every event of a stream to its end, as its fields id, event and data."""
    events: list[dict[str, Any]] = []
    async with http.stream("GET", url, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and fields:
                events.append({**fields, "data": json.loads(fields["data"])})
                fields = {}
    return events
