"""The voices of a call as labelled segments, their turns and their unbroken speech. Pure; data in ms of one clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "QUIET_MS",
    "RESUMED_MS",
    "SOUND_LABELS",
    "ResumedAt",
    "SentencePart",
    "SpokenTurn",
    "VoiceLabel",
    "VoiceSegment",
    "goes_on_at",
    "joined",
    "resumed_at",
    "spells_of",
    "turns_of",
]

QUIET_MS = 200
"""A shorter quiet is a pause between words: who is quiet for so long has stopped."""
RESUMED_MS = 900
"""A bot that goes on within so long, still over the caller's turn or where it was, has paused, and not stopped."""
SAME_PLACE_MS = 300
"""So much more or less of a sentence is the same place in it: a bot resumes at a word, and the ear is not exact."""

VoiceLabel = Literal["speech", "keys", "hold", "backchannel", "vocal_tic", "non_directed"]
SOUND_LABELS = ("backchannel", "vocal_tic", "non_directed")
"""The labels of a caller's sounds that are no turn, and for which a bot goes on."""

ResumedAt = Literal["there", "anew", "elsewhere"]
"""Where a bot goes on: where it had stopped, at the beginning of the same sentence, or in other words."""


@dataclass(frozen=True, slots=True)
class SentencePart:
    """What was heard of a known sentence: from `from_ms` to `to_ms`, counted from its own beginning."""

    sentence: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class VoiceSegment:
    """A stretch of audible sound, from its first sample (`start_ms`) to behind its last (`end_ms`).

    `label`: `speech`; `keys` (the caller's, a turn as well); `hold` (the bot's, audible, and no turn); and of the
    caller's side what is no turn: `backchannel` (“uh-huh”), `vocal_tic` (cough, breath, laugh) and `non_directed` (a
    dog, a door, television). Segments with the same `turn` number are the parts of one turn between its pauses.
    `whole` (of the bot's): True if a known sentence was heard to its end in this segment, False if it was not, None if
    that is not known. `said` (of the bot's): which part of which known sentence its whole turn was; None: not known.
    """

    start_ms: int
    end_ms: int
    label: VoiceLabel = "speech"
    turn: int = 0
    whole: bool | None = None
    said: SentencePart | None = None


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn of one voice, from its first audible sample to behind its last."""

    start_ms: int
    end_ms: int
    segments: tuple[VoiceSegment, ...]

    @property
    def label(self) -> VoiceLabel:
        """The label of its first segment."""
        return self.segments[0].label


def turns_of(voice: Sequence[VoiceSegment], labels: Sequence[str] = ("speech", "keys")) -> list[SpokenTurn]:
    """Return the turns of a voice in the order in which they began."""
    parts: dict[int, list[VoiceSegment]] = {}
    for segment in sorted(voice, key=lambda segment: segment.start_ms):
        if segment.label in labels:
            parts.setdefault(segment.turn, []).append(segment)
    return [SpokenTurn(own[0].start_ms, max(part.end_ms for part in own), tuple(own)) for own in parts.values()]


def spells_of(voice: Sequence[VoiceSegment]) -> list[VoiceSegment]:
    """Return the speech of a voice, joined where it pauses for less than 200 ms."""
    found: list[VoiceSegment] = []
    for segment in sorted(voice, key=lambda segment: segment.start_ms):
        if segment.label != "speech":
            continue
        if found and segment.start_ms - found[-1].end_ms < QUIET_MS:
            found[-1] = joined(found[-1], segment)
        else:
            found.append(segment)
    return found


def joined(first: VoiceSegment, then: VoiceSegment) -> VoiceSegment:
    """Return both as one segment, which ends as the second does."""
    return replace(first, end_ms=max(first.end_ms, then.end_ms), whole=then.whole)


def resumed_at(before: VoiceSegment, after: VoiceSegment) -> ResumedAt | None:
    """Return where the bot went on after it had been quiet; None if one of the two could not be read.

    What was said to its end is not gone on with: the same sentence again is said anew.
    """
    if before.said is None or after.said is None:
        return None
    if before.turn == after.turn:
        return "there"
    place = goes_on_at(before.said, after.said)
    return "anew" if place == "there" and before.whole else place


def goes_on_at(before: SentencePart, after: SentencePart) -> ResumedAt:
    """Return where a bot goes on that said one part of a sentence and then another."""
    if before.sentence != after.sentence:
        return "elsewhere"
    if abs(after.from_ms - before.to_ms) <= SAME_PLACE_MS:
        return "there"
    return "anew" if after.from_ms <= SAME_PLACE_MS else "elsewhere"
