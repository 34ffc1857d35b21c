"""How much a voice sounds like the caller's own, whatever its level. Pure arithmetic.

The caller's own voice is learnt from the turns in which he was understood. A voice is compared in four ways: its mean
spectrum, in fourteen bands and without its level; its pitch; how fast its bands fall, which is slower where a voice
comes through a room; and its lowest bands, which a loudspeaker does not have. The noise of the line is taken away from
the spectrum before, and bands in which the noise is as loud as the voice count little.

The weights were fitted to pairs of voices, and tested with others (`benchmarks soft_voices`, docs/speech.md): what
somebody said 4.5 to 9 dB softer than before, against a television, and against a second talker in a room.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiosocket_server.endpointing.vad import FRAME_BYTES

__all__ = ["OwnVoice", "VoiceTraits", "differences", "traits_of"]

Values = NDArray[np.float64]

MOST_FRAMES = 150
"""How much of an utterance is looked at: its newest three seconds."""
NOISE_FRAMES = 50
LEAST_VOICED = 20  # frames, 0.4 s: of less too little is known
OWN_FOLLOWS = 0.4
"""The share of the newest turn in what is known of the caller's voice."""

_RATE_HZ, _FRAME, _WINDOW = 8000, FRAME_BYTES // 2, 256
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 14, 120, 3700
_LOW_BANDS = 3
_SOFT = 0.01  # what is more than 20 dB below the loudest is a gap within words
_DEPTH = 1e-3
_NEAR_DB = 15.0
_FALLS_SHARE = 0.1  # of the loud frames, how many fall faster
_LEAST_FALLS = 5
_CLEAR_DB = 6.0
_PITCH_WINDOW, _PITCH_HOP = 400, 320
_PITCH_HZ = (72, 400)
_PITCH_SIZE = 512  # of a window with enough silence behind it for the longest period
_VOICED, _NEARLY = 0.5, 0.88
_LEAST_PITCHES = 4
_UNKNOWN_PITCH, _MOST_PITCH = 0.2, 0.6  # octaves

_TAPER = np.hanning(_WINDOW)
_PITCH_TAPER = np.hanning(_PITCH_WINDOW)
_TAPER_POWER = np.abs(np.fft.rfft(_PITCH_TAPER, _PITCH_SIZE)) ** 2
_TAPER_LIKENESS = np.fft.irfft(_TAPER_POWER)[: _PITCH_WINDOW // 2] / np.sum(_PITCH_TAPER**2)

WEIGHTS = (4.5, -0.7, -5.0, 0.47, 0.17)
"""The sum's first part, and what it gets for each of `differences`."""


def _mel(hertz: Values) -> Values:
    return np.asarray(np.log1p(hertz / 700), dtype=np.float64)


def _bank() -> Values:
    """Which frequency belongs to which band: shape (bands, frequencies)."""
    hertz = _mel(np.fft.rfftfreq(_WINDOW, 1 / _RATE_HZ).astype(np.float64))
    low, high = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ], dtype=np.float64))
    edges = np.linspace(float(low), float(high), _BANDS + 1)
    return np.asarray((edges[:-1, None] <= hertz) & (edges[1:, None] > hertz), dtype=np.float64)


_IN_BAND = _bank()


@dataclass(frozen=True, slots=True)
class VoiceTraits:
    """What one voice sounds like. Each array has a value for each band."""

    spectrum_db: Values
    above_noise_db: Values
    falls_db: Values
    """How much a band falls from one frame to the next, when it falls fast."""
    pitch: float | None
    """Octaves; None: not known."""

    def followed_by(self, newest: "VoiceTraits") -> "VoiceTraits":
        """Return the traits with the newest ones mixed in."""
        pitch = newest.pitch if self.pitch is None else self.pitch
        if self.pitch is not None and newest.pitch is not None:
            pitch = self.pitch + OWN_FOLLOWS * (newest.pitch - self.pitch)
        return VoiceTraits(
            _mixed(self.spectrum_db, newest.spectrum_db),
            _mixed(self.above_noise_db, newest.above_noise_db),
            _mixed(self.falls_db, newest.falls_db),
            pitch,
        )


class OwnVoice:
    """The caller's own voice, and the utterance that is compared with it. Call `take` with each judged frame."""

    def __init__(self) -> None:
        self._frames: deque[tuple[bytes, bool]] = deque(maxlen=MOST_FRAMES)
        self._noise: deque[bytes] = deque(maxlen=NOISE_FRAMES)
        self._own: VoiceTraits | None = None

    def begin(self, frames: int, noise_too: int) -> None:
        """An utterance begins, with the newest `frames` frames. The newest `noise_too` of the noise are voice too."""
        while len(self._frames) > frames:
            self._frames.popleft()
        for _ in range(min(noise_too, len(self._noise))):
            self._noise.pop()

    def take(self, frame: bytes, *, voiced: bool, quiet: bool) -> None:
        """Take a frame (20 ms of SLIN, 8 kHz). `quiet`: neither the bot nor the caller speaks, as far as is known."""
        self._frames.append((frame, voiced))
        if quiet and not voiced:
            self._noise.append(frame)

    def accept(self) -> None:
        """The utterance is the caller's: learn his voice."""
        newest = self._traits()
        if newest is not None:
            self._own = newest if self._own is None else self._own.followed_by(newest)

    def likeness(self) -> float | None:
        """Return how much the utterance sounds like the caller: 0 as much as not, more is alike; None: not known."""
        if self._own is None or (traits := self._traits()) is None:
            return None
        return float(np.dot(WEIGHTS, (1.0, *differences(self._own, traits))))

    def _traits(self) -> VoiceTraits | None:
        voiced = np.array([one for _, one in self._frames], dtype=bool)
        if voiced.sum() < LEAST_VOICED:
            return None
        return traits_of(b"".join(frame for frame, _ in self._frames), voiced, b"".join(self._noise))


def differences(own: VoiceTraits, other: VoiceTraits) -> tuple[float, float, float, float]:
    """Return how far the mean spectra are apart (dB), and the pitches (octaves); how much faster the other voice falls
    (dB a frame), and how much more of it is in the lowest bands (dB)."""
    clear = np.clip(np.minimum(own.above_noise_db, other.above_noise_db) / _CLEAR_DB, 0.05, 1)
    apart = other.spectrum_db - own.spectrum_db
    apart -= apart.mean()
    pitch = _UNKNOWN_PITCH
    if own.pitch is not None and other.pitch is not None:
        pitch = min(abs(other.pitch - own.pitch), _MOST_PITCH)
    falls = float(np.average(other.falls_db - own.falls_db, weights=clear))
    low = float(apart[:_LOW_BANDS].mean() - apart[_LOW_BANDS:].mean())
    return float(np.sqrt(np.average(apart * apart, weights=clear))), pitch, falls, low


def traits_of(pcm: bytes, voiced: NDArray[np.bool_], noise: bytes) -> VoiceTraits | None:
    """Return the traits of a voice (SLIN, 8 kHz); None if there is too little of it.

    `voiced`: for each frame of 20 ms, whether it is voice. `noise`: the line without any voice; empty: not known.
    """
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    power = _band_power(samples)
    hush = _band_power(np.frombuffer(noise, "<i2").astype(np.float64))
    floor = np.median(hush, axis=0) if len(hush) else np.ones(_BANDS)
    clean = np.maximum(power - floor, 1.0)
    whole = clean.sum(axis=1)
    counted = voiced[: len(power)] & (whole >= _SOFT * whole[voiced[: len(power)]].max(initial=0.0))
    if counted.sum() < LEAST_VOICED // 2:
        return None
    voice = clean[counted]
    mean = voice.mean(axis=0)
    levels = 10 * np.log10(np.maximum(voice, np.maximum(floor / 2, mean * _DEPTH)))
    return VoiceTraits(
        levels.mean(axis=0),
        10 * np.log10(mean / (floor + 1.0)),
        _falls(np.maximum(clean, floor)),
        _pitch(samples, counted),
    )


def _band_power(samples: Values) -> Values:
    """The power in each band of each frame: shape (frames, bands)."""
    if len(samples) < _WINDOW:
        return np.zeros((0, _BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_FRAME]
    power: Values = np.abs(np.fft.rfft(frames * _TAPER, axis=1)) ** 2 @ _IN_BAND.T
    return power


def _falls(power: Values) -> Values:
    levels = 10 * np.log10(power)
    loud = levels[:-1] > levels.max(axis=0) - _NEAR_DB
    falls = np.sort(np.where(loud, levels[:-1] - levels[1:], -np.inf), axis=0)
    counts = loud.sum(axis=0)
    fast = falls[len(falls) - 1 - np.round(_FALLS_SHARE * counts).astype(int), np.arange(_BANDS)]
    return np.where(counts >= _LEAST_FALLS, fast, 0.0)


def _pitch(samples: Values, counted: NDArray[np.bool_]) -> float | None:
    """The median pitch, in octaves, of the frames that count and have one; None if there are too few of them."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _PITCH_WINDOW)[::_PITCH_HOP]
    frames = frames[counted[:: _PITCH_HOP // _FRAME][: len(frames)].nonzero()[0]]
    if len(frames) < _LEAST_PITCHES:
        return None
    centred = (frames - frames.mean(axis=1, keepdims=True)) * _PITCH_TAPER
    alike = np.fft.irfft(np.abs(np.fft.rfft(centred, _PITCH_SIZE, axis=1)) ** 2, axis=1)[:, : _PITCH_WINDOW // 2]
    alike /= (alike[:, :1] + 1e-9) * _TAPER_LIKENESS
    first = _RATE_HZ // _PITCH_HZ[1]
    alike = alike[:, first - 1 : _RATE_HZ // _PITCH_HZ[0] + 2]
    inner = alike[:, 1:-1]
    best = inner.max(axis=1, keepdims=True)
    peaks = (inner >= alike[:, :-2]) & (inner >= alike[:, 2:]) & (inner >= _NEARLY * best) & (best >= _VOICED)
    clear = peaks.any(axis=1)
    if clear.sum() < _LEAST_PITCHES:
        return None
    return float(np.median(np.log2(_RATE_HZ / (first + peaks[clear].argmax(axis=1)))))


def _mixed(before: Values, newest: Values) -> Values:
    return before + OWN_FOLLOWS * (newest - before)
