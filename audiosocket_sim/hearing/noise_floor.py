"""Finds where speech is audible in a sound with a steady noise of its own under it. Pure.

Without such a noise it is `Loudness`, to the sample. A noise is a sound that is never quiet (under -56 dBFS for 30 ms)
and whose spectrum, where it is lowest, is flat and steady: not a tone, not music. Speech is then what stands above the
noise in bands of 150 Hz, and ends where what is left without the noise falls under -50 dBFS. Decisions come 100 to
130 ms late. The edges are exact to some 30 ms (a start) and 100 ms (an end). A noise that has ended, and in which there
was no speech, is `alone`.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_sim.hearing.loudness import AUDIBLE_DBFS, Bounds, Loudness

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NoiseAwareLoudness", "is_noise_alone"]

_HOP = 80  # samples, 10 ms: a frame
_WINDOW = 256
_BAND_EDGES = np.linspace(3, 120, 25).astype(int)  # of 31 Hz: 24 bands from 94 to 3750 Hz
_HANN = np.hanning(_WINDOW)
_FULL_SCALE = _WINDOW * float(np.sum(_HANN**2)) / 2 * 32768.0**2
_QUIET = 80 * (32768 * 10 ** (-56 / 20)) ** 2  # the energy of a frame
_QUIET_FRAMES = 3
_EVERY = 10  # frames between two looks
_FEWEST = 40  # frames that must have been heard before a noise is known
_MOST = 300
_LOWEST = 0.1  # the share of frames in which a band is taken to hold no speech, at the least
_LOWEST_TO_MEAN = 0.45
_SOFTEST = 2.5  # 4 dB
_STEADY_FRAMES = 15
_STEADY_DB = 2.0
_LOUDEST_DBFS = -20.0
"""Nobody speaks over a louder noise of his own: it is the sound itself, such as samples in the wrong byte order."""
_FLAT = 0.03  # the geometric to the arithmetic mean of the bands; a tone has less
_SPEECH = 0.2  # the mean likelihood ratio above which a frame is speech
_SPEECH_FRAMES = 3
_ABOVE = 4.0  # standard deviations of the noise
_FEWEST_BANDS = 2  # of a frame of soft speech: one alone is chance
_USUAL_STD = 0.25
_REACH = 40  # frames around speech in which soft speech belongs to it
_CORRECTED = 40  # frames for which the end of speech is corrected by what follows
_HOLD = 15  # frames of quiet that end it
_START_BIAS = 14 * 8  # samples by which the window sees a start too early
_END_BIAS = 2 * 8
_MOST_MASKED = 88 * 8  # samples of the end that a noise of 5 dB below the speech hides, on average
_EVEN = 0.3  # 3 dB; the frames of speech differ by 5 and more
_ALONE = 0.9  # of the frames of a sound that is nothing but noise
_A_WORD = 10  # frames of speech; fewer may be chance


class NoiseAwareLoudness:
    """Follows a sound piece by piece, as `Loudness` does."""

    def __init__(self) -> None:
        self._loudness = Loudness()
        self._fed = 0  # samples
        self._noise: NDArray[np.float64] | None = None
        self._spoken = False  # there was a voice in it
        self._began = 0  # the start of the sound, counted in `_fed`
        self.alone: Bounds | None = None
        """Set when a noise has ended in which there was no speech: its first sample and the one behind its last,
        counted from the start of the piece; after `reset`, from the end of what was fed."""
        self.reset()

    @property
    def in_noise(self) -> bool:
        """Whether there is a steady noise under the sound now."""
        return self._noise is not None

    @property
    def noise_dbfs(self) -> float | None:
        """The level of the noise under the sound; None if there is none."""
        return None if self._noise is None else _dbfs(float(self._noise.sum()))

    def reset(self) -> None:
        """Forget what came before: silence lies between it and the next."""
        self._loudness.reset()
        self._waiting: list[NDArray[Any]] = []  # what is not in frames yet
        self._waiting_samples = 0
        self._quiet_frames = 0
        self.alone = None
        self._forget(0)

    def _forget(self, at: int) -> None:
        """The sound ended at `at`, counted from the start of the piece."""
        if self._noise is not None and not self._spoken:
            self.alone = self._began - self._fed, at
        self._noise = None
        self._spoken = False
        self._steps: deque[int] = deque(maxlen=_MOST)
        self._sound: list[NDArray[np.int64]] = []  # frames that are not in the bands yet
        self._bands: NDArray[np.float64] = np.zeros((0, len(_BAND_EDGES) - 1))
        self._frames = 0  # that are, since a noise is known
        self._unseen = 0
        self._told = 0  # frames whose speech was told
        self._last = -1  # the end of the speech that was told last, counted in `_fed`
        self.revised: tuple[int, list[Bounds]] | None = None
        """Set when a noise became known: from where on the sound was looked at again, and the speech in it. Counted
        from the start of the piece, as bounds are."""

    def feed(self, samples: "NDArray[Any]") -> Bounds | None:
        """Return the bounds of the speech that this piece made known, counted from its start; None if there is none."""
        found = self._loudness.feed(samples)
        self.revised = self.alone = None
        told: Bounds | None = None
        self._waiting.append(samples)
        self._waiting_samples += len(samples)
        if self.in_noise or self._waiting_samples >= _EVERY * _HOP:  # until a noise is known, nothing is told
            told = self._follow(len(samples))
        self._fed += len(samples)
        return told if self.in_noise else found

    def _follow(self, end: int) -> Bounds | None:
        """Take what waits; it ends at `end`, counted from the start of the piece."""
        wave = np.concatenate(self._waiting).astype(np.int64)
        count = len(wave) // _HOP
        whole, rest = wave[: count * _HOP].reshape(count, _HOP), wave[count * _HOP :]
        self._waiting, self._waiting_samples = [rest], len(rest)
        at = end - len(wave)
        told: Bounds | None = None
        steps = np.square(whole[:, 1:] - whole[:, :-1]).sum(axis=1).tolist()  # deep rumble does not stand still
        for number, energy in enumerate((whole**2).sum(axis=1).tolist()):
            self._quiet_frames = self._quiet_frames + 1 if energy < _QUIET else 0
            if self._quiet_frames >= _QUIET_FRAMES:
                if self._steps:
                    self._forget(at + (number + 1 - _QUIET_FRAMES) * _HOP)
                continue
            if not self._steps:
                self._began = self._fed + at + number * _HOP
            self._steps.append(steps[number])
            self._sound.append(whole[number])
            self._unseen += 1
            if self._unseen >= _EVERY:
                self._unseen = 0
                told = _joined(told, self._look(at + (number + 1) * _HOP))
        return told

    def _look(self, end: int) -> Bounds | None:
        """Look at the next frames; `end`: where the sound so far ends, counted from the start of the piece."""
        known_before = self.in_noise
        if not known_before:
            del self._sound[:-_MOST]
            if not _may_be_noise(self._steps):
                return None
        bands = np.concatenate((self._bands, _bands_of(np.concatenate(self._sound))))[-_MOST:]
        noise, quiet = _noise_of(bands, self._noise)
        if not known_before and not _is_noise(noise, bands[quiet]):
            return None
        seen = len(self._sound) - (_WINDOW - 1) // _HOP
        self._noise, self._bands, self._sound = noise, bands, self._sound[seen:]
        self._frames += seen
        first = self._frames - len(self._bands)
        # where a frame's middle lies, counted from the piece
        middle = end - len(self._sound) * _HOP - self._frames * _HOP + _WINDOW // 2
        speech = _speech(self._bands, noise, quiet)
        self._spoken = self._spoken or any(stop - start >= _A_WORD for start, stop, _ in speech)
        runs = [
            (middle + (first + start) * _HOP + _START_BIAS, middle + (first + stop - 1) * _HOP + _END_BIAS + masked)
            for start, stop, masked in speech
        ]
        if not known_before:
            self.revised = (middle - _WINDOW // 2 + first * _HOP, runs)
            self._told = self._frames
            return runs[-1] if runs and runs[-1][1] >= end - _EVERY * _HOP * 3 else None
        since = middle + (self._told - _CORRECTED) * _HOP
        new = [run for run in runs if run[1] > since]
        self._told = self._frames
        if not new:
            return None
        last = self._fed + min(new[-1][1], end)
        if abs(last - self._last) < _HOP:
            return None
        self._last = last
        return max(new[0][0], since), last - self._fed


def _joined(one: Bounds | None, other: Bounds | None) -> Bounds | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def is_noise_alone(sound: "NDArray[Any]") -> bool:
    """Return whether 8 kHz samples, half a second and more, are a steady noise of any level, and hold nothing else."""
    frames = sound[2 * _HOP : len(sound) // (2 * _HOP) * 2 * _HOP].astype(np.float64).reshape(-1, 2 * _HOP)
    if len(frames) < _FEWEST // 2 or np.log10(np.square(frames).mean(axis=1) + 1).std() > _EVEN:
        return False
    bands = _bands_of(sound)
    noise, quiet = _noise_of(bands, None)
    return bool(quiet.mean() >= _ALONE) and _is_steady(noise, bands[quiet])


def _may_be_noise(energies: "deque[int]") -> bool:
    """Whether the sound stood still for 150 ms where it is softest: cheap, and seldom so in speech alone."""
    if len(energies) < _FEWEST:
        return False
    power = np.array(energies, np.float64)
    soft = power < _SOFTEST * _lowest(power)
    return any(stop - start >= _STEADY_FRAMES for start, stop in _runs(soft))


def _lowest(power: "NDArray[np.float64]") -> float:
    """The quantile of `_LOWEST`, as `np.quantile` returns it, at a fifth of its cost."""
    place = _LOWEST * (len(power) - 1)
    below, part = int(place), place - int(place)
    low, high = np.partition(power, (below, below + 1))[below : below + 2].tolist()
    return float(low + (high - low) * part)


def _bands_of(sound: "NDArray[Any]") -> "NDArray[np.float64]":
    """The power in each band, for each window of 32 ms, one every 10 ms."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows * _HANN, axis=1)[:, : _BAND_EDGES[-1]]) ** 2
    return np.asarray(np.add.reduceat(power, _BAND_EDGES[:-1], axis=1))


def _noise_of(
    bands: "NDArray[np.float64]", known: "NDArray[np.float64] | None"
) -> "tuple[NDArray[np.float64], NDArray[np.bool_]]":
    """The mean power of the noise in each band, and which frames hold nothing else. `known`: what it was before."""
    noise = np.quantile(bands, _LOWEST, axis=0) / _LOWEST_TO_MEAN if known is None else known
    quiet = np.ones(len(bands), bool)
    for _ in range(3):
        near = np.convolve(_likelihood(bands, noise) > 0.7 * _SPEECH, np.ones(21), "same") > 0
        quiet = ~near
        if quiet.sum() < _STEADY_FRAMES:
            break
        noise = bands[quiet].mean(axis=0)
    return noise, quiet


def _is_noise(noise: "NDArray[np.float64]", alone: "NDArray[np.float64]") -> bool:
    return _is_steady(noise, alone) and _dbfs(float(noise.sum())) <= _LOUDEST_DBFS


def _is_steady(noise: "NDArray[np.float64]", alone: "NDArray[np.float64]") -> bool:
    if len(alone) < _STEADY_FRAMES or noise.min() <= 0:
        return False
    flat = np.exp(np.log(noise).mean()) / noise.mean()
    level_db = (10 * np.log10(alone / noise + 1e-3)).mean(axis=1)  # of all bands alike: deep ones are never still
    return bool(flat >= _FLAT and level_db.std() <= _STEADY_DB)


def _dbfs(power: float) -> float:
    return float(10 * np.log10(power / _FULL_SCALE + 1e-12))


def _likelihood(bands: "NDArray[np.float64]", noise: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The mean over the bands of how much likelier speech is than the noise alone, in each frame."""
    over = np.maximum(_smooth(bands, 3) / np.maximum(noise, 1e-9), 1)
    return np.asarray((over - 1 - np.log(over)).mean(axis=1))


def _smooth(bands: "NDArray[np.float64]", frames: int) -> "NDArray[np.float64]":
    weights = np.hanning(frames + 2)[1:-1]
    padded = np.pad(bands, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    return np.asarray(sum(weight * padded[at : at + len(bands)] for at, weight in enumerate(weights / weights.sum())))


def _speech(
    bands: "NDArray[np.float64]", noise: "NDArray[np.float64]", quiet: "NDArray[np.bool_]"
) -> list[tuple[int, int, int]]:
    """The speech above the noise: its first frame, the frame behind its last, and how many samples of its end the
    noise hides on average."""
    smooth = _smooth(bands, 5)
    over = smooth / noise - 1
    enough = _ABOVE * ((smooth[quiet] / noise).std(axis=0) if quiet.sum() >= _STEADY_FRAMES else _USUAL_STD)
    above = over > enough
    level = 10 * np.log10((np.where(above, over, 0) * noise).sum(axis=1) / _FULL_SCALE + 1e-12)
    soft = (level > AUDIBLE_DBFS) & (above.sum(axis=1) >= _FEWEST_BANDS)
    noise_db = _dbfs(float(noise.sum()))
    found: list[tuple[int, int, int]] = []
    for start, stop in _runs(_likelihood(bands, noise) > _SPEECH):
        if stop - start < _SPEECH_FRAMES:
            continue
        loud_db = float(np.quantile(level[start:stop], 0.8))
        masked = round(_MOST_MASKED * min(1.0, max(0.0, (20 - (loud_db - noise_db)) / 12)))
        within = np.flatnonzero(soft[start:stop])
        end = start + int(within[-1]) if len(within) else stop - 1
        first, last = _reach(soft, start, -1), _reach(soft, end, 1)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last + 1), masked)
        else:
            found.append((first, last + 1, masked))
    return found


def _reach(soft: "NDArray[np.bool_]", at: int, step: int) -> int:
    """The last frame of soft speech from `at` on, forward or backward."""
    last, frame = at, at + step
    while 0 <= frame < len(soft) and abs(frame - at) <= _REACH and abs(frame - last) <= _HOLD:
        if soft[frame]:
            last = frame
        frame += step
    return last


def _runs(speech: "NDArray[np.bool_]") -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], speech.astype(np.int8), [0]))))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
