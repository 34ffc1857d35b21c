"""Pair each utterance with the text that the bot recognised in it, by order and time. Pure.

A text comes from the question to the AI backend, or else from the control API's final transcripts. It belongs to the
last utterance before it. It also covers the utterance before that one if the pause between them was shorter than the
silence that ended the turn: the bot took both for one turn, so they become one utterance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.live.captured_call.bot_hearing import Sentence
from audiosocket_sim.live.captured_call.model import CapturedCall, CapturedRecognition, CapturedUtterance, Exchange

__all__ = ["Turn", "pair_with_texts", "understood_turns"]

_LONGEST_PAUSE_MS = 5_000
_SLACK_MS = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the caller: the bot had understood `text`, and acted on it at `at_ms`."""

    at_ms: int
    text: str


def understood_turns(call: CapturedCall) -> tuple[Turn, ...]:
    """Return the turns that the bot understood.

    A question that is repeated within a second (a redirect, a retry) is the same turn.
    """
    found: list[Turn] = []
    events: Sequence[Exchange | CapturedRecognition] = call.exchanges if call.backend_captured else call.recognised
    for index, event in enumerate(events):
        again = index > 0 and event.text == events[index - 1].text and event.at_ms - events[index - 1].at_ms < 1000
        if normalise(event.text) and not again:
            found.append(Turn(event.at_ms, event.text))
    return tuple(found)


def pair_with_texts(
    utterances: Sequence[CapturedUtterance], understood: Sequence[Turn], bot: Sequence[Sentence]
) -> tuple[CapturedUtterance, ...]:
    """Return the utterances with their texts, those of one turn joined.

    An utterance without a text was not recognised. `bot` is needed to see where the bot spoke in between.
    """
    left = list(utterances)
    paired: list[CapturedUtterance] = []
    for turn in understood:
        before = [u for u in left if u.speech_start_ms < turn.at_ms]
        if not before:
            continue
        last = first = before[-1]
        waited_ms = turn.at_ms - last.speech_end_ms
        for earlier in reversed(before[:-1]):
            if not _one_turn(earlier, first, waited_ms, bot):
                break
            first = earlier
        joined = replace(last, start_ms=first.start_ms, speech_start_ms=first.speech_start_ms)
        paired += [u for u in before if u.start_ms < first.start_ms]
        paired.append(replace(joined, text=turn.text))
        left = [u for u in left if u.start_ms > last.start_ms]
    return (*paired, *left)


def _one_turn(earlier: CapturedUtterance, later: CapturedUtterance, waited_ms: int, bot: Sequence[Sentence]) -> bool:
    pause_ms = later.speech_start_ms - earlier.speech_end_ms
    # The bot does not listen while it goes on speaking; if it stopped, it was interrupted (barge-in) and did listen.
    dropped = any(s.end_ms > earlier.speech_end_ms and s.start_ms < later.speech_start_ms for s in bot)
    return not dropped and pause_ms <= min(max(0, waited_ms) - _SLACK_MS, _LONGEST_PAUSE_MS)
