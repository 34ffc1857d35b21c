"""Competing voices: turns cut exactly once with babble or a television behind the caller (`endpointing.nearest_voice`).

Callers: recordings of the project and, where they are, Debian's prompts in other voices
(`asterisk-core-sounds-*-wav`). Babble is eight of the other callers at once; the television is that of
`recordings/sounds`. docs/speech.md has figures of more voices, those that chose the levels apart from the others.
"""

from collections.abc import Sequence

import numpy as np
from audiosocket_server.endpointing import (
    Endpointer,
    NearestVoice,
    SileroVad,
    Surroundings,
    UtteranceClosed,
    UtteranceOpened,
)
from audiosocket_server.endpointing.vad import FRAME_BYTES, FRAME_MS

from audiosocket_core.phrase_book.book import speech_edges_ms
from audiosocket_core.slin import read_audio, ulaw_decode, ulaw_encode
from audiosocket_sim.phone.line import noise
from audiosocket_sim.phone.surroundings import RoundSound
from benchmarks.cutting import LONGEST_MS, Turn, judge
from benchmarks.human_prompts import FOLDER
from benchmarks.labelled import SPEECH_DBFS, Samples, Utterance, recordings, utterance
from benchmarks.machine import PROJECT, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "turns with babble or a television behind the caller"

LEAD_MS = 3500
LISTENS_MS = LEAD_MS - 500
TAIL_MS = 2800
SILENCE_MS = 700
TELEVISION = ("news", "film", "advert")
GOALS = {10: 90, 5: 70}


def run(quick: bool = False) -> list[Row]:
    pin(0)
    callers = _callers(3 if quick else 8)
    vad = SileroVad(0.5)
    rows = []
    for kind in ("babble", "television"):
        for below_db, goal in GOALS.items():
            heard = [_line(kind, below_db, u, callers[:at] + callers[at + 1 :]) for at, u in enumerate(callers)]
            with_it, without = (
                sum(
                    judge(_cut(vad, pcm, near), LEAD_MS + u.start_ms, LEAD_MS + u.end_ms, SILENCE_MS).once
                    for u, pcm in zip(callers, heard, strict=True)
                )
                for near in (True, False)
            )
            share = 100 * with_it / len(callers)
            note = f"{with_it} of {len(callers)}; {without} without"
            rows.append(Row(f"{kind} {below_db} dB below: cut once", share, "%", note, f">= {goal}", share >= goal))
    return rows


def _callers(a_voice: int) -> list[Utterance]:
    """Voices in turn: each second caller has another voice."""
    made = recordings()[:: max(1, 24 // a_voice)]
    for folder in sorted(FOLDER.parent.glob("*_*_*")):
        there = []
        for path in sorted(folder.glob("*.wav"))[::5]:
            pcm = read_audio(path)
            start_ms, end_ms = speech_edges_ms(pcm)
            if 700 <= end_ms - start_ms <= 6000:
                there.append(utterance(path.stem, pcm, start_ms, end_ms))
        made += there[:a_voice]
    return made


def _line(kind: str, below_db: int, caller: Utterance, others: Sequence[Utterance]) -> bytes:
    seed = len(caller.sound) + below_db
    whole = np.concatenate([np.zeros(LEAD_MS * 8), caller.sound, np.zeros(TAIL_MS * 8)])
    if kind == "babble":
        pcm = _babble(others, len(whole), seed)
    else:
        pcm = read_audio(PROJECT / "recordings" / "sounds" / f"television_{TELEVISION[seed % 3]}.wav")
    whole = whole + RoundSound(pcm, SPEECH_DBFS - below_db, 8000).take(len(whole))
    whole = whole + np.frombuffer(noise(len(whole) / 8, -62, "white", seed), "<i2")[: len(whole)]
    return ulaw_decode(ulaw_encode(np.clip(np.rint(whole), -32768, 32767).astype("<i2").tobytes()))


def _babble(others: Sequence[Utterance], count: int, seed: int) -> bytes:
    random = np.random.Generator(np.random.PCG64(seed))
    mixed: Samples = np.zeros(count)
    for number in range(8):
        said = [others[at].sound for at in random.permutation(len(others))[:6]]
        mixed += np.resize(np.roll(np.concatenate(said), number * 3000), count)
    pcm: bytes = (mixed * (8000 / np.max(np.abs(mixed)))).astype("<i2").tobytes()
    return pcm


def _cut(vad: SileroVad, pcm: bytes, near: bool) -> list[Turn]:
    """The turns as the server cuts them, which listens from half a second before the caller speaks."""
    vad.reset()
    around = Surroundings()
    for _ in range(LISTENS_MS // FRAME_MS):
        around.played(bytes(FRAME_BYTES))
    ep = Endpointer(NearestVoice(vad, around) if near else vad, silence_ms=SILENCE_MS, longest_ms=LONGEST_MS)
    made: list[Turn] = []
    began = 0
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        now = (at // FRAME_BYTES + 1) * FRAME_MS
        if now == LISTENS_MS:
            ep.listen(True)
        frame = pcm[at : at + FRAME_BYTES]
        around.heard(frame, in_turn=ep.in_utterance)
        for fact in ep.audio(frame) or ():
            match fact:
                case UtteranceOpened():
                    began = now
                case UtteranceClosed(reason):
                    made.append(Turn(began, now, reason == "too_short"))
                    ep.listen(True)
    return [*made, Turn(began, None, noise=False)] if ep.in_utterance else made
