"""Listens on a TCP address, and accepts one connection in each turn of the loop: a flood of them holds up no call.

asyncio accepts as many connections in a turn as its backlog is long; where no more files may be opened, it reports that
hundreds of times a second, and uvloop not at all. A connection that comes as asyncio's server is being closed is lost
in it. None of this holds here, and the two loops do the same. On a loop with connections in memory
(`clock_is_virtual = True`), where neither floods nor descriptors are, its own server is used.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable

__all__ = ["Acceptor"]

RETRY_SECONDS = 0.25
"""How long the door stays shut when no connection can be accepted. Connections wait in the kernel meanwhile."""
REPORT_EVERY_SECONDS = 60.0
_VIRTUAL_TURNS = 3  # turns of the loop after which every socket that asyncio's server has accepted is a connection

# What `accept` fails with when the process or the system has run out of something. Any other error is of one
# connection, which is gone.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """One address to listen on. `protocol` makes the protocol of each connection. `start` once, then `close`.

    on_trouble: called with one line, at most once a minute, when connections cannot be accepted.
    make_room: called then, to close something that is worth less than a new connection. Returns False if there is
    nothing of the kind.
    """

    def __init__(
        self,
        protocol: Callable[[], asyncio.BaseProtocol],
        *,
        on_trouble: Callable[[str], None],
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        self.host = ""
        self.port = 0
        self._protocol = protocol
        self._on_trouble = on_trouble
        self._make_room = make_room
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._virtual: asyncio.Server | None = None
        self._made: set[asyncio.Task[None]] = set()
        self._shut: asyncio.TimerHandle | None = None
        self._reported_at = float("-inf")
        self._backlog = 0

    async def start(self, host: str, port: int, *, backlog: int = 100) -> None:
        """Listen on `host` and `port` (0: any free one). Raises OSError, where the port is in use say."""
        virtual = getattr(self._loop, "clock_is_virtual", False)
        server = await self._loop.create_server(self._protocol, host, port, backlog=backlog, start_serving=virtual)
        self.host, self.port = server.sockets[0].getsockname()[:2]
        if virtual:
            self._virtual = server
            return
        self._backlog = backlog
        try:
            for bound in server.sockets:
                listening = socket.socket(fileno=os.dup(bound.fileno()))
                self._sockets.append(listening)
                listening.setblocking(False)
                listening.listen(backlog)
        except OSError:
            self.close()
            raise
        finally:
            server.close()
        self._open()

    def close(self, *, accept_waiting: bool = False) -> None:
        """Stop listening. Idempotent. `accept_waiting`: first accept what waits in the kernel, which else is reset."""
        if self._virtual is not None:
            self._virtual.close()
        if self._shut is not None:
            self._shut.cancel()
            self._shut = None
        sockets, self._sockets = self._sockets, []
        for listening in sockets:
            self._loop.remove_reader(listening)
            if accept_waiting:
                with contextlib.suppress(OSError):
                    for _ in range(self._backlog):
                        self._accept_one(listening)
            listening.close()

    async def settled(self) -> None:
        """Wait until every accepted socket is a connection. After `close` no further one follows."""
        if self._virtual is not None:
            for _ in range(_VIRTUAL_TURNS):
                await asyncio.sleep(0)
        while self._made:
            await asyncio.wait(set(self._made))

    def _open(self) -> None:
        self._shut = None
        for listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        # One only: `accept` takes a descriptor before it looks for a connection, and without one would fail for none.
        try:
            self._accept_one(listening)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._exhausted(error)

    def _accept_one(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.setblocking(False)
        task = self._loop.create_task(self._make(connection))
        self._made.add(task)
        task.add_done_callback(self._made.discard)

    async def _make(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # it is gone already
            connection.close()

    def _exhausted(self, error: OSError) -> None:
        """Shut the door for a moment, and say so once a minute."""
        made_room = self._make_room()
        now = self._loop.time()
        if now - self._reported_at >= REPORT_EVERY_SECONDS:
            self._reported_at = now
            self._on_trouble(f"connections to {self.host}:{self.port} cannot be accepted: {error.strerror or error}")
        for listening in self._sockets:
            self._loop.remove_reader(listening)
        self._shut = self._loop.call_later(0.0 if made_room else RETRY_SECONDS, self._open)
