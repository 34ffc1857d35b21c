"""Has each stretch of speech judged when it has ended (`damage`), step by step. Pure; positions: samples of 8 kHz.

What names the words is known at once; the search for what was done to a prompt goes on while the call does: `step`
does 15 ms of it. Must not know of time: its caller turns positions into instants.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.damage.judging import MOST_SECONDS, Judgement, Stretched, judge
from audiosocket_sim.hearing.damage.known_prompt import Known
from audiosocket_sim.hearing.damage.model import RATE_HZ, Damage
from audiosocket_sim.hearing.loudness import Bounds
from audiosocket_sim.hearing.noise_floor import is_noise_alone
from audiosocket_sim.hearing.paused_prompt import PromptPause, PromptPauses, pauses_in
from audiosocket_sim.hearing.sound_kinds import lasts

__all__ = ["StretchJudge"]

_STRANGE = 2
"""From so many stretches on, of which none held a prompt, the voice is not the book's."""

_A_PIECE = 800
"""A shorter piece (samples) between two pauses is not judged."""


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
        quiet: Sequence[Bounds] = (),
    ) -> tuple[Known | None, PromptPauses | None]:
        """Judge a stretch that begins at `first`; its `holes` count from there, `read` is the prompt that was read in
        it, `behind` the one that was heard right before it, `quiet` where it is quiet for 200 ms and more. Return the
        prompt that is in it although it was not read (without its beginning, or a short piece), and the pauses that the
        bot made in the prompt: each piece between them is judged by itself."""
        noise = read is None and is_noise_alone(np.frombuffer(pcm, "<i2"))
        strange = not self._known and self._unknown >= _STRANGE
        voice = read is not None or not lasts(pcm)
        kept = pcm[: 2 * RATE_HZ * MOST_SECONDS]
        stretch = Stretched(kept, tuple(holes), read, spliced, voice, strange, behind, noise)
        judgement = _judged(stretch, phrases)
        self._count(judgement)
        phrase = read if judgement.known is None else judgement.known.phrase
        quiet = [(start, end) for start, end in quiet if end < len(kept) // 2]
        paused = None if phrase is None or judgement.sure else pauses_in(kept, quiet, phrase)
        if phrase is None or paused is None:
            if judgement.under is not None:
                self.under.add(judgement.under)
            self._open.append((first, judgement.steps(phrases)))
            return judgement.known, None
        self._open.append((first, iter([[_pause_fault(pause, phrase) for pause in paused.pauses if not pause.own]])))
        pieces = [
            (at, _judged(_piece(stretch, at, end, phrase), phrases))
            for at, end in paused.pieces
            if end - at >= _A_PIECE
        ]
        self._open += [(first + at, one.steps(phrases)) for at, one in pieces]
        known = [one.known for _, one in pieces if one.known is not None and one.known.followed is not None]
        return (_joined(known[0], known[-1]) if known else judgement.known), paused

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


def _pause_fault(pause: PromptPause, phrase: Phrase) -> Damage:
    ms = round(pause.length * 1000 / RATE_HZ)
    what = f"“{phrase.text}”: {ms} ms are put into it, in one place"
    return Damage("paused", what, pause.at / RATE_HZ, ms, ms, ((pause.at, pause.length),))


def _piece(stretch: Stretched, at: int, end: int, phrase: Phrase) -> Stretched:
    """The part of a stretch between two pauses in a prompt."""
    holes = tuple((hole - at, length) for hole, length in stretch.holes if at <= hole < end)
    return replace(stretch, pcm=stretch.pcm[2 * at : 2 * end], holes=holes, read=phrase, behind=None)


def _joined(first: Known, last: Known) -> Known:
    """The prompt from where its first piece begins to where its last one ends."""
    assert first.followed is not None
    assert last.followed is not None
    followed = replace(last.followed, first=first.followed.first, lag=first.followed.lag)
    return replace(last, followed=followed)


@lru_cache(maxsize=32)
def _judged(stretch: Stretched, phrases: tuple[Phrase, ...]) -> Judgement:
    """Judge once what a bot says again, sample for sample, in one call after another: its greeting, for instance."""
    return judge(stretch, phrases)
