"""One live call as it was taken down: what either side sent, and when. Data only.

Times are whole milliseconds since the UUID; what came before it counts as 0. Sound is 16-bit SLIN. The caller's words
are in it: it is private data, and whoever holds it keeps it from logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from audiosocket_sim.asterisk.profiles import Attach

__all__ = [
    "Answer",
    "BotPacket",
    "CapturedCall",
    "CapturedPush",
    "CapturedRecognition",
    "CapturedUtterance",
    "Ending",
    "Exchange",
    "Fault",
    "KeyPressed",
    "Packet",
    "ReportedState",
]

Fault = Literal["no_answer", "reset", "refused"]
"""What became of a request that got no HTTP answer: nothing came, the connection broke, nobody listened."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One audio message of the caller; `at_ms`: when it came, which is when its sound ended."""

    at_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class BotPacket:
    """One audio message of the bot, and when it reached the caller's side."""

    at_ms: int
    rate_hz: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of the caller's phone. Asterisk tells it when it comes up, at `at_ms`."""

    at_ms: int
    digit: str


@dataclass(frozen=True, slots=True)
class CapturedRecognition:
    """A final transcript that the control API told; an empty text is speech in which no words were found."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class ReportedState:
    """A change of state that the control API told."""

    at_ms: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the AI backend answered: an HTTP status, and the body where that was JSON; or, without a status, a fault."""

    at_ms: int
    http_status: int | None = None
    body: Mapping[str, Any] | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question to the AI backend: the caller's words as the bot understood them. No answer: the call was over."""

    at_ms: int
    text: str
    conversation_id: str
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class CapturedPush:
    """A later message of the backend to the control API; `http_status` is what that answered, None: nothing."""

    at_ms: int
    body: Mapping[str, Any]
    http_status: int | None = 202


@dataclass(frozen=True, slots=True)
class CapturedUtterance:
    """A stretch of the caller's speech. The cut, `start_ms` to `end_ms`, holds more than the speech itself.

    `text`: what the bot took it for; None where it recognised nothing.
    """

    start_ms: int
    end_ms: int
    speech_start_ms: int
    speech_end_ms: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the call ended, in the words of `asterisk.LegEnd`: `who` server, caller or asterisk; nobody where it was
    still going on when the capture was stopped. `how`: hangup_message, fin, reset, mid_frame, protocol or interrupted.
    """

    at_ms: int
    who: Literal["server", "caller", "asterisk", "nobody"]
    how: Literal["hangup_message", "fin", "reset", "mid_frame", "protocol", "interrupted"]


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """The whole call. `version` is the Asterisk whose rules it is replayed by; sequences are in the order of time.

    backend_captured: the AI backend was asked through the capture, so that `exchanges` are all there were.
    utterances: where the caller spoke, where that is known; None: it is to be found in his sound. redacted: no text,
    digit or sound in it is the live call's any more.
    """

    uuid: UUID
    ending: Ending
    version: str = "22.10"
    attach: Attach = "app"
    rate_hz: int = 8000
    packet_time_ms: int = 20
    caller: tuple[Packet, ...] = field(default=(), repr=False)
    bot: tuple[BotPacket, ...] = field(default=(), repr=False)
    keys: tuple[KeyPressed, ...] = field(default=(), repr=False)
    recognised: tuple[CapturedRecognition, ...] = field(default=(), repr=False)
    states: tuple[ReportedState, ...] = ()
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    pushes: tuple[CapturedPush, ...] = field(default=(), repr=False)
    backend_captured: bool = False
    utterances: tuple[CapturedUtterance, ...] | None = field(default=None, repr=False)
    redacted: bool = False
