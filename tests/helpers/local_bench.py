"""For the tests of the local engine: what they need to be installed, the models loaded once, and sounds."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from audiosocket_server.speech.local.whisper import Whisper

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.phone.line import LineModel, noise, tone
from benchmarks.word_errors import count_words, word_errors
from helpers.local_needs import needs_local

__all__ = ["CALLERS", "error_rate", "keys", "needs_local", "no_speech", "on_the_line", "whisper"]

ROOT = Path(__file__).resolve().parents[2]
CALLERS = PhraseBook.load(ROOT / "recordings")


@lru_cache(maxsize=1)
def whisper() -> Whisper:
    return Whisper.load()


def on_the_line(pcm: bytes, snr_db: float | None = None) -> bytes:
    """With quiet around it, noise so far under it, and through µ-law: as a server gets it."""
    noise_dbfs = None if snr_db is None else slin.level_dbfs(pcm) - snr_db
    return LineModel("ulaw", noise_dbfs).send(slin.silence(300) + pcm + slin.silence(400))


def error_rate(said: str, understood: str, language: str = "pt-BR") -> float:
    return word_errors(said, understood, language) / count_words(said, language)


def keys(digits: str, ms: float = 120) -> bytes:
    """DTMF."""
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477)
    sounds = []
    for digit in digits:
        row, column = divmod("123456789*0#".index(digit), 3)
        sounds.append(slin.mix(tone(ms, rows[row], -16), tone(ms, columns[column], -16)) + slin.silence(80))
    return b"".join(sounds)


def clicks(count: int) -> bytes:
    """In three seconds."""
    random = np.random.default_rng(count)
    sound = np.zeros(24_000)
    for place in random.integers(0, 23_900, count):
        sound[place : place + 40] += random.uniform(3e3, 15e3) * np.exp(-np.arange(40) / 6)
    return np.clip(sound, -32768, 32767).astype("<i2").tobytes()


@lru_cache(maxsize=1)
def no_speech() -> dict[str, bytes]:
    """What a line sounds like when nobody speaks."""
    hold = slin.read_audio(ROOT / "audio/waiting.slin")
    sounds = {f"silence of {seconds} s": slin.silence(seconds * 1000) for seconds in (0.6, 3, 10)}
    for dbfs in (-60, -40, -20):
        sounds[f"white noise, {dbfs} dBFS"] = noise(2000, dbfs, "white", seed=7)
        sounds[f"pink noise, {dbfs} dBFS"] = noise(1000, dbfs, "pink", seed=8)
    sounds |= {f"tone of {hz} Hz": tone(3000, hz, -15) for hz in (350, 425, 480, 1000)}
    sounds["dial tone"] = slin.mix(tone(3000, 350, -16), tone(3000, 440, -16))
    sounds["busy tone"] = b"".join(tone(250, 425, -12) + slin.silence(250) for _ in range(8))
    sounds["hum"] = slin.mix(tone(3000, 50, -20), slin.mix(tone(3000, 150, -26), tone(3000, 250, -30)))
    sounds |= {
        "a key": keys("5"),
        "keys": keys("2021"),
        "all keys": keys("123456789*0#"),
        "a key held": keys("7", 1500),
    }
    sounds |= {f"{count} clicks": clicks(count) for count in (1, 20, 100)}
    sounds |= {f"hold music from {at} s": hold[at * 16000 : (at + 4) * 16000] for at in (0, 2, 4)}
    sounds["breath"] = noise(700, -25, "pink", 3) + slin.silence(600) + noise(600, -28, "pink", 9)
    return sounds
