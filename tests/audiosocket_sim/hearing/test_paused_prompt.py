"""A bot that pauses in the midst of a prompt, and goes on where it was or a little before: what was heard of it."""

from itertools import pairwise
from pathlib import Path

import pytest
from helpers.phone_sounds import listen, ms, quiet

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.hearing import Fact, HeardDamage, HeardSpeech
from audiosocket_sim.hearing.loudness import audible_stretches
from audiosocket_sim.hearing.paused_prompt import pauses_in

BOOK = PhraseBook.load(Path(__file__).parents[3] / "audio" / "prompts")


def prompt(name: str) -> Phrase:
    return next(p for p in BOOK.phrases if p.path is not None and p.path.parent.name == "pt-br" and name in p.path.stem)


CHECK = prompt("vou_verificar_aguarde_um_momento")
EMERGENCY = prompt("em_caso_de_emergencia")
GREETING = prompt("condominio_apoena")


def paused(phrase: Phrase, *places: tuple[int, int, int]) -> bytes:
    """The prompt, paused at each place (ms) for so long, and going on so much (ms) before it."""
    sound, at = b"", 0
    for place, length, back in places:
        sound += ms(phrase.pcm, at, place) + quiet(length)
        at = place - back
    return sound + ms(phrase.pcm, at) + quiet(1200)


def speech(facts: list[Fact]) -> list[HeardSpeech]:
    return [fact for fact in facts if isinstance(fact, HeardSpeech)]


def damage(facts: list[Fact]) -> list[tuple[str, str]]:
    return [(fact.fault, fact.what) for fact in facts if isinstance(fact, HeardDamage)]


def test_a_pause_in_a_prompt_is_none_of_what_was_heard() -> None:
    facts = listen(paused(EMERGENCY, (1200, 300, 0)), book=BOOK)
    (spoke,) = speech(facts)
    assert (spoke.text, spoke.heard_ms, spoke.whole_ms, spoke.skipped_ms) == (EMERGENCY.text, 3336, 3336, 0)
    ((at_ms, length_ms),) = spoke.pauses_ms
    assert (at_ms, length_ms, spoke.twice_ms) == (pytest.approx(892, abs=30), pytest.approx(300, abs=40), 0)
    assert damage(facts) == [("paused", f"“{EMERGENCY.text}”: {length_ms} ms are put into it, in one place")]


def test_what_is_said_twice_around_a_pause_is_counted_apart() -> None:
    facts = listen(paused(EMERGENCY, (1200, 300, 120)), book=BOOK)
    (spoke,) = speech(facts)
    assert (spoke.heard_ms, spoke.twice_ms) == (3336, pytest.approx(120, abs=40))
    assert spoke.lasted_ms == pytest.approx(3336 + 300 + 120, abs=40)
    assert [kind for kind, _ in damage(facts)] == ["paused"]


def test_a_pause_that_is_the_prompts_own_is_none() -> None:
    (spoke,) = speech(listen(EMERGENCY.pcm, quiet(1200), book=BOOK))
    assert (spoke.heard_ms, spoke.pauses_ms, spoke.twice_ms) == (3336, (), 0)


def test_a_pause_of_the_prompt_that_is_longer_is_no_damage() -> None:
    quiets = [(end, start) for (_, end), (start, _) in pairwise(audible_stretches(EMERGENCY.pcm))]
    end, start = max(quiets, key=lambda one: one[1] - one[0])
    middle = (end + start) / 16
    facts = listen(paused(EMERGENCY, (middle, 250, 0)), book=BOOK)  # type: ignore[arg-type]
    (spoke,) = speech(facts)
    assert (spoke.heard_ms, damage(facts)) == (3336, [])
    assert sum(length for _, length in spoke.pauses_ms) == pytest.approx(250, abs=40)


def test_silence_in_place_of_sound_is_no_pause() -> None:
    sound = ms(EMERGENCY.pcm, 0, 1200) + quiet(300) + ms(EMERGENCY.pcm, 1500) + quiet(1200)
    facts = listen(sound, book=BOOK)
    assert all(not spoke.pauses_ms for spoke in speech(facts))
    assert "paused" not in [kind for kind, _ in damage(facts)]


PLACES = [500, 700, 1200, 2000, 2600]


@pytest.mark.every(54)
@pytest.mark.parametrize("phrase", [EMERGENCY, GREETING, CHECK], ids=lambda phrase: phrase.text[:9])
@pytest.mark.parametrize("back", [0, 120, 240])
@pytest.mark.parametrize("length", [140, 300, 420, 500, 560, 700])
def test_no_more_is_heard_than_the_whole_and_nothing_is_lost(phrase: Phrase, length: int, back: int) -> None:
    """Wherever it pauses: one stretch or two, they are the whole prompt, and no sound of it is called damaged."""
    for place in PLACES:
        if place + 200 > phrase.speech_end_ms or place - back < 200:
            continue
        facts = listen(paused(phrase, (place, length, back)), book=BOOK)
        found = speech(facts)
        for spoke in found:
            assert spoke.text == phrase.text, (place, found)
            assert spoke.heard_ms + spoke.skipped_ms <= (spoke.whole_ms or 0) + 100, (place, found)
        last = found[-1]
        assert last.heard_ms + last.skipped_ms == pytest.approx(last.whole_ms, abs=100), (place, found)
        if length < 200:
            continue  # less is no pause, but a fault of the sound
        assert {kind for kind, _ in damage(facts)} <= {"paused"}, (place, damage(facts))
        for before, after in pairwise(found):
            assert before.skipped_ms + before.heard_ms - after.skipped_ms == pytest.approx(back, abs=120), (
                place,
                found,
            )


def test_two_pauses_are_two() -> None:
    facts = listen(paused(EMERGENCY, (1200, 300, 0), (2300, 250, 0)), book=BOOK)
    (spoke,) = speech(facts)
    assert [length for _, length in spoke.pauses_ms] == [pytest.approx(300, abs=40), pytest.approx(250, abs=40)]
    assert spoke.heard_ms == 3336


def test_a_word_after_which_it_pauses_again_was_said_twice() -> None:
    """It goes on, pauses after 60 ms, and goes on from the same word: too short a piece to be found in the prompt."""
    sound = ms(EMERGENCY.pcm, 0, 700) + quiet(900) + ms(EMERGENCY.pcm, 700, 760) + quiet(400) + ms(EMERGENCY.pcm, 700)
    first, then = speech(listen(sound, quiet(1200), book=BOOK))
    assert (first.heard_ms, first.skipped_ms) == (pytest.approx(392, abs=20), 0)
    assert then.heard_ms + then.skipped_ms == pytest.approx(3336, abs=20)
    assert (then.twice_ms, sum(length for _, length in then.pauses_ms)) == (
        pytest.approx(60, abs=20),
        pytest.approx(400, abs=60),
    )


def samples(*edges_ms: int) -> list[tuple[int, int]]:
    """Quiet from one time (ms) to another, in samples."""
    return [(first * 8, end * 8) for first, end in zip(edges_ms[::2], edges_ms[1::2], strict=True)]


def test_a_sound_without_a_pause_has_none() -> None:
    assert pauses_in(EMERGENCY.pcm, (), EMERGENCY) is None


@pytest.mark.parametrize("before_ms", [2, 20, 100])
def test_a_piece_that_begins_before_its_prompt_is_not_said_twice(before_ms: int) -> None:
    """The prompt begins with a sound, and the bot sent a little silence before it."""
    pcm = ms(CHECK.pcm, CHECK.speech_start_ms, CHECK.speech_end_ms)
    trimmed = Phrase.from_pcm("trimmed", CHECK.text, pcm, language="pt-BR")
    sound = quiet(before_ms) + ms(pcm, 0, 350) + quiet(300) + ms(pcm, 350)
    found = pauses_in(sound, samples(before_ms + 350, before_ms + 650), trimmed)
    assert found is not None
    assert found.twice == 0


def test_silence_in_place_of_a_piece_is_no_pause() -> None:
    lost = ms(EMERGENCY.pcm, 0, 1200) + quiet(300) + ms(EMERGENCY.pcm, 1500)
    assert pauses_in(lost, samples(1200, 1500), EMERGENCY) is None
    lost = ms(EMERGENCY.pcm, 700, 760) + quiet(200) + ms(EMERGENCY.pcm, 960)
    assert pauses_in(lost, samples(60, 260), EMERGENCY) is None


def test_in_another_prompt_there_is_no_pause_of_this_one() -> None:
    other = ms(CHECK.pcm, 0, 900) + quiet(300) + ms(CHECK.pcm, 900)
    assert pauses_in(other, samples(900, 1200), EMERGENCY) is None


def test_words_that_are_too_short_to_be_found_were_said_twice() -> None:
    word = ms(EMERGENCY.pcm, 700, 760)
    found = pauses_in(ms(EMERGENCY.pcm, 0, 1200) + quiet(300) + word, samples(1200, 1500), EMERGENCY)
    assert found is not None
    assert (found.twice, [pause.length for pause in found.pauses]) == (480, [2400])
    again = word + quiet(300) + word + quiet(300) + ms(EMERGENCY.pcm, 700)
    found = pauses_in(again, samples(60, 360, 420, 720), EMERGENCY)
    assert found is not None
    assert (found.twice, [pause.length for pause in found.pauses]) == (960, [2400, 2400])
    assert found.pieces == ((0, 480), (2880, 3360), (5760, len(again) // 2))


def test_a_piece_that_begins_too_softly_to_be_found_is_placed_by_its_end() -> None:
    soft = slin.gain(ms(EMERGENCY.pcm, 1200, 1800), -90.0)
    sound = ms(EMERGENCY.pcm, 0, 1200) + quiet(300) + soft + ms(EMERGENCY.pcm, 1800, 3600)
    found = pauses_in(sound, samples(1200, 1500), EMERGENCY)
    assert found is not None
    assert ([(pause.at, pause.length) for pause in found.pauses], found.twice) == ([(9600, 2400)], 0)
