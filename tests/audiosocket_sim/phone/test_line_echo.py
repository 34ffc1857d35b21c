"""The echo of the bot's voice on the line: arithmetic on samples and times that are given."""

import numpy as np
import pytest

from audiosocket_sim.phone.line import LineModel, noise
from audiosocket_sim.phone.line_echo import LineEcho

SPEECH = noise(1000, -20)
FRAMES = [SPEECH[at : at + 320] for at in range(0, len(SPEECH), 320)]


def through(
    echo: LineEcho, *, late: float = 0.0, frames: list[bytes] = FRAMES, seconds: float = 2.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """All that the phone sends of it: the bot sends a frame every 20 ms, `late` after the phone's clock."""
    echo.take(0.0, 160)
    taken = []
    for number in range(round(seconds * 50)):
        if number < len(frames):
            echo.heard(number * 0.02 + late, frames[number])
        taken.append(echo.take((number + 1) * 0.02, 160))
    return np.concatenate(taken)


def samples(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


@pytest.mark.parametrize("delay_ms", [20, 80, 500])
def test_a_copy_comes_so_much_later_and_softer(delay_ms: int) -> None:
    got = through(LineEcho(delay_ms, -20, 0, 1))
    at = 8 * delay_ms
    assert np.allclose(got[at : at + 8000], samples(SPEECH) / 10)
    assert not got[:at].any()
    assert not got[at + 8000 :].any()


def test_a_smeared_one_has_the_same_energy_and_its_own_path_by_seed() -> None:
    one, same, other = (through(LineEcho(80, -12, 8, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)
    assert np.sum(one**2) / np.sum(samples(SPEECH) ** 2) == pytest.approx(10**-1.2, rel=0.1)


def test_what_the_bot_sends_ahead_is_played_one_after_the_other() -> None:
    echo = LineEcho(80, 0, 0, 1)
    echo.take(0.0, 160)
    for frame in FRAMES:
        echo.heard(0.0, frame)
    got = np.concatenate([echo.take((n + 1) * 0.02, 160) for n in range(100)])
    assert np.array_equal(got[640:8640], samples(SPEECH))


def test_uneven_packets_hold_an_even_echo() -> None:
    echo = LineEcho(100, 0, 0, 1)
    echo.take(0.0, 160)
    got = []
    for number in range(100):
        if number < len(FRAMES):
            echo.heard(number * 0.02, FRAMES[number])
        if number % 5 == 4:
            got += [echo.take((number + 1) * 0.02, 160) for _ in range(5)]
    assert np.array_equal(np.concatenate(got)[800:8800], samples(SPEECH))


def test_a_muted_phone_comes_back_to_the_echo_of_then() -> None:
    echo = LineEcho(100, 0, 0, 1)
    echo.take(0.0, 160)
    for number in range(1000):
        echo.heard(number * 0.02, FRAMES[number % len(FRAMES)])
    got = echo.take(20.0, 160)
    assert np.array_equal(got, samples(FRAMES[(1000 - 1 - 5) % 50]))


def test_the_line_mixes_it_under_the_caller_and_not_into_digital_silence() -> None:
    def line() -> LineModel:
        made = LineModel("none", echo=LineEcho(20, -6, 0, 1))
        made.quiet(320, 0.0)
        made.receive(FRAMES[0], 0.0)
        made.receive(FRAMES[1], 0.02)
        made.quiet(320, 0.02)
        return made

    half = np.rint(samples(FRAMES[0]) * 10**-0.3)
    assert np.array_equal(samples(line().quiet(320, 0.04)), half)
    assert np.array_equal(samples(line().send(b"\x10\x00" * 160, at=0.04)), half + 16)
    assert line().send(bytes(320), with_noise=False, at=0.04) == bytes(320)
