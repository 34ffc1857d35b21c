"""Nearest voice: speech that is no louder than what sounds around the caller all the time is not the caller. Pure.

A detector cannot tell the caller from babble or a television behind him: all of it is speech. But the caller is nearer
to his phone, and therefore louder. So the levels of the line are kept while neither he nor the bot has the floor, and
where the surroundings sound like speech, a frame is the caller's only if it is louder than their loud parts (`LOUD`).
Two levels are compared, and one of them is enough: that of the whole frame, and that of its low frequencies (`LOW_HZ`),
of which a small loudspeaker gives off little and the caller's own voice much. How many decibels louder the frame must
be depends on how much the surroundings change, and within a turn on how much louder than they the turn was.

A detector that has just been reset does not recognise babble as speech for about a second. So it hears the last second
of the surroundings before it begins to listen, unless they are quiet or it has heard enough of them. What was heard
before the bot spoke is not the last second: it may have been the caller, who would be shut out by it.

On a quiet line this changes nothing: surroundings that fall silent now and then never raise the gate by more than
`GateMargins.above_soft` over that silence (`SOFT`). Nor does it under noise that is no speech. A caller who spoke while
nobody listened cannot shut himself out: the gate stays below the level of his own last turn.
"""

from collections import deque
from itertools import islice
from math import log10
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from audiosocket_server.endpointing.vad import FRAME_BYTES, Vad

__all__ = ["NearestVoice", "Surroundings"]

PIECE_FRAMES = 10
"""The surroundings are measured in pieces of 0.2 s. The newest whole piece, and what is newer still, may already be the
caller's first word."""
PIECES = 25
"""How much is kept of the surroundings: five seconds."""
HEARD_PIECES = 5
"""How much of them the detector hears first: a second, which takes it 2 to 10 ms."""
QUIET_DBFS = -50.0
"""It need not hear what is never louder than this."""
LEAST_PIECES = 3

LOUD = 0.95
MIDDLE = 0.5
SOFT = 0.3
ONSET_SHARE = 0.4
"""A turn begins above the loud parts of the surroundings by this share of what these are above the middle. The level of
a television changes more than that of babble, so it has more parts that are still louder."""
TURN_DB = 2.0
TURN_SHARE = 0.4
"""A turn goes on above the loud parts of the surroundings by this share of what its loudest is above them."""
LOUDEST_FALLS_DB = 0.06  # a voiced frame
BELOW_LAST_TURN_DB = 5.0

LOW_HZ = range(100, 301, 50)
SMOOTHED_FRAMES = 3
BOT_FRAMES = 25
"""How long after the bot's last sound its echo may still be heard."""

LIKELIHOODS = 150
LEAST_LIKELIHOODS = 50
NEWEST_LIKELIHOODS = 3
SPEECH_LIKE = 0.12
"""Mean likelihood of speech from which the surroundings sound like it. In the first second that a detector hears,
a street has 0.02 and music at most 0.06; 95 of 100 televisions and babbles have more than this."""

_SILENCE = bytes(FRAME_BYTES)
_PIECE_BYTES = PIECE_FRAMES * FRAME_BYTES
_SAMPLES = FRAME_BYTES // 2
_RATE_HZ = 8000
_FULL_POWER = _SAMPLES * 32768.0**2  # of a frame

Levels = tuple[float, float]
"""In dBFS: as a whole, and at low frequencies."""
NOTHING_DB: Levels = (-200.0, -200.0)


class GradedVad(Vad, Protocol):
    """A detector that also says how likely its verdict is."""

    @property
    def likelihood(self) -> float:
        """The likelihood, 0 to 1, that the newest audio is speech."""


class GateMargins(NamedTuple):
    """Decibels for one of the two levels. `onset`: a turn begins at least so much above the loud parts of the
    surroundings. `above_soft`: a gate is at most so much above their soft parts."""

    onset: float
    above_soft: float


MARGINS = (GateMargins(3.0, 22.0), GateMargins(9.0, 30.0))
"""As a whole, and at low frequencies, at which speech of other people differs more from one moment to the next."""


class Gate(NamedTuple):
    """What one of the two levels, dBFS, is compared with. `begin`: a turn begins from here; `loud`: the loud parts of
    the surroundings; `most`: a turn goes on from here in any case."""

    begin: float
    loud: float
    most: float

    def go_on(self, loudest: float) -> float:
        """Return the level from which a turn goes on, if its loudest was this."""
        return min(self.loud + max(TURN_DB, TURN_SHARE * (loudest - self.loud)), self.most)


OPEN = (Gate(-200.0, -200.0, -200.0), Gate(-200.0, -200.0, -200.0))


class Surroundings:
    """What one caller's line sounds like between his turns.

    Call `played` with each frame that is sent to the caller, and `heard` with all of his audio, before the endpointer
    gets it.
    """

    def __init__(self) -> None:
        self.in_turn = False
        self.last_turn_db: float | None = None
        """The loudest of the caller's last turn, as a whole. It limits only one of the gates: one is enough for him."""
        self._levels: deque[NDArray[np.float32]] = deque(maxlen=PIECES)
        self._pieces: deque[bytes] = deque(maxlen=HEARD_PIECES)
        self._coming = bytearray()  # what may be the caller's first word
        self._since_bot = 0  # frames
        self._gates: tuple[Gate, Gate] | None = None

    def played(self, frame: bytes) -> None:
        """Take a frame that is sent to the caller: while the bot speaks, its echo may be part of what is heard."""
        if frame == _SILENCE:
            self._since_bot += 1
            return
        self._since_bot = 0
        self._pieces.clear()

    def heard(self, pcm: bytes, *, in_turn: bool) -> None:
        """Take audio of the caller (SLIN, 8 kHz). `in_turn`: whether an utterance of his is in progress."""
        if in_turn is not self.in_turn:
            self.in_turn = in_turn
            self._coming.clear()
            self._gates = None
        if in_turn or self._since_bot < BOT_FRAMES:
            return
        self._coming += pcm
        while len(self._coming) >= 2 * _PIECE_BYTES:
            piece = bytes(self._coming[:_PIECE_BYTES])
            del self._coming[:_PIECE_BYTES]
            self._pieces.append(piece)
            self._levels.append(_levels_db(piece))
            self._gates = None

    def newest(self) -> bytes:
        """Return the newest audio that is surely of the surroundings, whole frames."""
        return b"".join(self._pieces)

    def gates_db(self) -> tuple[Gate, Gate]:
        """Return a gate for each of the two levels; they are open as long as too little is known."""
        if self._gates is None:
            self._gates = self._make_gates()
        return self._gates

    def _make_gates(self) -> tuple[Gate, Gate]:
        if len(self._levels) < LEAST_PIECES:
            return OPEN
        known = np.sort(np.concatenate(self._levels, axis=1))
        count, made = known.shape[1], []
        marks = known[:, [int(share * count) for share in (SOFT, MIDDLE, LOUD)]].tolist()
        for margins, (soft, middle, loud) in zip(MARGINS, marks, strict=True):
            most = soft + margins.above_soft
            begin = min(loud + max(margins.onset, ONSET_SHARE * (loud - middle)), most)
            made.append(Gate(begin, loud, most))
        whole, low = made
        if self.last_turn_db is not None:
            whole = whole._replace(begin=min(whole.begin, self.last_turn_db - BELOW_LAST_TURN_DB))
        return whole, low


class NearestVoice:
    """A detector whose speech counts only if it is nearer than what is around the caller. See `Vad`."""

    def __init__(self, vad: GradedVad, surroundings: Surroundings) -> None:
        self.vad = vad
        self.adapts = vad.adapts
        self.refuses = False
        """Whether the newest frame is speech for the detector, but not near enough."""
        self._around = surroundings
        self._newest: deque[bytes] = deque(maxlen=SMOOTHED_FRAMES)
        self._likelihoods: deque[float] = deque(maxlen=LIKELIHOODS)  # between turns
        self._rivals = False  # the surroundings sound like speech
        self._loudest = NOTHING_DB  # of the current turn; it falls
        self._peak = NOTHING_DB[0]  # of the current turn, as a whole

    def is_speech(self, frame: bytes) -> bool:
        """Return the verdict on a frame, 20 ms of SLIN at 8 kHz. See `Vad`."""
        voiced = self.vad.is_speech(frame)
        self._newest.append(frame)
        if self._around.in_turn:
            is_near = voiced and (not self._rivals or self._goes_on())
        else:
            self._likelihoods.append(self.vad.likelihood)
            is_near = voiced and self._begins()
        self.refuses = voiced and not is_near
        return is_near

    def _begins(self) -> bool:
        """Return whether the caller may begin with the newest frame, which the detector takes for speech."""
        count = max(0, len(self._likelihoods) - NEWEST_LIKELIHOODS)
        self._rivals = sum(islice(self._likelihoods, count)) > SPEECH_LIKE * count
        if not self._rivals:
            return True
        whole_db, low_db = levels = _mean_levels_db(b"".join(self._newest))
        whole, low = self._around.gates_db()
        if whole_db < whole.begin and low_db < low.begin:
            return False
        self._loudest, self._peak = levels, whole_db
        return True

    def _goes_on(self) -> bool:
        whole_db, low_db = _mean_levels_db(b"".join(self._newest))
        whole, low = self._around.gates_db()
        loudest = self._loudest = self._loudest[0] - LOUDEST_FALLS_DB, self._loudest[1] - LOUDEST_FALLS_DB
        if whole_db < whole.go_on(loudest[0]) and low_db < low.go_on(loudest[1]):
            return False
        self._loudest = max(whole_db, loudest[0]), max(low_db, loudest[1])
        self._around.last_turn_db = self._peak = max(whole_db, self._peak)
        return True

    def reset(self) -> None:
        """Forget the audio so far, not the surroundings."""
        self.vad.reset()
        self._newest.clear()
        self._loudest = NOTHING_DB
        self._peak = NOTHING_DB[0]
        if len(self._likelihoods) < LEAST_LIKELIHOODS:
            self._hear_surroundings()

    def _hear_surroundings(self) -> None:
        """Let the detector hear the surroundings; if they do not sound like speech, it forgets them again."""
        if self._around.gates_db()[0].loud < QUIET_DBFS:
            return
        pcm, heard = self._around.newest(), []
        for at in range(0, len(pcm), FRAME_BYTES):
            self.vad.is_speech(pcm[at : at + FRAME_BYTES])
            heard.append(self.vad.likelihood)
        if sum(heard) > SPEECH_LIKE * len(heard):
            self._likelihoods.extend(heard)
        else:
            self.vad.reset()


def _low_waves() -> NDArray[np.float32]:
    """Return windowed waves, shape (samples, waves): the squares of a frame's products with them sum up to the energy
    that it has at low frequencies."""
    window = np.hanning(_SAMPLES)
    turns = np.outer(np.arange(_SAMPLES), LOW_HZ) * 2 * np.pi / _RATE_HZ
    waves = np.concatenate((np.cos(turns), np.sin(turns)), axis=1) * window[:, None]
    scaled: NDArray[np.float32] = (waves * np.sqrt(2 / np.sum(window**2))).astype(np.float32)
    return scaled


_LOW_WAVES = _low_waves()


def _levels_db(pcm: bytes) -> NDArray[np.float32]:
    """Return the two levels of each 60 ms of a piece, shape (2, count)."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32).reshape(-1, _SAMPLES)
    low = samples @ _LOW_WAVES
    powers = np.stack((np.vecdot(samples, samples), np.vecdot(low, low)))
    smoothed = powers[:, :-2] + powers[:, 1:-1] + powers[:, 2:]
    levels: NDArray[np.float32] = 10 * np.log10(smoothed / (SMOOTHED_FRAMES * _FULL_POWER) + 1e-12)
    return levels


def _mean_levels_db(pcm: bytes) -> Levels:
    """Return the levels of some audio, whole frames."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    low = samples.reshape(-1, _SAMPLES).dot(_LOW_WAVES).ravel()
    full = len(pcm) // FRAME_BYTES * _FULL_POWER
    return 10 * log10(float(samples.dot(samples)) / full + 1e-12), 10 * log10(float(low.dot(low)) / full + 1e-12)
