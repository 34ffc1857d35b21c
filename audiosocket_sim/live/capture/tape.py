"""What went by in one call, as it went by: appended on the way, read when the call is over. No input or output.

Times are the loop's. What a tape is for is bounded: past `MOST_BYTES`, or when its call has gone on for too long, it
takes nothing more, while the call goes on.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from audiosocket_sim.live.captured_call import Answer

__all__ = ["MOST_BYTES", "AskedAt", "PushedAt", "ReportedEvent", "Tape"]

MOST_BYTES = 320_000_000
"""Of memory: two hours of 8 kHz, both ways; six minutes of 192 kHz."""

_BYTES_PER_MESSAGE = 113
"""Of a message on a tape, beside what it carries: a tuple of two, a float, and the head of a bytes object."""

_MOST_EVENTS = 10_000

Who = Literal["server", "caller", "nobody"]
How = Literal["hangup_message", "fin", "reset", "mid_frame", "interrupted"]


@dataclass(slots=True)
class AskedAt:
    """A question to the AI backend; `answered_at` and `answer` once there is one (its own time is not set yet)."""

    at: float
    content: str
    conversation_id: str
    answered_at: float = 0.0
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class PushedAt:
    at: float
    body: dict[str, Any]
    http_status: int | None


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event of the control API, which counts its own seconds since the UUID. `text`: what was recognised; or the
    states."""

    seconds: float
    text: str | None = None
    before: str = ""
    after: str = ""


@dataclass(slots=True, eq=False)
class Tape:
    """One call. The two sides' lists hold whole messages as bytes, with the time at which they were passed on."""

    connected_at: float
    stops_at: float
    """When it takes nothing more."""
    uuid: str | None = None
    caller: list[tuple[float, bytes]] = field(default_factory=list)
    bot: list[tuple[float, bytes]] = field(default_factory=list)
    asked: list[AskedAt] = field(default_factory=list)
    pushed: list[PushedAt] = field(default_factory=list)
    reported: list[ReportedEvent] = field(default_factory=list)
    ended_at: float | None = None
    who: Who = "nobody"
    how: How = "interrupted"
    no_audiosocket: str | None = None
    """Which side's bytes were no AudioSocket, in words."""
    is_full: bool = False
    backend_captured: bool = False
    n_bytes: int = 0

    def take(self, side: list[tuple[float, bytes]], at: float, data: bytes) -> None:
        """Called for every frame: nothing but an append."""
        self.n_bytes += len(data) + _BYTES_PER_MESSAGE
        if self.n_bytes <= MOST_BYTES and at < self.stops_at:
            side.append((at, data))
        else:
            self.is_full = True

    def has_room(self) -> bool:
        """Whether an event that is no sound is still taken."""
        return len(self.asked) + len(self.pushed) + len(self.reported) < _MOST_EVENTS

    def forget_sound(self) -> None:
        """It is written down, or lost: what is still known of the call is who asked what."""
        self.caller.clear()
        self.bot.clear()

    def end(self, at: float, who: Who, how: How) -> None:
        """The first thing that ends a call is what ended it."""
        if self.ended_at is None:
            self.ended_at, self.who, self.how = at, who, how
