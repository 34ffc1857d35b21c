"""Nearest voice: speech that is no louder than what sounds around the caller all the time is not the caller. Pure.

A detector cannot tell the caller from babble or a television behind him: all of it is speech. But the caller is nearer
to his phone, and therefore louder. So the levels of the line are kept while neither he nor the bot has the floor. Two
of their quantiles matter: how loud the surroundings get (`LOUD`), and how soft (`SOFT`). Where the surroundings sound
like speech, a frame is the caller's only if it is louder than they get, and within a turn also not far below the
loudest of that turn.

On a quiet line this changes nothing: surroundings that fall silent now and then never raise the gate by more than
`ABOVE_SOFT_DB` over that silence. Nor does it under noise that is no speech. A caller who spoke while nobody listened
cannot shut himself out: the gate stays below the level of his own last turn.
"""

from collections import deque
from dataclasses import dataclass
from math import log10
from typing import Protocol

import numpy as np

from audiosocket_server.endpointing.vad import FRAME_BYTES, Vad

__all__ = ["NearestVoice", "Surroundings"]

FRAMES = 150
"""How much is kept of the surroundings: three seconds."""
LEAST_FRAMES = 25
NEWEST_FRAMES = 20
"""What is as new as this may already be the caller's first word."""
ASK_AGAIN_FRAMES = 10

LOUD = 0.95
SOFT = 0.3
ABOVE_SOFT_DB = 22.0
ONSET_DB = 3.0  # above the loud parts of the surroundings
TURN_DB = 1.0
BELOW_TURN_DB = 8.0
RIVAL_DB = 18.0
"""Surroundings that are softer than the turn by more than this are no rival: any softer speech is the caller's."""
BELOW_LAST_TURN_DB = 5.0
LOUDEST_FALLS_DB = 0.06  # a frame

BOT_FRAMES = 25
"""How long after the bot's last sound its echo may still be heard."""
SMOOTHED_FRAMES = 3
NOTHING_DB = -200.0

LIKELIHOODS = 75
NEWEST_LIKELIHOODS = 3
SPEECH_LIKE = 0.12
"""Mean likelihood of speech from which the surroundings sound like it: a street has 0.02, music 0.1, babble more."""

_SILENCE = bytes(FRAME_BYTES)


class GradedVad(Vad, Protocol):
    """A detector that also says how likely its verdict is."""

    @property
    def likelihood(self) -> float:
        """The likelihood, 0 to 1, that the newest audio is speech."""


@dataclass(frozen=True, slots=True)
class Gates:
    """Levels, dBFS, which a caller must exceed to begin to speak and to go on; `most`: the gate is never higher."""

    begin: float
    go_on: float
    most: float


OPEN = Gates(NOTHING_DB, NOTHING_DB, NOTHING_DB)


class Surroundings:
    """What one caller's line sounds like between his turns.

    Call `played` with each frame that is sent to the caller, and `heard` with all of his audio, before the endpointer
    gets it.
    """

    def __init__(self) -> None:
        self.in_turn = False
        self.last_turn_db: float | None = None
        """The loudest of the caller's last turn."""
        self._levels: deque[float] = deque(maxlen=FRAMES)
        self._smoothed = _Smoothed()
        self._rest = b""  # audio of less than a frame
        self._since_bot = 0  # frames
        self._asked = 0  # how often `gate_db` may still answer what it answered before
        self._gates = OPEN

    def played(self, frame: bytes) -> None:
        """Take a frame that is sent to the caller: while the bot speaks, its echo may be part of what is heard."""
        self._since_bot = self._since_bot + 1 if frame == _SILENCE else 0

    def heard(self, pcm: bytes, *, in_turn: bool) -> None:
        """Take audio of the caller (SLIN, 8 kHz). `in_turn`: whether an utterance of his is in progress."""
        if self.in_turn and not in_turn:
            self._asked = 0
        self.in_turn = in_turn
        if in_turn or self._since_bot < BOT_FRAMES:
            return
        pcm = self._rest + pcm
        whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
        self._rest = pcm[whole:]
        for at in range(0, whole, FRAME_BYTES):
            self._levels.append(self._smoothed.db(pcm[at : at + FRAME_BYTES]))

    def gates_db(self) -> Gates:
        """Return the gates; they are open as long as too little of the surroundings is known."""
        if self._asked > 0:
            self._asked -= 1
            return self._gates
        self._asked = ASK_AGAIN_FRAMES
        known = sorted(list(self._levels)[:-NEWEST_FRAMES])
        if len(known) < LEAST_FRAMES:
            self._gates = OPEN
            return OPEN
        loud, most = known[int(LOUD * len(known))], known[int(SOFT * len(known))] + ABOVE_SOFT_DB
        begin = min(loud + ONSET_DB, most)
        if self.last_turn_db is not None:
            begin = min(begin, self.last_turn_db - BELOW_LAST_TURN_DB)
        self._gates = Gates(begin, loud + TURN_DB, most)
        return self._gates


class NearestVoice:
    """A detector whose speech counts only if it is nearer than what is around the caller. See `Vad`."""

    def __init__(self, vad: GradedVad, surroundings: Surroundings) -> None:
        self.vad = vad
        self.adapts = vad.adapts
        self._around = surroundings
        self._smoothed = _Smoothed()
        self._likelihoods: deque[float] = deque(maxlen=LIKELIHOODS)  # between turns
        self._rivals = False  # the surroundings sound like speech
        self._loudest = NOTHING_DB  # of the current turn

    def is_speech(self, frame: bytes) -> bool:
        """Return the verdict on a frame, 20 ms of SLIN at 8 kHz. See `Vad`."""
        voiced, level = self.vad.is_speech(frame), self._smoothed.db(frame)
        if self._around.in_turn:
            return voiced and (not self._rivals or self._goes_on(level))
        self._likelihoods.append(self.vad.likelihood)
        return voiced and self._begins(level)

    def _begins(self, level: float) -> bool:
        """Return whether the caller may begin with a frame of this level, which the detector takes for speech."""
        before = list(self._likelihoods)[:-NEWEST_LIKELIHOODS]
        self._rivals = sum(before) > SPEECH_LIKE * len(before)
        if self._rivals and level < self._around.gates_db().begin:
            return False
        self._loudest = level
        return True

    def _goes_on(self, level: float) -> bool:
        gates = self._around.gates_db()
        self._loudest -= LOUDEST_FALLS_DB
        gate = gates.go_on
        if gate > self._loudest - RIVAL_DB:
            gate = min(max(gate, self._loudest - BELOW_TURN_DB), gates.most)
        if level < gate:
            return False
        self._loudest = max(self._loudest, level)
        self._around.last_turn_db = self._loudest
        return True

    def reset(self) -> None:
        """Forget the audio so far, not the surroundings."""
        self.vad.reset()
        self._smoothed = _Smoothed()
        self._loudest = NOTHING_DB


class _Smoothed:
    """The level of the last 60 ms."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=SMOOTHED_FRAMES)

    def db(self, frame: bytes) -> float:
        """Take a frame; return the level with it, in dBFS."""
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        self._powers.append(float(samples @ samples))
        power = sum(self._powers) / (len(self._powers) * (FRAME_BYTES // 2) * 32768.0**2)
        return 10 * log10(power + 1e-12)
