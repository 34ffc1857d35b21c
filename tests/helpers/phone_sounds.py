"""Sounds for the tests of the ear: a hold loop that never repeats itself, silence, and a phone that plays them."""

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing import (
    Ear,
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
    HeardSpeechStarted,
)
from audiosocket_sim.hearing.speech_segments import MatcherLike
from audiosocket_sim.phone.line import Codec, LineModel

START = 100.0


def music(seconds: float, seed: int = 3) -> bytes:
    """Two notes a second, each with its fifth, dying away: 8 kHz SLIN."""
    random = np.random.Generator(np.random.PCG64(seed))
    t = np.arange(round(seconds * 8000)) / 8000
    sound = np.zeros(len(t))
    for note in range(int(seconds * 2)):
        hz = 220 * 2 ** (random.integers(0, 24) / 12)
        since = t - note / 2
        level = np.where(since >= 0, np.exp(-3 * np.maximum(since, 0)), 0.0)
        sound += level * (3000 * np.sin(2 * np.pi * hz * t) + 1000 * np.sin(3 * np.pi * hz * t))
    return sound.astype("<i2").tobytes()


def ms(pcm: bytes, start: float, end: float | None = None) -> bytes:
    """A part of a sound, by milliseconds."""
    return pcm[round(start * 8) * 2 :] if end is None else pcm[round(start * 8) * 2 : round(end * 8) * 2]


def quiet(milliseconds: float) -> bytes:
    return bytes(round(milliseconds * 8) * 2)


def listen(
    *sounds: bytes,
    book: PhraseBook | None = None,
    hold: bytes = b"",
    codec: Codec = "ulaw",
    cuts: Iterable[int] = (160,),
    late: Callable[[int], float] = lambda number: 0.0,
    hang_up_ms: float | None = None,
    matcher: MatcherLike | None = None,
) -> list[Fact]:
    """Play sounds to an ear, in chunks of so many samples in turn, each sent when the one before has been played and
    `late` seconds after that; then hang up. The first chunk is sent at START."""
    facts: list[Fact] = []
    line = LineModel(codec)
    ear = Ear(book or PhraseBook([]), hold, facts.append, matcher=matcher)
    pcm = b"".join(sounds)
    end = START + (len(pcm) / 16000 if hang_up_ms is None else hang_up_ms / 1000)
    ear.advance(START)
    done = 0
    for number, count in enumerate(itertools.cycle(cuts)):
        at = START + done / 8000 + late(number)
        if done * 2 >= len(pcm) or at >= end:
            break
        ear.advance(at)
        ear.hear(at, 8000, line.receive(pcm[2 * done : 2 * (done + count)]))
        done += count
    ear.close(end)
    return facts


def told(facts: Sequence[Fact]) -> list[str]:
    """Facts as short lines, times in whole ms since START: what a test compares."""
    return [_line(fact) for fact in facts if not isinstance(fact, HeardSpeechStarted)]


def _line(fact: Fact) -> str:
    at = round((fact.at - START) * 1000)
    match fact:
        case HeardSpeech():
            whole = "" if fact.whole_ms is None else f" of {fact.whole_ms}"
            gap = f", gaps {fact.gap_ms}" if fact.gap_ms else ""
            skipped = f", from {fact.skipped_ms}" if fact.skipped_ms else ""
            return f"{at} {fact.voice} {fact.text!r} {fact.heard_ms}{whole}{gap}{skipped}"
        case HeardDamage():
            return f"{at} {fact.kind}: {fact.what}"
        case HeardHoldStarted():
            return f"{at} hold"
        case HeardHoldStopped():
            return f"{at} hold stops after {fact.duration_ms}{'' if fact.seamless else ', broken'}"
        case HeardSpeechStarted():
            return f"{at} speech"
