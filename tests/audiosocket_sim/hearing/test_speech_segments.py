"""Stretches of speech to the sample, with a matcher that finds what the test says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.speech_segments import SpeechSegments, Stretch

MS = 8  # samples


def sound(*runs: tuple[int, int]) -> bytes:
    """SLIN of runs of (level, samples)."""
    return np.concatenate([np.full(count, level) for level, count in runs]).astype("<i2").tobytes()


PHRASE = Phrase.from_pcm("p", "Um, dois.", sound((9000, 800), (0, 2400), (9000, 800)))
"""100 ms of speech, 300 ms of quiet, 100 ms of speech."""
LONG = Phrase.from_pcm("l", "Um longo.", sound((9000, 4000)))


@dataclass(frozen=True)
class Found:
    """A match of the scripted matcher, in ms of what it was fed."""

    phrase: Phrase
    start_ms: int
    speech_end_ms: int
    whole: bool
    inserted_ms: int = 0


class Matcher:
    """Finds what `script` makes of the sound that it was fed."""

    def __init__(self, script: Callable[[bytes], Sequence[Found]]) -> None:
        self.script = script
        self.heard: list[bytes] = []

    def listen(self) -> "Matcher":
        self.heard.append(b"")
        return self

    def feed(self, pcm: bytes) -> None:
        self.heard[-1] += pcm

    def matches(self) -> Sequence[Found]:
        return self.script(self.heard[-1])


class Bench:
    """Speech segments, and when they report what: `(position, event)` with the position up to which was fed."""

    def __init__(
        self, script: Callable[[bytes], Sequence[Found]] | None = None, holes: Sequence[tuple[int, int]] = ()
    ) -> None:
        self.matcher = None if script is None else Matcher(script)
        self.events: list[tuple[int, int | Stretch]] = []
        self.position = 0
        self.segments = SpeechSegments(
            self.matcher,
            lambda start, end: [hole for hole in holes if start <= hole[0] < end],
            lambda first: self.events.append((self.position, first)),
            lambda stretch: self.events.append((self.position, stretch)),
        )

    def play(self, *runs: tuple[int, int], cut: int = 8) -> "Bench":
        wave = np.frombuffer(sound(*runs), "<i2")
        for at in range(0, len(wave), cut):
            piece = wave[at : at + cut]
            start, self.position = self.position, self.position + len(piece)
            self.segments.feed(start, piece)
        return self

    @property
    def stretches(self) -> list[tuple[int, int, str | None]]:
        found = [event for _, event in self.events if isinstance(event, Stretch)]
        return [(s.first, s.last, None if s.phrase is None else s.phrase.text) for s in found]


def nothing(_: bytes) -> Sequence[Found]:
    return ()


# --- without a known phrase


@pytest.mark.every(2)
@pytest.mark.parametrize(("quiet", "ends"), [(4799, False), (4800, True)])
def test_unknown_speech_ends_after_600_ms_of_quiet(quiet: int, ends: bool) -> None:
    bench = Bench(nothing).play((0, 800), (9000, 1600), (0, 4000)).play((0, quiet - 4000), cut=1)
    assert bench.stretches == ([(800, 2399, None)] if ends else [])
    assert bench.segments.open_at == (None if ends else 800)
    bench = Bench(nothing).play((9000, 1600), (0, quiet), (9000, 800), (0, 8000))
    assert len(bench.stretches) == (2 if ends else 1)


def test_without_a_matcher_it_is_the_same() -> None:
    assert Bench().play((0, 800), (9000, 1600), (0, 4800)).stretches == [(800, 2399, None)]


@pytest.mark.parametrize(("samples", "is_speech"), [(240, False), (241, True)])
def test_a_click_is_shorter_than_30_ms(samples: int, is_speech: bool) -> None:
    bench = Bench(nothing).play((0, 800), (9000, samples), (0, 8000))
    assert bench.stretches == ([(800, 800 + samples - 1, None)] if is_speech else [])
    assert [event for _, event in bench.events if event == 800] == ([800] if is_speech else [])
    assert bench.segments.last_audible == 800 + samples - 1


def test_its_start_is_reported_once_when_it_is_no_click() -> None:
    bench = Bench(nothing).play((0, 800)).play((9000, 400), cut=1).play((0, 8000))
    starts = [(position, event) for position, event in bench.events if isinstance(event, int)]
    assert starts == [(800 + 241, 800)]


def test_two_clicks_of_one_stretch_are_speech_that_is_reported_at_the_second() -> None:
    bench = Bench(nothing).play((0, 800), (9000, 100), (0, 800), (9000, 100), (0, 8000))
    assert bench.stretches == [(800, 1799, None)]
    assert bench.segments.last_audible == 1799


def test_a_stretch_ends_with_the_call() -> None:
    bench = Bench(nothing).play((0, 800), (9000, 1600))
    bench.segments.finish(2000)
    assert bench.stretches == [(800, 1999, None)]
    assert bench.segments.last_audible == 1999
    assert bench.segments.open_at is None
    bench.segments.finish(9000)  # once
    assert len(bench.stretches) == 1


def test_what_begins_behind_the_end_was_never_heard() -> None:
    bench = Bench(nothing).play((0, 800), (9000, 1600))
    bench.segments.finish(800)
    assert bench.stretches == []
    bench = Bench(nothing).play((0, 800), (9000, 1600), (0, 800), (9000, 800))
    bench.segments.finish(3200)
    assert bench.stretches == [(800, 2399, None)]
    bench = Bench(nothing).play((0, 800), (9000, 1600), (0, 800), (9000, 800))
    bench.segments.finish(3201)
    assert bench.stretches == [(800, 3200, None)]


def test_skipped_silence_ends_a_stretch_and_lets_the_matcher_forget() -> None:
    bench = Bench(nothing).play((0, 800), (9000, 1600))
    bench.segments.skip(2400 + 4799)
    assert bench.stretches == []
    bench.segments.skip(2400 + 4800)
    assert bench.stretches == [(800, 2399, None)]
    bench = Bench(nothing).play((104, 79))
    bench.segments.skip(1000)
    bench.position = 1000
    bench.play((104, 800))
    assert bench.segments.open_at == 1000  # the 79 samples before the silence are not counted in
    assert bench.matcher is not None
    assert np.frombuffer(bench.matcher.heard[0], "<i2").tolist() == [104] * 800


def test_skipping_goes_only_forward() -> None:
    bench = Bench(nothing).play((50, 800))
    bench.segments.skip(800)
    bench.segments.skip(400)
    bench.play((9000, 800))
    assert bench.segments.open_at == 800


# --- what the matcher is given


def test_the_matcher_is_given_40_ms_before_the_first_audible_sample() -> None:
    bench = Bench(nothing).play((50, 2000), (9000, 800), cut=160)
    assert bench.matcher is not None
    heard = np.frombuffer(bench.matcher.heard[0], "<i2")
    assert (np.count_nonzero(heard == 50), np.count_nonzero(heard == 9000)) == (320, 800)


def test_of_less_than_40_ms_the_matcher_is_given_what_there_is() -> None:
    bench = Bench(nothing).play((50, 100), (9000, 800), cut=160)
    assert bench.matcher is not None
    assert len(bench.matcher.heard[0]) == 2 * 900


@pytest.mark.parametrize("cut", [1, 8, 160, 999])
def test_holes_are_kept_from_the_matcher(cut: int) -> None:
    holes = [(1000, 400), (1900, 100)]
    bench = Bench(nothing, holes).play((0, 800), (9000, 200), (0, 400), (8000, 500), (0, 100), (7000, 600), cut=cut)
    assert bench.matcher is not None
    heard = np.frombuffer(bench.matcher.heard[0], "<i2")
    assert heard[heard != 0].tolist() == [9000] * 200 + [8000] * 500 + [7000] * 600
    assert np.count_nonzero(heard == 0) == 320


def test_a_place_behind_a_hole_is_found_again() -> None:
    """The matcher counts what it was fed: 400 samples of hole less."""
    holes = [(1600, 400)]

    def script(fed: bytes) -> Sequence[Found]:
        return [Found(LONG, 40, 40 + 500, True)]  # 40 ms of lead, then the whole phrase

    bench = Bench(script, holes).play((0, 800), (9000, 800), (0, 400), (9000, 3200), (0, 8000))
    assert bench.stretches == [(800, 5199, "Um longo.")]


# --- a known phrase


def whole(start_ms: int, phrase: Phrase = LONG) -> Callable[[bytes], Sequence[Found]]:
    return lambda fed: [Found(phrase, start_ms, start_ms + 500, True)]


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(("more", "told_after"), [(1200, 1600), (1208, 4800)])
def test_a_whole_phrase_ends_after_200_ms_if_it_ended_at_most_150_ms_before(more: int, told_after: int) -> None:
    """What is heard after the phrase's end by the matcher may be its own last sound."""
    bench = Bench(whole(40)).play((0, 800), (9000, 4000 + more), (0, 1500)).play((0, 3500), cut=1)
    (position, stretch) = next((p, e) for p, e in bench.events if isinstance(e, Stretch))
    assert position == 800 + 4000 + more + told_after
    assert isinstance(stretch, Stretch)
    assert stretch.whole


@pytest.mark.long("quicker tests of this file are run")
def test_a_phrase_in_its_own_pause_is_waited_for_and_200_ms_more() -> None:
    def script(fed: bytes) -> Sequence[Found]:
        return [Found(PHRASE, 40, 140, False)]

    bench = Bench(script).play((0, 800), (9000, 800), (0, 8000))
    (position, _) = next((p, e) for p, e in bench.events if isinstance(e, Stretch))
    assert position == 800 + 800 + 4800  # the pause and 200 ms are less than 600
    slow = Phrase.from_pcm("s", "Devagar.", sound((9000, 800), (0, 4000), (9000, 800)))
    bench = (
        Bench(lambda fed: [Found(slow, 40, 140, False)]).play((0, 800), (9000, 800), (0, 5000)).play((0, 1000), cut=1)
    )
    (position, _) = next((p, e) for p, e in bench.events if isinstance(e, Stretch))
    assert position == 1600 + 4001 + 1600
    bench = Bench(lambda fed: [Found(slow, 40, 140, True)]).play((0, 800), (9000, 800), (0, 8000))
    (position, _) = next((p, e) for p, e in bench.events if isinstance(e, Stretch))
    assert position == 800 + 800 + 1600  # it is whole: no pause of its own is left


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("before", "after", "stretches"),
    [
        (0, 0, [(0, 3999, "Um longo.")]),
        (1592, 0, [(0, 5591, "Um longo.")]),  # less than 200 ms beside it belong to it
        (1600, 0, [(0, 5599, "Um longo.")]),
        (1608, 0, [(0, 1607, None), (1608, 5607, "Um longo.")]),
        (0, 1600, [(0, 5599, "Um longo.")]),
        (0, 1601, [(0, 3999, "Um longo."), (4000, 5600, None)]),
    ],
)
def test_unknown_speech_beside_a_phrase(before: int, after: int, stretches: list[tuple[int, int, str | None]]) -> None:
    lead = 800
    bench = Bench(whole(40 + before // MS)).play((0, lead), (9000, 4000 + before + after), (0, 8000))
    assert bench.stretches == [(first + lead, last + lead, text) for first, last, text in stretches]


def test_two_phrases_in_one_stretch_are_two() -> None:
    def script(fed: bytes) -> Sequence[Found]:
        return [Found(LONG, 40, 540, True), Found(LONG, 640, 940, False)]

    bench = Bench(script).play((0, 800), (9000, 4000), (0, 800), (9000, 2400), (0, 8000))
    assert bench.stretches == [(800, 4799, "Um longo."), (5600, 7999, "Um longo.")]
    assert [e.whole for _, e in bench.events if isinstance(e, Stretch)] == [True, False]


@pytest.mark.long("quicker tests of this file are run")
def test_unknown_speech_between_two_phrases_is_told_if_it_is_200_ms_long() -> None:
    def script(fed: bytes) -> Sequence[Found]:
        return [Found(LONG, 40, 540, True), Found(LONG, 40 + 500 + 300, 1340, True)]

    bench = Bench(script).play((0, 800), (9000, 4000 + 2400 + 4000), (0, 8000))
    assert [text for _, _, text in bench.stretches] == ["Um longo.", None, "Um longo."]
    assert bench.stretches[1][:2] == (4800, 7199)
    short = lambda fed: [Found(LONG, 40, 540, True), Found(LONG, 40 + 500 + 200, 1240, True)]  # noqa: E731
    bench = Bench(short).play((0, 800), (9000, 4000 + 1600 + 4000), (0, 8000))
    assert [text for _, _, text in bench.stretches] == ["Um longo.", "Um longo."]


def test_a_phrase_without_a_sound_in_it_is_taken_by_the_matchers_word() -> None:
    silent = Phrase.from_pcm("n", "Nada.", sound((0, 4000)))
    bench = Bench(whole(40, silent)).play((0, 800), (9000, 4000), (0, 8000))
    assert [text for _, _, text in bench.stretches] == ["Nada."]


def test_what_follows_a_phrase_with_a_hole_in_it_is_told_apart_at_its_place() -> None:
    def script(fed: bytes) -> Sequence[Found]:
        return [Found(LONG, 40, 540, len(fed) >= 2 * (320 + 4000))]

    bench = Bench(script, [(1600, 3200)]).play((0, 800), (9000, 800), (0, 3200), (9000, 3200), (9000, 1700), (0, 8000))
    assert bench.stretches == [(800, 7999, "Um longo."), (8000, 9699, None)]


SHORT = Phrase.from_pcm("k", "Sim.", sound((9000, 800)))


@pytest.mark.long("unknown speech beside a phrase is told apart")
def test_short_unknown_sound_between_two_short_phrases_belongs_to_neither() -> None:
    bench = Bench(lambda fed: [Found(SHORT, 40, 140, True), Found(SHORT, 190, 290, True)])
    bench.play((0, 800), (9000, 800 + 400 + 800), (0, 8000))
    assert bench.stretches == [(800, 1599, "Sim."), (2000, 2799, "Sim.")]


@pytest.mark.long("unknown speech beside a phrase is told apart")
def test_short_unknown_sound_behind_two_phrases_belongs_to_the_second() -> None:
    bench = Bench(lambda fed: [Found(LONG, 40, 540, True), Found(LONG, 540, 1040, True)])
    bench.play((0, 800), (9000, 8000 + 800), (0, 8000))
    assert bench.stretches == [(800, 4799, "Um longo."), (4800, 9599, "Um longo.")]


def test_the_pause_of_a_phrase_whose_quiet_beginning_was_not_fed() -> None:
    """The recording begins 160 ms before what the matcher was given."""
    slow = Phrase.from_pcm("s", "Devagar.", sound((0, 1600), (9000, 800), (0, 4000), (9000, 800)))
    bench = Bench(lambda fed: [Found(slow, -160, 140, False)])
    bench.play((0, 800), (9000, 800), (0, 5000)).play((0, 1000), cut=1)
    (position, _) = next((p, e) for p, e in bench.events if isinstance(e, Stretch))
    assert position == 1600 + 4001 + 1600
