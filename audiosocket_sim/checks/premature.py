"""Finds speech of the bot that began in the midst of the caller's sentence. Pure.

A sentence is one sound that the caller makes (a `say`), from its first to its last audible sample; its pauses belong to
it, up to `_LONG_PAUSE_MS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CallerSentence", "Premature", "premature_starts"]

_REACTION_MS = 300
"""Whoever begins so soon after the other cannot have heard him yet."""
_AT_THE_END_MS = 50
_LONG_PAUSE_MS = 1500
_INTERRUPTED_MS = 300
"""How long before the caller's onset speech may have ended that he still interrupted."""


@dataclass(frozen=True, slots=True)
class CallerSentence:
    """What the caller said: the audible stretches, from and to, in ms since the UUID."""

    text: str
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Premature:
    """The bot began to speak at `at_ms`, while the caller said `text` and went on for `left_ms`."""

    at_ms: int
    left_ms: int
    text: str


def premature_starts(sentences: Sequence[CallerSentence], bot: Sequence[tuple[int, int]]) -> list[Premature]:
    """Return each start of the bot within a sentence. `bot`: its stretches of speech, in order, from and to in ms.

    None is a start that only goes on with what the caller had interrupted.
    """
    found = []
    for sentence in sentences:
        if not sentence.stretches:
            continue
        onset, end = sentence.stretches[0][0], sentence.stretches[-1][1]
        if any(start <= onset + _REACTION_MS and stop >= onset - _INTERRUPTED_MS for start, stop in bot):
            continue
        starts = [at for at, _ in bot if onset + _REACTION_MS < at < end - _AT_THE_END_MS]
        if starts and starts[0] - max(to for since, to in sentence.stretches if since <= starts[0]) < _LONG_PAUSE_MS:
            found.append(Premature(starts[0], end - starts[0], sentence.text))
    return found
