"""Could this machine have made a defect? Each kind, with more of it than the lateness, and with less."""

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, DefectFound, StepFailed
from audiosocket_sim.checks.late_defects import defects_could_turn, without_our_part
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate
from audiosocket_sim.checks.quality import quality_faults
from audiosocket_sim.scenario import Quality

THREAD = LatenessRecord([WasLate(LateBy.THREAD, 3500, 100)])
BOT = LatenessRecord([WasLate(LateBy.BOT, 3500, 100)])
PACKET = LatenessRecord([WasLate(LateBy.PACKET, 3500, 100)])


def turns(defect: DefectFound, late: LatenessRecord, at_ms: int = 3000, *, speaks: bool = False) -> bool:
    """Whether this defect, which fails the call, could turn."""
    said = [(2500, CallerSpoke("Quero falar com o 202.", "x", 3000))] if speaks else []
    log = entries(*said, (at_ms, defect))
    (fault,) = quality_faults(log, Quality())
    return defects_could_turn(StepFailed(0, "quality", fault.expected, fault.happened), log, Quality(), late)


@pytest.mark.parametrize(
    ("kind", "small", "large", "duration_ms"),
    [
        ("holes", 300, 301, 2000),  # 200 ms are allowed
        ("ahead", 400, 401, 2000),
        ("unheard", 140, 141, 500),
        ("pace", 3.5, 3.51, 4000),  # 100 ms of 4 s are 2.5 %
    ],
)
@pytest.mark.parametrize("late", [THREAD, BOT])
def test_what_was_read_or_sent_late(
    kind: str, small: float, large: float, duration_ms: int, late: LatenessRecord
) -> None:
    assert turns(DefectFound(kind, "it", small, duration_ms), late)
    assert not turns(DefectFound(kind, "it", large, duration_ms), late)
    assert not turns(DefectFound(kind, "it", small, duration_ms), PACKET)
    assert not turns(DefectFound(kind, "it", small, duration_ms), LatenessRecord())


def test_sound_that_an_early_hole_had_put_off_was_not_heard_for_our_fault() -> None:
    """The hole's lead stays with the phone, which holds 300 ms of it."""
    late = LatenessRecord([WasLate(LateBy.THREAD, 1000, 120)])
    long_before = LatenessRecord(WasLate(LateBy.BOT, at_ms, 90) for at_ms in range(500, 2000, 100))
    assert turns(DefectFound("unheard", "it", 130), late)
    assert not turns(DefectFound("unheard", "it", 161), late)
    assert turns(DefectFound("unheard", "it", 340), long_before)
    assert not turns(DefectFound("unheard", "it", 341), long_before)


@pytest.mark.parametrize("kind", ["ahead", "unheard"])
def test_many_short_latenesses_leave_no_long_lead(kind: str) -> None:
    """What a phone has been made to wait for once, it waits for no second time."""
    often = LatenessRecord(WasLate(LateBy.THREAD, at_ms, 15) for at_ms in range(100, 2900, 50))
    limit = 300 if kind == "ahead" else 40
    assert turns(DefectFound(kind, "it", limit + 15), often)
    assert not turns(DefectFound(kind, "it", limit + 16), often)


def test_what_was_put_off_before_a_pause_of_the_bot_was_played_in_it() -> None:
    late, defect = LatenessRecord([WasLate(LateBy.BOT, 500, 120)]), DefectFound("unheard", "it", 130)
    for spoken, left_ms in (
        ([(1500, BotSpoke(None, 1400))], 10),
        ([(300, BotSpoke(None, 700)), (1500, BotSpoke(None, 1400))], 130),
    ):
        log = entries(*spoken, (3000, defect))
        assert [one.event.amount for one in without_our_part(log, late) if isinstance(one.event, DefectFound)] == [
            left_ms
        ]


def test_a_hole_of_ours_in_the_frame_after_the_end_cut_off_the_last_sound() -> None:
    assert turns(DefectFound("unheard", "it", 60, 500), LatenessRecord([WasLate(LateBy.THREAD, 3520, 20)]))
    assert not turns(DefectFound("unheard", "it", 60, 500), LatenessRecord([WasLate(LateBy.THREAD, 3540, 20)]))


def left(defect: DefectFound, *late: WasLate) -> float | None:
    """How much of a defect at 3.0 s is left without this machine's part of it."""
    (entry,) = without_our_part(entries((3000, defect)), LatenessRecord(late))
    assert isinstance(entry.event, DefectFound)
    return entry.event.amount


def test_our_part_is_taken_off_and_no_more() -> None:
    stall = WasLate(LateBy.BOT, 5000, 100)
    assert left(DefectFound("holes", "it", None, 4000), stall) is None
    assert left(DefectFound("pace", "it", 0.8, 20_000), stall) == pytest.approx(0.3)
    assert left(DefectFound("pace", "it", 0.4, 20_000), stall) == 0
    assert left(DefectFound("pace", "it", -0.8, 20_000), stall) == pytest.approx(-0.3)
    behind_a_stall = WasLate(LateBy.BOT, 2990, 80)
    assert left(DefectFound("pace", "it", -6.0, 4000), behind_a_stall, stall) == pytest.approx(-6.0 + 180 / 40)


def test_a_slow_bot_and_a_fast_one() -> None:
    assert turns(DefectFound("pace", "it", -3.5, 4000), THREAD)
    assert not turns(DefectFound("pace", "it", -3.51, 4000), THREAD)


BUSY = LatenessRecord(WasLate(LateBy.BOT, at_ms, 20) for at_ms in range(3100, 7000, 100))
"""A busy machine: a fifth of the time the bot has no processor, for some milliseconds each."""


def test_short_stalls_that_a_bot_catches_up_leave_its_pace() -> None:
    assert BUSY.hole_ms(3000, 7000) == 780
    assert not turns(DefectFound("pace", "it", 12.0, 4000), BUSY)
    assert not turns(DefectFound("pace", "it", 2.1, 4000), BUSY)
    assert turns(DefectFound("pace", "it", 1.5, 4000), BUSY)  # 20 ms at either edge of the line


@pytest.mark.parametrize(
    ("stalls", "ours_ms"),
    [
        ([(5000, 60)], 0),
        ([(5000, 61)], 61),
        ([(5000, 30), (5110, 31)], 61),  # one stall in two readings
        ([(5000, 30), (5200, 31)], 0),
        ([(3010, 40), (7000, 50)], 30 + 50),  # at the edges of the line; it may begin a frame earlier
        ([(3050, 90)], 70 + 60),
    ],
)
def test_what_a_stall_does_to_the_pace(stalls: list[tuple[int, int]], ours_ms: int) -> None:
    late = LatenessRecord(WasLate(LateBy.BOT, at_ms, late_ms) for at_ms, late_ms in stalls)
    (entry,) = without_our_part(entries((3000, DefectFound("pace", "it", 12.0, 4000))), late)
    assert isinstance(entry.event, DefectFound)
    assert entry.event.amount == pytest.approx(12.0 - ours_ms / 40)


def test_a_hole_before_the_speech_does_not_make_its_holes_but_its_lead() -> None:
    assert not turns(DefectFound("holes", "it", 250, 2000), THREAD, 3600)
    assert turns(DefectFound("ahead", "it", 350, 2000), THREAD, 3600)


@pytest.mark.parametrize("kind", ["damage", "level", "after_end"])
def test_what_is_in_the_samples_comes_of_no_lateness(kind: str) -> None:
    amount = -5.0 if kind == "level" else None
    assert not turns(DefectFound(kind, "it", amount, 2000), THREAD)
    assert not turns(DefectFound(kind, "it", amount, 2000), STOOD_STILL)


STOOD_STILL = LatenessRecord([WasLate(LateBy.BOT, 3500, 25_000)])


@pytest.mark.parametrize("fault", ["cuts", "lost", "repeats"])
def test_sound_that_was_not_made_in_time(fault: str) -> None:
    """A thread that sends goes on with silence while the one that makes the sound stands still."""
    assert turns(DefectFound("damage", "it", 100, 500, fault), BOT)
    assert not turns(DefectFound("damage", "it", 101, 500, fault), BOT)
    assert turns(DefectFound("damage", "it", 100, 500, fault), BOT, 4400)  # it had been made a second ahead
    assert not turns(DefectFound("damage", "it", 100, 500, fault), BOT, 4401)
    assert not turns(DefectFound("damage", "it", 100, 500, fault), BUSY)
    assert not turns(DefectFound("damage", "it", 100, 500, fault), THREAD)  # that we read late makes no silence
    assert not turns(DefectFound("damage", "it", 100, 500, "clicks"), BOT)


def test_a_burst_behind_a_stall_is_no_pace() -> None:
    """What was due in 25 s comes at once, and then a clock's pace."""
    burst = DefectFound("pace", "it", -83.3, 5000)
    assert turns(burst, STOOD_STILL, 3500)
    assert turns(burst, STOOD_STILL, 3620)  # it is read every 100 ms
    assert not turns(burst, STOOD_STILL, 3621)
    assert not turns(DefectFound("pace", "it", 83.3, 5000), STOOD_STILL, 3621)
    assert not turns(burst, BOT, 3500)


def test_a_burst_has_no_holes_but_a_lead() -> None:
    assert turns(DefectFound("ahead", "it", 3800, 20), STOOD_STILL, 3500)
    assert turns(DefectFound("unheard", "it", 24_800, 20), STOOD_STILL, 3540)


def test_a_bot_that_speaks_behind_a_hole_in_the_caller_s_words() -> None:
    defect = DefectFound("premature", "it", None, 500)
    assert turns(defect, PACKET, 4000, speaks=True)
    assert not turns(defect, PACKET, 3300, speaks=True)
    assert not turns(defect, THREAD, 4000, speaks=True)
    assert not turns(defect, PACKET, 4000)


def test_a_seam_of_hold_audio() -> None:
    assert turns(DefectFound("hold_seam", "it", None, 500), THREAD)
    assert not turns(DefectFound("hold_seam", "it", None, 300), THREAD)


def test_hold_audio_that_jumps_behind_a_stall() -> None:
    late = LatenessRecord([WasLate(LateBy.BOT, 3500, 400)])
    assert turns(DefectFound("hold_seam", "it", None, 100), late, 3700)
    assert not turns(DefectFound("hold_seam", "it", None, 100), late, 3900)


@pytest.mark.parametrize(("silent_ms", "could"), [(2100, True), (2101, False)])
def test_nothing_on_the_wire(silent_ms: int, could: bool) -> None:
    quality = Quality.model_validate({"wire_silence": "2s"})
    log = entries((3000, DefectFound("wire_silence", "it", silent_ms, silent_ms)))
    (fault,) = quality_faults(log, quality)
    failed = StepFailed(0, "quality", fault.expected, fault.happened)
    assert defects_could_turn(failed, log, quality, THREAD) is could


@pytest.mark.parametrize(("kept_ms", "could"), [(1000, True), (999, False)])
def test_a_connection_left_open(kept_ms: int, could: bool) -> None:
    """By a bot that had no time to close it."""
    late = LatenessRecord([WasLate(LateBy.BOT, 4500, kept_ms)])
    assert turns(DefectFound("left_open", "it", None, 2000), late) is could


@pytest.mark.parametrize(("began_ms", "could"), [(3000, True), (3100, True), (3101, False)])
def test_an_answer_that_came_so_late_that_the_caller_spoke_again(began_ms: int, could: bool) -> None:
    late = LatenessRecord([WasLate(LateBy.BOT, 2300, 100)])
    said = [(1000, CallerSpoke("Oi.", "x", 300)), (3000, CallerSpoke("Alô?", "x", 900))]
    log = entries(*said, (began_ms, DefectFound("premature", "it", 500)))
    (fault,) = quality_faults(log, Quality())
    failed = StepFailed(0, "quality", fault.expected, fault.happened)
    assert defects_could_turn(failed, log, Quality(), late) is could


@pytest.mark.parametrize(("kept_ms", "could"), [(200, True), (199, False)])
def test_a_bot_that_stood_still_in_the_caller_s_words(kept_ms: int, could: bool) -> None:
    """Its timers ran out before it read what had come."""
    late = LatenessRecord([WasLate(LateBy.BOT, 3500, kept_ms)])
    assert turns(DefectFound("premature", "it", None, 500), late, 4000, speaks=True) is could


def test_everything_else_stays_as_it_is() -> None:
    log = entries((1000, BotSpoke(None, 900)), (3000, DefectFound("ahead", "it", 350, 100)))
    assert without_our_part(log, LatenessRecord()) == log


def test_a_sentence_that_ended_in_our_hole_was_not_broken_off_for_another_caller() -> None:
    broken = DefectFound("cross_talk", "it", fault="broken off")
    assert turns(broken, THREAD, 3600)
    assert not turns(broken, THREAD, 5000)
    assert not turns(broken, PACKET, 3600)
    assert not turns(DefectFound("cross_talk", "it", fault="voice"), THREAD, 3600)
