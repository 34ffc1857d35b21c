"""Does the way a voice falls silent tell a pause from an end? Rules that choose between two waits, against one timer.

Each sentence is heard with six pauses of 0.3 to 1.5 s: cut near its middle, where nobody meant to stop, or, where the
speaker made a break of his own, with that break made longer. A rule sees the audio before a silence and waits SHORT_MS
or LONG_MS. It is judged by the callers it cuts off, over those that the plain timer cuts off at the same mean delay of
the end of a turn. One half of the sentences teaches the rule, the other judges it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from audiosocket_server.endpointing.vad import FRAME_MS
from numpy.typing import NDArray

from audiosocket_core.phrase_book.book import PhraseBook
from benchmarks.cutting import Cost, turns
from benchmarks.endpointing import BEST, TAIL_MS, Heard, hear
from benchmarks.human_prompts import human_prompts
from benchmarks.labelled import LEAD_MS, Utterance, composites, prompts, recordings
from benchmarks.machine import PROJECT, Unavailable, pin
from benchmarks.prosody import ending
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "pauses in mid-sentence: rules that see how the voice fell silent, against a plain timer"

SHORT_MS, LONG_MS = 700, 1600
TIMERS_MS = range(300, LONG_MS + 101, FRAME_MS)
LEAST_GAP_MS = 240
ROUNDS = 500

Numbers = NDArray[np.float64]
Scored = Callable[["Gap"], float]
Pausing = Callable[[Sequence[Utterance], Sequence[int]], list[Utterance]]

_RULES = {"energy": (0, 1), "pitch": (2, 3), "energy and pitch": (0, 1, 2, 3)}

_FUNCTION_WORDS = """
o a os as um uma de do da dos das em no na nos nas com para pra por pelo pela sobre e ou que se mas é eu meu minha sou
número the an of to in on at by for with from and or but that is are was has have had be been will i my your you there
not this our we number"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence of the detector's within an utterance, or after it. Milliseconds, from the start of the sound."""

    began_ms: int
    lasted_ms: int
    is_end: bool
    ending: tuple[float, ...]
    unfinished_text: bool


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence with one pause."""

    sentence: str
    end_ms: int
    gaps: Sequence[Gap]
    has_text: bool

    @property
    def teaches(self) -> bool:
        return crc32(self.sentence.encode()) % 2 == 1

    @property
    def is_ours(self) -> bool:
        """Of recordings/, in a synthetic voice."""
        return "/" in self.sentence


@dataclass(frozen=True, slots=True)
class Waits:
    """What came of a rule, or of a timer: for each that was said, was he cut off, and how late was the end told?"""

    cut_off: Numbers
    delay_ms: Numbers


def run(quick: bool = False) -> list[Row]:
    pin(0)
    texts = _texts()
    human = prompts(8 if quick else 1)
    human = prompts(3 if quick else 1)
    if not human:
        raise Unavailable("no human speech: install asterisk-core-sounds-en-wav (Debian)")
    speech = [*recordings(), *human]
    cut = _said(_heard(speech, composites), texts)
    breaks = _said(_heard(speech, _longer_breaks), texts)
    rows = []
    for name, columns in _RULES.items():
        score, limit = _learn([s for s in cut if s.teaches], columns)
        rows += [
            _against(f"{name}, cut sentences that taught it", [s for s in cut if s.teaches], score, limit),
            _against(f"{name}, cut sentences held out", [s for s in cut if not s.teaches], score, limit),
            _against(f"{name}, breaks held out", [s for s in breaks if not s.teaches], score, limit),
        ]
        score, limit = _learn([s for s in breaks if s.teaches], columns)
        rows.append(
            _against(f"{name}, learnt from breaks, breaks held out", [s for s in breaks if not s.teaches], score, limit)
        )
    score, limit = _learn([s for s in cut if not s.is_ours], _RULES["energy and pitch"])
    name = "energy and pitch, learnt from the human prompts, our recordings cut"
    rows.append(_against(name, [s for s in cut if s.is_ours], score, limit))
    name = "text ends in a function word (an oracle), cut sentences"
    rows.append(_against(name, [s for s in cut if s.has_text], lambda gap: gap.unfinished_text, 0.5))
    return rows


# --- what is heard --------------------------------------------------------------------------------------------------


def _heard(speech: Sequence[Utterance], pausing: Pausing) -> list[Heard]:
    """Every sentence with six pauses. They are spread evenly, so that the timer's curve has no steps."""
    made: list[Heard] = []
    for base in range(300, 1500, 200):
        made += hear(BEST, pausing(speech, range(base, base + 200, FRAME_MS)), "G.711, line noise", Cost())
    return made


def _longer_breaks(sources: Sequence[Utterance], pauses_ms: Sequence[int]) -> list[Utterance]:
    """Like `composites`, of the sentences with a break of the speaker's own: it is made as long as the pause."""
    made: list[Utterance] = []
    for source in sources:
        if own := _longest_break(source):
            at, own_ms = own
            pause_ms = pauses_ms[len(made) % len(pauses_ms)]
            more = pause_ms - own_ms
            if more >= 0:
                sound = np.concatenate([source.sound[: at * 8], np.zeros(more * 8), source.sound[at * 8 :]])
            else:
                sound = np.concatenate([source.sound[: (at + more // 2) * 8], source.sound[(at - more // 2) * 8 :]])
            name = f"{source.name}|{at}|{pause_ms}"
            made.append(Utterance(name, sound, source.start_ms, source.end_ms + (len(sound) - len(source.sound)) // 8))
    return made


def _longest_break(source: Utterance) -> tuple[int, int] | None:
    """Its middle and its length, where the voice is more than 35 dB below its loudest for at least 150 ms."""
    windows = np.lib.stride_tricks.sliding_window_view(source.sound, 160)[::80]
    levels = 10 * np.log10(np.mean(windows**2, axis=1) + 1)
    loud = np.flatnonzero(levels > np.percentile(levels, 95) - 35)
    loud = loud[(loud > source.start_ms // 10 + 20) & (loud < source.end_ms // 10 - 20)]
    longest = int(np.argmax(np.diff(loud))) if len(loud) > 1 else 0
    if len(loud) < 2 or (loud[longest + 1] - loud[longest] - 1) < 15:
        return None
    return int(loud[longest] + loud[longest + 1]) * 5 + 10, int(loud[longest + 1] - loud[longest] - 1) * 10


def _said(heard: Sequence[Heard], texts: dict[str, str]) -> list[Said]:
    """Those that became one turn."""
    made = []
    for h in heard:
        cut = turns(h.told, h.pcm, TAIL_MS - 300)
        if len(cut) == 1 and cut[0].ended_ms is not None:
            name, at, pause = h.utterance.name.split("|")
            spoken_ms = h.utterance.end_ms - h.utterance.start_ms - int(pause)
            text = texts.get(name, "")
            share = (int(at) - h.utterance.start_ms) / spoken_ms
            gaps = _gaps(h, cut[0].began_ms, _ends_in_function_word(text, share), _ends_in_function_word(text, 1))
            made.append(Said(name, LEAD_MS + h.utterance.end_ms, gaps, bool(text)))
    return made


def _gaps(heard: Heard, turn_ms: int, *unfinished: bool) -> list[Gap]:
    """`unfinished`: the text at the pause, and all of it."""
    pcm = np.frombuffer(heard.pcm, "<i2").astype(np.float64)
    voiced = [n for n, told in enumerate(heard.told) if told and n * FRAME_MS >= turn_ms - 100]
    gaps = []
    for last, following in pairwise([*voiced, len(heard.told)]):
        began_ms, lasted_ms = (last + 1) * FRAME_MS, (following - last - 1) * FRAME_MS
        if lasted_ms >= LEAST_GAP_MS and began_ms >= turn_ms + 200:
            is_end = began_ms + lasted_ms > LEAD_MS + heard.utterance.end_ms
            how = ending(pcm[(turn_ms - 200) * 8 : began_ms * 8]).numbers()
            gaps.append(Gap(began_ms, lasted_ms, is_end, how, unfinished[is_end]))
    return gaps


def _sentences(said: Sequence[Said]) -> list[str]:
    return list(dict.fromkeys(s.sentence for s in said))


# --- the text, as far as it was said --------------------------------------------------------------------------------


def _texts() -> dict[str, str]:
    book = PhraseBook.load(PROJECT / "recordings").phrases
    return {phrase.name: phrase.text for phrase in [*book, *human_prompts()]}


def _ends_in_function_word(text: str, share: float) -> bool:
    """Of the word that ends nearest to this share of the text. Each letter takes as long, a digit as five of them."""
    words = re.findall(r"[\w']+", text.lower())
    if not words:
        return False
    ends = np.cumsum([sum(5 if letter.isdigit() else 1 for letter in word) for word in words])
    return words[int(np.argmin(np.abs(ends / ends[-1] - share)))] in _FUNCTION_WORDS.split()


# --- rules ----------------------------------------------------------------------------------------------------------


def _learn(said: Sequence[Said], columns: Sequence[int]) -> tuple[Scored, float]:
    """A logistic rule on these numbers of an ending (high: unfinished), and the limit that gains most on these."""
    gaps = [gap for s in said for gap in s.gaps]
    x = np.array([[gap.ending[c] for c in columns] for gap in gaps])
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-9
    weights = _logistic((x - mean) / deviation, np.array([not gap.is_end for gap in gaps], float))

    def score(gap: Gap) -> float:
        return float((np.array([gap.ending[c] for c in columns]) - mean) / deviation @ weights[1:] + weights[0])

    curve = _timers(said)
    limits = np.percentile([score(gap) for gap in gaps], range(5, 100, 5))
    gains = [np.subtract(*_cut_off(_rule(said, score, limit), curve)) for limit in limits]
    return score, float(limits[int(np.argmin(gains))])


def _logistic(x: Numbers, y: Numbers) -> Numbers:
    """Newton's method, with a little pull to zero; pauses and ends count alike, however many there are."""
    x = np.column_stack([np.ones(len(x)), x])
    count = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    weights = np.zeros(x.shape[1])
    for _ in range(20):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        pull = np.eye(len(weights))
        slope = x.T @ (count * (p - y)) + pull @ weights
        weights = weights - np.linalg.solve(x.T @ (x * (count * p * (1 - p))[:, None]) + pull, slope)
    return weights


# --- what comes of it -----------------------------------------------------------------------------------------------


def _waits(said: Sequence[Said], wait_ms: Callable[[Gap], int]) -> Waits:
    """The delay is that of the end itself, also where he had been cut off: both are told for every sentence."""
    cut_off, delay = [], []
    for s in said:
        ends = [g.began_ms + wait_ms(g) for g in s.gaps if g.lasted_ms >= wait_ms(g)]
        cut_off.append(any(end < s.end_ms for end in ends))
        delay.append(next(end for end in ends if end >= s.end_ms) - s.end_ms)
    return Waits(np.array(cut_off, float), np.array(delay, float))


def _rule(said: Sequence[Said], score: Scored, limit: float) -> Waits:
    return _waits(said, lambda gap: LONG_MS if score(gap) > limit else SHORT_MS)


def _timers(said: Sequence[Said]) -> Waits:
    """A row for each timer of TIMERS_MS."""
    made = [_waits(said, lambda _, ms=ms: ms) for ms in TIMERS_MS]  # type: ignore[misc]
    return Waits(np.array([w.cut_off for w in made]), np.array([w.delay_ms for w in made]))


def _cut_off(rule: Waits, timers: Waits) -> tuple[float, float]:
    """Shares of callers cut off: by the rule, and by the timer of the same mean delay."""
    same = np.interp(rule.delay_ms.mean(), timers.delay_ms.mean(axis=1), timers.cut_off.mean(axis=1))
    return float(rule.cut_off.mean()), float(same)


def _against(name: str, said: Sequence[Said], score: Scored, limit: float) -> Row:
    rule, timers = _rule(said, score, limit), _timers(said)
    by_rule, by_timer = _cut_off(rule, timers)
    low, high = _interval(said, rule, timers)
    pauses = [g for s in said for g in s.gaps if not g.is_end]
    ends = [g for s in said for g in s.gaps if g.is_end]
    note = (
        f"{100 * low:.0f} to {100 * high:.0f}; {rule.cut_off.sum():.0f} against {by_timer * len(said):.0f} of "
        f"{len(said)}, {len(_sentences(said))} sentences, {rule.delay_ms.mean():.0f} ms after the last word; "
        f"waits long at {_long(pauses, score, limit)} of pauses, {_long(ends, score, limit)} of ends"
    )
    return Row(f"{name}: cut off, of the timer's", 100 * by_rule / max(by_timer, 1e-9), "%", note)


def _interval(said: Sequence[Said], rule: Waits, timers: Waits) -> tuple[float, float]:
    """Of the ratio, by drawing sentences anew: the six pauses of one are not independent."""
    random = np.random.Generator(np.random.PCG64(1))
    names = np.array([s.sentence for s in said])
    of = [np.flatnonzero(names == name) for name in _sentences(said)]
    ratios = []
    for _ in range(ROUNDS):
        drawn = np.concatenate([of[n] for n in random.integers(0, len(of), len(of))])
        one, other = _cut_off(
            Waits(rule.cut_off[drawn], rule.delay_ms[drawn]), Waits(timers.cut_off[:, drawn], timers.delay_ms[:, drawn])
        )
        ratios.append(one / max(other, 1e-9))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def _long(gaps: Sequence[Gap], score: Scored, limit: float) -> str:
    return f"{100 * sum(score(g) > limit for g in gaps) / max(1, len(gaps)):.0f} %"
