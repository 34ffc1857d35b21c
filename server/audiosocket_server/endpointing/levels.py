"""How loud a voice is, over the noise of its line, and whether it is the caller's own. Pure arithmetic.

A caller speaks into his phone at a level that hardly changes during a call; a television or somebody else in the room
is softer. So the level of each utterance that was understood as his is remembered. It is the mean power of the voiced
frames, without that of the noise, which is heard in the frames before. The newest of these are already his voice, since
a detector is late.

The level of an utterance that is over is exact to 2 dB. Of one that goes on it is not: words begin loud. So there a
smaller difference is enough for a voice to be soft, and what follows from it may be taken back later.

People are not as loud each time. So a voice that is softer, but not by far, and over, is compared with the caller's own
(`own_voice`): one that sounds just like it is his; of one that may be his it is said that it may.
"""

import math
from collections import deque
from statistics import median

import numpy as np

from audiosocket_server.endpointing.own_voice import OwnVoice

__all__ = ["VoiceLevels"]

LEAST_FRAMES = 8  # voiced ones, before anything is said of the level of an utterance
SURE_FRAMES = 30  # voiced ones, 0.6 s, before anything is said of one that goes on
SHARE_WHILE_IT_LASTS = 0.5  # of the difference
SOFT_PARTS = 0.01  # frames that are more than 20 dB below the loudest are not counted: gaps within words
NOISE_FRAMES = 100
LEAST_NOISE_FRAMES = 5
FAINT_DB = 10.0
"""An onset that is so much softer than the caller's own voice is a breath, or an echo. Of 64 sentences in which a
caller was 2 dB softer than before, none began softer for more than two frames."""
FAINT_FRAMES = 3
ONSET_FRAMES = 10  # before an utterance is found, in which it may have begun
OWN_FOLLOWS = 0.3
FAR_SOFTER_DB = 10.0
"""A voice that is so much softer is not the caller's, whatever it sounds like."""
ALIKE, PERHAPS = 2.2, -0.4
"""From which likeness on a softer voice is the caller's, and may be his."""


class VoiceLevels:
    """The levels of one call. `softer_db`: a voice that is so much softer than the caller's own is not his; 0: any is.

    Call `take` with each frame that the detector judged, and `begin` when an utterance begins.
    """

    def __init__(self, softer_db: float) -> None:
        self._softer_db = softer_db
        self._whole: list[float] = []  # of the utterance
        self._newest: deque[tuple[float, bool]] = deque(maxlen=ONSET_FRAMES)  # and whether they are voiced
        self._around: deque[float] = deque(maxlen=NOISE_FRAMES)
        self._own_db: float | None = None
        self._voice = OwnVoice()
        self._likeness: float | None = None

    def begin(self, frames: int) -> None:
        """An utterance begins, with the newest `frames` frames."""
        self._whole = [power for power, voiced in list(self._newest)[max(0, len(self._newest) - frames) :] if voiced]
        for _ in range(min(ONSET_FRAMES, len(self._around))):
            self._around.pop()
        self._voice.begin(frames, ONSET_FRAMES)
        self._likeness = None

    def take(self, frame: bytes, *, voiced: bool, quiet: bool) -> None:
        """Take a frame (20 ms of SLIN, 8 kHz). `quiet`: neither the bot nor the caller speaks, as far as is known."""
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        power = float(samples @ samples) / max(1, len(samples))
        self._newest.append((power, voiced))
        self._voice.take(frame, voiced=voiced, quiet=quiet)
        if voiced:
            self._whole.append(power)
        elif quiet:
            self._around.append(power)

    def is_faint(self) -> bool:
        """Return whether the newest frames are far softer than the caller's own voice; False if that is not known."""
        if self._own_db is None or not self._softer_db:
            return False
        loudest = max((power for power, _ in list(self._newest)[-FAINT_FRAMES:]), default=0.0)
        return loudest < 10 ** ((self._own_db - FAINT_DB) / 10)

    def is_soft(self, *, over: bool) -> bool | None:
        """Return whether the utterance is softer than the caller's own voice; None: it is too early to say.

        `over`: it has ended, or pauses. False if it is not known how loud the caller is.
        """
        if self._own_db is None or not self._softer_db:
            return False
        if len(self._whole) < (LEAST_FRAMES if over else SURE_FRAMES):
            return False if over else None
        softer_by = self._own_db - self._level_db()
        is_soft = softer_by > self._softer_db * (1 if over else SHARE_WHILE_IT_LASTS)
        self._likeness = self._voice.likeness() if is_soft and over and softer_by < FAR_SOFTER_DB else None
        return is_soft

    @property
    def is_alike(self) -> bool:
        """Whether the utterance that `is_soft` found too soft, and over, sounds just like the caller."""
        return self._likeness is not None and self._likeness >= ALIKE

    @property
    def may_be_own(self) -> bool:
        """Whether it may be the caller's, by its sound."""
        return self._likeness is not None and self._likeness >= PERHAPS

    def accept(self) -> None:
        """The last utterance was the caller's: remember its level, and what he sounds like."""
        if len(self._whole) < LEAST_FRAMES:
            return
        self._voice.accept()
        level_db, own_db = self._level_db(), self._own_db
        self._own_db = level_db if own_db is None else own_db + OWN_FOLLOWS * (level_db - own_db)

    def _level_db(self) -> float:
        loudest = max(self._whole)
        counted = [power for power in self._whole if power >= SOFT_PARTS * loudest]
        noise = median(self._around) if len(self._around) >= LEAST_NOISE_FRAMES else 0.0
        voice = sum(counted) / len(counted) - noise
        return 10 * math.log10(max(voice, 1.0))
