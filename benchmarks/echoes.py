"""The bot speaks, and its voice comes back: does that open turns, and is a caller heard who speaks over it?

What is sent is the project's prompts and, where they are installed, Debian's, one after the other. Barge-in is on: the
server listens all the time.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from audiosocket_server.endpointing import LineEchoGuard
from audiosocket_server.endpointing.vad import FRAME_BYTES

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import gain, silence
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.phone.line_echo import LineEcho
from benchmarks.cutting import Cost, Turn, detector, turns, verdicts
from benchmarks.labelled import LEAD_MS, prompts, recordings
from benchmarks.machine import PROJECT

__all__ = ["LINES", "Echoing", "Line", "callers_over_it", "false_turns"]

_SILENCE_MS = 400  # of a turn that is false already, so that the next one may follow soon


@dataclass(frozen=True, slots=True)
class Line:
    """How the bot's voice comes back; `gain_db` None: not at all."""

    name: str
    delay_ms: int
    gain_db: float | None
    spread_ms: int = 8
    noise_dbfs: float = -62

    def model(self, seed: int) -> LineModel:
        echo = None if self.gain_db is None else LineEcho(self.delay_ms, self.gain_db, self.spread_ms, seed)
        return LineModel("ulaw", self.noise_dbfs, seed=seed, echo=echo)


LINES = (
    Line("no echo", 80, None),
    Line("-6 dB, 80 ms, a copy", 80, -6, 0),
    Line("-12 dB, 120 ms, hybrid", 120, -12),
    Line("-20 dB, 300 ms, hybrid", 300, -20),
    Line("-12 dB, 600 ms, hybrid", 600, -12),
    Line("-30 dB, 60 ms, hybrid", 60, -30),
    Line("-12 dB, 150 ms, noise -45 dBFS", 150, -12, 8, -45),
    Line("-12 dB, 100 ms, room of 60 ms", 100, -12, 60),
    Line("-20 dB, 100 ms, room, noise -55 dBFS", 100, -20, 60, -55),
)


@dataclass(slots=True)
class Echoing:
    """What came of it."""

    false_turns: int = 0
    seconds: float = 0.0
    callers: int = 0
    missed: int = 0
    later_ms: list[float] = field(default_factory=list)
    """How much later than with no bot and no echo the caller was heard."""
    guard: Cost = field(default_factory=Cost)
    """Of the guard alone; `frames` are all frames."""


def false_turns(name: str, line: Line, seconds: int, *, guarded: bool) -> Echoing:
    """The bot speaks for so long; nobody else does."""
    told = Echoing(seconds=seconds)
    sent = _bot(seed=line.delay_ms, seconds=seconds, pause_ms=500)
    heard = _over(line, sent, b"", seed=line.delay_ms)
    told.false_turns = len(_cut(name, sent, heard, told.guard, guarded=guarded))
    return told


def callers_over_it(name: str, line: Line, count: int, gain_db: float = 0.0) -> Echoing:
    """A caller begins in the midst of the bot's speech; `gain_db`: louder or softer than the bot, about."""
    told = Echoing()
    callers = recordings()
    for number in range(count):
        caller = callers[number % len(callers)]
        random = np.random.Generator(np.random.PCG64(number))
        sent = _bot(seed=1000 + number, seconds=8, pause_ms=100)
        at_ms = 2000 + 20 * int(random.integers(0, 100))
        pcm = np.rint(caller.sound).astype("<i2").tobytes()
        says = silence(LEAD_MS + at_ms) + gain(pcm, gain_db)
        start_ms, end_ms = LEAD_MS + at_ms + caller.start_ms, LEAD_MS + at_ms + caller.end_ms
        cut = _cut(name, sent, _over(line, sent, says, seed=number), told.guard, guarded=True)
        quiet = Line("", 0, None, noise_dbfs=line.noise_dbfs)
        alone = _cut(name, sent, _over(quiet, bytes(len(sent)), says, seed=number), Cost(), guarded=False)
        began, undisturbed = _first(cut, start_ms, end_ms), _first(alone, start_ms, end_ms)
        told.callers += 1
        told.false_turns += sum(t.began_ms < start_ms - 40 for t in cut)
        if began is None:
            told.missed += 1
        elif undisturbed is not None:
            told.later_ms.append(began - undisturbed)
    return told


def _first(cut: list[Turn], start_ms: int, end_ms: int) -> int | None:
    return next((t.began_ms for t in cut if start_ms - 40 <= t.began_ms <= end_ms), None)


def _bot(seed: int, seconds: int, pause_ms: int) -> bytes:
    """Messages of the bot, with pauses, behind the lead."""
    random = np.random.Generator(np.random.PCG64(seed))
    ours = [p.pcm for p in PhraseBook.load(PROJECT / "audio" / "prompts").phrases]
    theirs = [np.rint(p.sound).astype("<i2").tobytes() for p in prompts(12)]
    sent = silence(LEAD_MS)
    while len(sent) < 16 * (LEAD_MS + 1000 * seconds):
        voice = theirs if theirs and random.random() < 0.5 else ours
        sent += voice[random.integers(len(voice))] + silence(pause_ms)
    return sent[: 16 * (LEAD_MS + 1000 * seconds)]


def _over(line: Line, sent: bytes, says: bytes, seed: int) -> bytes:
    """What the server hears while `sent` is played and the caller says `says`."""
    model = line.model(seed)
    says = says.ljust(len(sent), b"\0")
    heard = []
    for number, at in enumerate(range(0, len(sent) - FRAME_BYTES + 1, FRAME_BYTES)):
        model.receive(sent[at : at + FRAME_BYTES], number / 50)
        heard.append(model.send(says[at : at + FRAME_BYTES], at=(number + 1) / 50))
    return b"".join(heard)


def _cut(name: str, sent: bytes, heard: bytes, cost: Cost, *, guarded: bool) -> list[Turn]:
    guard = LineEchoGuard()

    def is_echo(pcm: bytes) -> bool:
        before = time.process_time()
        verdict = guard.is_echo(pcm)
        cost.seconds += time.process_time() - before
        return verdict

    def play(number: int) -> None:
        guard.played(sent[number * FRAME_BYTES : (number + 1) * FRAME_BYTES])
        cost.frames += 1

    told = verdicts(detector(name), heard, Cost())
    return turns(told, heard, _SILENCE_MS, (is_echo,) if guarded else (), play)
