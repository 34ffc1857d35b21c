"""Attacks on a server's doors, for the benchmark `abuse` and the chaos test: each a function that floods for a while.

`python -m benchmarks.attacks NAME PORT CONTROL_PORT SECONDS [SEED]` runs one and prints how many bytes it has sent.
"""

import contextlib
import os
import random
import select
import selectors
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.cli.console import stopwatch

__all__ = ["ATTACKS", "Doors", "Flood"]

_NOISE_SEED = 5


@dataclass(frozen=True, slots=True)
class Doors:
    """What is attacked, and for how many seconds; `draw` decides what chance decides."""

    port: int
    control_port: int
    seconds: float
    draw: random.Random
    elapsed: Callable[[], float]

    def is_over(self) -> bool:
        return self.elapsed() >= self.seconds

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        select.select([], [], [], max(0.0, min(seconds, self.seconds - self.elapsed())))

    def connect(self, *, control: bool = False) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.control_port if control else self.port), timeout=5)
        sock.settimeout(0.25)
        return sock

    def uuid(self) -> bytes:
        return encode(Kind.UUID, UUID(int=self.draw.getrandbits(128)).bytes)


Attack = Callable[[Doors], int]


@dataclass(frozen=True, slots=True)
class Flood:
    """The same bytes again and again after a UUID, on so many connections, as fast as the server reads them."""

    message: bytes
    connections: int = 1

    def __call__(self, doors: Doors) -> int:
        chunk = self.message * max(1, 65_536 // len(self.message))
        sent = 0
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as at_end:
            left: dict[socket.socket, bytes] = {}
            for _ in range(self.connections):
                sock = at_end.enter_context(doors.connect())
                sock.sendall(doors.uuid())
                sock.setblocking(False)
                left[sock] = chunk
                selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while left and not doors.is_over():
                for key, ready in selector.select(0.1):
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    try:
                        if ready & selectors.EVENT_READ:
                            sock.recv(65_536)
                        if ready & selectors.EVENT_WRITE:
                            done = sock.send(left[sock])
                            sent += done
                            left[sock] = left[sock][done:] or chunk
                    except BlockingIOError:
                        continue
                    except OSError:
                        selector.unregister(sock)
                        del left[sock]
        return sent


def _alternating(*messages: bytes) -> bytes:
    return b"".join(messages)


def _short_calls(doors: Doors) -> int:
    """Calls that are hung up at once, one after the other, as fast as they are taken."""
    sent = 0
    while not doors.is_over():
        with contextlib.suppress(OSError), doors.connect() as sock:
            sock.sendall(doors.uuid() + encode(Kind.SLIN8, bytes(320)) + encode(Kind.HANGUP))
            sent += 345
            if doors.draw.random() < 0.5:
                sock.recv(1024)
    return sent


def _no_audiosocket(doors: Doors) -> int:
    """Connections whose first bytes are none of AudioSocket's."""
    sent = 0
    while not doors.is_over():
        with contextlib.suppress(OSError), doors.connect() as sock:
            junk = doors.draw.randbytes(doors.draw.randint(1, 500))
            sock.sendall(junk)
            sent += len(junk)
    return sent


def _many(doors: Doors, count: int, *, control: bool = False) -> Iterator[list[socket.socket]]:
    """So many connections at a time, again and again."""
    while not doors.is_over():
        with contextlib.ExitStack() as at_end:
            sockets = []
            for _ in range(count):
                if doors.is_over():
                    break
                with contextlib.suppress(OSError):
                    sockets.append(at_end.enter_context(doors.connect(control=control)))
            yield sockets


def _idle_connections(doors: Doors) -> int:
    """Hundreds of connections that say nothing."""
    for _ in _many(doors, 400):
        doors.pause(1.0)
    return 0


def _all_at_once(doors: Doors) -> int:
    """Connections that become calls all at the same instant, and end so."""
    sent = 0
    for sockets in _many(doors, 150):
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.sendall(doors.uuid())
                sent += 19
        doors.pause(0.2)
    return sent


def _idle_http(doors: Doors) -> int:
    """Connections to the control port that say nothing, or half a head."""
    sent = 0
    for sockets in _many(doors, 500, control=True):
        for sock in sockets[::2]:
            with contextlib.suppress(OSError):
                sent += sock.send(b"GET / HTTP/1.1\r\nHost: ")
        doors.pause(1.0)
    return sent


def _requests(doors: Doors) -> int:
    """Requests to the control port, one behind the other without waiting for answers."""
    request = b"GET /calls HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    sent = 0
    while not doors.is_over():
        with contextlib.suppress(OSError), doors.connect(control=True) as sock:
            for _ in range(50):
                sock.sendall(request * 20)
                sent += 20 * len(request)
                sock.recv(1_000_000)
                if doors.is_over():
                    break
    return sent


def _noise(seconds: float) -> bytes:
    return random.Random(_NOISE_SEED).randbytes(round(16_000 * seconds))


def _frames(pcm: bytes) -> bytes:
    return b"".join(encode(Kind.SLIN8, pcm[at : at + 320]) for at in range(0, len(pcm), 320))


ATTACKS: dict[str, Attack] = {
    "keys": Flood(encode(Kind.DTMF, b"5")),
    "kinds in turn": Flood(_alternating(encode(Kind.SLIN12, b"\0\0"), encode(Kind.SLIN192, b"\0\0"))),
    "unknown kinds": Flood(encode(0x77)),
    "all unknown kinds": Flood(b"".join(encode(kind) for kind in range(0x20, 0xFF))),
    "empty audio": Flood(encode(Kind.SLIN8)),
    "audio of one byte": Flood(encode(Kind.SLIN8, b"\0")),
    "audio of 320 bytes": Flood(encode(Kind.SLIN8, bytes(320))),
    "noise and silence": Flood(_frames(_noise(0.7) + bytes(16_000))),
    "audio of 65,534 bytes": Flood(encode(Kind.SLIN8, _noise(2) + bytes(33_534))),
    "the same at 192 kHz": Flood(encode(Kind.SLIN192, _noise(2) + bytes(33_534))),
    "UUIDs": Flood(encode(Kind.UUID, bytes(16))),
    "errors": Flood(encode(Kind.ERROR, b"\1")),
    "keys of no digit": Flood(encode(Kind.DTMF, b"\xff\xff")),
    "keys, 100 connections": Flood(encode(Kind.DTMF, b"5"), connections=100),
    "short calls": _short_calls,
    "no AudioSocket": _no_audiosocket,
    "idle connections": _idle_connections,
    "calls at one instant": _all_at_once,
    "idle HTTP": _idle_http,
    "requests": _requests,
}
"""Attacks by name."""


def main(arguments: Sequence[str]) -> None:
    name, port, control_port, seconds, *seed = arguments
    draw = random.Random(int(seed[0]) if seed else 1)
    doors = Doors(int(port), int(control_port), float(seconds), draw, stopwatch())
    with contextlib.suppress(ConnectionError):
        print(ATTACKS[name](doors))
    sys.stdout.flush()
    os._exit(0)  # nothing of it is to be closed in order


if __name__ == "__main__":
    main(sys.argv[1:])
