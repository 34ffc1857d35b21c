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
    "DropUtterance",
    "FinishRecognition",
    "HangUpCall",
    "Listen",
    "ListenAhead",
    "MessageCame",
    "Over",
    "PauseSpeech",
    "PlaybackBegan",
    "PlaybackEnded",
    "PlaybackNearlyOver",
    "Pushed",
    "Recognised",
    "RecognitionFailed",
    "ReleaseSpeech",
    "ResumeSpeech",
    "SoundStirs",
    "Speak",
    "SpeechFailed",
    "StartHold",
    "StartRecognition",
    "Stop",
    "StopHold",
    "StopSpeech",
    "Tried",
    "TryRecognition",
    "TurnEvent",
    "TurnRules",
    "UtteranceBegan",
    "UtteranceEnded",
    "UtterancePaused",
    "UtteranceWentOn",
    "VoiceLasts",
    "VoiceWeighed",
    "Warn",
    "WordsHeard",
]

# Reasons why the server hangs up, each a line for people. The metrics count calls by them.
CONVERSATION_OVER = "the conversation is over"
CALLER_SILENT = "the caller said nothing for too long"
TIME_LIMIT = "the call reached its time limit"
ASKED_TO = "hung up by the control API"
SERVER_STOPS = "the server stops"


@dataclass(frozen=True, slots=True)
class TurnRules:
    """Settings of turn-taking. All times are in seconds; docs/server.md explains each setting.

    `tells_words`: the engine tells words before an utterance ends (`WordsHeard`). `doubt_seconds`: the longest pause of
    a message over which somebody speaks; 0: it is stopped at once. `backchannels`: instead of the language's list.
    """

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
    doubt_seconds: float = 0.85
    tells_words: bool = False
    language: str = "pt-BR"
    backchannels: tuple[str, ...] | None = None
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
    """The caller started to speak. Reported only while listening is on (`Listen`, or `ListenAhead` and proven).

    `left_ms`: how much of the bot's message is left to play; None: that is not known, or there is none. `quiet_ms`: for
    how long it has been in a pause between its own words, which the caller hears as a part of a longer one.
    """

    left_ms: int | None = None
    quiet_ms: int = 0


@dataclass(frozen=True, slots=True)
class UtterancePaused:
    """The caller has been silent for a short while within his utterance. `noise`: it is too short to be speech yet."""

    noise: bool = False


@dataclass(frozen=True, slots=True)
class UtteranceWentOn:
    """The caller speaks again after `UtterancePaused`."""


@dataclass(frozen=True, slots=True)
class SoundStirs:
    """After `UtterancePaused`: there is sound again, but too little of it yet to say that the caller went on."""


@dataclass(frozen=True, slots=True)
class VoiceWeighed:
    """Of speech over a message: it is too soft to be the caller's own voice (True), or as loud as he is (False).

    `over`: it has ended, or pauses; so what was said will be tried. `is_alike`: too soft, but it sounds just like him.
    `may_be_his`: or at least like him.
    """

    soft: bool
    over: bool = False
    is_alike: bool = False
    may_be_his: bool = False


@dataclass(frozen=True, slots=True)
class VoiceLasts:
    """Of speech over a message: it has gone on for longer than a back-channel does."""


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """Recognition has understood this text so far; the utterance is not over."""

    text: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial of the utterance so far (`TryRecognition`) gave this text, which may be empty. `job`: the utterance's."""

    job: int
    text: str


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
    | UtterancePaused
    | UtteranceWentOn
    | SoundStirs
    | VoiceLasts
    | VoiceWeighed
    | WordsHeard
    | Tried
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
class TryRecognition:
    """Recognise what was heard of the utterance so far, beside its recognition, which goes on. Answered by `Tried`."""

    job: int


@dataclass(frozen=True, slots=True)
class DropUtterance:
    """Forget the utterance that is being heard; listening goes on. `why`: one word of `yielding`."""

    why: str


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
class PauseSpeech:
    """Pause the playback of the message at once."""

    job: int


@dataclass(frozen=True, slots=True)
class ResumeSpeech:
    """Play the message on from where it was paused. `why`: one word of `yielding`."""

    job: int
    why: str


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
    | TryRecognition
    | DropUtterance
    | AskBackend
    | CancelBackend
    | Speak
    | ReleaseSpeech
    | StopSpeech
    | PauseSpeech
    | ResumeSpeech
    | StartHold
    | StopHold
    | Warn
    | HangUpCall
)
