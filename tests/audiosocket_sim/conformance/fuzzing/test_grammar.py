"""Streams are drawn from seeds: the same each time, bounded, of all kinds."""

from audiosocket_sim.conformance.fuzzing.grammar import MOST_SECONDS, draw
from audiosocket_sim.conformance.fuzzing.odd_stream import bytes_of, is_well_formed, seconds_without_sign
from audiosocket_sim.conformance.script import Close, FinishSending, Reset, Send, SignOfLife, StopReading

STREAMS = [draw(f"5/{number}") for number in range(1, 600)]


def test_a_seed_gives_the_same_stream_each_time() -> None:
    assert draw("5/17") == STREAMS[16]
    assert len({stream.actions for stream in STREAMS}) > 550


def test_streams_are_short() -> None:
    assert max(seconds_without_sign(stream.actions) for stream in STREAMS) <= MOST_SECONDS + 1.0
    assert max(sum(len(bytes_of(action)) for action in stream.actions) for stream in STREAMS) < 3_000_000


def test_who_is_asked_for_a_sign_of_life_is_well_formed() -> None:
    signs = [one for one in STREAMS if any(isinstance(action, SignOfLife) for action in one.actions)]
    assert all(is_well_formed(stream.actions) for stream in signs)
    assert 0.2 < len(signs) / len(STREAMS) < 0.5


def test_all_that_the_grammar_knows_is_drawn() -> None:
    actions = [action for stream in STREAMS for action in stream.actions]
    assert {Close, FinishSending, Reset, StopReading} <= {type(action) for action in actions}
    sent = [action for action in actions if isinstance(action, Send)]
    assert any(action.pieces for action in sent)
    firsts = {bytes_of(stream.actions[0])[:3] for stream in STREAMS if stream.actions}
    assert {b"\x01\x00\x10", b"\x01\x00\x0f", b"\x01\x00\x11", b"\x01\x00\x24", b"\x01\x00\x00"} <= firsts
    kinds = {action.data[0] for action in sent}
    assert {0x00, 0x02, 0x03, 0x12, 0x18, 0x7F, 0xFF} <= kinds
