"""The events of a call, as data. The call emits them; the log, the transcript and the control API consume them.

An event holds no time and no call id: `Recorded` adds them. Words of the caller and of the AI are private: fields that
hold them are marked `private`, and the log leaves them out.
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
    "PlaybackPausedEvent",
    "PlaybackResumedEvent",
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
    """The states of a call. Their names are part of the API (docs/server.md, States)."""

    STANDBY = "STANDBY"
    USER_TURN = "USER_TURN"
    WAITING = "WAITING"
    IA_TURN = "IA_TURN"


class LatencyStage(StrEnum):
    """The stages between the caller's last word and the bot's answer (docs/speech.md, Latency)."""

    ENDPOINT = "endpoint"
    RECOGNITION = "recognition"
    BACKEND = "backend"
    FIRST_AUDIO = "first_audio"


@dataclass(frozen=True, slots=True)
class CallStartedEvent:
    """The UUID arrived, and with it the call began. `peer`: address of the caller's side, ip:port."""

    uuid: str
    peer: str


@dataclass(frozen=True, slots=True)
class StateChangedEvent:
    """The call changed its state."""

    before: CallState
    after: CallState


@dataclass(frozen=True, slots=True)
class SpeechStartedEvent:
    """The caller began to speak, in USER_TURN or, with barge-in, while the bot spoke."""


@dataclass(frozen=True, slots=True)
class SpeechEndedEvent:
    """The utterance is over. `reason`: silence, longest (time limit), or too_short (dropped as a noise).

    Over a message that goes on also backchannel, not_understood, too_soft, or other_message (one was pushed).
    """

    reason: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class TranscriptInterimEvent:
    """Recognition understood this text so far."""

    text: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class TranscriptFinalEvent:
    """Recognition of an utterance ended. `text` is empty if nothing was recognised.

    `failed`: the engine failed, as opposed to recognising nothing; `detail` says how, for the log.
    """

    text: str = field(metadata=PRIVATE)
    failed: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BackendAskedEvent:
    """The caller's words were sent to the backend."""

    content: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class BackendAnsweredEvent:
    """The backend replied. `latency_ms`: from the request to the complete reply."""

    message: str = field(metadata=PRIVATE)
    set_call_status: str
    latency_ms: int


@dataclass(frozen=True, slots=True)
class BackendFailedEvent:
    """The backend gave no usable reply. `detail` is for the log and holds no secrets.

    `kind`: http_error (it responded, but not with a valid reply) or unreachable (no response).
    """

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessagePushedEvent:
    """The backend pushed a message with POST /calls/{id}/messages."""

    message: str = field(metadata=PRIVATE)
    set_call_status: str


@dataclass(frozen=True, slots=True)
class PlaybackStartedEvent:
    """Playback of a message began: its first frame was sent. `purpose`: greeting, reply or apology."""

    purpose: str
    text: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class PlaybackFinishedEvent:
    """Playback of a message ended. `complete` is False after a barge-in, a stall, or the end of the call.

    `of_ms`: how long all of it would have lasted; null if that was not known yet. `heard`: of a message that was not
    played to its end, the words that were; null of one that was.
    """

    played_ms: int
    complete: bool
    of_ms: int | None = None
    heard: str | None = field(default=None, metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class PlaybackPausedEvent:
    """Playback of a message paused after `played_ms`, because a sound of the caller began over it."""

    played_ms: int


@dataclass(frozen=True, slots=True)
class PlaybackResumedEvent:
    """Playback of a message went on after a pause of `paused_ms`, from `from_ms` of it.

    `why`: what the sound turned out to be: too_short, backchannel, not_understood, too_soft (somebody else's
    voice), other_message (one was pushed meanwhile); or in_doubt: that is not known yet.
    """

    why: str
    paused_ms: int
    from_ms: int


@dataclass(frozen=True, slots=True)
class SynthesisFailedEvent:
    """Synthesis of a message failed, wholly or partly. If no audio was made, a recording of the same text is played."""

    detail: str


@dataclass(frozen=True, slots=True)
class HoldStartedEvent:
    """Hold audio began."""


@dataclass(frozen=True, slots=True)
class HoldStoppedEvent:
    """Hold audio ended after `duration_ms`."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class DtmfReceivedEvent:
    """The caller pressed a key."""

    digit: str = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class WarnedEvent:
    """Something is wrong, but the call continues: an unknown set_call_status, G.711 labelled as PCM, …"""

    what: str


@dataclass(frozen=True, slots=True)
class StageTookEvent:
    """A stage of an answer is over.

    `since_last_word_ms`: how long the caller has waited by now; null if the message does not answer what the caller
    said (a push after the first message).
    """

    stage: LatencyStage
    duration_ms: int
    since_last_word_ms: int | None


@dataclass(frozen=True, slots=True)
class CallEndedEvent:
    """The call is over: the last event of every call. `by`: server, caller or error; `reason`: a line for people."""

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
    | PlaybackPausedEvent
    | PlaybackResumedEvent
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
    """An event with its place in the call: its number, from 1, and its time in seconds since the UUID."""

    call_id: str
    number: int
    at_seconds: float
    event: CallEvent

    @property
    def type(self) -> str:
        """The event's name in the API: `state_changed` for a `StateChangedEvent`."""
        name = type(self.event).__name__.removesuffix("Event")
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

    def to_json(self) -> dict[str, object]:
        """Return the event as the control API sends it: number, at, type, and the event's own fields."""
        return {"number": self.number, "at": round(self.at_seconds, 3), "type": self.type, **asdict(self.event)}

    def loggable(self) -> dict[str, object]:
        """Return the same as `to_json` without the private fields, for the log."""
        private = {f.name for f in fields(self.event) if f.metadata.get("private")}
        return {key: value for key, value in self.to_json().items() if key not in private}
