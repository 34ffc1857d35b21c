"""The ear's answers to the sample: when something began, how long it was, and what is the case at a moment."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.phone_sounds import START, listen, ms, music, quiet, told

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.hearing import (
    Ear,
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardSpeech,
    HeardSpeechStarted,
)
from audiosocket_sim.hearing.phone_buffer import SentAhead
from audiosocket_sim.hearing.speech_segments import HeardMatch, MatcherLike
from audiosocket_sim.phone.line import noise, tone

NO_BOOK = PhraseBook([])
BOOK = PhraseBook.load(Path(__file__).parents[3] / "audio" / "prompts")
RANDOM = np.random.Generator(np.random.PCG64(5))
LOOP = (RANDOM.integers(1000, 3000, 16_000) * RANDOM.choice([-1, 1], 16_000)).astype("<i2")
"""Two seconds of hold audio in which no two places are alike, and no sample is near zero."""


LEVEL = -20.8
"""The level of `loud`: a square wave of 3000."""


def loud(samples: int, level: int = 3000) -> bytes:
    """A sound that is audible from its first to its last sample."""
    return np.resize(np.array([level, -level], "<i2"), samples).tobytes()


class FakeListening:
    def __init__(self, found: Sequence[HeardMatch]) -> None:
        self.fed = bytearray()
        self._found = found

    def feed(self, pcm: bytes) -> None:
        self.fed += pcm

    def matches(self) -> Sequence[HeardMatch]:
        return self._found


class FakeMatcher:
    """Finds the same in each stretch of sound, and keeps what it was fed."""

    def __init__(self, *found: HeardMatch) -> None:
        self.listened: list[FakeListening] = []
        self._found = found

    def listen(self) -> FakeListening:
        self.listened.append(FakeListening(self._found))
        return self.listened[-1]


class WholeMatch:
    """A phrase that was heard to its end; by default it begins with the sound itself."""

    whole = True
    inserted_ms = 0

    def __init__(self, phrase: Phrase, start_ms: int = 40) -> None:
        self.phrase = phrase
        self.start_ms = start_ms
        self.speech_end_ms = start_ms + len(phrase.pcm) // 16


def ear_of(hold: bytes = b"", matcher: MatcherLike | None = None) -> tuple[Ear, list[Fact]]:
    facts: list[Fact] = []
    return Ear(NO_BOOK, hold, facts.append, matcher=matcher), facts


def play(ear: Ear, pcm: bytes, start: float = START) -> None:
    """Each frame of 20 ms just when the one before has been played."""
    for number in range(len(pcm) // 320):
        ear.hear(start + number * 0.02, 8000, pcm[number * 320 : (number + 1) * 320])


def speech_of(facts: Sequence[Fact]) -> HeardSpeech:
    (speech,) = (fact for fact in facts if isinstance(fact, HeardSpeech))
    return speech


# --- facts


def test_what_is_not_given_of_a_speech_is_none() -> None:
    assert HeardSpeech(1.0, 500) == HeardSpeech(1.0, 500, None, None, "unread", 0, 0)


@pytest.mark.every(3)
@pytest.mark.parametrize("hold", [b"", LOOP.tobytes()])
@pytest.mark.parametrize(("samples", "heard_ms"), [(804, 100), (805, 101), (811, 101), (812, 102)])
def test_how_long_it_was_to_the_sample(samples: int, heard_ms: int, hold: bytes) -> None:
    assert listen(loud(samples), quiet(900), hold=hold, codec="none") == [
        HeardSpeechStarted(START),
        HeardSpeech(START, heard_ms, level_dbfs=LEVEL, sound="tone"),
    ]


@pytest.mark.parametrize(("samples", "whole_ms"), [(804, 100), (805, 101), (811, 101), (812, 102)])
def test_how_long_the_phrase_is_to_the_sample(samples: int, whole_ms: int) -> None:
    phrase = Phrase.from_pcm("word", "Um.", quiet(100) + loud(samples) + quiet(100))
    facts = listen(quiet(40), loud(808), quiet(900), codec="none", matcher=FakeMatcher(WholeMatch(phrase)))
    assert (speech_of(facts).whole_ms, speech_of(facts).heard_ms) == (whole_ms, whole_ms)


def test_an_ear_that_does_not_judge_hears_the_same_and_reports_no_fault() -> None:
    header = b"RIFF\x24\x08\x00\x00WAVEfmt " + bytes(4)  # alone it is a click, before speech a fault of its sound
    pcm = header + quiet(899) + header + loud(4800) + quiet(900)
    facts: dict[bool, list[Fact]] = {True: [], False: []}
    for judges, heard in facts.items():
        ear = Ear(NO_BOOK, b"", heard.append, judges=judges)
        play(ear, pcm)
        ear.close(START + len(pcm) / 16_000)
    faults = [fact for fact in facts[True] if isinstance(fact, HeardDamage)]
    assert [fault.what[:24] for fault in faults] == ["the header of a WAV file"] * 2
    assert facts[False] == [fact for fact in facts[True] if fact not in faults]


def test_a_phrase_in_which_nothing_is_audible_has_no_length() -> None:
    silent = FakeMatcher(WholeMatch(Phrase.from_pcm("silent", "Um.", quiet(300))))
    facts = listen(quiet(40), loud(2400), quiet(900), codec="none", matcher=silent)
    assert {fact.whole_ms for fact in facts if isinstance(fact, HeardSpeech) and fact.text} <= {0}


def test_a_long_hole_is_a_gap_of_its_length() -> None:
    late = lambda number: 0.0 if number < 15 else 0.55  # noqa: E731
    facts = listen(loud(4800), quiet(900), codec="none", late=late)
    assert facts[1:] == [
        HeardSpeech(
            START,
            600,
            gap_ms=550,
            hole_ms=550,
            level_dbfs=LEVEL,
            parts_ms=((0, 300), (850, 1150)),
            sound="tone",
            holes_ms=((300, 550),),
        )
    ]


@pytest.mark.parametrize(("until", "gap_ms"), [(43, 5), (44, 6)])
def test_a_hole_in_which_the_next_phrase_is_taken_to_begin_is_a_gap_as_far_as_that(until: int, gap_ms: int) -> None:
    phrase = Phrase.from_pcm("word", "Um.", bytes(2 * (80 + until)) + loud(2400))
    late = lambda number: 0.0 if number < 15 else 0.015  # noqa: E731
    matcher = FakeMatcher(WholeMatch(phrase, 290))
    facts = listen(loud(4800), quiet(900), codec="none", late=late, matcher=matcher)
    hole = {"gap_ms": gap_ms, "hole_ms": gap_ms, "holes_ms": ((300, gap_ms),)}
    assert facts[1] == HeardSpeech(START, 300, level_dbfs=LEVEL, sound="tone", **hole)


@pytest.mark.parametrize(("loud_samples", "ahead_ms"), [(1, 499), (0, 0)])
def test_ahead_is_that_of_the_chunks_up_to_its_last_sample(loud_samples: int, ahead_ms: int) -> None:
    ear, facts = ear_of()
    play(ear, loud(480))
    ear.hear(START + 0.06, 8000, loud(loud_samples) + quiet(519))
    ear.close(START + 2)
    assert speech_of(facts).ahead_ms == ahead_ms


def test_a_start_is_told_when_30_ms_of_it_are_known_of_which_30_ms_may_lie_ahead() -> None:
    ear, facts = ear_of()
    ear.hear(START, 8000, loud(8000))
    assert facts == []
    ear.advance(START + 0.000_125)
    assert facts == [HeardSpeechStarted(START)]


@pytest.mark.parametrize(("heard_s", "facts"), [(0.03, 0), (0.030_125, 2)])
def test_what_was_known_ahead_and_never_played_does_not_make_a_click_a_speech(heard_s: float, facts: int) -> None:
    ear, found = ear_of()
    ear.hear(START, 8000, loud(8000))
    ear.close(START + heard_s)
    assert len(found) == facts


def test_a_chunk_of_zeros_is_silence_whatever_its_length() -> None:
    for cut in (7, 160, 1600):
        facts = listen(quiet(200), loud(800), quiet(900), loud(800), quiet(900), codec="none", cuts=[cut])
        assert told(facts) == ["200 unread None 100", "1200 unread None 100"]


@pytest.mark.parametrize(("samples", "is_hold"), [(63, False), (64, True)])
def test_the_shortest_loop_has_64_samples(samples: int, is_hold: bool) -> None:
    heard = np.tile(LOOP[:samples], 100).tobytes()
    facts = listen(heard, quiet(900), hold=LOOP[:samples].tobytes(), codec="none")
    assert isinstance(facts[0], HeardHoldStarted) == is_hold


def test_hold_audio_from_the_first_sample_on() -> None:
    facts = listen(LOOP.tobytes(), quiet(900), hold=LOOP.tobytes(), codec="none")
    assert facts == [HeardHoldStarted(START), HeardHoldStopped(START + 2, 2000, True)]


def test_hold_audio_does_not_reach_back_into_what_was_heard_as_speech() -> None:
    """The loop begins with clicks that are audible, but too soft to be looked up as hold audio."""
    clicks = np.tile(np.concatenate(([700, 50], np.zeros(68))), 40).astype("<i2")
    loop = np.concatenate((clicks, LOOP)).tobytes()
    facts = listen(loop, quiet(900), hold=loop, codec="none")
    assert [type(fact) for fact in facts] == [HeardSpeechStarted, HeardSpeech, HeardHoldStarted, HeardHoldStopped]
    speech, hold = facts[1], facts[2]
    assert isinstance(speech, HeardSpeech)
    assert speech.at == START
    assert round((hold.at - START) * 8000) % 70 == 1  # right behind the last click that was heard


@pytest.mark.parametrize("times", [(), (0.1, 0.2, 0.29)])
def test_the_silence_before_the_end_of_the_call_counts_whether_or_not_time_was_told_in_it(
    times: Sequence[float],
) -> None:
    """60 ms of hold audio are some if the call ends with them, and just a sound if silence follows."""
    for after_ms, expected in ((60, [HeardHoldStarted, HeardHoldStopped]), (300, [HeardSpeechStarted, HeardSpeech])):
        ear, facts = ear_of(LOOP.tobytes())
        ear.hear(START, 8000, LOOP[:480].tobytes())
        for at in times if after_ms == 300 else ():
            ear.advance(START + at)
        ear.close(START + after_ms / 1000)
        assert [type(fact) for fact in facts] == expected


def test_speech_over_hold_audio_is_read_without_it_and_does_not_overflow() -> None:
    both = LOOP[:8000].astype(np.int32)
    both[3000:7000] += 3000 * RANDOM.choice([-1, 1], 4000)
    low, high = np.flatnonzero(LOOP[3300:3900] > 0)[:2] + 3300, np.flatnonzero(LOOP[3300:3900] < 0)[:2] + 3300
    both[low], both[high] = -32768, 32767
    matcher = FakeMatcher()
    facts = listen(both.astype("<i2").tobytes(), quiet(900), hold=LOOP.tobytes(), codec="none", matcher=matcher)
    assert told(facts)[0] == "0 hold"
    rest = np.clip(both - LOOP[:8000], -32768, 32767)[3200:4200]
    assert rest.min() == -32768
    assert rest.max() == 32767
    assert rest.astype("<i2").tobytes() in matcher.listened[0].fed


@pytest.mark.parametrize("hold", [b"", ms(music(6), 0)])
def test_a_sound_at_another_rate_is_heard_with_and_without_a_loop(hold: bytes) -> None:
    ear, facts = ear_of(hold)
    pcm = slin.resample(quiet(500) + tone(300, 500, -20) + quiet(700), 8000, 16000)
    for number in range(len(pcm) // 640):
        ear.hear(START + number * 0.02, 16000, pcm[number * 640 : (number + 1) * 640])
    ear.close(START + 1.5)
    assert told(facts) == ["500 unread None 300"]


# --- what is the case at a moment


@pytest.mark.parametrize("hold", [b"", LOOP.tobytes()])
def test_silence_begins_behind_the_last_sample_and_is_known_a_frame_later(hold: bytes) -> None:
    ear, _ = ear_of(hold)
    play(ear, quiet(100) + loud(804) + quiet(99.5))
    end = START + 0.1 + 804 / 8000
    assert ear.silent_since(end) is None
    assert ear.silent_since(end + 0.0198) is None
    assert ear.silent_since(end + 0.02) == pytest.approx(end, abs=1e-6)
    ear.advance(START + 2)
    assert ear.silent_since(START + 2) == pytest.approx(end, abs=1e-6)
    assert ear.open_speech_at is None


def test_what_may_be_hold_audio_is_open_from_its_first_sample_on() -> None:
    ear, facts = ear_of(LOOP.tobytes())
    play(ear, quiet(45) + loud(200) + quiet(10))
    assert facts == []
    assert ear.open_speech_at == START + 0.045
    assert ear.silent_since(START + 0.06) is None
    assert ear.silent_since(START + 0.1) == START + 0.07


def test_the_second_word_of_a_stretch_is_not_its_start_though_it_may_be_hold_audio() -> None:
    ear, _ = ear_of(LOOP.tobytes())
    play(ear, loud(1600) + quiet(300) + loud(320))
    assert ear.open_speech_at == START
    assert ear.speaking_since == START


def test_a_short_break_in_hold_audio_is_no_speech() -> None:
    ear, _ = ear_of(LOOP.tobytes())
    play(ear, quiet(100) + LOOP[:4000].tobytes() + loud(480, 9000))
    now = START + 0.1 + 0.5 + 0.06
    assert ear.hold_since == START + 0.1
    assert ear.open_speech_at is None
    assert ear.silent_since(now) == START


def test_the_time_may_begin_at_zero() -> None:
    ear, _ = ear_of()
    ear.advance(0.0)
    ear.advance(0.5)
    assert ear.timeline() == quiet(500)


# --- phrases


def test_a_matcher_that_is_given_reads_in_place_of_the_book() -> None:
    phrase = Phrase.from_pcm("word", "Um.", loud(2400))
    facts: list[Fact] = []
    ear = Ear(BOOK, b"", facts.append, matcher=FakeMatcher(WholeMatch(phrase)))
    ear.learn([])
    play(ear, quiet(40) + loud(2400) + quiet(900))
    assert speech_of(facts).text == "Um."


@pytest.mark.long("quicker tests of this file are run")
def test_what_is_learnt_is_read_besides_the_book() -> None:
    known, other, learnt = BOOK.phrases[:3]
    ear, facts = Ear(PhraseBook([known]), b"", lambda fact: facts.append(fact)), list[Fact]()
    ear.learn([])
    for phrases in ([other], [learnt]):
        ear.learn(phrases)
    texts = [phrase.text for phrase in (known, other, learnt)]
    assert [ear.knows(text) for text in (*texts, BOOK.phrases[3].text)] == [True, True, True, False]
    play(ear, b"".join(phrase.pcm + quiet(1000) for phrase in (known, other, learnt, BOOK.phrases[3])))
    assert [fact.text for fact in facts if isinstance(fact, HeardSpeech) and fact.text is not None] == texts


def test_words_are_known_whatever_their_case_accents_and_punctuation() -> None:
    ear = Ear(BOOK, b"", lambda fact: None)
    assert ear.knows("a autorizacao foi CONFIRMADA")
    assert not ear.knows("a autorizacao foi esquecida")
    assert not Ear(NO_BOOK, b"", lambda fact: None).knows("um")


def test_a_lead_is_reported_while_the_call_goes_on() -> None:
    facts: list[Fact] = []
    ear = Ear(PhraseBook([]), b"", facts.append, endless=False, lead_ms=300)
    ear.advance(0.0)
    for frame in range(50):
        ear.hear(0.001 * frame, 8000, loud(160))
    ear.advance(2.0)
    ear.hear(2.0, 8000, loud(160))
    assert len([fact for fact in facts if isinstance(fact, SentAhead)]) == 1


def test_without_a_judge_a_noise_is_no_fault() -> None:
    facts: list[Fact] = []
    ear = Ear(PhraseBook([]), b"", facts.append, judges=False)
    ear.advance(0.0)
    ear.hear(0.0, 8000, noise(2000, -20) + bytes(8000))
    ear.close(3.0)
    assert [fact for fact in facts if isinstance(fact, HeardDamage)] == []
