"""At which pace a bot sends, and when it sends nothing. Arithmetic."""

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiosocket_sim.hearing.arrivals import Arrivals, WireGap

FRAME = np.tile(np.array([6000, -6000], "<i2"), 80).tobytes()


def heard(times: Iterable[float], payload: bytes = FRAME, rate_hz: int = 8000, end: float | None = None) -> Arrivals:
    arrivals = Arrivals(2.0)
    last = 0.0
    for last in times:
        arrivals.take(last, rate_hz, payload)
    arrivals.close(last if end is None else end)
    return arrivals


def grid(every: float, count: int, start: float = 5.0) -> list[float]:
    return [start + number * every for number in range(count)]


@pytest.mark.parametrize(
    ("every", "percent"), [(0.02, 0), (0.02051, 2.55), (0.0206, 3.0), (0.0203, 1.5), (0.0195, -2.5), (0.0201, 0.5)]
)
def test_the_pace_is_a_line_through_the_arrivals(every: float, percent: float) -> None:
    (pace,) = heard(grid(every, 300)).paces
    assert pace.percent == pytest.approx(percent, abs=0.01)
    assert pace.every_ms == pytest.approx(every * 1000)
    assert (pace.at, pace.message_ms, pace.rate_hz, pace.looks_like_hz) == (5.0, pytest.approx(20), 8000, None)
    assert pace.seconds == pytest.approx(299 * every)


@pytest.mark.parametrize(
    ("frames", "rate_hz", "looks_like_hz"),
    [(1, 16000, 8000), (3, 8000, 24000), (2, 8000, 16000), (2, 24000, 16000), (1, 8000, None), (4, 8000, 32000)],
)
def test_a_wrong_rate_on_a_20_ms_clock_is_named(frames: int, rate_hz: int, looks_like_hz: int | None) -> None:
    payload = {(2, 24000): FRAME * 2}.get((frames, rate_hz), FRAME * frames)
    (pace,) = heard(grid(0.02, 400), payload, rate_hz).paces
    assert pace.looks_like_hz == looks_like_hz


def test_a_flood_is_fast_and_no_wrong_rate() -> None:
    (pace,) = heard(grid(0.004, 300)).paces
    assert pace.percent == pytest.approx(-80)
    assert pace.looks_like_hz is None


def stutter(hole: float, *, every: int = 12, count: int = 400) -> list[float]:
    """A frame every 20 ms, and each so-many-th later by a hole, with all that follow."""
    return [number * 0.02 + number // every * hole for number in range(count)]


@pytest.mark.parametrize("hole", [0.05, 0.08, 0.1])
def test_holes_between_messages_in_time_are_no_slow_pace(hole: float) -> None:
    assert [abs(pace.percent) < 0.5 for pace in heard(stutter(hole)).paces] == [True]


def test_small_delays_and_holes_at_most_messages_are_a_slow_pace() -> None:
    assert heard(stutter(0.03)).paces[0].percent == pytest.approx(12, abs=1)
    assert heard(grid(0.09, 100), FRAME * 2).paces[0].percent == pytest.approx(125)


def test_three_seconds_are_needed() -> None:
    assert heard(grid(0.0206, 140)).paces == []
    assert heard(grid(0.5, 5), FRAME * 25).paces == []  # through five messages no line is drawn
    assert len(heard(grid(0.0206, 150)).paces) == 1


def test_a_pause_or_another_rate_begins_another_line() -> None:
    arrivals = heard([*grid(0.02, 200), *grid(0.021, 200, 20.0)])
    assert [round(pace.percent) for pace in arrivals.paces] == [0, 5]
    mixed = Arrivals(2.0)
    for at in grid(0.02, 400):
        mixed.take(at, 8000 if at < 9 else 16000, FRAME if at < 9 else FRAME * 2)
    mixed.close(20.0)
    assert [pace.rate_hz for pace in mixed.paces] == [8000, 16000]


GOOD = {
    "in chunks of 100 ms": [5 + 0.1 * (n // 5) for n in range(400)],
    "in chunks of 400 ms": [5 + 0.4 * (n // 20) for n in range(400)],
    "200 ms ahead from the first": [5 + max(0.0, 0.02 * n - 0.2) for n in range(160)],
    "one stall of 80 ms": [5 + 0.02 * n + (0.08 if n > 75 else 0) for n in range(150)],
    "a stall of 300 ms that is caught up": [5 + (1.8 if 75 <= n < 90 else 0.02 * n) for n in range(150)],
    "the first frame late": [5 + (0.09 if n == 0 else 0.02 * n + 0.08) for n in range(150)],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_bot_that_keeps_the_pace_in_its_own_manner_is_not_accused(name: str) -> None:
    for pace in heard(GOOD[name]).paces:
        assert abs(pace.percent) <= 1


@example(7, 30.0)
@given(st.integers(0, 10**6), st.floats(0, 40))
def test_arrivals_that_scatter_around_a_right_pace_are_not_accused(seed: int, up_to_ms: float) -> None:
    draw = random.Random(seed)
    for pace in heard(at + draw.random() * up_to_ms / 1000 for at in grid(0.02, 150)).paces:
        assert abs(pace.percent) <= 1


def test_when_nothing_came() -> None:
    arrivals = heard([*grid(0.02, 50), *grid(0.02, 50, 7.9), *grid(0.02, 5, 11.0)], end=30.0)
    assert arrivals.gaps == [
        WireGap(pytest.approx(8.9), pytest.approx(2.1)),
        WireGap(pytest.approx(11.1), pytest.approx(18.9)),
    ]
    assert heard([]).gaps == []


@pytest.mark.parametrize(
    ("payloads", "sends"),
    [
        ([bytes(320)] * 25, True),
        ([bytes(320)] * 24, False),
        ([bytes(320)] * 20 + [FRAME] + [bytes(320)] * 20, False),
        ([np.full(160, 40, "<i2").tobytes()] * 50, True),
        ([FRAME] * 100, False),
    ],
)
def test_whether_the_bot_sends_silence(payloads: list[bytes], sends: bool) -> None:
    arrivals = Arrivals(2.0)
    for number, payload in enumerate(payloads):
        arrivals.take(1 + 0.02 * number, 8000, payload)
    assert arrivals.sends_silence is sends
