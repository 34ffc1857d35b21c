"""Is a damaged voice found, and a good one left alone? Each kind of damage, without the phrase book and with it.

The voices are the project's own and all that Debian's packages of prompts have put under /usr/share/asterisk/sounds
(people, five languages), a seeded sample of each. The project's own prompts are also the phrase book.
"""

import io
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.asterisk.codecs import ulaw_encode_as_asterisk
from audiosocket_sim.hearing.damage.judging import Stretched, damage_of
from audiosocket_sim.hearing.loudness import audible_stretches
from audiosocket_sim.hearing.sound_kinds import lasts
from benchmarks.machine import PROJECT, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "CODECS", "Voice", "at_level", "read_voices", "run"]

ABOUT = "damaged voices that the ear finds, good ones that it accuses, processor time for each stretch"

SOUNDS = Path("/usr/share/asterisk/sounds")
LEVELS_DBFS = (-35, -28, -22, -16, -10)
_NO_VOICE = {"silence", "beep", "beeperr", "ascending", "descending"}
SHORTEST, LONGEST = 0.4, 10.0  # s

Damaging = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Voice:
    """Sentences of one speaker: SLIN."""

    name: str
    sentences: Sequence[bytes]


def run(quick: bool) -> list[Row]:
    pin(0)
    voices, book = read_voices(8 if quick else 40), PhraseBook.load(PROJECT / "audio" / "prompts").phrases
    rows = [Row("voices", len(voices), "", ", ".join(voice.name for voice in voices))]
    rows += _clean(voices, quick=quick)
    rows += [_found(name, damage, voices, ()) for name, damage in KINDS.items()]
    prompts = [Voice("", [phrase.pcm for phrase in book])]
    rows += [_found(f"{name}, book", damage, prompts, book) for name, damage in KINDS.items()]
    return rows


def read_voices(most: int) -> list[Voice]:
    found: dict[str, list[bytes]] = {}
    for folder in ("audio/prompts", "recordings"):
        for phrase in PhraseBook.load(PROJECT / folder).phrases:
            found.setdefault(phrase.voice, []).append(phrase.pcm)
    for speaker in sorted(path for path in SOUNDS.glob("*_*") if path.is_dir()):
        files = [
            file for file in sorted(speaker.rglob("*.wav")) if not _NO_VOICE & {*file.parts, *file.stem.split("-")}
        ]
        random.Random(speaker.name).shuffle(files)
        found[speaker.name] = [slin.read_audio(file, 8000) for file in files[:most]]
    fits = (int(16000 * SHORTEST), int(16000 * LONGEST))
    return [
        Voice(name, [pcm for pcm in sentences[:most] if fits[0] <= len(pcm) <= fits[1]])
        for name, sentences in found.items()
    ]


def _clean(voices: Sequence[Voice], *, quick: bool) -> Iterator[Row]:
    accused = count = 0
    spent = []
    for name, codec in CODECS.items():
        wrong = 0
        for level in LEVELS_DBFS[::2] if quick else LEVELS_DBFS:
            for pcm in (pcm for voice in voices for pcm in voice.sentences):
                sound = _audible(codec(at_level(pcm, level)))
                before = time.process_time()
                wrong += bool(damage_of(Stretched(sound, voice=not lasts(sound)), ()))
                spent.append(1000 * (time.process_time() - before))
                count += 1
        accused += wrong
        yield Row(f"good voices accused, {name}", wrong, "")
    yield Row("good voices accused", accused, f"of {count}", target="0", met=accused == 0)
    yield Row("processor time, a good stretch", float(np.median(spent)), "ms", f"p95 {np.percentile(spent, 95):.1f} ms")


def _found(name: str, damage: Damaging, voices: Sequence[Voice], book: tuple[Phrase, ...]) -> Row:
    found = named = count = 0
    spent = []
    for pcm in (pcm for voice in voices for pcm in voice.sentences):
        for level in (-30, -22, -16):
            sound = _audible(_ulaw(damage(pcm if book else at_level(pcm, level))))
            if len(sound) < 16000 * SHORTEST:
                continue
            before = time.process_time()
            faults = damage_of(Stretched(sound, voice=not lasts(sound)), book)
            spent.append(1000 * (time.process_time() - before))
            found += bool(faults)
            named += any("“" in fault.what for fault in faults)
            count += 1
            if book:
                break  # the book has one level
    note = f"of {count}; {np.median(spent):.0f} ms" + (f"; prompt named in {100 * named / count:.0f} %" if book else "")
    return Row(f"found: {name}", 100 * found / count, "%", note)


def at_level(pcm: bytes, dbfs: float) -> bytes:
    """The speech at a level: of its frames of 20 ms that are at most 30 dB below the loudest one."""
    wave = np.frombuffer(pcm, "<i2").astype(np.float64)
    power = np.square(wave[: len(wave) // 160 * 160].reshape(-1, 160)).mean(axis=1)
    level = 10 * np.log10(power[power >= power.max() / 1000].mean() / 32768**2)
    return slin.gain(pcm, dbfs - level)


def _audible(pcm: bytes) -> bytes:
    bounds = audible_stretches(pcm)
    return pcm[2 * bounds[0][0] : 2 * bounds[-1][1] + 2] if bounds else b""


def _ulaw(pcm: bytes) -> bytes:
    return slin.ulaw_decode(ulaw_encode_as_asterisk(pcm))


def _alaw(pcm: bytes) -> bytes:
    return slin.alaw_decode(slin.alaw_encode(pcm))


def _gsm(pcm: bytes) -> bytes:
    import soundfile

    coded = io.BytesIO()
    with soundfile.SoundFile(coded, "w", 8000, 1, subtype="GSM610", format="WAV") as file:
        file.write(np.frombuffer(pcm, "<i2")[: len(pcm) // 320 * 160])
    coded.seek(0)
    wave: np.ndarray[tuple[int], np.dtype[np.int16]] = soundfile.read(coded, dtype="int16")[0]
    return wave.astype("<i2").tobytes()


CODECS: dict[str, Damaging] = {"as sent": bytes, "µ-law": _ulaw, "A-law": _alaw, "GSM": _gsm}


def _chunks(pcm: bytes, samples: int) -> list[bytes]:
    return [pcm[at : at + 2 * samples] for at in range(0, len(pcm), 2 * samples)]


def _clicking(pcm: bytes) -> bytes:
    wave = np.frombuffer(pcm, "<i2").copy()
    for at in range(0, len(wave), 320):
        wave[at : at + 6] = np.where(wave[at : at + 6] >= 0, -9000, 9000)
    return wave.tobytes()


def _slower(factor: float) -> Damaging:
    def play(pcm: bytes) -> bytes:
        wave = np.frombuffer(pcm, "<i2").astype(np.float64)
        at = np.arange(round(len(wave) * factor)) / factor
        return np.interp(at, np.arange(len(wave)), wave).astype("<i2").tobytes()

    return play


_HEADER = b"RIFF\xa4\xc1\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x80\xc1\0\0"
KINDS: dict[str, Damaging] = {
    "bytes swapped": lambda pcm: np.frombuffer(pcm, "<i2").byteswap().tobytes(),
    "shifted by a byte": lambda pcm: pcm[1:-1],
    "µ-law as linear": lambda pcm: slin.ulaw_encode(pcm)[: len(pcm) // 4 * 2],
    "A-law as linear": lambda pcm: slin.alaw_encode(pcm)[: len(pcm) // 4 * 2],
    "unsigned": lambda pcm: (np.frombuffer(pcm, "<i2").astype(np.int32) + 32768).astype("<u2").tobytes(),
    "floats": lambda pcm: (np.frombuffer(pcm, "<i2") / np.float32(32768)).astype("<f4").tobytes(),
    "three times too slow": _slower(3),
    "two times too slow": _slower(2),
    "two times too fast": _slower(1 / 2),
    "offset of 9000": lambda pcm: (
        np.clip(np.frombuffer(pcm, "<i2").astype(np.int32) + 9000, -32768, 32767).astype("<i2").tobytes()
    ),
    "clipped, 22 dB too loud": lambda pcm: slin.gain(pcm, 22),
    "WAV header": lambda pcm: _HEADER + pcm,
    "click each 40 ms": _clicking,
    "5 ms of silence each 320 ms": lambda pcm: b"".join(c + bytes(80) for c in _chunks(pcm, 2560)),
    "one frame of 15 silent": lambda pcm: b"".join(
        bytes(len(c)) if n % 15 == 14 else c for n, c in enumerate(_chunks(pcm, 160))
    ),
    "one frame of 20 twice": lambda pcm: b"".join(c * (1 + (n % 20 == 19)) for n, c in enumerate(_chunks(pcm, 160))),
    "one frame of 20 missing": lambda pcm: b"".join(c for n, c in enumerate(_chunks(pcm, 160)) if n % 20 != 19),
}
