"""Which voice is the caller's: levels are decibels of full scale, the detector is told what it shall say."""

from audiosocket_server.endpointing import NearestVoice, Surroundings

from audiosocket_sim.phone.line import noise

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
        pcm = noise(frames * 20, dbfs, "white", self._seed)
        self.says.likelihood = likelihood
        verdicts = []
        for at in range(0, len(pcm), 320):
            self.around.heard(pcm[at : at + 320], in_turn=self.in_turn)
            verdicts.append(self.vad.is_speech(pcm[at : at + 320]))
        return verdicts


def with_babble(dbfs: float = -32) -> ALine:
    line = ALine()
    line.bot(100)
    line.sounds(dbfs, 100)
    return line


def test_babble_is_not_the_caller_and_a_nearer_voice_is() -> None:
    line = with_babble()
    assert not any(line.sounds(-32, 50))
    assert all(line.sounds(-22, 10)[3:])


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
    assert -32 < around.gates_db().begin < -26


def test_reset_forgets_the_turn_and_not_the_surroundings() -> None:
    line = with_babble()
    line.vad.reset()
    assert line.says.resets == 1
    assert not any(line.sounds(-32, 20))


def test_it_adapts_as_its_detector_does() -> None:
    assert NearestVoice(Says(), Surroundings()).adapts is False
