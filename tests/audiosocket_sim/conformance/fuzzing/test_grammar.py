"""Streams are drawn from seeds: the same each time, bounded, of all kinds."""

from functools import cache

import pytest

from audiosocket_sim.conformance.fuzzing.grammar import MOST_SECONDS, draw
from audiosocket_sim.conformance.fuzzing.odd_stream import OddStream, bytes_of, is_well_formed, seconds_without_sign
from audiosocket_sim.conformance.script import Close, FinishSending, Reset, Send, SignOfLife, StopReading


@cache
def drawn(number: int) -> list[OddStream]:
    return [draw(f"5/{seed}") for seed in range(1, number + 1)]


@pytest.fixture(params=[60, pytest.param(600, marks=pytest.mark.long("60 streams are drawn"))])
def streams(request: pytest.FixtureRequest) -> list[OddStream]:
    return drawn(request.param)


def test_a_seed_gives_the_same_stream_each_time(streams: list[OddStream]) -> None:
    assert draw("5/17") == streams[16]
    assert len({stream.actions for stream in streams}) > 0.9 * len(streams)


def test_streams_are_short(streams: list[OddStream]) -> None:
    assert max(seconds_without_sign(stream.actions) for stream in streams) <= MOST_SECONDS + 1.0
    assert max(sum(len(bytes_of(action)) for action in stream.actions) for stream in streams) < 3_000_000


def test_who_is_asked_for_a_sign_of_life_is_well_formed(streams: list[OddStream]) -> None:
    signs = [one for one in streams if any(isinstance(action, SignOfLife) for action in one.actions)]
    assert all(is_well_formed(stream.actions) for stream in signs)
    assert 0.2 < len(signs) / len(streams) < 0.5


@pytest.mark.long("60 streams are looked through")
def test_all_that_the_grammar_knows_is_drawn() -> None:
    streams = drawn(600)
    actions = [action for stream in streams for action in stream.actions]
    assert {Close, FinishSending, Reset, StopReading} <= {type(action) for action in actions}
    sent = [action for action in actions if isinstance(action, Send)]
    assert any(action.pieces for action in sent)
    firsts = {bytes_of(stream.actions[0])[:3] for stream in streams if stream.actions}
    assert {b"\x01\x00\x10", b"\x01\x00\x0f", b"\x01\x00\x11", b"\x01\x00\x24", b"\x01\x00\x00"} <= firsts
    kinds = {action.data[0] for action in sent}
    assert {0x00, 0x02, 0x03, 0x12, 0x18, 0x7F, 0xFF} <= kinds
