"""The in-memory network against the kernel's loopback: the same programs, the same course of events."""

import asyncio
import errno
import gc
import os
import select
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from audiosocket_sim.virtual_time import VirtualLoop, run
from audiosocket_sim.virtual_time.memory_network import MemoryNetwork

Log = list[str]
Program = Callable[[Log], Awaitable[None]]

RESET = "ConnectionResetError"
BROKEN_PIPE = "BrokenPipeError"
TEN_MEGABYTES = 10_000_000


class Recorder(asyncio.Protocol):
    """Writes down what asyncio tells it."""

    def __init__(self, name: str, log: Log, keep_open: bool = False) -> None:
        self.name = name
        self.log = log
        self.keep_open = keep_open
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) < 1_000:
            self.log.append(f"{self.name} data {len(data)}")

    def eof_received(self) -> bool:
        self.log.append(f"{self.name} eof")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.log.append(f"{self.name} lost {type(exc).__name__ if exc else 'orderly'}")

    def pause_writing(self) -> None:
        self.log.append(f"{self.name} pause")

    def resume_writing(self) -> None:
        self.log.append(f"{self.name} resume")

    def linger_not_at_all(self) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def pair(log: Log, *, keep_open: bool = False) -> tuple[Recorder, Recorder]:
    """Two ends of a connection: `a` has connected, `b` has accepted; keep_open: neither closes on EOF."""
    loop = asyncio.get_running_loop()
    a, b = Recorder("a", log, keep_open), Recorder("b", log, keep_open)
    server = await loop.create_server(lambda: b, "127.0.0.1", 0)
    await loop.create_connection(lambda: a, *server.sockets[0].getsockname())
    await settle()
    server.close()
    return a, b


async def settle() -> None:
    """Until nothing more happens at this instant."""
    await asyncio.sleep(0.01)


async def close(log: Log) -> None:
    """data, then the end"""
    a, _ = await pair(log)
    a.transport.write(b"x" * 10)
    a.transport.close()


async def abort(log: Log) -> None:
    """What the kernel has taken is not recalled by an abort."""
    a, _ = await pair(log)
    a.transport.write(b"x" * 10)
    a.transport.abort()


async def close_with_linger_zero(log: Log) -> None:
    a, _ = await pair(log)
    a.linger_not_at_all()
    a.transport.write(b"x" * 10)
    a.transport.close()


async def abort_with_linger_zero(log: Log) -> None:
    a, _ = await pair(log)
    a.linger_not_at_all()
    a.transport.abort()


async def linger_zero_under_a_writer(log: Log) -> None:
    a, b = await pair(log)
    a.linger_not_at_all()
    a.transport.abort()
    for turn in range(4):
        b.transport.write(b"z")
        await asyncio.sleep(0)
        log.append(f"turn {turn}")


async def close_under_a_writer(log: Log) -> None:
    """The first write of `b` lies unread when `a` goes."""
    a, b = await pair(log)
    a.transport.close()
    for turn in range(3):
        b.transport.write(b"z")
        await asyncio.sleep(0)
        log.append(f"turn {turn}")


async def write_twice_after_the_close(log: Log) -> None:
    """The first is answered by a reset, the second fails."""
    a, b = await pair(log)
    a.transport.close()
    await asyncio.sleep(0)
    b.transport.write(b"z")
    b.transport.write(b"z")


async def write_on_after_eof(log: Log) -> None:
    a, b = await pair(log, keep_open=True)
    a.transport.close()
    for turn in range(3):
        await settle()
        log.append(f"turn {turn}")
        b.transport.write(b"z")


async def close_with_unread_data_while_paused(log: Log) -> None:
    a, b = await pair(log)
    a.transport.pause_reading()
    b.transport.write(b"nobody reads this")
    await settle()
    a.transport.write(b"bye")
    a.transport.close()


async def data_lies_before_a_reset(log: Log) -> None:
    a, b = await pair(log)
    b.transport.pause_reading()
    await settle()
    a.linger_not_at_all()
    a.transport.write(b"x" * 9)
    a.transport.abort()
    await settle()
    b.transport.resume_reading()


async def a_reset_behind_an_end_that_is_still_unread(log: Log) -> None:
    a, b = await pair(log)
    b.transport.pause_reading()
    await settle()
    a.transport.close()
    await settle()
    b.transport.write(b"answered by a reset")
    await settle()
    b.transport.resume_reading()


async def half_close(log: Log) -> None:
    """`a` has said all, `b` still answers."""
    a, b = await pair(log, keep_open=True)
    a.transport.write_eof()
    await settle()
    b.transport.write(b"more")
    await settle()
    b.transport.close()
    await settle()
    a.transport.close()


async def half_close_then_reset(log: Log) -> None:
    a, b = await pair(log, keep_open=True)
    a.transport.write_eof()
    await settle()
    a.linger_not_at_all()
    a.transport.abort()
    for _ in range(2):
        await settle()
        b.transport.write(b"more")


async def reset_after_its_own_half_close(log: Log) -> None:
    a, b = await pair(log, keep_open=True)
    a.transport.write_eof()
    await settle()
    b.linger_not_at_all()
    b.transport.abort()


async def half_close_of_both(log: Log) -> None:
    a, b = await pair(log, keep_open=True)
    a.transport.write_eof()
    b.transport.write_eof()
    await settle()
    a.transport.close()
    b.transport.close()


async def half_close_after_a_reset(log: Log) -> None:
    a, b = await pair(log)
    b.transport.pause_reading()
    await settle()
    a.linger_not_at_all()
    a.transport.abort()
    await settle()
    try:
        b.transport.write_eof()
    except OSError as error:
        log.append(errno.errorcode[error.errno or 0])
    b.transport.resume_reading()


async def much_data_then_close(log: Log) -> None:
    """close() lets go of what was written before it, and only then of the connection."""
    a, b = await pair(log)
    a.transport.write(b"x" * TEN_MEGABYTES)
    a.transport.close()
    await settle()
    log.append(f"all {len(b.received) == TEN_MEGABYTES}")


async def much_data_then_abort(log: Log) -> None:
    a, b = await pair(log)
    a.transport.write(b"x" * TEN_MEGABYTES)
    a.transport.abort()
    await settle()
    log.append(f"some {0 < len(b.received) < TEN_MEGABYTES}")


async def much_data_then_half_close(log: Log) -> None:
    a, b = await pair(log)
    a.transport.write(b"x" * TEN_MEGABYTES)
    a.transport.write_eof()
    await settle()
    log.append(f"all {len(b.received) == TEN_MEGABYTES}")


async def a_reader_that_pauses(log: Log) -> None:
    a, b = await pair(log)
    b.transport.pause_reading()
    a.transport.write(b"x" * TEN_MEGABYTES)
    await settle()
    log.append(f"buffered {a.transport.get_write_buffer_size() > 65_536}")
    b.transport.resume_reading()
    await settle()
    log.append(f"buffered {a.transport.get_write_buffer_size()}")
    a.transport.close()


async def a_reader_that_goes_while_the_writer_is_paused(log: Log) -> None:
    a, b = await pair(log)
    b.transport.pause_reading()
    a.transport.write(b"x" * TEN_MEGABYTES)
    await settle()
    b.transport.abort()


async def a_reader_that_goes_while_the_writer_is_paused_and_does_not_read(log: Log) -> None:
    a, b = await pair(log)
    a.transport.pause_reading()
    b.transport.pause_reading()
    a.transport.write(b"x" * TEN_MEGABYTES)
    await settle()
    b.transport.abort()


COURSES: dict[Program, Log] = {
    close: ["a lost orderly", "b data 10", "b eof", "b lost orderly"],
    abort: ["a lost orderly", "b data 10", "b eof", "b lost orderly"],
    close_with_linger_zero: ["a lost orderly", "b data 10", f"b lost {RESET}"],
    abort_with_linger_zero: ["a lost orderly", f"b lost {RESET}"],
    linger_zero_under_a_writer: ["a lost orderly", "turn 0", f"b lost {RESET}", "turn 1", "turn 2", "turn 3"],
    close_under_a_writer: ["a lost orderly", "turn 0", f"b lost {RESET}", "turn 1", "turn 2"],
    write_twice_after_the_close: ["a lost orderly", f"b lost {BROKEN_PIPE}"],
    write_on_after_eof: ["a lost orderly", "b eof", "turn 0", "turn 1", f"b lost {BROKEN_PIPE}", "turn 2"],
    close_with_unread_data_while_paused: ["a lost orderly", "b data 3", f"b lost {RESET}"],
    data_lies_before_a_reset: ["a lost orderly", "b data 9", f"b lost {RESET}"],
    a_reset_behind_an_end_that_is_still_unread: ["a lost orderly", "b eof", "b lost orderly"],
    half_close: ["b eof", "a data 4", "b lost orderly", "a eof", "a lost orderly"],
    half_close_then_reset: ["b eof", "a lost orderly", f"b lost {BROKEN_PIPE}"],
    reset_after_its_own_half_close: ["b eof", "b lost orderly", f"a lost {RESET}"],
    half_close_of_both: ["b eof", "a eof", "a lost orderly", "b lost orderly"],
    half_close_after_a_reset: ["a lost orderly", "ENOTCONN", f"b lost {RESET}"],
    much_data_then_close: ["a pause", "a resume", "a lost orderly", "b eof", "b lost orderly", "all True"],
    much_data_then_abort: ["a pause", "a lost orderly", "b eof", "b lost orderly", "some True"],
    much_data_then_half_close: [
        "a pause",
        "a resume",
        "b eof",
        "b lost orderly",
        "a eof",
        "a lost orderly",
        "all True",
    ],
    a_reader_that_pauses: [
        "a pause",
        "buffered True",
        "a resume",
        "buffered 0",
        "a lost orderly",
        "b eof",
        "b lost orderly",
    ],
    a_reader_that_goes_while_the_writer_is_paused: ["a pause", "b lost orderly", f"a lost {RESET}"],
    a_reader_that_goes_while_the_writer_is_paused_and_does_not_read: ["a pause", "b lost orderly", f"a lost {RESET}"],
}


@pytest.fixture(scope="module")
def _nothing_of_others() -> None:
    """What other tests left is collected once, then frozen: to look through it again takes 50 ms a test."""
    gc.collect()
    gc.freeze()


@pytest.mark.every(8)
@pytest.mark.usefixtures("_nothing_of_others")
@pytest.mark.parametrize(
    "memory_network", [pytest.param(True, id="memory"), pytest.param(False, id="kernel", marks=pytest.mark.kernel)]
)
@pytest.mark.parametrize("program", COURSES, ids=lambda program: program.__name__)
def test_the_course_of_a_connection(program: Program, memory_network: bool) -> None:
    log: Log = []

    async def main() -> None:
        await program(log)
        await settle()

    run(main, memory_network=memory_network)
    gc.collect()  # an unclosed transport would warn here, and warnings are errors
    assert log == COURSES[program]


class Buffered(asyncio.BufferedProtocol):
    """Reads 8 bytes at a time."""

    def __init__(self) -> None:
        self.buffer = bytearray(8)
        self.received: list[bytes] = []

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received.append(bytes(self.buffer[:nbytes]))


async def received_by_eights(data: bytes) -> list[bytes]:
    """What a `Buffered` server is told of data written in two pieces."""
    loop = asyncio.get_running_loop()
    protocol = Buffered()
    server = await loop.create_server(lambda: protocol, "127.0.0.1", 0)
    transport, _ = await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    transport.write(data[:3])
    transport.writelines([data[3:5], data[5:]])
    await settle()
    transport.close()
    server.close()
    await settle()
    return protocol.received


@pytest.mark.parametrize(
    "memory_network", [pytest.param(True, id="memory"), pytest.param(False, id="kernel", marks=pytest.mark.kernel)]
)
def test_a_buffered_protocol_gets_what_fits_coalesced(memory_network: bool) -> None:
    received = run(received_by_eights(b"0123456789abcdefghi"), memory_network=memory_network)
    assert received == [b"01234567", b"89abcdef", b"ghi"]


def test_byte_by_byte() -> None:
    assert run(received_by_eights(b"012345"), split="bytes") == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_the_end_that_connected_reads_each_write_by_itself() -> None:
    async def read_of_both() -> tuple[list[bytes], list[bytes]]:
        loop = asyncio.get_running_loop()
        near, far = Buffered(), Buffered()
        transports: list[asyncio.WriteTransport] = []

        class Far(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                transport.set_protocol(far)
                transports.append(transport)

        server = await loop.create_server(Far, "127.0.0.1", 0)
        transport, _ = await loop.create_connection(lambda: near, *server.sockets[0].getsockname())
        transports.append(transport)
        await settle()
        for data in (b"012", b"345", b"6789abcdef"):
            for end in transports:
                end.write(data)
        await settle()
        transport.close()
        server.close()
        await settle()
        return near.received, far.received

    near, far = run(read_of_both(), split="writes")
    assert near == [b"012", b"345", b"6789abcd", b"ef"]
    assert far == [b"01234567", b"89abcdef"]


def test_seeded_cuts_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    data = bytes(range(200))

    def cuts(seed: int) -> list[bytes]:
        received = run(received_by_eights(data), split="seeded", seed=seed)
        assert b"".join(received) == data
        return received

    assert cuts(1) == cuts(1)
    assert len({tuple(cuts(seed)) for seed in range(5)}) == 5


def test_one_connection_s_traffic_does_not_move_another_s_cuts() -> None:
    async def second_of_two(noise: bytes) -> list[bytes]:
        await received_by_eights(noise)
        return await received_by_eights(b"0123456789abcdefghi")

    assert run(second_of_two(b""), split="seeded") == run(second_of_two(b"x" * 99), split="seeded")


def test_a_port_in_use_is_refused_until_its_server_closes() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        first = await loop.create_server(asyncio.Protocol, "127.0.0.1", 8080)
        with pytest.raises(OSError, match="address already in use") as refused:
            await loop.create_server(asyncio.Protocol, "0.0.0.0", 8080)
        assert refused.value.errno == errno.EADDRINUSE
        first.close()
        again = await loop.create_server(asyncio.Protocol, "localhost", 8080)
        assert again.sockets[0].getsockname() == ("127.0.0.1", 8080)
        again.close()

    run(main)


def test_a_server_that_could_not_be_made_leaves_its_port_free() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ValueError, match="ssl_handshake_timeout"):
            await loop.create_server(asyncio.Protocol, "127.0.0.1", 8080, ssl_handshake_timeout=1)
        (await loop.create_server(asyncio.Protocol, "127.0.0.1", 8080)).close()

    run(main)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8", "0.0.0.0"])
def test_every_name_of_this_machine_leads_to_the_server(host: str) -> None:
    async def main() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
        assert writer.get_extra_info("peername")[1] == server.sockets[0].getsockname()[1]
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"hello"
        writer.close()
        server.close()
        await server.wait_closed()

    run(main)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.close()


@pytest.mark.parametrize(
    ("host", "error"),
    [("192.0.2.1", errno.ENETUNREACH), ("voice.example", errno.ENETUNREACH), ("127.0.0.1", errno.ECONNREFUSED)],
)
def test_where_nobody_is_a_connection_fails_at_once(host: str, error: int) -> None:
    async def main() -> None:
        with pytest.raises(OSError) as failed:
            await asyncio.open_connection(host, 9)
        assert failed.value.errno == error
        assert asyncio.get_running_loop().time() == 0

    run(main)


def test_a_server_that_does_not_serve_yet_refuses() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 8080, start_serving=False)
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 8080)
        await server.start_serving()
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", 8080)
        await settle()
        transport.close()
        await settle()
        server.close()

    run(main)


def test_a_connection_that_the_server_never_accepted_is_reset() -> None:
    network = MemoryNetwork()
    listener = network.bind("127.0.0.1", 0)
    listener.listen()
    near = network.connect(*listener.getsockname())
    listener.close()
    with pytest.raises(ConnectionResetError):
        near.recv(1)
    near.close()
    assert not network.endpoints.by_fd


def test_a_kernel_socket_given_by_the_program_stays_one_and_can_be_reached() -> None:
    async def main() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        server = await asyncio.start_server(_echo, sock=listening)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"by kernel")
        writer.write_eof()
        assert await reader.read() == b"by kernel"
        writer.close()
        server.close()
        await server.wait_closed()

    run(main)


def test_what_libraries_ask_of_the_socket() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, *address)
        sock = transport.get_extra_info("socket")
        assert (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert sock.getpeername() == transport.get_extra_info("peername") == address
        assert sock.getsockname() == transport.get_extra_info("sockname")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1  # asyncio sets it
        await settle()
        transport.close()
        await settle()
        server.close()

    run(main)


def test_the_descriptor_polls_readable_exactly_when_the_socket_is() -> None:
    network = MemoryNetwork()
    listener = network.bind("127.0.0.1", 0)
    listener.listen()
    near = network.connect(*listener.getsockname())
    far, _ = listener.accept()

    def polls_readable() -> bool:
        return bool(select.select([near.fileno()], [], [], 0)[0])

    assert not polls_readable()
    far.send(b"x")
    assert polls_readable()
    near.recv(1)
    assert not polls_readable()
    far.close()
    assert polls_readable()
    network.close()
    assert near.fileno() == -1


def test_an_orderly_end_gives_back_every_descriptor_and_leaves_the_network_empty() -> None:
    networks: list[MemoryNetwork] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert loop.network is not None
        networks.append(loop.network)
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write_eof()
        assert len(loop.network.open_sockets) == 2
        await reader.read()
        writer.close()
        server.close()
        await server.wait_closed()
        await settle()
        assert loop.network.open_sockets == []

    before = len(os.listdir("/proc/self/fd"))
    run(main)
    assert len(os.listdir("/proc/self/fd")) == before
    assert not networks[0].endpoints.by_fd


def test_closing_the_network_closes_what_was_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    network = MemoryNetwork()
    listener = network.bind(None, None)
    listener.listen()
    near = network.connect("localhost", listener.getsockname()[1])
    network.connect("localhost", listener.getsockname()[1])
    listener.accept()
    network.close()
    assert near.closed
    assert len(os.listdir("/proc/self/fd")) == before
