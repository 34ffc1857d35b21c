"""What the caller heard: stretches of speech and their words, by a fake matcher and by the real prompts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from helpers.phone_sounds import START, listen, ms, music, quiet, told
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.hearing import Ear, Fact, HeardHoldStarted, HeardSpeech, HeardSpeechStarted
from audiosocket_sim.hearing.loudness import Loudness, audible_stretches
from audiosocket_sim.phone.line import Codec, LineModel, tone

PROMPTS = Path(__file__).parents[3] / "audio" / "prompts"
BOOK = PhraseBook.load(PROMPTS)
LOOP = music(6)


def prompt(name: str) -> Phrase:
    phrase = BOOK.by_name(f"pt-br/{name}")
    assert phrase is not None
    return phrase


CHECK = prompt("vou_verificar_aguarde_um_momento")  # audible from 308 to 2319 ms
ENTER = prompt("a_autorizacao_foi_confirmada_pode_entrar")  # from 308 to 2896 ms
WHOLE_CHECK = "prompt 'Vou verificar, aguarde um momento.' 2011 of 2011"
WHOLE_ENTER = "prompt 'A autorização foi confirmada, pode entrar.' 2588 of 2588"

# --- bounds, with a fake matcher

TONES = tone(300, 500, -20) + quiet(250) + tone(300, 700, -20) + quiet(900) + tone(300, 900, -20)
WORDS = Phrase.from_pcm("words", "Um, dois … três.", TONES)


@dataclass
class FakeMatch:
    phrase: Phrase
    start_ms: int
    heard_ms: int
    inserted_ms: int = 0

    @property
    def speech_end_ms(self) -> int:
        return self.start_ms + self.heard_ms

    @property
    def whole(self) -> bool:
        return self.heard_ms >= 2040


class FakeListening:
    """Knows WORDS by the samples themselves, at the place where they begin."""

    def __init__(self) -> None:
        self.fed = b""

    def feed(self, pcm: bytes) -> None:
        self.fed += pcm

    def matches(self) -> Sequence[FakeMatch]:
        start = self.fed.find(TONES[2:200]) // 2 - 1
        heard = np.frombuffer(self.fed[2 * max(0, start) :][: len(TONES)], "<i2")
        if start < -1 or (heard != np.frombuffer(TONES, "<i2")[: len(heard)])[: int(np.flatnonzero(heard)[-1])].any():
            return ()
        return (FakeMatch(WORDS, round(start / 8), round(int(np.flatnonzero(heard)[-1]) / 8)),)


class FakeMatcher:
    def listen(self) -> FakeListening:
        return FakeListening()


def words(*sounds: bytes, **options: object) -> list[str]:
    return told(listen(*sounds, matcher=FakeMatcher(), codec="none", **options))  # type: ignore[arg-type]


def test_the_pauses_of_a_known_phrase_do_not_split_it() -> None:
    assert words(quiet(500), TONES, quiet(900)) == ["500 synthetic 'Um, dois … três.' 2050 of 2050"]


def test_unknown_sound_is_split_by_600_ms_of_quiet() -> None:
    assert told(listen(quiet(500), TONES, quiet(900))) == ["500 unread None 850", "2250 unread None 300"]


@pytest.mark.every(2)
@pytest.mark.parametrize("cuts", [[160], [80], [9600]])
@pytest.mark.parametrize(("pause_ms", "stretches"), [(595, 1), (605, 2)])
def test_what_splits_is_600_ms_to_the_sample(pause_ms: int, stretches: int, cuts: list[int]) -> None:
    heard = told(listen(tone(300, 505, -20), quiet(pause_ms), tone(300, 505, -20), quiet(900), cuts=cuts))
    assert len(heard) == stretches


def test_a_phrase_that_stops_in_its_pause_is_heard_in_part() -> None:
    assert words(quiet(500), ms(TONES, 0, 850), quiet(3000)) == ["500 synthetic 'Um, dois … três.' 850 of 2050"]


def test_unknown_sound_right_behind_a_whole_phrase_has_its_own_600_ms() -> None:
    behind = tone(400, 1300, -20) + quiet(300) + tone(200, 1300, -20)
    assert words(quiet(500), TONES, behind, quiet(900)) == [
        "500 synthetic 'Um, dois … três.' 2050 of 2050",
        "2550 unread None 900",
    ]


def test_a_whole_phrase_is_told_after_200_ms_and_other_speech_after_600() -> None:
    known: list[tuple[float, Fact]] = []
    ear = Ear(PhraseBook([]), b"", lambda fact: known.append((now, fact)), matcher=FakeMatcher())
    pcm = TONES + quiet(1000) + tone(100, 800, -20) + quiet(1000)
    for number in range(len(pcm) // 320):
        now = START + number * 0.02
        ear.hear(now, 8000, pcm[number * 320 : (number + 1) * 320])
    told_at = [round((at - START) * 1000) for at, fact in known if isinstance(fact, HeardSpeech)]
    assert told_at == [2240, 3740]  # 200 ms after 2050, 600 ms after 3150; a frame is judged as it begins to play


@pytest.mark.parametrize(("heard_ms", "counts_as"), [(500, 500), (450, 500), (400, 500), (399, 399)])
def test_a_whole_phrase_is_heard_whole_though_its_soft_end_is_not_audible(heard_ms: int, counts_as: int) -> None:
    """What the matcher has heard to its end, and the ear 100 ms less at most."""
    phrase = Phrase.from_pcm("tone", "Um.", tone(500, 700, -20))

    class Whole(FakeListening):
        def matches(self) -> Sequence[FakeMatch]:
            return (FakeMatch(phrase, 40, 2040),)

    class Matcher:
        def listen(self) -> Whole:
            return Whole()

    heard = listen(quiet(500), tone(heard_ms, 700, -20), quiet(900), matcher=Matcher(), codec="none")
    (line,) = told(heard)  # of a tone nobody knows which end is missing
    assert line.startswith(f"500 synthetic 'Um.' {counts_as} of 500")


@pytest.mark.parametrize("heard_ms", [2000, 2040])
def test_a_phrase_that_is_cut_off_near_its_end_is_not_heard_whole(heard_ms: int) -> None:
    cut_off = words(quiet(500), ms(TONES, 0, heard_ms - 5), quiet(900))
    assert cut_off == [f"500 synthetic 'Um, dois … três.' {heard_ms - 5} of 2050"]


def test_a_hole_is_told_and_kept_from_the_matcher() -> None:
    late = lambda number: 0.0 if number < 40 else 0.1  # noqa: E731
    assert words(quiet(500), TONES, quiet(900), late=late) == [
        "500 synthetic 'Um, dois … três.' 2050 of 2050, gaps 100"
    ]


def test_a_hole_behind_the_speech_is_no_gap() -> None:
    """A bot that sends nothing while it has nothing to say."""
    late = lambda number: 0.0 if number < 16 else 5.0  # noqa: E731
    assert told(listen(tone(300, 500, -20), quiet(20), tone(300, 500, -20), late=late, hang_up_ms=7000)) == [
        "0 unread None 300",
        "5320 unread None 300",
    ]


def test_nothing_arrives_any_more_and_the_stretch_ends_all_the_same() -> None:
    facts: list[Fact] = []
    ear = Ear(PhraseBook([]), b"", facts.append)
    ear.hear(START, 8000, tone(300, 500, -20))
    for step in range(50):
        ear.advance(START + step * 0.02)
    assert told(facts) == ["0 unread None 300"]


def test_a_click_is_no_speech_and_30_ms_are() -> None:
    assert listen(quiet(500), b"\xff\x2f" * 40, quiet(900)) == []
    assert told(listen(quiet(500), tone(40, 500, -20), quiet(900))) == ["500 unread None 40"]


def test_soft_noise_is_no_speech() -> None:
    assert listen(LineModel("none", noise_dbfs=-54).send(quiet(3000)), hold=LOOP) == []


def test_what_was_sent_ahead_is_not_heard_after_the_end() -> None:
    facts = listen(quiet(20), tone(3000, 500, -20), cuts=[8000], hang_up_ms=1020)
    speech = facts[-1]
    assert isinstance(speech, HeardSpeech)
    assert (speech.heard_ms, speech.ahead_ms) == (1000, 980)
    at_once = listen(tone(3000, 500, -20), cuts=[24_000], hang_up_ms=1000)[-1]
    assert isinstance(at_once, HeardSpeech)
    assert (at_once.heard_ms, at_once.ahead_ms) == (1000, 2980)


# --- what is the case at a moment


def states(*sounds: bytes, hold: bytes = b"") -> tuple[Ear, list[tuple[int, bool, bool, bool, bool]]]:
    """After each frame: ms, silent, speaking, words open, hold."""
    ear = Ear(PhraseBook([]), hold, lambda fact: None)
    pcm = b"".join(sounds)
    rows = []
    for number in range(len(pcm) // 320):
        now = START + number * 0.02
        ear.hear(now, 8000, pcm[number * 320 : (number + 1) * 320])
        row = (
            ear.silent_since(now) is not None,
            ear.speaking_since is not None,
            ear.open_speech_at is not None,
            ear.hold_since is not None,
        )
        if not rows or rows[-1][1:] != row:
            rows.append((number * 20, *row))
    return ear, rows


def test_silent_speaking_open() -> None:
    ear, rows = states(quiet(500), tone(300, 500, -20), quiet(900))
    assert rows == [
        (0, True, False, False, False),
        (500, False, True, True, False),
        (820, True, False, True, False),
        (1380, True, False, False, False),
    ]
    assert ear.silent_since(START + 1.7) == pytest.approx(START + 0.8, abs=0.001)


def test_a_sound_that_may_be_hold_audio_is_not_silence_and_is_open_at_once() -> None:
    _, rows = states(quiet(500), tone(300, 500, -20), quiet(900), hold=LOOP)
    assert rows[0] == (0, True, False, False, False)
    assert rows[1] == (500, False, False, True, False)
    assert next(at for at, _, speaking, _, _ in rows if speaking) <= 600
    assert next(at for at, silent, _, _, _ in rows[1:] if silent) == 820
    assert rows[-1] == (1380, True, False, False, False)


@pytest.mark.every(2)
@pytest.mark.parametrize("hold", [b"", LOOP])
@pytest.mark.parametrize("after_ms", [0, 5, 19, 40])
def test_after_the_end_nothing_is_open(hold: bytes, after_ms: int) -> None:
    """Whoever waits for words that were being said would wait for ever. Of the last frame 30 ms are known ahead."""
    ear = Ear(PhraseBook([]), hold, lambda fact: None)
    for number in range(25):
        ear.hear(100 + number * 0.02, 8000, tone(20, 500, -10))
    assert ear.open_speech_at == pytest.approx(100, abs=0.001)
    ear.close(100 + 24 * 0.02 + after_ms / 1000)
    assert ear.open_speech_at is None
    assert ear.speaking_since is None


def test_hold_audio_is_no_speech() -> None:
    ear, rows = states(quiet(500), ms(LOOP, 0, 3000), quiet(500), hold=LOOP)
    assert not any(speaking for _, _, speaking, _, _ in rows)
    assert next(at for at, _, _, _, hold in rows if hold) <= 720
    assert rows[-1][1:] == (True, False, False, False)
    assert ear.silent_since(START + 4.0) == pytest.approx(START)


def test_before_anything_is_heard() -> None:
    ear = Ear(PhraseBook([]), b"", lambda fact: None)
    assert (ear.silent_since(5.0), ear.speaking_since, ear.open_speech_at, ear.hold_since) == (5.0, None, None, None)
    assert ear.timeline() == b""
    ear.advance(6.0)
    assert ear.silent_since(8.0) == 6.0
    ear.close(7.0)
    ear.hear(7.1, 8000, TONES)  # after the end: not heard
    assert ear.timeline() == quiet(1000)


def test_the_timeline_is_what_came_out() -> None:
    ear = Ear(PhraseBook([]), LOOP, lambda fact: None)
    ear.advance(START)
    ear.hear(START + 0.1, 8000, TONES)
    ear.close(START + 1.0)
    assert ear.timeline() == quiet(100) + ms(TONES, 0, 900)
    assert ear.timeline(START - 0.5) == quiet(600) + ms(TONES, 0, 900)


# --- real prompts, the real matcher


@pytest.mark.every(7)
@pytest.mark.parametrize(
    "codec", ["ulaw", *(pytest.param(name, marks=pytest.mark.long("µ-law is read")) for name in ("alaw", "none"))]
)
@pytest.mark.parametrize("phrase", BOOK.phrases, ids=lambda phrase: phrase.name)
def test_each_prompt_is_read(phrase: Phrase, codec: Codec) -> None:
    speech = listen(quiet(300), phrase.pcm, quiet(300), book=BOOK, hold=LOOP, codec=codec)[1:]
    first, last = audible_stretches(phrase.pcm)[0][0], audible_stretches(phrase.pcm)[-1][1]
    whole_ms = round((last + 1 - first) / 8)
    assert len(speech) == 1
    assert isinstance(speech[0], HeardSpeech)
    assert (speech[0].text, speech[0].heard_ms, speech[0].whole_ms) == (phrase.text, whole_ms, whole_ms)
    assert speech[0].at == pytest.approx(START + 0.3 + first / 8000, abs=0.003)


@pytest.mark.every(5)
@pytest.mark.parametrize("heard_ms", [350, 600, 700, 1200, 1700])
def test_a_prompt_cut_off(heard_ms: int) -> None:
    heard = told(listen(ms(CHECK.pcm, 0, 308 + heard_ms), quiet(900), book=BOOK, hold=LOOP))
    assert len(heard) == 1
    text = "308 prompt 'Vou verificar, aguarde um momento.' "
    assert heard[0].startswith(text)
    assert heard[0].endswith(" of 2011")
    assert int(heard[0][len(text) :].split()[0]) == pytest.approx(heard_ms, abs=40)  # it may be cut in a pause


def test_a_prompt_cut_off_by_the_end_of_the_call() -> None:
    heard = told(listen(CHECK.pcm, book=BOOK, hold=LOOP, hang_up_ms=1500))
    assert heard == ["308 prompt 'Vou verificar, aguarde um momento.' 1192 of 2011"]


def test_a_prompt_cut_off_by_hold_audio() -> None:
    heard = told(listen(ms(CHECK.pcm, 0, 1500), ms(LOOP, 0, 1000), quiet(300), book=BOOK, hold=LOOP))
    assert heard == [
        "308 prompt 'Vou verificar, aguarde um momento.' 1192 of 2011",
        "1500 hold",
        "2500 hold stops after 1000",
    ]


@pytest.mark.every(6)
@pytest.mark.parametrize("between_ms", [0, 40, 250, 500])
def test_two_prompts_close_together_are_two(between_ms: int) -> None:
    first, second = ms(CHECK.pcm, 300, 2330), ms(ENTER.pcm, 300)
    heard = told(listen(quiet(300), first, quiet(between_ms), second, book=BOOK, hold=LOOP))
    assert heard == [f"308 {WHOLE_CHECK}", f"{2338 + between_ms} {WHOLE_ENTER}"]


def test_a_prompt_over_hold_audio_is_still_read() -> None:
    both = slin.mix(ms(LOOP * 2, 0, 6000), quiet(1000) + CHECK.pcm)
    heard = told(listen(both, quiet(900), book=BOOK, hold=LOOP))
    assert heard == ["0 hold", f"1308 {WHOLE_CHECK}", "6000 hold stops after 6000, broken"]


def test_hold_audio_between_two_prompts() -> None:
    heard = told(listen(CHECK.pcm, quiet(1000), ms(LOOP, 0, 2120), ENTER.pcm, quiet(200), book=BOOK, hold=LOOP))
    assert heard == [
        f"308 {WHOLE_CHECK}",
        "3750 hold",
        "5870 hold stops after 2120",
        f"6178 {WHOLE_ENTER}",
    ]


@pytest.mark.long("quicker tests of this file are run")
def test_a_prompt_backwards_is_heard_and_not_read() -> None:
    backwards = np.frombuffer(CHECK.pcm, "<i2")[::-1].tobytes()
    heard = listen(backwards, quiet(900), book=BOOK, hold=LOOP)
    assert {fact.text for fact in heard if isinstance(fact, HeardSpeech)} == {None}


def test_the_start_is_told_soon() -> None:
    known: list[tuple[float, Fact]] = []
    ear = Ear(BOOK, LOOP, lambda fact: known.append((now, fact)))
    pcm = CHECK.pcm + quiet(1000) + LOOP
    for number in range(len(pcm) // 320):
        now = START + number * 0.02
        ear.hear(now, 8000, pcm[number * 320 : (number + 1) * 320])
    speech = next(at - fact.at for at, fact in known if isinstance(fact, HeardSpeechStarted))
    hold = next(at - fact.at for at, fact in known if isinstance(fact, HeardHoldStarted))
    assert 0 < speech <= 0.12
    assert 0 < hold <= 0.22


@pytest.mark.long("sound comes in frames")
@settings(deadline=None, max_examples=min(20, settings.default.max_examples))
@given(st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_the_cuts_do_not_matter(cuts: list[int]) -> None:
    sound = (quiet(111), CHECK.pcm, ms(LOOP, 0, 700), ms(ENTER.pcm, 300, 1800), quiet(700))
    assert told(listen(*sound, book=BOOK, hold=LOOP, cuts=[*cuts, 500])) == [
        f"419 {WHOLE_CHECK}",
        "2861 hold",
        "3561 hold stops after 700",
        "3569 prompt 'A autorização foi confirmada, pode entrar.' 1492 of 2588",
    ]


def test_the_audible_parts_of_a_recording_are_those_of_the_same_sound_heard_live() -> None:
    assert audible_stretches(b"") == ()
    assert audible_stretches(quiet(50)) == ()
    loudness, live = Loudness(), []
    wave = np.frombuffer(ENTER.pcm, "<i2")
    for start in range(0, len(wave), 37):
        found = loudness.feed(wave[start : start + 37])
        live += [] if found is None else [start + found[0], start + found[1]]
    assert (min(live), max(live)) == (audible_stretches(ENTER.pcm)[0][0], audible_stretches(ENTER.pcm)[-1][1])
    assert len(audible_stretches(TONES)) == 3
