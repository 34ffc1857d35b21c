"""One captured live call: what each side sent, and when. Data only.

Times are whole milliseconds since the UUID; anything earlier counts as 0. Sound is 16-bit SLIN. The data holds the
caller's words and voice, which are private: never write any of it to a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from audiosocket_sim.asterisk.profiles import Attach
from audiosocket_sim.scenario.cassette import RawExchange

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
    "Muted",
    "Packet",
    "ReportedState",
]

Fault = Literal["no_answer", "reset", "refused"]
"""Why a request got no HTTP answer: nothing came, the connection broke, or nothing listened at the address."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One audio message of the caller. `at_ms` is when it arrived, which is when its sound ended."""

    at_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class BotPacket:
    """One audio message of the bot. `at_ms` is when it was passed on towards the caller."""

    at_ms: int
    rate_hz: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of the caller's phone. Asterisk reports it when the key is released, at `at_ms`."""

    at_ms: int
    digit: str


@dataclass(frozen=True, slots=True)
class Muted:
    """The phone sent nothing from `start_ms` to `end_ms`; None means to the end of the call."""

    start_ms: int
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class CapturedRecognition:
    """A final transcript reported by the control API. An empty text is speech in which no words were recognised."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class ReportedState:
    """A change of the bot's state reported by the control API."""

    at_ms: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the AI backend: its HTTP status, and its body if that is a JSON object; or else a `fault`."""

    at_ms: int
    http_status: int | None = None
    body: Mapping[str, Any] | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question to the AI backend, with the caller's words as the bot understood them, and its answer.

    `answer` is None if the call ended before one came. raw: the request and the answer as they came, if the protocol is
    not the reference server's; `text` is then "" unless the request has one of the usual shapes.
    """

    at_ms: int
    text: str
    conversation_id: str
    answer: Answer | None = None
    raw: RawExchange | None = None


@dataclass(frozen=True, slots=True)
class CapturedPush:
    """A later message that the backend pushed to the control API.

    `http_status` is the control API's answer, None if it gave none.
    """

    at_ms: int
    body: Mapping[str, Any]
    http_status: int | None = 202


@dataclass(frozen=True, slots=True)
class CapturedUtterance:
    """A stretch of the caller's speech. The cut from `start_ms` to `end_ms` has some sound before and after the speech.

    `text` is what the bot recognised, None if it recognised nothing.
    """

    start_ms: int
    end_ms: int
    speech_start_ms: int
    speech_end_ms: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the call ended, in the terms of `asterisk.LegEnd`. `who` is nobody if the capture stopped before the call."""

    at_ms: int
    who: Literal["server", "caller", "asterisk", "nobody"]
    how: Literal["hangup_message", "fin", "reset", "mid_frame", "protocol", "interrupted"]


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """The whole call. All sequences are in the order of time.

    version, attach: the Asterisk whose rules the scenario is replayed by.
    backend_captured: the AI backend was asked through the capture, so that `exchanges` is complete.
    mutes: the mutes if they are known; None if they are to be found as gaps in the caller's sound.
    utterances: the caller's utterances if they are known; None if they are to be found in his sound.
    redacted: no text, digit or sound of the live call is left in it.
    n_unredacted: how many questions to the AI backend were left out, since their protocol cannot be redacted.
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
    mutes: tuple[Muted, ...] | None = None
    recognised: tuple[CapturedRecognition, ...] = field(default=(), repr=False)
    states: tuple[ReportedState, ...] = ()
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    pushes: tuple[CapturedPush, ...] = field(default=(), repr=False)
    backend_captured: bool = False
    utterances: tuple[CapturedUtterance, ...] | None = field(default=None, repr=False)
    redacted: bool = False
    n_unredacted: int = 0

    @property
    def has_raw_exchanges(self) -> bool:
        """Return True if the AI backend was asked in another protocol than the reference server's."""
        return any(exchange.raw is not None for exchange in self.exchanges)
