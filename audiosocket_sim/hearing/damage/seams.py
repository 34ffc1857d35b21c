"""Where a sound was joined badly: clicks at a steady distance, silence cut into words, pieces played twice. Pure.

Each test needs what no voice does by itself: a click at the same place of chunk after chunk; silence that begins and
ends within one sample between loud sounds; samples that repeat exactly.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.damage.model import FULL_SCALE, RATE_HZ, Damage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bad_joints", "clicks"]

Hole = tuple[int, int]

_MS = RATE_HZ // 1000
_CHUNKS = (80, 160, 240, 256, 320, 400, 480, 512, 640, 800, 960, 1024, 1280, 1600, 2000, 2048, 2400, 2560, 3200, 4000)
"""Lengths, in samples, in which programs cut sound: multiples of 10 ms and powers of two."""
_FEWEST_CHUNKS = 5
_FASTEST_BEAT = 1024  # samples, 128 ms
_SIGNIFICANT = 14.0  # standard errors; speech has up to 10
_CLICK = 2.5  # times what is around it
_SPAN = 80  # samples on either side that are "around"
_FLOOR = 60.0  # roughness below which nothing is a click
_MOST_ROUGH = 12.0

_SILENT = 10  # G.711 has no zero: A-law makes 8 of it
_SHORTEST_CUT = 16  # samples, 2 ms
_LONGEST_CUT = 120 * _MS  # a longer one may be a pause that an editor made
_BESIDE = 80
_AT_THE_EDGE = 12
_LOUD_RMS = FULL_SCALE * 10**-2.1  # -42 dBFS
_STEEP, _SHEER = 0.6, 0.3
_ONCE_STEEP, _ONCE_SHEER = 0.85, 0.6  # of a single one; a synthetic voice ends a sound as abruptly as 0.7, 0.4

_FEWEST_FADED = 15  # chunks
_SHORTEST_FADED = 160  # samples; the pitch of a voice has shorter periods
_FADED, _HALF = 0.12, 0.5  # of the mean level
_FADE = 16  # samples, 2 ms

_SHORTEST_REPEAT = 100  # samples in a row
_LOOKED_AT = 10  # of them, at even distances, before all are
_REPEAT_RMS = FULL_SCALE * 10**-2.25


def clicks(wave: "NDArray[np.float64]", holes: Sequence[Hole] = (), *, voice: bool = True) -> Damage | None:
    """Find a click at the same place of each chunk: of sound that was converted or faded chunk by chunk.

    `voice`: False for music, whose beats are no clicks.
    """
    rough = _roughness(wave, holes)
    if not len(rough):
        return None
    mean, spread = float(rough.mean()), float(rough.std()) + 1e-9
    best = (0.0, 0, 0, 0)
    for chunk in _CHUNKS:
        count = len(rough) // chunk
        if count < _FEWEST_CHUNKS or (chunk > _FASTEST_BEAT and not voice):
            break
        folded = rough[: count * chunk].reshape(count, chunk)
        averages = folded.mean(axis=0)
        place = int(averages.argmax())
        deviation = (float(averages[place]) - mean) / spread * float(np.sqrt(count))
        if deviation > best[0] * 1.1 and averages[place] >= _CLICK:
            best = (deviation, chunk, place, int((folded[:, place] >= _CLICK).sum()))
    deviation, chunk, place, count = best
    if deviation < _SIGNIFICANT:
        return None
    alone = "its chunks do not fit together, as where each is converted alone, or some are lost"
    what = f"a click every {chunk / _MS:g} ms ({count} of them): {alone}"
    folded = rough[: len(rough) // chunk * chunk].reshape(-1, chunk)
    places = tuple((int(row) * chunk + place, 0) for row in np.flatnonzero(folded[:, place] >= _CLICK))
    return Damage("clicks", what, place / RATE_HZ, count, round(len(wave) / _MS), places)


def _roughness(wave: "NDArray[np.float64]", holes: Sequence[Hole]) -> "NDArray[np.float64]":
    """How abruptly the wave bends at each sample, against its surroundings."""
    bends = np.abs(wave[2:] - 2 * wave[1:-1] + wave[:-2])
    if len(bends) < 2 * _SPAN:
        return np.zeros(0)
    sums = np.concatenate(([0.0], np.cumsum(bends)))
    places = np.arange(len(bends))
    first, last = np.maximum(0, places - _SPAN), np.minimum(len(bends), places + _SPAN)
    rough: NDArray[np.float64] = np.minimum(bends / ((sums[last] - sums[first]) / (last - first) + _FLOOR), _MOST_ROUGH)
    for start, length in holes:
        for edge in (start, start + length):
            rough[max(0, edge - 4) : edge + 3] = 1.0
    return rough


def bad_joints(wave: "NDArray[np.float64]", holes: Sequence[Hole] = ()) -> Damage | None:
    """Find where pieces of a voice were joined badly: clicks at a steady distance, else silence that was put in, else
    pieces that are played twice, else fades. Short silence in the midst of sounds, and the second of two equal pieces,
    may click at their edges: then that is why."""
    silences = [(first, last) for first, last in _silences(wave) if not _in_a_hole(first, last, holes)]
    again = _repeated(wave)
    known = [*holes, *((first, last - first) for first, last in silences), *((place, 0) for place in again)]
    return clicks(wave, known) or _cuts(wave, silences) or _repeats(again) or _fades(wave, holes)


def _cuts(wave: "NDArray[np.float64]", silences: Sequence[tuple[int, int]]) -> Damage | None:
    """Find silence that was put into the midst of sounds, or in the place of a part of them.

    The pauses of a voice fade, and so do those that an editor or a noise gate made; here the sound stands right up to
    the first silent sample, and at once after the last.
    """
    found = [(first, last) for first, last in silences if _is_cut(wave, first, last, _STEEP, _SHEER)]
    if len(found) == 1:
        found = [(first, last) for first, last in found if _is_cut(wave, first, last, _ONCE_STEEP, _ONCE_SHEER)]
    if not found:
        return None
    total = sum(b - a for a, b in found) / _MS
    times = "once" if len(found) == 1 else f"{len(found)} times"
    longest = max(b - a for a, b in found) / _MS
    what = f"silence in the midst of words, {times}: {total:.0f} ms in all, up to {longest:.0f} ms"
    places = tuple((first, last - first) for first, last in found)
    return Damage("cuts", what, found[0][0] / RATE_HZ, round(total), round((found[-1][1] - found[0][0]) / _MS), places)


def _silences(wave: "NDArray[np.float64]") -> list[tuple[int, int]]:
    starts, ends = _runs_of(np.abs(wave) <= _SILENT)
    kept = (ends - starts >= _SHORTEST_CUT) & (ends - starts <= _LONGEST_CUT)
    kept &= (starts >= _BESIDE) & (ends <= len(wave) - _BESIDE)
    return list(zip(starts[kept].tolist(), ends[kept].tolist(), strict=True))


def _in_a_hole(first: int, last: int, holes: Sequence[Hole]) -> bool:
    return any(start <= last and start + length >= first for start, length in holes)


def _is_cut(wave: "NDArray[np.float64]", first: int, last: int, steep: float, sheer: float) -> bool:
    before, after = wave[first - _BESIDE : first][::-1], wave[last : last + _BESIDE]
    return _stands_up(before, steep, sheer) and _stands_up(after, steep, sheer)


def _stands_up(beside: "NDArray[np.float64]", steep: float, sheer: float) -> bool:
    """Is the sound beside a silence, from the silence outwards, at its full strength at once?"""
    rms = float(np.sqrt(np.square(beside).mean()))
    near = float(np.sqrt(np.square(beside[:_AT_THE_EDGE]).mean()))
    return rms >= _LOUD_RMS and near >= steep * rms and float(np.abs(beside[:2]).max()) >= sheer * rms


def _fades(wave: "NDArray[np.float64]", holes: Sequence[Hole] = ()) -> Damage | None:
    """Find a sound that is faded out and in again at the same place of each chunk: it flutters. Holes are left out."""
    if holes:
        wave = np.delete(wave, np.concatenate([np.arange(max(0, at), min(len(wave), at + n)) for at, n in holes]))
    for chunk in _CHUNKS:
        count = len(wave) // chunk
        if chunk < _SHORTEST_FADED or count < _FEWEST_FADED:
            continue
        levels = np.abs(wave[: count * chunk].reshape(count, chunk))
        means = levels.mean(axis=1, keepdims=True)
        loud = means[:, 0] >= _LOUD_RMS
        if int(loud.sum()) < _FEWEST_FADED:
            continue
        course = (levels[loud] / means[loud]).mean(axis=0)
        course = np.convolve(np.concatenate((course, course[: _FADE - 1])), np.full(_FADE, 1 / _FADE), "valid")
        low = course < _HALF
        if course.min() < _FADED and int((low & ~np.roll(low, 1)).sum()) == 1:
            what = (
                f"the sound is faded out and in again every {chunk / _MS:g} ms ({int(loud.sum())} times): it flutters"
            )
            return Damage(
                "fades", what, float(loud.argmax()) * chunk / RATE_HZ, int(loud.sum()), round(len(wave) / _MS)
            )
    return None


def _repeats(again: Mapping[int, int]) -> Damage | None:
    """Say which chunks were played twice, one right after the other; `again`: as `_repeated` returns them."""
    if not again:
        return None
    total = _samples_in(again) / _MS
    times = "once" if len(again) == 1 else f"{len(again)} times"
    what = f"a piece of the sound is played twice, {times}: {total:.0f} ms in all"
    return Damage("repeats", what, min(again) / RATE_HZ, round(total), round(total), tuple(sorted(again.items())))


def _samples_in(found: Mapping[int, int]) -> int:
    """How many samples the pieces cover, each counted once."""
    total = end = 0
    for place, length in sorted(found.items()):
        total += max(0, place + length - max(end, place))
        end = max(end, place + length)
    return total


def _repeated(wave: "NDArray[np.float64]") -> dict[int, int]:
    """Return where the second of two equal pieces begins, and how many samples repeat."""
    found: dict[int, int] = {}
    energy = np.concatenate(([0.0], np.cumsum(np.square(wave))))
    for chunk in _CHUNKS:
        if len(wave) < 2 * chunk:
            break
        shortest = max(_SHORTEST_REPEAT, chunk * 9 // 10)
        if not _may_repeat(wave, energy, chunk, shortest):
            continue
        again = wave[chunk:]
        starts, ends = _runs_of(_is_same(again, wave[:-chunk]))
        long = ends - starts >= shortest
        for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
            if float(again[start:end].std()) >= _REPEAT_RMS:
                found.setdefault(start + chunk, end - start)
    return found


def _may_repeat(wave: "NDArray[np.float64]", energy: "NDArray[np.float64]", chunk: int, shortest: int) -> bool:
    """Look at a few samples only: can there be an audible run of `shortest` that is the same `chunk` samples earlier?

    `energy`: the sum of the squares before each sample.
    """
    apart = shortest // _LOOKED_AT
    starts, ends = _runs_of(_is_same(wave[chunk::apart], wave[:-chunk:apart]))
    long = ends - starts >= _LOOKED_AT
    if not long.any():
        return False
    first = np.maximum(0, chunk + (starts[long] - 1) * apart)
    behind = np.minimum(len(wave), chunk + ends[long] * apart)
    return bool(np.any(energy[behind] - energy[first] >= shortest * _REPEAT_RMS**2))


def _is_same(again: "NDArray[np.float64]", before: "NDArray[np.float64]") -> "NDArray[np.bool_]":
    same: NDArray[np.bool_] = np.abs(again - before) <= np.abs(again) / 64 + 2
    return same


def _runs_of(flags: "NDArray[np.bool_]") -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """The first place of each run of true ones, and the place behind its last."""
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
