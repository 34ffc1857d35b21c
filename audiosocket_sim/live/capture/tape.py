"""The record of one call's traffic: appended to while the call runs, read when it is over. Pure.

Times are loop times in seconds. A tape is bounded: after `MOST_BYTES`, or when the call has lasted too long, nothing
more is recorded while the call goes on.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.scenario.cassette import RawExchange

__all__ = ["MOST_BYTES", "AskedAt", "PushedAt", "ReportedEvent", "Tape"]

MOST_BYTES = 320_000_000
"""Memory for one call: two hours of 8 kHz audio in both directions, or six minutes of 192 kHz."""

_BYTES_PER_MESSAGE = 113
"""Memory for each message beside its payload: a tuple of two, a float, and the header of a bytes object."""

_MOST_EVENTS = 10_000

Who = Literal["server", "caller", "nobody"]
How = Literal["hangup_message", "fin", "reset", "mid_frame", "interrupted"]


@dataclass(slots=True)
class AskedAt:
    """A question to the AI backend. `answered_at` and `answer` are set once there is an answer.

    The answer's own `at_ms` is 0 until `convert` sets it. raw: the request and the answer as they came.
    is_known: the question is in the reference server's protocol, as `content` and `conversation_id` show it.
    """

    at: float
    content: str
    conversation_id: str
    answered_at: float = 0.0
    answer: Answer | None = None
    raw: RawExchange | None = None
    is_known: bool = True

    @property
    def is_question(self) -> bool:
        """Return False for a request that asks nothing, such as a look at whether the backend is there (GET)."""
        return self.raw is None or self.raw.method not in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class PushedAt:
    """A message that the backend pushed to the control API. `http_status` is the API's answer, None if none came."""

    at: float
    body: dict[str, Any]
    http_status: int | None


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event of the control API: recognised words as `text`, or, with None, a change of state.

    `seconds` is the time since the UUID, by the server's own clock.
    """

    seconds: float
    text: str | None = None
    before: str = ""
    after: str = ""


@dataclass(slots=True, eq=False)
class Tape:
    """One call. `caller` and `bot` hold whole messages as bytes, each with the time at which it was passed on."""

    connected_at: float
    stops_at: float
    """From this time on nothing more is recorded."""
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
    """A line for people that names the side whose bytes were not AudioSocket, None if there was none."""
    was_audiosocket_until: float | None = None
    """If so, and the call had begun: when. What was recorded is a call up to there on that side."""
    is_full: bool = False
    """Some of the call is missing, since it was too large or too long."""
    backend_captured: bool = False
    n_bytes: int = 0

    def take(self, side: list[tuple[float, bytes]], at: float, data: bytes) -> None:
        """Record a message on one side's list. It is called for every frame, so it does no more than append."""
        self.n_bytes += len(data) + _BYTES_PER_MESSAGE
        if self.n_bytes <= MOST_BYTES and at < self.stops_at:
            side.append((at, data))
        else:
            self.is_full = True

    def has_room(self) -> bool:
        """Return True if one more question, push or event may be recorded."""
        n_events = len(self.asked) + len(self.pushed) + len(self.reported)
        return n_events < _MOST_EVENTS and self.n_bytes <= MOST_BYTES

    def forget_sound(self) -> None:
        """Drop the audio once the call has been written or has failed. Questions, pushes and events stay."""
        self.caller.clear()
        self.bot.clear()

    def end(self, at: float, who: Who, how: How) -> None:
        """Record the end of the call. Only the first end counts."""
        if self.ended_at is None:
            self.ended_at, self.who, self.how = at, who, how
