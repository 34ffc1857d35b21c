"""Ends a TCP connection with a reset."""

import asyncio
import socket
import struct

__all__ = ["reset"]

_NO_LINGER = struct.pack("ii", 1, 0)


def reset(transport: asyncio.WriteTransport) -> None:
    """Close the connection of `transport` with a TCP reset (RST). Unsent data is dropped."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
