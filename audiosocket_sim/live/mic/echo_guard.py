"""Is what the microphone hears the bot's own voice, out of an open loudspeaker? Then it is turned down. Pure.

The newest 140 ms that were heard are looked for in what was played in the last second (`audiosocket_core.echo_path`).
Once they were found the delay is known, and the gain of the way through the room; from then on a frame that is no
louder than such an echo is one, and is turned down at once. Who speaks over the bot is louder than that, or is not
explained by it, and passes: with headphones always, at a loudspeaker where his voice is the louder one at the
microphone.

Nothing is known of the room when the bot first speaks. So the first sound that comes into the microphone while it does
is held back while 80 ms of it are compared: once a call, and two tenths of a second of it. Nor is a voice over the
bot let through at once: a sound card that lost a block gives back the same echo at another delay.

It does not subtract: over the bot's voice the caller is heard with it. Where it turns down, nothing is left but noise
as soft as the room's: a detector of speech hears words that are 45 dB down. Both sides are counted in samples from
their beginnings, so that it does not matter in what pieces a sound card takes and gives them.
"""

import numpy as np

from audiosocket_core.echo_path import (
    Samples,
    cross_correlation,
    echo_gain,
    explained_energy,
    normalised_correlation,
    power,
    pre_emphasise,
)

__all__ = ["FRAME_BYTES", "EchoGuard"]

FRAME = 160  # samples
FRAME_BYTES = 2 * FRAME
COMPARED = 7 * FRAME
COMPARED_FIRST = 4 * FRAME
PLAYED = 8000
"""A second: echoes that come up to 860 ms later are found."""
TAIL = 10 * FRAME  # what was played so long before still rings in the room

ECHO = 0.5
ECHO_AGAIN = 0.3
ECHO_FIRST = 0.75
"""The share from which on it is echo: at any delay, at the known one, and of the first 80 ms."""
ENOUGH = 0.1
"""So much power, of the newest frame's, in the three before it is enough to be looked for."""
SAME_DELAY = 64  # samples
UNDECIDED_FRAMES = 10
SEARCH_EVERY = 3  # frames: a search over all delays costs half a millisecond
LOUDEST_GAIN = 4.0
"""A loudspeaker beside the microphone may come back louder than it was sent: 6 dB."""
FOLLOWS = 0.1
NOISE_RISES = 1.02  # a frame
MARGIN = 3.0
"""So much more power than the usual echo is a voice over it: 5 dB."""
CALLER = 0.6
"""What is louder than the usual echo, and explained by it to less than this, is a voice over it."""
AUDIBLE = 100.0  # power of emphasised sound: about -70 dBFS
LOUDEST_NOISE = 1000.0  # power: -60 dBFS
SURE_FRAMES = 5
"""So long a voice over the bot is held back: it may be the bot's own at a new delay, which needs 80 ms to be found."""
TRUSTED_FRAMES = 100
"""So long after a voice over the bot the next word of it is not doubted."""
FALL = 16
"""Samples: turned down within 2 ms. Half a frame of a word is enough for a detector of speech, which hangs over."""
HOLD_FRAMES = 15
"""So long after a voice over the bot it stays open, so that no word is cut into pieces."""


class EchoGuard:
    """One call's. `played` and `clean` in the order of time, each its own stream of 8 kHz SLIN."""

    def __init__(self) -> None:
        self._played = bytearray()
        self._n_played = 0  # samples, ever
        self._heard = bytearray()
        self._n_heard = 0
        self._offset: int | None = None  # a sample heard + this = the sample played that it is
        self._gain = 0.0
        self._noise = np.inf
        self._undecided = UNDECIDED_FRAMES
        self._open_frames = 0
        self._doubtful_frames = self._trusted_frames = 0
        self._since_search = 0
        self._volume = 1.0
        self._floor = np.inf  # power of the softest that was heard
        self._random = np.random.default_rng(1)
        self.turned_down_ms = 0
        """So much of what the microphone heard was taken for the bot."""

    @property
    def is_echo(self) -> bool:
        """Is the newest frame turned down?"""
        return self._volume < 1.0

    def played(self, pcm: bytes) -> None:
        """What was just given to the loudspeaker, silence too."""
        self._played += pcm
        self._n_played += len(pcm) // 2
        del self._played[: max(0, len(self._played) - 2 * PLAYED - 2)]

    def clean(self, frame: bytes) -> bytes:
        """What the microphone heard, 20 ms (320 bytes): as it was, or turned down."""
        self._heard += frame
        self._n_heard += FRAME
        del self._heard[: max(0, len(self._heard) - 2 * COMPARED - 2)]
        samples = np.frombuffer(frame, dtype="<i2").astype(np.float32)
        self._floor = max(1.0, min(self._floor * NOISE_RISES, power(samples)))
        wanted = 0.0 if self._judge() else 1.0
        before, self._volume = self._volume, wanted
        if wanted < 1.0:
            self.turned_down_ms += 20
        if before == wanted == 1.0:
            return frame
        volume = np.full(FRAME, wanted)
        fade = FALL if wanted < before else FRAME
        volume[:fade] = np.linspace(before, wanted, fade)
        noise = self._random.standard_normal(FRAME) * min(self._floor, LOUDEST_NOISE) ** 0.5
        return bytes(np.rint(samples * volume + noise * (1 - volume)).astype("<i2").tobytes())

    def _judge(self) -> bool:
        self._since_search += 1
        y = pre_emphasise(bytes(self._played))
        x = pre_emphasise(bytes(self._heard))
        newest = x[-FRAME:]
        loud = power(newest)
        self._noise = max(AUDIBLE, min(self._noise * NOISE_RISES, loud))
        if len(x) < COMPARED or len(y) < len(x) or power(y) < AUDIBLE:
            return False
        if self._offset is None:
            return loud > 4 * self._noise and self._first(x, y)
        share, echo = self._known(x, y)
        may_have_moved = share < ECHO_AGAIN and self._since_search >= SEARCH_EVERY and loud > 4 * self._noise
        if may_have_moved and self._search(x, y, ECHO):
            share, echo = self._known(x, y)
        if echo <= 0.0:
            return False
        is_caller = loud > MARGIN * echo + 4 * self._noise and share < CALLER
        if is_caller and self._is_sure(x, y):
            self._open_frames, self._trusted_frames = HOLD_FRAMES, TRUSTED_FRAMES
        elif self._open_frames:
            self._open_frames -= 1
            self._doubtful_frames = 0
        elif self._trusted_frames:
            self._trusted_frames -= 1
        return not self._open_frames

    def _is_sure(self, x: Samples, y: Samples) -> bool:
        """It is no echo at the known delay: nor at another one, to which a sound card has jumped that lost a block?"""
        if self._open_frames or self._trusted_frames:
            return True
        self._doubtful_frames += 1
        if self._search(x[-COMPARED_FIRST:], y, ECHO_FIRST):
            self._doubtful_frames = 0
        return self._doubtful_frames >= SURE_FRAMES

    def _known(self, x: Samples, y: Samples) -> tuple[float, float]:
        """At the known delay: the share of x that is explained, and the power to be expected of the newest frame."""
        assert self._offset is not None
        at = (self._n_heard - len(x) + self._offset) - (self._n_played - len(y))
        low = max(0, at - SAME_DELAY)
        near = y[low : at + SAME_DELAY + len(x)]
        if at < 0 or len(near) < len(x) or not x.any():
            return 0.0, 0.0
        best = low + int(np.argmax(normalised_correlation(np.correlate(near, x, "valid").astype(np.float32), x, near)))
        share = explained_energy(x, y, best)
        if share >= ECHO:
            self._offset += best - at
            self._gain += FOLLOWS * (min(LOUDEST_GAIN, echo_gain(share, x, y, best)) - self._gain)
        end = at + len(x)
        ringing = y[max(0, end - TAIL) : end]
        frames = ringing[len(ringing) % FRAME :].reshape(-1, FRAME)
        loudest = float(np.max(np.mean(frames * frames, axis=1), initial=0.0))
        return share, self._gain * loudest if loudest > AUDIBLE else 0.0

    def _first(self, x: Samples, y: Samples) -> bool:
        """Something is heard while the bot speaks, and no echo was found before: is it one, or may it be?"""
        self._undecided = max(0, self._undecided - 1)
        if self._undecided > UNDECIDED_FRAMES - COMPARED_FIRST // FRAME:
            return True
        due = self._undecided > 0 or self._since_search >= SEARCH_EVERY
        if due and (self._search(x[-COMPARED_FIRST:], y, ECHO_FIRST) or self._search(x, y, ECHO)):
            return True
        return self._undecided > 0

    def _search(self, x: Samples, y: Samples, least: float) -> bool:
        """Over all delays. Keeps what it finds, if it is an echo."""
        self._since_search = 0
        if power(x[-COMPARED_FIRST:-FRAME]) < ENOUGH * power(x[-FRAME:]):
            return False  # it has just become loud: so little of it is found anywhere
        at = int(np.argmax(normalised_correlation(cross_correlation(x, y), x, y)))
        share = explained_energy(x, y, at)
        found = echo_gain(share, x, y, at)
        if share < least or found > LOUDEST_GAIN:
            return False
        self._offset = (self._n_played - len(y) + at) - (self._n_heard - len(x))
        self._gain = found
        return True
