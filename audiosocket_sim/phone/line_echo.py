"""What comes back of the bot's voice: later, softer, smeared. Pure and seeded; the times are given.

On a real line it comes from a hybrid (where two wires become four) or from a loudspeaker that the microphone hears. The
phone plays what the bot sends at its own pace: what comes early waits for what came before it.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["LineEcho"]

_RATE_HZ = 8000
_UNEVEN = 3200  # samples: 400 ms
_KEPT = 10 * _RATE_HZ  # while the phone sends nothing


class LineEcho:
    """Of one call. `delay_ms`: of its first sound. `gain_db`: its energy against that of the bot's voice. `spread_ms`:
    the echo's path dies away over so much, as noise that is drawn by `seed`; 0: it is a plain copy.
    """

    def __init__(self, delay_ms: int, gain_db: float, spread_ms: int, seed: int) -> None:
        self._delay = delay_ms * _RATE_HZ // 1000
        self._path = _path(spread_ms, seed) * 10 ** (gain_db / 20)
        self._zero: float | None = None  # when sample 0 was
        self._played_until = 0  # samples
        self._coming: NDArray[np.float64] = np.zeros(0)  # from sample `_taken_until` on
        self._taken_until = 0
        self._begun = False

    def heard(self, at: float, pcm: bytes) -> None:
        """The bot's sound came to the phone at `at` (seconds): SLIN, 8 kHz."""
        sound = np.frombuffer(pcm, "<i2")
        start = max(self._sample(at), self._played_until)
        self._played_until = start + len(sound)
        if not sound.any():
            return
        echo = np.convolve(sound, self._path)
        first = start + self._delay - self._taken_until
        if first < 0:  # the phone was asked for it already
            echo, first = echo[-first:], 0
        lacking = first + len(echo) - len(self._coming)
        if lacking > 0:
            self._coming = np.concatenate([self._coming, np.zeros(lacking)])
        self._coming[first : first + len(echo)] += echo
        if len(self._coming) > _KEPT:
            self._taken_until += len(self._coming) - _KEPT
            self._coming = self._coming[-_KEPT:]

    def take(self, at: float, count: int) -> NDArray[np.float64]:
        """The echo in the next `count` samples of the phone, which end at `at`, roughly: packets come unevenly, what is
        in them does not. After a pause (a muted phone) it goes on from then, and what lies before is gone.
        """
        if self._zero is None:
            self._zero = at - count / _RATE_HZ
        end, now = self._taken_until + count, self._sample(at)
        if not self._begun or abs(now - end) > _UNEVEN:
            end = max(now, end)
        self._begun = True
        gone = end - self._taken_until
        if gone > len(self._coming):
            self._coming = np.pad(self._coming, (0, gone - len(self._coming)))
        taken = self._coming[gone - count : gone]
        self._coming = self._coming[gone:]
        self._taken_until = end
        return taken

    def _sample(self, at: float) -> int:
        if self._zero is None:
            self._zero = at
        return round((at - self._zero) * _RATE_HZ)


def _path(spread_ms: int, seed: int) -> NDArray[np.float64]:
    """Of energy 1; 26 dB down at its end."""
    count = max(1, spread_ms * _RATE_HZ // 1000)
    if count == 1:
        return np.ones(1)
    path = np.random.Generator(np.random.PCG64(seed)).standard_normal(count) * np.exp(-3 * np.arange(count) / count)
    path /= np.sqrt(np.sum(path * path))
    return path
