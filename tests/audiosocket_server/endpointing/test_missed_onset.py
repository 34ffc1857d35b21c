"""A voice over the bot's that the detector finds late: it begins where it is loud and has a pitch."""

import numpy as np
import pytest
from audiosocket_server.endpointing import Endpointer, NearestVoice, Surroundings, UtteranceOpened, VoiceLevels
from audiosocket_server.endpointing.periodicity import PERIODIC_MS, is_periodic

FRAME = 160
RATE_HZ = 8000
OWN_DBFS = -22.0
HUSH_DBFS = -60.0


def at(sound: np.ndarray, dbfs: float) -> np.ndarray:
    return sound * 32768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound * sound))


def noise(dbfs: float, ms: float, seed: int = 1) -> np.ndarray:
    return at(np.random.Generator(np.random.PCG64(seed)).standard_normal(round(ms * 8)), dbfs)


def vowel(dbfs: float, ms: float, hz: float = 120.0) -> np.ndarray:
    """What vocal cords make, through a tract that lets 600 and 1,200 Hz pass best."""
    seconds = np.arange(round(ms * 8)) / RATE_HZ
    parts = [
        np.sin(2 * np.pi * number * hz * seconds + number) / (1 + ((number * hz - 600) / 400) ** 2)
        for number in range(3, int(3400 / hz))
    ]
    return at(np.sum(parts, axis=0), dbfs)


def slin(sound: np.ndarray) -> bytes:
    return np.rint(np.clip(sound, -32768, 32767)).astype("<i2").tobytes()


class Late:
    """A detector that hears nothing until it is told to."""

    adapts = True
    voiced = False

    def is_speech(self, frame: bytes) -> bool:
        return self.voiced

    def reset(self) -> None:
        pass


class Graded(Late):
    likelihood = 0.0


GRADED = Graded()


def over_the_bot(
    *, line_dbfs: float = HUSH_DBFS, softer_db: float = 4.5, guards: bool = False, missed_ms: int = 0
) -> tuple[Endpointer, list[bytes]]:
    """An endpointer that knows the caller's level and the line's noise, while the bot speaks; and what its guard was
    asked about. `missed_ms`: how much of his turn the detector missed."""
    levels, vad, asked = VoiceLevels(softer_db), Late(), []

    def guard(heard: bytes) -> bool:
        asked.append(heard)
        return guards

    endpointer = Endpointer(vad, silence_ms=600, longest_ms=30_000, levels=levels, guards=[guard])
    endpointer.listen(True)
    endpointer.audio(slin(noise(line_dbfs, 1000)))
    endpointer.audio(slin(vowel(OWN_DBFS, missed_ms)) if missed_ms else b"")
    vad.voiced = True
    endpointer.audio(4 * slin(np.concatenate((vowel(OWN_DBFS, 160), noise(HUSH_DBFS, 40)))))
    vad.voiced = False
    levels.accept()
    endpointer.audio(slin(noise(line_dbfs, 1000, 2)))
    endpointer.drop()
    endpointer.over_speech = True
    asked.clear()
    return endpointer, asked


def opens(endpointer: Endpointer, sound: np.ndarray) -> int | None:
    """After how many frames an utterance began; None: it did not."""
    for number in range(len(sound) // FRAME):
        if endpointer.audio(slin(sound[number * FRAME : (number + 1) * FRAME])):
            return number + 1
    return None


def test_a_loud_vowel_that_the_detector_misses_begins_an_utterance() -> None:
    endpointer, _ = over_the_bot()
    assert opens(endpointer, vowel(OWN_DBFS, 100)) == 3
    assert endpointer.utterance_ms == 40


def test_its_audio_begins_with_it() -> None:
    endpointer, _ = over_the_bot()
    syllable = vowel(OWN_DBFS, 60)
    facts = [endpointer.audio(slin(syllable[at : at + FRAME])) for at in range(0, len(syllable), FRAME)]
    (opened,) = facts[-1] or []
    assert isinstance(opened, UtteranceOpened)
    assert opened.pcm.endswith(slin(syllable))


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(vowel(OWN_DBFS - 4.5, 200), id="softer"),
        pytest.param(noise(OWN_DBFS + 6, 200), id="without a pitch"),
        pytest.param(np.concatenate((vowel(OWN_DBFS, 15), noise(HUSH_DBFS, 185))), id="too short"),
    ],
)
def test_no_other_sound_does(sound: np.ndarray) -> None:
    endpointer, asked = over_the_bot()
    assert opens(endpointer, sound) is None
    assert asked == []


def test_what_is_no_louder_than_the_line_has_been_is_of_the_line() -> None:
    """Music has a pitch too."""
    endpointer, _ = over_the_bot(line_dbfs=OWN_DBFS)
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None
    assert opens(endpointer, vowel(OWN_DBFS + 6, 200)) is not None


def test_where_the_lines_noise_is_not_known_nothing_stands_out_of_it() -> None:
    levels = VoiceLevels(4.5)
    for hush_frames, loud in ((4, False), (5, True)):
        levels = VoiceLevels(4.5)
        levels.begin(0)
        for frame in np.split(np.concatenate((vowel(OWN_DBFS, 400), noise(HUSH_DBFS, 100))), 25):
            levels.take(slin(frame), voiced=True, quiet=False)
        levels.accept()
        for frame in np.split(noise(HUSH_DBFS, 20 * hush_frames), hush_frames):
            levels.take(slin(frame), voiced=False, quiet=True)
        for frame in np.split(vowel(OWN_DBFS, 40), 2):
            levels.take(slin(frame), voiced=False, quiet=False)
        assert levels.is_loud() is loud


def test_notes_over_the_bot_do_not_make_the_line_unknown() -> None:
    endpointer, _ = over_the_bot(line_dbfs=OWN_DBFS - 1)
    for _ in range(12):
        assert opens(endpointer, vowel(OWN_DBFS + 8, 100)) is not None
        endpointer.drop()
        opens(endpointer, noise(OWN_DBFS - 1, 200))
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None


@pytest.mark.parametrize("missed_ms", [100, 200, 300, 400])
def test_a_syllable_that_was_missed_before_does_not_count_as_the_lines_noise(missed_ms: int) -> None:
    endpointer, _ = over_the_bot(missed_ms=missed_ms)
    assert opens(endpointer, vowel(OWN_DBFS, 100)) == 3


def test_what_is_speech_but_not_near_enough_is_not_missed() -> None:
    endpointer, _ = over_the_bot()
    gate = NearestVoice(GRADED, Surroundings())
    gate.refuses = True
    gate.is_speech = lambda frame: False  # type: ignore[method-assign]
    endpointer.use(gate)
    endpointer.listen(False)
    endpointer.listen(True)
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None
    gate.refuses = False
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is not None


def test_it_is_asked_about_while_the_bot_speaks_and_nobody_else_does() -> None:
    endpointer, _ = over_the_bot()
    endpointer.over_speech = False
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None


def test_without_a_level_of_the_caller_nothing_is_missed() -> None:
    endpointer, _ = over_the_bot(softer_db=0.0)
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None
    endpointer = Endpointer(Late(), silence_ms=600, longest_ms=30_000)
    endpointer.listen(True)
    endpointer.over_speech = True
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None


def test_a_guard_may_know_it_for_an_echo() -> None:
    endpointer, asked = over_the_bot(guards=True)
    assert opens(endpointer, vowel(OWN_DBFS, 200)) is None
    assert asked


@pytest.mark.parametrize("hz", [85.0, 120.0, 220.0, 380.0])
@pytest.mark.parametrize("over_noise_db", [6.0, 40.0])
def test_a_vowel_is_periodic(hz: float, over_noise_db: float) -> None:
    sound = vowel(-22, PERIODIC_MS, hz) + noise(-22 - over_noise_db, PERIODIC_MS)
    assert is_periodic(slin(sound))


@pytest.mark.parametrize("seed", range(20))
def test_noise_a_knock_and_silence_are_not(seed: int) -> None:
    hiss = noise(-22, PERIODIC_MS, seed)
    assert not is_periodic(slin(hiss))
    assert not is_periodic(slin(hiss * np.exp(-np.arange(len(hiss)) / 40)))
    assert not is_periodic(bytes(2 * len(hiss)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("hz", [50, 120])
def test_a_rumble_is_not(seed: int, hz: int) -> None:
    """It is like itself a moment later, but not a period later."""
    longer = noise(-22, 400, seed)
    spectrum = np.fft.rfft(longer)
    spectrum[np.fft.rfftfreq(len(longer), 1 / RATE_HZ) > hz] = 0
    rumble = at(np.fft.irfft(spectrum), -22)
    assert not is_periodic(slin(rumble[1600:][: 8 * PERIODIC_MS]))


def test_a_slow_drift_is_not() -> None:
    assert not is_periodic(slin(np.linspace(-3000, 3000, 8 * PERIODIC_MS)))


def test_of_too_short_a_sound_nothing_is_said() -> None:
    assert not is_periodic(slin(vowel(-22, PERIODIC_MS - 20)))
