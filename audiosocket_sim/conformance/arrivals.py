"""How what the server sent has come: in how many pieces, and whether any of it was urgent.

On the kernel's TCP the pieces are the segments that Linux has counted, so nobody has to read them promptly. In memory
they are the writes of the server, of which each is read by itself.
"""

import asyncio
import select
import socket
import struct

__all__ = ["StreamPieces"]

_TCP_INFO_BYTES = 256
_BYTES_RECEIVED, _DATA_SEGMENTS_IN = struct.Struct("128xQ"), struct.Struct("152xI")
"""Of `struct tcp_info` (linux/tcp.h): tcpi_bytes_received, and tcpi_data_segs_in, which has been there since 4.6."""


class StreamPieces:
    """Looks at a connection before each read. `transport`: our end of it."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport.get_extra_info("socket")
        self._is_memory = not isinstance(getattr(self._socket, "_sock", self._socket), socket.socket)
        self._pri: select.poll | None = None
        if not self._is_memory and hasattr(socket, "TCP_INFO"):
            self._pri = select.poll()
            self._pri.register(self._socket.fileno(), select.POLLPRI)
        self._bytes = self._reads = 0
        self.sees_urgent_data = self._pri is not None
        self.urgent = False
        """Whether data was seen that the server sent as urgent."""

    def look(self) -> tuple[int, int] | None:
        """Return in how many pieces how many bytes have come (bytes, pieces); None where this system does not tell."""
        if self._is_memory or self._pri is None:
            return None
        try:
            self.urgent = self.urgent or any(event & select.POLLPRI for _, event in self._pri.poll(0))
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            return _BYTES_RECEIVED.unpack_from(info)[0], _DATA_SEGMENTS_IN.unpack_from(info)[0]
        except (OSError, struct.error):  # closed, or a system with a shorter record
            return None

    def read(self, count: int) -> tuple[int, int] | None:
        """Note what a read has found. Returns the pieces in memory, as `look` does on the kernel's TCP."""
        self._bytes += count
        self._reads += 1
        return (self._bytes, self._reads) if self._is_memory else None
