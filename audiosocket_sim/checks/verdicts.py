"""What is known at a moment of a call, and what can be said then of an expectation. Data only."""

from collections.abc import Collection
from dataclasses import dataclass, field

__all__ = ["GRACE_MS", "Broken", "Failed", "Met", "Moment", "Pending", "Unreadable", "Verdict"]

GRACE_MS = 20
"""One frame: what happened at the deadline is known at the latest so much later."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the call now, beside the log. All times are ms since the UUID; None: not the case."""

    now_ms: int
    base_ms: int
    deadline_ms: int
    speaking_since_ms: int | None = None
    open_speech_at_ms: int | None = None
    silent_since_ms: int | None = None
    hold_since_ms: int | None = None
    state: str | None = None
    taken: Collection[int] = field(default=frozenset())
    """Numbers of entries that earlier expectations have taken."""


@dataclass(frozen=True, slots=True)
class Met:
    """`at_ms`: when it happened; `completed_ms`: what the next step counts from; `entry`: what is taken by it."""

    at_ms: int
    completed_ms: int
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Not yet. `recheck_ms`: look again then, even if nothing happens (None: an event will tell)."""

    recheck_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """`happened`: what was heard or asked instead, a line each, the nearest thing marked."""

    expected: str
    happened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """What must never happen did: when, and what, as one line."""

    at_ms: int
    happened: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bot spoke in a voice that the ear cannot read: a fault of the set-up, not of the bot."""

    at_ms: int
    hint: str


Verdict = Met | Pending | Failed | Unreadable
