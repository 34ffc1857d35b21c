"""In-memory replacements for connected and listening TCP sockets: the kernel's part of a loopback connection.

asyncio's own transports and servers run on top of them unchanged, so the behaviour that a program sees (write limits,
half close, `BufferedProtocol`, `connection_lost`) is asyncio's own. The behaviour of Linux below it is simulated here:
a FIN comes after the data; closing with unread data, or with SO_LINGER 0, is a reset; sending to a closed socket is
answered by a reset, and the next call fails. The tests run the same programs on these and on kernel sockets.

This module is independent of event loops. A socket whose readiness may have changed adds itself to `Endpoints.active`,
which the selector inspects. Each socket owns an eventfd, so that its `fileno()` is a real, unique descriptor that works
with `poll` (httpcore polls a connection before it reuses it).
"""

import errno
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from selectors import EVENT_READ, EVENT_WRITE

__all__ = ["Address", "Bytes", "Cut", "Endpoints", "MemoryEndpoint", "MemoryListener", "MemorySocket", "connected_pair"]

Address = tuple[str, int]
Bytes = bytes | bytearray | memoryview
Cut = Callable[[int], int]
"""Called with the number n of available bytes; returns how many of them one `recv` returns, 1 to n."""

_LINGER = struct.Struct("ii")


class Endpoints:
    """All open sockets of one network, and in `active` those whose readiness may have changed, oldest first.

    `on_send`: called before each write of a socket, if set.
    """

    __slots__ = ("active", "by_fd", "on_send")

    def __init__(self) -> None:
        self.by_fd: dict[int, MemoryEndpoint] = {}
        self.active: dict[MemoryEndpoint, None] = {}
        self.on_send: Callable[[], None] | None = None


class MemoryEndpoint:
    """Base of connected and listening sockets: a descriptor, a name, options. Subclasses define their readiness."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, endpoints: Endpoints, name: Address) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.closed = False
        self.interest = 0
        """The events for which the selector watches the socket: EVENT_READ | EVENT_WRITE."""
        self._endpoints = endpoints
        self._active = endpoints.active
        endpoints.by_fd[self.fd] = self
        self._name = name
        self._options: dict[tuple[int, int], int | bytes] = {}
        self._shows_readable = False

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"fd={self.fd}"
        return f"<{type(self).__name__} {state} {self._name[0]}:{self._name[1]}>"

    def readiness(self) -> int:
        """Return the events, EVENT_READ | EVENT_WRITE, that epoll would report now."""
        raise NotImplementedError

    def fileno(self) -> int:
        """Return a real descriptor that polls as readable exactly when this socket is readable; -1 once closed."""
        if self.closed:
            return -1
        readable = bool(self.readiness() & EVENT_READ)
        if readable != self._shows_readable:
            self._shows_readable = readable
            if readable:
                os.eventfd_write(self.fd, 1)
            else:
                os.eventfd_read(self.fd)
        return self.fd

    def close(self) -> None:
        """Release the descriptor. Calling it twice is harmless."""
        if not self.closed:
            self.closed = True
            self._active.pop(self, None)
            del self._endpoints.by_fd[self.fd]
            os.close(self.fd)

    def getsockname(self) -> Address:
        """The address and port of this end."""
        return self._name

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Store the option; only SO_LINGER has an effect."""
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int, size: int = 0) -> int | bytes:
        """Return the option as it was set, or else 0, or with `size` that many zero bytes."""
        return self._options.get((level, option), b"\0" * size if size else 0)

    def setblocking(self, flag: bool) -> None:
        """Accept False; raise ValueError for True."""
        if flag:
            raise ValueError("a socket of the in-memory network cannot block")

    def settimeout(self, value: float | None) -> None:
        """Accept 0; raise ValueError for any other timeout."""
        self.setblocking(value != 0)

    def gettimeout(self) -> float:
        """Return 0.0: a socket of the in-memory network never blocks."""
        return 0.0


_SMALL_WRITE_BYTES = 323
_SURCHARGE = (12_084 * 323 / 417.01 - 7_683) / (7_683 - _SMALL_WRITE_BYTES)
"""What the kernel's bookkeeping costs for each byte of a larger write: a line through two measured points."""


def _surcharge(size: int) -> int:
    return 0 if size <= _SMALL_WRITE_BYTES else int((size - _SMALL_WRITE_BYTES) * _SURCHARGE)


def _largest_for(room: int) -> int:
    """The most bytes that fit, with their surcharge, into `room`."""
    if room <= _SMALL_WRITE_BYTES:
        return room
    return int((room + _SMALL_WRITE_BYTES * _SURCHARGE) / (1 + _SURCHARGE))


class MemorySocket(MemoryEndpoint):
    """One end of a connection; its peer is another MemorySocket. `cut`: how received data is cut, or None.

    `by_write`: a read returns what one write sent, and no more, as it does where the reader is quicker than the writer.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        name: Address,
        peer_name: Address,
        capacity_bytes: int,
        cut: Cut | None,
        by_write: bool = False,
    ) -> None:
        super().__init__(endpoints, name)
        self._peer_name = peer_name
        self.room = capacity_bytes
        """Bytes that still fit into what lies unread at this end (with the sender's buffer, as on loopback)."""
        self._surcharge = 0
        """What larger writes cost beyond their bytes; given back when all of them are read."""
        self._cut = cut
        self._by_write = by_write
        self._peer = self  # until `connected_pair` joins two ends
        self._unread: deque[bytes] = deque()
        self._fin_sent = False
        self._fin_received = False
        self._was_reset = False
        self._error = 0  # Linux' sk_err: reported once, by the next call
        self._peer_waits_for_room = False

    def join(self, peer: "MemorySocket") -> None:
        """Make `peer` the other end."""
        self._peer = peer

    @property
    def peer_is_closed(self) -> bool:
        """Whether the program at the other end has closed it: what no real network tells."""
        return self._peer.closed

    def readiness(self) -> int:
        """Return the events for which the socket is ready: EVENT_READ | EVENT_WRITE of `selectors`."""
        ready = 0
        if self._unread or self._fin_received or self._was_reset:
            ready = EVENT_READ
        if self._fin_sent or self._peer.closed or self._peer.room > 0:
            ready |= EVENT_WRITE
        return ready

    def getpeername(self) -> Address:
        """Return the address and port of the other end. Raises OSError (ENOTCONN) after a reset."""
        if self._was_reset:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._peer_name

    def send(self, data: Bytes, flags: int = 0) -> int:
        """Send as much as fits, and return the number of bytes.

        Raises BlockingIOError, ConnectionResetError or BrokenPipeError, as Linux does.
        """
        if self._endpoints.on_send is not None:
            self._endpoints.on_send()
        if self._error:
            raise self._take_error()
        if self._was_reset or self._fin_sent:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        peer = self._peer
        if peer.closed:
            self.receive_reset()
            return len(data)
        size = len(data)
        surcharge = _surcharge(size)
        if size + surcharge > peer.room:
            peer._peer_waits_for_room = True
            if peer.room <= 0:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            size = _largest_for(peer.room)
            surcharge = peer.room - size
            data = memoryview(data)[:size]
        peer._unread.append(bytes(data))
        peer._surcharge += surcharge
        peer.room -= size + surcharge
        peer._active[peer] = None
        return size

    def sendmsg(self, buffers: Iterable[Bytes]) -> int:
        """Send the buffers joined, and return the number of bytes sent. Raises as `send` does."""
        return self.send(b"".join(buffers))

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return received data, joined as a kernel would (unless it is read by the write); b"" at the end.

        As in Linux, data precedes a FIN or reset.

        Raises BlockingIOError if there is no data yet, and ConnectionResetError after a reset.
        """
        unread = self._unread
        if not unread:
            if self._error and not self._fin_received:
                raise self._take_error()
            if self._fin_received or self._was_reset:
                return b""
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if self._cut is not None:
            size = min(size, self._cut(sum(map(len, unread))))
        data = unread.popleft()
        if unread and not self._by_write:
            data += b"".join(unread)
            unread.clear()
        if len(data) > size:
            unread.appendleft(data[size:])
            data = data[:size]
        elif not unread and self.interest == EVENT_READ and not (self._fin_received or self._was_reset):
            self._active.pop(self, None)  # nothing more to report
        self.room += len(data)
        if not unread:
            self.room += self._surcharge
            self._surcharge = 0
        if self._peer_waits_for_room:
            self._peer_waits_for_room = False
            self._active[self._peer] = None
        return data

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        """Read into the buffer, as `socket.recv_into` does, and return the number of bytes; 0 at the end."""
        unread = self._unread
        if len(unread) == 1 and self._cut is None and not size:  # exactly one message: the usual case
            data = unread[0]
            read = len(data)
            if read <= len(buffer) and not self._peer_waits_for_room:
                unread.clear()
                self.room += read
                if self.interest == EVENT_READ and not (self._fin_received or self._was_reset):
                    self._active.pop(self, None)  # nothing more to report
                buffer[:read] = data
                return read
        data = self.recv(size or len(buffer))
        read = len(data)
        buffer[:read] = data
        return read

    def shutdown(self, how: int) -> None:
        """Close the sending half. Closing the other half has no effect, and asyncio never does it."""
        if self._was_reset:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        if how != socket.SHUT_RD and not self._fin_sent:
            self._fin_sent = True
            self._peer._receive_fin()

    def close(self) -> None:
        """Close this end with a FIN or, as in TCP, with a reset if data is unread or SO_LINGER is 0."""
        if self.closed:
            return
        if not self._was_reset:
            if self._unread or self._lingers_not_at_all():
                self._peer.receive_reset()
            else:
                self.shutdown(socket.SHUT_WR)
        super().close()

    def receive_reset(self) -> None:
        """Take a reset from the other end. After a FIN (CLOSE_WAIT), Linux reports it as a broken pipe."""
        if self.closed or self._was_reset:
            return
        self._was_reset = True
        self._error = errno.EPIPE if self._fin_received else errno.ECONNRESET
        self._active[self] = None

    def _receive_fin(self) -> None:
        if not (self.closed or self._was_reset):
            self._fin_received = True
            self._active[self] = None

    def _lingers_not_at_all(self) -> bool:
        option = self._options.get((socket.SOL_SOCKET, socket.SO_LINGER))
        return isinstance(option, bytes) and _LINGER.unpack(option) == (1, 0)

    def _take_error(self) -> OSError:
        """Return the pending error, and clear it: as in Linux, it is reported once."""
        number, self._error = self._error, 0
        return OSError(number, os.strerror(number))


class MemoryListener(MemoryEndpoint):
    """A listening socket. `listens` becomes True with `listen()`; until then connections are refused."""

    def __init__(self, endpoints: Endpoints, name: Address, on_close: Callable[[], None]) -> None:
        super().__init__(endpoints, name)
        self.listens = False
        self._on_close = on_close
        self._backlog: deque[MemorySocket] = deque()

    def readiness(self) -> int:
        """Return EVENT_READ of `selectors` if a connection waits for `accept`, else 0."""
        return EVENT_READ if self._backlog else 0

    def listen(self, backlog: int = 100) -> None:
        """Accept connections from now on. The length of the backlog is not limited."""
        self.listens = True

    def offer(self, end: MemorySocket) -> None:
        """Add an incoming connection, which then waits for `accept`."""
        self._backlog.append(end)
        self._active[self] = None

    def accept(self) -> tuple[MemorySocket, Address]:
        """Return the next connection and its address. Raises BlockingIOError if none waits."""
        if not self._backlog:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        end = self._backlog.popleft()
        return end, end._peer_name

    def close(self) -> None:
        """Stop listening, and reset connections that were not accepted."""
        if self.closed:
            return
        self.listens = False
        self._on_close()
        for end in self._backlog:
            end._peer.receive_reset()
            end.close()
        self._backlog.clear()
        super().close()


def connected_pair(
    endpoints: Endpoints,
    client: Address,
    server: Address,
    *,
    capacity_bytes: int,
    cuts: tuple[Cut | None, Cut | None] = (None, None),
    by_write: bool = False,
) -> tuple[MemorySocket, MemorySocket]:
    """Return the client's and the server's end of a new connection.

    `cuts`: for the data that each of them receives. `by_write`: the client reads each write by itself.
    """
    near = MemorySocket(endpoints, client, server, capacity_bytes, cuts[0], by_write)
    far = MemorySocket(endpoints, server, client, capacity_bytes, cuts[1])
    near.join(far)
    far.join(near)
    return near, far
