"""What a server must survive: the cases of docs/protocol.md 8 that are a MUST, each by its number.

Each runs the real `serve` in virtual time, with a raw peer: bytes that are sent, bytes that come with their time. Two
are nothing that memory can show: AO-12 (no Nagle) is `test_the_socket_has_no_nagle_but_a_keepalive`, and AO-13 (no
urgent data) is Python's: what we write has no way to be urgent. DT-07 is for servers without DTMF.
"""

import asyncio
import logging
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from audiosocket_server.call.session import Call
from audiosocket_server.listener import ServerHandle, serve
from audiosocket_server.registry.calls import CallRecord
from audiosocket_server.settings.settings import Settings
from helpers.call_bench import SIM, UUID_TEXT, Engine, virtual

from audiosocket_core.connection import Connection, Role
from audiosocket_core.messages import Message, encode, is_audio

UUID_MESSAGE = encode(0x01, UUID(UUID_TEXT).bytes)
HANGUP = b"\0\0\0"
SPEECH = bytes(9600) + SIM + bytes(16_000)  # quiet before and after: an utterance


def engine(settings: Settings) -> Engine:
    """For `speech.engine`: says every text for as many ms as the greeting says, as a number."""
    return Engine(speaks_ms=int(settings.greeting.message or 200))


def audio(pcm: bytes, size: int = 320) -> list[bytes]:
    return [encode(0x10, pcm[at : at + size]) for at in range(0, len(pcm), size)]


NUMBERED = [encode(0x10, bytes([n, 1]) * 160) for n in range(100)]


class Peer(asyncio.Protocol):
    """The dialling side. Keeps each piece that came with its time, and how it ended."""

    def __init__(self, scene: "Scene") -> None:
        self.scene = scene
        self.loop = asyncio.get_running_loop()
        self.came: list[tuple[float, bytes]] = []
        self.eof, self.closed = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.address = "{}:{}".format(*transport.get_extra_info("sockname"))

    def data_received(self, data: bytes) -> None:
        self.came.append((self.loop.time(), data))

    def eof_received(self) -> bool:
        self.eof.set()
        return True  # a peer that does not close by itself

    def connection_lost(self, error: Exception | None) -> None:
        self.error = error
        self.closed.set()

    def send(self, *messages: bytes) -> None:
        self.transport.write(b"".join(messages))

    async def slowly(self, *pieces: bytes, every: float = 0.02) -> None:
        for piece in pieces:
            self.send(piece)
            await asyncio.sleep(every)

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self.came)

    @property
    def messages(self) -> list[tuple[float, Message]]:
        """What came; a piece that is not of whole messages is a failure (AO-03, AO-04)."""
        connection = Connection(Role.PEER)
        connection.send(0x01, bytes(16))
        told = []
        for at, data in self.came:
            told += [(at, message) for message in connection.receive(data)]
            assert connection.buffered_bytes == 0
        return told

    @property
    def times(self) -> list[float]:
        return [at for at, message in self.messages if message.kind]

    @property
    def record(self) -> CallRecord:
        return next(call for call in self.scene.server.calls.all() if call.peer == self.address)

    @property
    def told(self) -> list[str]:
        return [recorded.type for recorded in self.record.events()]

    @property
    def heard(self) -> list[bytes]:
        """The audio messages that reached the call."""
        return self.scene.heard.get(self.record.id, [])

    def assert_ended_once(self, by: str = "caller") -> None:
        assert self.told.count("call_started") == self.told.count("call_ended") == 1
        assert self.record.ended is not None
        assert self.record.ended.by == by


class Scene:
    def __init__(self, server: ServerHandle, heard: dict[str, list[bytes]], log: pytest.LogCaptureFixture) -> None:
        self.server = server
        self.heard = heard
        self.log = log
        self.peers: list[Peer] = []

    @property
    def engine(self) -> Engine:
        made = self.server._engine._engine
        assert isinstance(made, Engine)
        return made

    async def peer(self) -> Peer:
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_connection(lambda: Peer(self), self.server.host, self.server.port)
        self.peers.append(peer)
        await asyncio.sleep(0.001)  # it is accepted
        return peer

    async def call(self, uuid: bytes = UUID_MESSAGE) -> Peer:
        peer = await self.peer()
        peer.send(uuid)
        await asyncio.sleep(0.05)  # the first frame has come, and the caller is listened to
        return peer

    def assert_free(self) -> None:
        """Nothing is left of any connection."""
        assert not self.server._connections
        assert not self.server._door.leaving

    async def until_free(self) -> None:
        while self.server._connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def assert_calm(self) -> None:
        assert [r.getMessage() for r in self.log.records if r.levelno >= logging.WARNING] == []


CASES: dict[str, tuple[Callable[[Scene], Coroutine[Any, Any, None]], dict[str, Any]]] = {}
Case = Callable[[Scene], Coroutine[Any, Any, None]]


def case(*numbers: str, greeting: int | str = "", **settings: dict[str, Any]) -> Callable[[Case], Case]:
    """Under these numbers; `greeting`: the server speaks at once for so many ms."""

    def keep(function: Case) -> Case:
        for number in numbers:
            at_once = {"message": str(greeting), "delay_seconds": 0, "wait_for_audio_seconds": 0}
            CASES[number] = function, {"greeting": at_once, **settings}
        return function

    return keep


@asynccontextmanager
async def scene(settings: dict[str, Any], heard: dict[str, list[bytes]], log: Any) -> AsyncIterator[Scene]:
    defaults = {"system": {"silence_threshold_seconds": 0.5}, "speech": {"engine": f"{__name__}:engine"}}
    made = Scene(await serve(settings={**defaults, **settings}, control_port=None), heard, log)
    try:
        yield made
    finally:
        for peer in made.peers:
            peer.transport.abort()
        await asyncio.sleep(0.01)
        made.assert_free()
        await made.server.close()


# --- HS: the handshake ------------------------------------------------------------------------------------------------


@case("HS-01")
async def the_uuid(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(1)
    assert (peer.record.uuid, peer.record.live) == (UUID_TEXT, True)


@case("HS-02")
async def the_uuid_byte_by_byte(s: Scene) -> None:
    peer = await s.peer()
    await peer.slowly(*(bytes([byte]) for byte in UUID_MESSAGE), every=0.05)
    assert peer.record.uuid == UUID_TEXT


@case("HS-03")
async def uuid_and_audio_in_one_segment(s: Scene) -> None:
    peer = await s.call(UUID_MESSAGE + b"".join(NUMBERED[:5]))
    assert peer.heard == [message[3:] for message in NUMBERED[:5]]


@case("HS-04")
async def connect_and_close(s: Scene) -> None:
    peer = await s.peer()
    peer.transport.close()
    await asyncio.sleep(0.1)
    assert s.server.calls.all() == ()
    s.assert_free()
    s.assert_calm()
    assert (await s.call()).record.live


@case("HS-06")
async def a_peer_that_never_sends(s: Scene) -> None:
    peer = await s.peer()
    began = peer.loop.time()
    await s.until_free()
    assert 10.0 <= peer.loop.time() - began <= 12.1
    assert peer.raw == HANGUP


@case("HS-07")
async def audio_first(s: Scene) -> None:
    other, peer = await s.call(), await s.peer()
    peer.send(NUMBERED[0], UUID_MESSAGE)
    await peer.eof.wait()
    assert peer.raw == HANGUP
    assert [call.peer for call in s.server.calls.all()] == [other.address]
    assert other.record.live


@case("HS-08")
async def a_uuid_of_another_length(s: Scene) -> None:
    for size in (36, 0, 15, 17):
        peer = await s.call(encode(0x01, b"4" * size))
        await s.until_free()
        assert peer.raw == HANGUP
    assert s.server.calls.all() == ()


@case("HS-10")
async def one_uuid_twice_at_once(s: Scene) -> None:
    first, second = await s.call(), await s.call()
    first.send(NUMBERED[1])
    second.send(NUMBERED[2])
    await asyncio.sleep(0.1)
    assert first.record.id != second.record.id
    assert (first.heard, second.heard) == ([NUMBERED[1][3:]], [NUMBERED[2][3:]])


@case("HS-12")
async def nothing_after_the_uuid(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(30)
    assert peer.record.live
    assert not peer.eof.is_set()


@case("HS-13")
async def uuid_and_close(s: Scene) -> None:
    peer = await s.peer()
    peer.send(UUID_MESSAGE)
    peer.transport.close()
    await asyncio.sleep(0.1)
    peer.assert_ended_once()


@case("HS-14", greeting=500, limits={"call_seconds": 2})
async def kinds_that_are_sent(s: Scene) -> None:
    peer = await s.call()
    peer.send(encode(0x7F, b"?"), encode(0xFF, b"\1"))
    await peer.eof.wait()
    kinds = [message.kind for _, message in peer.messages]
    assert set(kinds[:-1]) == {0x10}
    assert kinds[-1] == 0


# --- FR: framing on input ---------------------------------------------------------------------------------------------


async def assert_heard(s: Scene, sent: Iterable[bytes], pieces: Iterable[bytes], every: float = 0.0) -> None:
    """Messages `sent` as `pieces`: all reach the call, as they were, and it goes on."""
    peer = await s.call()
    await peer.slowly(*pieces, every=every)
    await asyncio.sleep(0.1)
    assert peer.heard == [message[3:] for message in sent]
    assert peer.record.live


@case("FR-01")
async def a_header_in_pieces(s: Scene) -> None:
    a, b, c = NUMBERED[:3]
    pieces = [a[:1], a[1:], b[:2], b[2:], c[:1], c[1:2], c[2:3], c[3:]]
    await assert_heard(s, (a, b, c), pieces, every=0.1)


@case("FR-02")
async def a_payload_in_pieces(s: Scene) -> None:
    message = NUMBERED[7]
    splits = [piece for at in range(3, len(message)) for piece in (message[:at], message[at:])]
    await assert_heard(s, [message] * (len(message) - 3), splits, every=0.001)


@case("FR-03")
async def fifty_messages_in_one_write(s: Scene) -> None:
    await assert_heard(s, NUMBERED[:50], [b"".join(NUMBERED[:50])])


@case("FR-04")
async def ten_thousand_messages_cut_anywhere(s: Scene) -> None:
    dice = random.Random(4)
    messages = [encode(0x10, dice.randbytes(2 * dice.randint(1, 200))) for _ in range(10_000)]
    stream, pieces = b"".join(messages), []
    while stream:
        size = dice.choice((1, 2, 3, 100, 323, 1448, 5000))
        pieces.append(stream[:size])
        stream = stream[size:]
    await assert_heard(s, messages, pieces)


@case("FR-05")
async def the_largest_payload(s: Scene) -> None:
    largest = encode(0x10, bytes(65_534) + b"\1")
    peer = await s.call()
    peer.send(largest, NUMBERED[1])
    await asyncio.sleep(0.1)
    assert b"".join(peer.heard) == largest[3:] + NUMBERED[1][3:]  # in pieces of 100 ms, which take turns
    assert {len(payload) for payload in peer.heard[:-2]} == {1600}


@case("FR-06")
async def big_endian_lengths(s: Scene) -> None:
    await assert_heard(s, NUMBERED[:2], [b"\x10\x01\x40" + NUMBERED[0][3:], NUMBERED[1]])


@case("FR-07")
async def empty_audio(s: Scene) -> None:
    await assert_heard(s, NUMBERED[:2], [b"\x10\0\0", NUMBERED[0], b"\x10\0\0", NUMBERED[1]])


@case("FR-08")
async def an_odd_length(s: Scene) -> None:
    peer = await s.call()
    peer.send(encode(0x10, bytes(5)), encode(0x10, bytes(1)), *audio(SPEECH))
    await asyncio.sleep(0.1)
    assert s.engine.fed[0] in SPEECH


@case("FR-09")
async def an_unknown_kind(s: Scene) -> None:
    await assert_heard(s, NUMBERED[:2], [NUMBERED[0], encode(0x7F, b"\x10\0\2" * 100), NUMBERED[1]])


@case("FR-12")
async def a_hangup_message(s: Scene) -> None:
    for hangup in (HANGUP, encode(0, b"\1"), b"\0\xff\xff"):
        peer = await s.call()
        peer.send(hangup, *NUMBERED)
        await peer.eof.wait()
        peer.assert_ended_once()
        assert peer.heard == []
        peer.transport.close()
        await asyncio.sleep(0.05)


@case("FR-13", "FR-14")
async def the_stream_ends_inside_a_message(s: Scene) -> None:
    for part in (NUMBERED[2][:2], NUMBERED[2][:3], NUMBERED[2][:200]):
        peer = await s.call()
        peer.send(NUMBERED[1], part)
        peer.transport.write_eof()
        await s.until_free()
        peer.assert_ended_once()
        assert peer.heard[-1:] == [NUMBERED[1][3:]]


@case("FR-15")
async def sizes_that_vary(s: Scene) -> None:
    peer = await s.call()
    rest, sizes = SPEECH, [160, 480, 640, 960, 2]
    while rest:
        size = sizes[len(rest) % len(sizes)]
        peer.send(encode(0x10, rest[:size]))
        rest = rest[size:]
    await asyncio.sleep(0.1)
    assert b"".join(peer.heard) == SPEECH
    assert s.engine.fed[0] in SPEECH


# --- AI: audio in -----------------------------------------------------------------------------------------------------


@case("AI-01", "AI-02")
async def caller_audio_is_bit_exact(s: Scene) -> None:
    loud = b"".join(b"\xff\x7f" if high < 128 else b"\x00\x80" for high in SIM[360 * 16 + 1 : 720 * 16 : 2])
    for number, pcm in enumerate((SPEECH, bytes(9600) + loud + bytes(16_000))):
        peer = await s.call()
        await peer.slowly(*audio(pcm))
        await asyncio.sleep(1)
        heard = s.engine.fed[number]
        assert heard in pcm
        assert len(heard) > 16 * 800


@case("AI-07")
async def a_hole_and_a_burst(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(3)
    peer.send(*(NUMBERED * 2)[:150])
    await asyncio.sleep(0.1)
    assert len(peer.heard) == 150
    assert peer.record.live


@case("AI-08")
async def a_minute_without_audio(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(60)
    assert peer.record.live


# --- AO: audio out ----------------------------------------------------------------------------------------------------


@case("AO-01", "AO-02", greeting=60_000)
async def sixty_seconds_of_tone_at_its_own_pace(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(60)
    times = peer.times
    assert all(n * 0.02 - (at - times[0]) <= 0.2 for n, at in enumerate(times))
    tone = [at for at, message in peer.messages if message.payload.strip(b"\0")]
    assert len(tone) == 3000
    assert tone[-1] - tone[0] == pytest.approx(59.98, abs=0.02)


@case("AO-03", "AO-04", "AO-05", greeting=777)
async def messages_are_whole_and_of_20_ms(s: Scene) -> None:
    peer = await s.call()
    (connection,) = s.server._connections
    transport, writes = connection._shell._transport, []  # type: ignore[union-attr]
    write = transport.write  # type: ignore[union-attr]
    transport.write = lambda data: (writes.append(len(data)), write(data))  # type: ignore
    await asyncio.sleep(3)
    assert set(writes) == {323}
    assert {len(message.payload) for _, message in peer.messages} == {320}


@case("AO-06", "AO-14")
async def an_idle_server_sends_silence(s: Scene) -> None:
    peer = await s.call()
    await asyncio.sleep(30)
    times = [*peer.times, peer.loop.time()]
    assert max(after - before for before, after in pairwise(times)) <= 0.021
    assert {message.payload for _, message in peer.messages} == {bytes(320)}


@case("AO-09", limits={"no_utterance_seconds": 600})
async def a_peer_that_reads_late(s: Scene) -> None:
    peer = await s.call()
    peer.transport.pause_reading()
    await asyncio.sleep(300)  # until the network takes no more
    (connection,) = s.server._connections
    assert connection._shell._transport.get_write_buffer_size() < 10_000  # type: ignore[union-attr]
    peer.transport.resume_reading()
    await asyncio.sleep(0.1)
    caught_up = len(peer.came)
    await asyncio.sleep(5)
    times = [at for at, _ in peer.came[caught_up:]]
    assert max(after - before for before, after in pairwise(times)) == pytest.approx(0.02)
    assert len(times) == 250


# --- DT: DTMF ---------------------------------------------------------------------------------------------------------


def digits(peer: Peer) -> list[object]:
    return [r.to_json()["digit"] for r in peer.record.events() if r.type == "dtmf_received"]


@case("DT-01")
async def every_digit(s: Scene) -> None:
    peer = await s.call()
    peer.send(*(encode(0x03, digit.encode()) for digit in "0123456789*#ABCD"))
    await asyncio.sleep(0.1)
    assert digits(peer) == list("0123456789*#ABCD")


@case("DT-02")
async def a_digit_between_audio(s: Scene) -> None:
    await assert_heard(s, NUMBERED[:2], [NUMBERED[0] + encode(0x03, b"5") + NUMBERED[1]])
    assert digits(s.peers[0]) == ["5"]


@case("DT-03", system={"silence_threshold_seconds": 2.0})
async def a_hole_before_a_digit(s: Scene) -> None:
    peer = await s.call()
    await peer.slowly(*audio(SPEECH[: 9600 + 720 * 16]))
    for _ in range(4):  # together longer than the silence that ends an utterance
        await asyncio.sleep(0.6)
        peer.send(encode(0x03, b"1"))
    await asyncio.sleep(0.1)
    assert "speech_started" in peer.told
    assert "speech_ended" not in peer.told
    assert peer.record.live


@case("DT-04")
async def one_digit_twice(s: Scene) -> None:
    peer = await s.call()
    await peer.slowly(encode(0x03, b"7"), encode(0x03, b"7"), every=0.1)
    assert digits(peer) == ["7", "7"]


# --- TD: teardown -----------------------------------------------------------------------------------------------------


@case("TD-01", "TD-10")
async def a_fin(s: Scene) -> None:
    peer = await s.call()
    peer.send(NUMBERED[0])
    peer.transport.write_eof()  # and reads on
    began = peer.loop.time()
    await s.until_free()
    assert peer.loop.time() - began < 1.0
    assert peer.eof.is_set()
    peer.assert_ended_once()
    s.assert_calm()


@case("TD-02", "TD-03", greeting=3000)
async def a_reset_while_the_server_speaks(s: Scene) -> None:
    for leave in ("abort", "close"):
        peer = await s.call()
        await asyncio.sleep(1)
        getattr(peer.transport, leave)()
        await asyncio.sleep(0.1)
        peer.assert_ended_once()
        s.assert_free()
    s.assert_calm()


@case("TD-04", "TD-07", "TD-08", limits={"call_seconds": 1})
async def the_server_hangs_up(s: Scene) -> None:
    peer = await s.call()
    await peer.eof.wait()
    hung_up = peer.loop.time()
    assert peer.raw.endswith(b"\0" * 320 + HANGUP)
    await s.until_free()
    assert [message.kind for _, message in peer.messages].index(0) == len(peer.messages) - 1
    assert peer.loop.time() - hung_up <= 3.0
    peer.assert_ended_once(by="server")


@case("TD-05", limits={"call_seconds": 1})
async def the_server_hangs_up_on_a_peer_that_streams(s: Scene) -> None:
    peer = await s.call()
    for message in NUMBERED:
        await peer.slowly(message)
        if peer.eof.is_set():
            break
    assert peer.raw.endswith(HANGUP)
    await peer.slowly(*NUMBERED[:20])
    assert not peer.closed.is_set()
    peer.transport.close()
    await peer.closed.wait()
    assert peer.error is None


@case("TD-11", "RB-11")
async def an_error_inside_the_server(s: Scene) -> None:
    s.engine.recognise = None  # type: ignore[method-assign,assignment]
    other, peer = await s.call(), await s.call()
    await peer.slowly(*audio(SPEECH[:30_000]))
    await peer.eof.wait()
    assert peer.raw.endswith(HANGUP)
    peer.assert_ended_once(by="error")
    await asyncio.sleep(1)
    assert other.record.live
    assert max(after - before for before, after in pairwise(other.times)) <= 0.021


# --- RB: robustness ---------------------------------------------------------------------------------------------------


@case("RB-01")
async def an_engine_that_hangs(s: Scene) -> None:
    s.engine.hears = deque([None])
    peer = await s.call()
    await peer.slowly(*audio(SPEECH))
    assert "speech_ended" in peer.told
    before = len(peer.heard)
    await peer.slowly(*NUMBERED * 5)
    assert len(peer.heard) == before + 500
    assert peer.transport.get_write_buffer_size() == 0
    assert len(s.engine.fed[0]) < len(SPEECH)


@case("RB-04")
async def two_hundred_calls_at_once(s: Scene) -> None:
    async def one(n: int) -> Peer:
        peer = await s.call(encode(0x01, n.to_bytes(16, "big")))
        await peer.slowly(*[encode(0x10, bytes([n, 0]) * 160)] * 10)
        return peer

    for n, peer in enumerate(await asyncio.gather(*(one(n) for n in range(200)))):
        assert UUID(peer.record.uuid).int == n
        assert set(peer.heard) == {bytes([n, 0]) * 160}


@case("RB-05", limits={"history": 10})
async def a_thousand_connections(s: Scene) -> None:
    for n in range(1000):
        peer = await s.peer()
        if n % 2:
            peer.send(UUID_MESSAGE)
        peer.transport.close()
        if n % 100 == 99:
            await asyncio.sleep(0.1)
            s.assert_free()
            s.peers.clear()
    assert len(s.server.calls.all()) == 10


@case("RB-06", greeting=3000)
async def one_slow_peer_among_fifty(s: Scene) -> None:
    slow = await s.call()
    slow.transport.pause_reading()
    others = [await s.call() for _ in range(49)]
    await asyncio.sleep(5)
    for peer in others:
        times = peer.times
        assert all(at - times[0] == pytest.approx(n * 0.02) for n, at in enumerate(times))


@case("RB-07", limits={"call_seconds": 90})
async def random_bytes(s: Scene) -> None:
    dice = random.Random(7)
    peer = await s.call()
    await peer.slowly(*(dice.randbytes(300) for _ in range(3000)))
    (connection,) = s.server._connections
    assert connection._shell is not None
    assert connection._shell.connection.buffered_bytes < 66_000
    await peer.eof.wait()
    peer.assert_ended_once(by="server")
    assert len(peer.told) < 300


@case("RB-08")
async def a_length_and_nothing_more(s: Scene) -> None:
    peer = await s.call()
    peer.send(b"\x10\xff\xff")
    await peer.eof.wait()
    assert peer.loop.time() == pytest.approx(120, abs=1)
    assert peer.raw.endswith(HANGUP)


# --- the table --------------------------------------------------------------------------------------------------------


HEAVY = pytest.mark.long("smaller bursts and shorter calls are tried")


@pytest.mark.every(18)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(n, marks=HEAVY if n in {"FR-04", "FR-05", "RB-04", "RB-05", "RB-06", "AO-02"} else ())
        for n in CASES
    ],
)
@virtual
async def test_conformance(number: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    function, settings = CASES[number]
    heard: dict[str, list[bytes]] = {}
    take = Call.on_message

    def listened(call: Call, kind: int, payload: bytes) -> None:
        if is_audio(kind):
            assert call._record is not None
            heard.setdefault(call._record.id, []).append(payload)
        take(call, kind, payload)

    monkeypatch.setattr(Call, "on_message", listened)
    async with scene(settings, heard, caplog) as s:
        await function(s)


def test_every_case_of_the_page_is_here_but_the_two_that_need_a_kernel() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    table = page.partition("against the whole server:")[2].partition("These cases are handled by")[0]
    told: set[str] = set()
    for cell in re.findall(r"^\| ([A-Z]{2}-\d\d[^|]*) \|", table, re.MULTILINE):
        for first, last in re.findall(r"([A-Z]{2}-\d\d)(?: … ([A-Z]{2}-\d\d))?", cell):
            told |= {f"{first[:3]}{n:02}" for n in range(int(first[3:]), int((last or first)[3:]) + 1)}
    assert told - {"AO-12", "AO-13"} == set(CASES)
