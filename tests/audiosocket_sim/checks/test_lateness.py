"""The record of lateness: what counts, what counts once, and how much of a silence it explains. Arithmetic, no call."""

import pytest

from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate

PACKET, THREAD, BACKEND, BOT = LateBy


def record(*found: tuple[LateBy, float, float]) -> LatenessRecord:
    return LatenessRecord(WasLate(*one) for one in found)


def test_of_nothing_comes_nothing() -> None:
    assert not record()
    assert not record((PACKET, 1000, 1.9))
    assert (record().shift_ms(0, 9000), record().hole_ms(0, 9000), record().bot_holes(0, 9000)) == (0, 0, [])


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "shift_ms"),
    [
        (0, 9000, 50 + 40 + 30),  # the three longest
        (0, 979, 0),
        (1000, 1500, 50),  # due at 0.980, done at 1.030: it touches the time
        (1031, 1900, 0),
        (1031, 2100, 40),
    ],
)
def test_how_far_events_may_have_been_moved(from_ms: int, to_ms: int, shift_ms: int) -> None:
    late = record((PACKET, 1030, 50), (THREAD, 2040, 40), (BACKEND, 3030, 30), (THREAD, 4020, 20))
    assert late.shift_ms(from_ms, to_ms) == shift_ms


def test_the_bot_s_waits_move_what_it_does() -> None:
    """A chain meets three of them, and each stall beside."""
    late = record((THREAD, 1000, 10), *((BOT, at_ms, 20) for at_ms in range(2000, 3000, 100)))
    assert late.shift_ms(0, 9000) == 10 + 3 * 20
    stalls = record((BOT, 4000, 59), *((BOT, at_ms, 60) for at_ms in range(5000, 6000, 200)))
    assert stalls.shift_ms(0, 9000) == 5 * 60
    assert stalls.shift_ms(4500, 5200) == 2 * 60
    assert record((BOT, 30_000, 25_000)).shift_ms(6000, 7000) == 25_000


def test_what_was_late_at_once_counts_once() -> None:
    late = record((PACKET, 1100, 100), (THREAD, 1090, 80), (BACKEND, 1110, 20))
    assert late.shift_ms(0, 2000) == 110


def test_how_much_silence_this_machine_explains() -> None:
    late = record((THREAD, 1050, 50), (BOT, 1100, 80), (PACKET, 3000, 500), (BACKEND, 3000, 500))
    assert late.hole_ms(0, 5000) == 100  # the thread from 1.000, the bot from 1.020 to 1.100
    assert late.hole_ms(1050, 5000) == 50
    assert late.hole_ms(2000, 5000) == 0


def test_a_packet_makes_a_hole_from_two_frames_on() -> None:
    late = record((PACKET, 1000, 39), (PACKET, 2000, 40), (THREAD, 2500, 400), (PACKET, 4000, 60))
    assert [one.at_ms for one in late.bot_holes(0, 3500)] == [2000]
    assert [one.due_ms for one in late.bot_holes(1970, 3950)] == [1960, 3940]


def test_a_standstill_leaves_nothing_sure() -> None:
    readings = record(*((BOT, at_ms, 95) for at_ms in range(2100, 3200, 100)))  # of one stall, from 2.005 to 3.100
    assert (readings.longest_stall_ms(0, 2500), readings.stood_still(2500)) == (1095, True)
    assert not readings.stood_still(2000)
    assert not record(*((BOT, at_ms, 75) for at_ms in range(2100, 9000, 100))).stood_still(9000)
    assert record((THREAD, 4000, 2000)).stood_still(9000)
    assert not record((THREAD, 4000, 1999), (PACKET, 6000, 2500), (BACKEND, 6000, 2500)).stood_still(9000)


def test_what_a_phone_loses_behind_a_stall() -> None:
    late = record((BOT, 2000, 900), (THREAD, 4000, 299), (BOT, 6000, 400))
    assert late.lost_ms(1500, 9000) == 600 + 100
    assert (late.lost_ms(2300, 3000), late.lost_ms(2301, 3000)) == (600, 0)


def test_for_how_long_a_bot_could_make_no_sound() -> None:
    late = record((BOT, 1000, 60), (BOT, 2000, 100), (BOT, 2100, 90), (THREAD, 3000, 900))
    assert (late.not_made_ms(0, 9000), late.not_made_ms(1950, 9000)) == (200, 150)


def test_stalls_in_which_the_bot_s_timers_ran_out() -> None:
    late = record((BOT, 1000, 199), (BOT, 2000, 95), (BOT, 2100, 90), (BOT, 2200, 90), (THREAD, 4000, 900))
    assert late.bot_stalls(0, 9000) == [(1905, 2200)]
    assert late.bot_stalls(2201, 9000) == []


def test_stretches_say_what_was_late_when_and_leave_out_what_is_short() -> None:
    found = [(LateBy.PACKET, 1000, 30), (LateBy.PACKET, 1020, 40), (LateBy.BOT, 5000, 300), (LateBy.THREAD, 8000, 3)]
    late = LatenessRecord(WasLate(*one) for one in found)
    assert late.stretches(5) == [(LateBy.PACKET, 970, 1020), (LateBy.BOT, 4700, 5000)]
