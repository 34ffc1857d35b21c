"""The time stamps that Asterisk gives to its packets. A real one: asterisk_real/test_what_a_phone_gets.py."""

from itertools import pairwise

import pytest

from audiosocket_sim.hearing.phones.rtp_stamps import RtpStamps


def steps(times_ms: list[float], samples: int = 160) -> list[int]:
    """How far each stamp is behind the one before, in ms."""
    stamps = RtpStamps()
    found = [stamps.stamp(10 + ms / 1000, samples) for ms in times_ms]
    return [(after - before) // 8 for before, after in pairwise(found)]


@pytest.mark.parametrize(
    ("times_ms", "expected"),
    [
        ([0, 20, 40], [20, 20]),
        ([0, 0, 0, 0], [20, 20, 20]),  # a burst runs ahead of the clock
        ([0, 95], [20]),  # a short hole is in no stamp
        ([0, 100, 120], [100, 20]),
        ([0, 5000], [5000]),
        ([0, 20.5, 41, 61.5], [20, 20, 20]),
    ],
)
def test_a_stamp_goes_on_by_the_length_unless_the_clock_differs_by_80_ms(
    times_ms: list[float], expected: list[int]
) -> None:
    assert steps(times_ms) == expected


def test_packets_of_100_ms_and_more_in_a_burst_get_one_stamp() -> None:
    assert steps([0, 0, 0], 1600) == [0, 0]
    assert steps([0, 200, 400], 1600) == [200, 200]
