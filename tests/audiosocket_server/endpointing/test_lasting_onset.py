"""From where on a voice over the bot's speech counts: an echo in the pre-roll is no part of it."""

import numpy as np
from audiosocket_server.endpointing import Endpointer, LastingVoice, UtteranceOpened, VoiceLevels
from audiosocket_server.endpointing.lasting import LASTS_MS

LOUD = np.random.Generator(np.random.PCG64(1)).integers(-9000, 9000, 160).astype("<i2").tobytes()


class Verdicts:
    adapts = False

    def __init__(self, said: str) -> None:
        self.said = iter(said)

    def is_speech(self, frame: bytes) -> bool:
        return next(self.said) == "#"

    def reset(self) -> None:
        pass


def test_single_voiced_frames_long_before_the_onset_are_no_part_of_the_voice() -> None:
    lasting = LastingVoice()
    said = "#" + "." * 12 + "#" * 60
    endpointer = Endpointer(Verdicts(said), silence_ms=700, longest_ms=9000, lasting=lasting)
    endpointer.over_speech = True
    endpointer.listen(True)
    opened = None
    for number in range(len(said)):
        if any(isinstance(fact, UtteranceOpened) for fact in endpointer.audio(LOUD) or ()):
            opened = number
        if lasting.lasts():
            break
    assert opened == 14
    assert number >= opened + LASTS_MS // 20 - 5


def test_while_the_bot_speaks_its_echo_does_not_keep_an_utterance_open() -> None:
    levels = VoiceLevels(4.5)
    levels.begin(0)
    for _ in range(20):
        levels.take(LOUD, voiced=True, quiet=False)
    for _ in range(10):
        levels.take(bytes(320), voiced=False, quiet=False)
    levels.accept()
    echo = (np.frombuffer(LOUD, "<i2") // 6).astype("<i2").tobytes()
    for over_speech, open_still in ((True, False), (False, True)):
        endpointer = Endpointer(Verdicts("#" * 80), silence_ms=700, longest_ms=9000, levels=levels)
        endpointer.over_speech = True
        endpointer.listen(True)
        for _ in range(20):
            endpointer.audio(LOUD)
        endpointer.over_speech = over_speech
        for _ in range(45):
            endpointer.audio(echo)
        assert endpointer.in_utterance is open_still


def test_while_the_bot_speaks_what_a_guard_knows_for_its_echo_does_not_last() -> None:
    for over_speech, expected in ((False, LASTS_MS // 20), (True, 2 * LASTS_MS // 20 + 2)):
        answers = iter([False, True, False, False, False])  # of the guard: at the onset, and when the voice would last
        endpointer = Endpointer(
            Verdicts("#" * 99),
            silence_ms=700,
            longest_ms=9000,
            guards=[lambda _, answers=answers: next(answers)],
            lasting=LastingVoice(),
        )
        endpointer.over_speech = True
        endpointer.listen(True)
        endpointer.audio(LOUD * 2)
        assert endpointer.in_utterance
        endpointer.over_speech = over_speech
        number = 2
        while not endpointer.lasts():
            endpointer.audio(LOUD)
            number += 1
        assert number == expected


def test_a_laugh_that_nobody_listens_to_any_more_is_no_part_of_the_next_voice() -> None:
    """The next utterance begins in the pre-roll, of which `LastingVoice` got no frame."""
    soft = (np.frombuffer(LOUD, "<i2") // 20).astype("<i2").tobytes()
    laugh = [LOUD if at % 8 < 4 else soft for at in range(LASTS_MS // 20)]
    endpointer = Endpointer(Verdicts("#" * 99), silence_ms=700, longest_ms=9000, lasting=LastingVoice())
    endpointer.over_speech = True
    endpointer.listen(True)
    for frame in laugh:
        endpointer.audio(frame)
        assert not endpointer.lasts()
    endpointer.listen(False)
    endpointer.audio(soft * 4)
    endpointer.listen(True)
    endpointer.audio(LOUD)
    assert endpointer.in_utterance


def test_without_a_look_for_voices_none_lasts() -> None:
    assert not Endpointer(Verdicts(""), silence_ms=700, longest_ms=9000).lasts()
