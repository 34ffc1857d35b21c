"""How each era reads, as arithmetic: no loop, no socket, the time is an argument."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.messages import Kind
from audiosocket_sim.asterisk.profiles import ERAS, Era
from audiosocket_sim.asterisk.reader import AsteriskReader, BotAudio

BY_NAME = {era.name: era for era in ERAS}
FRAME = b"\x10\x01\x40" + bytes(range(1, 161)) * 2
HEARD = BotAudio(8000, FRAME[3:])
each_era = pytest.mark.parametrize("era", ERAS, ids=lambda era: era.name)


def reader(name: str) -> AsteriskReader:
    return AsteriskReader(BY_NAME[name])


@each_era
def test_whole_messages_are_heard_at_once_however_many_come_together(era: Era) -> None:
    one = AsteriskReader(era)
    assert one.feed(FRAME, 1.0) == [HEARD]
    assert one.feed(FRAME * 50, 1.0) == [HEARD] * 50
    assert (one.busy, one.deadline, one.verdict, one.unread) == (False, None, None, 0)


def test_the_deadline_is_five_milliseconds_after_each_piece() -> None:
    one = reader("E")
    assert one.feed(FRAME[:3], 10.0) == []
    assert (one.busy, one.deadline) == (True, 10.005)
    assert one.feed(FRAME[3:200], 10.004) == []
    assert one.deadline == pytest.approx(10.009)
    one.timed_out(10.008)  # too early: nothing
    assert one.verdict is None
    assert one.feed(FRAME[200:], 10.008) == [HEARD]
    assert (one.busy, one.deadline) == (False, None)


def test_past_the_deadline_the_call_is_over_and_nothing_counts_as_unread() -> None:
    one = reader("E")
    one.feed(FRAME[:100], 10.0)
    one.timed_out(10.005)
    assert one.verdict is not None
    assert (one.verdict.who, one.verdict.how, one.verdict.orderly) == ("asterisk", "protocol", False)
    assert one.unread == 0  # Asterisk had read them
    assert one.feed(FRAME, 10.1) == []
    assert one.unread == len(FRAME)


def test_a_header_is_waited_for_without_a_deadline() -> None:
    one = reader("E")
    assert one.feed(FRAME[:1], 0.0) == []
    assert (one.busy, one.deadline) == (True, None)
    one.timed_out(1e9)
    assert one.feed(FRAME[1:2], 100.0) == []
    assert one.feed(FRAME[2:] + FRAME, 200.0) == [HEARD, HEARD]
    assert any("pieces" in note for note in one.notes)


def test_era_c_reads_each_piece_to_the_start_of_the_header() -> None:
    """As in its source: up to three bytes each time, over those before, until three or more have come in sum."""
    one = reader("C")
    assert one.feed(b"\x10", 0.0) == []
    assert one.verdict is None
    one.feed(b"\x00\x20" + bytes(32), 0.001)  # 1 + 3 bytes: the header is now 00 20 00, a hang-up
    assert one.verdict is not None
    assert (one.verdict.how, one.unread) == ("hangup_message", 31)


@pytest.mark.parametrize(("name", "survives"), [("A", False), ("B1", False), ("B2", True), ("E", True)])
def test_the_edge_of_a_read_buffer_is_no_gap(name: str, survives: bool) -> None:
    """`more` says that the read filled its buffer: the rest follows, and no era may end the call for that."""
    one = reader(name)
    heard = one.feed(FRAME * 3 + FRAME[:2], 1.0, more=True)
    heard += one.feed(FRAME[2:100], 1.0, more=True)
    assert one.verdict is None
    heard += one.feed(FRAME[100:], 1.0)
    assert heard == [HEARD] * 4
    one.feed(FRAME[:100], 2.0)
    assert (one.verdict is None) == survives


def test_an_era_without_patience_gets_a_deadline_at_the_edge_of_a_buffer() -> None:
    one = reader("A")
    one.feed(FRAME[:100], 1.0, more=True)
    assert one.deadline == pytest.approx(1.001)
    one.timed_out(1.001)
    assert one.verdict is not None
    assert "does not wait" in one.verdict.reason


def test_an_odd_length_loses_its_last_byte_and_is_told() -> None:
    one = reader("E")
    assert one.feed(b"\x10\0\3abc" + b"\x10\0\1z" + FRAME, 0.0) == [BotAudio(8000, b"ab"), BotAudio(8000, b""), HEARD]
    assert [note for note in one.notes if "odd length" in note] == one.notes


def test_the_length_of_a_hang_up_is_not_looked_at() -> None:
    one = reader("E")
    one.feed(b"\0\0\5", 0.0)
    assert one.verdict is not None
    assert (one.verdict.orderly, one.unread, len(one.notes)) == (True, 0, 1)


def test_the_longest_message() -> None:
    one = reader("E")
    assert one.feed(b"\x18\xff\xfe" + bytes(65534), 0.0) == [BotAudio(192000, bytes(65534))]
    assert one.feed(b"\x10\xff\xff" + bytes(65535), 0.0) == [BotAudio(8000, bytes(65534))]


def test_the_end_of_the_stream_after_a_verdict_changes_nothing() -> None:
    one = reader("E")
    one.feed(b"\0\0\0", 0.0)
    before = one.verdict
    one.end_of_stream(1.0)
    one.reset()
    assert one.verdict == before


@given(data=st.binary(max_size=2000), seed=st.integers(0, 999), name=st.sampled_from([era.name for era in ERAS]))
def test_whatever_comes_is_a_verdict_never_an_error(data: bytes, seed: int, name: str) -> None:
    one, cuts, now = reader(name), random.Random(seed), 0.0
    while data:
        at = cuts.randint(1, len(data))
        one.feed(data[:at], now, more=cuts.random() < 0.2)
        data, now = data[at:], now + cuts.choice((0.0, 0.001, 0.01))
        if one.deadline is not None and now >= one.deadline:
            one.timed_out(now)
            assert one.verdict is not None
    one.end_of_stream(now)
    one.reset()
    assert one.verdict is not None or one.fin_unnoticed


@given(
    payloads=st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=8),
    seed=st.integers(0, 999),
    name=st.sampled_from(["D", "E"]),
)
def test_the_newest_hear_the_same_however_it_is_cut(payloads: list[bytes], seed: int, name: str) -> None:
    stream = b"".join(b"\x10" + len(payload).to_bytes(2, "big") + payload for payload in payloads)
    one, cuts = reader(name), random.Random(seed)
    heard: list[BotAudio] = []
    while stream:
        at = cuts.randint(1, min(len(stream), 100))
        heard += one.feed(stream[:at], 0.0)
        stream = stream[at:]
    assert heard == [BotAudio(8000, payload[: len(payload) & ~1]) for payload in payloads]
    assert (one.busy, one.deadline, one.verdict) == (False, None, None)


# --- what each era makes of each thing, to the byte and the microsecond

PIECES = "a header came in pieces: write each message at once"
NO_PATIENCE = "a message came in pieces («Failed to read data»): this version does not wait for the rest"
STRICT = [era.name for era in ERAS if era.strict]


def verdict(one: AsteriskReader) -> tuple[str, str, bool, str]:
    """The verdict; after it nothing is under way and nothing is waited for."""
    assert (one.busy, one.deadline) == (False, None)
    assert one.verdict is not None
    return (one.verdict.who, one.verdict.how, one.verdict.orderly, one.verdict.reason)


@each_era
def test_before_anything_came(era: Era) -> None:
    one = AsteriskReader(era)
    assert (one.busy, one.deadline, one.verdict, one.unread, one.fin_unnoticed, one.notes) == (
        False,
        None,
        None,
        0,
        False,
        [],
    )


@pytest.mark.parametrize("name", [era.name for era in ERAS])
def test_a_hang_up(name: str) -> None:
    one = reader(name)
    assert one.feed(FRAME + b"\0\0\0" + FRAME, 1.0) == [HEARD]
    if name == "A":
        assert verdict(one) == (
            "server",
            "hangup_message",
            False,
            "the server hung up (00 00 00), an error to this version",
        )
        assert one.unread == 2 + len(FRAME)  # it reads a byte at a time
    else:
        assert verdict(one) == ("server", "hangup_message", True, "the server hung up (00 00 00)")
        assert one.unread == len(FRAME)
    assert one.notes == []
    one.feed(FRAME, 1.1)
    assert one.unread == 2 * len(FRAME) + (2 if name == "A" else 0)


def test_a_hang_up_that_announces_a_payload() -> None:
    one = reader("E")
    one.feed(b"\0\0\5hello", 0.0)
    assert one.unread == 5
    assert one.notes == ["the hang-up message announced a payload, which Asterisk does not read"]


@pytest.mark.parametrize(("name", "notes"), [("B1", [PIECES]), ("B2", [PIECES])])
def test_the_first_byte_of_a_hang_up_is_enough_where_a_header_is_taken_whole(name: str, notes: list[str]) -> None:
    one = reader(name)
    one.feed(b"\0", 0.0)
    assert verdict(one) == ("server", "hangup_message", True, "the server hung up (00 00 00)")
    assert one.notes == notes  # its length was never read: nothing is said of it


def test_a_hang_up_in_pieces_with_a_payload_is_noted_once() -> None:
    one = reader("E")
    one.feed(b"\0", 0.0)
    assert (one.busy, one.verdict) == (True, None)
    one.feed(b"\0\5", 0.0)
    assert one.notes == [PIECES]


def test_two_length_bytes_that_were_never_read_stand_for_the_longest_message() -> None:
    one = reader("B2")
    assert one.feed(b"\x10\x01", 0.0) == []
    assert (one.busy, one.deadline) == (True, 0.005)
    assert one.feed(bytes(65534), 0.001) == []
    assert one.feed(b"\1", 0.002) == [BotAudio(8000, bytes(65534))]
    assert one.notes == [PIECES, "audio of an odd length (65535 bytes): Asterisk ignores the last byte"]
    assert (one.busy, one.deadline) == (False, None)


def test_a_header_in_pieces_ends_the_call_in_era_a() -> None:
    one = reader("A")
    assert one.feed(FRAME + FRAME[:2], 0.0) == [HEARD]
    assert verdict(one) == (
        "asterisk",
        "protocol",
        False,
        "a header came in pieces («Failed to read data length»): this version does not wait for it",
    )
    assert one.unread == 0


@pytest.mark.parametrize("name", ["A", "B1"])
def test_a_payload_in_pieces_ends_the_call_without_patience(name: str) -> None:
    one = reader(name)
    one.feed(FRAME[:100], 0.0)
    assert verdict(one) == ("asterisk", "protocol", False, NO_PATIENCE)
    assert one.unread == 0  # Asterisk had read them


def test_without_patience_the_edge_of_a_buffer_is_waited_for_a_millisecond() -> None:
    one = reader("B1")
    one.feed(FRAME[:100], 1.0, more=True)
    assert (one.busy, one.deadline) == (True, 1.001)
    one.timed_out(1.001)
    assert verdict(one) == ("asterisk", "protocol", False, NO_PATIENCE)
    assert one.unread == 0


def test_a_deadline_has_a_microsecond_to_spare() -> None:
    def timed_out(early: float) -> bool:
        one = reader("E")
        one.feed(FRAME[:100], 0.0)
        assert one.deadline == 0.005
        one.timed_out(one.deadline - early)
        return one.verdict is not None

    assert [timed_out(early) for early in (0.0, 0.75e-6, 1e-6, 1.5e-6)] == [True, True, True, False]


def test_past_the_deadline_it_says_why() -> None:
    one = reader("E")
    one.feed(FRAME[:100], 0.0)
    one.timed_out(0.006)
    assert verdict(one) == (
        "asterisk",
        "protocol",
        False,
        "more than 5 ms passed inside a message, after its header («Poll timed out while waiting for data»): "
        "a message has to be one write; 320 bytes were announced in big-endian order, and 97 came",
    )
    one.timed_out(0.007)  # once is enough
    assert one.unread == 0


def test_a_header_without_a_payload_announces_nothing_wrong() -> None:
    one = reader("E")
    one.feed(FRAME[:3], 0.0)
    one.timed_out(0.006)
    assert one.verdict is not None
    assert one.verdict.reason.endswith("a message has to be one write")


def test_without_a_deadline_nothing_times_out() -> None:
    one = reader("E")
    one.timed_out(1e9)
    assert one.verdict is None


# --- the end of the stream


@pytest.mark.parametrize("name", STRICT)
def test_a_close_between_messages_is_an_orderly_end(name: str) -> None:
    one = reader(name)
    one.feed(FRAME, 0.0)
    one.end_of_stream(1.0)
    assert verdict(one) == ("server", "fin", True, "the server closed the connection")
    assert (one.fin_unnoticed, one.notes) == (False, [])


def test_era_a_does_not_notice_a_close() -> None:
    one = reader("A")
    one.end_of_stream(1.0)
    assert (one.verdict, one.fin_unnoticed, one.busy) == (None, True, False)
    assert one.notes == [
        "the server closed without 00 00 00: this version does not notice, and the caller hears nothing"
    ]


@pytest.mark.parametrize("name", ["B2", "C", "D", "E"])
def test_a_close_inside_a_message(name: str) -> None:
    one = reader(name)
    one.feed(FRAME[:100], 0.0)
    one.end_of_stream(0.001)
    assert verdict(one) == ("server", "fin", False, "the server closed inside a message («Insufficient payload read»)")
    assert one.unread == 0


def test_a_close_shows_that_no_more_bytes_follow_the_edge_of_a_buffer() -> None:
    one = reader("A")
    one.feed(FRAME[:2], 1.0, more=True)
    assert (one.busy, one.verdict, one.deadline) == (True, None, None)
    one.end_of_stream(1.0)
    assert verdict(one)[:2] == ("asterisk", "protocol")
    one = reader("B1")
    one.feed(FRAME[:100], 1.0, more=True)
    one.end_of_stream(1.0)
    assert verdict(one) == ("asterisk", "protocol", False, NO_PATIENCE)


@each_era
def test_a_reset(era: Era) -> None:
    one = AsteriskReader(era)
    one.reset()
    assert verdict(one) == ("server", "reset", False, "the server reset the connection («Connection reset by peer»)")


# --- what is no audio, or none that this version knows


NO_KIND = ". AudioSocket has no such kind: it may be sound, read as a header behind a length that is wrong"


@pytest.mark.parametrize(
    ("name", "kind", "known"),
    [
        ("C", Kind.DTMF, "hang-up or audio"),
        ("B1", 0x11, "hang-up or audio (0x10 only, before 22.7)"),
        ("B2", 0x42, "hang-up or audio (0x10 only, before 22.7)"),
        ("C", 0x05, "hang-up or audio"),
        ("E", 0x19, "hang-up or audio"),
    ],
)
def test_an_unknown_kind_ends_the_call(name: str, kind: int, known: str) -> None:
    one = reader(name)
    assert one.feed(bytes([kind, 0, 2, 7, 7]) + FRAME, 0.0) == []
    assert verdict(one) == (
        "asterisk",
        "protocol",
        False,
        f"message of kind 0x{kind:02x} («other than {known}»): it ends the call{'' if kind in set(Kind) else NO_KIND}",
    )
    assert one.unread == 2 + len(FRAME)
    alone = reader(name)
    assert alone.feed(bytes([kind, 0, 2, 7, 7]), 0.0) == []
    assert verdict(alone)[1] == "protocol"


def test_an_unknown_kind_that_comes_of_a_header_in_pieces_says_so() -> None:
    one = reader("E")
    one.feed(b"\x42", 0.0)
    one.feed(b"\0\2", 0.0)
    assert verdict(one)[3] == (
        "message of kind 0x42, read from a header that came in pieces («other than hang-up or audio»): it ends the call"
    )


def test_era_a_skips_an_unknown_kind_with_its_payload() -> None:
    one = reader("A")
    assert one.feed(b"\x05\0\4" + b"\x10\0\2\1" + FRAME, 0.0) == [HEARD]
    assert one.feed(b"\x05\0\1z", 0.0) == []
    assert one.notes == ["message of kind 0x05, which this version skips and later ones may hang up on"]
    assert (one.verdict, one.busy) == (None, False)


@pytest.mark.parametrize("name", STRICT)
def test_empty_audio_ends_the_call(name: str) -> None:
    one = reader(name)
    assert one.feed(b"\x10\0\0", 0.0) == []
    assert verdict(one) == (
        "asterisk",
        "protocol",
        False,
        "audio message of length 0 («Invalid message length»): it ends the call",
    )


def test_era_a_ignores_empty_audio() -> None:
    one = reader("A")
    assert one.feed(b"\x10\0\0" + FRAME + b"\x10\0\0", 0.0) == [HEARD]
    assert one.notes == ["audio of length 0, which this version ignores and later ones hang up on"]
    assert (one.verdict, one.busy) == (None, False)


def test_audio_of_an_odd_length_is_noted_with_its_length() -> None:
    one = reader("E")
    assert one.feed(b"\x10\0\3abc", 0.0) == [BotAudio(8000, b"ab")]
    assert one.feed(b"\x10\0\2ab", 0.0) == [BotAudio(8000, b"ab")]
    assert one.feed(b"\x10\0\2ab\x10\0\2cd", 0.0) == [BotAudio(8000, b"ab"), BotAudio(8000, b"cd")]
    assert one.notes == ["audio of an odd length (3 bytes): Asterisk ignores the last byte"]


# --- pieces that look like something else


def test_a_piece_that_looks_like_a_message_is_none_inside_another() -> None:
    one = reader("E")
    assert one.feed(b"\x10\0\7ab", 0.0) == []
    assert one.feed(b"\x10\0\2cd", 0.0) == [BotAudio(8000, b"ab\x10\0\2c")]
    one = reader("E")
    one.feed(b"\x10", 0.0)
    assert one.feed(b"\0\4\x10\0\2x", 0.0) == [BotAudio(8000, b"\x10\0\2x")]


def test_a_whole_header_at_the_edge_of_a_buffer_is_read() -> None:
    one = reader("E")
    one.feed(FRAME[:3], 1.0, more=True)
    assert (one.busy, one.deadline) == (True, 1.005)
    short = reader("E")
    short.feed(FRAME[:2], 1.0, more=True)
    assert (short.busy, short.deadline, short.notes) == (True, None, [])
    assert short.feed(FRAME[2:], 1.0) == [HEARD]
    assert short.notes == []


@pytest.mark.every(3)
@pytest.mark.parametrize("kind", [0x10, 0x12, 0x42])
@pytest.mark.parametrize("length", [0x0002, 0x0140, 0x0240, 0x0241, 0x1040, 0x1202])
def test_a_message_that_comes_whole_is_read_as_one_that_does_not(kind: int, length: int) -> None:
    """The nearly only case has a way of its own: it must take nothing for a whole message that is none."""
    for size in (0x02, 0x40, 0x80, 0x101, 0x140, 0x202, 0x240, 0x241, 0x480, 0x1040, 0x1202, 0x4040):
        data = bytes([kind, length >> 8, length & 0xFF, 2]) + bytes(size - 1)
        at_once, in_two = reader("E"), reader("E")
        heard = at_once.feed(data, 1.0)
        assert heard == in_two.feed(data[:1], 1.0, more=True) + in_two.feed(data[1:], 1.0)
        assert (at_once.busy, at_once.deadline, at_once.verdict, at_once.unread) == (
            in_two.busy,
            in_two.deadline,
            in_two.verdict,
            in_two.unread,
        )
