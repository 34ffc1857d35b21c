"""How loud a voice is, over the noise of its line, and whether it is the caller's own. Pure arithmetic.

A caller speaks into his phone at a level that hardly changes during a call; a television or somebody else in the room
is softer. So the level of each utterance that was understood as his is remembered. It is the mean power of the voiced
frames, without that of the noise, which is heard in the frames that are not voiced.

The level of an utterance that is over is exact to 2 dB. Of one that goes on it is not: words begin loud. So there a
smaller difference is enough for a voice to be soft, and what follows from it may be taken back later.
"""

import math

import numpy as np

__all__ = ["VoiceLevels"]

LEAST_FRAMES = 8  # voiced ones, before anything is said of the level of an utterance
SURE_FRAMES = 30  # voiced ones, 0.6 s, before anything is said of one that goes on
SHARE_WHILE_IT_LASTS = 0.5  # of the difference
SOFT_PARTS = 0.01  # frames that are more than 20 dB below the loudest are not counted: gaps within words
NOISE_FOLLOWS = 0.05
OWN_FOLLOWS = 0.3


class VoiceLevels:
    """The levels of one call. `softer_db`: a voice that is so much softer than the caller's own is not his; 0: any is.

    Call `take` with each frame that the detector judged, and `begin` when an utterance begins.
    """

    def __init__(self, softer_db: float) -> None:
        self._softer_db = softer_db
        self._whole: list[float] = []  # of the utterance
        self._noise: float | None = None
        self._own_db: float | None = None

    def begin(self) -> None:
        """An utterance begins."""
        self._whole.clear()

    def take(self, frame: bytes, *, voiced: bool, quiet: bool) -> None:
        """Take a frame (20 ms of SLIN, 8 kHz). `quiet`: neither the bot nor the caller speaks, as far as is known."""
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        power = float(samples @ samples) / max(1, len(samples))
        if voiced:
            self._whole.append(power)
        elif quiet:
            self._noise = power if self._noise is None else self._noise + NOISE_FOLLOWS * (power - self._noise)

    def is_soft(self, *, over: bool) -> bool | None:
        """Return whether the utterance is softer than the caller's own voice; None: it is too early to say.

        `over`: it has ended, or pauses. False if it is not known how loud the caller is.
        """
        if self._own_db is None or not self._softer_db:
            return False
        if len(self._whole) < (LEAST_FRAMES if over else SURE_FRAMES):
            return False if over else None
        return self._level_db() < self._own_db - self._softer_db * (1 if over else SHARE_WHILE_IT_LASTS)

    def accept(self) -> None:
        """The last utterance was the caller's: remember its level."""
        if len(self._whole) < LEAST_FRAMES:
            return
        level_db, own_db = self._level_db(), self._own_db
        self._own_db = level_db if own_db is None else own_db + OWN_FOLLOWS * (level_db - own_db)

    def _level_db(self) -> float:
        loudest = max(self._whole)
        counted = [power for power in self._whole if power >= SOFT_PARTS * loudest]
        voice = sum(counted) / len(counted) - (self._noise or 0.0)
        return 10 * math.log10(max(voice, 1.0))
