"""The websocket server of the fake: answers upgrades by the plans, and hands each connection to a `SpeechConnection`.

The only module that imports `websockets` (extra `[fake-azure]`). It is imported when a server is started.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from audiosocket_sim.fake_azure.client_requests import UpgradeRequest, read_upgrade
from audiosocket_sim.fake_azure.connection import SpeechConnection, SpeechServices
from audiosocket_sim.fake_azure.delivery import ConnectionGone
from audiosocket_sim.fake_azure.plan import PlanStep
from audiosocket_sim.net.tcp_reset import reset

__all__ = ["WebsocketServer"]

_LARGEST_MESSAGE_BYTES = 1_000_000
_CLOSE_SECONDS = 1.0
_NOT_FOUND = "the fake Azure Speech service has no such path; it serves /stt/…, /speech/recognition/… and /tts/…\n"

_websockets_log = logging.getLogger("audiosocket_sim.fake_azure.websockets")
_websockets_log.setLevel(logging.CRITICAL)  # dropped connections are planned, and need no log line


class WebsocketServer:
    """The server. Call `start` once and `aclose` once."""

    def __init__(self, service: SpeechServices) -> None:
        self._service = service
        self._server: Server | None = None
        self._connections: set[ServerConnection] = set()
        self._upgrades: dict[ServerConnection, UpgradeRequest] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError if it cannot be bound."""
        connections = self._connections

        class Tracked(ServerConnection):
            """A connection that is registered before its upgrade, so that `aclose` can end it too."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connections.add(self)
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.discard(self)
                super().connection_lost(exc)

        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._upgrade,
            create_connection=Tracked,
            compression=None,
            open_timeout=None,
            ping_interval=None,
            close_timeout=_CLOSE_SECONDS,
            max_size=_LARGEST_MESSAGE_BYTES,
            max_queue=64,
            server_header=None,
            logger=_websockets_log,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def aclose(self) -> None:
        """Stop listening, and abort every connection."""
        if self._server is None:
            return
        self._server.close(close_connections=False)
        for connection in list(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return the answer to an upgrade request that is not accepted, None to accept it."""
        upgrade = read_upgrade(request.path, dict(request.headers.raw_items()))
        if upgrade is None:
            return connection.respond(404, _NOT_FOUND)
        self._upgrades[connection] = upgrade
        step = self._service.script.at_upgrade(upgrade.key, upgrade.service)
        if step.refuse is not None:
            self._note(upgrade, f"refused with {step.refuse}")
            return Response(step.refuse, "As Planned", Headers({"Content-Length": "0"}), b"")
        await self._delay_or_drop(connection, upgrade, step)
        return None

    async def _delay_or_drop(self, connection: ServerConnection, upgrade: UpgradeRequest, step: PlanStep) -> None:
        if step.drop is not None and step.drop.at_upgrade:
            self._note(upgrade, "reset before the upgrade")
            reset(connection.transport)
        elif step.stall is not None and step.stall.at_upgrade:
            if step.stall.for_ is None:
                self._note(upgrade, "the upgrade is never answered")
            waiting = asyncio.ensure_future(connection.wait_closed())
            await asyncio.wait({waiting}, timeout=None if step.stall.for_ is None else step.stall.for_ / 1000)
            waiting.cancel()

    def _note(self, upgrade: UpgradeRequest, outcome: str) -> None:
        number = self._service.log.begin(upgrade.service, self._service.shown(upgrade.key))
        self._service.log.change(number, outcome=outcome)

    async def _serve(self, connection: ServerConnection) -> None:
        upgrade = self._upgrades.pop(connection)
        await SpeechConnection(_WebSocket(connection), upgrade, self._service).run()


class _WebSocket:
    """Adapts a websocket to the `ClientSocket` protocol."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        try:
            while True:
                yield await self._connection.recv()
        except ConnectionClosed:
            return

    async def send(self, data: str | bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed:
            raise ConnectionGone from None

    async def close(self, code: int, reason: str = "") -> None:
        await self._connection.close(code, reason)

    def reset(self) -> None:
        reset(self._connection.transport)
