"""Turn the microphone down while it picks up the bot's own voice from an open loudspeaker. Pure.

The newest 140 ms from the microphone are searched for in the last second of played sound, by the arithmetic of
`audiosocket_core.echo_path`. When they are found, the delay and the gain of the echo path through the room are known.
From then on a frame that is no louder than such an echo is taken for one, and turned down at once. The caller's voice
over the bot passes if it is louder than that echo, or is not explained by it: with headphones always, with a
loudspeaker if his voice is the louder one at the microphone. His voice opens the guard for some time, so that no word
is cut into pieces; a frame that the known path explains almost alone closes it at once.

When the bot first speaks, nothing is known about the room. The first sound from the microphone during its speech is
therefore held back until 80 ms of it have been compared: once in a call, for at most two tenths of a second. A voice
over the bot is not let through at once either, since a sound card that lost a block returns the same echo at another
delay.

It does not subtract the echo: a caller who speaks over the bot is heard together with it. A frame that is turned down
is replaced by noise as soft as the room's, since a voice activity detector still detects words at -45 dB. Both streams
are counted in samples from their beginnings, so the sizes of a sound card's blocks do not matter.
"""

import numpy as np

from audiosocket_core.echo_path import (
    Samples,
    cross_correlation,
    echo_gain,
    explained_by_path,
    fitted_path,
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
"""Samples of played sound that are kept, one second: echoes up to 860 ms late are found."""
TAIL = 10 * FRAME  # how long played sound may ring in the room

ECHO = 0.5
ECHO_AGAIN = 0.3
ECHO_FIRST = 0.75
"""Least share of explained energy of an echo: at any delay, at the known one, and in the first 80 ms."""
ENOUGH = 0.1
"""Least power of the three frames before the newest, relative to it, for a search to make sense."""
SAME_DELAY = 64  # samples that the known delay may drift
UNDECIDED_FRAMES = 10
SEARCH_EVERY = 3  # frames: a search over all delays costs half a millisecond
LOUDEST_GAIN = 4.0
"""Highest power gain of an echo: with the loudspeaker beside the microphone an echo may be 6 dB louder than played."""
FOLLOWS = 0.1  # for each frame: how much of its deviation moves the gain
NOISE_RISES = 1.02  # for each frame
LOUD = 4.0
"""Least power of a sound relative to the noise: 6 dB."""
MARGIN = 3.0
"""Least power of a voice over the bot relative to the expected echo: 5 dB."""
CALLER = 0.6
"""Largest share of explained energy of a voice over the bot."""
AUDIBLE = 100.0  # power of pre-emphasised sound: about -70 dBFS
LOUDEST_NOISE = 1000.0  # power: -60 dBFS
SURE_FRAMES = 5
"""How long a voice over the bot is held back: it may be the bot's own at a new delay, which needs 80 ms to be found."""
TRUSTED_FRAMES = 100
"""For how long after a voice over the bot its next word is let through at once."""
FALL = 16
"""Samples of the fade-out, 2 ms. Half a frame of a word would be enough for a voice activity detector."""
HOLD_FRAMES = 15
"""For how long after a voice over the bot the guard stays open, so that no word is cut into pieces."""
NOTHING_ELSE = 0.75
HARDLY_ELSE = 0.6
"""Least share of one frame, and of each of two in a row, that is the echo alone: explained by the path known before."""


class EchoGuard:
    """The echo guard of one call. `played` and `clean` each take their own stream of 8 kHz SLIN, in order of time."""

    def __init__(self) -> None:
        self._played = bytearray()
        self._n_played = 0  # samples since the beginning
        self._heard = bytearray()
        self._n_heard = 0
        self._offset: int | None = None  # index of a played sample minus the index of its echo; None: not found yet
        self._gain = 0.0  # power gain of the echo path
        self._alone = 0.0  # share of the newest frame that is explained by the path known before it
        self._path = np.zeros(0, np.float32)  # the impulse response of the echo path at the offset
        self._noise = np.inf  # power of the microphone's noise, pre-emphasised
        self._undecided = UNDECIDED_FRAMES
        self._open_frames = 0
        self._doubtful_frames = self._trusted_frames = 0
        self._since_search = 0
        self._volume = 1.0
        self._floor = np.inf  # power of the softest frame
        self._random = np.random.default_rng(1)
        self.turned_down_ms = 0
        """How much of the microphone's sound was turned down so far."""

    @property
    def is_echo(self) -> bool:
        """True if the newest frame is turned down."""
        return self._volume < 1.0

    def played(self, pcm: bytes) -> None:
        """Take sound of any length that was just given to the loudspeaker, also silence."""
        self._played += pcm
        self._n_played += len(pcm) // 2
        del self._played[: max(0, len(self._played) - 2 * PLAYED - 2)]

    def clean(self, frame: bytes) -> bytes:
        """Take a frame from the microphone, 20 ms (320 bytes), and return it unchanged or turned down."""
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
        """Return True if the newest frame is to be turned down. `x` is the sound heard and `y` the sound played."""
        self._since_search += 1
        y = pre_emphasise(bytes(self._played))
        x = pre_emphasise(bytes(self._heard))
        newest = power(x[-FRAME:])
        self._noise = max(AUDIBLE, min(self._noise * NOISE_RISES, newest))
        if len(x) < COMPARED or len(y) < len(x) or power(y) < AUDIBLE:
            self._open_or_close(is_caller=False)  # time passes while the bot is silent, too
            return False
        is_loud = newest > LOUD * self._noise
        if self._offset is None:
            return is_loud and self._judge_first_sound(x, y)
        share, expected = self._expected_echo(x, y, is_loud=is_loud)
        if expected <= 0.0:
            self._open_or_close(is_caller=False)
            return False
        if self._is_echo_alone(x, y):
            self._open_frames = self._doubtful_frames = 0
            return True
        is_caller = newest > MARGIN * expected + LOUD * self._noise and share < CALLER
        self._open_or_close(is_caller=is_caller and self._is_sure(x, y))
        return not self._open_frames

    def _is_echo_alone(self, x: Samples, y: Samples) -> bool:
        """Return True if the path known from before explains the newest frame, or most of the newest two.

        It does so again as soon as a voice over the bot ends; the other share, of 140 ms, follows slowly.
        """
        assert self._offset is not None
        at = (self._n_heard - FRAME + self._offset) - (self._n_played - len(y))
        before, self._alone = self._alone, explained_by_path(x[-FRAME:], y, at, self._path)
        return self._alone >= NOTHING_ELSE or min(before, self._alone) >= HARDLY_ELSE

    def _open_or_close(self, *, is_caller: bool) -> None:
        """Open the guard for the caller's voice, or count down to its closing, and then to the end of the trust."""
        if is_caller:
            self._open_frames, self._trusted_frames = HOLD_FRAMES, TRUSTED_FRAMES
        elif self._open_frames:
            self._open_frames -= 1
            self._doubtful_frames = 0
        elif self._trusted_frames:
            self._trusted_frames -= 1

    def _is_sure(self, x: Samples, y: Samples) -> bool:
        """Return True if the sound, which is no echo at the known delay, is none at any other delay either.

        A sound card that lost a block moves the echo to another delay, which takes `SURE_FRAMES` to find.
        """
        if self._open_frames or self._trusted_frames:
            return True
        self._doubtful_frames += 1
        if self._search(x[-COMPARED_FIRST:], y, ECHO_FIRST):
            self._doubtful_frames = 0
        return self._doubtful_frames >= SURE_FRAMES

    def _expected_echo(self, x: Samples, y: Samples, *, is_loud: bool) -> tuple[float, float]:
        """Return the result of `_at_known_delay`, after a search for a new delay if the echo may have moved."""
        share, expected = self._at_known_delay(x, y)
        may_have_moved = is_loud and share < ECHO_AGAIN and self._since_search >= SEARCH_EVERY
        if may_have_moved and self._search(x, y, ECHO):
            return self._at_known_delay(x, y)
        return share, expected

    def _at_known_delay(self, x: Samples, y: Samples) -> tuple[float, float]:
        """Return the share of the energy of `x` explained at the known delay, and the echo's power in the newest frame.

        Follows a small drift of the delay and of the gain. The power is 0.0 if no echo is to be expected.
        """
        assert self._offset is not None
        at = (self._n_heard - len(x) + self._offset) - (self._n_played - len(y))
        low = max(0, at - SAME_DELAY)
        near = y[low : at + SAME_DELAY + len(x)]
        if at < 0 or len(near) < len(x) or not x.any():
            return 0.0, 0.0
        best = low + int(np.argmax(normalised_correlation(np.correlate(near, x, "valid").astype(np.float32), x, near)))
        share, path = fitted_path(x, y, best)
        if share >= ECHO:
            self._offset += best - at
            self._path = path
            self._gain += FOLLOWS * (min(LOUDEST_GAIN, echo_gain(share, x, y, best)) - self._gain)
        end = at + len(x)
        ringing = y[max(0, end - TAIL) : end]
        frames = ringing[len(ringing) % FRAME :].reshape(-1, FRAME)
        loudest = float(np.max(np.mean(frames * frames, axis=1), initial=0.0))
        return share, self._gain * loudest if loudest > AUDIBLE else 0.0

    def _judge_first_sound(self, x: Samples, y: Samples) -> bool:
        """Return True if sound during the bot's speech is or may be echo, before any echo was found in the call."""
        self._undecided = max(0, self._undecided - 1)
        if self._undecided > UNDECIDED_FRAMES - COMPARED_FIRST // FRAME:
            return True
        due = self._undecided > 0 or self._since_search >= SEARCH_EVERY
        if due and (self._search(x[-COMPARED_FIRST:], y, ECHO_FIRST) or self._search(x, y, ECHO)):
            return True
        return self._undecided > 0

    def _search(self, x: Samples, y: Samples, least: float) -> bool:
        """Search all delays for an echo with at least this share; if there is one, keep its delay and gain."""
        self._since_search = 0
        if power(x[-COMPARED_FIRST:-FRAME]) < ENOUGH * power(x[-FRAME:]):
            return False  # it has just become loud: there is too little of it to be found
        at = int(np.argmax(normalised_correlation(cross_correlation(x, y), x, y)))
        share, path = fitted_path(x, y, at)
        path_gain = echo_gain(share, x, y, at)
        if share < least or path_gain > LOUDEST_GAIN:
            return False
        self._offset = (self._n_played - len(y) + at) - (self._n_heard - len(x))
        self._gain, self._path = path_gain, path
        return True
