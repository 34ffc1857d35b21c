"""An HTTP server inside the running loop: uvicorn's protocol without uvicorn's own loop, signals and clock.

uvicorn's `Server` looks ten times a second whether it should exit and what the date is; on a clock that jumps, those
are ten stops a second for nothing. Its protocol class needs neither. Imports uvicorn only when a server is started.
"""

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState

__all__ = ["HttpServer"]

_TURNS_TO_CLOSE = 10
"""An aborted connection is gone one turn of the loop later; more turns than that are a safety margin."""


class HttpServer:
    """Serves one ASGI app, without lifespan. `start` once, `aclose` once."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._server: asyncio.Server | None = None
        self._state: ServerState | None = None
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port (0 asks for any). Raises OSError when that is not to be had."""
        from uvicorn.config import Config
        from uvicorn.server import ServerState

        config = Config(
            self._app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, date_header=False
        )
        config.load()
        state = self._state = ServerState()
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=state, app_state={}, _loop=loop
            )
            return made

        self._server = await loop.create_server(protocol, host, port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    def transport_of(self, client: tuple[str, int]) -> asyncio.Transport | None:
        """The connection of the client with this address, for those who want to break it."""
        return next((c.transport for c in self._connections() if c.client == tuple(client)), None)

    async def aclose(self) -> None:
        """Stop listening and end every connection, with its request. No task and no socket is left."""
        if self._server is None or self._state is None:
            return
        self._server.close()
        for connection in self._connections():
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        for _ in range(_TURNS_TO_CLOSE):  # before Python 3.12 `wait_closed` does not wait for connections
            if not self._state.connections:
                break
            await asyncio.sleep(0)
        await self._server.wait_closed()
        self._server = None

    def _connections(self) -> "list[H11Protocol]":
        return list(self._state.connections) if self._state is not None else []  # type: ignore[arg-type]
