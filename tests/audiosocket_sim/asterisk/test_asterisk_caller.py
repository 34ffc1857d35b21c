"""When the caller's packets come and what keys do to them, as arithmetic; and the faults that they are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_sim.asterisk.faults import Cuts, PacketDelays, SplitMode, cut_mid_frame
from audiosocket_sim.asterisk.packets import Keypad, PacketGrid


def test_an_hour_of_packets_does_not_drift() -> None:
    grid = PacketGrid(1000.1, 20, first_ms=20)
    for _ in range(180_000 - 1):
        grid.take()
    assert grid.due == grid.next_at == 1000.1 + 3600.0


@given(up_to=st.integers(0, 500), seed=st.integers(0, 999), packet_time_ms=st.sampled_from([10, 20, 30, 60]))
def test_jitter_is_late_never_early_never_out_of_order(up_to: int, seed: int, packet_time_ms: int) -> None:
    grid = PacketGrid(5.0, packet_time_ms, PacketDelays(up_to, seed), first_ms=packet_time_ms)
    before = 5.0
    for number in range(1, 300):
        assert grid.due == 5.0 + number * packet_time_ms / 1000
        assert grid.due <= grid.next_at <= grid.due + up_to / 1000 + 1e-9
        assert before <= grid.next_at
        before = grid.next_at
        grid.take()


def test_keys_are_stretched_queued_and_told_once() -> None:
    keypad = Keypad()
    first, second = keypad.press("1", 10, now=1.0), keypad.press("2", 300, now=1.0)
    assert (first.down, first.up) == pytest.approx((1.0, 1.08))
    assert (second.down, second.up) == pytest.approx((1.125, 1.425))
    assert [at for at in (0.99, 1.0, 1.05, 1.1, 1.13, 1.42, 1.43) if keypad.held(at)] == [1.0, 1.05, 1.13, 1.42]
    assert keypad.released(1.07) == []
    assert keypad.released(1.08) == [first]
    assert keypad.released(1.5) == [second]
    assert keypad.released(9.9) == []


@given(
    data=st.binary(min_size=1, max_size=400),
    seed=st.integers(0, 999),
    mode=st.sampled_from(["bytes", "seeded", "none"]),
)
def test_cuts_lose_nothing(data: bytes, seed: int, mode: SplitMode) -> None:
    pieces = Cuts(mode, seed).pieces(data)
    assert b"".join(pieces) == data
    assert all(pieces)
    assert len(pieces) == {"bytes": len(data), "none": 1}.get(mode, len(pieces))
    assert Cuts(mode, seed).pieces(data) == pieces


@pytest.mark.parametrize(("size", "part"), [(320, 83), (640, 83), (160, 83), (20, 22), (2, 4)])
def test_a_message_cut_in_the_middle_has_a_header_and_a_part(size: int, part: int) -> None:
    message = b"\x10" + size.to_bytes(2, "big") + bytes(size)
    assert cut_mid_frame(message) == message[:part]
