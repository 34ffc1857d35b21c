"""What is known at a moment of a call, and the verdict on an expectation then. Data only."""

from collections.abc import Collection
from dataclasses import dataclass, field

__all__ = ["GRACE_MS", "Broken", "Failed", "Met", "Moment", "Pending", "Unreadable", "Verdict"]

GRACE_MS = 20
"""One frame (ms): an event at the deadline is known at most so much later."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the call now, beside the log. All times are ms since the UUID; None: not the case now.

    A step counts from `base_ms`, and what it expects must have started by `deadline_ms`. `speaking_since_ms`: the
    start of the speech that is heard now. `open_speech_at_ms`: the start of speech that has not ended yet, also in a
    pause of it. `silent_since_ms`, `hold_since_ms`: since when there is no speech, and hold audio.
    """

    now_ms: int
    base_ms: int
    deadline_ms: int
    speaking_since_ms: int | None = None
    open_speech_at_ms: int | None = None
    silent_since_ms: int | None = None
    hold_since_ms: int | None = None
    state: str | None = None
    taken: Collection[int] = field(default=frozenset())
    """The numbers of the entries that earlier expectations were met by."""


@dataclass(frozen=True, slots=True)
class Met:
    """The expectation is met. `at_ms`: when; `completed_ms`: the next step counts from there; `entry`: the number of
    the entry that met it, which meets no other. `took_ms`: what was measured, if it is a time."""

    at_ms: int
    completed_ms: int
    entry: int | None = None
    took_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Neither met nor failed yet. `recheck_ms`: when to look again if nothing happens; None: with the next event."""

    recheck_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The expectation cannot be met any more. `happened`: what was heard or asked instead, a line each, the nearest
    marked."""

    expected: str
    happened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """Something happened that must never happen: when, and what, as one line."""

    at_ms: int
    happened: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bot spoke in a voice that the ear cannot read: an error of the set-up, not of the bot."""

    at_ms: int
    hint: str


Verdict = Met | Pending | Failed | Unreadable
