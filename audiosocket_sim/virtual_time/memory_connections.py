"""The part of an event loop that makes connections: over the in-memory network where there is one, else by the kernel.

Only `create_server`, `create_connection` and `getaddrinfo` are rerouted, and each ends in asyncio's own code with an
in-memory socket. What a program makes of sockets of its own (`sock=`), datagrams and Unix sockets stays the kernel's.
"""

import asyncio
import socket
from typing import Any

from audiosocket_sim.virtual_time.memory_network import MemoryNetwork

__all__ = ["MemoryConnectionsLoop"]

_ONLY_FOR_KERNEL_LISTENERS = ("family", "flags", "reuse_address", "reuse_port", "keep_alive")
_ONLY_FOR_KERNEL_CLIENTS = ("family", "proto", "flags", "happy_eyeballs_delay", "interleave", "all_errors")


class MemoryConnectionsLoop(asyncio.SelectorEventLoop):
    """A stock loop whose connections go over `network`; None means kernel sockets.

    The selector has to know the network's sockets: `VirtualSelector(network.endpoints, ...)`.
    """

    def __init__(self, selector: Any, network: MemoryNetwork | None) -> None:
        self.network = network
        self._kernel_ports: set[int] = set()
        super().__init__(selector)

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As in asyncio. A listening socket given by `sock` stays the kernel's, and so do connections to its port."""
        sock = options.get("sock")
        if self.network is None or sock is not None:
            if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
                self._kernel_ports.add(sock.getsockname()[1])
            return await super().create_server(protocol_factory, host, port, **options)
        listener = self.network.bind(host, port)
        try:
            options = _without(options, _ONLY_FOR_KERNEL_LISTENERS) | {"sock": listener}
            return await super().create_server(protocol_factory, **options)
        except BaseException:
            listener.close()
            raise

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As in asyncio. ConnectionRefusedError, or OSError for an address that is not of this machine."""
        if self.network is None or options.get("sock") is not None or port in self._kernel_ports:
            return await super().create_connection(protocol_factory, host, port, **options)
        sock = self.network.connect(host, port, options.pop("local_addr", None))
        options = _without(options, _ONLY_FOR_KERNEL_CLIENTS) | {"sock": sock}
        if options.get("ssl"):
            options.setdefault("server_hostname", host)
        return await super().create_connection(protocol_factory, **options)

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """With a network in memory, names of this machine are known without asking, and there are no others."""
        if self.network is None:
            return await super().getaddrinfo(host, port, **options)
        kind = socket.SocketKind(options.get("type") or socket.SOCK_STREAM)
        return [(socket.AF_INET, kind, options.get("proto", 0), "", (self.network.resolve(host), int(port or 0)))]

    def close(self) -> None:
        """Close the loop, and whatever is still open on its network."""
        super().close()
        if self.network is not None:
            self.network.close()


def _without(options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}
