"""uvicorn within the loop that runs already: an ASGI app on a port, with an orderly and prompt end.

uvicorn's own `Server` is for a process of its own: it takes the signals, exits the process where the port is in use,
and wakes ten times a second. Here only its HTTP protocol is used; whoever starts this, ends it. Works on any loop, in
memory too, and any number of times in a process. Knows nothing of calls.
"""

import asyncio

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

__all__ = ["InLoopServer"]

END_WITHIN_SECONDS = 1.0


class InLoopServer:
    """Serves `app` from `start` to `aclose`."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
        )
        self._state = ServerState()
        self._listening: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen on `host` and `port` (0: any free one). The base address, as http://127.0.0.1:8081. Raises OSError."""
        if not self._config.loaded:
            self._config.load()
        self._listening = await asyncio.get_running_loop().create_server(self._protocol, host, port)
        address = self._listening.sockets[0].getsockname()
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"http://{name}:{address[1]}"

    async def aclose(self) -> None:
        """Accept no more, let answers under way come to their end for a second, close what is left. Idempotent."""
        if self._listening is None:
            return
        listening, self._listening = self._listening, None
        listening.close()
        until = asyncio.get_running_loop().time() + END_WITHIN_SECONDS
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            _, late = await asyncio.wait(set(self._state.tasks), timeout=END_WITHIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        # What was written goes out; uvicorn has no event for that.
        while self._state.connections and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        for connection in self._state.connections:
            connection.transport.abort()
        while self._state.connections:  # noqa: ASYNC110 - each leaves when the loop tells it of its end
            await asyncio.sleep(0)
        await listening.wait_closed()

    def _protocol(self) -> asyncio.Protocol:
        return self._config.http_protocol_class(  # type: ignore[call-arg]
            config=self._config, server_state=self._state, app_state={}
        )
