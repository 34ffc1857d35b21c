"""The voices of a call as labelled segments, their turns and their unbroken speech. Pure; data in ms of one clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "QUIET_MS",
    "RESUMED_MS",
    "SOUND_LABELS",
    "SentencePart",
    "SpokenTurn",
    "VoiceLabel",
    "VoiceSegment",
    "joined",
    "spells_of",
    "turns_of",
]

QUIET_MS = 200
"""A shorter quiet is a pause between words: who is quiet for so long has stopped."""
RESUMED_MS = 900
"""A bot that goes on within so long, and still over the caller's turn, has paused, and not stopped."""

VoiceLabel = Literal["speech", "keys", "hold", "backchannel", "vocal_tic", "non_directed"]
SOUND_LABELS = ("backchannel", "vocal_tic", "non_directed")
"""The labels of a caller's sounds that are no turn, and for which a bot goes on."""


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
