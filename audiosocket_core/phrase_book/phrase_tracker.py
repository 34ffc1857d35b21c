"""Tracks a known phrase through a sound, piece by piece, from the place of its onset: how far is the phrase present?

A tracker decides about one phrase alone. Finding onsets and choosing between phrases belong in `matching`. Pure, numpy.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audiosocket_core.phrase_book.fingerprint import PIECE, Array, Fingerprint

__all__ = ["PhraseTracker", "TrackedPhrase", "sliding_correlation"]

SEGMENT = 20  # pieces of 10 ms: a phrase is checked in segments of 200 ms

# A segment agrees if its correlation with the recording is above SEGMENT_CORRELATION, or if the recording is in it at a
# gain within these factors of the onset's gain, which also holds in noise.
SEGMENT_CORRELATION = 0.5
GAIN_DRIFT = (0.5, 1.6)

PROVEN = 0.5  # the lowest score of a match
INAUDIBLE = 0.001  # share of a phrase's energy that may be missing at its end
UNDECIDABLE = 8.0  # times the noise: less evidence against the last pieces of a phrase is no evidence
SHORTEST_PART = 50  # pieces, 500 ms: the shortest part that is a match, unless a shorter one is asked for
SURE_PART = 100  # pieces, 1 s: a shorter part must be followed by quiet, or it is the first word of another phrase
QUIET = 0.2  # share of the power before it

HOLE = 4000  # samples, 500 ms: the longest gap within a phrase that is bridged, unless a longer one is asked for
LOSS = 1600  # samples, 200 ms: the most sound that may be missing from a phrase
BRIDGE = 32  # pieces of the phrase to find behind a gap; fewer (at least a segment) if the phrase ends sooner
BRIDGE_CORRELATION = 0.65

Numbers = NDArray[np.float64]


def sliding_correlation(
    stretch: Array, spectrum: NDArray[np.complex64], size: int, known: int
) -> tuple[Array, Numbers]:
    """Correlate a short sound with every place in a longer one, `stretch`.

    `spectrum`: conjugate Fourier transform, of `size` points, of the short sound, which has `known` samples. Returns,
    for each shift, the cross-correlation and the energy of the stretch: two arrays of shape (shifts,).
    """
    shifts = len(stretch) - known + 1
    products: Array = np.fft.irfft(np.fft.rfft(stretch, size) * spectrum, size)[:shifts].astype(np.float32)
    running = np.concatenate(([0.0], np.cumsum(np.square(stretch, dtype=np.float64))))
    return products, running[known:] - running[:shifts]


@dataclass(frozen=True, slots=True, eq=False)
class PhraseTracker:
    """A phrase that is being tracked. Sample numbers are those of the search. Immutable: `follow` returns a new one."""

    index: int
    """Number of the phrase in the book."""
    sound: Fingerprint
    """Fingerprint of the phrase."""
    origin: int
    """The sample at which the speech of the phrase begins."""
    gain: float
    """Amplitude of the sound divided by that of the recording, from the onset."""
    products: Numbers
    """Inner product of sound and recording in each piece so far: shape (n,)."""
    energies: Numbers
    """Sum of squares of the sound in each piece so far: shape (n,)."""
    inserted: int = 0
    """Samples by which the phrase is later than at its beginning, after gaps; negative if earlier, after losses."""
    broken: int | None = None
    """The first piece of the segment that did not agree; None if all agree."""
    over: bool = False
    """True if the phrase was not found again behind the segment that did not agree."""
    hole: int = HOLE
    """The longest gap that is bridged, in samples."""

    @classmethod
    def begin(cls, index: int, sound: Fingerprint, origin: int, gain: float, hole: int = HOLE) -> "PhraseTracker":
        """Return a tracker that has compared nothing yet."""
        return cls(index, sound, origin, gain, np.zeros(0), np.zeros(0), hole=hole)

    @property
    def is_open(self) -> bool:
        """True if more sound may change the outcome."""
        return not self.over and len(self.products) < len(self.sound.energy)

    def follow(self, wave: Array, offset: int) -> "PhraseTracker":
        """Track as far as the sound reaches. `wave`: middle band of the sound; `offset`: number of its first sample."""
        tracker = self
        while tracker.is_open:
            if tracker.broken is not None:
                needed = tracker._bridge_start + BRIDGE * PIECE + tracker.hole
                if tracker.broken >= SHORTEST_PART - SEGMENT and offset + len(wave) < needed:
                    return tracker
                tracker = tracker.bridged(wave, offset)
                continue
            done = len(tracker.products)
            grown = tracker._grown(wave, offset)
            if len(grown.products) == done:
                return tracker
            tracker = grown._checked(done // SEGMENT)
        return tracker

    def bridged(self, wave: Array, offset: int) -> "PhraseTracker":
        """Search for a broken phrase behind a gap or a loss, with the sound so far. Arguments as for `follow`."""
        if self.broken is None:
            return self
        ahead = self.broken + SEGMENT
        known = self.sound.pieces[ahead : ahead + BRIDGE].ravel()
        given_up = replace(self, over=True)
        if self.broken < SHORTEST_PART - SEGMENT or len(known) < SEGMENT * PIECE:
            return given_up
        start = max(0, self._bridge_start - LOSS - offset)
        stretch = wave[start : self._bridge_start + len(known) + self.hole - offset]
        if len(stretch) < len(known):
            return given_up
        size = 1 << (LOSS + BRIDGE * PIECE + self.hole - 1).bit_length()  # points: room for every shift
        spectrum = np.conj(np.fft.rfft(known, size))
        products, energies = sliding_correlation(stretch, spectrum, size, len(known))
        energy = float(self.sound.energy[ahead : ahead + BRIDGE].sum())
        correlations = products / np.sqrt(np.maximum(energies, 1.0) * max(energy, 1.0))
        best = int(correlations.argmax())
        drift = float(products[best]) / max(energy, 1.0) / self.gain
        if correlations[best] < BRIDGE_CORRELATION or not GAIN_DRIFT[0] <= drift <= GAIN_DRIFT[1]:
            return given_up
        moved = start + best + offset - self._bridge_start
        return self._spliced(self.inserted + moved, ahead, wave, offset)

    @property
    def _bridge_start(self) -> int:
        """The sample of the piece after the broken segment, if there were neither gap nor loss."""
        return self.origin + self.inserted + ((self.broken or 0) + SEGMENT) * PIECE

    def _spliced(self, inserted: int, ahead: int, wave: Array, offset: int) -> "PhraseTracker":
        """Join the alignments before and after a gap, at the piece from which on the later one explains more sound.

        `inserted`: shift of the later alignment in samples; `ahead`: the first piece that was found behind the gap.
        """
        start = self.broken or 0
        kept = replace(self, products=self.products[:start], energies=self.energies[:start], broken=None)
        moved = replace(kept, inserted=inserted)._grown(wave, offset, ahead)
        gain, known = self.gain, self.sound.energy[start:ahead]
        rest_old = self.products[start:ahead]
        rest_new = moved.products[start:]
        if len(rest_new) < ahead - start or len(rest_old) < ahead - start:
            return replace(self, over=True)
        old, new = (np.cumsum(2 * gain * part - gain * gain * known) for part in (rest_old, rest_new))
        split = start + int((np.concatenate(([0.0], old)) + new[-1] - np.concatenate(([0.0], new))).argmax())
        return replace(
            moved,
            products=np.concatenate((self.products[:split], moved.products[split:])),
            energies=np.concatenate((self.energies[:split], moved.energies[split:])),
        )

    def _grown(self, wave: Array, offset: int, limit: int | None = None) -> "PhraseTracker":
        """Compare the pieces that the sound reaches by now, but not beyond piece `limit`."""
        done = len(self.products)
        first = self.origin + self.inserted - offset
        upto = min(len(self.sound.energy) if limit is None else limit, (len(wave) - first) // PIECE)
        if upto <= done or first + done * PIECE < 0:
            return self
        heard = wave[first + done * PIECE : first + upto * PIECE].reshape(-1, PIECE)
        products = np.einsum("ij,ij->i", heard, self.sound.pieces[done:upto], dtype=np.float64)
        energies = np.einsum("ij,ij->i", heard, heard, dtype=np.float64)
        return replace(
            self,
            products=np.concatenate((self.products, products)),
            energies=np.concatenate((self.energies, energies)),
        )

    def _checked(self, segment: int) -> "PhraseTracker":
        """Check the segments that are complete by now, from number `segment` on; break at one that does not agree."""
        count = len(self.sound.energy)
        while True:
            start = segment * SEGMENT
            # The pieces after the last full segment belong to that segment.
            end = start + SEGMENT if count - start >= 2 * SEGMENT else count
            if start >= count or len(self.products) < end:
                return self
            if not self._agrees(start, end):
                return replace(self, broken=start)
            segment += 1

    def _agrees(self, start: int, end: int) -> bool:
        known = float(self.sound.energy[start:end].sum())
        product, energy = float(self.products[start:end].sum()), float(self.energies[start:end].sum())
        if known <= 0.0 or product > SEGMENT_CORRELATION * math.sqrt(known * energy):
            return True
        return GAIN_DRIFT[0] <= product / known / self.gain <= GAIN_DRIFT[1]

    def outcome(self, heard: int, shortest: int = SHORTEST_PART) -> "TrackedPhrase | None":
        """Return how far the phrase was heard, or None if it was not.

        `heard`: number of samples of the sound so far; `shortest`: the fewest pieces of the phrase that are a part.
        """
        compared = min(len(self.products), max(0, heard - self.origin - self.inserted) // PIECE)
        agreed = compared if self.broken is None else min(compared, self.broken)
        if agreed == 0:
            return None
        cut = self._last_piece(compared, agreed)
        recording = self.sound.energy
        whole = bool(recording[cut:].sum() <= INAUDIBLE * recording.sum())
        product = float(self.products[:cut].sum())
        score = product / float(max(self.energies[:cut].sum(), 1.0) * recording[:cut].sum()) ** 0.5
        if score < PROVEN or not (whole or self._is_a_part(cut, compared, shortest)):
            return None
        return TrackedPhrase(self, cut, whole, score, product * product / float(recording[:cut].sum()))

    def _last_piece(self, compared: int, agreed: int) -> int:
        """Return how many of the `compared` pieces hold the phrase. The first `agreed` of them give its gain.

        The evidence for the phrase in a piece is the energy that it explains there: how much less energy is left of the
        sound after subtracting the recording. The phrase ends where the sum of the evidence peaks. If no segment
        disagrees, it ends only if the sum then falls by more than the noise could make it fall.
        """
        recording = self.sound.energy
        gain = float(self.products[:agreed].sum()) / float(recording[:agreed].sum())
        evidence = np.cumsum(2 * gain * self.products[:compared] - gain * gain * recording[:compared])
        cut = int(evidence.argmax()) + 1
        if self.broken is not None:
            return cut
        product, energy = self.products[:cut].sum(), recording[:cut].sum()
        residue = self.energies[:cut].sum() - 2 * gain * product + gain * gain * energy
        noise = max(0.0, float(residue)) / (cut * PIECE)
        undecided = evidence[-1] >= evidence[cut - 1] * (1 - INAUDIBLE) - UNDECIDABLE * noise
        return compared if undecided else cut

    def _is_a_part(self, cut: int, compared: int, shortest: int) -> bool:
        """Return True if a phrase heard for `cut` pieces broke off there, rather than being another phrase."""
        if cut < shortest:
            return False
        after = self.energies[cut + 1 : compared]
        quiet = len(after) == 0 or bool(after.mean() < QUIET * self.energies[:cut].mean())
        return quiet or cut >= SURE_PART


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPhrase:
    """How far the phrase of a tracker was heard."""

    tracker: PhraseTracker
    cut: int
    """Number of pieces of the speech that were heard."""
    whole: bool
    """True if all of the phrase was heard."""
    score: float
    """Correlation of the sound with the recording, 0 to 1."""
    explained: float
    """Energy of the sound that the phrase explains."""
