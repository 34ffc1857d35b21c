"""What a reader makes of a stretch of speech. Data only."""

from dataclasses import dataclass

__all__ = ["ReadSpeech", "ReadWord"]


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word that a reader has read, from when to when it is heard (ms from the start of its stretch), and how sure
    the reader is of it: 0 to 1, or None."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ReadSpeech:
    """What a reader has read of a stretch: "" for no speech. `confidence`: 0 to 1, or None."""

    text: str
    words: tuple[ReadWord, ...] = ()
    confidence: float | None = None
