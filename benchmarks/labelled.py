"""Labelled sound for the benchmark of endpointing: where speech begins and ends is known, and what else is on the line.

Speech: all recordings of the project (synthetic voices, Portuguese and English) and, where Debian's package
`asterisk-core-sounds-en-wav` is installed, every third of its prompts (a human voice, English; CC-BY-SA, used in
place and not part of the project). All of it is seeded: the same samples each time. SLIN, 8 kHz.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audiosocket_core.phrase_book.book import PhraseBook, speech_edges_ms
from audiosocket_core.slin import read_audio, ulaw_decode, ulaw_encode
from audiosocket_sim.phone.line import noise, tone
from benchmarks.human_prompts import FOLDER as PROMPTS
from benchmarks.machine import PROJECT

__all__ = [
    "CONDITIONS",
    "LEAD_MS",
    "PROMPTS",
    "SPEECH_DBFS",
    "Samples",
    "Utterance",
    "composites",
    "in_condition",
    "no_speech",
    "prompts",
    "recordings",
    "utterance",
]

LEAD_MS = 1500
"""Line noise before the speech: a detector that adapts has had its time."""
SPEECH_DBFS = -22.0
Samples = NDArray[np.float64]

_LEAST_MS, _MOST_MS = 700, 8000


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech in quiet: the voice's own level is SPEECH_DBFS. Times from the start of `sound`."""

    name: str
    sound: Samples
    start_ms: int
    end_ms: int


def recordings() -> list[Utterance]:
    """What callers say, as the project ships it; its manifest has the times."""
    phrases = PhraseBook.load(PROJECT / "recordings").phrases
    return [utterance(p.name, p.pcm, p.speech_start_ms, p.speech_end_ms) for p in phrases]


def prompts(one_in: int = 3) -> list[Utterance]:
    """Human speech from the Debian package; none where it is not installed."""
    made = []
    for path in sorted(PROMPTS.glob("*.wav")):
        pcm = read_audio(path)
        start_ms, end_ms = speech_edges_ms(pcm)
        if _LEAST_MS <= end_ms - start_ms <= _MOST_MS:
            made.append(utterance(path.stem, pcm, start_ms, end_ms))
    return made[::one_in]


def utterance(name: str, pcm: bytes, start_ms: int, end_ms: int) -> Utterance:
    """Speech in quiet (SLIN, 8 kHz), brought to the level of all callers."""
    sound = _floats(pcm)
    level = np.sqrt(np.mean(sound[start_ms * 8 : end_ms * 8] ** 2))
    return Utterance(name, sound * (_rms(SPEECH_DBFS) / level), start_ms, end_ms)


def composites(sources: Sequence[Utterance], pauses_ms: Sequence[int]) -> list[Utterance]:
    """Sentences with a pause within: each is cut near its middle, where it is softest, and the pause put in between.

    The pause is counted from the end of the speech before it to the speech after it.
    """
    made = []
    for number, source in enumerate(s for s in sources if s.end_ms - s.start_ms >= 1600):
        at = _softest(source)
        pause_ms = pauses_ms[number % len(pauses_ms)]
        sound = np.concatenate([source.sound[: at * 8], np.zeros(pause_ms * 8), source.sound[at * 8 :]])
        made.append(Utterance(f"{source.name}|{at}|{pause_ms}", sound, source.start_ms, source.end_ms + pause_ms))
    return made


def _softest(source: Utterance) -> int:
    """The softest 40 ms of the middle third, to 10 ms."""
    third = (source.end_ms - source.start_ms) // 3
    at = range(source.start_ms + third, source.end_ms - third, 10)
    return min(at, key=lambda ms: float(np.sum(source.sound[(ms - 20) * 8 : (ms + 20) * 8] ** 2)))


# --- what the line does ---------------------------------------------------------------------------------------------


def _noise_at(snr_db: float, color: str, count: int, seed: int) -> Samples:
    pcm = noise(count / 8, SPEECH_DBFS - snr_db, "pink" if color == "pink" else "white", seed)
    return _floats(pcm)[:count]


def _steady(snr_db: float, color: str, count: int, seed: int) -> Samples:
    return _noise_at(snr_db, color, count, seed)


def _bursts(snr_db: float, count: int, seed: int) -> Samples:
    """Half the time pink noise, on for 0.2 to 0.6 s and off for as long, over a faint steady noise."""
    random = np.random.Generator(np.random.PCG64(seed))
    sound = _noise_at(snr_db, "pink", count, seed)
    at = 0
    while at < count:
        on, off = random.integers(1600, 4800, 2)
        sound[at + on : at + on + off] = 0
        at += on + off
    return sound + _noise_at(40, "white", count, seed + 1)


CONDITIONS: Mapping[str, Callable[[int, int], Samples] | None] = {
    "clean, not coded": None,
    "G.711, line noise": partial(_steady, 40, "white"),
    "20 dB": partial(_steady, 20, "pink"),
    "10 dB": partial(_steady, 10, "pink"),
    "5 dB": partial(_steady, 5, "pink"),
    "bursts at 10 dB": partial(_bursts, 10),
}
"""Noise under the speech; all but the first go through G.711. `line noise` is 40 dB below the voice, as on any line."""


def in_condition(sound: Samples, condition: str, tail_ms: int, seed: int) -> bytes:
    """The sound with LEAD_MS before and `tail_ms` behind it, as it comes out of the line."""
    whole = np.concatenate([np.zeros(LEAD_MS * 8), sound, np.zeros(tail_ms * 8)])
    make = CONDITIONS[condition]
    if make is None:
        return _slin(whole)
    return _coded(whole + make(len(whole), seed))


# --- what is no speech ----------------------------------------------------------------------------------------------


def no_speech() -> dict[str, bytes]:
    """Sounds that must open no turn, through G.711 and line noise; some seconds each."""
    hold = _floats(read_audio(PROJECT / "audio" / "waiting.slin"))
    sounds = {
        "dial tone 425 Hz": _floats(tone(5000, 425, -15)),
        "busy tone 425 Hz": np.tile(np.concatenate([_floats(tone(250, 425, -15)), np.zeros(2000)]), 10),
        "DTMF": _dtmf("159*0#2468"),
        "clicks": _clicks(8000),
        "cough": np.concatenate([_cough(seed) for seed in range(6)]),
        "breath": np.concatenate([_breath(seed) for seed in range(4)]),
        "hold music": hold[: 8000 * 20] * (_rms(-22) / np.sqrt(np.mean(hold**2))),
        "white noise -40 dBFS": _floats(noise(8000, -40)),
        "pink noise -30 dBFS": _floats(noise(8000, -30, "pink")),
        "noise in bursts": _bursts(8, 8000 * 8, 5),
        "mains hum": sum((_floats(tone(5000, hz, -35 - hz / 50)) for hz in (50, 100, 150, 250)), np.zeros(40000)),
    }
    return {name: in_condition(sound, "G.711, line noise", 2500, 7) for name, sound in sounds.items()}


_DTMF_HZ = {
    key: (low, high)
    for low, row in ((697, "123"), (770, "456"), (852, "789"), (941, "*0#"))
    for high, key in zip((1209, 1336, 1477), row, strict=True)
}


def _dtmf(keys: str) -> Samples:
    """Each key for 120 ms, and as long nothing; the last one is held for a second."""
    parts = []
    for number, key in enumerate(keys):
        ms = 1000 if number == len(keys) - 1 else 120
        low, high = _DTMF_HZ[key]
        parts += [_floats(tone(ms, low, -16)) + _floats(tone(ms, high, -16)), np.zeros(960)]
    return np.concatenate(parts)


def _clicks(ms: int) -> Samples:
    """A handset put down, a switch: 1 to 5 ms, ringing at some hundred hertz, two or three a second."""
    random = np.random.Generator(np.random.PCG64(11))
    sound = np.zeros(ms * 8)
    at = 1000
    while at < len(sound) - 400:
        t = np.arange(400) / 8000
        ring = np.exp(-t / random.uniform(0.001, 0.005)) * np.sin(2 * np.pi * random.uniform(300, 2500) * t)
        sound[at : at + 400] += ring * random.uniform(3000, 16000)
        at += int(random.integers(2000, 4800))
    return sound


def _cough(seed: int) -> Samples:
    """A burst of air through the throat, a short voiced tail, then two seconds of nothing. Made up, not recorded."""
    random = np.random.Generator(np.random.PCG64(100 + seed))
    t = np.arange(8 * 320) / 8000
    air = _band(random.standard_normal(len(t)), 350, 2500)
    rise_and_fall = np.minimum(t / 0.008, 1) * np.exp(-t / random.uniform(0.05, 0.09))
    voice = np.sin(2 * np.pi * 260 * t * (1 - 0.3 * t)) * np.exp(-(((t - 0.2) / 0.04) ** 2)) * 0.25
    sound = air / np.std(air) * rise_and_fall + voice
    return np.pad(sound * (_rms(-16) / np.sqrt(np.mean(sound[:1600] ** 2))), (0, 16000))


def _breath(seed: int) -> Samples:
    """Into the microphone: noise that swells for most of a second, then a second of nothing."""
    random = np.random.Generator(np.random.PCG64(200 + seed))
    air = _band(random.standard_normal(8 * 800), 200, 1200) * np.hanning(8 * 800)
    return np.pad(air * (_rms(-32) / np.sqrt(np.mean(air**2))), (0, 12000))


def _band(sound: Samples, low_hz: float, high_hz: float) -> Samples:
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / 8000)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.fft.irfft(spectrum, len(sound))


# --- samples --------------------------------------------------------------------------------------------------------


def _floats(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _slin(sound: Samples) -> bytes:
    return np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()


def _coded(sound: Samples) -> bytes:
    return ulaw_decode(ulaw_encode(_slin(sound)))


def _rms(dbfs: float) -> float:
    return float(32768 * 10 ** (dbfs / 20))
