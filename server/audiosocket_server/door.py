"""The server's door: which connections are accepted, and which of them become calls.

A connection waits for its UUID, apart from calls; then it is a call, or is refused. What is refused ends in an orderly
way, so that the dialplan continues.
"""

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

from audiosocket_core.connection import Connection, Role
from audiosocket_core.transport import AudioSocketProtocol, EndCause
from audiosocket_server.admission import Admission
from audiosocket_server.call.session import Call
from audiosocket_server.complaints import Complaints
from audiosocket_server.services import Services

__all__ = ["ListenerDoor"]

log = logging.getLogger("audiosocket_server")

MOST_REFUSED = 64  # refused connections that may end in an orderly way at a time; further ones are reset
LONGEST_AUDIO_MS = 100  # of a piece of audio that a detector hears at once; longer messages are cut


class ListenerDoor:
    """The connections of one server; implements `call.session.Door`."""

    def __init__(self, services: Services) -> None:
        limits = services.settings.limits
        self.connections: set[_Connection] = set()
        """All of them: calls, those that wait for their UUID, and those that are refused."""
        self.waiting: dict[Call, None] = {}
        """Those that wait for their UUID, the oldest first."""
        self.leaving: set[asyncio.Task[None]] = set()
        """The tasks that wait until a connection is gone."""
        self.admission = Admission(services.settings)
        self.stops = False
        """True when the server stops: every connection is refused."""
        self._services = services
        self._most_calls = limits.calls
        self._most_waiting = limits.connections_without_uuid
        self._complaints = Complaints(log)
        self._refusals: set[_Refusal] = set()

    def accept(self) -> AudioSocketProtocol:
        """Return the protocol of a new connection."""
        handler: _Connection
        if self.stops or self._live_calls >= self._most_calls:
            handler = self._refuse("the server stops" if self.stops else self._too_many_calls)
        else:
            if len(self.waiting) >= self._most_waiting:
                self.make_room()
            handler = Call(self._services, self)
            self.waiting[handler] = None
        self.connections.add(handler)
        connection = Connection(Role.SERVER)
        return AudioSocketProtocol(connection, handler, longest_audio_ms=LONGEST_AUDIO_MS, begins_in_turn=True)

    def make_room(self) -> bool:
        """Close a connection that is worth less than a new one. Returns False if there is none."""
        if not self.waiting:
            return False
        next(iter(self.waiting)).give_way()
        return True

    # --- for calls ----------------------------------------------------------------------------------------------------

    def lets_in(self, peer: str) -> bool:
        """Return whether a connection from this address is accepted."""
        return self.admission.lets_in(peer)

    def refusal(self, call: Call, uuid: UUID) -> str | None:
        """Return why a connection that has sent its UUID does not become a call; None if it does."""
        self.waiting.pop(call, None)
        if self._live_calls > self._most_calls:  # this one is among them
            why = self._too_many_calls
        elif not self.admission.expected.take(uuid, asyncio.get_running_loop().time()):
            why = "its UUID is not expected, or was used before"
        else:
            return None
        self._count_refused(why)
        return why

    def complain(self, kind: str, line: str, level: int = logging.WARNING) -> None:
        """Log a line about a connection, or count it, if there are many of its kind."""
        self._complaints.about(kind, line, asyncio.get_running_loop().time(), level)

    def gone(self, connection: "_Connection") -> None:
        """Forget a connection that is over, once its socket is closed."""
        if isinstance(connection, Call):
            self.waiting.pop(connection, None)
        task = asyncio.get_running_loop().create_task(self._forget(connection))
        self.leaving.add(task)
        task.add_done_callback(self.leaving.discard)

    async def all_gone(self, seconds: float) -> None:
        """Wait until no connection is left, for at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.connections:
                    for connection in tuple(self.connections):
                        await connection.wait_closed()
                        self._drop(connection)
                while self.leaving:
                    await asyncio.wait(set(self.leaving))
        except TimeoutError:
            pass

    # --- inside -------------------------------------------------------------------------------------------------------

    @property
    def _live_calls(self) -> int:
        return len(self.connections) - len(self.waiting) - len(self._refusals)

    @property
    def _too_many_calls(self) -> str:
        return f"limits.calls is {self._most_calls}"

    def _refuse(self, why: str) -> "_Refusal":
        self._count_refused(why)
        refusal = _Refusal(self.gone, at_once=len(self._refusals) >= MOST_REFUSED)
        self._refusals.add(refusal)
        return refusal

    def _count_refused(self, why: str) -> None:
        self.complain("refused connections", f"a connection is refused: {why}")
        self._services.calls.metrics.refused += 1

    async def _forget(self, connection: "_Connection") -> None:
        await connection.wait_closed()
        self._drop(connection)

    def _drop(self, connection: "_Connection") -> None:
        self.connections.discard(connection)
        if isinstance(connection, _Refusal):
            self._refusals.discard(connection)


class _Refusal:
    """The handler of a refused connection: ends it in an orderly way, so that the dialplan continues; or `at_once`."""

    def __init__(self, on_gone: Callable[["_Refusal"], None], *, at_once: bool) -> None:
        self._on_gone = on_gone
        self._at_once = at_once
        self._shell: AudioSocketProtocol | None = None

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        """End the connection at once."""
        self._shell = shell
        if self._at_once:
            shell.abort()
        else:
            shell.end()

    def on_message(self, kind: int, payload: bytes) -> None:
        """Ignore the message."""

    def on_end(self, cause: EndCause) -> None:
        """Report that the connection is over."""
        self._on_gone(self)

    def stop(self, reason: str) -> None:
        """No-op: the connection is ending already."""

    def abort(self) -> None:
        """Close the socket at once."""
        if self._shell is not None:
            self._shell.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed."""
        if self._shell is not None:
            await self._shell.wait_closed()


_Connection = Call | _Refusal
