"""What happened in a call, as data. The call emits these; the log, the transcript and the control API consume them.

An event holds no time and no call id: `Recorded` adds them. Words of the caller or of the AI are private: such fields
carry `private`, and the log leaves them out.
"""

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum

__all__ = [
    "BackendAnsweredEvent",
    "BackendAskedEvent",
    "BackendFailedEvent",
    "CallEndedEvent",
    "CallEvent",
    "CallStartedEvent",
    "CallState",
    "DtmfReceivedEvent",
    "HoldStartedEvent",
    "HoldStoppedEvent",
    "LatencyStage",
    "MessagePushedEvent",
    "PlaybackFinishedEvent",
    "PlaybackStartedEvent",
    "Recorded",
    "SpeechEndedEvent",
    "SpeechStartedEvent",
    "StageTookEvent",
    "StateChangedEvent",
    "SynthesisFailedEvent",
    "TranscriptFinalEvent",
    "TranscriptInterimEvent",
    "WarnedEvent",
]

PRIVATE = {"private": True}


class CallState(StrEnum):
    """The states of a call. The names are part of the API (docs/server.md, States)."""

    STANDBY = "STANDBY"
    USER_TURN = "USER_TURN"
    WAITING = "WAITING"
    IA_TURN = "IA_TURN"


class LatencyStage(StrEnum):
    """The stages between the caller's last word and the answer (docs/speech.md, Latency)."""

    ENDPOINT = "endpoint"
    RECOGNITION = "recognition"
    BACKEND = "backend"
    FIRST_AUDIO = "first_audio"


@dataclass(frozen=True, slots=True)
class CallStartedEvent:
    """The UUID arrived: the call exists."""

    uuid: str
    peer: str


@dataclass(frozen=True, slots=True)
class StateChangedEvent:
    before: CallState
    after: CallState


@dataclass(frozen=True, slots=True)
class SpeechStartedEvent:
    """The caller began to speak, in USER_TURN (or, with barge-in on, over the bot)."""


@dataclass(frozen=True, slots=True)
class SpeechEndedEvent:
    """The utterance is over. `reason`: silence, longest (the longest utterance), or too_short (dropped as a noise)."""

    reason: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class TranscriptInterimEvent:
    text: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class TranscriptFinalEvent:
    """What was recognised; empty where nothing was. `failed`: the engine broke, as against heard nothing; `detail` says
    how, for the log."""

    text: str = field(metadata=PRIVATE)
    failed: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BackendAskedEvent:
    content: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class BackendAnsweredEvent:
    message: str = field(metadata=PRIVATE)
    set_call_status: str
    latency_ms: int


@dataclass(frozen=True, slots=True)
class BackendFailedEvent:
    """`kind`: http_error (an answer that is no answer) or unreachable. `detail` is for the log, without secrets."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessagePushedEvent:
    """The backend delivered a message by POST /calls/{id}/messages."""

    message: str = field(metadata=PRIVATE)
    set_call_status: str


@dataclass(frozen=True, slots=True)
class PlaybackStartedEvent:
    """The first audio of a message goes out. `purpose`: greeting, reply or apology."""

    purpose: str
    text: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class PlaybackFinishedEvent:
    """The message was played, wholly (`complete`) or up to a barge-in or the end of the call."""

    played_ms: int
    complete: bool


@dataclass(frozen=True, slots=True)
class SynthesisFailedEvent:
    """The message, or its rest, could not be made. A recording of the same text, where there is one, is played."""

    detail: str


@dataclass(frozen=True, slots=True)
class HoldStartedEvent:
    """Hold audio began."""


@dataclass(frozen=True, slots=True)
class HoldStoppedEvent:
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DtmfReceivedEvent:
    digit: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class WarnedEvent:
    """Something is off, and the call goes on (an unknown set_call_status, G.711 labelled as PCM, …)."""

    what: str


@dataclass(frozen=True, slots=True)
class StageTookEvent:
    """A stage of an answer is over. `since_last_word_ms`: what the caller has waited by now; null where the message
    answers no word of his (a push after the first message)."""

    stage: LatencyStage
    duration_ms: int
    since_last_word_ms: int | None


@dataclass(frozen=True, slots=True)
class CallEndedEvent:
    """The call is over: once per call, always last. `by`: server, caller or error. `reason` is one plain line."""

    by: str
    reason: str
    duration_ms: int


CallEvent = (
    CallStartedEvent
    | StateChangedEvent
    | SpeechStartedEvent
    | SpeechEndedEvent
    | TranscriptInterimEvent
    | TranscriptFinalEvent
    | BackendAskedEvent
    | BackendAnsweredEvent
    | BackendFailedEvent
    | MessagePushedEvent
    | PlaybackStartedEvent
    | PlaybackFinishedEvent
    | SynthesisFailedEvent
    | HoldStartedEvent
    | HoldStoppedEvent
    | DtmfReceivedEvent
    | WarnedEvent
    | StageTookEvent
    | CallEndedEvent
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in the call: number from 1, seconds since the UUID."""

    call_id: str
    number: int
    at_seconds: float
    event: CallEvent

    @property
    def type(self) -> str:
        """The event's name in the API: `StateChangedEvent` -> `state_changed`."""
        name = type(self.event).__name__.removesuffix("Event")
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

    def to_json(self) -> dict[str, object]:
        """What the control API sends: number, at, type, and the event's own fields."""
        return {"number": self.number, "at": round(self.at_seconds, 3), "type": self.type, **asdict(self.event)}

    def loggable(self) -> dict[str, object]:
        """The same without the private fields, for the log."""
        private = {f.name for f in fields(self.event) if f.metadata.get("private")}
        return {key: value for key, value in self.to_json().items() if key not in private}
