"""Which voice is the caller's: levels are decibels of full scale, the detector is told what it shall say."""

import numpy as np
from audiosocket_server.endpointing import NearestVoice, Surroundings

from audiosocket_sim.phone.line import noise, tone

SILENCE = bytes(320)


class Says:
    """A detector that says what it is told."""

    adapts = False

    def __init__(self) -> None:
        self.likelihood = 0.9
        self.resets = 0

    def is_speech(self, frame: bytes) -> bool:
        return self.likelihood >= 0.5

    def reset(self) -> None:
        self.resets += 1


class ALine:
    """One line: what sounds on it, frame by frame, and what the detector makes of it."""

    def __init__(self) -> None:
        self.around, self.says = Surroundings(), Says()
        self.vad = NearestVoice(self.says, self.around)
        self.in_turn = False
        self._seed = 0

    def bot(self, frames: int, frame: bytes = SILENCE) -> None:
        for _ in range(frames):
            self.around.played(frame)

    def sounds(self, dbfs: float, frames: int = 1, likelihood: float = 0.9) -> list[bool]:
        self._seed += 1
        self.says.likelihood = likelihood
        return self.hears(noise(frames * 20, dbfs, "white", self._seed))

    def hears(self, pcm: bytes) -> list[bool]:
        verdicts = []
        for at in range(0, len(pcm), 320):
            self.around.heard(pcm[at : at + 320], in_turn=self.in_turn)
            verdicts.append(self.vad.is_speech(pcm[at : at + 320]))
        return verdicts


class NeedsTime(Says):
    """A detector that takes nothing for speech until it has heard half a second since a reset."""

    def __init__(self, likelihood: float) -> None:
        super().__init__()
        self._later = likelihood
        self.reset()

    def is_speech(self, frame: bytes) -> bool:
        self.heard += 1
        self.likelihood = self._later if self.heard > 25 else 0.0
        return self.likelihood >= 0.5

    def reset(self) -> None:
        super().reset()
        self.heard = 0


def of_a_loudspeaker(dbfs: float, frames: int, seed: int = 1) -> bytes:
    """Noise without low frequencies."""
    samples = np.frombuffer(noise(frames * 20, dbfs, "white", seed), "<i2")
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / 8000) < 500] = 0
    return np.rint(np.fft.irfft(spectrum, len(samples))).astype("<i2").tobytes()


def with_television(dbfs: float = -25) -> ALine:
    """A line on which a loudspeaker without low frequencies is heard."""
    line = ALine()
    line.bot(100)
    line.hears(of_a_loudspeaker(dbfs, 150))
    return line


def over_television(hz: int, dbfs: float, frames: int) -> bytes:
    """A tone and the loudspeaker."""
    both = [np.frombuffer(pcm, "<i2") for pcm in (tone(frames * 20, hz, dbfs), of_a_loudspeaker(-25, frames, 2))]
    return (both[0] + both[1]).astype("<i2").tobytes()


def with_babble(dbfs: float = -32) -> ALine:
    line = ALine()
    line.bot(100)
    line.sounds(dbfs, 100)
    return line


def test_babble_is_not_the_caller_and_a_nearer_voice_is() -> None:
    line = with_babble()
    assert not any(line.sounds(-32, 50))
    assert all(line.sounds(-22, 10)[3:])


def test_it_tells_what_is_speech_but_not_near_enough_from_what_is_none() -> None:
    line = with_babble()
    line.sounds(-32, 50)
    assert line.vad.refuses
    line.sounds(-32, likelihood=0.1)
    assert not line.vad.refuses
    line.sounds(-22, 10)
    assert not line.vad.refuses
    line.in_turn = True
    line.sounds(-32, 50)
    assert line.vad.refuses


def test_within_a_turn_babble_is_silence() -> None:
    line = with_babble()
    line.sounds(-22, 5)
    line.in_turn = True
    assert all(line.sounds(-22, 20)[3:])
    assert all(line.sounds(-27, 10)[3:])
    assert not any(line.sounds(-32, 50)[3:])


def test_on_a_quiet_line_everything_passes() -> None:
    line = ALine()
    line.bot(100)
    line.sounds(-60, 100, likelihood=0.01)
    assert all(line.sounds(-50, 10)[3:])
    line.in_turn = True
    assert all(line.sounds(-22, 20))
    assert all(line.sounds(-50, 20)[3:])


def test_noise_that_is_no_speech_hides_nobody() -> None:
    line = ALine()
    line.bot(100)
    line.sounds(-27, 100, likelihood=0.02)
    assert all(line.sounds(-27, 5))
    line.in_turn = True
    assert all(line.sounds(-30, 10))


def test_a_caller_who_spoke_while_nobody_listened_does_not_shut_himself_out() -> None:
    line = ALine()
    line.bot(100)
    line.sounds(-60, 50, likelihood=0.01)
    line.sounds(-22, 60)
    line.sounds(-60, 60, likelihood=0.01)
    assert all(line.sounds(-30, 10)[3:])


def test_what_is_heard_while_the_bot_speaks_and_its_echo_are_not_the_surroundings() -> None:
    line = ALine()
    line.bot(10, b"\1\1" * 160)
    line.sounds(-25, 200)
    line.bot(24)
    line.sounds(-25, 100)
    assert all(line.sounds(-35, 10))


def test_the_gate_stays_below_the_callers_own_last_turn() -> None:
    line = with_babble(-40)
    line.sounds(-22, 5)
    line.in_turn = True
    line.sounds(-22, 50)
    line.in_turn = False
    line.sounds(-23, 150)  # he goes on, though his turn is over
    assert all(line.sounds(-25, 30)[3:])


def test_packets_of_10_ms_are_known_too() -> None:
    around = Surroundings()
    for _ in range(100):
        around.played(SILENCE)
    pcm = noise(2000, -32)
    for at in range(0, len(pcm), 160):
        around.heard(pcm[at : at + 160], in_turn=False)
    assert -32 < around.gates_db()[0].begin < -26


def test_reset_forgets_the_turn_and_not_the_surroundings() -> None:
    line = with_babble()
    line.vad.reset()
    assert line.says.resets == 1
    assert not any(line.sounds(-32, 20))


def test_it_adapts_as_its_detector_does() -> None:
    assert NearestVoice(Says(), Surroundings()).adapts is False


def test_who_has_low_frequencies_begins_a_turn_though_he_is_no_louder_than_a_loudspeaker_without_them() -> None:
    assert not any(with_television().hears(of_a_loudspeaker(-25, 50, 2)))
    assert not any(with_television().hears(over_television(1000, -30, 30)))
    assert all(with_television().hears(over_television(200, -30, 30))[3:])


def test_within_a_turn_too_low_frequencies_are_enough() -> None:
    line = with_television()
    line.hears(over_television(200, -25, 20))
    line.in_turn = True
    line.hears(over_television(200, -25, 20))
    assert all(line.hears(over_television(200, -35, 30)))
    assert not any(line.hears(of_a_loudspeaker(-25, 30, 3))[3:])


def test_the_louder_the_turn_the_louder_it_must_stay() -> None:
    line = with_babble(-42)
    line.sounds(-22, 5)
    line.in_turn = True
    line.sounds(-22, 20)
    assert all(line.sounds(-31, 10)[3:])
    assert not any(line.sounds(-36, 30)[3:])


def test_a_turn_begins_louder_where_the_surroundings_change_more() -> None:
    steady, changing = ALine(), ALine()
    for line in (steady, changing):
        line.bot(100)
        for _ in range(6):
            line.sounds(-30, 10)
            line.sounds(-30 if line is steady else -45, 20)
    assert all(steady.sounds(-26, 10)[3:])
    assert not any(changing.sounds(-26, 10))
    assert all(changing.sounds(-22, 10)[3:])


def test_the_first_word_of_a_turn_is_not_the_surroundings() -> None:
    line = with_babble(-40)
    before = line.around.gates_db()
    line.sounds(-15, 15)
    line.in_turn = True
    line.sounds(-40, 40)
    line.in_turn = False
    line.sounds(-40, 60)
    assert abs(line.around.gates_db()[0].begin - before[0].begin) < 0.5


def test_what_the_last_turn_said_softly_at_its_end_does_not_lower_the_gate() -> None:
    line = with_babble(-24)
    line.sounds(-15, 5)
    line.in_turn = True
    line.sounds(-15, 20)
    assert all(line.sounds(-19, 100))
    line.in_turn = False
    line.sounds(-24, 5)
    assert not any(line.sounds(-23, 50))


def test_a_detector_that_begins_to_listen_hears_the_surroundings_first() -> None:
    line = ALine()
    line.bot(100)
    line.around.heard(noise(2000, -32), in_turn=False)
    line.vad = NearestVoice(NeedsTime(0.9), line.around)
    line.vad.reset()
    assert not any(line.sounds(-32, 60))
    assert all(line.sounds(-22, 10)[3:])


def test_it_forgets_surroundings_that_are_no_speech_and_hears_none_where_it_knows_them() -> None:
    line = ALine()
    says = NeedsTime(0.05)
    line.vad = NearestVoice(says, line.around)
    line.vad.reset()
    assert says.resets == 2, "there are none yet"
    line.bot(100)
    line.around.heard(noise(2000, -32), in_turn=False)
    line.vad.reset()
    assert (says.resets, says.heard) == (4, 0)
    line.sounds(-32, 60)
    line.vad.reset()
    assert (says.resets, says.heard) == (5, 0)


def test_a_caller_who_spoke_before_the_bot_does_not_shut_himself_out() -> None:
    """What was heard before the bot spoke is not the last second, and need not sound any more."""
    line = ALine()
    line.bot(100)
    line.around.heard(noise(2000, -22), in_turn=False)
    line.bot(100, b"\1\1" * 160)
    line.bot(30)
    line.vad.reset()
    assert not any(line.sounds(-60, 30, likelihood=0.01))
    assert all(line.sounds(-22, 4))


def test_it_need_not_hear_quiet_surroundings() -> None:
    line = ALine()
    says = NeedsTime(0.9)
    line.vad = NearestVoice(says, line.around)
    line.bot(100)
    line.around.heard(noise(2000, -60), in_turn=False)
    line.vad.reset()
    assert (says.resets, says.heard) == (2, 0)


def test_a_turn_that_is_hardly_louder_than_the_surroundings_stays_a_little_louder() -> None:
    gate = with_babble().around.gates_db()[0]
    assert gate.go_on(gate.loud - 1) == gate.go_on(gate.loud + 3) == gate.loud + 2
    assert gate.go_on(gate.loud + 10) == gate.loud + 4


def test_the_level_of_a_turn_that_is_over_counts_at_once() -> None:
    line = with_babble(-24)
    line.sounds(-19, 5)
    line.in_turn = True
    line.sounds(-19, 20)
    line.in_turn = False
    assert all(line.sounds(-22.5, 6))
