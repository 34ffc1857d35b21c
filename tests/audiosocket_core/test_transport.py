"""The shell around a connection: on a made-up transport for order and limits, on kernel sockets for what TCP does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from audiosocket_core import transport as transport_module
from audiosocket_core.connection import Connection, Role
from audiosocket_core.errors import LocalProtocolError
from audiosocket_core.messages import Kind, encode
from audiosocket_core.transport import (
    MESSAGES_A_TURN,
    MESSAGES_AT_FIRST,
    READ_BUFFER_BYTES,
    AudioSocketProtocol,
    EndCause,
)

OPENING = encode(Kind.UUID, bytes(16))
FRAME = encode(Kind.SLIN8, bytes(range(160)) * 2)


class Recorder:
    """A handler that writes down what it is told; `then` may act on a message."""

    def __init__(self, then: Callable[[AudioSocketProtocol, int], None] | None = None) -> None:
        self.messages: list[tuple[int, bytes]] = []
        self.ends: list[EndCause] = []
        self.ended = asyncio.Event()
        self.shell: AudioSocketProtocol
        self._then = then

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        self.shell = shell

    def on_message(self, kind: int, payload: bytes) -> None:
        self.messages.append((kind, payload))
        if self._then is not None:
            self._then(self.shell, kind)

    def on_end(self, cause: EndCause) -> None:
        self.ends.append(cause)
        self.ended.set()


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes | str] = []
        self.limits: tuple[int | None, int | None] = (None, None)
        self.closing = False
        self.reset = self.gone = False
        self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if self.gone:  # as uvloop's, once its socket is closed
            raise ValueError("negative file descriptor")
        return {"peername": ("192.0.2.7", 40_000)}.get(name, default)

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self.reset:
            raise OSError("not connected")
        self.calls.append("eof")

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def abort(self) -> None:
        self.closing = True
        self.calls.append("abort")


def feed(shell: AudioSocketProtocol, data: bytes) -> None:
    """As a loop does: into the protocol's own buffer."""
    while data:
        buffer = shell.get_buffer(-1)
        piece, data = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(piece)] = piece
        shell.buffer_updated(len(piece))


def connected(
    then: Callable[[AudioSocketProtocol, int], None] | None = None, connection: Connection | None = None
) -> tuple[AudioSocketProtocol, Recorder, FakeTransport]:
    recorder, transport = Recorder(then), FakeTransport()
    shell = AudioSocketProtocol(connection or Connection(Role.SERVER), recorder)
    shell.connection_made(transport)
    return shell, recorder, transport


async def turn() -> None:
    """One turn of the loop: what was scheduled has run."""
    await asyncio.sleep(0)


class TestReading:
    async def test_messages_reach_the_handler_in_order_and_keep_their_bytes(self) -> None:
        shell, recorder, _ = connected()
        feed(shell, OPENING + FRAME)
        feed(shell, encode(Kind.SLIN8, bytes(320)))
        assert recorder.messages == [(Kind.UUID, bytes(16)), (Kind.SLIN8, FRAME[3:]), (Kind.SLIN8, bytes(320))]
        assert shell.peer == "192.0.2.7:40000"
        shell.connection_lost(None)

    async def test_a_message_may_be_larger_than_the_read_buffer(self) -> None:
        shell, recorder, _ = connected()
        feed(shell, OPENING + encode(Kind.SLIN192, bytes(65_535)) + FRAME)
        assert [len(payload) for _, payload in recorder.messages] == [16, 65_535, 320]

    async def test_a_hangup_message_is_an_end_and_not_a_message(self) -> None:
        shell, recorder, transport = connected()
        feed(shell, OPENING + b"\0\0\0" + FRAME)
        assert [kind for kind, _ in recorder.messages] == [Kind.UUID]
        assert recorder.ends == [EndCause("hangup_message")]
        assert transport.calls == ["eof"]
        shell.connection_lost(None)
        assert len(recorder.ends) == 1

    async def test_what_is_no_audiosocket_is_refused_orderly(self) -> None:
        # HS-07, HS-08
        shell, recorder, transport = connected()
        feed(shell, FRAME)
        assert [end.kind for end in recorder.ends] == ["protocol_error"]
        assert "UUID" in recorder.ends[0].detail
        assert transport.calls == [b"\0\0\0", "eof"]
        feed(shell, OPENING)
        assert recorder.messages == []
        shell.connection_lost(None)

    async def test_a_breach_behind_whole_messages_is_told_after_them(self) -> None:
        shell, recorder, _ = connected(connection=Connection(Role.SERVER, max_buffered_bytes=500))
        feed(shell, OPENING + FRAME + encode(Kind.SLIN8, bytes(600)))
        assert len(recorder.messages) == 2
        assert [end.kind for end in recorder.ends] == ["protocol_error"]
        shell.connection_lost(None)

    async def test_after_end_nothing_more_is_heard_also_not_of_the_same_read(self) -> None:
        shell, recorder, _ = connected(then=lambda shell, kind: shell.end() if kind == Kind.SLIN8 else None)
        feed(shell, OPENING + FRAME * 3)
        feed(shell, FRAME)
        assert len(recorder.messages) == 2
        shell.connection_lost(None)

    @pytest.mark.parametrize(
        "message",
        [
            encode(Kind.DTMF, b"1"),
            encode(Kind.SLIN8, b"\0"),
            encode(0x77, b""),
            encode(Kind.ERROR, b""),
            FRAME,
        ],
        ids=["keys", "audio of one byte", "unknown", "errors", "audio"],
    )
    async def test_a_flood_is_worked_off_a_little_a_turn_and_not_read_meanwhile(self, message: bytes) -> None:
        shell, recorder, transport = connected()
        feed(shell, OPENING)
        sent = READ_BUFFER_BYTES // len(message)
        feed(shell, (message * (sent + 1))[:READ_BUFFER_BYTES])
        turns = 0
        while transport.paused:
            assert len(recorder.messages) <= 1 + MESSAGES_AT_FIRST + turns * MESSAGES_A_TURN
            await turn()
            turns += 1
        assert len(recorder.messages) == 1 + sent
        assert turns >= max(1, sent // MESSAGES_A_TURN - 1)
        shell.connection_lost(None)

    @pytest.mark.parametrize("message", [encode(Kind.SLIN16, b""), OPENING], ids=["empty audio", "UUIDs"])
    async def test_messages_that_are_dropped_cost_their_connection_turns_too(self, message: bytes) -> None:
        shell, recorder, transport = connected()
        feed(shell, OPENING + message * 100)
        assert shell.connection.ignored_messages < MESSAGES_A_TURN
        while transport.paused:
            await turn()
        assert (shell.connection.ignored_messages, len(recorder.messages)) == (100, 1)
        shell.connection_lost(None)

    async def test_what_comes_behind_a_rest_waits_for_its_turn(self) -> None:
        shell, recorder, _ = connected()
        feed(shell, OPENING + encode(Kind.DTMF, b"1") * 40 + FRAME[:200])
        feed(shell, FRAME[200:] + encode(Kind.DTMF, b"2"))
        for _ in range(4):
            await turn()
        assert [kind for kind, _ in recorder.messages] == [Kind.UUID, *[Kind.DTMF] * 40, Kind.SLIN8, Kind.DTMF]
        shell.connection_lost(None)

    @pytest.mark.parametrize("end", [AudioSocketProtocol.end, AudioSocketProtocol.abort])
    async def test_after_the_end_nothing_of_the_rest_is_heard_and_the_close_is_read(self, end: Any) -> None:
        shell, recorder, transport = connected()
        feed(shell, OPENING + encode(Kind.DTMF, b"1") * 100)
        assert transport.paused
        heard = len(recorder.messages)
        end(shell)
        assert transport.paused == transport.closing  # what drains is read until the other side closes
        await turn()
        await turn()
        assert len(recorder.messages) == heard
        shell.connection_lost(None)

    @pytest.mark.parametrize(("kind", "rate_hz"), [(Kind.SLIN8, 8_000), (Kind.SLIN192, 192_000)])
    async def test_long_audio_can_be_had_in_pieces_over_several_turns(self, kind: Kind, rate_hz: int) -> None:
        recorder, transport = Recorder(), FakeTransport()
        shell = AudioSocketProtocol(Connection(Role.SERVER), recorder, longest_audio_ms=20)
        shell.connection_made(transport)
        sound = bytes(range(250)) * 262
        whole = 2 * rate_hz // 50
        feed(shell, OPENING + encode(kind, sound) + encode(Kind.DTMF, b"1") + encode(kind, bytes(whole)))
        feed(shell, encode(Kind.DTMF, b"2"))
        while transport.paused:
            before = len(recorder.messages)
            await turn()
            assert len(recorder.messages) - before <= MESSAGES_A_TURN
        (_, *messages) = recorder.messages
        assert max(len(payload) for _, payload in messages) == whole
        assert b"".join(payload for _, payload in messages) == sound + b"1" + bytes(whole) + b"2"
        assert messages[-3:] == [(Kind.DTMF, b"1"), (kind, bytes(whole)), (Kind.DTMF, b"2")]
        shell.connection_lost(None)

    async def test_the_peer_is_known_when_its_socket_is_closed(self) -> None:
        shell, _, transport = connected()
        transport.gone = True
        assert shell.peer == "192.0.2.7:40000"
        shell.connection_lost(None)
        assert shell.peer == "192.0.2.7:40000"

    async def test_what_is_sent_while_a_hangup_waits_behind_a_long_message_is_dropped(self) -> None:
        recorder, transport = Recorder(), FakeTransport()
        shell = AudioSocketProtocol(Connection(Role.SERVER), recorder, longest_audio_ms=20)
        shell.connection_made(transport)
        feed(shell, OPENING + encode(Kind.SLIN8, bytes(20_000)) + encode(Kind.HANGUP))
        assert recorder.ends == []
        assert not shell.send(Kind.SLIN8, bytes(320))
        assert shell.dropped_messages == 1
        while not recorder.ends:
            await turn()
        assert [end.kind for end in recorder.ends] == ["hangup_message"]
        shell.connection_lost(None)

    @pytest.mark.parametrize("first", [OPENING + FRAME, FRAME], ids=["a call", "no AudioSocket"])
    async def test_the_first_bytes_can_wait_for_their_turn(self, first: bytes) -> None:
        recorder, transport = Recorder(), FakeTransport()
        shell = AudioSocketProtocol(Connection(Role.SERVER), recorder, begins_in_turn=True)
        shell.connection_made(transport)
        feed(shell, first)
        assert (recorder.messages, recorder.ends) == ([], [])
        assert transport.paused
        await turn()
        assert not transport.paused
        assert len(recorder.messages) == (2 if first.startswith(OPENING) else 0)
        assert [end.kind for end in recorder.ends] == ([] if recorder.messages else ["protocol_error"])
        feed(shell, FRAME)
        assert len(recorder.messages) == (3 if first.startswith(OPENING) else 0)
        shell.connection_lost(None)

    async def test_a_connection_that_ends_before_its_turn_is_no_call(self) -> None:
        recorder, transport = Recorder(), FakeTransport()
        shell = AudioSocketProtocol(Connection(Role.SERVER), recorder, begins_in_turn=True)
        shell.connection_made(transport)
        feed(shell, OPENING)
        shell.connection_lost(ConnectionResetError())
        await turn()
        assert recorder.messages == []
        assert [end.kind for end in recorder.ends] == ["reset"]

    async def test_an_end_or_a_breach_within_the_rest_is_found(self) -> None:
        for last, cause in ((b"\0\0\0", "hangup_message"), (encode(Kind.SLIN8, bytes(600)), "protocol_error")):
            shell, recorder, _ = connected(connection=Connection(Role.SERVER, max_buffered_bytes=500))
            feed(shell, OPENING + encode(Kind.DTMF, b"1") * 100 + last)
            assert recorder.ends == []
            for _ in range(100 // MESSAGES_A_TURN + 1):
                await turn()
            assert len(recorder.messages) == 101
            assert [end.kind for end in recorder.ends] == [cause]
            shell.connection_lost(None)

    async def test_a_handler_that_fails_ends_its_own_call_orderly(self) -> None:
        # TD-11
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))

        def fail(shell: AudioSocketProtocol, kind: int) -> None:
            raise KeyError("a bug")

        shell, recorder, transport = connected(then=fail)
        feed(shell, OPENING)
        assert recorder.ends == [EndCause("local", "handler failed: KeyError")]
        assert transport.calls == [b"\0\0\0", "eof"]
        assert [type(fault["exception"]) for fault in faults] == [KeyError]
        shell.connection_lost(None)


class TestWriting:
    async def test_one_write_a_message(self) -> None:
        # AO-04
        shell, _, transport = connected()
        feed(shell, OPENING)
        assert shell.send(Kind.SLIN8, FRAME[3:]) is True
        assert transport.calls == [FRAME]

    async def test_a_peer_that_does_not_read_costs_its_own_audio_and_no_memory(self) -> None:
        # AO-09
        shell, _, transport = connected()
        feed(shell, OPENING)
        assert transport.limits == (8_192, 8_192)
        shell.pause_writing()  # as the loop does over the limit
        assert shell.send(Kind.SLIN8, b"\0\0") is False
        shell.resume_writing()
        assert shell.send(Kind.SLIN8, b"\0\0") is True
        assert shell.dropped_messages == 1

    async def test_nothing_is_written_to_a_closing_transport(self) -> None:
        shell, _, transport = connected()
        feed(shell, OPENING)
        transport.closing = True
        assert shell.send(Kind.SLIN8, b"\0\0") is False
        shell.end()
        assert transport.calls == []

    async def test_a_bug_of_ours_is_raised(self) -> None:
        shell, _, _ = connected()
        with pytest.raises(LocalProtocolError):
            shell.send(Kind.SLIN8, b"\0\0")  # before the UUID
        feed(shell, OPENING)
        with pytest.raises(LocalProtocolError):
            shell.send(Kind.DTMF, b"5")


class TestEnding:
    async def test_end_says_goodbye_once_and_reports_on_the_next_turn(self) -> None:
        # TD-04, TD-08
        shell, recorder, transport = connected()
        feed(shell, OPENING)
        shell.end()
        shell.end()
        assert recorder.ends == []
        assert shell.is_over
        await turn()
        assert recorder.ends == [EndCause("local")]
        assert shell.send(Kind.SLIN8, b"\0\0") is False
        assert transport.calls == [b"\0\0\0", "eof"]
        assert shell.eof_received() is False
        shell.connection_lost(None)
        assert len(recorder.ends) == 1

    async def test_end_without_hangup_only_half_closes(self) -> None:
        shell, recorder, transport = connected()
        shell.end(hangup=False)
        assert transport.calls == ["eof"]
        feed(shell, OPENING)
        assert recorder.messages == []
        shell.connection_lost(None)

    async def test_a_peer_never_says_hangup(self) -> None:
        shell, _, transport = connected(connection=Connection(Role.PEER))
        shell.send(Kind.UUID, bytes(16))
        shell.end()
        assert transport.calls == [OPENING, "eof"]
        shell.connection_lost(None)

    async def test_a_peer_that_does_not_close_is_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # TD-07
        monkeypatch.setattr(transport_module, "DRAIN_SECONDS", 0.0)
        shell, _, transport = connected()
        shell.end()
        while "abort" not in transport.calls:
            await turn()
        assert transport.calls == [b"\0\0\0", "eof", "abort"]

    async def test_no_timer_is_left_when_the_connection_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transport_module, "DRAIN_SECONDS", 0.0)
        shell, _, transport = connected()
        shell.end()
        shell.connection_lost(None)
        for _ in range(5):
            await turn()
        assert "abort" not in transport.calls
        await shell.wait_closed()

    async def test_abort(self) -> None:
        shell, recorder, transport = connected()
        shell.abort()
        assert recorder.ends == []
        shell.connection_lost(None)
        await turn()
        assert recorder.ends == [EndCause("local", "aborted")]
        assert transport.calls == ["abort"]

    async def test_an_end_that_meets_a_reset_is_no_traceback(self) -> None:
        shell, recorder, transport = connected()
        transport.reset = True
        shell.end()
        shell.connection_lost(ConnectionResetError())
        await turn()
        assert recorder.ends == [EndCause("local")]

    @pytest.mark.parametrize(
        ("sent", "detail"), [(b"", ""), (FRAME[:2], "inside a header"), (FRAME[:9], "inside a payload")]
    )
    async def test_the_stream_ends(self, sent: bytes, detail: str) -> None:
        # FR-13, FR-14, TD-01, TD-10
        shell, recorder, transport = connected()
        feed(shell, OPENING + sent)
        assert shell.eof_received() is False  # so the transport closes
        assert recorder.ends == [EndCause("eof", detail)]
        assert len(recorder.messages) == 1
        assert transport.calls == []
        shell.connection_lost(None)

    @pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), BrokenPipeError(32, "pipe"), TimeoutError()])
    async def test_every_broken_connection_is_a_reset(self, error: OSError) -> None:
        # TD-02
        shell, recorder, _ = connected()
        shell.connection_lost(error)
        assert [end.kind for end in recorder.ends] == ["reset"]
        assert type(error).__name__ in recorder.ends[0].detail


def loop_factories() -> Iterator[Any]:
    yield asyncio.SelectorEventLoop
    try:
        import uvloop
    except ImportError:
        return
    yield uvloop.new_event_loop


@pytest.fixture(params=list(loop_factories()), ids=["asyncio", "uvloop"][: len(list(loop_factories()))])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[["Wire"], Any]], None]:
    """Runs a test's coroutine with a listening protocol and a kernel socket that dialled it."""

    def run(test: Callable[[Wire], Any]) -> None:
        async def main() -> None:
            async with wires() as wire:
                await test(wire)

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main())

    return run


class Wire:
    """A plain socket on the peer's side, and the shell that the server made for it."""

    def __init__(self, sock: socket.socket, recorder: Recorder) -> None:
        self.sock = sock
        self.recorder = recorder
        self._loop = asyncio.get_running_loop()

    @property
    def shell(self) -> AudioSocketProtocol:
        return self.recorder.shell

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)

    async def read(self, size: int) -> bytes:
        return await self._loop.sock_recv(self.sock, size)

    async def read_to_the_end(self) -> bytes:
        data = b""
        while piece := await self.read(65_536):
            data += piece
        return data


@asynccontextmanager
async def wires() -> AsyncIterator[Wire]:
    loop = asyncio.get_running_loop()
    recorder = Recorder(then=lambda shell, kind: opened.set() if kind == Kind.UUID else None)
    opened = asyncio.Event()
    server = await loop.create_server(
        lambda: AudioSocketProtocol(Connection(Role.SERVER), recorder), "127.0.0.1", 0, family=socket.AF_INET
    )
    try:
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, server.sockets[0].getsockname())
            wire = Wire(sock, recorder)
            await wire.send(OPENING)
            await opened.wait()
            yield wire
        await recorder.ended.wait()
        await recorder.shell.wait_closed()
        assert len(recorder.ends) == 1
    finally:
        recorder.shell.abort()  # where the test failed
        server.close()
        await server.wait_closed()


@pytest.mark.kernel
class TestOnKernelSockets:
    def test_the_socket_has_no_nagle_but_a_keepalive(self, run: Any) -> None:
        async def test(wire: Wire) -> None:
            assert wire.shell._transport is not None
            sock = wire.shell._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            # Keepalive is for quiet connections; ours always has audio under way, for which this is the limit.
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000

        run(test)

    def test_a_peer_that_does_not_read_is_seconds_behind_and_not_minutes(self, run: Any) -> None:
        # AO-09: what waits in our kernel would all reach the caller, late, when the peer reads again.
        async def test(wire: Wire) -> None:
            sent = 0
            while wire.shell.send(Kind.SLIN8, FRAME[3:]):
                sent += 1
                await turn()
            assert sent * 0.02 < 12.0
            wire.shell.abort()

        run(test)

    def test_audio_both_ways(self, run: Any) -> None:
        async def test(wire: Wire) -> None:
            assert wire.shell.send(Kind.SLIN8, FRAME[3:])
            received = b""
            while len(received) < len(FRAME):
                received += await wire.read(4_096)
            assert received == FRAME
            await wire.send(FRAME * 50)
            wire.sock.shutdown(socket.SHUT_WR)
            await wire.recorder.ended.wait()
            assert wire.recorder.messages[1:] == [(Kind.SLIN8, FRAME[3:])] * 50
            assert wire.recorder.ends == [EndCause("eof")]
            assert await wire.read(1) == b""

        run(test)

    def test_a_streaming_peer_reads_the_hangup_before_any_reset(self, run: Any) -> None:
        # TD-05: closing with unread audio would reset the connection, which Asterisk takes for an error.
        async def test(wire: Wire) -> None:
            wire.shell.send(Kind.SLIN8, FRAME[3:])
            await wire.send(FRAME * 20)
            wire.shell.end()
            await wire.send(FRAME * 20)
            assert await wire.read_to_the_end() == FRAME + b"\0\0\0"
            await wire.send(FRAME)  # the half-closed side is still read
            wire.sock.close()
            await wire.shell.wait_closed()
            assert wire.recorder.ends == [EndCause("local")]

        run(test)

    def test_a_reset_is_an_end(self, run: Any) -> None:
        async def test(wire: Wire) -> None:
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.sock.close()
            await wire.recorder.ended.wait()
            assert [end.kind for end in wire.recorder.ends] == ["reset"]
            assert wire.shell.send(Kind.SLIN8, FRAME[3:]) is False

        run(test)

    def test_sending_on_after_the_peer_closed_raises_nothing(self, run: Any) -> None:
        async def test(wire: Wire) -> None:
            wire.sock.close()
            while not wire.recorder.ended.is_set():
                wire.shell.send(Kind.SLIN8, FRAME[3:])
                await turn()
            assert [end.kind for end in wire.recorder.ends] in (["eof"], ["reset"])

        run(test)

    def test_a_peer_that_does_not_read_gets_dropped_messages_until_it_reads(self, run: Any) -> None:
        # AO-09
        async def test(wire: Wire) -> None:
            large = bytes(64_000)
            while wire.shell.send(Kind.SLIN192, large):
                await turn()
            assert wire.shell.dropped_messages == 1
            while not wire.shell.send(Kind.SLIN8, FRAME[3:]):
                await wire.read(1 << 20)
            wire.shell.end()
            assert (await wire.read_to_the_end()).endswith(FRAME + b"\0\0\0")

        run(test)
