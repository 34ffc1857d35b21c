"""The part of the event loop that makes connections, over the in-memory network or, without one, through the kernel.

Only `create_server`, `create_connection` and `getaddrinfo` are redirected, and each ends in asyncio's own code with an
in-memory socket. Sockets that the program makes itself (`sock=`), datagrams and Unix sockets remain the kernel's.
"""

import asyncio
import socket
from typing import Any

from audiosocket_sim.virtual_time.memory_network import MemoryNetwork

__all__ = ["MemoryConnectionsLoop"]

_ONLY_FOR_KERNEL_LISTENERS = ("family", "flags", "reuse_address", "reuse_port", "keep_alive")
_ONLY_FOR_KERNEL_CLIENTS = ("family", "proto", "flags", "happy_eyeballs_delay", "interleave", "all_errors")


class MemoryConnectionsLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose connections go over `network`; None means kernel sockets.

    `selector`: one that knows the network's sockets: `VirtualSelector(network.endpoints)`.
    """

    def __init__(self, selector: Any, network: MemoryNetwork | None) -> None:
        self.network = network
        self._kernel_ports: set[int] = set()
        super().__init__(selector)

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """Listen as in asyncio. A socket given by `sock` remains the kernel's, and so do connections to its port."""
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
        """Connect as in asyncio. Raises ConnectionRefusedError, and OSError for an address of another machine."""
        if self.network is None or options.get("sock") is not None or port in self._kernel_ports:
            return await super().create_connection(protocol_factory, host, port, **options)
        sock = self.network.connect(host, port, options.pop("local_addr", None))
        options = _without(options, _ONLY_FOR_KERNEL_CLIENTS) | {"sock": sock}
        if options.get("ssl"):
            options.setdefault("server_hostname", host)
        return await super().create_connection(protocol_factory, **options)

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Resolve a name as in asyncio; with an in-memory network only names of this machine, without a resolver.

        Raises socket.gaierror for any other name.
        """
        if self.network is None:
            return await super().getaddrinfo(host, port, **options)
        kind = socket.SocketKind(options.get("type") or socket.SOCK_STREAM)
        return [(socket.AF_INET, kind, options.get("proto", 0), "", (self.network.resolve(host), int(port or 0)))]

    def close(self) -> None:
        """Close the loop and all sockets that are still open on its network."""
        super().close()
        if self.network is not None:
            self.network.close()


def _without(options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}
