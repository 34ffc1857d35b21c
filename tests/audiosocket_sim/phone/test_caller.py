"""The caller's packets: arithmetic on a clock of our own."""

from audiosocket_sim.phone.caller import Caller, Sound
from audiosocket_sim.phone.line import LineModel


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def caller() -> tuple[Caller, Clock]:
    clock = Clock()
    return Caller(LineModel("none", None, 0.0, 1, 8000), 8000, clock), clock


def pull(caller: Caller, clock: Clock, packets: int) -> list[bytes | None]:
    got = []
    for _ in range(packets):
        got.append(caller.source(160))
        clock.now = round(clock.now + 0.02, 6)
    return got


def sound(pcm: bytes, times: list[tuple[str, float]]) -> Sound:
    return Sound(pcm, lambda at: times.append(("started", at)), lambda at: times.append(("finished", at)))


def test_silence_when_nobody_speaks() -> None:
    c, clock = caller()
    assert pull(c, clock, 2) == [bytes(320), bytes(320)]


def test_a_sound_is_cut_in_packets_and_padded() -> None:
    c, clock = caller()
    times: list[tuple[str, float]] = []
    pull(c, clock, 1)
    c.play(sound(b"\x01\x02" * 200, times))
    first, second, third = pull(c, clock, 3)
    assert first == b"\x01\x02" * 160
    assert second == b"\x01\x02" * 40 + bytes(240)
    assert third == bytes(320)
    assert times == [("started", 0.02), ("finished", 0.045)]


def test_muted_sends_nothing_but_a_sound_that_goes_on() -> None:
    c, clock = caller()
    c.muted = True
    assert pull(c, clock, 2) == [None, None]
    c.play(sound(b"\x01\x02" * 160, []))
    assert pull(c, clock, 2) == [b"\x01\x02" * 160, None]


def test_a_sound_without_a_sample_is_finished_by_its_first_packet_and_may_begin_another() -> None:
    c, clock = caller()
    times: list[tuple[str, float]] = []
    c.play(Sound(b"", lambda at: None, lambda at: c.play(sound(b"\x01\x02" * 160, times))))
    assert pull(c, clock, 2) == [b"\x01\x02" * 160, bytes(320)]
    assert times == [("started", 0.0), ("finished", 0.02)]


def test_a_new_sound_cuts_the_old_one_off() -> None:
    c, clock = caller()
    times: list[tuple[str, float]] = []
    c.play(sound(b"\x01\x02" * 1600, times))
    pull(c, clock, 3)
    c.play(sound(b"\x03\x04" * 160, []))
    assert pull(c, clock, 1) == [b"\x03\x04" * 160]
    assert times[-1] == ("finished", 0.06)


def test_what_was_sent_is_kept_with_its_time() -> None:
    c, clock = caller()
    pull(c, clock, 3)
    assert [at for at, _ in c.sent] == [0.0, 0.02, 0.04]
