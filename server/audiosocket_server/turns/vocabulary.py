"""Rules, events and commands of the turn-taking state machine (`machine.Turns`). Data only.

Events are named in the past tense, commands in the imperative. `job` numbers the work that a command asks for. The
event that answers the command carries the same number, so that the machine can ignore an answer that comes too late.
"""

from dataclasses import dataclass

from audiosocket_server.events import CallState

__all__ = [
    "ASKED_TO",
    "CALLER_SILENT",
    "CONVERSATION_OVER",
    "SERVER_STOPS",
    "TIME_LIMIT",
    "Answered",
    "AskBackend",
    "BackendFailed",
    "BotMessage",
    "CallerAudioBegan",
    "CancelBackend",
    "CancelRecognition",
    "ChangeState",
    "Command",
    "FinishRecognition",
    "HangUpCall",
    "Listen",
    "ListenAhead",
    "MessageCame",
    "Over",
    "PlaybackBegan",
    "PlaybackEnded",
    "PlaybackNearlyOver",
    "Pushed",
    "Recognised",
    "RecognitionFailed",
    "ReleaseSpeech",
    "Speak",
    "SpeechFailed",
    "StartHold",
    "StartRecognition",
    "Stop",
    "StopHold",
    "StopSpeech",
    "TurnEvent",
    "TurnRules",
    "UtteranceBegan",
    "UtteranceEnded",
    "Warn",
]

# Reasons why the server hangs up, each a line for people. The metrics count calls by them.
CONVERSATION_OVER = "the conversation is over"
CALLER_SILENT = "the caller said nothing for too long"
TIME_LIMIT = "the call reached its time limit"
ASKED_TO = "hung up by the control API"
SERVER_STOPS = "the server stops"


@dataclass(frozen=True, slots=True)
class TurnRules:
    """Settings of turn-taking. All times are in seconds; docs/server.md explains each setting."""

    greeting: str = "Condomínio Apoena, em que posso ajudar?"
    greeting_delay_seconds: float = 2.0
    audio_wait_seconds: float = 0.0
    hears_first: bool = False
    hears_early: bool = False
    pause_seconds: float = 0.5
    hold_after_seconds: float = 3.0
    transaction_seconds: float = 30.0
    no_utterance_seconds: float = 120.0
    longest_utterance_seconds: float = 15.0
    silence_seconds: float = 2.0
    recognition_seconds: float = 15.0
    synthesis_seconds: float = 10.0
    backend_seconds: float = 30.0
    call_seconds: float = 1800.0
    barge_in: bool = False
    queued_messages: int = 16


@dataclass(frozen=True, slots=True)
class BotMessage:
    """A text for the bot to say, and the state that the call enters afterwards."""

    text: str
    status: CallState


# --- what happened ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """The call has begun: its UUID arrived."""


@dataclass(frozen=True, slots=True)
class CallerAudioBegan:
    """The first audio of the caller's side arrived: audio flows, both ways."""


@dataclass(frozen=True, slots=True)
class UtteranceBegan:
    """The caller started to speak. Reported only while listening is on (`Listen`, or `ListenAhead` and proven)."""


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The utterance ended. `noise`: it was too short to be speech."""

    noise: bool = False


@dataclass(frozen=True, slots=True)
class Recognised:
    """Speech recognition finished with this text, which may be empty."""

    job: int
    text: str


@dataclass(frozen=True, slots=True)
class RecognitionFailed:
    """Speech recognition ended with an error."""

    job: int


@dataclass(frozen=True, slots=True)
class MessageCame:
    """The backend answered with a message."""

    job: int
    message: BotMessage


@dataclass(frozen=True, slots=True)
class BackendFailed:
    """The backend gave no usable answer. `reached`: it did respond, but with an error."""

    job: int
    reached: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """The backend pushed a message of its own accord. Dropped unless `Turns.accepts_push` is True."""

    message: BotMessage


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """Synthesis of the message failed before it produced any audio."""

    job: int


@dataclass(frozen=True, slots=True)
class PlaybackBegan:
    """The first frame of the message was sent."""

    job: int


@dataclass(frozen=True, slots=True)
class PlaybackNearlyOver:
    """The last word of the message is about to end: from now on a caller's answer may begin."""

    job: int


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """Playback of the message ended, complete or not."""

    job: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The server asks for the call to be hung up. `reason`: a line for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """The connection has ended."""


TurnEvent = (
    Answered
    | CallerAudioBegan
    | UtteranceBegan
    | UtteranceEnded
    | Recognised
    | RecognitionFailed
    | MessageCame
    | BackendFailed
    | Pushed
    | SpeechFailed
    | PlaybackBegan
    | PlaybackNearlyOver
    | PlaybackEnded
    | Stop
    | Over
)


# --- what to do -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangeState:
    """Report that the call changed its state."""

    before: CallState
    after: CallState


@dataclass(frozen=True, slots=True)
class Listen:
    """Turn listening for utterances of the caller on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class ListenAhead:
    """Hear the caller, but hold back what he says until `Listen(True)`. `Listen(False)` drops it.

    `if_proven`: let it through without that, as soon as it is long enough to be speech.
    """

    if_proven: bool


@dataclass(frozen=True, slots=True)
class StartRecognition:
    """Start to recognise the utterance that has just begun."""

    job: int


@dataclass(frozen=True, slots=True)
class FinishRecognition:
    """End the audio of the recognition. Answered by `Recognised` or `RecognitionFailed`."""

    job: int


@dataclass(frozen=True, slots=True)
class CancelRecognition:
    """Discard the recognition. No answer is expected."""

    job: int


@dataclass(frozen=True, slots=True)
class AskBackend:
    """Send `content` to the backend. Answered by `MessageCame` or `BackendFailed`."""

    job: int
    content: str


@dataclass(frozen=True, slots=True)
class CancelBackend:
    """Give the request to the backend up. No answer is expected."""

    job: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Synthesise `text` and play it as soon as there is audio; if `held`, only after `ReleaseSpeech`.

    `purpose`: the purpose that `PlaybackStartedEvent` reports: greeting, reply or apology.
    """

    job: int
    text: str
    purpose: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseSpeech:
    """Let a held message play."""

    job: int


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Stop the synthesis and the playback of the message."""

    job: int


@dataclass(frozen=True, slots=True)
class StartHold:
    """Play hold audio whenever there is no speech to play."""


@dataclass(frozen=True, slots=True)
class StopHold:
    """Stop the hold audio."""


@dataclass(frozen=True, slots=True)
class Warn:
    """Record a warning; `what` is one line for people."""

    what: str


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """Hang up. `reason`: a line for people."""

    reason: str


Command = (
    ChangeState
    | Listen
    | ListenAhead
    | StartRecognition
    | FinishRecognition
    | CancelRecognition
    | AskBackend
    | CancelBackend
    | Speak
    | ReleaseSpeech
    | StopSpeech
    | StartHold
    | StopHold
    | Warn
    | HangUpCall
)
