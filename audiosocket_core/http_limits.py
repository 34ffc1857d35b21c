"""What the connections of an HTTP server may cost: their number, and how long a request's head may take.

uvicorn has neither limit. An idle connection costs a descriptor, and phones need those.
"""

import asyncio
import resource
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HttpLimits", "limited_protocol"]

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b'content-length: 33\r\n\r\n{"error": "too many connections"}'
)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits of one server.

    connections: at a time. A further one takes the place of the oldest that waits for a request; if none does, it is
    answered with 503.
    head_seconds: from the connection, or from the last answer, to the end of a request's head.
    spare_files: the same as for `connections` holds where only so many descriptors of the process are left.
    """

    connections: int
    head_seconds: float
    spare_files: int = 0


@cache
def limited_protocol() -> "type[H11Protocol]":
    """Return uvicorn's protocol with limits: it takes `limits`, and `waiting`, a dict that all connections share."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class LimitedProtocol(H11Protocol):
        def __init__(self, *, limits: HttpLimits, waiting: "dict[LimitedProtocol, None]", **options: Any) -> None:
            super().__init__(**options)
            self._limits = limits
            self._waiting = waiting  # connections that wait for a head, the oldest first
            self._head_limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast(asyncio.Transport, transport))
            if self._is_too_much(transport):
                if self._waiting:
                    next(iter(self._waiting))._give_up()
                else:
                    self.transport.write(_FULL)
                    self.transport.close()
                    return
            self._watch_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch_head()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._head_came()

        def _is_too_much(self, transport: asyncio.BaseTransport) -> bool:
            if len(self.connections) > self._limits.connections:
                return True
            if not self._limits.spare_files or getattr(self.loop, "clock_is_virtual", False):
                return False
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            sock = transport.get_extra_info("socket")
            # The kernel gives out the lowest free number, so all below are taken.
            return soft != resource.RLIM_INFINITY and sock.fileno() >= soft - self._limits.spare_files

        def _watch_head(self) -> None:
            """Start the time limit of a head if one is awaited, end it if not."""
            if self.transport.is_closing() or not (self.cycle is None or self.cycle.response_complete):
                self._head_came()
            elif self._head_limit is None:
                self._head_limit = self.loop.call_later(self._limits.head_seconds, self._give_up)
                self._waiting[self] = None

        def _head_came(self) -> None:
            self._waiting.pop(self, None)
            if self._head_limit is not None:
                self._head_limit.cancel()
                self._head_limit = None

        def _give_up(self) -> None:
            self._head_came()
            self.transport.abort()

    return LimitedProtocol
