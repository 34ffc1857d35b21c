"""Has each stretch of speech judged when it has ended (`damage`), step by step. Pure; positions: samples of 8 kHz.

What names the words is known at once; the search for what was done to a prompt goes on while the call does: `step`
does 15 ms of it. Must not know of time: its caller turns positions into instants.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.damage.judging import MOST_SECONDS, Judgement, Stretched, judge
from audiosocket_sim.hearing.damage.known_prompt import Known
from audiosocket_sim.hearing.damage.model import RATE_HZ, Damage
from audiosocket_sim.hearing.noise_floor import is_noise_alone
from audiosocket_sim.hearing.sound_kinds import lasts

__all__ = ["StretchJudge"]

_STRANGE = 2
"""From so many stretches on, of which none held a prompt, the voice is not the book's."""


class StretchJudge:
    """Judges the stretches of one bot. `on_damage` is called with the position at which a stretch's sound begins, and
    with each fault of it."""

    def __init__(self, on_damage: Callable[[int, Damage], None]) -> None:
        self._on_damage = on_damage
        self._open: list[tuple[int, Iterator[Sequence[Damage] | None]]] = []
        self._known = self._unknown = 0
        self.under: set[Phrase] = set()
        """The prompts that were under others: what comes of them later has lost no beginning."""

    def take(
        self,
        first: int,
        pcm: bytes,
        holes: Sequence[tuple[int, int]],
        read: Phrase | None,
        phrases: tuple[Phrase, ...],
        *,
        spliced: bool,
        behind: Phrase | None = None,
    ) -> Known | None:
        """Judge a stretch that begins at `first`; its `holes` count from there, `read` is the prompt that was read in
        it, `behind` the one that was heard right before it. Return the prompt that is in it although it was not read:
        without its beginning, or a short piece."""
        noise = read is None and is_noise_alone(np.frombuffer(pcm, "<i2"))
        strange = not self._known and self._unknown >= _STRANGE
        voice = read is not None or not lasts(pcm)
        kept = pcm[: 2 * RATE_HZ * MOST_SECONDS]
        judgement = _judged(Stretched(kept, tuple(holes), read, spliced, voice, strange, behind, noise), phrases)
        self._count(judgement)
        if judgement.under is not None:
            self.under.add(judgement.under)
        self._open.append((first, judgement.steps(phrases)))
        return judgement.known

    def _count(self, judgement: Judgement) -> None:
        known = judgement.known is not None or judgement.stretch.read is not None
        self._known += known
        self._unknown += not known

    def step(self) -> None:
        """Go on with what is still open, one step."""
        if self._open:
            first, steps = self._open[0]
            faults = next(steps)
            if faults is not None:
                self._open.pop(0)
                self._tell(first, faults)

    def finish(self) -> None:
        """Go on to the end of all that is open."""
        while self._open:
            self.step()

    def _tell(self, first: int, faults: Sequence[Damage]) -> None:
        self._known += any(fault.kind == "rate" for fault in faults)
        for fault in faults:
            self._on_damage(first, fault)


@lru_cache(maxsize=32)
def _judged(stretch: Stretched, phrases: tuple[Phrase, ...]) -> Judgement:
    """Judge once what a bot says again, sample for sample, in one call after another: its greeting, for instance."""
    return judge(stretch, phrases)
