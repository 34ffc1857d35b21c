"""A known phrase followed through a sound, piece by piece, from where its opening was found: is it still there?

Decides about one phrase alone. Must not look for where a phrase may begin, nor weigh phrases against one another
(`matching`).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audiosocket_core.phrase_book.fingerprint import PIECE, Array, Fingerprint

__all__ = ["PhraseTracker", "TrackedPhrase", "shifted_products"]

SEGMENT = 20  # pieces of 10 ms: phrases are checked 200 ms at a time
SEGMENT_CORRELATION = 0.5  # a segment agrees when it is this much like the recording's, or
GAIN_DRIFT = (
    0.5,
    1.6,
)  # when it has the recording in it as loud as the opening had (which shows under noise)
PROVEN = 0.5  # a phrase scores at least this

INAUDIBLE = 0.001  # of a phrase's energy: so much of its end may be missing
UNDECIDABLE = 8.0  # times the noise: so much evidence against the last bit of a phrase means nothing
SHORTEST_PART = 50  # pieces, 500 ms: less than that of a phrase is no match, unless less is asked for
SURE_PART = (
    100  # pieces, 1 s: up to that, a part must be followed by quiet. Else it is another phrase's same first word
)
QUIET = 0.2  # of the energy before it

HOLE = 4000  # samples, 500 ms: so long a hole within a phrase is bridged,
LOSS = 1600  # and so much sound missing from it
BRIDGE = 32  # pieces of the phrase that are looked for on the far side, fewer (a segment) where it ends sooner
BRIDGE_CORRELATION = 0.65
BRIDGE_FFT = 8192  # holds BRIDGE pieces at every shift from LOSS back to HOLE forward

Numbers = NDArray[np.float64]


def shifted_products(stretch: Array, spectrum: NDArray[np.complex64], size: int, known: int) -> tuple[Array, Numbers]:
    """A short sound against every place in a longer one: (products, energies of the stretch), by shift.

    `spectrum` is the conjugate transform, of `size` points, of the short sound, which has `known` samples.
    """
    shifts = len(stretch) - known + 1
    products: Array = np.fft.irfft(np.fft.rfft(stretch, size) * spectrum, size)[:shifts].astype(np.float32)
    running = np.concatenate(([0.0], np.cumsum(np.square(stretch, dtype=np.float64))))
    return products, running[known:] - running[:shifts]


@dataclass(frozen=True, slots=True, eq=False)
class PhraseTracker:
    """A phrase that is being followed. Sample numbers are the search's. Immutable: `follow` gives the next one."""

    index: int
    """Which phrase of the book."""
    sound: Fingerprint
    origin: int
    """The sample at which its speech begins."""
    gain: float
    """How loud the sound is against the recording, by the opening."""
    products: Numbers
    """Sound times recording, summed over each piece so far."""
    energies: Numbers
    """Sum of squares of the sound over each piece so far."""
    inserted: int = 0
    """Samples by which the phrase now lies later than at its beginning (earlier, where negative)."""
    broken: int | None = None
    """The first piece of the segment that did not agree."""
    over: bool = False
    """Broken for good: it does not go on behind a hole either."""

    @classmethod
    def begin(cls, index: int, sound: Fingerprint, origin: int, gain: float) -> "PhraseTracker":
        return cls(index, sound, origin, gain, np.zeros(0), np.zeros(0))

    @property
    def is_open(self) -> bool:
        """More sound may tell more about it."""
        return not self.over and len(self.products) < len(self.sound.energy)

    def follow(self, wave: Array, offset: int) -> "PhraseTracker":
        """Go on as far as the sound reaches; `offset` is the number of the wave's first sample."""
        trail = self
        while trail.is_open:
            if trail.broken is not None:
                if offset + len(wave) < trail._bridge_start + BRIDGE * PIECE + HOLE:
                    return trail
                trail = trail.bridged(wave, offset)
                continue
            done = len(trail.products)
            grown = trail._grown(wave, offset)
            if len(grown.products) == done:
                return trail
            trail = grown._checked(done // SEGMENT)
        return trail

    def bridged(self, wave: Array, offset: int) -> "PhraseTracker":
        """After a break: look for the phrase behind a hole, or behind a loss, with what sound there is."""
        if self.broken is None:
            return self
        ahead = self.broken + SEGMENT
        known = self.sound.pieces[ahead : ahead + BRIDGE].ravel()
        given_up = replace(self, over=True)
        if self.broken < SHORTEST_PART - SEGMENT or len(known) < SEGMENT * PIECE:
            return given_up
        start = max(0, self._bridge_start - LOSS - offset)
        stretch = wave[start : self._bridge_start + len(known) + HOLE - offset]
        if len(stretch) < len(known):
            return given_up
        spectrum = np.conj(np.fft.rfft(known, BRIDGE_FFT))
        products, energies = shifted_products(stretch, spectrum, BRIDGE_FFT, len(known))
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
        """Where the piece after the broken segment would be if there were neither hole nor loss."""
        return self.origin + self.inserted + ((self.broken or 0) + SEGMENT) * PIECE

    def _spliced(self, inserted: int, ahead: int, wave: Array, offset: int) -> "PhraseTracker":
        """Old pieces up to where the new place explains the sound better, new ones from there to `ahead`."""
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
        """With the pieces that the sound reaches by now (not past piece `limit`) compared."""
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
        """This trail, broken where a segment that is complete by now, from number `segment` on, does not agree."""
        count = len(self.sound.energy)
        while True:
            start = segment * SEGMENT
            # What is left over after the last full segment belongs to that one.
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
        """How far the phrase was heard when `heard` is one past the last sample; None when it was not.

        `shortest`: so many pieces of it must have been heard.
        """
        total = self.sound.energy
        n = min(len(self.products), max(0, heard - self.origin - self.inserted) // PIECE)
        agreed = n if self.broken is None else min(n, self.broken)
        if agreed == 0:
            return None
        gain = float(self.products[:agreed].sum()) / float(total[:agreed].sum())
        # Evidence, piece by piece, that the phrase is still there rather than not: it ends where the sum peaks.
        evidence = np.cumsum(2 * gain * self.products[:n] - gain * gain * total[:n])
        cut = int(evidence.argmax()) + 1
        residue = self.energies[:cut].sum() - 2 * gain * self.products[:cut].sum() + gain * gain * total[:cut].sum()
        noise = max(0.0, float(residue)) / (cut * PIECE)
        if self.broken is None and evidence[-1] >= evidence[cut - 1] * (1 - INAUDIBLE) - UNDECIDABLE * noise:
            cut = n
        whole = bool(total[cut:].sum() <= INAUDIBLE * total.sum())
        product = float(self.products[:cut].sum())
        score = product / float(max(self.energies[:cut].sum(), 1.0) * total[:cut].sum()) ** 0.5
        if score < PROVEN or not (whole or self._is_a_part(cut, n, shortest)):
            return None
        return TrackedPhrase(self, cut, whole, score, product * product / float(total[:cut].sum()))

    def _is_a_part(self, cut: int, n: int, shortest: int) -> bool:
        """Whether a phrase that was heard for `cut` pieces was broken off, rather than never said."""
        if cut < shortest:
            return False
        after = self.energies[cut + 1 : n]
        quiet = len(after) == 0 or bool(after.mean() < QUIET * self.energies[:cut].mean())
        return quiet or cut >= SURE_PART


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPhrase:
    """How far a trail's phrase was heard."""

    trail: PhraseTracker
    cut: int
    """In pieces of the speech."""
    whole: bool
    score: float
    explained: float
    """Energy of the sound that this phrase accounts for."""
