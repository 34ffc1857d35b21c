"""The options of a connection's socket, and the buffer that the connections of a thread share."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from audiosocket_core.sockets import read_buffer, tune


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def sock(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with contextlib.closing(socket.socket(request.param)) as made:
        yield made


def tcp(sock: socket.socket, *names: str) -> list[int]:
    return [sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]


def kept(sock: socket.socket) -> list[int]:
    return [sock.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_SNDBUF, socket.SO_RCVBUF)]


def test_no_message_is_delayed_and_a_peer_that_vanished_is_noticed_within_a_minute(sock: socket.socket) -> None:
    before = kept(sock)
    tune(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    names = ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    assert tcp(sock, *names) == [1, 30, 10, 3, 60_000]
    assert kept(sock) == before


def test_a_peer_that_does_not_read_may_be_left_alone(sock: socket.socket) -> None:
    tune(sock, notices_vanished_peers=False)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert tcp(sock, "TCP_NODELAY", "TCP_USER_TIMEOUT") == [1, 0]


def test_how_much_the_kernel_keeps(sock: socket.socket) -> None:
    tune(sock, send_buffer_bytes=16_384, receive_buffer_bytes=32_768)
    assert kept(sock) == [2 * 16_384, 2 * 32_768]  # Linux doubles it, for its own bookkeeping


def test_what_is_no_tcp_socket_is_left_as_it_is() -> None:
    tune(None)
    one, other = socket.socketpair(socket.AF_UNIX)
    with contextlib.closing(one), contextlib.closing(other):
        tune(one)
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def test_a_socket_that_is_gone_already_is_no_fault() -> None:
    sock = socket.socket()
    sock.close()
    tune(sock)


def test_the_connections_of_a_thread_share_a_buffer_of_each_size() -> None:
    assert read_buffer(4_096) is read_buffer(4_096)
    assert (read_buffer(4_096).nbytes, read_buffer(16_384).nbytes) == (4_096, 16_384)
    others: list[memoryview] = []
    thread = threading.Thread(target=lambda: others.append(read_buffer(4_096)))
    thread.start()
    thread.join()
    assert others[0] is not read_buffer(4_096)
