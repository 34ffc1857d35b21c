"""Speech, music, tones, noise and clicks, told apart at any level and through a codec."""

from pathlib import Path

import numpy as np
import pytest
from helpers.damaged import at_rate
from helpers.phone_sounds import ms, music, quiet

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing.sound_kinds import SoundKind, kind_of, lasts, plays_on
from audiosocket_sim.phone.line import noise, tone

ROOT = Path(__file__).parents[3]
WAITING = (ROOT / "audio" / "waiting.slin").read_bytes()
VOICES = [p for folder in ("audio/prompts", "recordings") for p in PhraseBook.load(ROOT / folder).phrases]


def mixed(*sounds: bytes) -> bytes:
    waves = [np.frombuffer(pcm, "<i2").astype(np.int32) for pcm in sounds]
    return np.sum([wave[: min(map(len, waves))] for wave in waves], axis=0).astype("<i2").tobytes()


@pytest.mark.parametrize("level_db", [-18, 0, 6])
def test_every_voice_is_speech(level_db: int) -> None:
    for phrase in VOICES[::3]:
        pcm = ms(phrase.pcm, phrase.speech_start_ms, phrase.speech_end_ms)
        assert kind_of(slin.ulaw_decode(slin.ulaw_encode(slin.gain(pcm, level_db)))) == "speech", phrase.name


@pytest.mark.parametrize(
    ("pcm", "kind"),
    [
        (ms(WAITING, 0, 2000), "music"),
        (ms(WAITING, 5000, 9000), "music"),
        (mixed(slin.gain(ms(WAITING, 0, 3000), -6), noise(3000, -45)), "music"),
        (tone(200, 1000, -20), "tone"),
        (tone(2000, 425, -30), "tone"),
        (mixed(tone(2000, 440, -20), tone(2000, 480, -20)), "tone"),
        (mixed(tone(100, 697, -15), tone(100, 1209, -15)), "tone"),
        (music(3), "tone"),
        (noise(2000, -30), "noise"),
        (noise(20, -20), "click"),
        (quiet(100), "click"),
        (b"", "click"),
    ],
)
def test_other_sounds(pcm: bytes, kind: SoundKind) -> None:
    assert kind_of(pcm) == kind
    assert kind_of(slin.ulaw_decode(slin.ulaw_encode(pcm))) == kind


def test_slow_speech_lasts_like_music_and_is_speech_for_its_pauses() -> None:
    phrase = next(p for p in VOICES if p.name.endswith("condominio_apoena_em_que_posso_ajudar"))
    slow = at_rate(3)(ms(phrase.pcm, phrase.speech_start_ms, phrase.speech_end_ms))
    assert lasts(slow)
    assert kind_of(slow) == "speech"
    assert not lasts(phrase.pcm)
    assert not lasts(quiet(100))


def test_what_plays_on_is_music_that_is_audible() -> None:
    second = np.frombuffer(WAITING, "<i2")[16000:24000]
    assert plays_on(second)
    assert not plays_on((second // 400).astype(np.int16))
    assert not plays_on(np.zeros(8000, np.int16))
