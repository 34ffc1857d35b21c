"""A loopback network in this process: port table, names, connections. Scenarios use it by default.

It is faster than the kernel's loopback, and independent of what changes that between runs (TCP buffers of other
processes, receive packet steering). It has one machine: `localhost`, 127.x.x.x, ::1 and the wildcard addresses are the
same host, reported as IPv4. Any other name or address is unreachable, so a test cannot leave the machine by accident.

It can cut received data at other places than those at which it was written: byte by byte, or at random places drawn
from a seed. Each direction of each connection has its own cuts, which do not depend on other traffic. Or the end that
has connected reads each write by itself, and so sees how the other end writes; a kernel may join writes of one moment.

This module is independent of event loops: `VirtualLoop` asks for sockets (`memory_socket`) and watches `endpoints`.
"""

import errno
import ipaddress
import itertools
import os
import random
import socket
from collections.abc import Iterable
from typing import Literal

from audiosocket_sim.virtual_time.memory_socket import (
    Address,
    Cut,
    Endpoints,
    MemoryListener,
    MemorySocket,
    connected_pair,
)

__all__ = ["LOOPBACK_CAPACITY_BYTES", "MemoryNetwork", "Split"]

Split = Literal["none", "bytes", "seeded", "writes"]
"""How received data is cut: not at all, byte by byte, at places drawn from the seed, or as the server wrote it."""

LOOPBACK_CAPACITY_BYTES = 19 + 12_084 * 323 + 83
"""What Linux' loopback takes from a sender whose reader sleeps, in writes of 323 bytes, with default settings.

Measured with a real Asterisk: after the UUID 12,084 messages of 323 bytes and a part of one more, or 417 of 7,683
bytes: `memory_socket` charges more for a larger write.
"""

_FIRST_PORT = 40_001


class MemoryNetwork:
    """Ports and connections of one event loop.

    `split`, `seed`: how received data is cut. `capacity_bytes`: how much the network takes in one direction before the
    sender's own write buffer begins to fill.
    """

    def __init__(self, *, split: Split = "none", seed: int = 1, capacity_bytes: int = LOOPBACK_CAPACITY_BYTES) -> None:
        self.endpoints = Endpoints()
        self._split = split
        self._seed = seed
        self._capacity_bytes = capacity_bytes
        self._listeners: dict[int, MemoryListener] = {}
        self._connection_numbers = itertools.count(1)
        self._free_ports = itertools.count(_FIRST_PORT)

    @property
    def open_sockets(self) -> list[MemorySocket]:
        """The ends of connections that are not closed yet. Empty after an orderly end."""
        return [end for end in self.endpoints.by_fd.values() if isinstance(end, MemorySocket)]

    @property
    def listening_ports(self) -> list[int]:
        """The ports with a listener."""
        return [port for port, listener in self._listeners.items() if listener.listens]

    def bind(self, host: str | Iterable[str] | None, port: int | None) -> MemoryListener:
        """Return a socket to listen on. Port 0 or None: any free port. Raises OSError if the port is in use."""
        first_host = host if isinstance(host, str) or host is None else next(iter(host), None)
        address = (_local_address(first_host or "0.0.0.0"), port or self._free_port())
        if address[1] in self._listeners:
            raise OSError(
                errno.EADDRINUSE,
                f"error while attempting to bind on address {address!r}: {os.strerror(errno.EADDRINUSE).lower()}",
            )
        listener = MemoryListener(self.endpoints, address, lambda: self._forget(address[1]))
        self._listeners[address[1]] = listener
        return listener

    def connect(self, host: str | None, port: int | None, local: Address | None = None) -> MemorySocket:
        """Return the client's end of a new connection. Raises ConnectionRefusedError if nobody listens at the port.

        `local`: the client's own address, of which only the port counts.
        """
        address = _local_address(host or "localhost")
        server = ("127.0.0.1" if address == "0.0.0.0" else address, port or 0)
        listener = self._listeners.get(server[1])
        if listener is None or not listener.listens:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {server!r}")
        client = ("127.0.0.1", (local and local[1]) or self._free_port())
        number = next(self._connection_numbers)
        near, far = connected_pair(
            self.endpoints,
            client,
            server,
            capacity_bytes=self._capacity_bytes,
            cuts=(self._cut(number, "client"), self._cut(number, "server")),
            by_write=self._split == "writes",
        )
        listener.offer(far)
        return near

    def resolve(self, host: str | bytes | None) -> str:
        """Return the address of a name, without a resolver. Raises socket.gaierror for a name of another machine."""
        name = host.decode() if isinstance(host, bytes) else host
        try:
            return _local_address(name or "localhost")
        except OSError as error:
            raise socket.gaierror(socket.EAI_NONAME, error.strerror) from error

    def close(self) -> None:
        """Close all listeners and connections that are still open."""
        for listener in list(self._listeners.values()):
            listener.close()
        for end in self.open_sockets:
            end.close()

    def _forget(self, port: int) -> None:
        self._listeners.pop(port, None)

    def _free_port(self) -> int:
        return next(port for port in self._free_ports if port not in self._listeners)

    def _cut(self, connection: int, end: str) -> Cut | None:
        if self._split in ("none", "writes"):
            return None
        if self._split == "bytes":
            return lambda _available: 1
        source = random.Random(f"{self._seed}/{connection}/{end}")
        return lambda available: source.randint(1, available)


def _local_address(host: str) -> str:
    """Return the IPv4 address of `host`. Raises OSError if it is not this machine."""
    known = {"localhost": "127.0.0.1", "::1": "127.0.0.1", "0.0.0.0": "0.0.0.0", "::": "0.0.0.0"}
    if host in known:
        return known[host]
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise OSError(errno.ENETUNREACH, f"the in-memory network has only this machine, not {host!r}")
