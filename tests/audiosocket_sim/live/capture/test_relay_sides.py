"""What each event on one side of the capture does to both connections: with scripted transports, in virtual time."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.live.capture.convert import captured_call
from audiosocket_sim.live.capture.relay import Relay
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.virtual_time import run

UUID = encode(Kind.UUID, bytes(range(16)))
FRAME = encode(Kind.SLIN8, bytes(range(256)) + bytes(64))
NO_AUDIOSOCKET = "sent bytes that are not AudioSocket: they were passed on unchanged"


class Socket:
    """Notes the options that are set; one that is not of TCP refuses TCP's, as the kernel does."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        self.family = family
        self.options: dict[tuple[int, int], int] = {}

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        if level == socket.IPPROTO_TCP and self.family not in (socket.AF_INET, socket.AF_INET6):
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        self.options[level, option] = value


class Transport:
    """Notes what is done to it."""

    def __init__(self, **info: object) -> None:
        self.info = info
        self.did: list[object] = []
        self.reading = True
        self.closing = False

    def get_extra_info(self, name: str) -> object:
        return self.info.get(name)

    def set_write_buffer_limits(self, high: int) -> None:
        self.limit = high

    def is_closing(self) -> bool:
        return self.closing

    def is_reading(self) -> bool:
        return self.reading

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self.reading = False
        self.did.append("pause")

    def resume_reading(self) -> None:
        self.reading = True
        self.did.append("resume")

    def write(self, data: bytes) -> None:
        self.did.append(bytes(data))

    def write_eof(self) -> None:
        self.did.append("eof")

    def close(self) -> None:
        self.closing = True
        self.did.append("close")

    def abort(self) -> None:
        self.closing = True
        self.did.append("abort")

    def taken(self) -> list[object]:
        """What was done since the last look."""
        did, self.did = self.did, []
        return did


class Bench:
    """A relay between two scripted transports; the caller's is connected, the server's when `answer` says."""

    def __init__(self, port: int = 9) -> None:
        loop = asyncio.get_running_loop()
        self.tape = Tape(loop.time(), loop.time() + 3600)
        self.named: list[str | None] = []
        self.over = 0
        self.troubles: list[str] = []
        self.relay = Relay(
            "127.0.0.1",
            port,
            self.tape,
            on_uuid=lambda relay: self.named.append(relay.tape.uuid),
            on_over=self._is_over,
            on_trouble=self.troubles.append,
        )
        self.caller, self.server = self.relay.caller_side, self.relay.caller_side.other
        self.to_caller = Transport(socket=Socket())
        self.to_server = Transport(socket=Socket(socket.AF_INET6), sockname=("127.0.0.1", 4711))
        self.caller.connection_made(self.to_caller)  # type: ignore[arg-type]

    def _is_over(self, relay: Relay) -> None:
        self.over += 1

    def answer(self) -> "Bench":
        self.server.connection_made(self.to_server)  # type: ignore[arg-type]
        self.to_caller.taken()
        return self

    def come(self, side: Any, data: bytes) -> None:
        side.get_buffer(-1)[: len(data)] = data
        side.buffer_updated(len(data))

    @property
    def end(self) -> tuple[str, str]:
        return self.tape.who, self.tape.how


def scene(script: Callable[[], Awaitable[None]]) -> None:
    run(script, memory_network=True)


def benched(script: Callable[[Bench], None], *, answered: bool = True) -> None:
    async def whole() -> None:
        bench = Bench()
        if answered:
            bench.answer()
        script(bench)
        bench.relay.abort()
        await asyncio.sleep(0)

    scene(whole)


def test_the_caller_is_not_read_until_the_server_is_there() -> None:
    def script(bench: Bench) -> None:
        assert bench.to_caller.taken() == ["pause"]
        bench.server.connection_made(bench.to_server)  # type: ignore[arg-type]
        assert bench.to_caller.taken() == ["resume"]
        assert bench.to_server.taken() == []

    benched(script, answered=False)


def test_both_connections_are_tuned() -> None:
    def script(bench: Bench) -> None:
        for transport in (bench.to_caller, bench.to_server):
            sock = transport.info["socket"]
            assert isinstance(sock, Socket)
            assert sock.options == {
                (socket.IPPROTO_TCP, socket.TCP_NODELAY): 1,
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
                (socket.SOL_SOCKET, socket.SO_SNDBUF): 32_768,
                (socket.SOL_SOCKET, socket.SO_RCVBUF): 32_768,
            }
            assert transport.limit == 16_384

    benched(script)


@pytest.mark.parametrize("sock", [None, Socket(socket.AF_UNIX)])
def test_what_is_no_tcp_is_not_tuned(sock: Socket | None) -> None:
    def script(bench: Bench) -> None:
        bench.server.connection_made(Transport(socket=sock))  # type: ignore[arg-type]
        assert sock is None or sock.options == {}

    benched(script, answered=False)


def test_the_address_that_the_server_knows() -> None:
    def script(bench: Bench) -> None:
        assert bench.relay.server_address == ""
        bench.answer()
        assert bench.relay.server_address == "127.0.0.1:4711"
        bench.to_server.info["sockname"] = None
        assert bench.relay.server_address == ""

    benched(script, answered=False)


def test_messages_go_on_and_onto_the_tape() -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.caller, UUID + FRAME[:9])
        bench.come(bench.caller, FRAME[9:])
        bench.come(bench.server, FRAME)
        assert bench.to_server.taken() == [UUID, FRAME]
        assert bench.to_caller.taken() == [FRAME]
        assert [data for _, data in bench.tape.caller] == [UUID, FRAME]
        assert [data for _, data in bench.tape.bot] == [FRAME]
        assert bench.named == [bytes(range(16)).hex()]  # once
        assert (bench.tape.no_audiosocket, bench.end) == (None, ("nobody", "interrupted"))

    benched(script)


@pytest.mark.parametrize("who", ["caller", "server"])
def test_whose_bytes_are_no_audiosocket(who: str) -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.caller if who == "caller" else bench.server, b"\x99\xff\xffGET / HTTP/1.1")
        assert (
            bench.tape.no_audiosocket == f"the {who} sent bytes that are not AudioSocket: they were passed on unchanged"
        )
        assert bench.named == []
        assert bench.end == ("nobody", "interrupted")

    benched(script)


def test_a_caller_that_does_not_begin_with_its_uuid_speaks_no_audiosocket() -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.caller, FRAME)
        assert bench.to_server.taken() == [FRAME]
        assert (
            bench.tape.no_audiosocket == "the caller sent bytes that are not AudioSocket: they were passed on unchanged"
        )
        assert bench.named == []

    benched(script)


@pytest.mark.parametrize(
    ("data", "hung_up"),
    [
        (b"\0\0\0", True),
        (FRAME + b"\0\0\0", True),
        (FRAME + FRAME + b"\0\0\0", True),
        (FRAME + b"\0\0\5", True),
        (encode(Kind.SLIN8, b"\0" * 300) + b"\0\0\0", True),
        (encode(Kind.SLIN8, b"\0" * 300) + b"\x99\xff\xff", False),
        (FRAME + b"\x99\xff\xff\0\0\0", False),
    ],
)
def test_a_hang_up_of_the_server_is_found_behind_other_messages(data: bytes, hung_up: bool) -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.server, data)
        assert bench.end == (("server", "hangup_message") if hung_up else ("nobody", "interrupted"))
        assert (bench.tape.no_audiosocket is None) is hung_up

    benched(script)


@pytest.mark.parametrize("who", ["caller", "server"])
@pytest.mark.parametrize("in_one_piece", [True, False])
def test_bytes_that_stop_being_audiosocket_in_mid_call(who: str, in_one_piece: bool) -> None:
    """The call goes on, byte for byte; what is recorded ends before them on that side, and goes on on the other."""
    junk = b"\x99\xff\xffGET / HTTP/1.1"

    def script(bench: Bench) -> None:
        bench.come(bench.caller, UUID)
        side, there = (bench.caller, bench.to_server) if who == "caller" else (bench.server, bench.to_caller)
        there.taken()
        for data in [FRAME + junk] if in_one_piece else [FRAME, junk[:10], junk[10:]]:
            bench.come(side, data)
        bench.come(side, FRAME)
        bench.come(bench.server if who == "caller" else bench.caller, FRAME)
        assert b"".join(each for each in there.taken() if isinstance(each, bytes)) == FRAME + junk + FRAME
        assert b"".join(data for _, data in bench.tape.caller) == UUID + FRAME
        assert b"".join(data for _, data in bench.tape.bot) == FRAME
        assert (
            bench.tape.no_audiosocket
            == f"after 0.0 s the {who} {NO_AUDIOSOCKET}, and are not in what is written of the call"
        )
        assert captured_call(bench.tape, version="22.10", attach="app") is not None
        assert bench.end == ("nobody", "interrupted")

    benched(script)


def test_a_hang_up_is_looked_for_once() -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.server, b"\x99\xff\xffxyz")
        bench.come(bench.server, b"\0\0\0")
        assert bench.end == ("nobody", "interrupted")

    benched(script)


@pytest.mark.parametrize(("who", "inside"), [("caller", "mid_frame"), ("server", "fin")])
def test_a_half_close_goes_on_with_what_is_left_of_a_message(who: str, inside: str) -> None:
    def script(bench: Bench) -> None:
        side, there = (bench.caller, bench.to_server) if who == "caller" else (bench.server, bench.to_caller)
        bench.come(side, (UUID if who == "caller" else FRAME) + FRAME[:50])
        there.taken()
        assert side.eof_received() is True  # the connection stays open the other way
        assert there.taken() == [FRAME[:50], "eof"]
        assert bench.end == (who, inside)

    benched(script)


@pytest.mark.parametrize("who", ["caller", "server"])
def test_a_half_close_between_messages(who: str) -> None:
    def script(bench: Bench) -> None:
        side, there = (bench.caller, bench.to_server) if who == "caller" else (bench.server, bench.to_caller)
        side.eof_received()
        assert there.taken() == ["eof"]
        assert bench.end == (who, "fin")
        side.other.eof_received()  # both have ended: all is closed
        assert (bench.to_caller.closing, bench.to_server.closing) == (True, True)
        assert bench.end == (who, "fin")

    benched(script)


def test_a_side_that_has_ended_is_not_read_again() -> None:
    """The loop would report its end over and over."""

    def script(bench: Bench) -> None:
        bench.server.pause_writing()
        assert bench.to_caller.taken() == ["pause"]
        bench.server.pause_writing()
        assert bench.to_caller.taken() == []
        bench.server.resume_writing()
        assert bench.to_caller.taken() == ["resume"]
        bench.server.pause_writing()
        bench.caller.eof_received()
        bench.to_caller.taken()
        bench.server.resume_writing()
        assert bench.to_caller.taken() == []
        bench.to_caller.closing = True
        bench.caller.pause_writing()
        bench.caller.resume_writing()
        assert bench.to_server.taken() == ["eof", "pause", "resume"]

    benched(script)


def test_to_a_connection_that_closes_nothing_is_done() -> None:
    def script(bench: Bench) -> None:
        bench.to_server.closing = True
        bench.come(bench.caller, UUID)
        bench.caller.eof_received()
        bench.caller.pause_writing()
        assert bench.to_server.taken() == ["pause"]
        bench.caller.resume_writing()
        bench.caller.connection_lost(ConnectionResetError())
        assert bench.to_server.taken() == []

    benched(script)


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_to_a_server_that_is_not_there_yet_nothing_is_done(error: Exception | None) -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.caller, UUID)
        bench.caller.pause_writing()
        bench.caller.resume_writing()
        assert bench.caller.eof_received() is True
        bench.caller.connection_lost(error)
        assert bench.over == 1

    benched(script, answered=False)


def test_the_uuid_may_come_with_audio_behind_it() -> None:
    def script(bench: Bench) -> None:
        bench.come(bench.caller, UUID + FRAME)
        assert bench.named == [bytes(range(16)).hex()]
        assert bench.to_server.taken() == [UUID + FRAME]

    benched(script)


@pytest.mark.parametrize(("error", "done"), [(None, "close"), (ConnectionResetError(), "abort")])
def test_a_lost_connection_ends_the_other_one_in_the_same_way(error: Exception | None, done: str) -> None:
    def script(bench: Bench) -> None:
        bench.caller.connection_lost(error)
        assert bench.to_server.taken() == [done]
        assert bench.end == (("nobody", "interrupted") if error is None else ("caller", "reset"))
        assert bench.over == 0
        bench.server.connection_lost(None)
        assert bench.over == 1

    benched(script)


def test_an_abort_breaks_both_connections() -> None:
    def script(bench: Bench) -> None:
        bench.relay.abort()
        assert (bench.to_caller.taken(), bench.to_server.taken()) == (["abort"], ["abort"])
        assert bench.end == ("nobody", "interrupted")
        assert bench.tape.ended_at is not None

    benched(script)


# --- the way to the server


@pytest.mark.parametrize("how", ["the caller goes", "the capture is stopped"])
def test_the_server_is_not_dialled_for_a_call_that_is_gone(how: str) -> None:
    async def script() -> None:
        came: list[asyncio.BaseTransport] = []

        class Server(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                came.append(transport)

        listener = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        bench = Bench(listener.sockets[0].getsockname()[1])
        if how == "the caller goes":
            bench.caller.connection_lost(None)
            assert bench.over == 1
        else:
            bench.relay.abort()
        await asyncio.sleep(1)
        assert (came, bench.troubles) == ([], [])
        listener.close()

    scene(script)


def test_a_server_that_is_there_is_not_given_up_when_the_caller_goes() -> None:
    def script(bench: Bench) -> None:
        bench.caller.connection_lost(None)
        assert bench.over == 0
        bench.server.connection_lost(None)
        assert bench.over == 1

    benched(script)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(111, "Connect call failed ('127.0.0.1', 9)"), "connection refused"),
        (OSError("all of them failed"), "all of them failed"),
        (PermissionError(1, "Operation not permitted"), "operation not permitted"),
        (socket.gaierror(-2, "Name or service not known"), "[Errno -2] Name or service not known"),
        (TimeoutError(), "no answer"),
    ],
)
def test_why_there_is_no_connection(error: OSError, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async def refuse(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
        bench = Bench()
        await asyncio.sleep(0.1)
        assert bench.troubles == [f"no connection to 127.0.0.1:9: {why}; the call was broken off"]
        assert bench.end == ("server", "reset")
        assert bench.to_caller.taken() == ["pause", "abort"]

    scene(script)


def test_the_server_has_ten_seconds_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async def sleep(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", sleep)
        bench = Bench()
        await asyncio.sleep(9.99)
        assert bench.troubles == []
        await asyncio.sleep(0.02)
        assert bench.troubles == ["no connection to 127.0.0.1:9: no answer; the call was broken off"]

    scene(script)
