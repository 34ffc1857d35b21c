"""What is around the caller's mouth: sounds behind him, and the room that he speaks in. Pure and seeded.

Equal samples in give equal samples out, however they are cut into frames.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RoundSound", "SpeakingRoom", "active_dbfs"]

_FULL_SCALE = 32768.0
_PIECE_HZ = 100  # pieces of 10 ms
_ACTIVE_DB = 20.0
_LONGEST = 1 << 48
"""Samples: a longer silence than any call, which is not kept."""
_BAND_HZ = (300, 3400)
"""What a telephone carries. Below it the level of pink noise changes from piece to piece, though it sounds steady."""
_RISE_PIECE_HZ = 50  # pieces of 20 ms
_RISE_DB = 4.0
_RISE_OVER = 15  # pieces: 0.3 s
_AUDIBLE_DBFS = -60.0


class RoundSound:
    """A sound that is played round and round, SLIN, at the level `dbfs` (of its active parts).

    `after`: how many samples of silence come before it, once; `pause`: after each round. Raises ValueError for a sound
    that is empty or silent throughout.
    """

    def __init__(self, pcm: bytes, dbfs: float, rate_hz: int, *, after: int = 0, pause: int = 0) -> None:
        sound = np.frombuffer(pcm, "<i2").astype(np.float64)
        level = active_dbfs(pcm, rate_hz)
        if level is None:
            raise ValueError("nothing can be heard in it")
        self._sound = sound * 10 ** ((dbfs - level) / 20)
        self._round = len(sound) + min(pause, _LONGEST)
        self._at = -min(after, _LONGEST)
        self._rises = _rises(self._sound, rate_hz, goes_round=not pause)
        self.rose = False
        """Whether something began in the samples that were taken last: a word, a bark, a note; of steady noise only its
        own beginning."""

    def take(self, count: int) -> NDArray[np.float64]:
        """Return the next `count` samples."""
        first, self._at = self._at, self._at + count
        places = np.arange(first, self._at)
        in_round = places % self._round
        taken = np.zeros(count)
        heard = (places >= 0) & (in_round < len(self._sound))
        taken[heard] = self._sound[in_round[heard]]
        self.rose = first <= 0 < self._at or bool(np.isin(in_round[heard], self._rises).any())
        return taken


class SpeakingRoom:
    """A room that dies away by 60 dB in `reverb_ms`. `reverb_db`: the energy of its reverberation, relative to the
    direct sound, which stays as it is."""

    def __init__(self, reverb_ms: int, reverb_db: float, rate_hz: int, seed: int) -> None:
        count = max(1, round(reverb_ms * rate_hz / 1000))
        tail = np.random.Generator(np.random.PCG64(seed)).standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
        tail[0] = 0.0
        energy = float(np.sqrt(np.sum(tail * tail)))
        self._path = tail * (10 ** (reverb_db / 20) / energy if energy else 0.0)
        self._path[0] = 1.0
        self._coming: NDArray[np.float64] = np.zeros(count - 1)

    def through(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next samples as they are in the room. Same length."""
        if not len(sound):
            return sound
        whole = np.convolve(sound, self._path)
        whole[: len(self._coming)] += self._coming[: len(whole)]
        left = self._coming[len(whole) :]
        heard, self._coming = whole[: len(sound)], np.concatenate((whole[len(sound) :], left))
        return heard


def _rises(sound: NDArray[np.float64], rate_hz: int, *, goes_round: bool) -> NDArray[np.intp]:
    """Return the samples at which something begins: pieces in which a telephone carries 4 dB more than in the 0.3 s
    before. `goes_round`: its end comes before its beginning; else silence does."""
    piece = rate_hz // _RISE_PIECE_HZ
    count = -(-len(sound) // piece)
    spectrum, hz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / rate_hz)
    spectrum[(hz < _BAND_HZ[0]) | (hz > _BAND_HZ[1])] = 0
    in_band = np.fft.irfft(spectrum, len(sound))
    power = np.array([float(np.mean(in_band[at : at + piece] ** 2)) for at in range(0, len(sound), piece)])
    before = power.take(range(-_RISE_OVER, 0), mode="wrap") if goes_round else np.zeros(_RISE_OVER)
    around = np.concatenate((before, power))
    mean = np.array([float(np.mean(around[at : at + _RISE_OVER])) for at in range(count)])
    audible = power > _FULL_SCALE**2 * 10 ** (_AUDIBLE_DBFS / 10)
    return np.flatnonzero(audible & (power > mean * 10 ** (_RISE_DB / 10))) * piece


def active_dbfs(pcm: bytes, rate_hz: int) -> float | None:
    """Return the level (RMS, dBFS) of the active parts of SLIN: the pieces of 10 ms that are at most 20 dB below the
    loudest. None: there is nothing in it."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    piece = max(1, rate_hz // _PIECE_HZ)
    count = max(1, len(samples) // piece)
    power = np.array([float(np.mean(part**2)) for part in np.array_split(samples, count) if len(part)])
    loudest = float(power.max(initial=0.0))
    if loudest <= 0.0:
        return None
    active = power[power >= loudest * 10 ** (-_ACTIVE_DB / 10)]
    return float(10 * np.log10(float(active.mean()) / _FULL_SCALE**2))
