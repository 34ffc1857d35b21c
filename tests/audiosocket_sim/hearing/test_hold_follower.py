"""Hold audio at any level, through codecs and over noise; other music; and that speech is none of it."""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from helpers.phone_sounds import music

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.hearing import (
    Ear,
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
)
from audiosocket_sim.hearing.hold_detector import Part, What
from audiosocket_sim.hearing.hold_rounds import HoldRounds
from audiosocket_sim.phone.line import noise, tone

WAITING = slin.read_audio(SHIPPED / "audio" / "waiting.slin")
OTHER = music(3)
NO_BOOK = PhraseBook([])
SECOND = bytes(16000)


@cache
def book() -> PhraseBook:
    return PhraseBook.load(SHIPPED / "audio" / "prompts")


def prompt(name: str = "pt-br/vou_verificar_aguarde_um_momento") -> bytes:
    phrase = book().by_name(name)
    assert phrase is not None
    return phrase.pcm


def level(pcm: bytes) -> float:
    wave = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(10 * np.log10(np.mean(wave * wave) / 32768**2))


def at_level(pcm: bytes, dbfs: float) -> bytes:
    return slin.gain(pcm, dbfs - level(pcm))


def mixed(one: bytes, other: bytes) -> bytes:
    waves = [np.frombuffer(pcm.ljust(max(len(one), len(other)), b"\0"), "<i2").astype(np.int32) for pcm in (one, other)]
    return np.clip(waves[0] + waves[1], -32768, 32767).astype("<i2").tobytes()


LINES = {
    "as sent": bytes,
    "µ-law": lambda pcm: slin.ulaw_decode(slin.ulaw_encode(pcm)),
    "A-law": lambda pcm: slin.alaw_decode(slin.alaw_encode(pcm)),
}


def facts_of(pcm: bytes, *, known: bytes = WAITING, any_music: bool = False, reads: PhraseBook = NO_BOOK) -> list[Fact]:
    facts: list[Fact] = []
    ear = Ear(reads, known, facts.append, music={"it": known} if known else {}, any_music=any_music)
    ear.advance(0.0)
    for at in range(0, len(pcm), 320):
        ear.hear(at / 16000, 8000, pcm[at : at + 320])
    ear.close(len(pcm) / 16000)
    return facts


def held(facts: list[Fact]) -> list[tuple[float, float]]:
    starts = [fact.at for fact in facts if isinstance(fact, HeardHoldStarted)]
    stops = [fact.at for fact in facts if isinstance(fact, HeardHoldStopped)]
    return list(zip(starts, stops, strict=True))


def spoken(facts: list[Fact]) -> list[str | None]:
    return [fact.text for fact in facts if isinstance(fact, HeardSpeech)]


@pytest.mark.every(12)
@pytest.mark.parametrize("known", [WAITING, OTHER], ids=["waiting", "other"])
@pytest.mark.parametrize("dbfs", [-12, -20, -33, -45])
@pytest.mark.parametrize("line", LINES)
def test_known_music_at_any_level_through_any_codec(line: str, dbfs: float, known: bytes) -> None:
    piece = at_level((known * 3)[24_000:72_000], dbfs)
    facts = facts_of(LINES[line](SECOND + piece + SECOND), known=known)
    ((start, stop),) = held(facts)
    assert start == pytest.approx(1.0, abs=0.04)
    assert stop == pytest.approx(1 + len(piece) / 16000, abs=0.06)
    assert spoken(facts) == []
    assert [fact.file for fact in facts if isinstance(fact, HeardHoldStarted)] == ["it"]


@pytest.mark.every(4)
@pytest.mark.parametrize("snr_db", [20, 6])
def test_known_music_over_noise(snr_db: float) -> None:
    sound = mixed(SECOND + at_level(WAITING[16_000:64_000], -25) + SECOND, noise(5000, -25 - snr_db, seed=3))
    facts = facts_of(sound)
    ((start, stop),) = held(facts)
    assert start == pytest.approx(1.0, abs=0.1)
    assert stop == pytest.approx(4.0, abs=0.2)


@pytest.mark.long("known music is followed")
def test_music_that_goes_on_under_the_answer_and_behind_it_is_hold_audio_again() -> None:
    under = at_level(WAITING[:160_000], -32)
    sound = SECOND + WAITING[:64_000] + mixed(under[:80_000], prompt()) + SECOND
    facts = facts_of(sound, reads=book())
    assert "Vou verificar, aguarde um momento." in spoken(facts)
    (first, second) = held(facts)
    assert first == (pytest.approx(1.0, abs=0.01), pytest.approx(5.0, abs=0.01))
    assert second[1] == pytest.approx(10.0, abs=0.06)


def test_an_answer_over_soft_known_music_is_read_beside_it() -> None:
    sound = mixed(SECOND + at_level(WAITING[:128_000], -32) + SECOND, bytes(48_000) + prompt())
    facts = facts_of(sound, reads=book())
    assert "Vou verificar, aguarde um momento." in spoken(facts)
    assert held(facts)[0][0] == pytest.approx(1.0, abs=0.04)
    assert held(facts)[-1][1] == pytest.approx(9.0, abs=0.06)


def test_music_that_jumps_goes_on() -> None:
    soft = at_level(WAITING, -30)
    facts = facts_of(SECOND + soft[:48_000] + soft[54_000:100_000] + SECOND)
    ((start, stop),) = held(facts)
    assert (start, stop) == (pytest.approx(1.0, abs=0.04), pytest.approx(1 + 94_000 / 16_000, abs=0.06))
    assert [fact.seamless for fact in facts if isinstance(fact, HeardHoldStopped)] == [False]


def test_speech_right_behind_soft_music_is_speech() -> None:
    facts = facts_of(SECOND + at_level(WAITING[:48_000], -30) + prompt() + SECOND, reads=book())
    ((_, stop),) = held(facts)
    assert stop == pytest.approx(4.0, abs=0.15)
    assert spoken(facts) == ["Vou verificar, aguarde um momento."]


def test_what_a_codec_leaves_of_music_is_no_speech() -> None:
    left = tone(150, 300, -40)
    assert spoken(facts_of(SECOND + at_level(WAITING[:48_000], -30) + left + SECOND)) == []
    assert spoken(facts_of(SECOND + left + SECOND)) == [None]


def test_the_call_may_end_while_it_plays() -> None:
    ((start, stop),) = held(facts_of(SECOND + at_level(WAITING[:48_000], -30)))
    assert (start, stop) == (pytest.approx(1.0, abs=0.04), pytest.approx(4.0, abs=0.02))


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("sound", ["tone", "other music", "the loop of another bot"])
def test_without_a_file_music_and_tones_of_two_seconds_are_hold_audio(sound: str) -> None:
    pcm = {"tone": tone(4000, 440, -20), "other music": music(4), "the loop of another bot": WAITING[32_000:96_000]}[
        sound
    ]
    for known in (b"", music(3, seed=9) if sound != "other music" else WAITING):
        ((start, stop),) = held(facts_of(SECOND + pcm + SECOND, known=known, any_music=True))
        assert start == pytest.approx(1.0, abs=0.03)
        assert stop == pytest.approx(1 + len(pcm) / 16000, abs=0.15)
    assert held(facts_of(SECOND + pcm + SECOND, known=b"")) == []


def test_music_of_less_than_two_seconds_is_none() -> None:
    assert held(facts_of(SECOND + tone(1500, 440, -20) + SECOND, known=b"", any_music=True)) == []


def test_speech_behind_other_music_ends_it() -> None:
    facts = facts_of(SECOND + music(4) + prompt() + SECOND, known=b"", any_music=True, reads=book())
    ((_, stop),) = held(facts)
    assert stop == pytest.approx(5.0, abs=1.2)
    assert spoken(facts)[-1] == "Vou verificar, aguarde um momento."


@pytest.mark.long("calls with speech and no hold audio are scenarios")
def test_no_speech_is_hold_audio() -> None:
    for folder in ("audio/prompts", "recordings"):
        phrases = PhraseBook.load(SHIPPED / folder).phrases[::4]
        sound = b"".join(phrase.pcm for phrase in phrases)
        assert held(facts_of(LINES["µ-law"](sound), any_music=True)) == []


# --- the rounds of its loop


def seams(facts: list[Fact]) -> list[str]:
    return [fact.what for fact in facts if isinstance(fact, HeardDamage) and fact.kind == "hold_seam"]


@pytest.mark.every(6)
@pytest.mark.parametrize("dbfs", [None, -32])
@pytest.mark.parametrize("known", [WAITING, OTHER], ids=["waiting", "other"])
@pytest.mark.parametrize(("hole_ms", "words"), [(20, "0.02 s"), (300, "0.30 s"), (1200, "1.20 s")])
def test_a_hole_at_the_seam_of_the_loop(hole_ms: int, words: str, known: bytes, dbfs: float | None) -> None:
    played = known if dbfs is None else at_level(known, dbfs)
    facts = facts_of(SECOND + played[-48_000:] + bytes(16 * hole_ms) + played[:48_000] + SECOND, known=known)
    (what,) = seams(facts)
    assert what.startswith("a hole of ")
    assert words in what or dbfs is not None


@pytest.mark.parametrize("dbfs", [None, -32])
def test_a_loop_without_a_seam_has_none_nor_does_a_frame_filled_up(dbfs: float | None) -> None:
    played = WAITING if dbfs is None else at_level(WAITING, dbfs)
    for filling in (0, 100):
        facts = facts_of(SECOND + played[-48_000:] + bytes(2 * filling) + played[:48_000] + SECOND)
        assert seams(facts) == []


def test_a_hole_elsewhere_in_the_loop_is_no_seam() -> None:
    facts = facts_of(SECOND + WAITING[48_000:96_000] + bytes(16 * 300) + WAITING[96_000:140_000] + SECOND)
    assert seams(facts) == []


def mark(what: What, at: int, place: int | None, to: int | None = None) -> Part:
    return Part(what, at, at, place=place, to=to)


def test_a_loop_that_begins_again_before_its_end_does_so_at_each_round() -> None:
    rounds = HoldRounds(80_000)
    assert rounds.take(mark(What.HOLD_JUMPS, 10_000, 60_000, 0)) is None
    seam = rounds.take(mark(What.HOLD_JUMPS, 70_000, 60_010, 0))
    assert seam == (70_000, 2498, "the hold audio jumps to its start 2.50 s before its end, at each round")
    assert rounds.take(mark(What.HOLD_JUMPS, 130_000, 30_000, 0)) is None


def test_what_is_no_round() -> None:
    rounds = HoldRounds(80_000)
    assert rounds.take(mark(What.HOLD_BEGINS, 10_000, None)) is None
    ends, begins = mark(What.HOLD_ENDS, 80_000, 79_990), mark(What.HOLD_BEGINS, 84_000, 0)
    assert rounds.take(begins) is None
    for between in (rounds.spoke, lambda: rounds.take(mark(What.HOLD_ENDS, 50_000, 79_990))):
        rounds.take(ends)
        between()
        assert rounds.take(begins) is None
    rounds.take(ends)
    assert rounds.take(mark(What.HOLD_BEGINS, 84_000, 40_000)) is None
    rounds.take(ends)
    assert rounds.take(begins) == (80_000, 498, "a hole of 0.50 s where the hold audio begins its next round")
    assert rounds.take(mark(What.HOLD_JUMPS, 90_000, 40_000, 50_000)) is None


def test_the_holds_of_a_call_do_not_overlap() -> None:
    soft = at_level(WAITING, -30)
    facts = facts_of(SECOND + soft[:64_000] + WAITING[:64_000] + SECOND + soft[:64_000] + SECOND)
    edges = [edge for hold in held(facts) for edge in hold]
    assert all(one <= other for one, other in pairwise(edges))


def learnt(sound: bytes, at: float, **ear: Any) -> list[tuple[str | None, float]]:
    """Which hold audio began, and when, in a sound whose ear learns OTHER at `at` (s)."""
    facts: list[Fact] = []
    listener = Ear(NO_BOOK, b"", facts.append, **ear)
    for number, frame in enumerate(slin.frames(sound, 320)):
        now = number * 0.02
        if now == pytest.approx(at):
            assert not listener.knows_music("other.wav")
            listener.learn_music("other.wav", OTHER)
            assert listener.knows_music("other.wav")
        listener.hear(now, 8000, frame)
    listener.close(len(sound) / 16000)
    stopped = [fact.file for fact in facts if isinstance(fact, HeardHoldStopped)]
    assert stopped == ["other.wav"]
    return [(fact.file, fact.at) for fact in facts if isinstance(fact, HeardHoldStarted)]


def test_music_that_is_learnt_before_it_plays() -> None:
    sound = SECOND + OTHER[:64_000] + SECOND
    for any_music in (True, False):
        ((name, at),) = learnt(sound, 0.5, any_music=any_music)
        assert (name, at) == ("other.wav", pytest.approx(1.0, abs=0.05))


def test_music_that_is_learnt_while_it_plays_begins_once_more_with_its_name() -> None:
    sound = SECOND + OTHER * 2 + SECOND
    unknown, known = learnt(sound, 4.5, any_music=True)
    assert unknown == (None, pytest.approx(1.0, abs=0.1))
    assert known == ("other.wav", pytest.approx(5.0, abs=0.6))


def test_the_loop_by_another_name() -> None:
    facts: list[Fact] = []
    listener = Ear(NO_BOOK, WAITING, facts.append, music={"": WAITING}, any_music=True)
    for number, frame in enumerate(slin.frames(SECOND + WAITING[:64_000] + SECOND, 320)):
        if number == 150:
            listener.learn_music("mine.wav", WAITING)
        listener.hear(number * 0.02, 8000, frame)
    assert [(fact.file, round(fact.at, 1)) for fact in facts if isinstance(fact, HeardHoldStarted)] == [
        ("", 1.0),
        ("mine.wav", 3.0),
    ]
    assert [fact.file for fact in facts if isinstance(fact, HeardHoldStopped)] == ["mine.wav"]
