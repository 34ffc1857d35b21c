"""Counts of what went over the wire. Arithmetic, no call."""

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.asterisk.wire_counts import MessageCount, WireCounts


def counts(*times: float) -> WireCounts:
    made = WireCounts()
    for at in times:
        made.took(at, 8000, 320)
    return made


def test_messages_are_counted_by_kind_with_their_sizes() -> None:
    made = counts(1.0, 1.02)
    made.took(1.04, 8000, 160)
    made.took(1.06, 16000, 640)
    made.wrote(encode(Kind.UUID, bytes(16)))
    made.wrote(encode(Kind.SLIN8, bytes(320)))
    made.wrote(encode(Kind.SLIN8, bytes(320)))
    made.wrote(encode(Kind.DTMF, b"5"))
    assert made.from_server == (MessageCount(0x10, 3, 160, 320), MessageCount(0x12, 1, 640, 640))
    assert made.to_server == (
        MessageCount(0x01, 1, 16, 16),
        MessageCount(0x03, 1, 1, 1),
        MessageCount(0x10, 2, 320, 320),
    )
    assert WireCounts().from_server == ()


def test_how_many_came_since_an_instant() -> None:
    made = counts(1.0, 1.02, 1.04)
    assert [made.since(at) for at in (0.0, 1.0, 1.01, 1.04, 1.05)] == [3, 3, 2, 1, 0]


def test_the_longest_pause_lies_before_between_or_after_the_messages() -> None:
    made = counts(1.0, 1.5, 3.0)
    assert made.longest_pause(0.9, 3.1) == (1.5, 3.0)
    assert made.longest_pause(0.9, 2.0) == (1.0, 1.5)
    assert made.longest_pause(2.9, 9.0) == (3.0, 9.0)
    assert made.longest_pause(-5.0, 1.2) == (-5.0, 1.0)
    assert counts().longest_pause(1.0, 2.0) == (1.0, 2.0)
