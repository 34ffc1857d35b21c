"""An HTTP server inside the running event loop: uvicorn's HTTP protocol without uvicorn's own `Server`.

uvicorn's `Server` is made for a process of its own: it takes the signals, exits the process where the port is in use,
and wakes ten times a second, which on a virtual clock are ten stops a second for nothing. Its protocol class needs none
of that, works on any loop and any number of times in a process. uvicorn is imported when the first server starts.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from audiosocket_core.accepting import Acceptor
from audiosocket_core.http_limits import HttpLimits, limited_protocol
from audiosocket_core.http_slices import InSlices

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState

__all__ = ["HttpServer"]


class HttpServer:
    """One ASGI app on a port, without lifespan events. `start` once, then `aclose`.

    drain_seconds: how long `aclose` lets answers under way come to their end; 0 breaks them off at once.
    limits: of its connections; None: no limits.
    on_trouble: called with one line when connections cannot be accepted.
    """

    def __init__(
        self,
        app: Any,
        *,
        drain_seconds: float = 0.0,
        limits: HttpLimits | None = None,
        on_trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.host = ""
        self.port = 0
        self._app = app
        self._drain_seconds = drain_seconds
        self._limits = limits
        self._on_trouble = on_trouble
        self._listening: Acceptor | None = None
        self._state: ServerState | None = None

    @property
    def url(self) -> str:
        """The base address once the server listens, such as http://127.0.0.1:8081 or http://[::1]:8081."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on `host` and `port` (0: any free one); returns the port. Raises OSError, where it is in use say."""
        from uvicorn.config import Config
        from uvicorn.server import ServerState

        config = Config(
            self._app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
        )
        config.load()
        state = self._state = ServerState()
        options: dict[str, Any] = {"config": config, "server_state": state, "app_state": {}}
        made: Any = config.http_protocol_class
        if self._limits is not None:
            made = limited_protocol()
            options |= {"limits": self._limits, "waiting": {}}
        listening = Acceptor(lambda: InSlices(made(**options)), on_trouble=self._on_trouble)
        await listening.start(host, port)
        self._listening = listening
        self.host, self.port = listening.host, listening.port
        return self.port

    def transport_of(self, client: tuple[str, int]) -> asyncio.Transport | None:
        """The connection of the client with this address, to be broken; None where there is none (any more)."""
        return next((c.transport for c in self._connections() if c.client == tuple(client)), None)

    async def aclose(self) -> None:
        """Stop listening, let answers end for `drain_seconds`, close every connection. Idempotent.

        No task and no socket is left; a request that was broken off has seen its client go.
        """
        if self._listening is None or self._state is None:
            return
        listening, self._listening = self._listening, None
        listening.close()
        await listening.settled()
        if self._drain_seconds:
            await self._drain(self._state)
        for connection in self._connections():
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        # Before Python 3.12 `wait_closed` does not wait for connections. Each leaves when the loop reports its end.
        while self._state.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def _drain(self, state: "ServerState") -> None:
        """Close idle connections at once and busy ones after their answer; cancel requests that take too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._drain_seconds
        for connection in self._connections():
            connection.shutdown()
        if state.tasks:
            _, late = await asyncio.wait(set(state.tasks), timeout=self._drain_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        # Answers that are written but not sent yet go out; uvicorn has no event for that.
        while state.connections and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.002)

    def _connections(self) -> "list[H11Protocol]":
        return list(self._state.connections) if self._state is not None else []  # type: ignore[arg-type]
