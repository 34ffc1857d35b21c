"""Finds known phrases in a sound: which phrase, from where to where, how certain. It recognises recordings, not speech.

It works in two stages. First, the onset of each phrase (its first 400 ms) is searched for at every place in the sound,
by the loudness in frequency bands: fast, but only a hint. Then each candidate is aligned with the waveform, to the
sample, and tracked in segments of 200 ms (`phrase_tracker`): each segment must be present, and as loud as the onset.
That is strict enough to distinguish «202» from «203» in one voice, and still finds a phrase that is as soft as the
noise around it.

A phrase without its beginning is not found: 20 ms of its speech may be missing, but not 200 ms. A phrase that breaks
off is found as a part of at least half a second, with how far it was heard. (Shorter parts are found on request, and
only if no other phrase begins in the same way.) A gap of up to half a second, or longer on request, is bridged. Several
phrases in one sound are found one after another; speech between them that is not in the book is skipped.

Sound may be fed in any pieces. It is processed in blocks of 200 ms, so the same sound always gives the same result. No
clock, no files, no asyncio.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from audiosocket_core.phrase_book.book import Phrase, normalise
from audiosocket_core.phrase_book.fingerprint import (
    BANDS,
    FFT,
    FILTER_EDGE,
    HOP,
    ONSET,
    ONSET_FRAMES,
    PIECE,
    SAMPLES_PER_MS,
    SHIFT_FFT,
    Array,
    features,
    fingerprint_of,
    middle_band,
    samples,
)
from audiosocket_core.phrase_book.phrase_tracker import (
    HOLE,
    SHORTEST_PART,
    PhraseTracker,
    TrackedPhrase,
    sliding_correlation,
)

__all__ = ["Listening", "Match", "Matcher"]

BLOCK_BYTES = 2 * 1600  # 200 ms of SLIN
LEAD = 960  # samples of silence, 120 ms, before the sound: soft speech of that length may be missing from a phrase
SHIFT = (SHIFT_FFT - ONSET) // 2  # samples, 56 ms: search range around the place that the bands give
TRIES = 3  # phrases aligned for each 200 ms; more only if they begin like one that fits (KIN)

ONSET_LIKENESS = 0.58  # of band loudness; at 10 dB SNR true onsets have at least 0.63, the median is 0.9
ONSET_CORRELATION = 0.4  # of the waveforms
KIN = 0.1  # the likeness of phrases that begin alike differs by less
UNSURE_MS = 300
AMBIGUOUS = 0.02  # with a smaller margin between two texts, neither is chosen

# For a part of less than 500 ms. True parts score at least 0.96 with margins of at least 0.27 (prompts, noise of up to
# -40 dBFS); the same first word of another phrase («Desculpe, …», one voice) scores up to 0.73.
SHORT_PART_SCORE = 0.9
SHORT_PART_MARGIN = 0.2


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that was found. Milliseconds count from the first sample fed.

    `start_ms`: where the recording begins, which is negative if its quiet lead-in was not fed. `end_ms`: where the
    recording ends, which may be beyond the sound fed; for a part, how far it was heard.
    """

    phrase: Phrase
    start_ms: int
    end_ms: int
    score: float
    """Correlation of the sound with the recording: 1 for the recording itself, 0.95 at 10 dB SNR."""
    margin: float
    """How much better the score is than that of the best phrase with another text."""
    whole: bool
    """False if the phrase broke off, and only the part up to `end_ms` was heard."""

    heard_ms: int
    """How much of the recording was heard, from its beginning, lead-in included."""
    inserted_ms: int
    """Duration of gaps within the phrase, minus what was lost: `end_ms - start_ms - heard_ms`."""

    @property
    def speech_start_ms(self) -> int:
        """Where the speech begins."""
        return self.start_ms + self.phrase.speech_start_ms

    @property
    def speech_end_ms(self) -> int:
        """Where the speech ends or breaks off."""
        return min(self.end_ms, self.start_ms + self.inserted_ms + self.phrase.speech_end_ms)


class Matcher:
    """A set of known phrases. Fingerprints are made at the first `listen()`, and shared by all matchers of the process.

    `shortest_part_ms`: the shortest part of a phrase that is a match. Parts of less than 300 ms are never found.
    `longest_gap_ms`: the longest gap within a phrase that is bridged.
    """

    def __init__(
        self, phrases: Iterable[Phrase], *, shortest_part_ms: int = 500, longest_gap_ms: int = HOLE // SAMPLES_PER_MS
    ) -> None:
        self._phrases = tuple(phrases)
        self._longest_gap = longest_gap_ms * SAMPLES_PER_MS
        self._shortest_part_ms = shortest_part_ms
        self._book: _Book | None = None

    def listen(self) -> "Listening":
        """Start to listen to one sound."""
        if self._book is None:
            self._book = _Book(self._phrases, self._shortest_part_ms // 10, self._longest_gap)
        return Listening(self._book)


class Listening:
    """The search in one sound of any length. Memory is bounded."""

    def __init__(self, book: "_Book") -> None:
        self._pending = bytearray()
        self._search = _Search(book)

    def feed(self, pcm: bytes) -> None:
        """Take more sound: SLIN, 8 kHz, any number of bytes; a sample may be split between two pieces."""
        self._pending += pcm
        whole = len(self._pending) // BLOCK_BYTES * BLOCK_BYTES
        for at in range(0, whole, BLOCK_BYTES):
            self._search.take(samples(self._pending[at : at + BLOCK_BYTES]))
        del self._pending[:whole]

    def matches(self) -> tuple[Match, ...]:
        """Return all phrases heard so far, in order, as if the sound ended here. More sound may be fed afterwards.

        If phrases of different texts fit equally well (a part that they share), none of them is returned.
        """
        *_, found = self.finishing()
        return found or ()

    def finishing(self) -> Iterator[tuple[Match, ...] | None]:
        """Compute `matches()` in steps of about 0.5 ms, so that an event loop can run in between.

        Yields None after each step except the last one, which yields the matches.
        """
        search = copy(self._search)
        for _ in search.finishing(samples(self._pending[: len(self._pending) // 2 * 2])):
            yield None
        yield search.matches

    def result(self) -> Match | None:
        """Return the longest of `matches()`, a whole phrase before a part; None if no known phrase was heard."""
        return max(self.matches(), key=lambda match: (match.whole, match.heard_ms), default=None)

    def so_far(self) -> tuple[Match, ...]:
        """Return the phrases heard so far, in order, and the best of those in progress. Takes next to no time.

        Of phrases that begin alike that one may be any of them, until they differ.
        """
        return (*self._search.matches, *self._search.open_matches(unsure=True)[:1])

    def candidates(self) -> tuple[Match, ...]:
        """Return the phrases in progress that fit the sound up to now, best first. Takes next to no time."""
        return self._search.open_matches()


class _Book:
    """The fingerprints of all phrases, their onset templates in one array, and the two limits.

    `shortest_part`: in pieces; `longest_gap`: in samples.
    """

    def __init__(self, phrases: Sequence[Phrase], shortest_part: int, longest_gap: int) -> None:
        self.longest_gap = longest_gap
        self.phrases = phrases
        self.shortest_part = shortest_part
        self.texts = [normalise(phrase.text) for phrase in phrases]
        self.fingerprints = [fingerprint_of(p.pcm, p.speech_start_ms, p.speech_end_ms) for p in phrases]
        onsets = [sound.onset for sound in self.fingerprints] or [np.zeros(ONSET_FRAMES * BANDS, np.float32)]
        self.onsets = np.array(onsets, np.float32).T


class _Search:
    """The state of the search. `copy` makes an independent one, because arrays are replaced, never changed."""

    def __init__(self, book: _Book) -> None:
        self.book = book
        self.matches: tuple[Match, ...] = ()
        self._wave: Array = np.zeros(LEAD, np.float32)
        self._edge: Array = np.zeros(FILTER_EDGE, np.float32)  # the last samples, which the filter needs again
        self._frames: Array = features(self._wave)
        self._dropped = 0  # frames of HOP samples that were forgotten
        self._place = 0  # the next frame at which a phrase may begin
        self._trackers: tuple[PhraseTracker, ...] = ()
        self._limit: int | None = None  # the sample at which the sound ended

    def take(self, block: Array) -> None:
        """Take one block of sound, and do all work that it allows."""
        self._hear(block)
        for _ in self._work():
            pass
        self._forget()

    def finishing(self, rest: Array) -> Iterator[None]:
        """End the sound with `rest`, and settle everything that is open, in steps."""
        self._limit = self._heard + len(rest)
        self._hear(np.concatenate((rest, np.zeros(ONSET + FFT, np.float32))))
        yield
        yield from self._work()
        self._forget()
        while self._trackers:
            wave, offset = self._wave, self._dropped * HOP
            self._trackers = tuple(tracker.bridged(wave, offset).follow(wave, offset) for tracker in self._trackers)
            self._settle()
            yield
            yield from self._work()

    def _hear(self, block: Array) -> None:
        raw = np.concatenate((self._edge, block))
        self._edge = raw[len(raw) - FILTER_EDGE :]
        self._wave = np.concatenate((self._wave, middle_band(raw)))
        fresh = features(self._wave[len(self._frames) * HOP :])
        self._frames = np.concatenate((self._frames, fresh))

    def open_matches(self, *, unsure: bool = False) -> tuple[Match, ...]:
        """Return the phrases in progress that fit the sound so far, best first; `unsure`: also if texts fit alike."""
        trackers = [tracker for tracker in self._trackers if unsure or tracker.broken is None]
        return tuple(_ranked(self.book, trackers, self._heard, unsure=unsure))

    @property
    def _heard(self) -> int:
        """The number of samples so far, LEAD included."""
        fed = self._dropped * HOP + len(self._wave)
        return fed if self._limit is None else min(fed, self._limit)

    def _work(self) -> Iterator[None]:
        """Do all work that the sound so far allows, in steps."""
        while True:
            if self._trackers:
                self._trackers = tuple(t.follow(self._wave, self._dropped * HOP) for t in self._trackers)
                if any(tracker.is_open for tracker in self._trackers):
                    return
                self._settle()
            elif not self._search_onsets():
                return
            yield

    def _settle(self) -> None:
        """Keep the best phrase after all trackers (or the sound) have ended, and continue behind it."""
        ranked = _ranked(self.book, self._trackers, self._heard)
        self._trackers = ()
        if ranked:
            best = ranked[0]
            self.matches = (*self.matches, best)
            end_ms = best.speech_end_ms
            if not best.whole:  # the end of a part is uncertain if the next phrase cut it off
                end_ms = max(end_ms - UNSURE_MS, best.speech_start_ms + 200)
            self._place = max(self._place, (end_ms * SAMPLES_PER_MS + LEAD) // HOP)

    def _search_onsets(self) -> bool:
        """Search for onsets at the next places, at most 200 ms of them. Returns False if more sound is needed."""
        first = self._place - self._dropped
        count = min(BLOCK_BYTES // 2 // HOP, len(self._frames) - ONSET_FRAMES + 1 - first)
        if count <= 0:
            return False
        likeness = self._likeness(first, count)
        best = likeness.max(axis=0)
        order = np.argsort(-best, kind="stable")
        trackers: list[PhraseTracker] = []
        kin = math.inf
        for rank, index in enumerate(order):
            if best[index] < ONSET_LIKENESS or (rank >= TRIES and best[index] < kin):
                break
            row = int(likeness[:, index].argmax())
            tracker = self._align(int(index), (first + row) * HOP)
            if tracker is not None:
                trackers.append(tracker)
                kin = min(kin, float(best[index]) - KIN)
        self._trackers = tuple(trackers)
        self._place += count
        return True

    def _likeness(self, first: int, count: int) -> Array:
        """Correlate the band loudness at each place with each onset template: shape (count, phrases)."""
        frames = self._frames[first : first + count + ONSET_FRAMES - 1]
        windows = np.lib.stride_tricks.sliding_window_view(frames, ONSET_FRAMES, axis=0).transpose(0, 2, 1)
        windows = windows - windows.mean(axis=1, keepdims=True)
        flat = windows.reshape(count, -1)
        lengths = np.sqrt(np.einsum("ij,ij->i", flat, flat))
        scores: Array = flat @ self.book.onsets
        scores /= np.maximum(lengths, 1e-3)[:, None]
        return scores

    def _align(self, index: int, place: int) -> "PhraseTracker | None":
        """Align the onset of a phrase with the waveform around a place: a tracker at the best shift, or None."""
        sound = self.book.fingerprints[index]
        start = max(0, place - SHIFT)
        stretch = self._wave[start : place + SHIFT + sound.onset_samples]
        if len(stretch) < sound.onset_samples:
            return None
        products, energies = sliding_correlation(stretch, sound.spectrum, SHIFT_FFT, sound.onset_samples)
        normalised = products / np.sqrt(np.maximum(energies, 1.0) * sound.onset_energy)
        best = int(normalised.argmax())
        if normalised[best] < ONSET_CORRELATION:
            return None
        gain = float(products[best]) / sound.onset_energy
        return PhraseTracker.begin(index, sound, self._dropped * HOP + start + best, gain, self.book.longest_gap)

    def _forget(self) -> None:
        """Forget sound that is not needed any more."""
        oldest = min([self._place * HOP - SHIFT, *(tracker.origin for tracker in self._trackers)])
        frames = oldest // HOP - self._dropped
        if frames > 100:
            self._wave = self._wave[frames * HOP :].copy()
            self._frames = self._frames[frames:].copy()
            self._dropped += frames


def _ranked(book: _Book, trackers: Iterable[PhraseTracker], heard: int, *, unsure: bool = False) -> list[Match]:
    """Return the phrases that the trackers found, best first. Empty if two texts fit equally well, unless `unsure`."""
    found = [outcome for tracker in trackers if (outcome := tracker.outcome(heard, book.shortest_part)) is not None]
    most = max((outcome.explained for outcome in found), default=0.0)
    found.sort(key=lambda outcome: _preference(outcome, most), reverse=True)
    matches: list[Match] = []
    for outcome in found:
        text = book.texts[outcome.tracker.index]
        rivals = [other for other in found if book.texts[other.tracker.index] != text]
        margin = _margin(outcome, rivals)
        is_best = not matches
        if is_best and not unsure and margin < AMBIGUOUS and any(rival.whole == outcome.whole for rival in rivals):
            return []
        if not _is_weak_part(outcome, margin):
            matches.append(_match(outcome, book.phrases[outcome.tracker.index], margin))
    return matches


def _preference(outcome: TrackedPhrase, most: float) -> tuple[bool, bool, float, int]:
    """Return the sort key: explains about `most` of the sound (within 2 %), whole, score, earlier in the book."""
    return outcome.explained >= 0.98 * most, outcome.whole, outcome.score, -outcome.tracker.index


def _margin(outcome: TrackedPhrase, rivals: Sequence[TrackedPhrase]) -> float:
    """Return how much better the score is than that of the best rival.

    A score is the square root of the explained share of the sound's energy. Rivals explain the same sound, so their
    scores are compared through the explained energies.
    """
    rival = max((rival.explained for rival in rivals), default=0.0)
    return outcome.score * (1 - math.sqrt(rival / outcome.explained))


def _is_weak_part(outcome: TrackedPhrase, margin: float) -> bool:
    """Return True for a part of less than 500 ms that could be the beginning of another phrase."""
    is_short = not outcome.whole and outcome.cut < SHORTEST_PART
    return is_short and (outcome.score < SHORT_PART_SCORE or margin < SHORT_PART_MARGIN)


def _match(outcome: TrackedPhrase, phrase: Phrase, margin: float) -> Match:
    tracker, sound = outcome.tracker, outcome.tracker.sound
    start_ms = round((tracker.origin - LEAD - sound.start) / SAMPLES_PER_MS)
    heard_ms = phrase.duration_ms if outcome.whole else (sound.start + outcome.cut * PIECE) // SAMPLES_PER_MS
    inserted_ms = round(tracker.inserted / SAMPLES_PER_MS)
    end_ms = start_ms + heard_ms + inserted_ms
    return Match(
        phrase, start_ms, end_ms, round(outcome.score, 3), round(margin, 3), outcome.whole, heard_ms, inserted_ms
    )
