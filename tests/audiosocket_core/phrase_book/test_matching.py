"""The matcher over every recording and prompt: what must be recognised, through which line, and what must not."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_core.phrase_book.matching import BLOCK_BYTES, Match, Matcher

ROOT = Path(__file__).parents[3]
BOOK = PhraseBook.load(ROOT / "recordings", ROOT / "audio" / "prompts")
PHRASES = BOOK.phrases
MATCHER = Matcher(PHRASES)


def named(name: str) -> Phrase:
    phrase = BOOK.by_name(name)
    assert phrase is not None
    return phrase


def rng(*numbers: int) -> np.random.Generator:
    return np.random.default_rng(numbers)


def noise(random: np.random.Generator, ms: float, dbfs: float) -> bytes:
    wave = random.normal(size=round(ms * 8)) * 32768 * 10 ** (dbfs / 20)
    return np.clip(np.rint(wave), -32768, 32767).astype("<i2").tobytes()


def speech_level_dbfs(phrase: Phrase) -> float:
    return slin.level_dbfs(phrase.pcm[phrase.speech_start_ms * 16 : phrase.speech_end_ms * 16])


def through_ulaw(pcm: bytes) -> bytes:
    return slin.ulaw_decode(slin.ulaw_encode(pcm))


def noisy(pcm: bytes, dbfs: float, random: np.random.Generator) -> bytes:
    return through_ulaw(slin.mix(pcm, noise(random, len(pcm) / 16, dbfs)))


def listen(pcm: bytes, matcher: Matcher = MATCHER) -> tuple[Match, ...]:
    listening = matcher.listen()
    listening.feed(pcm)
    return listening.matches()


def part_of(phrase: Phrase, from_ms: int = 0, to_ms: int | None = None) -> bytes:
    return phrase.pcm[from_ms * 16 : None if to_ms is None else to_ms * 16]


def the_one(matches: Iterable[Match]) -> Match:
    (match,) = matches
    return match


def each(values: list[Any]) -> list[Any]:
    """Of a test of all phrases: each through one of the values, all of them used; and each through all, which is long.

    The test takes `values[number // 2 % len(values)]` for phrase `number`.
    """
    all_of_them = [pytest.param([value], id=str(value), marks=LONG_MATRIX) for value in values]
    return [pytest.param(values, id="one each"), *all_of_them]


LONG_MATRIX = pytest.mark.long("each phrase goes through one of them, and all of them are used")


# Through the line.

LINES = ["clean", "ulaw", "alaw", "-55 dBFS, -12 dB", "-55 dBFS, +12 dB"]
LINES += ["20 dB SNR", "10 dB SNR", "5 dB SNR", "16 kHz", "echo"]


def through(line: str, pcm: bytes, phrase: Phrase, random: np.random.Generator) -> bytes:
    match line:
        case "clean":
            return pcm
        case "ulaw":
            return through_ulaw(pcm)
        case "alaw":
            return slin.alaw_decode(slin.alaw_encode(pcm))
        case "-55 dBFS, -12 dB" | "-55 dBFS, +12 dB":
            return noisy(slin.gain(pcm, float(line.split()[2])), -55, random)
        case "20 dB SNR" | "10 dB SNR" | "5 dB SNR":
            change = float(random.uniform(-12, 0))
            level = speech_level_dbfs(phrase) + change - float(line.split()[0])
            return noisy(slin.gain(pcm, change), level, random)
        case "16 kHz":  # there and back, and off by part of a sample
            return slin.resample(slin.resample(pcm, 8000, 48000)[2 * 2 :], 48000, 8000)
        case "echo":
            return slin.mix(pcm, slin.silence(100) + slin.gain(pcm, -10))
    raise AssertionError(line)


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("lines", each(LINES))
def test_every_phrase_is_recognised_as_itself(lines: list[str]) -> None:
    for number, phrase in enumerate(PHRASES):
        line = lines[number // 2 % len(lines)]
        random = rng(number, LINES.index(line))
        if number % 2:  # the pre-roll began within the recording's lead-in
            lead_ms = -int(random.integers(0, phrase.speech_start_ms - 40))
            pcm = part_of(phrase, -lead_ms)
        else:
            lead_ms = int(random.integers(0, 600))
            pcm = slin.silence(lead_ms) + phrase.pcm
        pcm += slin.silence(int(random.integers(0, 2000)))
        match = the_one(listen(through(line, pcm, phrase, random)))
        assert (match.phrase.name, match.whole) == (phrase.name, True)
        assert match.phrase is phrase
        assert abs(match.start_ms - lead_ms) <= 1, phrase.name
        assert match.end_ms == match.start_ms + phrase.duration_ms
        assert match.heard_ms == phrase.duration_ms
        assert match.score >= (0.75 if line == "5 dB SNR" else 0.9), phrase.name
        assert match.margin >= 0.4, phrase.name


@pytest.mark.long("what is no phrase gives nothing")
@pytest.mark.parametrize("lines", each(["clean", "20 dB SNR", "10 dB SNR"]))
def test_a_phrase_that_is_not_in_the_book_is_not_recognised(lines: list[str]) -> None:
    for number, phrase in enumerate(PHRASES):
        line = lines[number // 2 % len(lines)]
        others = Matcher(other for other in PHRASES if other is not phrase)
        pcm = slin.silence(100) + phrase.pcm + slin.silence(400)
        assert listen(through(line, pcm, phrase, rng(number, 77)), others) == (), phrase.name


@pytest.mark.long("quicker tests of this file are run")
def test_two_and_three_are_told_apart() -> None:
    for said, other in (("202", "203"), ("203", "202")):
        phrase, wrong = named(f"pt-br/apartamento_{said}"), named(f"pt-br/apartamento_{other}")
        for line in LINES:
            pcm = through(line, phrase.pcm, phrase, rng(LINES.index(line)))
            assert the_one(listen(pcm, Matcher([wrong, phrase]))).phrase is phrase
            assert listen(pcm, Matcher([wrong])) == ()


@pytest.mark.parametrize("name", ["sim", "nao", "alo", "aha"])
def test_one_word_answers_without_anything_around_them(name: str) -> None:
    phrase = named(f"pt-br/{name}")
    pcm = part_of(phrase, phrase.speech_start_ms - 20, phrase.speech_end_ms + 20)
    match = the_one(listen(through_ulaw(pcm)))
    assert (match.phrase, match.whole) == (phrase, True)
    assert match.start_ms == 20 - phrase.speech_start_ms
    assert (match.speech_start_ms, match.speech_end_ms) == (20, len(pcm) // 16 - 20)


@pytest.mark.long("a phrase after a cough and in noise is recognised")
def test_a_lost_20_ms_do_no_harm() -> None:
    for phrase in PHRASES:
        match = the_one(listen(through_ulaw(part_of(phrase, phrase.speech_start_ms + 20))))
        assert (match.phrase, match.whole) == (phrase, True)
        assert match.speech_start_ms == -20


@pytest.mark.long("a phrase that lost 20 ms is heard")
@pytest.mark.parametrize("losses_ms", each([200, 300, 800]))
def test_a_phrase_without_its_beginning_is_not_recognised(losses_ms: list[int]) -> None:
    for number, phrase in enumerate(PHRASES):
        lost_ms = losses_ms[number // 2 % len(losses_ms)]
        pcm = part_of(phrase, phrase.speech_start_ms + lost_ms)
        assert listen(through_ulaw(pcm)) == (), phrase.name
        assert listen(slin.silence(500) + pcm) == (), phrase.name


# What is not speech.


def tone(ms: int, *frequencies_hz: float) -> bytes:
    t = np.arange(ms * 8) / 8000
    return sum(4000 * np.sin(2 * np.pi * hz * t) for hz in frequencies_hz).astype("<i2").tobytes()


def cough(seed: int) -> bytes:
    burst = np.convolve(rng(seed).normal(size=4000), np.hanning(6)) * np.exp(-np.arange(4005) / 600) * 8000
    twice = np.concatenate((burst, 0.6 * burst))
    return slin.silence(250) + np.clip(twice, -32768, 32767).astype("<i2").tobytes() + slin.silence(500)


SOUNDS = {
    "nothing": b"",
    "silence": slin.silence(3000),
    "white noise": noise(rng(1), 8000, -30),
    "soft noise": noise(rng(2), 8000, -55),
    "dial tone": tone(4000, 425),
    "two-tone dial tone": tone(4000, 350, 440),
    "digits": b"".join(tone(200, 770, hz) + slin.silence(100) for hz in (1209, 1336, 1477, 1633)),
    "coughs": b"".join(cough(seed) for seed in range(8)),
    "a click": slin.silence(500) + b"\xff\x7f" * 8 + slin.silence(500),
    "hold music": (ROOT / "audio" / "waiting.slin").read_bytes(),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_no_phrase_gives_nothing(name: str) -> None:
    assert listen(SOUNDS[name]) == ()
    assert listen(through_ulaw(SOUNDS[name])) == ()


def test_a_phrase_after_a_cough_and_in_noise_is_recognised() -> None:
    phrase = named("pt-br/sim_pode_confirmar")
    pcm = cough(3) + phrase.pcm + cough(4)
    match = the_one(listen(noisy(pcm, -50, rng(3))))
    assert (match.phrase, match.start_ms) == (phrase, len(cough(3)) // 16)


# Broken off.


@pytest.mark.long("parts are found where they are asked for and where the sound ends")
@pytest.mark.parametrize("lines", each(["clean", "-55 dBFS, -12 dB", "10 dB SNR"]))
def test_a_phrase_that_is_broken_off_is_a_part(lines: list[str]) -> None:
    """Barge-in: the sound stops within the phrase. How far it was heard is known to 10 ms where there is sound."""
    errors: list[int] = []
    for number, phrase in enumerate(PHRASES):
        line = lines[number // 2 % len(lines)]
        length_ms = phrase.speech_end_ms - phrase.speech_start_ms
        for share in (0.45, 0.6, 0.75):
            cut_ms = phrase.speech_start_ms + int(length_ms * share)
            if cut_ms - phrase.speech_start_ms < 620:
                continue
            pcm = slin.silence(130) + part_of(phrase, to_ms=cut_ms) + slin.silence(600)
            match = the_one(listen(through(line, pcm, phrase, rng(number, 5))))
            assert (match.phrase, match.whole) == (phrase, False)
            assert abs(match.start_ms - 130) <= 1
            assert match.heard_ms == match.end_ms - match.start_ms == match.speech_end_ms - match.start_ms
            errors.append(abs(match.heard_ms - cut_ms))
    assert len(errors) > 120
    assert float(np.median(errors)) <= 10
    assert float(np.percentile(errors, 90)) <= 40


PROMPTS = PhraseBook.load(ROOT / "audio" / "prompts").phrases


def cut_short(heard_ms: int, dbfs: float) -> dict[str, bytes]:
    """Each prompt broken off so soon, each somewhere else in the sound, in noise."""
    long_enough = [p for p in PROMPTS if p.speech_end_ms - p.speech_start_ms >= heard_ms + 250]
    whole = {
        p.name: slin.silence(130 + 7 * n) + part_of(p, to_ms=p.speech_start_ms + heard_ms)
        for n, p in enumerate(long_enough)
    }
    return {name: noisy(pcm + slin.silence(600), dbfs, rng(heard_ms)) for name, pcm in whole.items()}


@pytest.mark.long("a part is a part when the sound ends there")
@pytest.mark.parametrize("dbfs", [pytest.param(-55, marks=pytest.mark.long("more noise is tried")), -40])
@pytest.mark.parametrize(
    ("heard_ms", "share"),
    [
        pytest.param(200, 0.0, marks=pytest.mark.long("a usual one is tried")),
        pytest.param(300, 0.6, marks=pytest.mark.long("a usual one is tried")),
        (350, 1.0),
        pytest.param(450, 1.0, marks=pytest.mark.long("a usual one is tried")),
    ],
)
def test_a_short_part_is_one_where_it_is_asked_for(heard_ms: int, share: float, dbfs: float) -> None:
    """Never another, and nothing where half a second is asked for."""
    matcher, usual = Matcher(PROMPTS, shortest_part_ms=300), Matcher(PROMPTS)
    sounds, found = cut_short(heard_ms, dbfs), 0
    for name, pcm in sounds.items():
        assert listen(pcm, usual) == ()
        matches = listen(pcm, matcher)
        assert [(match.phrase.name, match.whole) for match in matches] in ([], [(name, False)])
        assert all(abs(match.heard_ms - match.phrase.speech_start_ms - heard_ms) <= 60 for match in matches)
        found += len(matches)
    assert found >= share * len(sounds)
    assert share > 0 or found == 0


@pytest.mark.long("a phrase that is not in the book is heard")
@pytest.mark.parametrize("heard_ms", [300, 400, 500, 600])
def test_a_short_part_of_a_prompt_that_is_not_in_the_book_is_none(heard_ms: int) -> None:
    """Also of those that begin with a word of another one, in the same voice."""
    for name, pcm in cut_short(heard_ms, -55).items():
        said = named(name)
        others = Matcher((p for p in PROMPTS if p.text != said.text), shortest_part_ms=300)
        assert listen(pcm, others) == (), name


def test_a_part_is_a_part_when_the_sound_ends_there() -> None:
    for number, phrase in enumerate(PHRASES):
        middle_ms = (phrase.speech_start_ms + phrase.speech_end_ms) // 2
        if middle_ms - phrase.speech_start_ms > 700:
            pcm = part_of(phrase, to_ms=middle_ms)
            match = the_one(listen(noisy(pcm, speech_level_dbfs(phrase) - 10, rng(number))))
            assert (match.phrase, match.whole) == (phrase, False)
            assert match.end_ms <= middle_ms


def test_a_first_word_alone_is_no_part_of_another_phrase() -> None:
    """«Desculpe, …» begins three prompts, rendered with the same sound: what follows decides."""
    texts = [phrase for phrase in PHRASES if phrase.text.startswith("Desculpe") and phrase.voice == "pm_alex"]
    assert len(texts) == 3
    for phrase in texts:
        assert listen(phrase.pcm, Matcher(other for other in texts if other is not phrase)) == ()


def test_a_same_beginning_of_up_to_a_second_is_no_part() -> None:
    """Another phrase, unknown, which begins as a known one does: what follows is speech, so nothing broke off."""
    known = named("pt-br/vou_transferir_a_sua_ligacao_para_a")
    follows = part_of(named("pt-br/qual_e_o_seu_nome"), 330)
    matcher = Matcher([known])
    assert listen(part_of(known, to_ms=known.speech_start_ms + 800) + follows, matcher) == ()
    match = the_one(listen(part_of(known, to_ms=known.speech_start_ms + 1200) + follows, matcher))
    assert (match.phrase, match.whole) == (known, False)
    assert abs(match.heard_ms - known.speech_start_ms - 1200) <= 20


# More than one, and holes.


@pytest.mark.long("phrases are found one by one")
@pytest.mark.parametrize("pauses_ms", each([0, 40, 1000]))
def test_phrases_one_after_another_are_found_in_order(pauses_ms: list[int]) -> None:
    for number, first in enumerate(PHRASES):
        pause_ms = pauses_ms[number // 2 % len(pauses_ms)]
        second = PHRASES[(number + 7) % len(PHRASES)]
        pcm = first.pcm + slin.silence(pause_ms) + second.pcm
        matches = listen(noisy(pcm, -50, rng(number)))
        assert [match.phrase for match in matches] == [first, second]
        assert all(match.whole for match in matches)
        assert abs(matches[1].start_ms - first.duration_ms - pause_ms) <= 1


def test_the_result_is_the_longest_whole_match() -> None:
    short, long, cut = named("pt-br/sim"), named("pt-br/qual_e_o_seu_nome"), named("pt-br/pode_avisar_que_eu_cheguei")
    listening = MATCHER.listen()
    assert listening.result() is None
    listening.feed(short.pcm)
    assert the_one(listening.matches()) == listening.result()
    listening.feed(long.pcm + part_of(cut, to_ms=1300) + slin.silence(500))
    assert [match.phrase for match in listening.matches()] == [short, long, cut]
    result = listening.result()
    assert result is not None
    assert result.phrase is long


@pytest.mark.long("parts are found")
def test_a_part_and_then_another_phrase() -> None:
    """A reply that replaces the one being spoken: two matches, and no bridge from the first into the second."""
    errors: list[int] = []
    for number, first in enumerate(PHRASES):
        second = PHRASES[(number + 11) % len(PHRASES)]
        cut_ms = first.speech_start_ms + 1300
        if first.speech_end_ms < cut_ms + 500:
            continue
        pcm = part_of(first, to_ms=cut_ms) + part_of(second, second.speech_start_ms - 60)
        matches = listen(noisy(pcm, -55, rng(number)))
        assert [(match.phrase, match.whole) for match in matches] == [(first, False), (second, True)]
        errors.append(abs(matches[0].heard_ms - cut_ms))
    assert float(np.median(errors)) <= 20
    assert max(errors) <= 250


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("holes_ms", each([20, 60, 200, 450, -20]))
def test_a_hole_within_a_phrase_is_bridged(holes_ms: list[int]) -> None:
    """A bot that stalls, or drops a frame: the phrase goes on later (or earlier), and is one phrase still."""
    for number, phrase in enumerate(PHRASES):
        first_ms, last_ms = phrase.speech_start_ms + 500, phrase.speech_end_ms - 600
        if last_ms <= first_ms:
            continue
        hole_ms = holes_ms[number // 2 % len(holes_ms)]
        at_ms = int(rng(number).integers(first_ms, last_ms))
        rest = part_of(phrase, at_ms + max(0, -hole_ms))
        pcm = part_of(phrase, to_ms=at_ms) + slin.silence(max(0, hole_ms)) + rest + slin.silence(300)
        match = the_one(listen(noisy(pcm, -55, rng(number))))
        assert (match.phrase, match.whole, match.inserted_ms) == (phrase, True, hole_ms), phrase.name
        assert match.end_ms == phrase.duration_ms + hole_ms
        assert match.heard_ms == phrase.duration_ms


def test_of_a_phrase_and_its_own_beginning_the_one_that_was_said() -> None:
    whole = named("pt-br/sim_pode_confirmar")
    start = Phrase.from_pcm("start", "Sim, pode.", part_of(whole, to_ms=900) + slin.silence(300))
    matcher = Matcher([start, whole])
    assert the_one(listen(whole.pcm, matcher)).phrase is whole
    match = the_one(listen(start.pcm, matcher))
    assert (match.phrase, match.whole) == (start, True)


def test_one_sound_with_two_texts_decides_nothing() -> None:
    phrase = named("pt-br/sim")
    other = dataclasses.replace(phrase, name="other", text="Talvez.")
    same = dataclasses.replace(phrase, name="same", text="SIM!")
    assert listen(phrase.pcm, Matcher([phrase, other])) == ()
    assert the_one(listen(phrase.pcm, Matcher([phrase, same]))).phrase is phrase


# As it comes in.

LONG = slin.silence(333) + named("pt-br/alo").pcm + cough(5) + named("pt-br/quero_falar_com_o_apartamento_202").pcm
NOISY = noisy(LONG + part_of(named("pt-br/nao"), to_ms=500), -45, rng(8))
AT_ONCE = listen(NOISY)


@pytest.mark.long("calls are heard frame by frame")
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12), st.booleans())
@settings(max_examples=min(25, settings.default.max_examples), deadline=None)
def test_pieces_of_any_size_give_the_same(sizes: list[int], asked_in_between: bool) -> None:
    listening = MATCHER.listen()
    at = 0
    while at < len(NOISY):
        for size in sizes:
            listening.feed(NOISY[at : at + size])
            at += size
            if asked_in_between and size > 3000:
                listening.matches()
                listening.candidates()
    assert listening.matches() == AT_ONCE
    assert [match.phrase.name for match in AT_ONCE] == ["pt-br/alo", "pt-br/quero_falar_com_o_apartamento_202"]


def test_candidates_are_known_before_the_end() -> None:
    phrase = named("pt-br/boa_tarde_vim_visitar_a_dona")
    listening = MATCHER.listen()
    known_at: int | None = None
    for at in range(0, len(phrase.pcm), 320):
        assert len(listening.candidates()) <= 1
        if known_at is None and listening.candidates():
            known_at = at // 16
            (candidate,) = listening.candidates()
            assert (candidate.phrase, candidate.whole) == (phrase, False)
        listening.feed(phrase.pcm[at : at + 320])
    assert known_at is not None
    assert known_at <= phrase.speech_start_ms + 900
    assert listening.candidates() == ()


def test_a_long_call_keeps_little_and_still_hears() -> None:
    listening = MATCHER.listen()
    random = rng(4)
    for _ in range(30):
        listening.feed(noise(random, 2000, -50))
    listening.feed(named("pt-br/nao").pcm + slin.silence(600))
    match = the_one(listening.matches())
    assert (match.phrase.text, match.start_ms) == ("Não.", 60_000)
    kept = listening._search._wave
    assert len(kept) < 8 * 3000


def test_an_empty_book_hears_nothing() -> None:
    assert listen(PHRASES[0].pcm, Matcher([])) == ()


def test_prints_are_made_once_and_late() -> None:
    from audiosocket_core.phrase_book.fingerprint import fingerprint_of

    before = fingerprint_of.cache_info()
    matcher = Matcher(PHRASES)
    assert fingerprint_of.cache_info() == before
    matcher.listen()
    assert fingerprint_of.cache_info().misses == before.misses
    assert BLOCK_BYTES == 3200


def test_the_end_comes_in_steps_and_is_the_same() -> None:
    listening = MATCHER.listen()
    listening.feed(b"".join(phrase.pcm for phrase in BOOK.phrases[:3])[:-5_000])
    *steps, found = listening.finishing()
    assert len(steps) > 1
    assert set(steps) == {None}
    assert found
    assert found == listening.matches()
