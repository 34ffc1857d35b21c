"""How loud a voice is, and whether it is the caller's own."""

import numpy as np
import pytest
from audiosocket_server.endpointing import Endpointer, VoiceLevels

FRAME = 160


class AllVoice:
    adapts = True

    def is_speech(self, frame: bytes) -> bool:
        return True

    def reset(self) -> None:
        pass


def frames(dbfs: float, count: int, seed: int = 1) -> list[bytes]:
    sound = np.random.Generator(np.random.PCG64(seed)).standard_normal(count * FRAME) * 32768 * 10 ** (dbfs / 20)
    return [np.rint(part).astype("<i2").tobytes() for part in sound.reshape(count, FRAME)]


def mixed(one: list[bytes], other: list[bytes]) -> list[bytes]:
    both = zip(one, other, strict=True)
    return [(np.frombuffer(a, "<i2") + np.frombuffer(b, "<i2")).astype("<i2").tobytes() for a, b in both]


def say(levels: VoiceLevels, what: list[bytes], noise_dbfs: float = -60, *, over_speech: bool = False) -> None:
    """An utterance and the pause behind it, in which the line is heard."""
    levels.begin(0, over_speech=over_speech)
    for frame in what:
        levels.take(frame, voiced=True, quiet=False)
    for frame in frames(noise_dbfs, 10, 6):
        levels.take(frame, voiced=False, quiet=False)


def caller(dbfs: float = -22, noise_dbfs: float = -60, softer_db: float = 4.5) -> VoiceLevels:
    levels = VoiceLevels(softer_db)
    for frame in frames(noise_dbfs, 100, 2):
        levels.take(frame, voiced=False, quiet=True)
    say(levels, mixed(frames(dbfs, 40), frames(noise_dbfs, 40, 3)), noise_dbfs)
    levels.accept()
    return levels


@pytest.mark.parametrize(("dbfs", "soft"), [(-22, False), (-25.5, False), (-19, False), (-27.5, True), (-40, True)])
def test_a_voice_is_held_against_the_callers_own(dbfs: float, soft: bool) -> None:
    levels = caller()
    say(levels, frames(dbfs, 20, 4))
    assert levels.is_soft(over=True) is soft


@pytest.mark.parametrize(("dbfs", "soft"), [(-24, False), (-25.5, True)])
def test_while_it_lasts_a_smaller_difference_is_enough(dbfs: float, soft: bool) -> None:
    levels = caller()
    say(levels, frames(dbfs, 29, 4))
    assert levels.is_soft(over=False) is None
    levels.take(frames(dbfs, 1, 5)[0], voiced=True, quiet=False)
    assert levels.is_soft(over=False) is soft
    assert levels.is_soft(over=True) is False


def test_noise_under_both_does_not_make_them_alike() -> None:
    levels = caller(noise_dbfs=-27)
    say(levels, mixed(frames(-28, 30, 4), frames(-27, 30, 5)), -27)
    assert levels.is_soft(over=True)
    say(levels, mixed(frames(-24, 30, 4), frames(-27, 30, 5)), -27)
    assert not levels.is_soft(over=True)


def test_his_first_word_is_no_noise_before_the_detector_finds_it() -> None:
    """A detector is late: on a line that was listened to for a moment his own onset was taken for loud noise."""
    levels = VoiceLevels(4.5)
    for _ in range(3):
        for frame in (*frames(-60, 12, 2), *frames(-22, 5, 3)):
            levels.take(frame, voiced=False, quiet=True)
        say(levels, frames(-22, 20, 4))
        levels.accept()
        assert levels.is_soft(over=True) is False
    say(levels, frames(-25.5, 20, 5))
    assert levels.is_soft(over=True) is False


def test_a_short_word_is_measured_with_its_beginning() -> None:
    levels = caller()
    for frame in frames(-20, 4, 4):
        levels.take(frame, voiced=True, quiet=False)
    levels.begin(4)
    for frame in frames(-30, 12, 5):
        levels.take(frame, voiced=True, quiet=False)
    assert levels.is_soft(over=True) is False
    levels.begin(0)
    for frame in frames(-30, 12, 5):
        levels.take(frame, voiced=True, quiet=False)
    assert levels.is_soft(over=True) is True


@pytest.mark.parametrize(("dbfs", "faint"), [(-22, False), (-31, False), (-33.5, True)])
def test_what_is_far_softer_than_he_is_faint(dbfs: float, faint: bool) -> None:
    levels = caller()
    for frame in frames(dbfs, 3, 4):
        levels.take(frame, voiced=True, quiet=False)
    assert levels.is_faint() is faint
    levels.take(frames(-22, 1, 5)[0], voiced=True, quiet=False)
    assert not levels.is_faint()
    assert not VoiceLevels(4.5).is_faint(), "nobody knows yet how loud he is"


def test_before_he_has_spoken_and_of_a_few_frames_nothing_is_known() -> None:
    levels = VoiceLevels(4.5)
    say(levels, frames(-40, 40))
    assert levels.is_soft(over=False) is False
    levels = caller()
    say(levels, frames(-40, 7))
    assert levels.is_soft(over=True) is None
    levels.accept()  # too little to learn from
    say(levels, frames(-30, 20))
    assert levels.is_soft(over=True)


def test_what_is_loud_well_before_an_utterance_stays_the_lines_noise() -> None:
    """Music that is heard all the time is not forgotten for its notes: who sings along is no louder than it."""
    levels = caller()
    for _ in range(3):
        for frame in (*frames(-40, 14, 8), *frames(-20, 6, 9)):
            levels.take(frame, voiced=False, quiet=True)
    levels.begin(0)
    for frame in frames(-22, 2, 4):
        levels.take(frame, voiced=False, quiet=False)
    assert not levels.is_loud()


def test_gaps_within_words_do_not_make_him_softer() -> None:
    levels = caller()
    say(levels, frames(-22, 12, 4) + frames(-50, 13, 5))
    assert not levels.is_soft(over=True)


def test_his_level_follows_slowly_and_none_is_asked_for_with_0() -> None:
    levels = caller()
    for _ in range(8):
        say(levels, frames(-28, 20, 4))
        levels.accept()
    say(levels, frames(-29, 20, 4))
    assert not levels.is_soft(over=True)
    levels = caller(softer_db=0)
    say(levels, frames(-50, 40, 4))
    assert levels.is_soft(over=False) is False


def test_noise_that_comes_with_the_voice_is_no_part_of_it() -> None:
    """A car passes: the line was quiet before. A voice has gaps, and in them the noise is heard."""
    levels = caller()
    car, voice = frames(-27, 40, 5), frames(-27, 40, 4)
    for at in range(0, 40, 8):
        voice[at] = bytes(2 * FRAME)
    say(levels, mixed(voice, car), -27)
    assert levels.is_soft(over=True)
    say(levels, voice, -60)
    assert levels.is_soft(over=True)
    say(levels, mixed(frames(-23, 40, 4), car), -27)
    assert not levels.is_soft(over=True)


def test_a_voice_that_was_taken_for_the_lines_noise_does_not_hide_him() -> None:
    """However loud the noise was, he is measured 4 dB too soft, and no more."""
    levels = caller()
    for frame in frames(-20, 200, 2):
        levels.take(frame, voiced=False, quiet=True)
    say(levels, frames(-22, 40, 4))
    assert levels.is_soft(over=True) is False
    say(levels, frames(-24, 40, 4))
    assert levels.is_soft(over=True) is True


@pytest.mark.parametrize(("may_wait", "said"), [(False, True), (True, None)])
def test_with_time_it_is_weighed_later(may_wait: bool, said: bool | None) -> None:
    """After 30 voiced frames, or 40 of any kind."""
    levels = caller()
    levels.begin(0)
    for number, frame in enumerate(frames(-31, 40, 4), start=1):
        levels.take(frame, voiced=number % 8 != 0, quiet=False)
        known = number >= 34
        expected = None if not known else said if number < 40 else True
        assert levels.is_soft(over=False, may_wait=may_wait) is expected


def test_who_speaks_without_a_gap_is_as_loud_as_before() -> None:
    """While he speaks the softest tenth is his voice, not the noise of the line: so it was in his own turn."""
    levels = caller()
    levels.begin(0)
    for frame in frames(-22, 60, 4):
        levels.take(frame, voiced=True, quiet=False)
        assert not levels.is_soft(over=False)
    levels.begin(0)
    for frame in frames(-25.5, 60, 4):
        levels.take(frame, voiced=True, quiet=False)
    assert levels.is_soft(over=False)


def test_a_word_before_the_detector_found_it_has_no_gap_either() -> None:
    """The frames with which an utterance begins count among its softest."""
    levels = caller()
    for frame in frames(-60, 5, 6):
        levels.take(frame, voiced=False, quiet=False)
    levels.begin(5)
    for frame in mixed(frames(-23, 40, 4), frames(-27, 40, 5)):
        levels.take(frame, voiced=True, quiet=False)
    assert levels._softest() < 32768**2 * 1e-5
    levels.begin(0)
    for frame in mixed(frames(-23, 40, 4), frames(-27, 40, 5)):
        levels.take(frame, voiced=True, quiet=False)
    assert levels._softest() == pytest.approx(levels._voiced() / 2)
    for frame in mixed(frames(-23, 160, 4), frames(-27, 160, 5)):
        levels.take(frame, voiced=True, quiet=False)
    assert len(levels._all) == 150


@pytest.mark.parametrize(("softer_db", "dbfs", "soft"), [(12, -33, False), (12, -36, True), (0.5, -22.9, True)])
def test_the_setting_holds_however_large_or_small_it_is(softer_db: float, dbfs: float, soft: bool) -> None:
    levels = caller(softer_db=softer_db)
    say(levels, frames(dbfs, 40, 4))
    assert levels.is_soft(over=True) is soft


@pytest.mark.parametrize("over_speech", [True, False])
def test_it_is_told_whether_an_utterance_begins_over_the_bot(over_speech: bool) -> None:
    levels = caller()
    endpointer = Endpointer(AllVoice(), silence_ms=700, longest_ms=9000, levels=levels)
    endpointer.over_speech = over_speech
    endpointer.listen(True)
    for frame in frames(-22, 5, 4):
        endpointer.audio(frame)
    assert endpointer.in_utterance
    assert levels._over_speech is over_speech
