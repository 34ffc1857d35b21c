"""Follows a prompt through a sound in which it was found, over what was lost of it or put into it. Pure, numpy.

Where the sound stops to agree, the prompt is looked for again, up to 200 ms earlier and 500 ms later than it would be.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core.phrase_book.fingerprint import Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Followed", "Jump", "follow"]

_MS = 8
_STEP = 20 * _MS
_PIECE = 40 * _MS
_AGREES = 0.6
_SILENT_POWER = 900.0  # mean square (-61 dBFS) below which the prompt itself is silent
_AGAIN = 128 * _MS  # how much of the prompt is looked for behind a place that does not agree
_LEAST_AGAIN = 60 * _MS
_EARLIER, _LATER = 200 * _MS, 500 * _MS
_MOST_LOST = 240 * _MS  # and what does not agree before it
_FOUND = 0.8
_BETTER = 0.15
_FFT = 8192
_ONE = 4  # samples: a jump by less is none


@dataclass(frozen=True, slots=True)
class Jump:
    """From sample `place` of the prompt on it comes `samples` later: so much was put in; negative: was lost."""

    place: int
    samples: int


@dataclass(slots=True)
class Followed:
    """How much of a prompt was found. `first` to before `last`: samples of the prompt; `lag`: where its sample 0 lies
    in the sound by its beginning; `spoiled`: samples between them that do not agree."""

    first: int
    last: int
    lag: int
    last_lag: int
    jumps: list[Jump] = field(default_factory=list)
    spoiled: int = 0


def follow(heard: Array, known: Array, place: int, lag: int, length: int) -> Followed:
    """Follow the prompt `known` both ways from a piece of `length` samples at its `place`, heard at `place + lag`.

    Of a piece that begins before the prompt (`place` is negative), or ends behind it, what is in the prompt counts.
    """
    place, length = max(0, place), min(len(known), place + length) - max(0, place)
    ahead, last, last_lag, spoiled = _forward(heard, known, place + length, lag)
    back, first, first_lag, more = _forward(heard[::-1], known[::-1], len(known) - place, len(heard) - len(known) - lag)
    # backwards the place is where what is before it ends: what was lost lies behind that
    jumps = [Jump(len(known) - jump.place - min(0, jump.samples), jump.samples) for jump in reversed(back)]
    begins = len(heard) - len(known) - first_lag
    return Followed(max(0, len(known) - first), last, begins, last_lag, [*jumps, *ahead], spoiled + more)


def _forward(heard: Array, known: Array, place: int, lag: int) -> tuple[list[Jump], int, int, int]:
    """Jumps, the sample of the prompt before which it ends, the lag there, and how many samples do not agree."""
    jumps: list[Jump] = []
    spoiled = 0
    last = place
    while place < len(known):
        place, last = _as_far_as_it_agrees(heard, known, place, lag, last)
        if place + lag >= len(heard):
            break
        piece = known[place : place + _PIECE]
        if _is_silent(piece):
            place += _STEP
            continue
        if _likeness(heard, piece, place + lag) >= _AGREES:
            place += _STEP
            last = min(len(known), place + _PIECE - _STEP)
            continue
        again = _found_again(heard, known, place + _STEP, lag)
        if again is None:
            break
        place, new_lag = again
        if abs(new_lag - lag) >= _ONE and not _is_silent(known[max(0, place - _STEP) : place]):  # a pause may be longer
            jumps.append(Jump(_joint(heard, known, place, new_lag, last), new_lag - lag))
        else:
            spoiled += place - last
        lag, last = new_lag, place
    return jumps, min(last, max(0, len(heard) - lag)), lag, spoiled


def _joint(heard: Array, known: Array, place: int, lag: int, last: int) -> int:
    """The first sample of the prompt, from `place` back to `last`, from which on it is in the sound with this lag."""
    while place - _STEP >= max(last, -lag):
        piece = known[place - _STEP : place]
        if _is_silent(piece) or _likeness(heard, piece, place - _STEP + lag) < _AGREES:
            break
        place -= _STEP // 4
    return place


def _as_far_as_it_agrees(heard: Array, known: Array, place: int, lag: int, last: int) -> tuple[int, int]:
    """`place` and `last` (as in `_forward`) behind all whole pieces that agree, or are silent in the prompt."""
    count = (min(len(known), len(heard) - lag) - place) // _STEP - 1  # pieces; two steps are one
    if count < 1:
        return place, last
    steps = slice(place, place + (count + 1) * _STEP)
    prompt = known[steps].reshape(-1, _STEP)
    there = heard[steps.start + lag : steps.stop + lag].reshape(-1, _STEP)
    power, heard_power, product = (_of_pieces(*pair) for pair in ((prompt, prompt), (there, there), (there, prompt)))
    silent = power < _SILENT_POWER * _PIECE
    agrees = silent | (product >= _AGREES * np.sqrt(np.maximum(power * heard_power, 1.0)))
    good = count if agrees.all() else int(agrees.argmin())
    spoken = np.flatnonzero(~silent[:good])
    if len(spoken):
        last = place + int(spoken[-1]) * _STEP + _PIECE
    return place + good * _STEP, last


def _of_pieces(one: Array, other: Array) -> "NDArray[np.float64]":
    """The sum of the products of two sounds, given in steps, over each piece."""
    sums = np.einsum("ij,ij->i", one, other, dtype=np.float64)
    pieces: NDArray[np.float64] = sums[1:] + sums[:-1]
    return pieces


def _found_again(heard: Array, known: Array, start: int, lag: int) -> tuple[int, int] | None:
    """The next place of the prompt that is in the sound again, and its lag there."""
    for place in range(start, min(len(known) - _LEAST_AGAIN, start + _MOST_LOST), _PIECE):
        piece = known[place : place + _AGAIN]
        first = max(0, place + lag - _EARLIER)
        stretch = heard[first : place + lag + _LATER + len(piece)]
        if _is_silent(piece) or len(stretch) < len(piece):
            continue
        products = np.fft.irfft(np.fft.rfft(stretch, _FFT) * np.conj(np.fft.rfft(piece, _FFT)), _FFT)
        products = products[: len(stretch) - len(piece) + 1]
        energies = np.concatenate(([0.0], np.cumsum(np.square(stretch, dtype=np.float64))))
        energies = np.maximum(energies[len(piece) :] - energies[: len(products)], _SILENT_POWER)
        likeness = products / np.sqrt(energies * float(np.square(piece, dtype=np.float64).sum()))
        best = int(likeness.argmax())
        here = place + lag - first
        stays = float(likeness[here]) if 0 <= here < len(likeness) else 0.0
        if stays >= _FOUND or (likeness[best] >= _FOUND and likeness[best] - stays < _BETTER and stays >= _AGREES):
            return place, lag
        if likeness[best] >= _FOUND:
            return place, first + best - place
    return None


def _is_silent(piece: Array) -> bool:
    return float(np.square(piece).mean()) < _SILENT_POWER


def _likeness(heard: Array, piece: Array, at: int) -> float:
    there = heard[at : at + len(piece)]
    piece = piece[: len(there)]
    power = float(np.square(there, dtype=np.float64).sum()) * float(np.square(piece, dtype=np.float64).sum())
    return float(there @ piece) / power**0.5 if power > 0.0 else 0.0
