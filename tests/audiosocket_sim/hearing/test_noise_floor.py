"""Speech over a steady noise of the bot's own: no stretch is lost, invented or split, and the caller hears its end."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.hearing import Ear, Fact, HeardDamage, HeardSpeech
from audiosocket_sim.hearing.loudness import Loudness, audible_stretches
from audiosocket_sim.hearing.noise_floor import NoiseAwareLoudness

RATE = 8000
NAMES = ("pt-br/pode_subir", "pt-br/qual_e_o_seu_nome", "pt-br/condominio_apoena_em_que_posso_ajudar")
NO_BOOK = PhraseBook([])
COLORS = ["pink", *(pytest.param(name, marks=pytest.mark.long("pink noise is tried")) for name in ("white", "brown"))]


@cache
def book() -> PhraseBook:
    return PhraseBook.load(SHIPPED / "audio" / "prompts")


def noise(samples: int, color: str, seed: int = 1) -> NDArray[np.float64]:
    """Noise of RMS 1."""
    made = np.random.default_rng(seed).standard_normal(samples)
    if color != "white":
        spectrum = np.fft.rfft(made)
        hz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 50)
        made = np.fft.irfft(spectrum * hz ** {"pink": -0.5, "brown": -1.0}[color], samples)
    return np.asarray(made / np.sqrt(np.mean(made**2)))


def sentences(snr_db: float | None, color: str = "white") -> tuple[NDArray[np.int16], list[tuple[float, float]]]:
    """Three prompts with a second between them, and from when to when each is audible (ms), without the noise."""
    parts, truth, at = [np.zeros(RATE)], [], RATE
    for name in NAMES:
        phrase = book().by_name(name)
        assert phrase is not None
        wave = np.frombuffer(phrase.pcm, "<i2").astype(np.float64)
        bounds = audible_stretches(phrase.pcm)
        truth.append(((at + bounds[0][0]) / 8, (at + bounds[-1][1] + 1) / 8))
        parts += [wave, np.zeros(RATE)]
        at += len(wave) + RATE
    sound = np.concatenate(parts)
    if snr_db is not None:
        spoken = np.concatenate([sound[round(8 * start) : round(8 * end)] for start, end in truth])
        sound = sound + noise(len(sound), color) * np.sqrt(np.mean(spoken**2)) * 10 ** (-snr_db / 20)
    return np.clip(np.round(sound), -32768, 32767).astype(np.int16), truth


def facts_of(sound: NDArray[np.int16], known: PhraseBook, lost: tuple[int, ...] = ()) -> list[Fact]:
    """What the ear reports of a sound that comes in frames of 20 ms; `lost`: the frames that never come."""
    facts: list[Fact] = []
    ear = Ear(known, b"", facts.append)
    ear.advance(0.0)
    for at in range(0, len(sound), 160):
        if at // 160 not in lost:
            ear.hear(at / RATE, RATE, sound[at : at + 160].tobytes())
    ear.close(len(sound) / RATE + 1)
    return facts


def heard(sound: NDArray[np.int16], known: PhraseBook) -> list[HeardSpeech]:
    return [fact for fact in facts_of(sound, known) if isinstance(fact, HeardSpeech)]


def errors_ms(facts: list[HeardSpeech], truth: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    assert len(facts) == len(truth)
    pairs = list(zip(facts, truth, strict=True))
    starts = [abs(1000 * fact.at - start) for fact, (start, _) in pairs]
    return starts, [abs(1000 * fact.at + fact.heard_ms + fact.gap_ms - end) for fact, (_, end) in pairs]


@pytest.mark.every(2)
@pytest.mark.parametrize("known", [True, False])
def test_in_silence_the_edges_are_exact(known: bool) -> None:
    sound, truth = sentences(None)
    starts, ends = errors_ms(heard(sound, book() if known else NO_BOOK), truth)
    assert max(starts + ends) <= 1


@pytest.mark.every(4)
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("snr_db", [20, 5])
def test_a_known_prompt_in_noise_has_the_edges_of_the_prompt(snr_db: float, color: str) -> None:
    sound, truth = sentences(snr_db, color)
    facts = heard(sound, book())
    assert [fact.text for fact in facts] == [phrase.text for name in NAMES if (phrase := book().by_name(name))]
    starts, ends = errors_ms(facts, truth)
    assert max(starts + ends) <= 10


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(("snr_db", "start_ms", "end_ms"), [(20, 30, 80), (5, 80, 180)])
@pytest.mark.parametrize("color", COLORS)
def test_no_stretch_of_an_unknown_voice_is_lost_invented_or_split(
    color: str, snr_db: float, start_ms: float, end_ms: float
) -> None:
    sound, truth = sentences(snr_db, color)
    starts, ends = errors_ms(heard(sound, NO_BOOK), truth)
    assert max(starts) <= start_ms
    assert max(ends) <= end_ms


def test_the_caller_hears_that_the_bot_has_fallen_silent_although_its_noise_goes_on() -> None:
    sound, truth = sentences(20)
    for hold_pcm in (b"", (noise(2 * RATE, "pink", 7) * 2000).astype(np.int16).tobytes()):
        ear = Ear(NO_BOOK, hold_pcm, lambda fact: None)
        ear.advance(0.0)
        end = truth[0][1] / 1000
        for at in range(0, round((end + 0.4) * RATE), 160):
            ear.hear(at / RATE, RATE, sound[at : at + 160].tobytes())
        since = ear.silent_since(end + 0.4)
        assert since is not None
        assert abs(since - end) < 0.08


def burst(dbfs: float, color: str = "white", seconds: float = 2.0) -> NDArray[np.int16]:
    """A second of silence, noise, and a second of silence."""
    alone = noise(round(seconds * RATE), color) * 32768 * 10 ** (dbfs / 20)
    return np.clip(np.round(np.concatenate((np.zeros(RATE), alone, np.zeros(RATE)))), -32768, 32767).astype(np.int16)


@pytest.mark.every(8)
@pytest.mark.parametrize("dbfs", [-43, -30, -21, -18, -10])
@pytest.mark.parametrize("color", ["white", "pink", "brown"])
def test_noise_that_begins_and_ends_like_a_sentence_is_heard_as_noise_and_is_a_fault(color: str, dbfs: float) -> None:
    facts = facts_of(burst(dbfs, color), NO_BOOK)
    (spoken,) = [fact for fact in facts if isinstance(fact, HeardSpeech)]
    assert (spoken.sound, spoken.text) == ("noise", None)
    assert spoken.at == pytest.approx(1.0, abs=0.02)
    assert spoken.heard_ms == pytest.approx(2000, abs=30)
    (damage,) = [fact for fact in facts if isinstance(fact, HeardDamage)]
    assert f"{'white' if color == 'white' else 'steady'} noise of -" in damage.what
    assert "no voice in it" in damage.what


def test_noise_to_the_end_of_the_call_is_a_fault_too() -> None:
    (damage,) = [fact for fact in facts_of(burst(-30)[: 2 * RATE], NO_BOOK) if isinstance(fact, HeardDamage)]
    assert "white noise of -30 dBFS" in damage.what


@pytest.mark.parametrize(("dbfs", "seconds"), [(-48, 2.0), (-60, 2.0), (-30, 0.45)])
def test_comfort_noise_and_a_short_noise_are_no_fault(dbfs: float, seconds: float) -> None:
    facts = facts_of(burst(dbfs, "white", seconds), NO_BOOK)
    assert [fact for fact in facts if isinstance(fact, HeardDamage)] == []


@pytest.mark.long("noise without speech is heard")
@pytest.mark.parametrize("color", ["white", "pink", "brown"])
@pytest.mark.parametrize("snr_db", [20, 5])
def test_noise_with_speech_in_it_is_no_fault(snr_db: float, color: str) -> None:
    facts = facts_of(sentences(snr_db, color)[0], NO_BOOK)
    assert [fact for fact in facts if isinstance(fact, HeardDamage)] == []


@pytest.mark.long("quicker tests of this file are run")
def test_a_piece_of_noise_between_holes_may_belong_to_a_voice() -> None:
    sound = sentences(5)[0]
    assert [fact for fact in facts_of(sound, NO_BOOK, (2, 3, 44, 45)) if isinstance(fact, HeardDamage)] == []
    broken = facts_of(burst(-30), NO_BOOK, (100, 101, 102))
    assert [fact for fact in broken if isinstance(fact, HeardDamage)] == []


def test_noise_that_stops_is_forgotten() -> None:
    follower = NoiseAwareLoudness()
    for piece in np.split((noise(RATE, "white") * 300).astype(np.int16), 50):
        follower.feed(piece)
    assert follower.in_noise
    follower.feed(np.zeros(320, np.int16))
    assert not follower.in_noise


@pytest.mark.parametrize("what", ["tone", "silence", "prompt"])
def test_what_is_no_noise_is_followed_to_the_sample(what: str) -> None:
    at = np.arange(2 * RATE)
    phrase = book().by_name(NAMES[2])
    assert phrase is not None
    sound = {
        "tone": (8000 * np.sin(2 * np.pi * 440 * at / RATE)).astype(np.int16),
        "silence": np.zeros(2 * RATE, np.int16),
        "prompt": np.frombuffer(phrase.pcm, "<i2"),
    }[what]
    follower, plain = NoiseAwareLoudness(), Loudness()
    for start in range(0, len(sound), 100):
        piece = sound[start : start + 100]
        assert follower.feed(piece) == plain.feed(piece)
        assert not follower.in_noise


@pytest.mark.long("quicker tests of this file are run")
def test_a_long_piece_makes_known_what_its_short_ones_do() -> None:
    sound, _ = sentences(20)

    def edges(piece: int) -> tuple[int, int]:
        loudness = NoiseAwareLoudness()
        found = [
            (at + bounds[0], at + bounds[1])
            for at in range(0, len(sound), piece)
            if (bounds := loudness.feed(sound[at : at + piece].astype(np.int64))) is not None and loudness.in_noise
        ]
        return min(first for first, _ in found), max(last for _, last in found)

    assert edges(3200) == pytest.approx(edges(160), abs=160)
