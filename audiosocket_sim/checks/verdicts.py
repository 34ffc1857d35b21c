"""What is known at a moment of a call, what a `never` watches, and the verdicts on both. Data only."""

from collections.abc import Collection
from dataclasses import dataclass, field

from audiosocket_sim.call_log.events import MessageCount

__all__ = ["GRACE_MS", "Broken", "Failed", "Met", "Moment", "OtherCalls", "Pending", "Sent", "Verdict", "Watched"]

GRACE_MS = 20
"""One frame (ms): an event at the deadline is known at most so much later."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the server has sent. `counts`: since the UUID, by kind; `since_ms` and `messages`: since the step began.

    `loudest_dbfs` and `loudest_since_dbfs`: the level of the loudest sample that reached the phone, since the UUID and
    since the step began; None: all samples were 0, or there were none. `pause_ms`: the longest time since the step
    began in which the server sent no audio, from and to, in ms since the UUID.
    """

    counts: tuple[MessageCount, ...]
    loudest_dbfs: float | None
    since_ms: int
    messages: int
    loudest_since_dbfs: float | None
    pause_ms: tuple[int, int]


@dataclass(frozen=True, slots=True)
class OtherCalls:
    """What is known of the other calls of a scenario with several, by their callers' names.

    `served`: those to which the bot has sent sound; `in_progress`: those of them that are not over. `heard`: the known
    phrases that were heard in a call that was made meanwhile: by whom, the text, and when, in ms on this call's clock.
    """

    served: tuple[str, ...] = ()
    in_progress: tuple[str, ...] = ()
    heard: tuple[tuple[str, str, int], ...] = ()
    began: tuple[tuple[str, int], ...] = ()
    """When each of those that are served began, in ms on this call's clock."""
    ended: tuple[tuple[str, int], ...] = ()
    """When each of those that are over ended, likewise."""


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
    being_read: Collection[int] = field(default=frozenset())
    """The numbers of the entries whose words a reader is still reading."""
    asks_backend: bool = False
    """Whether the scenario has an AI backend that the bot is to ask."""
    sent: Sent | None = None
    """What the server has sent; None where it is not known, or not asked for."""
    notes: tuple[str, ...] = ()
    """What else is known of the wire, such as a message that Asterisk dropped."""
    others: OtherCalls = OtherCalls()
    """What is known of the other calls, if there are several."""


@dataclass(frozen=True, slots=True)
class Met:
    """The expectation is met. `at_ms`: when; `completed_ms`: the next step counts from there; `entry`: the number of
    the entry that met it, which meets no other. `began_with`: the entry with which a condition that was true already
    began. `took_ms`: what was measured, if it is a time."""

    at_ms: int
    completed_ms: int
    entry: int | None = None
    began_with: int | None = field(default=None, compare=False)
    took_ms: int | None = None
    also: tuple[int, ...] = ()
    """The numbers of further entries, where several stretches of speech have met it together."""


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
class Watched:
    """What a `never` watches: from `from_ms` to `to_ms` (ms since the UUID, both included), each event once.

    `taken`: the numbers of the entries that met the steps before. `completed_by`: the entry that completed the step
    before, also where it is a condition that goes on. `hung_up_ms`: when the caller hung up; None: he did not. What
    his hanging up brings about does not count.
    """

    from_ms: int
    to_ms: int
    taken: Collection[int] = field(default=frozenset())
    completed_by: int | None = None
    hung_up_ms: int | None = None


Verdict = Met | Pending | Failed
