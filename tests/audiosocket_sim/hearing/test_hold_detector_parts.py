"""The hold detector alone: what it makes of a sound, to the sample."""

import numpy as np
import pytest

from audiosocket_sim.hearing.hold_detector import HoldDetector, What
from audiosocket_sim.hearing.hold_loop import WINDOW, HoldLoop

Sound = np.ndarray[tuple[int], np.dtype[np.int16]]

RANDOM = np.random.Generator(np.random.PCG64(5))
LOOP: Sound = (RANDOM.integers(1000, 3000, 16_000) * RANDOM.choice([-1, 1], 16_000)).astype(np.int16)
"""Two seconds in which no two places are alike, and no sample is near zero."""
OTHER: Sound = (RANDOM.integers(4000, 6000, 8_000) * RANDOM.choice([-1, 1], 8_000)).astype(np.int16)


def zeros(count: int) -> Sound:
    return np.zeros(count, np.int16)


def detect(*sounds: Sound, loop: Sound = LOOP, cut: int = 160, floor: int = 0) -> list[str]:
    """The parts as `what start-end`, neighbours of a kind joined; the sound is over at its end."""
    sound = np.concatenate(sounds)
    detector = HoldDetector(HoldLoop(loop.tobytes()), lambda start, end: sound[start:end])
    parts = []
    for end in range(cut, len(sound) + cut, cut):
        parts += detector.advance(min(end, len(sound)), floor)
    parts += detector.finish(len(sound), floor)
    lines: list[list[object]] = []
    for part in parts:
        what = "under" if part.rest is not None else part.what.value
        if lines and lines[-1][0] == what and what in ("sound", "hold"):
            assert lines[-1][2] == part.start
            lines[-1][2] = part.end
        else:
            lines.append([what, part.start, part.end])
            if part.what is What.HOLD_ENDS and not part.seamless:
                lines[-1][0] = "hold ends, broken"
    return [f"{what} {start}-{end}" for what, start, end in lines]


def held(start: int, end: int, how: str = "hold ends") -> list[str]:
    return [f"hold begins {start}-{start}", f"hold {start}-{end}", f"{how} {end}-{end}"]


def test_hold_audio_between_silence() -> None:
    assert detect(zeros(800), LOOP[:8000], zeros(800)) == ["sound 0-800", *held(800, 8800), "sound 8800-9600"]


@pytest.mark.every(3)
@pytest.mark.parametrize("at", [0, 1, 15, 16, 17, 4000, 15_900])
@pytest.mark.parametrize("before", [800, 801, 807])
def test_its_first_sample_is_found_wherever_it_begins(at: int, before: int) -> None:
    sound = np.tile(LOOP, 2)[at : at + 4000]
    other = OTHER[:before].copy()
    other[-64:] = -2 * LOOP[np.arange(at - 64, at) % len(LOOP)]  # no sample of it may be the loop's
    assert detect(other, sound, zeros(800))[:2] == [f"sound 0-{before}", f"hold begins {before}-{before}"]


@pytest.mark.parametrize(("samples", "is_hold"), [(1568, True), (1567, False)])
def test_it_is_sure_when_of_200_ms_at_most_one_sample_in_fifty_differs(samples: int, is_hold: bool) -> None:
    found = detect(zeros(800), LOOP[:samples], zeros(3000))
    assert found == (
        ["sound 0-800", *held(800, 800 + samples), f"sound {800 + samples}-{3800 + samples}"]
        if is_hold
        else [f"sound 0-{3800 + samples}"]
    )


def wrong(sound: Sound, *places: int) -> Sound:
    changed = sound.copy()
    changed[list(places)] = 0
    return changed


@pytest.mark.parametrize(
    ("places", "seamless"),
    [
        ([4000], True),
        ([4000 + 50 * i for i in range(32)], True),
        ([4000 + 49 * i for i in range(33)], False),
        (list(range(4000, 4007)), True),
        (list(range(4000, 4008)), False),
        ([5000, *range(5600, 5608)], False),
    ],
)
def test_single_samples_that_differ_break_nothing(places: list[int], seamless: bool) -> None:
    found = detect(zeros(800), wrong(LOOP[:8000], *places), zeros(800))
    assert found[:2] == ["sound 0-800", "hold begins 800-800"]
    assert found[-2:] == [f"hold ends{'' if seamless else ', broken'} 8800-8800", "sound 8800-9600"]


@pytest.mark.parametrize(("hole", "stops"), [(479, False), (480, True)])
def test_quiet_of_60_ms_ends_it_to_the_sample(hole: int, stops: bool) -> None:
    found = detect(zeros(800), LOOP[:4000], zeros(hole), LOOP[4000 + hole : 9000], zeros(800))
    if stops:
        assert found[:4] == ["sound 0-800", *held(800, 4800)]
        assert found[4:] == ["sound 4800-5280", *held(5280, 9800), "sound 9800-10600"]
    else:
        assert found == ["sound 0-800", *held(800, 9800, "hold ends, broken"), "sound 9800-10600"]


@pytest.mark.parametrize(("level", "stops"), [(103, True), (104, False)])
def test_quiet_is_below_the_audible_level(level: int, stops: bool) -> None:
    """One audible sample in the 60 ms, and it may yet go on."""
    hole = zeros(479)
    hole[200] = level
    found = detect(zeros(800), LOOP[:4000], hole, LOOP[4479:9000], zeros(800))
    assert ("hold ends 4800-4800" in found) is False
    hole = zeros(480)
    hole[200] = level
    found = detect(zeros(800), LOOP[:4000], hole, LOOP[4480:9000], zeros(800))
    assert ("hold ends 4800-4800" in found) is stops


def test_other_sound_of_200_ms_ends_it() -> None:
    found = detect(zeros(800), LOOP[:4000], OTHER[:1600], zeros(800))
    assert found == ["sound 0-800", *held(800, 4800), "sound 4800-7200"]


def test_a_jump_breaks_it_and_it_goes_on_from_there() -> None:
    found = detect(zeros(800), LOOP[:4000], LOOP[9000:13_000], zeros(800))
    assert found == [
        *("sound 0-800", "hold begins 800-800", "hold 800-4800", "hold jumps 4800-4800", "hold 4800-8800"),
        *("hold ends, broken 8800-8800", "sound 8800-9600"),
    ]


def test_what_sounds_over_it_is_given_out_beside_it() -> None:
    both = LOOP[:8000].astype(np.int32)
    both[3000:5000] += 3000 * np.sign(RANDOM.integers(0, 2, 2000) - 0.5).astype(np.int32)
    found = detect(zeros(800), both.astype(np.int16), zeros(800))
    assert found[:2] == ["sound 0-800", "hold begins 800-800"]
    assert any(line.startswith("under") for line in found)
    assert found[-2:] == ["hold ends, broken 8800-8800", "sound 8800-9600"]


@pytest.mark.parametrize(("louder", "goes_on"), [(1.39, True), (1.41, False), (0.61, True), (0.59, False)])
def test_the_loop_is_under_other_sound_if_it_has_about_its_own_level(louder: float, goes_on: bool) -> None:
    changed = LOOP[:8000].astype(np.float64)
    changed[4000:] *= louder
    found = detect(zeros(800), changed.astype(np.int16), zeros(800))
    assert any(line.startswith("under") for line in found) is goes_on


def test_it_goes_on_over_its_seam() -> None:
    assert detect(zeros(800), np.tile(LOOP, 3), zeros(800)) == ["sound 0-800", *held(800, 48_800), "sound 48800-49600"]


@pytest.mark.parametrize(("floor", "start"), [(0, 800), (800, 800), (2000, 2000)])
def test_it_is_not_traced_back_over_the_floor(floor: int, start: int) -> None:
    quiet_start = LOOP.copy()
    quiet_start[:2400] = np.arange(2400) % 7 + 5  # softer than a codec's error: found from 2,400 on
    found = detect(zeros(800), quiet_start[:12_000], zeros(800), loop=quiet_start, floor=floor)
    assert found[1] == f"hold begins {start}-{start}"


@pytest.mark.parametrize(("soft", "start"), [(3984, 800), (4100, 848)])
def test_a_soft_beginning_is_traced_back_half_a_second(soft: int, start: int) -> None:
    quiet_start = LOOP.copy()
    quiet_start[:soft] = np.arange(soft) % 7 + 5
    found = detect(zeros(800), quiet_start[:14_000], zeros(800), loop=quiet_start)
    assert found[1] == f"hold begins {start}-{start}"


@pytest.mark.parametrize(("silent", "start"), [(800, 1600), (900, 2448)])
def test_silence_of_up_to_100_ms_at_its_beginning_may_be_the_loop_s_own(silent: int, start: int) -> None:
    loop = LOOP.copy()
    loop[:silent] = 0
    found = detect(zeros(1600), loop[:8000], zeros(800), loop=loop)
    assert found[1] == f"hold begins {start}-{start}"


@pytest.mark.parametrize(("silent", "end"), [(800, 8000), (801, 8801), (2000, 10_000)])
def test_silence_at_its_end_is_the_loop_s_own_where_the_loop_is_silent_for_longer(silent: int, end: int) -> None:
    loop = LOOP.copy()
    loop[8000 : 8000 + silent] = 0
    found = detect(loop[: 8000 + silent], zeros(1600), loop=loop)
    assert found[-2] == f"hold ends {end}-{end}"


@pytest.mark.parametrize(("samples", "is_hold"), [(400, True), (399, False)])
def test_at_the_end_of_the_sound_50_ms_of_it_are_enough(samples: int, is_hold: bool) -> None:
    found = detect(zeros(800), LOOP[:samples])
    assert found == (["sound 0-800", *held(800, 800 + samples)] if is_hold else [f"sound 0-{800 + samples}"])


def test_the_sound_may_end_in_a_break() -> None:
    assert detect(zeros(800), LOOP[:4000], OTHER[:300]) == ["sound 0-800", *held(800, 4800), "sound 4800-5100"]


def test_60_ms_are_held_back_and_silence_is_not() -> None:
    sound = np.concatenate((OTHER[:3200], zeros(480)))
    detector = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    assert detector.idle
    ends = []
    for end in (480, 481, 1600, 3200, 3679):
        detector.advance(end)
        ends.append((detector.done, detector.idle))
    assert ends == [(0, False), (1, False), (1120, False), (2720, False), (3199, False)]
    detector.advance(3680)
    assert (detector.done, detector.idle) == (3680, True)
    detector.skip(5000)
    assert (detector.done, detector.idle, detector.began) == (5000, True, None)


def test_while_a_look_alike_is_checked_nothing_is_idle() -> None:
    sound = np.concatenate((zeros(800), LOOP[:4000]))
    detector = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    detector.advance(800)
    assert detector.idle
    detector.advance(800 + WINDOW - 1)
    assert not detector.idle
    detector.advance(800 + 1599)
    assert (detector.began, detector.idle, detector.done) == (None, False, 800)
    detector.advance(800 + 1600)
    assert (detector.began, detector.idle, detector.done) == (800, False, 2400)


@pytest.mark.parametrize("cut", [61, 1000, 100_000])
def test_the_cuts_do_not_matter(cut: int) -> None:
    sounds = (OTHER[:333], LOOP[700:3000], LOOP[5000:9000], OTHER[:900], zeros(500), LOOP[:3000], zeros(100))
    assert detect(*sounds, cut=cut) == detect(*sounds, cut=160)


def abrupt(soft: int) -> Sound:
    """A loop that ends loud and begins so softly that silence is within a codec's error of it."""
    loop = LOOP.copy()
    loop[:soft] = np.arange(soft) % 7 + 5
    return loop


@pytest.mark.parametrize("sound", [zeros(16_000), np.full(16_000, 8, np.int16)], ids=["silence", "a codec's silence"])
def test_silence_is_no_hold_audio_though_the_loop_falls_silent(sound: Sound) -> None:
    """It was taken for the loop from its last, loud sample on, for ever again: the call never ended."""
    loop = abrupt(4000)
    loop[-4:] = 3000
    assert detect(sound, loop=loop) == ["sound 0-16000"]


def test_such_a_loop_is_found_when_it_plays() -> None:
    loop = abrupt(4000)
    found = detect(zeros(8000), np.tile(loop, 2), zeros(8000), loop=loop)
    assert "hold begins 8000-8000" in found
    assert "hold ends 40000-40000" in found


def test_what_differs_at_the_very_end_is_no_hold_audio() -> None:
    sound = LOOP[:400].copy()
    sound[-5:] = -sound[-5:]
    assert detect(zeros(800), sound) == ["sound 0-800", *held(800, 1195), "sound 1195-1200"]


def test_silence_is_given_out_when_more_than_60_ms_are_held_back() -> None:
    sound = zeros(2000)
    detector = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    ends = []
    for end in (480, 481, 961, 962):
        detector.advance(end)
        ends.append(detector.done)
    assert ends == [0, 481, 481, 962]


def test_an_end_is_known_as_soon_as_60_ms_of_quiet_were_heard() -> None:
    sound = np.concatenate((zeros(800), LOOP[:4000], zeros(2000)))
    detector = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    detector.advance(4800)
    assert detector.began == 800
    detector.advance(4800 + 479)
    assert detector.began == 800
    assert [part.what for part in detector.advance(4800 + 480)] == [What.HOLD_ENDS]
    assert detector.began is None
    again = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    again.advance(4000)
    assert [part.what for part in again.advance(4800 + 480)] == [What.HOLD, What.HOLD_ENDS]


def test_where_the_loop_is_inaudible_other_sound_is_not_over_it() -> None:
    signs = np.sign(LOOP[4000:8000].astype(np.int32))
    loop = LOOP.copy()
    loop[4000:8000] = 50 * signs
    other = 5000 * signs * np.resize([1, -1], 4000)  # to which the loop is at a right angle
    sound = loop[:8000].astype(np.int32)
    sound[4000:] += other
    found = detect(zeros(800), sound.astype(np.int16), zeros(800), loop=loop)
    assert found == ["sound 0-800", *held(800, 4800), "sound 4800-9600"]


def test_one_look_finds_an_end_and_the_beginning_behind_it() -> None:
    sound = np.concatenate((zeros(800), LOOP[:4000], zeros(480), LOOP[:4000]))
    detector = HoldDetector(HoldLoop(LOOP.tobytes()), lambda start, end: sound[start:end])
    detector.advance(4800)
    assert [part.what for part in detector.advance(len(sound)) if part.start == part.end] == [
        What.HOLD_ENDS,
        What.HOLD_BEGINS,
    ]
