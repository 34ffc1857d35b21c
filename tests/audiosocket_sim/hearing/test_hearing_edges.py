"""Where hold audio ends in a quiet part of its loop, and a known phrase that unknown sound follows without a pause."""

import numpy as np
import pytest
from helpers.phone_sounds import listen, ms, music, quiet, told

from audiosocket_sim.hearing.hold_loop import HoldLoop

TUNE = music(2)
FAINT = np.resize(np.array([8, -8], "<i2"), 400 * 8).tobytes()
"""400 ms that are no silence, and that a codec may take for it."""


@pytest.mark.parametrize(
    ("gap", "stops"),
    [
        (quiet(400), "2900 hold stops after 2400"),
        (FAINT, "2500 hold stops after 2000"),
        (quiet(200) + FAINT[: 200 * 16], "2700 hold stops after 2200"),
    ],
)
def test_silence_in_place_of_a_quiet_part_of_the_loop(gap: bytes, stops: str) -> None:
    """Silence belongs to hold audio as far as the loop itself is silent there."""
    heard = listen(quiet(500), TUNE, quiet(2000), hold=TUNE + gap + music(2, seed=9), codec="none")
    assert told(heard) == ["500 hold", stops]


def test_a_silent_loop_is_found_nowhere_and_nothing_in_too_little_sound() -> None:
    tune = np.frombuffer(TUNE, "<i2").astype(np.int32)
    assert HoldLoop(TUNE).find(tune[:800])
    assert HoldLoop(TUNE).find(tune[:63]) == HoldLoop(TUNE).find(tune[:0]) == []
    assert HoldLoop(quiet(2000)).find(tune[:800]) == []
    assert told(listen(ms(TUNE, 0, 500), quiet(900), hold=quiet(2000))) == ["0 unread None 500"]
