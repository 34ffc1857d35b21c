"""The judgement of one stretch of sound: what is wrong with it, and which prompt of the phrase book it would be. Pure.

A clean stretch whose words were read costs about 5 ms. Where something is wrong, or nothing could be read, the phrase
book is searched: `Judgement.first` does what is needed to name the words (20 ms), `steps` the rest, in steps of 15 ms
between which an event loop can do other work.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.damage.any_voice import faults_of
from audiosocket_sim.hearing.damage.known_prompt import (
    Known,
    beneath,
    changed_bytes,
    changed_speed,
    in_turn,
    plain,
    shifted_end,
    silenced,
    without_holes,
)
from audiosocket_sim.hearing.damage.model import RATE_HZ, Damage
from audiosocket_sim.hearing.damage.prompt_alignment import Jump
from audiosocket_sim.hearing.damage.sample_format import noise_alone

__all__ = ["MOST_SECONDS", "Judgement", "Stretched", "damage_of", "judge"]

_SHORTEST_MS = 100  # a shorter sound is not looked for in the book
_LEAST = 0.2  # of the sound; clicks break up what is found of a prompt
_JUMP = 24  # samples, 3 ms
_SILENCED_MS = 20  # so much is found beside the prompt
_MISSING_MS = 40  # in all; from so much on, what is missing makes the clicks, and not the clicks what seems so
MOST_SECONDS = 20
"""How many seconds of a stretch are judged: a voice is damaged throughout, or at places that recur."""


@dataclass(frozen=True, slots=True)
class Stretched:
    """A stretch of sound to be judged: 8 kHz SLIN, its holes (sample, length), and the prompt that was read in it.

    `spliced`: sound is missing that the phone could not hold. The joints that this makes are not the bot's.
    `voice`: it sounds like speech, not like music or tones. `strange`: no prompt was found in what this bot said
    before: only its samples are judged, not its speed. `behind`: the prompt that was heard right before it.
    `noise`: it is known to be steady noise, whatever its colour.
    """

    pcm: bytes
    holes: Sequence[tuple[int, int]] = ()
    read: Phrase | None = None
    spliced: bool = False
    voice: bool = True
    strange: bool = False
    behind: Phrase | None = None
    noise: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The immediate result for a stretch. `known`: the prompt that was found in it unchanged, or None; `under`: another
    prompt that is mixed with it. `sure`: the cause of the fault is known too, so no search follows."""

    stretch: Stretched
    faults: Sequence[Damage]
    known: Known | None
    under: Phrase | None = None
    sure: bool = False

    def steps(self, phrases: tuple[Phrase, ...]) -> Iterator[Sequence[Damage] | None]:
        """Yield None after each step of the search for what was done to a prompt, and all faults at the end."""
        stretch, faults = self.stretch, self.faults
        if self.sure or self.known is not None or stretch.read is not None:
            phrase = stretch.read if self.known is None else self.known.phrase
            text = "" if phrase is None else phrase.text
            yield [_of(fault, text) for fault in faults]
            return
        pcm = without_holes(stretch.pcm, stretch.holes)
        wrong = next((fault for fault in faults if fault.kind in _SAMPLES), None)
        found: Damage | None = None
        if phrases and _ms(pcm) >= _SHORTEST_MS:
            if wrong is not None:
                for known in changed_bytes(pcm, phrases):
                    if known is not None:
                        found = replace(wrong, kind="format", what=_named(known))
                    yield None
            elif not stretch.strange:
                for known in changed_speed(pcm, phrases):
                    if known is not None:
                        found = Damage("rate", _named(known), 0.0, None, _ms(pcm))
                    yield None
                clicking = next((fault for fault in faults if fault.kind == "clicks"), None)
                if found is None and clicking is not None:
                    for pair in in_turn(pcm, phrases, round(clicking.at_s * RATE_HZ)):
                        if pair is not None:
                            found = replace(clicking, kind="voices", what=_both(*pair))
                        yield None
        if found is None:
            yield faults
        elif found.kind == "rate":
            yield [found, *faults]
        else:
            yield [found, *(fault for fault in faults if fault is not wrong and fault.kind != "clicks")]


_SAMPLES = ("format", "noise")


def judge(stretch: Stretched, phrases: tuple[Phrase, ...]) -> Judgement:
    """Judge a stretch as far as its words go: at once."""
    most = 2 * RATE_HZ * MOST_SECONDS
    stretch = replace(stretch, pcm=stretch.pcm[:most])
    faults = faults_of(stretch.pcm, stretch.holes, voice=stretch.voice)
    if stretch.spliced:
        faults = [fault for fault in faults if fault.kind not in _JOINTS]
    if stretch.noise and not any(fault.kind in _SAMPLES for fault in faults):
        faults = [fault for fault in (noise_alone(stretch.pcm),) if fault is not None]
        return Judgement(stretch, faults, None, sure=True)
    if any(fault.kind in _SAMPLES for fault in faults) or _ms(stretch.pcm) < _SHORTEST_MS:
        return Judgement(stretch, faults, None)
    pcm = without_holes(stretch.pcm, stretch.holes)
    if stretch.behind is not None and (shifted := shifted_end(pcm, stretch.behind)) is not None:
        return Judgement(stretch, [Damage("format", _named(shifted), 0.0, None, _ms(pcm))], None, sure=True)
    candidates = phrases if stretch.read is None else (stretch.read,)
    known = plain(pcm, candidates) if candidates else None
    if known is not None and not _is_in(known, pcm):
        known = None
    if known is not None:
        own = _own_kinds(known.phrase)
        faults = [fault for fault in faults if fault.kind not in own]
    if known is not None and not stretch.spliced:
        faults = _with_jumps(faults, known, pcm, stretch.holes)
    distorted = any(fault.kind in _DISTORTIONS for fault in faults)
    alone = known is None or distorted or stretch.spliced  # what is behind a joint is not under what is before it
    under = None if known is None or alone else beneath(pcm, known, phrases)
    if under is not None:
        faults = [Damage("voices", "another sentence is mixed with it", 0.0, None, _ms(pcm)), *faults]
    return Judgement(stretch, faults, known, under)


def _with_jumps(faults: Sequence[Damage], known: Known, pcm: bytes, holes: Sequence[tuple[int, int]]) -> list[Damage]:
    """Add what is missing of a prompt, or silent in it, where nothing else is wrong with its joints. Clicks where
    pieces are missing come of that. `pcm`: the sound without its `holes`."""
    faults = [fault for fault in faults if not _is_a_pause(fault, known, pcm)]
    joints = {fault.kind for fault in faults if fault.kind in _JOINTS}
    if not joints:
        return [*faults, *(_jumps(known, holes) or _silenced(pcm, known, holes))]
    jumps = _jumps(known, holes) if joints == {"clicks"} else []
    if sum(jump.amount or 0 for jump in jumps) < _MISSING_MS:
        return list(faults)
    return [*(fault for fault in faults if fault.kind != "clicks"), *jumps]


def _is_a_pause(fault: Damage, known: Known, pcm: bytes) -> bool:
    """Is the silence that was found in a prompt its own? A codec may have made its edges steep."""
    followed = known.followed
    if fault.kind != "cuts" or (fault.amount or 0) < _SILENCED_MS or followed is None:
        return False
    return followed.lag == followed.last_lag and not silenced(pcm, known)


def _is_in(known: Known, pcm: bytes) -> bool:
    """Is a good part of the sound speech of this prompt, or is it another one with the prompt at its edge?"""
    assert known.followed is not None
    first = max(known.followed.first, known.phrase.speech_start_ms * RATE_HZ // 1000)
    return known.followed.last - first >= _LEAST * len(pcm) / 2


@lru_cache(maxsize=512)
def _own_kinds(phrase: Phrase) -> frozenset[str]:
    """The kinds of faults that the prompt's recording has itself: whoever chose it has heard them."""
    return frozenset(fault.kind for fault in faults_of(phrase.pcm))


_DISTORTIONS = ("dc", "clipping", "overflow")  # they leave of the sound what is not the prompt
_JOINTS = ("clicks", "cuts", "fades", "repeats", "lost")


def damage_of(stretch: Stretched, phrases: tuple[Phrase, ...]) -> list[Damage]:
    """Return all that is wrong with a stretch, the gravest first; nothing for a good one."""
    *_, faults = judge(stretch, phrases).steps(phrases)
    return list(faults or ())


def _jumps(known: Known, holes: Sequence[tuple[int, int]]) -> list[Damage]:
    """What was lost of a prompt, and what was put into it."""
    assert known.followed is not None
    found = []
    jumps = [jump for jump in known.followed.jumps if abs(jump.samples) >= _JUMP]
    before = accumulate(known.followed.jumps, _lag, initial=known.followed.lag)
    lags = dict(zip(known.followed.jumps, before, strict=False))
    for kind, chosen, words in (
        ("lost", [j for j in jumps if j.samples < 0], "missing in it"),
        ("repeats", [j for j in jumps if j.samples > 0], "put into it"),
    ):
        total = sum(abs(jump.samples) for jump in chosen) * 1000 / RATE_HZ
        if not chosen:
            continue
        places = "one place" if len(chosen) == 1 else f"{len(chosen)} places"
        # where something was lost, what is behind it comes early
        here = [(max(0, one.place + lags[one] + min(0, one.samples)), max(0, one.samples)) for one in chosen]
        what = f"{total:.0f} ms are {words}, in {places}"
        where = _among_holes(here, holes)
        found.append(Damage(kind, what, here[0][0] / RATE_HZ, round(total), round(total), where))
    return found


def _lag(before: int, jump: Jump) -> int:
    return before + jump.samples


def _among_holes(places: Iterable[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Places of a sound without its holes, as places of the sound with them."""
    found = []
    for place, length in places:
        for start, hole in holes:
            place += hole if start <= place else 0
        found.append((place, length))
    return tuple(found)


def _silenced(pcm: bytes, known: Known, holes: Sequence[tuple[int, int]]) -> list[Damage]:
    pieces = silenced(pcm, known)
    if not pieces:
        return []
    total = sum(length for _, length in pieces) * 1000 // RATE_HZ
    places = "one place" if len(pieces) == 1 else f"{len(pieces)} places"
    what = f"{total} ms of it are silence, in {places}"
    return [Damage("cuts", what, pieces[0][0] / RATE_HZ, total, total, _among_holes(pieces, holes))]


def _of(fault: Damage, text: str) -> Damage:
    return replace(fault, what=f"“{text}”: {fault.what}") if text else fault


def _named(known: Known) -> str:
    return f"“{known.phrase.text}” {known.what}"


def _both(one: Phrase, other: Phrase) -> str:
    return f"“{one.text}” and “{other.text}” at once, their frames in turn"


def _ms(pcm: bytes) -> int:
    return len(pcm) // 2 * 1000 // RATE_HZ
