"""Finds a piece of sound in all prompts of a phrase book at once, at any place of any of them. Pure, numpy.

All prompts lie one behind the other in one long sound, whose blocks are Fourier-transformed once. A search multiplies
them with the transform of the piece: about 6 ms for two minutes of prompts. It finds waveforms, so a hit is the very
recording: pieces of the same words in another voice, or of other words, have a likeness of less than 0.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_core.phrase_book.fingerprint import FILTER_EDGE, Array, middle_band, samples

__all__ = ["PIECE", "BookSound", "Hit", "book_sound", "in_band"]

PIECE = 4096
"""The longest piece, in samples, that is searched for."""
_BLOCK = 16384
_STEP = _BLOCK - PIECE
_LEAST_POWER = 400.0  # mean square (-64 dBFS) below which a place of a prompt is silence

_KEPT_LENGTHS = 4

Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a piece was found: in which phrase, from which sample of it on, how alike (1: the same).

    `place`: negative where the piece begins before the phrase does. `size`: how many samples of the piece come after
    the phrase's beginning. Few samples resemble many sounds.
    """

    phrase: int
    place: int
    size: int
    likeness: float
    gain: float


class BookSound:
    """The prompts of a book as one sound. `change` is done to the SLIN of each; `banded`: the middle band alone."""

    def __init__(self, phrases: Sequence[Phrase], change: Change = bytes, *, banded: bool) -> None:
        self.banded = banded
        self.waves = [_prepared(change(phrase.pcm), banded=banded) for phrase in phrases]
        lengths = [len(wave) + PIECE for wave in self.waves]  # silence before each: no piece lies in two of them
        self._starts = PIECE + np.concatenate(([0], np.cumsum(lengths)))
        self._silences = np.concatenate(([0], self._starts[:-1] + [len(wave) for wave in self.waves]))
        blocks = max(1, -(-int(self._starts[-1]) // _STEP))
        sound = np.zeros(blocks * _STEP + PIECE, np.float32)
        for start, wave in zip(self._starts, self.waves, strict=False):
            sound[start : start + len(wave)] = wave
        views = np.lib.stride_tricks.sliding_window_view(sound, _BLOCK)[::_STEP]
        self._spectra = np.fft.rfft(views).astype(np.complex64)
        self._energy = np.concatenate(([0.0], np.cumsum(np.square(sound, dtype=np.float64))))
        self._scales: dict[int, Array] = {}

    def find(self, piece: Array) -> Hit | None:
        """Return the place that is most like the piece, at most PIECE samples of it; None for a book without sound."""
        piece = piece[:PIECE] - piece[:PIECE].mean()
        energy = float(np.square(piece, dtype=np.float64).sum())
        if not self.waves or energy <= 0.0:
            return None
        spectrum = np.conj(np.fft.rfft(piece, _BLOCK)).astype(np.complex64)
        products = np.fft.irfft(self._spectra * spectrum, _BLOCK)[:, :_STEP].ravel()
        length = len(piece)
        best = int((products * self._scale(length)).argmax())
        known = float(self._energy[best + length] - self._energy[best])
        likeness = float(products[best]) / (max(known, _LEAST_POWER * length) * energy) ** 0.5
        phrase = min(int(np.searchsorted(self._silences, best, side="right")), len(self.waves)) - 1
        gain = energy**0.5 / max(known, 1.0) ** 0.5
        place = best - int(self._starts[phrase])
        return Hit(phrase, place, length + min(0, place), likeness, gain)

    def _scale(self, length: int) -> Array:
        """By what a product at each place is multiplied to be a likeness, but for the energy of the piece. To make it
        is three quarters of a search, so it is kept: pieces are of few lengths."""
        kept = self._scales.pop(length, None)
        if kept is None:
            places = len(self._energy) - PIECE - 1
            known = self._energy[length : length + places] - self._energy[:places]
            kept = (1.0 / np.sqrt(np.maximum(known, _LEAST_POWER * length))).astype(np.float32)
        self._scales[length] = kept
        if len(self._scales) > _KEPT_LENGTHS:
            del self._scales[next(iter(self._scales))]
        return kept


def in_band(pcm: bytes, *, banded: bool) -> Array:
    """Return a heard sound as it is compared: its middle band, or all of it."""
    return _prepared(pcm, banded=banded)


def _prepared(pcm: bytes, *, banded: bool) -> Array:
    wave = samples(pcm)
    if not len(wave):
        return wave
    if banded:  # an offset must not begin with a step
        return middle_band(np.concatenate((np.full(FILTER_EDGE, wave[0]), wave)))
    centred: Array = wave - wave.mean()
    return centred


@lru_cache(maxsize=64)
def book_sound(phrases: tuple[Phrase, ...], change: Change = bytes, *, banded: bool = True) -> BookSound:
    """Return the sound of a book after a change, made once a process."""
    return BookSound(phrases, change, banded=banded)
