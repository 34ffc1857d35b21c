"""A receiver of RTP that takes the time of each packet from the kernel: its own lateness is in none of them."""

import asyncio
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["RtpArrival", "StampedReceiver"]

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_HEADER = struct.Struct("!BBHII")
_LARGEST = 65535


@dataclass(frozen=True, slots=True)
class RtpArrival:
    """A packet of RTP. at: the loop's time at which the kernel got it (s). stamp: its time stamp in samples."""

    at: float
    sequence: int
    stamp: int
    marker: bool
    payload: bytes


class StampedReceiver:
    """A socket on a free port of loopback, read by the running loop from its making to `close`.

    `relay_to`: where each packet goes on to, at once.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._offset = time.clock_gettime(time.CLOCK_REALTIME) - self._loop.time()
        self._arrivals: list[RtpArrival] = []
        self.relay_to: tuple[str, int] | None = None
        self.relayed_at: list[float] = []
        self._loop.add_reader(self._socket, self._read)

    @property
    def port(self) -> int:
        """The port that takes RTP."""
        return int(self._socket.getsockname()[1])

    @property
    def arrivals(self) -> Sequence[RtpArrival]:
        """All packets so far, in the order of their coming."""
        return self._arrivals

    def close(self) -> None:
        """Read what is there, and no more."""
        self._loop.remove_reader(self._socket)
        self._read()
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data, parts, _, _ = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            if self.relay_to is not None:
                self.relayed_at.append(self._loop.time())
                self._socket.sendto(data, self.relay_to)
            if len(data) > _HEADER.size:
                seconds, ns = _TIMESPEC.unpack(next(value for _, kind, value in parts if kind == _SO_TIMESTAMPNS))
                _, kind, sequence, stamp, _ = _HEADER.unpack_from(data)
                at = seconds + ns / 1e9 - self._offset
                self._arrivals.append(RtpArrival(at, sequence, stamp, bool(kind & 0x80), data[_HEADER.size :]))
