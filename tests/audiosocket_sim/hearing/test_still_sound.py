"""A constant in the place of silence is not heard as speech, and is reported once, with what it is the silence of."""

from pathlib import Path

import numpy as np
import pytest
from helpers.phone_sounds import START, listen, ms, music, quiet, told

from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.hearing import HeardDamage, HeardSpeech
from audiosocket_sim.hearing.still_sound import StillSound

VOICE = PhraseBook.load(Path(__file__).parents[3] / "recordings").phrases[0]


def speech(phrase: Phrase) -> bytes:
    return ms(phrase.pcm, phrase.speech_start_ms, phrase.speech_end_ms)


def still(value: int, samples: int) -> bytes:
    return np.full(samples, value, "<i2").tobytes()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (-32640, " (the silence of unsigned samples)"),
        (-10795, " (the silence of A-law bytes)"),
        (32639, " (the silence of µ-law bytes)"),
        (5000, ""),
    ],
)
def test_it_says_which_silence_it_is(value: int, why: str) -> None:
    sound, voice = StillSound(), music(0.02)
    assert sound.heard(3.0, 8000, quiet(20)) == quiet(20)
    assert sound.heard(3.02, 8000, still(value, 4000)) == quiet(500)
    assert sound.heard(3.52, 8000, voice) == voice
    assert sound.heard(3.54, 16000, still(value, 8000)) == quiet(1000)
    found = sound.damage()
    assert found is not None
    since, damage = found
    assert since == 3.02
    assert damage.what == (
        f"the samples stay at {value} where silence should be{why}, for 1.0 s in all: "
        "a thump before and behind each sentence"
    )
    assert (damage.kind, damage.amount, damage.duration_ms) == ("dc", value, 1000)


def test_next_to_nothing_is_no_constant() -> None:
    sound = StillSound()
    for pcm in (still(8, 8000), still(32124, 79)):  # A-law's zero; the cut-off top of a wave
        assert sound.heard(0.0, 8000, pcm) == pcm
    assert sound.heard(2.0, 8000, still(32124, 1500)) == bytes(3000)
    assert sound.damage() is None


def test_the_pauses_of_a_voice_on_an_offset_are_no_constant() -> None:
    sound = StillSound()
    voice = np.array([4000, 6000, 4900] * 80, "<i2").tobytes()
    for pcm in (voice, still(5000, 800), still(5000, 800), voice):
        assert sound.heard(0.0, 8000, pcm) == pcm
    assert sound.damage() is None


def test_with_a_voice_on_the_same_offset_the_offset_is_reported_alone() -> None:
    voice = np.frombuffer(speech(VOICE), "<i2")
    facts = listen(still(9000, 8000), (voice // 2 + 9000).astype("<i2").tobytes(), still(9000, 8000), codec="none")
    found = [fact.what for fact in facts if isinstance(fact, HeardDamage) and fact.kind == "damage"]
    assert found
    assert [what for what in found if "constant offset" not in what] == []


@pytest.mark.parametrize("hold", [b"", music(2.0)])
def test_the_ear_hears_the_speech_between_constants(hold: bytes) -> None:
    facts = listen(still(-10795, 8000), speech(VOICE), still(-10795, 8000), hold=hold, codec="none")
    (spoken,) = [fact for fact in facts if isinstance(fact, HeardSpeech)]
    assert spoken.at == pytest.approx(START + 1, abs=0.02)
    assert spoken.heard_ms == pytest.approx(len(speech(VOICE)) / 16, abs=40)
    damage = [fact for fact in facts if isinstance(fact, HeardDamage)][-1]
    assert damage.at == START
    assert damage.what.startswith("the samples stay at -10795 where silence should be (the silence of A-law bytes)")
    assert told(listen(quiet(2000), hold=hold)) == []
