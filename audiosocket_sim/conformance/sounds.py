"""What the peer says in a case: words of a recorded caller, silence, a tone. 16-bit little-endian samples, mono."""

import math
from typing import Literal

import numpy as np

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_core.slin import read_audio

__all__ = ["WORDS_SECONDS", "CallerSounds"]

_WORDS = "recordings/pt-br/pode_avisar_que_eu_cheguei.wav"
WORDS_SECONDS = 2.0
"""How long the words last: a sentence, with its silences."""
_TONE_HZ, _TONE_PEAK = 400, 12_000  # whole periods in 20 ms at each rate


class CallerSounds:
    """The sounds of a run; each is read or made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], bytes] = {}

    def sound(self, name: Literal["words", "silence", "tone"], rate_hz: int, first: int, count: int) -> bytes:
        """Return `count` samples from the sample `first` on; a sound goes on from its beginning when it is over."""
        if name == "silence":
            return bytes(2 * count)
        whole = self._made.get((name, rate_hz))
        if whole is None:
            whole = self._made[name, rate_hz] = self._make(name, rate_hz)
        place = 2 * first % len(whole)
        part = whole[place : place + 2 * count]
        while len(part) < 2 * count:
            part += whole[: 2 * count - len(part)]
        return part

    def _make(self, name: str, rate_hz: int) -> bytes:
        if name == "words":
            return read_audio(SHIPPED / _WORDS, rate_hz)
        times = np.arange(rate_hz) / rate_hz
        return (np.sin(2 * math.pi * _TONE_HZ * times) * _TONE_PEAK).astype("<i2").tobytes()
