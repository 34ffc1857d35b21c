"""What AudioSocket's TCP connections have in common below the messages: socket options, and where reads go."""

import contextlib
import socket
import threading

__all__ = ["read_buffer", "tune"]

# A peer that vanished without a word is noticed after about a minute; a quiet caller is not a vanished one. Keepalive
# watches over a connection on which nothing is under way; while something is (our audio, always) it is silent, and the
# user time-out (ms) holds, without which the kernel would try for a quarter of an hour.
_VANISHED = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}

_of_thread = threading.local()


def tune(
    sock: socket.socket | None,
    *,
    send_buffer_bytes: int | None = None,
    receive_buffer_bytes: int | None = None,
    notices_vanished_peers: bool = True,
) -> None:
    """Set the options of a TCP socket; anything else (a Unix socket, None) is left as it is.

    Nagle's algorithm is off: a delayed half of a message ends a call (docs/protocol.md 4.2). Keepalive is on.
    `send_buffer_bytes`, `receive_buffer_bytes`: how much the kernel keeps each way; None: as much as it likes.
    `notices_vanished_peers`: the connection breaks where the peer acknowledges nothing for a minute, or reads nothing.
    """
    if sock is None:
        return
    with contextlib.suppress(OSError):  # the other side is gone again already, or it is no TCP: at the first option
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, size in ((socket.SO_SNDBUF, send_buffer_bytes), (socket.SO_RCVBUF, receive_buffer_bytes)):
            if size is not None:
                sock.setsockopt(socket.SOL_SOCKET, option, size)
        for name, value in _VANISHED.items() if notices_vanished_peers else ():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def read_buffer(size_bytes: int) -> memoryview:
    """The buffer of `size_bytes` that all connections of this thread read into.

    For `asyncio.BufferedProtocol.get_buffer`: the loop fills it and the protocol must have emptied it when
    `buffer_updated` returns. The same few lines of the processor's cache thus serve all connections.
    """
    try:
        views: dict[int, memoryview] = _of_thread.views
    except AttributeError:
        views = _of_thread.views = {}
    if size_bytes not in views:
        views[size_bytes] = memoryview(bytearray(size_bytes))
    return views[size_bytes]
