"""Is what is heard the bot's own voice, come back? Compares it with what was just played. Pure arithmetic, numpy.

A line that echoes gives back what was sent: later by a delay that hardly changes during a call, softer, and smeared
over some milliseconds (a hybrid) or tens of them (a loudspeaker in a room). So the newest 140 ms that were heard are
looked for in the last second that was played (cross-correlation, over all delays), and at the delay where they fit
best as much of them as can be is made of it: least squares over 6 ms of echo path. What share of their energy that
explains is the measure. Nothing is subtracted and nothing adapts: this answers yes or no.

A caller who speaks over the echo is not explained by it, and is heard as soon as his voice is about as strong as the
echo. Once an echo was found, it is looked for at its delay first, where a smaller share is enough; and what is no
louder than such an echo with the line's noise can be is taken for one without a fit, since the softest of it drowns.
A share in between is undecided: the next onset, 60 ms later, has more of it to compare; where that hints at the same
delay, which two voices do by chance once in fifty times, it is an echo.

It is asked at the onset of an utterance only, and says no at once where nothing was played; a comparison costs a tenth
of a millisecond where the delay is known, and half of one where it is not.
"""

from collections import deque

import numpy as np

from audiosocket_core.echo_path import Samples, emphasised, explained, fit, gain, power, products

__all__ = ["LineEchoGuard"]

FRAME = 160  # samples
COMPARED = 7 * FRAME
PLAYED_FRAMES = 50
"""A second: delays up to 860 ms are found."""

ECHO = 0.5
ECHO_AGAIN = 0.3
"""The share from which on it is echo: at any delay, and at that of an echo that was found or hinted at before."""
CALLER = 0.2  # a smaller share is chance: another voice reaches it in three windows of four
PATIENCE = 2  # onsets in a row that may stay undecided; then it is a caller
NO_GUESS = -10_000

SAME_DELAY = 64  # samples
TAIL = 10 * FRAME  # what was played so long before still rings
LOUDEST_GAIN = 0.5  # 3 dB softer than the bot
GAIN_FOLLOWS = 0.1  # a comparison
MARGIN = 4.0  # 6 dB over the usual echo
NOISE_MARGIN = 3.0  # over the softest frame heard
NOISE_RISES = 1.05  # a comparison
LEAST_NOISE = 1.0  # so that it can rise again after digital silence


class LineEchoGuard:
    """One call's. Tell it each frame that is played, 20 ms of SLIN at 8 kHz, when it is played."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=PLAYED_FRAMES)
        self.played = self._frames.append
        self._undecided = 0  # onsets in a row
        self._guess = NO_GUESS  # the delay that the last of them hinted at
        self._noise = np.inf  # energy a sample
        # of the echo that was found before:
        self._delay: int | None = None  # samples
        self._gain = 0.0  # energy that comes back, by energy played

    def is_echo(self, heard: bytes) -> bool:
        """Is the newest that was heard (60 ms of SLIN or more) what was played?"""
        y = emphasised(b"".join(self._frames))
        if not y.any():
            return False
        whole = emphasised(heard)
        self._noise = max(LEAST_NOISE, min(self._noise * NOISE_RISES, _softest(whole)))
        x = whole[-COMPARED:]
        if len(x) > len(y) or not x.any():
            return False
        share = 0.0
        if self._delay is not None:
            share, known = self._as_before(x, y, self._delay)
            if known:
                self._undecided = 0
                return True
        at = int(np.argmax(fit(products(x, y), x, y)))
        found, delay = explained(x, y, at), len(y) - len(x) - at
        if gain(found, x, y, at) > LOUDEST_GAIN:
            found = 0.0  # an echo is softer than the bot: it is chance
        if found >= ECHO or (found >= ECHO_AGAIN and abs(delay - self._guess) <= SAME_DELAY):
            self._delay, self._gain, self._undecided = delay, gain(found, x, y, at), 0
            return True
        self._guess = delay if found >= ECHO_AGAIN else NO_GUESS
        return self._is_doubtful(max(share, found) > CALLER or power(x) <= NOISE_MARGIN * self._noise)

    def _is_doubtful(self, doubtful: bool) -> bool:
        """For some onsets in a row; then it is a caller."""
        self._undecided = self._undecided + 1 if doubtful and self._undecided < PATIENCE else 0
        return self._undecided > 0

    def _as_before(self, x: Samples, y: Samples, delay: int) -> tuple[float, bool]:
        """The share that the echo of before explains, and whether it is that echo."""
        at = len(y) - len(x) - delay
        low = max(0, at - SAME_DELAY)
        near = y[low : at + SAME_DELAY + len(x)]
        share = explained(x, y, low + int(np.argmax(fit(np.correlate(near, x, "valid"), x, near))))
        if share >= ECHO_AGAIN:
            self._gain += GAIN_FOLLOWS * (min(LOUDEST_GAIN, gain(share, x, y, at)) - self._gain)
            return share, True
        played = power(y[max(0, at - TAIL) : at + len(x)])
        return share, power(x) <= MARGIN * self._gain * played + NOISE_MARGIN * self._noise


def _softest(samples: Samples) -> float:
    """The power of the softest 20 ms, counted from the end; what is left over at the front is not looked at."""
    count = len(samples) // FRAME
    pieces = samples[len(samples) - count * FRAME :].reshape(count, FRAME)
    return float(np.min(np.mean(pieces * pieces, axis=1), initial=np.inf))
