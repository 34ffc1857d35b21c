"""How each era reads, as arithmetic: no loop, no socket, the time is an argument."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
