"""The bot's own voice, come back over the line: no utterance of the caller's. Pure.

A line echoes with one delay. It is looked for once, in the first minutes of the call, and then a moment of the caller's
track is an echo where the bot's sound of that long ago explains it. Speech over an echo is not: it is explained by
neither.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiosocket_sim.live.captured_call.track import RATE_HZ, Track

__all__ = ["EstimatedEcho", "find_echo"]

_LONGEST_DELAY_MS = 500
_LOOK_AT_MS = 120_000
_PRESENT = 0.25
"""Correlation over all that the bot said; callers who talk over a bot have less than 0.1 with it."""
_EXPLAINED = 0.5
_AROUND_MS = 100
_SLACK = 16  # samples, 2 ms: a room smears
_PER_MS = RATE_HZ // 1000


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedEcho:
    """The echo of one call: `delay_ms` from the bot's sound to the caller's."""

    delay_ms: float
    track: NDArray[np.float64]
    bot: NDArray[np.float64]

    def explains(self, at_ms: int) -> bool:
        """Whether what came around then is the bot's own voice."""
        start, end = max(0, at_ms - _AROUND_MS) * _PER_MS, (at_ms + _AROUND_MS) * _PER_MS
        heard = self.track[start:end]
        delay = round(self.delay_ms * _PER_MS)
        best = max(_likeness(heard, self._sent(start - delay + shift, len(heard))) for shift in range(-_SLACK, _SLACK))
        return bool(best >= _EXPLAINED)  # not numpy's: those add up to one

    def _sent(self, start: int, length: int) -> NDArray[np.float64]:
        part = self.bot[max(0, start) : max(0, start + length)]
        return np.pad(part, (max(0, min(length, -start)), 0))[:length]


def find_echo(track: Track, bot_sound: bytes) -> EstimatedEcho | None:
    """The echo, None where the line has none. `bot_sound`: 8 kHz SLIN since the UUID."""
    heard, bot = _samples(track.pcm), _samples(bot_sound)
    n = min(len(heard), len(bot), _LOOK_AT_MS * _PER_MS)
    if not n or not heard[:n].any() or not bot[:n].any():
        return None
    size = 1 << (2 * n).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard[:n], size) * np.conj(np.fft.rfft(bot[:n], size)), size)
    most = _LONGEST_DELAY_MS * _PER_MS
    delay = int(np.argmax(products[1:most])) + 1
    if max(products[0], np.max(products[-most:])) > products[delay]:
        return None  # the caller was first: a bot that says what it hears
    spoken = np.abs(bot[: n - delay]) > 0
    power = float(np.sum(heard[delay:n][spoken] ** 2)) * float(np.sum(bot[: n - delay] ** 2))
    if power <= 0 or products[delay] / np.sqrt(power) < _PRESENT:
        return None
    return EstimatedEcho(delay / _PER_MS, heard, bot)


def _samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    n = min(len(a), len(b))
    power = float(a[:n] @ a[:n]) * float(b[:n] @ b[:n])
    return float(a[:n] @ b[:n]) / np.sqrt(power) if power > 0 else 0.0
