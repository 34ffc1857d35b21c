"""Echo guard: is the sound that the VAD takes for speech an echo of what was just played? Pure arithmetic, numpy.

A line that echoes returns what was sent: later by a delay that hardly changes during a call, softer, and smeared over a
few milliseconds (a hybrid) or some tens of them (a loudspeaker in a room). So the newest 140 ms heard are searched for
in the last second played, by cross-correlation over all delays. At the delay with the best fit, a least-squares fit of
a 6 ms echo path says what share of the energy heard the echo explains. That share decides. Nothing is subtracted from
the audio and no filter adapts: the guard only answers yes or no.

A caller who speaks over the echo is not explained by it, and is heard as soon as his voice is about as strong as the
echo. Once an echo was found, its delay is compared first, and a smaller share is enough there. If it was found there
again, a sound also counts as echo without a fit if it is no louder than that echo and the line's noise can be, because
the softest parts of an echo drown in the noise. One find is not enough for that: the first sound of a word is so short
that any voice may fit it by chance, and whoever believed in such an echo would not hear the caller. What was found once
and does not fit the next time is forgotten. Nor does that rule hold, or the smaller share, where a sound is far louder
than the noise and the echo explains less than half as much of it as it does usually: somebody speaks over it. A share
in between is undecided: the next onset, 40 to 60 ms later, gives more audio to compare. If it hints at the same delay,
which two different voices do by chance once in fifty times, it is an echo. But most of what is compared then was there
the first time, and fits again whatever it is: so what has come since must be explained by the path that was fitted
then. If it is not, the hint was chance, and what was found does not become sure.

A sound that is far softer than what was played in the last 700 ms is no caller either: soft echoes drown in the
line's noise, so that no comparison finds them.

The guard is asked only at the onset of an utterance, and answers no at once if nothing was played. A comparison takes
0.1 ms if the delay is known, 0.5 ms if not. An utterance that begins right behind the bot's last word has the echo of
that word before it, in its pre-roll: `leading_echo` says how much of it.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from audiosocket_core.echo_path import (
    Samples,
    cross_correlation,
    echo_gain,
    explained_by_path,
    explained_energy,
    fitted_path,
    normalised_correlation,
    power,
    pre_emphasise,
)

__all__ = ["LineEchoGuard"]

FRAME = 160  # samples
COMPARED = 7 * FRAME
PLAYED_FRAMES = 50
"""Frames of played audio that are kept, one second: delays of up to 860 ms are found."""

ECHO = 0.5
"""From this explained share on a sound is an echo, at any delay."""
ECHO_AGAIN = 0.3
"""From this explained share on a sound is an echo, at the delay of an echo that was found or hinted at before."""
CALLER = 0.2  # a smaller share is chance: another voice reaches it in three windows of four
PATIENCE = 2  # consecutive onsets that may stay undecided; the next one is the caller
CONFIRMS = 0.05
"""From this share on the path of before explains what is new. Of echoes it was 0.1 and more, also in loud noise; of
voices that had fitted by chance it was negative."""
FOLLOWED_FRAMES = 11
"""An echo whose path explains so many frames one by one has been found for sure: 4 more than those that it is fitted
to, which vowels of two voices may fit too."""

SAME_DELAY = 64  # samples
TAIL = 10 * FRAME  # echo of what was played this long ago may still be heard
LOUDEST_GAIN = 0.5  # 3 dB softer than the bot
GAIN_FOLLOWS = 0.1  # share of the new gain in the average, per comparison
MARGIN = 4.0  # 6 dB above the usual echo
SHARE_FOLLOWS = 0.1
MIXED = 0.5
"""Somebody speaks over an echo that explains less than this part of what it explains usually. It explained less than
0.6 of that, of a sound well over the noise, in at most 1 % of the windows without a caller, and in 78 % or more of
those with one."""
OVER_NOISE = 30.0  # 15 dB
NOISE_MARGIN = 3.0  # above the softest frame heard
NOISE_RISES = 1.05  # factor per comparison
NEAR_FRAMES = 35  # 700 ms: an echo may come 300 ms late, and words fade
FAR_BELOW = 10**-2.5  # 25 dB below the loudest frame played
SEARCHED_EVERY = 7  # frames: a pre-roll is searched for an echo this often
FRAME_BYTES = 2 * FRAME
LEAST_NOISE = 1.0  # so that the estimate can rise again after digital silence


@dataclass(frozen=True, slots=True)
class _Match:
    """The delay at which the newest audio fits best what was played."""

    delay: int
    """Samples between playing and hearing."""
    share: float
    """Share of the energy heard that the echo explains, 0 to 1; 0.0 if the echo would be too loud to be one."""
    gain: float
    """Power of the echo divided by the power played."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """A sound that fitted what was played: the delay, the echo path (for `explained_by_path`), and how many frames had
    been played by then."""

    delay: int
    path: Samples
    at: int


class LineEchoGuard:
    """The echo guard of one call. Call `played` with each frame (20 ms of SLIN, 8 kHz) at the time it is played."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=PLAYED_FRAMES)
        self._count = 0  # of frames played
        self._undecided = 0  # consecutive onsets
        self._hint: _Fit | None = None  # of the last undecided onset
        self._noise = np.inf  # power
        # The echo that was found before:
        self._delay: int | None = None  # samples
        self._gain = 0.0
        self._fit: _Fit | None = None  # by which it was found
        self._sure = False  # it was found more than once
        self._share: float | None = None  # what it explains usually, where it is well over the noise

    def played(self, frame: bytes) -> None:
        """Take a frame that is played now."""
        self._frames.append(frame)
        self._count += 1

    def is_echo(self, heard: bytes) -> bool:
        """Return True if the end of `heard` is known not to be the caller: an echo, or for the moment undecided.

        `heard`: SLIN, 8 kHz, at least 60 ms; the last 140 ms of it are compared.
        """
        played = pre_emphasise(b"".join(self._frames))
        if not played.any():
            return False
        samples = pre_emphasise(heard)
        self._noise = max(LEAST_NOISE, min(self._noise * NOISE_RISES, _softest(samples)))
        newest = samples[-COMPARED:]
        if len(newest) > len(played) or not newest.any():
            return False
        if power(newest) <= FAR_BELOW * _loudest(played[-NEAR_FRAMES * FRAME :]):
            return True
        known_share, is_mixed = 0.0, False
        if self._delay is not None:
            known_share, is_known_echo, is_mixed = self._at_known_delay(newest, played, self._delay)
            if is_known_echo:
                self._undecided = 0
                return True
        is_soft = power(newest) <= NOISE_MARGIN * self._noise
        if known_share <= CALLER and not (self._sure or is_soft):
            self._delay = None
        match = _best_match(newest, played)
        hinted_again = not is_mixed and self._hints_again(match, newest, played)
        fit = None if match.share < ECHO_AGAIN else self._fitted(newest, played, match.delay)
        if fit is not None and (match.share >= ECHO or hinted_again):
            self._found(match, fit, sure=hinted_again)
            self._undecided = 0
            return True
        self._hint = fit
        return self._stays_undecided(is_soft or max(known_share, match.share) > CALLER)

    def learn(self, heard: bytes) -> None:
        """Look for an echo in `heard` (SLIN, 8 kHz, up to the newest frame), so that its soft end is known for one.

        For the time just before the last word, when the caller is likely to be silent. Takes 1 ms, if anything was
        played; no time once an echo was found for sure.
        """
        if not self._sure:
            self.leading_echo(heard)

    def leading_echo(self, heard: bytes) -> int:
        """Return how many bytes at the beginning of `heard`, whole frames, are echo with no caller in it.

        `heard`: SLIN, 8 kHz, up to the newest frame.
        """
        played = pre_emphasise(b"".join(self._frames))
        samples = pre_emphasise(heard)
        if not played.any() or len(samples) >= len(played):
            return 0
        first = len(played) - len(samples)  # the sample played when `heard` begins
        for start in range(0, len(samples) - COMPARED, SEARCHED_EVERY * FRAME):
            x = samples[start : start + COMPARED]
            y = played[: first + start + COMPARED]
            if not x.any() or not y.any():
                continue
            at = self._echo_at(x, y)
            if at is not None:
                path = fitted_path(x, y, at)[1]
                until = self._echo_until(samples, played, start, at - start, path)
                self._sure = self._sure or until - start >= FOLLOWED_FRAMES * FRAME
                return until // FRAME * FRAME_BYTES
        return 0

    def _found(self, match: _Match, fit: _Fit, *, sure: bool) -> None:
        self._delay, self._gain, self._share = match.delay, match.gain, None
        self._fit, self._sure = fit, sure

    def _fitted(self, x: Samples, y: Samples, delay: int) -> _Fit:
        return _Fit(delay, fitted_path(x, y, len(y) - len(x) - delay)[1], self._count)

    def _hints_again(self, match: _Match, x: Samples, y: Samples) -> bool:
        hint = self._hint
        if hint is None or match.share < ECHO_AGAIN or abs(match.delay - hint.delay) > SAME_DELAY:
            return False
        return self._fits_again(hint, x, y)

    def _fits_again(self, fit: _Fit, x: Samples, y: Samples) -> bool:
        """Return whether what has come since then has the same echo path.

        True if nothing of `x` was compared then: another fit is evidence of its own. False if nothing has come.
        """
        new = (self._count - fit.at) * FRAME
        if new >= len(x):
            return True
        return new > 0 and explained_by_path(x[-new:], y, len(y) - new - fit.delay, fit.path) >= CONFIRMS

    def _echo_at(self, x: Samples, y: Samples) -> int | None:
        """Return the offset in `y` of which `x` is an echo, or None. Only the delay of a sure echo is tried."""
        if self._delay is None or not self._sure:
            match = _best_match(x, y)
            if match.share < ECHO:
                return None
            self._found(match, self._fitted(x, y, match.delay), sure=False)
            return len(y) - len(x) - match.delay
        at = len(y) - len(x) - self._delay
        if at < SAME_DELAY:
            return None
        near = y[at - SAME_DELAY : at + SAME_DELAY + len(x)]
        at += int(np.argmax(normalised_correlation(np.correlate(near, x, "valid"), x, near))) - SAME_DELAY
        return at if explained_energy(x, y, at) >= ECHO else None

    def _echo_until(self, heard: Samples, played: Samples, start: int, at: int, path: Samples) -> int:
        """Follow an echo found at `start`, with its path, to the first frame that it does not explain; in samples."""
        until = start
        for begin in range(start, len(heard) - FRAME + 1, FRAME):
            x = heard[begin : begin + FRAME]
            share = explained_by_path(x, played, at + begin, path)
            if share >= ECHO:
                until = begin + FRAME
            elif share < ECHO_AGAIN and power(x) > NOISE_MARGIN * self._noise:
                break
        return until

    def _stays_undecided(self, doubtful: bool) -> bool:
        """Give the benefit of the doubt for PATIENCE consecutive onsets, then treat the sound as the caller."""
        self._undecided = self._undecided + 1 if doubtful and self._undecided < PATIENCE else 0
        return self._undecided > 0

    def _at_known_delay(self, x: Samples, y: Samples, delay: int) -> tuple[float, bool, bool]:
        """Compare at the delay of the echo found before: (share of the energy explained, whether it is that echo,
        whether somebody speaks over it)."""
        at = len(y) - len(x) - delay
        low = max(0, at - SAME_DELAY)
        near = y[low : at + SAME_DELAY + len(x)]
        best = int(np.argmax(normalised_correlation(np.correlate(near, x, "valid"), x, near)))
        share = explained_energy(x, y, low + best)
        is_loud = power(x) > OVER_NOISE * self._noise
        if is_loud and self._share is not None and share < MIXED * self._share:
            return share, False, True
        if share >= ECHO_AGAIN:
            self._gain += GAIN_FOLLOWS * (min(LOUDEST_GAIN, echo_gain(share, x, y, at)) - self._gain)
            self._sure = self._sure or (self._fit is not None and self._fits_again(self._fit, x, y))
            if is_loud:
                usual = share if self._share is None else self._share
                self._share = usual + SHARE_FOLLOWS * (share - usual)
            return share, True, False
        if not self._sure:
            return share, False, False
        played = power(y[max(0, at - TAIL) : at + len(x)])
        return share, power(x) <= MARGIN * self._gain * played + NOISE_MARGIN * self._noise, False


def _best_match(x: Samples, y: Samples) -> _Match:
    """Search all delays. An echo is softer than the bot: a louder match is chance, and explains nothing."""
    at = int(np.argmax(normalised_correlation(cross_correlation(x, y), x, y)))
    share = explained_energy(x, y, at)
    gain = echo_gain(share, x, y, at)
    return _Match(len(y) - len(x) - at, 0.0 if gain > LOUDEST_GAIN else share, gain)


def _loudest(samples: Samples) -> float:
    """Return the power of the loudest 20 ms."""
    pieces = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return float(np.max(np.mean(pieces * pieces, axis=1), initial=0.0))


def _softest(samples: Samples) -> float:
    """Return the power of the softest 20 ms, in frames counted from the end; a rest at the start is left out."""
    count = len(samples) // FRAME
    pieces = samples[len(samples) - count * FRAME :].reshape(count, FRAME)
    return float(np.min(np.mean(pieces * pieces, axis=1), initial=np.inf))
