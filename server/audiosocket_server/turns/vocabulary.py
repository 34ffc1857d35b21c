"""The words of `turns`: the rules, what may happen (past tense), and what is to be done (imperative). Data only.

`job` numbers the work that a command asks for; the answer carries it back, so that a late one can be told from the one
that is waited for.
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
    "CancelBackend",
    "CancelRecognition",
    "ChangeState",
    "Command",
    "FinishRecognition",
    "HangUpCall",
    "Listen",
    "MessageCame",
    "Over",
    "PlaybackBegan",
    "PlaybackEnded",
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

# Why the server hangs up, in a line for people; the metrics count calls by it.
CONVERSATION_OVER = "the conversation is over"
CALLER_SILENT = "the caller said nothing for too long"
TIME_LIMIT = "the call reached its time limit"
ASKED_TO = "hung up by the control API"
SERVER_STOPS = "the server stops"


@dataclass(frozen=True, slots=True)
class TurnRules:
    """The settings that turns obey. Seconds all."""

    greeting: str = "Condomínio Apoena, em que posso ajudar?"
    greeting_delay_seconds: float = 2.0
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
    """Something to say, and what to do afterwards."""

    text: str
    status: CallState


# --- what happened ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is there: its UUID came."""


@dataclass(frozen=True, slots=True)
class UtteranceBegan:
    """The caller speaks. Told only while `Listen` is on."""


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """`noise`: too short to be speech."""

    noise: bool = False


@dataclass(frozen=True, slots=True)
class Recognised:
    job: int
    text: str


@dataclass(frozen=True, slots=True)
class RecognitionFailed:
    job: int


@dataclass(frozen=True, slots=True)
class MessageCame:
    """The backend's answer."""

    job: int
    message: BotMessage


@dataclass(frozen=True, slots=True)
class BackendFailed:
    """`reached`: it answered, but with no answer."""

    job: int
    reached: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """The backend delivers a message by itself. Ask `accepts_push` first: one that is not accepted is dropped."""

    message: BotMessage


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """No audio comes of the message: its synthesis failed before any did."""

    job: int


@dataclass(frozen=True, slots=True)
class PlaybackBegan:
    job: int


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    job: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The server wants the call to end."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """The connection is gone."""


TurnEvent = (
    Answered
    | UtteranceBegan
    | UtteranceEnded
    | Recognised
    | RecognitionFailed
    | MessageCame
    | BackendFailed
    | Pushed
    | SpeechFailed
    | PlaybackBegan
    | PlaybackEnded
    | Stop
    | Over
)


# --- what to do -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangeState:
    before: CallState
    after: CallState


@dataclass(frozen=True, slots=True)
class Listen:
    """Let caller speech count, or not."""

    on: bool


@dataclass(frozen=True, slots=True)
class StartRecognition:
    job: int


@dataclass(frozen=True, slots=True)
class FinishRecognition:
    """No more audio: answer with Recognised or RecognitionFailed."""

    job: int


@dataclass(frozen=True, slots=True)
class CancelRecognition:
    job: int


@dataclass(frozen=True, slots=True)
class AskBackend:
    """Answer with MessageCame or BackendFailed."""

    job: int
    content: str


@dataclass(frozen=True, slots=True)
class CancelBackend:
    job: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Make the speech and play it as soon as it is there; `held`: at ReleaseSpeech. `purpose`: as PlaybackStarted."""

    job: int
    text: str
    purpose: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseSpeech:
    job: int


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Give the message up: no more of it is made or played."""

    job: int


@dataclass(frozen=True, slots=True)
class StartHold:
    pass


@dataclass(frozen=True, slots=True)
class StopHold:
    pass


@dataclass(frozen=True, slots=True)
class Warn:
    what: str


@dataclass(frozen=True, slots=True)
class HangUpCall:
    reason: str


Command = (
    ChangeState
    | Listen
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
