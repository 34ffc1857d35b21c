"""One address of the mock AI for all calls of a run: each request goes to the script of the call that it belongs to.

A call is known by its UUID, which is the `id` of a request. A request with another id, or with none, belongs to the
only call in progress; of several, to the one for which the same id came before, or else to the one whose caller spoke
last. Where a captured backend of any protocol is played, all that a request shows decides (`net.pairing`), and which
call's part of the cassette has this request next.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from audiosocket_core.http_server import HttpServer
from audiosocket_sim.mock_ai.backend import ANY_METHOD, POST_ONLY, MockAi, body_of
from audiosocket_sim.net.http_guard import guarded
from audiosocket_sim.net.pairing import Pairing
from audiosocket_sim.net.request_evidence import evidence_in

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Conversation", "Switchboard"]

_DOUBT = "; its id, “{:.40}”, is no call's UUID, so it may belong to another call"
_NO_SIGN = "; nothing in it says whose it is, so it may belong to another call"
_NOBODY = "no call is there to which this request belongs"


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """One call: its UUID, its script, whether it is in progress, and when its caller spoke last, as a loop time.

    `name`: of its caller; "" if it is the only call.
    """

    uuid: UUID
    ai: MockAi
    in_progress: Callable[[], bool]
    spoke_at: Callable[[], float]
    name: str = ""


class Switchboard:
    """The HTTP server of the mock AI. `add` each call before it is made, `start`, `aclose`.

    refuses: nothing listens at its address, as with the fault `refused`. any_method: a captured backend of any protocol
    is played, which takes more than POST.
    """

    def __init__(self, *, refuses: bool = False, any_method: bool = False) -> None:
        self._refuses = refuses
        self._methods = ANY_METHOD if any_method else POST_ONLY
        self._loop = asyncio.get_running_loop()
        self._server: HttpServer | None = None
        self._calls: list[Conversation] = []
        self._by_id: dict[str, Conversation] = {}
        self._pairing: Pairing[Conversation] = Pairing(lambda call: call.uuid.hex)

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Listen, and return the URL for the bot. Raises OSError if the port cannot be bound."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=self._methods)])
        self._server = HttpServer(guarded(app, host))
        for call in self._calls:
            call.ai.served_by(self._server)
        port = await self._server.start(host, port)
        if self._refuses:
            await self._server.aclose()
        return f"http://{host}:{port}/messages"

    def add(self, call: Conversation) -> None:
        """Answer the requests of this call too, from now on."""
        if self._server is not None:
            call.ai.served_by(self._server)
        self._calls.append(call)

    async def aclose(self) -> None:
        """Stop listening. Unanswered requests lose their connection."""
        for call in self._calls:
            await call.ai.aclose()
        if self._server is not None:
            await self._server.aclose()

    async def _answer(self, request: "Request") -> "Response":
        from starlette.requests import ClientDisconnect
        from starlette.responses import PlainTextResponse, Response

        at = self._loop.time()
        try:
            data = await body_of(request)
        except ClientDisconnect:
            return Response()  # which nobody receives
        if any(call.ai.plays_a_cassette for call in self._calls):
            call, doubt = self._call_by_evidence(request, data or b"")
        else:
            call, doubt = self._call_of(_id_in(data))
        if call is None:
            return PlainTextResponse(_NOBODY, 404)
        return await call.ai.answer(request, data, at, doubt)

    def _call_of(self, id_: str) -> tuple[Conversation | None, str]:
        """Return the call to which a request with this `id` belongs, and if that is a guess, why."""
        if len(self._calls) < 2:
            return (self._calls[0] if self._calls else None), ""
        named = _uuid(id_)
        own = next((call for call in self._calls if call.uuid == named), None)
        if own is not None:
            return own, ""
        live = [call for call in self._calls if call.in_progress()]
        known = self._by_id.get(id_) if id_ else None
        if known is None or known not in live:
            known = self._by_id[id_] = max(live or self._calls, key=lambda call: call.spoke_at())
        return known, _DOUBT.format(id_) if len(live) != 1 else ""

    def _call_by_evidence(self, request: "Request", data: bytes) -> tuple[Conversation | None, str]:
        """Return the call to which a request of any protocol belongs, and what speaks against it."""
        if len(self._calls) < 2:
            return (self._calls[0] if self._calls else None), ""
        evidence, doubt = evidence_in(request, data), ""
        waiting = [call for call in self._calls if call.ai.waits_for(request.method, request.url.path, data)]
        live = [call for call in self._calls if call.in_progress()] or self._calls
        found = next((call for call in self._calls if call.uuid.hex in evidence.uuids), None)
        found = found or self._pairing.call_of(evidence, live, waiting)
        if found is None:
            found, doubt = max(live, key=lambda call: call.spoke_at()), _NO_SIGN
            self._pairing.remember(found, evidence)
        others = [call.name for call in waiting if call is not found]
        if others and found not in waiting:
            doubt += f"; the cassette has this question for {', '.join(others)}"
        return found, doubt


def _id_in(data: bytes | None) -> str:
    """The `id` of a request; "" if it has none."""
    try:
        fields = json.loads(data or b"")
    except (ValueError, RecursionError):
        return ""
    found = fields.get("id") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
