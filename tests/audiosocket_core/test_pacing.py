"""Deadlines as arithmetic."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiosocket_core.pacing import Pacer


def test_the_first_frame_is_due_at_the_start() -> None:
    pacer = Pacer(10.0, 0.02)
    assert pacer.take(9.999) == 0
    assert pacer.take(10.0) == 1
    assert pacer.take(10.0) == 0
    assert pacer.next_at == 10.02


def test_a_late_frame_does_not_move_the_next_one() -> None:
    pacer = Pacer(0.0, 0.02)
    pacer.take(0.0)
    assert pacer.lateness(0.033) == pytest.approx(0.013)
    assert pacer.take(0.033) == 1
    assert pacer.next_at == 0.04
    assert pacer.lateness(0.035) == 0.0


def test_a_stall_is_caught_up_with_three_frames_and_the_other_slots_are_skipped() -> None:
    # AO-08
    pacer = Pacer(0.0, 0.02)
    pacer.take(0.0)
    assert pacer.take(0.3) == 3  # 15 slots were due
    assert pacer.skipped == 12
    assert pacer.next_at == 16 * 0.02
    assert pacer.take(0.05) == 0


def test_the_grid_is_exact_for_ever() -> None:
    # A sum of a thousand 0.02 s is not 20 s; a product is.
    pacer = Pacer(1.0, 0.02)
    frames = sum(pacer.take(pacer.next_at) for _ in range(180_000))
    assert frames == 180_000
    assert pacer.next_at == 1.0 + 180_000 * 0.02


@given(
    start=st.floats(0, 1e6),
    period=st.sampled_from([0.01, 0.02, 0.03, 1 / 3, 0.0199]),
    jumps=st.lists(st.floats(0, 0.2), max_size=30),
)
def test_each_slot_is_due_once_and_never_early(start: float, period: float, jumps: list[float]) -> None:
    pacer = Pacer(start, period)
    now = start
    taken = 0
    for jump in jumps:
        now += jump
        due = pacer.take(now)
        assert 0 <= due <= 3
        taken += due
        assert pacer.next_at > now
        assert pacer.next_at == start + (taken + pacer.skipped) * period
        assert pacer.next_at - period <= now + 1e-9


@example(start=0.1, n=4)  # 0.18 − 0.1 is a little less than 4 × 0.02
@given(start=st.floats(0, 1e6), n=st.integers(0, 5_000_000))
def test_taking_at_a_deadline_takes_exactly_that_one(start: float, n: int) -> None:
    # A timer that fires at `next_at` must find its frame due, or it would be set again for the same instant, for ever.
    pacer = Pacer(start, 0.02, max_catch_up=10_000_000)
    assert pacer.take(start + n * 0.02) == n + 1


def test_a_moment_before_a_deadline_is_before_it_although_the_quotient_rounds_up() -> None:
    # 9.899999999999999 / 0.3 is 33.0 in floating point, and the deadline of slot 33 is 9.9.
    pacer = Pacer(0.0, 0.3, max_catch_up=1000)
    assert pacer.take(9.899999999999999) == 33
    assert pacer.next_at > 9.899999999999999
    assert pacer.take(9.9) == 1


@pytest.mark.parametrize(("period", "max_catch_up"), [(0, 3), (-1, 3), (0.02, 0)])
def test_a_grid_needs_a_period(period: float, max_catch_up: int) -> None:
    with pytest.raises(ValueError, match="period"):
        Pacer(0.0, period, max_catch_up)
