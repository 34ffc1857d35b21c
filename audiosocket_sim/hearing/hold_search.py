"""Finds a known piece of music in a sound at any level, through codecs and over noise, and follows it. Pure, numpy.

`HoldLoop` finds the samples themselves; here a piece of half a second is compared by its correlation with all places of
the music. Of the music itself the correlation is 0.9 and more through G.711 and GSM, and 0.87 with noise 5 dB below it;
of speech, and of other music, it is less than 0.6.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PIECE", "KnownMusic", "MusicPlace", "known_music"]

PIECE = 4096
"""Samples of a sound that are looked for."""
_BLOCK = 16384
_STEP = _BLOCK - PIECE
_LIKE = 0.8  # of half a second; notes of the same pitch in other music have up to 0.75
_LIKE_NEARBY = 0.72
_STILL = 0.5  # of 100 ms and less; speech over it, and its softest notes, make it less alike
_GAIN = (0.5, 1.6)  # to what of its level the music may fall and rise under a voice
_QUIET_POWER = 75.0**2  # mean square (-53 dBFS)
_NEAR = 4000


@dataclass(frozen=True, slots=True)
class MusicPlace:
    """Where a sound lies in the music: the place of the sound's sample 0, any integer; the gain; the likeness."""

    offset: int
    gain: float
    likeness: float


class KnownMusic:
    """A piece of music that is played again and again: 8 kHz SLIN, not empty."""

    def __init__(self, pcm: bytes) -> None:
        wave = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32)
        wave = np.tile(wave, max(1, -(-PIECE // len(wave))))
        self.length = len(wave)
        self._tiled = np.resize(wave, self.length + 2 * PIECE)
        blocks = max(1, -(-(self.length + PIECE) // _STEP))
        sound = np.resize(wave, self.length + PIECE)
        sound = np.concatenate((sound, np.zeros(blocks * _STEP + PIECE - len(sound), np.float32)))
        views = np.lib.stride_tricks.sliding_window_view(sound, _BLOCK)[::_STEP]
        self._spectra = np.fft.rfft(views).astype(np.complex64)
        self._energy = np.concatenate(([0.0], np.cumsum(np.square(sound, dtype=np.float64))))

    def find(self, sound: "NDArray[Any]", at: int) -> MusicPlace | None:
        """Return where the sound, `PIECE` samples of which the first is at position `at`, lies in the music, if it
        does. The place is that of position 0."""
        piece = sound.astype(np.float32)
        energy = float(np.square(piece, dtype=np.float64).sum())
        if energy < _QUIET_POWER * len(piece):
            return None
        spectrum = np.conj(np.fft.rfft(piece, _BLOCK)).astype(np.complex64)
        products = np.fft.irfft(self._spectra * spectrum, _BLOCK)[:, :_STEP].ravel()[: self.length]
        known = self._energy[len(piece) : len(piece) + self.length] - self._energy[: self.length]
        likeness = products / np.sqrt(np.maximum(known, len(piece)) * energy)
        best = int(likeness.argmax())
        if likeness[best] < _LIKE:
            return None
        return MusicPlace(best - at, float(products[best] / max(known[best], 1.0)), float(likeness[best]))

    def samples(self, place: int, count: int) -> "NDArray[np.float32]":
        """Return `count` samples (at most 8,192) of the music from `place` on, over its seam."""
        start = place % self.length
        return self._tiled[start : start + count]

    def is_quiet(self, place: MusicPlace, at: int, count: int) -> bool:
        """Return whether the music is hardly audible there."""
        return float(np.square(self.samples(place.offset + at, count)).mean()) * place.gain**2 < _QUIET_POWER

    def follows(self, place: MusicPlace, at: int, sound: "NDArray[Any]") -> bool:
        """Return whether the sound from position `at` on is the music at its place, or has it under a voice."""
        music = self.samples(place.offset + at, len(sound))
        heard = sound.astype(np.float32)
        power, own = float(np.square(music).sum()), float(np.square(heard).sum())
        product = float(music @ heard)
        if product >= _STILL * (power * own) ** 0.5 and power * place.gain**2 > own / 16:
            return True
        return _GAIN[0] <= product / max(power * place.gain, 1.0) <= _GAIN[1]

    def again(self, place: MusicPlace, at: int, sound: "NDArray[Any]") -> MusicPlace | None:
        """Return where the sound from position `at` on lies, near the place that it had or near the music's start."""
        heard = sound.astype(np.float32)
        best: MusicPlace | None = None
        for first in (place.offset + at - _NEAR, place.offset + at, 0):
            music = self.samples(first, len(heard) + _NEAR)
            size = 1 << (len(music) - 1).bit_length()
            products = np.fft.irfft(np.fft.rfft(music, size) * np.conj(np.fft.rfft(heard, size)), size)[: _NEAR + 1]
            sums = np.concatenate(([0.0], np.cumsum(np.square(music, dtype=np.float64))))
            known = sums[len(heard) : len(heard) + _NEAR + 1] - sums[: _NEAR + 1]
            likeness = products / np.sqrt(np.maximum(known, len(heard)) * max(float(np.square(heard).sum()), 1.0))
            found = int(likeness.argmax())
            if likeness[found] >= _LIKE_NEARBY and (best is None or likeness[found] > best.likeness):
                best = MusicPlace(first + found - at, place.gain, float(likeness[found]))
        return best


@lru_cache(maxsize=8)
def known_music(pcm: bytes) -> KnownMusic:
    """Return the music of these samples; made once a process."""
    return KnownMusic(pcm)
