"""What the capture does to a connection: nothing, but for whole messages. In virtual time."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import silence
from audiosocket_sim.live.capture import relay as relay_module
from audiosocket_sim.live.capture.message_splitter import MessageSplitter
from audiosocket_sim.live.capture.relay import Relay
from audiosocket_sim.live.capture.tape import MOST_BYTES, Tape
from audiosocket_sim.net.tcp_reset import reset
from audiosocket_sim.virtual_time import run

UUID = encode(Kind.UUID, bytes(range(16)))
FRAME = encode(Kind.SLIN8, bytes(range(256)) + bytes(64))
UNKNOWN = encode(0x77, b"later")


class End(asyncio.Protocol):
    """One end of the wire: what came, and how it ended."""

    def __init__(self) -> None:
        self.came = bytearray()
        self.eof = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.made = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self.came += data

    def eof_received(self) -> bool:
        self.eof.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


@dataclass
class Wire:
    """A caller and a server, and the capture between them."""

    caller: End
    server: End
    tape: Tape
    over: asyncio.Event = field(default_factory=asyncio.Event)
    troubles: list[str] = field(default_factory=list)
    writes: list[tuple[str, bytes]] = field(default_factory=list)


def on_a_wire(scene: Callable[[Wire], Awaitable[Any]], *, listening: bool = True, kernel: bool = False) -> Wire:
    async def whole() -> Wire:
        loop = asyncio.get_running_loop()
        server = End()
        listener = await loop.create_server(lambda: server, "127.0.0.1", 0)
        to = listener.sockets[0].getsockname()[1]
        if not listening:
            listener.close()
        wire = Wire(End(), server, Tape(loop.time(), loop.time() + 3600))

        def made() -> asyncio.BufferedProtocol:
            relay = Relay(
                "127.0.0.1",
                to,
                wire.tape,
                on_uuid=lambda relay: None,
                on_over=lambda relay: wire.over.set(),
                on_trouble=wire.troubles.append,
            )
            return relay.caller_side

        proxy = await loop.create_server(made, "127.0.0.1", 0)
        await loop.create_connection(lambda: wire.caller, "127.0.0.1", proxy.sockets[0].getsockname()[1])
        with pytest.MonkeyPatch.context() as patch:
            write = relay_module._Side.write

            def noted(side: Any, data: bytes) -> None:
                wire.writes.append((side._who, data))
                write(side, data)

            patch.setattr(relay_module._Side, "write", noted)
            if listening:
                await asyncio.wait_for(server.made.wait(), 1)
            await scene(wire)
        for end in (wire.caller, server):
            if hasattr(end, "transport"):
                end.transport.abort()
        await asyncio.wait_for(wire.over.wait(), 5)
        proxy.close()
        listener.close()
        return wire

    return run(whole, memory_network=not kernel)


async def a_moment() -> None:
    await asyncio.sleep(0.01)


# --- whole messages


def boundaries(data: bytes) -> set[int]:
    at, found = 0, {0}
    while at < len(data):
        at += 3 + (data[at + 1] << 8 | data[at + 2])
        found.add(at)
    return found


messages = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=700).map(lambda payload: encode(Kind.SLIN8, payload)),
        st.builds(encode, st.integers(0x19, 0xFE), st.binary(max_size=50)),
        st.just(encode(Kind.DTMF, b"5")),
        st.just(encode(Kind.SLIN16, b"")),
    ),
    max_size=8,
)


@given(messages, st.lists(st.integers(0, 6_000), max_size=12), st.booleans())
def test_whatever_the_splits_the_same_bytes_in_whole_messages(
    sent: list[bytes], cuts: list[int], from_asterisk: bool
) -> None:
    stream = (UUID if from_asterisk else b"") + b"".join(sent)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    flow = MessageSplitter(begins_with_uuid=from_asterisk)
    out = b""
    for start, end in itertools.pairwise(places):
        out += flow.feed(stream[start:end])
        assert len(out) in boundaries(stream)
    assert out == stream
    assert not flow.raw
    assert flow.end() == b""


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_any_bytes_at_all_come_out_as_they_went_in(data: bytes, cuts: list[int], from_asterisk: bool) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    flow = MessageSplitter(begins_with_uuid=from_asterisk)
    out = b"".join(flow.feed(data[start:end]) for start, end in itertools.pairwise(places))
    assert out + flow.end() == data


def test_a_hangup_is_whole_with_its_header() -> None:
    flow = MessageSplitter(begins_with_uuid=False)
    assert flow.feed(FRAME + b"\x00\x00\x05") == FRAME + b"\x00\x00\x05"
    assert flow.feed(b"what") == b"what"


def test_a_message_of_the_largest_size_is_waited_for() -> None:
    flow = MessageSplitter(begins_with_uuid=False)
    largest = encode(Kind.SLIN192, bytes(65_535))
    assert flow.feed(largest[:-1]) == b""
    assert flow.feed(largest[-1:]) == largest


# --- on the wire

NETWORKS = pytest.mark.parametrize(
    "kernel", [False, pytest.param(True, marks=pytest.mark.kernel)], ids=["memory", "kernel"]
)


@NETWORKS
def test_pieces_arrive_as_one_message_and_one_write(kernel: bool) -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        for at in range(0, len(FRAME), 7):
            wire.server.transport.write(FRAME[at : at + 7])
            await a_moment()
            assert wire.caller.came in (b"", FRAME)
        assert bytes(wire.server.came) == UUID
        assert bytes(wire.caller.came) == FRAME

    wire = on_a_wire(scene, kernel=kernel)
    assert wire.writes == [("server", UUID), ("caller", FRAME)]


def test_several_messages_may_go_in_one_write_but_never_a_part_of_one() -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID + FRAME + FRAME[:100])
        await a_moment()
        assert bytes(wire.server.came) == UUID + FRAME
        wire.caller.transport.write(FRAME[100:] + UNKNOWN + encode(Kind.DTMF, b"4"))
        await a_moment()

    wire = on_a_wire(scene)
    assert bytes(wire.server.came) == UUID + FRAME + FRAME + UNKNOWN + encode(Kind.DTMF, b"4")
    assert [len(data) for _, data in wire.writes] == [19 + 323, 323 + len(UNKNOWN) + 4]
    assert wire.tape.no_audiosocket is None


def test_what_is_no_audiosocket_passes_and_is_told() -> None:
    text = b"GET /calls HTTP/1.1\r\nHost: bot\r\n\r\n"

    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(text[:5])
        await a_moment()
        wire.caller.transport.write(text[5:])
        wire.server.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await a_moment()
        assert bytes(wire.server.came) == text
        assert bytes(wire.caller.came) == b"HTTP/1.1 400 Bad Request\r\n\r\n"

    wire = on_a_wire(scene)
    assert wire.tape.no_audiosocket is not None
    assert "not AudioSocket" in wire.tape.no_audiosocket


@NETWORKS
@pytest.mark.parametrize(("ends", "who"), [("caller", "caller"), ("server", "server")])
def test_a_half_close_goes_on_and_the_other_way_stays_open(ends: str, who: str, kernel: bool) -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        near, far = (wire.caller, wire.server) if ends == "caller" else (wire.server, wire.caller)
        near.transport.write_eof()
        await asyncio.wait_for(far.eof.wait(), 1)
        assert not near.eof.is_set()
        far.transport.write(FRAME)
        await a_moment()
        assert bytes(near.came).endswith(FRAME)
        far.transport.write_eof()
        await asyncio.wait_for(near.eof.wait(), 1)
        near.transport.close()
        far.transport.close()
        assert await near.lost is None
        assert await far.lost is None

    wire = on_a_wire(scene, kernel=kernel)
    assert (wire.tape.who, wire.tape.how) == (who, "fin")


@NETWORKS
@pytest.mark.parametrize("ends", ["caller", "server"])
def test_a_reset_goes_on_as_a_reset(ends: str, kernel: bool) -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        near, far = (wire.caller, wire.server) if ends == "caller" else (wire.server, wire.caller)
        reset(near.transport)
        assert isinstance(await asyncio.wait_for(far.lost, 1), ConnectionResetError)

    wire = on_a_wire(scene, kernel=kernel)
    assert (wire.tape.who, wire.tape.how) == (ends, "reset")


@NETWORKS
def test_a_message_that_breaks_off_breaks_off_on_the_other_side_too(kernel: bool) -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID + FRAME[:83])
        wire.caller.transport.write_eof()
        await asyncio.wait_for(wire.server.eof.wait(), 1)
        assert bytes(wire.server.came) == UUID + FRAME[:83]

    wire = on_a_wire(scene, kernel=kernel)
    assert (wire.tape.who, wire.tape.how) == ("caller", "mid_frame")


def test_a_bot_that_leaves_its_socket_open_does_not_keep_the_call_open() -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        wire.server.transport.write(FRAME + encode(Kind.HANGUP))
        await a_moment()
        wire.caller.transport.close()
        await asyncio.sleep(1.9)
        assert not wire.over.is_set()
        await asyncio.sleep(0.2)
        assert wire.over.is_set()

    wire = on_a_wire(scene)
    assert (wire.tape.who, wire.tape.how) == ("server", "hangup_message")
    (told,) = wire.troubles
    assert told.startswith("the bot had not closed its connection 2 s after the caller: ")


@NETWORKS
def test_the_servers_hangup_is_what_ended_the_call(kernel: bool) -> None:
    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        wire.server.transport.write(FRAME + encode(Kind.HANGUP))
        await a_moment()
        reset(wire.caller.transport)
        await a_moment()

    wire = on_a_wire(scene, kernel=kernel)
    assert (wire.tape.who, wire.tape.how) == ("server", "hangup_message")


@pytest.mark.long("a side that does not read is tried in the core")
def test_who_does_not_read_is_not_read_for() -> None:
    """A flood against a side that sleeps: what the capture holds of it stays small, and nothing is lost."""
    flood = FRAME * 40_000  # 13 MB; the network takes 3.9 MB each way

    async def scene(wire: Wire) -> None:
        wire.caller.transport.write(UUID)
        await a_moment()
        wire.caller.transport.pause_reading()
        wire.server.transport.write(flood)
        await asyncio.sleep(1)
        sent = sum(len(data) for who, data in wire.writes if who == "caller")
        assert sent < 5_000_000
        wire.caller.transport.resume_reading()
        await asyncio.sleep(5)
        assert bytes(wire.caller.came) == flood

    on_a_wire(scene)


def test_nothing_is_read_before_there_is_a_server_to_tell() -> None:
    async def scene(wire: Wire) -> None:
        assert isinstance(await asyncio.wait_for(wire.caller.lost, 1), ConnectionResetError)

    wire = on_a_wire(scene, listening=False)
    assert len(wire.troubles) == 1
    (told,) = wire.troubles
    assert told.startswith("no connection to 127.0.0.1:")
    assert told.endswith(": connection refused; the call was broken off")


def test_a_tape_is_full_before_memory_is() -> None:
    tape = Tape(0.0, 10.0)
    tape.take(tape.caller, 1.0, FRAME)
    tape.n_bytes = MOST_BYTES
    tape.take(tape.caller, 2.0, FRAME)
    assert len(tape.caller) == 1
    assert tape.is_full


def test_a_tape_stops_at_its_time() -> None:
    tape = Tape(0.0, 10.0)
    tape.take(tape.bot, 9.9, encode(Kind.SLIN8, silence(20)))
    tape.take(tape.bot, 10.0, encode(Kind.SLIN8, silence(20)))
    assert len(tape.bot) == 1
