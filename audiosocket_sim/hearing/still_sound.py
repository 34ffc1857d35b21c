"""Finds the constant that some bots send in the place of silence: samples that do not move are not heard. Pure.

Bytes of 0x80 or 0xD5 are silence in other formats; as linear samples they push the loudspeaker to one side. The pauses
of a voice that is on an offset itself are no such constant: they are a part of its sound.
"""

import numpy as np

from audiosocket_sim.hearing.damage.model import AUDIBLE_RMS, Damage

__all__ = ["StillSound"]

_LEAST_SECONDS = 0.01  # the cut-off top of a wave stands still for less
_LEAST_TOLD_SECONDS = 0.2
_FORMATS = (
    (-32768, "the silence of unsigned samples"),
    (-10795, "the silence of A-law bytes"),
    (21845, "the silence of A-law bytes with their bits inverted"),
    (32639, "the silence of µ-law bytes"),
)
_ALIKE = 0.03  # of the value: a codec lies between
_NEAR = 0.25  # of the value: from so near on, the sound before the constant is on it as well


class StillSound:
    """Adds up, over one call, the messages whose samples are all the same, and not zero."""

    def __init__(self) -> None:
        self._since = self._seconds = 0.0
        self._value = 0
        self._before = b""  # the message before
        self._goes_on: tuple[int, bool] | None = None  # the constant that it was; whether it was heard as silence

    def heard(self, at: float, rate_hz: int, pcm: bytes) -> bytes:
        """Take SLIN that arrived at `at` (s), and return it as it is heard: a constant as silence."""
        count = len(pcm) // 2
        before, goes_on = self._before, self._goes_on
        self._before, self._goes_on = pcm, None
        if not any(pcm[:2]) or count < _LEAST_SECONDS * rate_hz or pcm != pcm[:2] * count:
            return pcm
        value = int.from_bytes(pcm[:2], "little", signed=True)
        if abs(value) < AUDIBLE_RMS:
            return pcm
        if goes_on is None or goes_on[0] != value:
            goes_on = value, abs(value - _last_other(before, value)) > _NEAR * abs(value)
        self._goes_on = goes_on
        if not goes_on[1]:
            return pcm
        if not self._seconds:
            self._since, self._value = at, value
        self._seconds += count / rate_hz
        return bytes(len(pcm))

    def damage(self) -> tuple[float, Damage] | None:
        """Return what there was of a constant, and since when (s); None for next to nothing."""
        if self._seconds < _LEAST_TOLD_SECONDS:
            return None
        why = next((f" ({why})" for value, why in _FORMATS if abs(value - self._value) <= _ALIKE * abs(value)), "")
        what = (
            f"the samples stay at {self._value} where silence should be{why}, for {self._seconds:.1f} s in all: "
            "a thump before and behind each sentence"
        )
        return self._since, Damage("dc", what, 0.0, self._value, round(self._seconds * 1000))


def _last_other(pcm: bytes, value: int) -> int:
    """Return the last sample that is not `value`; 0 if there is none."""
    moving = np.frombuffer(pcm, "<i2", len(pcm) // 2)
    moving = moving[moving != value]
    return int(moving[-1]) if len(moving) else 0
