"""The echo of the bot's voice on the line: later, softer and smeared. Pure and seeded; times are arguments.

On a real line an echo comes from a hybrid (where two wires become four) or from a loudspeaker near the microphone. The
phone plays the bot's sound at its own pace: sound that comes early is played after the sound before it.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["LineEcho"]

_RATE_HZ = 8000
_UNEVEN = 3200  # samples: 400 ms
_KEPT = 10 * _RATE_HZ  # while the phone sends nothing


class LineEcho:
    """The echo of one call. `delay_ms`: from the bot's sound to the start of its echo. `gain_db`: the energy of the
    echo relative to the bot's sound. `spread_ms`: the length of the impulse response, which is decaying noise drawn by
    `seed`; 0: the echo is a plain copy.
    """

    def __init__(self, delay_ms: int, gain_db: float, spread_ms: int, seed: int) -> None:
        self._delay = delay_ms * _RATE_HZ // 1000
        self._path = _path(spread_ms, seed) * 10 ** (gain_db / 20)
        self._zero: float | None = None  # the time of sample 0
        self._played_until = 0  # samples
        self._coming: NDArray[np.float64] = np.zeros(0)  # from sample `_taken_until` on
        self._taken_until = 0
        self._begun = False

    def heard(self, at: float, pcm: bytes) -> None:
        """Take the bot's sound, SLIN at 8 kHz, which came to the phone at the time `at`, in seconds."""
        sound = np.frombuffer(pcm, "<i2")
        start = max(self._sample(at), self._played_until)
        self._played_until = start + len(sound)
        if not sound.any():
            return
        echo = np.convolve(sound, self._path)
        first = start + self._delay - self._taken_until
        if first < 0:  # `take` has passed this point already
            echo, first = echo[-first:], 0
        lacking = first + len(echo) - len(self._coming)
        if lacking > 0:
            self._coming = np.concatenate([self._coming, np.zeros(lacking)])
        self._coming[first : first + len(echo)] += echo
        if len(self._coming) > _KEPT:
            self._taken_until += len(self._coming) - _KEPT
            self._coming = self._coming[-_KEPT:]

    def take(self, at: float, count: int) -> NDArray[np.float64]:
        """Return the echo in the phone's next `count` samples. `at`: about the time at which they end, in seconds.

        Packets come unevenly, but their samples are continuous, so small differences in `at` are ignored. After a pause
        of more than 400 ms (a muted phone) the echo continues at `at`, and the echo in the pause is lost.
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
    """Return the impulse response of the echo: of energy 1, and 26 dB down at its end."""
    count = max(1, spread_ms * _RATE_HZ // 1000)
    if count == 1:
        return np.ones(1)
    path = np.random.Generator(np.random.PCG64(seed)).standard_normal(count) * np.exp(-3 * np.arange(count) / count)
    path /= np.sqrt(np.sum(path * path))
    return path
