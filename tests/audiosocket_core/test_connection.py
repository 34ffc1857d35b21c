"""Order, limits and splits. The FR, HS and TD numbers are those of docs/protocol.md 8."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.connection import Connection, Role, State
from audiosocket_core.errors import LocalProtocolError, RemoteProtocolError
from audiosocket_core.messages import RATE_HZ, Kind, Message, encode, uuid_message

CALL = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
OPENING = encode(*uuid_message(CALL))
AUDIO = Message(Kind.SLIN8, bytes(range(256)) + bytes(64))
OTHER_KINDS = [kind for kind in range(256) if kind != Kind.HANGUP and kind not in RATE_HZ]


def server(opened: bool = True) -> Connection:
    connection = Connection(Role.SERVER)
    if opened:
        assert connection.receive(OPENING) == [Message(Kind.UUID, CALL.bytes)]
    return connection


def peer(opened: bool = True) -> Connection:
    connection = Connection(Role.PEER)
    if opened:
        assert connection.send(Kind.UUID, CALL.bytes) == OPENING
    return connection


class TestFraming:
    def test_one_whole_message_in_one_read(self) -> None:
        assert server().receive(encode(*AUDIO)) == [AUDIO]

    @pytest.mark.parametrize("data_type", [bytes, bytearray, memoryview])
    def test_a_payload_outlives_the_read_buffer(self, data_type: type) -> None:
        # The transport reads every message into the same buffer.
        read_buffer = bytearray(encode(*AUDIO))
        [message] = server().receive(memoryview(read_buffer) if data_type is memoryview else data_type(read_buffer))
        read_buffer[:] = bytes(len(read_buffer))
        assert message == AUDIO
        assert type(message.payload) is bytes

    def test_uuid_and_audio_in_one_segment(self) -> None:
        # HS-03
        assert server(opened=False).receive(OPENING + encode(*AUDIO) * 5) == [
            Message(Kind.UUID, CALL.bytes),
            *[AUDIO] * 5,
        ]

    def test_byte_by_byte(self) -> None:
        # HS-02, FR-01, FR-02
        connection = server(opened=False)
        stream = OPENING + encode(*AUDIO) * 2
        messages = [message for byte in stream for message in connection.receive(bytes([byte]))]
        assert messages == [Message(Kind.UUID, CALL.bytes), AUDIO, AUDIO]

    def test_the_largest_payload(self) -> None:
        # FR-05
        payload = bytes(65_535)
        assert server().receive(encode(Kind.SLIN192, payload)) == [Message(Kind.SLIN192, payload)]

    def test_a_payload_may_look_like_a_message(self) -> None:
        inner = encode(Kind.SLIN8, bytes(5))
        outer = encode(Kind.SLIN8, inner)
        connection = server()
        assert connection.receive(outer[:3]) == []
        assert connection.receive(outer[3:]) == [Message(Kind.SLIN8, inner)]

    @pytest.mark.parametrize("size", [1, 2, 160, 321, 480, 640, 960])
    def test_any_size_is_taken_as_it_is(self, size: int) -> None:
        # FR-08, FR-15: nothing is said about 320 bytes anywhere.
        stream = encode(Kind.SLIN8, bytes(size)) + encode(*AUDIO)
        assert server().receive(stream) == [Message(Kind.SLIN8, bytes(size)), AUDIO]

    def test_where_the_stream_stands(self) -> None:
        connection = server()
        seen = []
        for piece in (b"\x10", b"\x00", b"\x02", b"a", b"b"):
            connection.receive(piece)
            seen.append((connection.in_header, connection.in_payload, connection.buffered_bytes))
        assert seen == [(True, False, 1), (True, False, 2), (False, True, 3), (False, True, 4), (False, False, 0)]


class TestServerReceives:
    @pytest.mark.parametrize(
        "first",
        [
            encode(*AUDIO),
            encode(Kind.UUID, str(CALL).encode()),
            encode(Kind.UUID),
            encode(Kind.UUID, bytes(15)),
            encode(Kind.UUID, bytes(17)),
            encode(0x7F),
            encode(Kind.ERROR, b"\x01"),
        ],
    )
    def test_the_first_message_is_a_uuid_of_16_bytes(self, first: bytes) -> None:
        # HS-07, HS-08
        connection = server(opened=False)
        with pytest.raises(RemoteProtocolError, match="UUID of 16 bytes"):
            connection.receive(first)
        assert connection.state is State.ENDED

    def test_a_breach_is_told_with_the_header(self) -> None:
        # RB-08: no waiting, and no memory, for 65,535 bytes that nobody wants.
        with pytest.raises(RemoteProtocolError):
            server(opened=False).receive(b"\x10\xff\xff")

    def test_a_breach_is_told_again(self) -> None:
        connection = server(opened=False)
        for _ in range(2):
            with pytest.raises(RemoteProtocolError):
                connection.receive(encode(*AUDIO))
        with pytest.raises(RemoteProtocolError):
            connection.receive_eof()

    def test_any_uuid_is_opaque(self) -> None:
        # HS-09
        for raw in (bytes(16), b"\xff" * 16):
            connection = server(opened=False)
            assert connection.receive(encode(Kind.UUID, raw)) == [Message(Kind.UUID, raw)]
            assert connection.state is State.OPEN

    def test_a_second_uuid_and_empty_audio_are_dropped_and_counted(self) -> None:
        # HS-11, FR-07
        connection = server()
        assert connection.receive(OPENING + encode(Kind.SLIN8) + encode(*AUDIO)) == [AUDIO]
        assert connection.ignored_messages == 2

    @pytest.mark.parametrize(
        "odd",
        [
            Message(0x7F, bytes(300)),  # FR-09
            Message(Kind.ERROR, b""),  # FR-10
            Message(Kind.ERROR, b"\x01"),
            Message(Kind.ERROR, bytes(5)),
            Message(Kind.SILENCE, b""),  # FR-11
            Message(Kind.SILENCE, bytes(6)),
            Message(Kind.DTMF, b""),  # DT-05
            Message(Kind.DTMF, b"12"),
        ],
    )
    def test_what_nobody_needs_is_returned_and_costs_no_sync(self, odd: Message) -> None:
        connection = server()
        assert connection.receive(encode(*odd) + encode(*AUDIO)) == [odd, AUDIO]
        assert connection.state is State.OPEN

    def test_digits_between_audio(self) -> None:
        # DT-02, DT-04
        digit = Message(Kind.DTMF, b"5")
        stream = b"".join(encode(*message) for message in (AUDIO, digit, digit, AUDIO))
        assert server().receive(stream) == [AUDIO, digit, digit, AUDIO]

    @pytest.mark.parametrize("hangup", [b"\0\0\0", b"\0\0\1\xaa", b"\0\xff\xff"])
    def test_a_hangup_ends_whatever_its_length_says(self, hangup: bytes) -> None:
        # FR-12
        connection = server()
        assert connection.receive(encode(*AUDIO) + hangup + encode(*AUDIO)) == [AUDIO, Message(Kind.HANGUP, b"")]
        assert connection.state is State.ENDED
        assert connection.receive(encode(*AUDIO)) == []
        assert connection.buffered_bytes == 0

    @pytest.mark.parametrize("cut", [1, 2, 3, 100, 322])
    def test_the_stream_ends_inside_a_message(self, cut: int) -> None:
        # FR-13, FR-14: what is not whole is dropped; nothing is invented, nothing is raised.
        connection = server()
        assert connection.receive(encode(*AUDIO)[:cut]) == []
        connection.receive_eof()
        assert connection.state is State.ENDED
        assert connection.receive(encode(*AUDIO)[cut:]) == []

    def test_the_memory_is_bounded(self) -> None:
        connection = Connection(Role.SERVER, max_buffered_bytes=1_000)
        connection.receive(OPENING)
        assert connection.receive(encode(Kind.SLIN8, bytes(997))) == [Message(Kind.SLIN8, bytes(997))]
        with pytest.raises(RemoteProtocolError, match="at most 1000"):
            connection.receive(encode(Kind.SLIN8, bytes(998)))

    def test_whole_messages_before_a_breach_are_not_lost(self) -> None:
        connection = Connection(Role.SERVER, max_buffered_bytes=1_000)
        connection.receive(OPENING)
        assert connection.receive(encode(*AUDIO) + encode(Kind.SLIN8, bytes(998))) == [AUDIO]
        assert connection.error is not None
        with pytest.raises(RemoteProtocolError):
            connection.receive(b"")


class TestServerSends:
    def test_before_the_uuid_only_a_hangup(self) -> None:
        connection = server(opened=False)
        with pytest.raises(LocalProtocolError, match="awaiting_uuid"):
            connection.send(*AUDIO)
        assert connection.send(Kind.HANGUP) == b"\0\0\0"
        assert connection.state is State.ENDED

    def test_audio_of_every_rate_and_a_hangup(self) -> None:
        connection = server()
        for kind in RATE_HZ:
            assert connection.send(kind, bytes(640)) == encode(kind, bytes(640))
        assert connection.send(Kind.HANGUP) == b"\0\0\0"

    def test_no_other_kind(self) -> None:
        # HS-14: Asterisk hangs up the caller at any of them.
        for kind in OTHER_KINDS:
            with pytest.raises(LocalProtocolError, match=f"0x{kind:02x}"):
                server().send(kind, b"x")

    def test_no_empty_audio(self) -> None:
        with pytest.raises(LocalProtocolError, match="empty audio"):
            server().send(Kind.SLIN8)

    def test_no_audio_of_65536_bytes(self) -> None:
        with pytest.raises(LocalProtocolError, match="65536"):
            server().send(Kind.SLIN8, bytes(65_536))

    def test_no_hangup_with_payload(self) -> None:
        with pytest.raises(LocalProtocolError, match="carries 0 bytes"):
            server().send(Kind.HANGUP, b"x")

    def test_nothing_after_a_hangup_and_nothing_is_heard_either(self) -> None:
        # TD-08
        connection = server()
        connection.send(Kind.HANGUP)
        for message in (AUDIO, Message(Kind.HANGUP, b"")):
            with pytest.raises(LocalProtocolError, match="ended"):
                connection.send(*message)
        assert connection.receive(encode(*AUDIO)) == []

    def test_nothing_after_the_end_of_the_stream(self) -> None:
        connection = server()
        connection.receive_eof()
        with pytest.raises(LocalProtocolError, match="ended"):
            connection.send(*AUDIO)


class TestPeer:
    def test_the_uuid_first_and_once(self) -> None:
        connection = peer(opened=False)
        for kind, payload in (AUDIO, (Kind.DTMF, b"5")):
            with pytest.raises(LocalProtocolError, match="awaiting_uuid"):
                connection.send(kind, payload)
        with pytest.raises(LocalProtocolError, match="carries 16 bytes"):
            connection.send(Kind.UUID, bytes(15))
        connection.send(Kind.UUID, CALL.bytes)
        with pytest.raises(LocalProtocolError, match="0x01"):
            connection.send(Kind.UUID, CALL.bytes)

    def test_then_audio_and_digits_but_no_hangup_and_no_error(self) -> None:
        # FID-10
        connection = peer()
        assert connection.send(*AUDIO) == encode(*AUDIO)
        assert connection.send(Kind.DTMF, b"#") == b"\x03\x00\x01#"
        for kind, payload in ((Kind.HANGUP, b""), (Kind.ERROR, b"\1"), (Kind.SILENCE, b"")):
            with pytest.raises(LocalProtocolError):
                connection.send(kind, payload)

    def test_any_other_kind_is_a_breach_before_its_payload_came(self) -> None:
        for kind in OTHER_KINDS:
            with pytest.raises(RemoteProtocolError, match=f"0x{kind:02x}"):
                peer().receive(bytes([kind, 0x01, 0x00]))

    def test_empty_audio_is_a_breach_after_what_was_whole(self) -> None:
        connection = peer()
        assert connection.receive(encode(*AUDIO) + encode(Kind.SLIN8)) == [AUDIO]
        with pytest.raises(RemoteProtocolError, match="empty"):
            connection.receive(b"")

    def test_a_hangup(self) -> None:
        connection = peer()
        assert connection.receive(b"\0\0\0") == [Message(Kind.HANGUP, b"")]
        with pytest.raises(LocalProtocolError, match="ended"):
            connection.send(*AUDIO)

    def test_the_stream_may_end_between_messages_and_in_a_header_but_not_in_a_payload(self) -> None:
        for cut in (0, 1, 2):
            connection = peer()
            connection.receive(encode(*AUDIO)[:cut])
            connection.receive_eof()
            assert connection.state is State.ENDED
        connection = peer()
        connection.receive(encode(*AUDIO)[:3])
        with pytest.raises(RemoteProtocolError, match="inside a payload"):
            connection.receive_eof()


# Streams that are mostly messages, so that the interesting places are reached, with any bytes in between.
kinds = st.one_of(st.sampled_from([0x00, 0x01, 0x02, 0x03, 0x10, 0x12, 0x18, 0x7F, 0xFF]), st.integers(0, 255))
wire_messages = st.builds(encode, kinds, st.one_of(st.binary(max_size=20), st.integers(0, 700).map(bytes)))
streams = st.builds(
    lambda opening, pieces: opening + b"".join(pieces),
    st.sampled_from([b"", OPENING]),
    st.lists(st.one_of(wire_messages, st.binary(max_size=12)), max_size=12),
)


def heard(role: Role, pieces: list[bytes], limit: int) -> tuple[list[Message], str | None, State]:
    """All messages, the breach if there is one, and the state. Any other exception fails the test."""
    connection = Connection(role, max_buffered_bytes=limit)
    if role is Role.PEER:
        connection.send(Kind.UUID, CALL.bytes)
    messages: list[Message] = []
    for piece in pieces:
        try:
            messages += connection.receive(piece)
        except RemoteProtocolError:
            break
        assert connection.buffered_bytes < limit
    return messages, connection.error and str(connection.error), connection.state


@pytest.mark.parametrize("role", list(Role))
@given(stream=streams, cuts=st.lists(st.integers(0, 4_000), max_size=40), limit=st.sampled_from([256, 65_538]))
def test_any_split_gives_the_same_messages(role: Role, stream: bytes, cuts: list[int], limit: int) -> None:
    # FR-04
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    whole = heard(role, [stream], limit)
    assert heard(role, pieces, limit) == whole
    assert heard(role, [stream[i : i + 1] for i in range(len(stream))], limit) == whole


@given(stream=st.binary(max_size=2_000), at=st.integers(0, 2_000))
def test_random_bytes_after_the_uuid_do_no_harm(stream: bytes, at: int) -> None:
    # RB-07: a server that is open meets nothing that it could not skip.
    connection = server()
    connection.receive(stream[:at])
    connection.receive(stream[at:])
    connection.receive_eof()
    assert connection.error is None


@pytest.mark.parametrize("role", [Role.SERVER, Role.PEER])
@pytest.mark.parametrize("cut", [1, 2, 3, 4, 50])
def test_a_message_of_exactly_the_limit_is_taken_however_it_is_split(role: Role, cut: int) -> None:
    connection = Connection(role, max_buffered_bytes=len(encode(*AUDIO)))
    if role is Role.SERVER:
        connection.receive(OPENING)
    data = encode(*AUDIO)
    assert connection.receive(data[:cut]) + connection.receive(data[cut:]) == [AUDIO]
    longer = encode(Kind.SLIN8, AUDIO.payload + b"xx")
    with pytest.raises(RemoteProtocolError, match="a message of 325 bytes arrived: at most 323 are accepted"):
        connection.receive(longer[:cut] if cut >= 3 else longer[:3])
