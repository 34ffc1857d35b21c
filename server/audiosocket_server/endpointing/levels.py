"""How loud a voice is, over the noise of its line, and whether it is the caller's own. Pure arithmetic.

A caller speaks into his phone at a level that hardly changes during a call; a television or somebody else in the room
is softer. So the level of each utterance that was understood as his is remembered. It is the mean power of the voiced
frames, without that of the noise: what was heard before, without the newest frames, which are already his voice since a
detector is late; or the softest tenth of the utterance, since noise comes and goes.

The level of an utterance that is over is exact to 1 or 2 dB. Of one that goes on it is not: words begin loud, and there
may be no gap yet in which the noise is heard. So there a smaller difference is enough for a voice to be soft, and what
follows from it may be taken back later.

People are not as loud each time, and a television may be nearly as loud as they are. So a voice that is softer, but not
by far, is compared with the caller's own, too (`own_voice`): how much softer it may be depends on how much it sounds
like him. Of one that is softer than that, and over, is known whether it sounds just like him, or may be his.
"""

import math
from collections import deque
from statistics import median

import numpy as np

from audiosocket_server.endpointing.own_voice import OwnVoice

__all__ = ["VoiceLevels"]

LEAST_FRAMES = 8  # voiced ones, before anything is said of the level of an utterance
SURE_FRAMES = 30  # voiced ones, 0.6 s, before anything is said of one that goes on
PATIENT_FRAMES = 40  # of any kind, 0.8 s, if there is time: then the level is known better
SHARE_WHILE_IT_LASTS = 0.65  # of the difference
DB_A_LIKENESS = 0.8
"""The difference that is needed is so much smaller for each 1 of likeness below 0. A logistic regression of whose voice
it is on both gave 0.75 dB (after 0.6 s) and 1.0 dB (at the end), for five voices."""
LEAST_SOFTER_DB = 1.0
"""A voice that is not softer by so much is never soft, and need not be compared."""
COMPARED_EVERY = 15  # voiced frames, 0.3 s, of an utterance that goes on
SOFT_PARTS = 0.01  # frames that are more than 20 dB below the loudest are not counted: gaps within words
MOST_VOICED = 1500  # frames of an utterance, 30 s
SOFTEST_OF = 150  # the newest frames, 3 s, of which the softest tenth is taken
NOISE_FRAMES = 100
LEAST_NOISE_FRAMES = 5
SOFTEST = 0.1  # the share of the frames whose level is that of the noise
MOST_SOFTEST = 0.5  # of the power of voiced frames: so much can be noise by the softest tenth
LEAST_VOICE = 0.4  # of that power, 4 dB less: so much is voice, since what was taken for noise may be a voice
FAINT_DB = 10.0
"""An onset that is so much softer than the caller's own voice is a breath, or an echo. Of 64 sentences in which a
caller was 2 dB softer than before, none began softer for more than two frames."""
FAINT_FRAMES = 3
LOUD_DB = 3.0
"""A sound that is at most so much softer than the caller's own voice counts as just as loud: few first syllables are
softer."""
LOUD_FRAMES = 2
OVER_NOISE = 1.25
"""And it is 1 dB louder than the loudest frame of the line's noise: music has notes, and a street has horns."""
LOUD_NOISE, MISSED_FRAMES = 4.0, 20
"""A detector may find the caller 0.4 s late. So what is 6 dB louder than the noise in that time is taken for him."""
ONSET_FRAMES = 10  # before an utterance is found, in which it may have begun
OWN_FOLLOWS = 0.3
FAR_SOFTER_DB = 10.0
"""A voice that is so much softer is not the caller's, whatever it sounds like."""
ALIKE, PERHAPS = 2.2, -0.4
"""From which likeness on a softer voice is the caller's, and may be his."""
HARDLY = -3.0
"""From which one may be his that by its level alone would not be soft."""
REFUSALS = 2
"""Of so many such utterances in a row nothing is learnt. The next one is learnt: it may be the caller all the same."""


class VoiceLevels:
    """The levels of one call. `softer_db`: a voice that is so much softer than the caller's own is not his; 0: any is.

    Call `take` with each frame that the detector judged, and `begin` when an utterance begins.
    """

    def __init__(self, softer_db: float) -> None:
        self._softer_db = softer_db
        self._whole: deque[float] = deque(maxlen=MOST_VOICED)  # of the utterance's voiced frames
        self._all: deque[float] = deque(maxlen=SOFTEST_OF)  # of all its frames
        self._newest: deque[tuple[float, bool]] = deque(maxlen=ONSET_FRAMES)  # and whether they are voiced
        self._around: deque[float] = deque(maxlen=NOISE_FRAMES)
        self._own_db: float | None = None
        self._own_softest_db = 0.0  # how much his softest tenth takes from his level, while he speaks
        self._softest_db: float | None = None  # the same of the utterance
        self._refused = 0
        self._voice = OwnVoice()
        self._likeness: float | None = None
        self._least_likeness = PERHAPS  # for it to be his
        self._alike_so_far: float | None = None  # of an utterance that goes on
        self._compared_at = 0  # with so many voiced frames
        self._over_speech = False

    def begin(self, frames: int, *, over_speech: bool = False) -> None:
        """An utterance begins, with the newest `frames` frames. `over_speech`: while the bot speaks."""
        newest = list(self._newest)[max(0, len(self._newest) - frames) :]
        for kept in (self._whole, self._all):
            kept.clear()
        self._all.extend(power for power, _ in newest)
        self._whole.extend(power for power, voiced in newest if voiced)
        if not over_speech:  # over it nothing was added
            self._forget_what_may_be_voice()
        self._voice.begin(frames, ONSET_FRAMES)
        self._over_speech = over_speech
        self._likeness = self._alike_so_far = self._softest_db = None
        self._compared_at = 0

    def _forget_what_may_be_voice(self) -> None:
        """Forget the newest of what seemed to be noise, and what is loud a little before: it may be a syllable."""
        around = self._around
        for _ in range(min(ONSET_FRAMES, len(around))):
            around.pop()
        newest = list(around)[-MISSED_FRAMES:]
        loud = LOUD_NOISE * median(around) if around else 0.0
        first = next((place for place, power in enumerate(newest) if power >= loud), len(newest))
        for _ in newest[first:]:
            around.pop()

    def take(self, frame: bytes, *, voiced: bool, quiet: bool) -> None:
        """Take a frame (20 ms of SLIN, 8 kHz). `quiet`: neither the bot nor the caller speaks, as far as is known."""
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        power = float(samples @ samples) / max(1, len(samples))
        self._newest.append((power, voiced))
        self._all.append(power)
        self._voice.take(frame, voiced=voiced, quiet=quiet)
        if voiced:
            self._whole.append(power)
        elif quiet:
            self._around.append(power)
        if len(self._all) == PATIENT_FRAMES and len(self._whole) >= LEAST_FRAMES and self._softest_db is None:
            self._softest_db = self._softest_takes_db()

    def is_faint(self) -> bool:
        """Return whether the newest frames are far softer than the caller's own voice; False if that is not known."""
        if self._own_db is None or not self._softer_db:
            return False
        loudest = max((power for power, _ in list(self._newest)[-FAINT_FRAMES:]), default=0.0)
        return loudest < 10 ** ((self._own_db - FAINT_DB) / 10)

    def is_loud(self) -> bool:
        """Return whether the newest frames are as loud as the caller's own voice, and stand out of the line's noise;
        False if either is not known."""
        if self._own_db is None or not self._softer_db or len(self._around) < LEAST_NOISE_FRAMES:
            return False
        newest = sum(self._newest[-place][0] for place in range(1, LOUD_FRAMES + 1)) / LOUD_FRAMES
        return newest >= 10 ** ((self._own_db - LOUD_DB) / 10) and newest >= OVER_NOISE * max(self._around)

    def is_soft(self, *, over: bool, may_wait: bool = False) -> bool | None:
        """Return whether the utterance is softer than the caller's own voice; None: too little of it was heard.

        `over`: it has ended, or pauses. `may_wait`: nothing follows yet, so of one that goes on it is said later, and
        surer. False if it is not known how loud the caller is.
        """
        if self._own_db is None or not self._softer_db:
            return False
        if len(self._whole) < (LEAST_FRAMES if over else SURE_FRAMES):
            return None
        if not over and may_wait and len(self._all) < PATIENT_FRAMES:
            return None
        softer_by = self._own_db - self._level_db()
        if not over:
            softer_by -= min(self._own_softest_db, self._softest_takes_db())
        needed_db = by_level_db = self._softer_db * (1 if over else SHARE_WHILE_IT_LASTS)
        least_db = min(LEAST_SOFTER_DB, needed_db)
        likeness = None
        if least_db < softer_by < (max(FAR_SOFTER_DB, needed_db) if over else needed_db):
            likeness = self._voice.likeness() if over else self._so_far()
        if likeness is not None and len(self._whole) >= SURE_FRAMES:  # a short word sounds like anybody
            needed_db += DB_A_LIKENESS * min(0.0, likeness)
        is_soft = softer_by > max(least_db, needed_db)
        self._likeness = likeness if is_soft and over and softer_by < FAR_SOFTER_DB else None
        self._least_likeness = PERHAPS if softer_by > by_level_db else HARDLY
        return is_soft

    def _so_far(self) -> float | None:
        """The likeness of an utterance that goes on; a comparison takes 2 to 3 ms."""
        if len(self._whole) >= self._compared_at + COMPARED_EVERY:
            self._compared_at = len(self._whole)
            self._alike_so_far = self._voice.likeness()
        return self._alike_so_far

    @property
    def is_alike(self) -> bool:
        """Whether the utterance that `is_soft` found too soft, and over, sounds just like the caller."""
        return self._likeness is not None and self._likeness >= ALIKE

    @property
    def may_be_own(self) -> bool:
        """Whether it may be the caller's, by its sound."""
        return self._likeness is not None and self._likeness >= self._least_likeness

    def accept(self) -> None:
        """The last utterance was the caller's: remember its level, and what he sounds like.

        Of one over the bot that is softer than he and does not sound like him nothing is learnt: somebody else may have
        been taken for him. But if that comes again and again, it is he.
        """
        if len(self._whole) < LEAST_FRAMES or not self._softer_db:
            return
        level_db, own_db = self._level_db(), self._own_db
        if own_db is not None and self._over_speech and own_db - level_db > LEAST_SOFTER_DB:
            likeness = self._voice.likeness()
            if likeness is not None and likeness < 0 and self._refused < REFUSALS:
                self._refused += 1
                return
        self._refused = 0
        self._voice.accept()
        self._own_db = level_db if own_db is None else own_db + OWN_FOLLOWS * (level_db - own_db)
        if self._softest_db is not None:
            self._own_softest_db += OWN_FOLLOWS * (self._softest_db - self._own_softest_db)

    def _level_db(self) -> float:
        voiced, noise = self._voiced(), self._softest()
        if len(self._around) >= LEAST_NOISE_FRAMES:
            noise = max(noise, median(self._around))
        return 10 * math.log10(max(voiced - noise, LEAST_VOICE * voiced, 1.0))

    def _softest_takes_db(self) -> float:
        """How much softer the voice seems to be, since its softest tenth counts as noise."""
        voiced = max(self._voiced(), 1.0)
        return 10 * math.log10(voiced / (voiced - self._softest()))

    def _voiced(self) -> float:
        loudest = max(self._whole)
        counted = [power for power in self._whole if power >= SOFT_PARTS * loudest]
        return sum(counted) / len(counted)

    def _softest(self) -> float:
        return min(sorted(self._all)[int(SOFTEST * len(self._all))], MOST_SOFTEST * self._voiced())
