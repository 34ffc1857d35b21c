"""Find the bot's own voice that comes back over the line, so that it is not taken for the caller's. Pure.

A line echoes with one delay, which is searched for once, in the first two minutes of the call. A moment of the caller's
track is echo if it correlates with the bot's sound one delay earlier. A caller who speaks over an echo does not
correlate with it, and is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiosocket_sim.live.captured_call.track import RATE_HZ, Track

__all__ = ["EstimatedEcho", "find_echo"]

_LONGEST_DELAY_MS = 500
_LOOK_AT_MS = 120_000
_PRESENT = 0.25
"""Least normalised correlation over all of the bot's speech; callers who talk over a bot stay below 0.1."""
_EXPLAINED = 0.5
"""Least normalised correlation of a moment that is echo."""
_AROUND_MS = 100
_SLACK = 16  # samples, 2 ms: reflections in a room blur the delay
_PER_MS = RATE_HZ // 1000


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedEcho:
    """The echo of one call: `delay_ms` from the bot's sound to its echo in the caller's. Samples at 8 kHz."""

    delay_ms: float
    track: NDArray[np.float64]
    bot: NDArray[np.float64]

    def explains(self, at_ms: int) -> bool:
        """Return True if the 200 ms of the caller's sound around `at_ms` are the bot's own voice."""
        start, end = max(0, at_ms - _AROUND_MS) * _PER_MS, (at_ms + _AROUND_MS) * _PER_MS
        heard = self.track[start:end]
        delay = round(self.delay_ms * _PER_MS)
        best = max(
            _correlation(heard, self._sent(start - delay + shift, len(heard))) for shift in range(-_SLACK, _SLACK)
        )
        return bool(best >= _EXPLAINED)  # not numpy's bool: a sum of those is at most True

    def _sent(self, start: int, length: int) -> NDArray[np.float64]:
        part = self.bot[max(0, start) : max(0, start + length)]
        return np.pad(part, (max(0, min(length, -start)), 0))[:length]


def find_echo(track: Track, bot_sound: bytes) -> EstimatedEcho | None:
    """Return the echo, or None if the line has none. `bot_sound` is 8 kHz SLIN since the UUID."""
    heard, bot = _samples(track.pcm), _samples(bot_sound)
    n = min(len(heard), len(bot), _LOOK_AT_MS * _PER_MS)
    if not n or not heard[:n].any() or not bot[:n].any():
        return None
    size = 1 << (2 * n).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(heard[:n], size) * np.conj(np.fft.rfft(bot[:n], size)), size)
    most = _LONGEST_DELAY_MS * _PER_MS
    delay = int(np.argmax(correlation[1:most])) + 1
    if max(correlation[0], np.max(correlation[-most:])) > correlation[delay]:
        return None  # the caller's sound comes first: the bot repeats what it hears
    spoken = np.abs(bot[: n - delay]) > 0
    power = float(np.sum(heard[delay:n][spoken] ** 2)) * float(np.sum(bot[: n - delay] ** 2))
    if power <= 0 or correlation[delay] / np.sqrt(power) < _PRESENT:
        return None
    return EstimatedEcho(delay / _PER_MS, heard, bot)


def _samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the normalised correlation of two sounds, -1 to 1; 0 if either is silent."""
    n = min(len(a), len(b))
    power = float(a[:n] @ a[:n]) * float(b[:n] @ b[:n])
    return float(a[:n] @ b[:n]) / np.sqrt(power) if power > 0 else 0.0
