"""Which known phrase is this sound, from where to where, how sure. It recognises recordings, not speech.

Two stages. How each phrase begins (its *anchor*, 400 ms) is looked for at every place in the sound by loudness in
bands: cheap, and only a hint. What looks alike is then laid against the wave itself, to the sample, and followed in
segments of 200 ms (`trail`): each must be there, and as loud as the opening was. That is strict enough to tell «202»
from «203» in one voice, and still finds a phrase that is as soft as the noise around it.

A phrase whose beginning is missing is not found: 20 ms of its speech may be, 200 ms never. A phrase that breaks off is
found as a part, with how far it was heard (from half a second on; where less is asked for, only if no other begins so);
a hole of up to half a second within a phrase is bridged. Several phrases in
one sound are found one after another. What is said between them, and is not in the book, is passed over.

Feed it in any pieces: it works on whole blocks of 200 ms, so that the same sound always gives the same answer. No
clock, no files, no asyncio.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from audiosocket_core.phrase_book.book import Phrase, normalise
from audiosocket_core.phrase_book.fingerprint import (
    ANCHOR,
    BANDS,
    EDGE,
    FFT,
    HOP,
    PIECE,
    SAMPLES_PER_MS,
    SHIFT_FFT,
    SPAN,
    Array,
    features,
    middle_band,
    print_of,
    samples,
)
from audiosocket_core.phrase_book.phrase_tracker import SHORTEST_PART, PhraseTracker, TrackedPhrase, shifted_products

__all__ = ["Listening", "Match", "Matcher"]

BLOCK_BYTES = 2 * 1600  # 200 ms are taken at a time
SEGMENT = 20  # pieces of 10 ms
LEAD = 960  # samples, 120 ms, put before the sound: so much of a phrase's speech may be missing, if it is soft
SHIFT = (SHIFT_FFT - ANCHOR) // 2  # samples, 56 ms: so far from where the bands put it an anchor is looked for
TRIES = 3  # phrases laid against the wave for each 200 ms, and more of them only where one fits: its kin

ANCHOR_LIKENESS = 0.58  # of loudness in bands; the least seen for a true one at 10 dB SNR is 0.63, the median 0.9
ANCHOR_CORRELATION = 0.4  # of the waves
KIN = 0.1  # phrases that begin alike: their anchors differ by less
UNSURE_MS = 300
AMBIGUOUS = 0.02  # a smaller margin between two different texts decides nothing

# Of a part of less than 500 ms. True ones have scores from 0.96 on and margins from 0.27 on (prompts, up to -40 dBFS of
# noise); another phrase's same first word («Desculpe, …», one voice) has scores of up to 0.73.
SHORT_PART_SCORE = 0.9
SHORT_PART_MARGIN = 0.2


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase in what was fed. Milliseconds count from the first sample fed.

    `start_ms` is where the recording's own beginning lies: negative when its quiet lead-in was not fed. `end_ms` is
    where the recording ends, which may be past what was fed, or, where it broke off, how far it was heard.
    """

    phrase: Phrase
    start_ms: int
    end_ms: int
    score: float
    """Correlation of what was heard with the recording: 1 is the recording itself, 0.95 is 10 dB SNR."""
    margin: float
    """By how much the score is better than that of the next phrase."""
    whole: bool
    """False: it broke off, and only the part up to `end_ms` was heard."""

    heard_ms: int
    """How much of the recording was heard, from its own beginning, lead-in included."""
    inserted_ms: int
    """Holes within it (less what was missing from it): `end_ms - start_ms - heard_ms`."""

    @property
    def speech_start_ms(self) -> int:
        return self.start_ms + self.phrase.speech_start_ms

    @property
    def speech_end_ms(self) -> int:
        """Where the speech ends or breaks off."""
        return min(self.end_ms, self.start_ms + self.inserted_ms + self.phrase.speech_end_ms)


class Matcher:
    """A set of known phrases. Prints are made at the first `listen()`, and shared by all matchers of the process.

    `shortest_part_ms`: less of a phrase that breaks off is no match. Under 300 ms none is found, whatever is asked for.
    """

    def __init__(self, phrases: Iterable[Phrase], *, shortest_part_ms: int = 500) -> None:
        self._phrases = tuple(phrases)
        self._shortest_part_ms = shortest_part_ms
        self._book: _Book | None = None

    def listen(self) -> "Listening":
        """Begin to listen to one stretch of sound."""
        if self._book is None:
            self._book = _Book(self._phrases, self._shortest_part_ms // 10)
        return Listening(self._book)


class Listening:
    """One stretch of sound. Memory stays bounded however long it is."""

    def __init__(self, book: "_Book") -> None:
        self._pending = bytearray()
        self._search = _Search(book)

    def feed(self, pcm: bytes) -> None:
        """Take more sound: SLIN, 8 kHz, any length (also odd: the other half of the sample comes next)."""
        self._pending += pcm
        whole = len(self._pending) // BLOCK_BYTES * BLOCK_BYTES
        for at in range(0, whole, BLOCK_BYTES):
            self._search.take(samples(self._pending[at : at + BLOCK_BYTES]))
        del self._pending[:whole]

    def matches(self) -> tuple[Match, ...]:
        """All phrases heard so far, in order, as if no more sound came. Further sound may be fed after it.

        Where phrases of different texts fit equally well (a part that they have in common) none of them is given.
        """
        *_, found = self.finishing()
        return found or ()

    def finishing(self) -> Iterator[tuple[Match, ...] | None]:
        """`matches()` in steps of about half a millisecond, for who may not be kept longer: None after each step but
        the last, which gives the matches."""
        search = copy(self._search)
        for _ in search.finishing(samples(self._pending[: len(self._pending) // 2 * 2])):
            yield None
        yield search.matches

    def result(self) -> Match | None:
        """The longest of `matches()`, a whole phrase before a part; None when nothing known was heard."""
        return max(self.matches(), key=lambda match: (match.whole, match.heard_ms), default=None)

    def candidates(self) -> tuple[Match, ...]:
        """What the sound may be going to be: the phrases that fit it up to now, best first. Costs next to nothing."""
        return self._search.open_matches()


class _Book:
    """The prints of all phrases, in one array for the search; and how many pieces the shortest part has."""

    def __init__(self, phrases: Sequence[Phrase], shortest_part: int) -> None:
        self.phrases = phrases
        self.shortest_part = shortest_part
        self.texts = [normalise(phrase.text) for phrase in phrases]
        self.prints = [print_of(p.pcm, p.speech_start_ms, p.speech_end_ms) for p in phrases]
        anchors = [sound.anchor for sound in self.prints] or [np.zeros(SPAN * BANDS, np.float32)]
        self.anchors = np.array(anchors, np.float32).T


class _Search:
    """The state of the search. `copy` makes an independent one: arrays are replaced, never changed in place."""

    def __init__(self, book: _Book) -> None:
        self.book = book
        self.matches: tuple[Match, ...] = ()
        self._wave: Array = np.zeros(LEAD, np.float32)
        self._edge: Array = np.zeros(EDGE, np.float32)  # the last samples, which the filter needs again
        self._frames: Array = features(self._wave)
        self._dropped = 0  # frames of HOP samples already forgotten
        self._place = 0  # the next frame at which a phrase may begin
        self._trails: tuple[PhraseTracker, ...] = ()
        self._limit: int | None = None  # where the sound ended

    def take(self, block: Array) -> None:
        self._hear(block)
        for _ in self._working():
            pass
        self._forget()

    def finishing(self, rest: Array) -> Iterator[None]:
        """The sound is over: settle everything that is open, step by step."""
        self._limit = self._heard + len(rest)
        self._hear(np.concatenate((rest, np.zeros(ANCHOR + FFT, np.float32))))
        yield
        yield from self._working()
        self._forget()
        while self._trails:
            wave, offset = self._wave, self._dropped * HOP
            self._trails = tuple(trail.bridged(wave, offset).follow(wave, offset) for trail in self._trails)
            self._settle()
            yield
            yield from self._working()

    def _hear(self, block: Array) -> None:
        raw = np.concatenate((self._edge, block))
        self._edge = raw[len(raw) - EDGE :]
        self._wave = np.concatenate((self._wave, middle_band(raw)))
        fresh = features(self._wave[len(self._frames) * HOP :])
        self._frames = np.concatenate((self._frames, fresh))

    def open_matches(self) -> tuple[Match, ...]:
        return tuple(_ranked(self.book, [trail for trail in self._trails if trail.broken is None], self._heard))

    @property
    def _heard(self) -> int:
        """One past the last sample, in the search's own count (which begins LEAD samples before the sound)."""
        fed = self._dropped * HOP + len(self._wave)
        return fed if self._limit is None else min(fed, self._limit)

    def _working(self) -> Iterator[None]:
        """All that can be done with what was heard, step by step."""
        while True:
            if self._trails:
                self._trails = tuple(t.follow(self._wave, self._dropped * HOP) for t in self._trails)
                if any(trail.is_open for trail in self._trails):
                    return
                self._settle()
            elif not self._look():
                return
            yield

    def _settle(self) -> None:
        """The trails have come to their ends, or the sound has: keep the best one, go on after it."""
        ranked = _ranked(self.book, self._trails, self._heard)
        self._trails = ()
        if ranked:
            self.matches = (*self.matches, ranked[0])
            # Where a part was cut short is known less well when the next phrase cut it.
            best = ranked[0]
            end_ms = (
                best.speech_end_ms if best.whole else max(best.speech_end_ms - UNSURE_MS, best.speech_start_ms + 200)
            )
            self._place = max(self._place, (end_ms * SAMPLES_PER_MS + LEAD) // HOP)

    def _look(self) -> bool:
        """Look for anchors at the next places (at most 200 ms of them). False when more sound is needed."""
        first = self._place - self._dropped
        count = min(BLOCK_BYTES // 2 // HOP, len(self._frames) - SPAN + 1 - first)
        if count <= 0:
            return False
        likeness = self._likeness(first, count)
        best = likeness.max(axis=0)
        order = np.argsort(-best, kind="stable")
        trails: list[PhraseTracker] = []
        kin = math.inf
        for rank, index in enumerate(order):
            if best[index] < ANCHOR_LIKENESS or (rank >= TRIES and best[index] < kin):
                break
            row = int(likeness[:, index].argmax())
            trail = self._lay(int(index), (first + row) * HOP)
            if trail is not None:
                trails.append(trail)
                kin = min(kin, float(best[index]) - KIN)
        self._trails = tuple(trails)
        self._place += count
        return True

    def _likeness(self, first: int, count: int) -> Array:
        """How much the sound at each place is like each anchor: shape (count, phrases)."""
        frames = self._frames[first : first + count + SPAN - 1]
        windows = np.lib.stride_tricks.sliding_window_view(frames, SPAN, axis=0).transpose(0, 2, 1)
        windows = windows - windows.mean(axis=1, keepdims=True)
        flat = windows.reshape(count, -1)
        lengths = np.sqrt(np.einsum("ij,ij->i", flat, flat))
        scores: Array = flat @ self.book.anchors
        scores /= np.maximum(lengths, 1e-3)[:, None]
        return scores

    def _lay(self, index: int, place: int) -> "PhraseTracker | None":
        """Lay the opening of a phrase against the wave around a place: a trail from the best shift, or None."""
        sound = self.book.prints[index]
        start = max(0, place - SHIFT)
        stretch = self._wave[start : place + SHIFT + sound.anchor_samples]
        if len(stretch) < sound.anchor_samples:
            return None
        products, energies = shifted_products(stretch, sound.spectrum, SHIFT_FFT, sound.anchor_samples)
        correlation = products / np.sqrt(np.maximum(energies, 1.0) * sound.anchor_energy)
        best = int(correlation.argmax())
        if correlation[best] < ANCHOR_CORRELATION:
            return None
        gain = float(products[best]) / sound.anchor_energy
        return PhraseTracker.begin(index, sound, self._dropped * HOP + start + best, gain)

    def _forget(self) -> None:
        """Let go of sound that nothing can refer to any more."""
        oldest = min([self._place * HOP - SHIFT, *(trail.origin for trail in self._trails)])
        frames = oldest // HOP - self._dropped
        if frames > 100:
            self._wave = self._wave[frames * HOP :].copy()
            self._frames = self._frames[frames:].copy()
            self._dropped += frames


def _ranked(book: _Book, trails: Iterable[PhraseTracker], heard: int) -> list[Match]:
    """What the trails found, best first: who explains the most sound (to 2 %), then the whole, then the score.

    Empty where two phrases of different texts fit equally well.
    """
    outcomes = [outcome for trail in trails if (outcome := trail.outcome(heard, book.shortest_part)) is not None]
    most = max((outcome.explained for outcome in outcomes), default=0.0)
    outcomes.sort(key=lambda o: (o.explained >= 0.98 * most, o.whole, o.score, -o.trail.index), reverse=True)
    matches: list[Match] = []
    for outcome in outcomes:
        text = book.texts[outcome.trail.index]
        rivals = [o for o in outcomes if book.texts[o.trail.index] != text]
        # A score is the root of the share of the sound's energy that is explained: so is a rival's, of the same sound.
        rival = max((o.explained for o in rivals), default=0.0)
        margin = outcome.score * (1 - math.sqrt(rival / outcome.explained))
        if not matches and margin < AMBIGUOUS and any(o.whole == outcome.whole for o in rivals):
            return []
        short = not outcome.whole and outcome.cut < SHORTEST_PART
        if short and (outcome.score < SHORT_PART_SCORE or margin < SHORT_PART_MARGIN):
            continue
        matches.append(_match(outcome, book.phrases[outcome.trail.index], margin))
    return matches


def _match(outcome: TrackedPhrase, phrase: Phrase, margin: float) -> Match:
    trail, sound = outcome.trail, outcome.trail.sound
    start_ms = round((trail.origin - LEAD - sound.start) / SAMPLES_PER_MS)
    heard_ms = phrase.duration_ms if outcome.whole else (sound.start + outcome.cut * PIECE) // SAMPLES_PER_MS
    inserted_ms = round(trail.inserted / SAMPLES_PER_MS)
    end_ms = start_ms + heard_ms + inserted_ms
    return Match(
        phrase, start_ms, end_ms, round(outcome.score, 3), round(margin, 3), outcome.whole, heard_ms, inserted_ms
    )
