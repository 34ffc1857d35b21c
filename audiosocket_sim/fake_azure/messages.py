"""The service's messages in a turn, as data and as frames. Pure.

Offsets and durations are milliseconds from the first audio of the turn; on the wire they are in units of 100 ns.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from audiosocket_sim.fake_azure.frames import Frame

__all__ = [
    "AudioChunk",
    "Hypothesis",
    "ResponseBegan",
    "ServiceMessage",
    "SpeechEndDetected",
    "SpeechPhrase",
    "SpeechStartDetected",
    "Status",
    "TurnEnded",
    "TurnStarted",
    "WordBoundary",
    "frame_of",
    "path_of",
]

Status = Literal[
    "Success",
    "NoMatch",
    "InitialSilenceTimeout",
    "BabbleTimeout",
    "EndOfDictation",
    "Error",
    "TooManyRequests",
    "BadRequest",
    "Forbidden",
    "ServiceUnavailable",
]

_TICKS_PER_MS = 10_000


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The first message of every turn. The client repeats the tag when it resumes a turn."""

    service_tag: str


@dataclass(frozen=True, slots=True)
class SpeechStartDetected:
    """The caller began to speak."""

    offset_ms: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An interim result: the text recognised so far."""

    text: str
    offset_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEndDetected:
    """The caller fell silent, or the audio ended."""

    offset_ms: int


@dataclass(frozen=True, slots=True)
class SpeechPhrase:
    """A final result. `detailed` adds the list of alternatives, which has one entry."""

    status: Status
    text: str
    offset_ms: int
    duration_ms: int
    detailed: bool = False


@dataclass(frozen=True, slots=True)
class ResponseBegan:
    """Synthesised audio follows, with this stream id."""

    stream_id: str


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of synthesised audio, in the format that the client asked for."""

    data: bytes
    stream_id: str


@dataclass(frozen=True, slots=True)
class WordBoundary:
    """When a word of the synthesised audio is said, or a punctuation mark behind it."""

    text: str
    offset_ms: int
    duration_ms: int
    is_punctuation: bool = False


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The last message of every turn."""


ServiceMessage = (
    TurnStarted
    | SpeechStartDetected
    | Hypothesis
    | SpeechEndDetected
    | SpeechPhrase
    | ResponseBegan
    | AudioChunk
    | WordBoundary
    | TurnEnded
)

_PATHS: dict[type[ServiceMessage], str] = {
    TurnStarted: "turn.start",
    SpeechStartDetected: "speech.startDetected",
    Hypothesis: "speech.hypothesis",
    SpeechEndDetected: "speech.endDetected",
    SpeechPhrase: "speech.phrase",
    ResponseBegan: "response",
    AudioChunk: "audio",
    WordBoundary: "audio.metadata",
    TurnEnded: "turn.end",
}


def path_of(message: ServiceMessage) -> str:
    """Return the message's name on the wire, such as `speech.phrase`."""
    return _PATHS[type(message)]


def frame_of(message: ServiceMessage, request_id: str) -> Frame:
    """Return the message as a frame for the client."""
    if isinstance(message, AudioChunk):
        return Frame("audio", request_id, message.data, {"X-StreamId": message.stream_id})
    body = json.dumps(_body(message), ensure_ascii=False)
    return Frame(path_of(message), request_id, body, {"Content-Type": "application/json; charset=utf-8"})


def _body(message: ServiceMessage) -> dict[str, Any]:
    match message:
        case TurnStarted(tag):
            return {"context": {"serviceTag": tag}}
        case SpeechStartDetected(offset_ms) | SpeechEndDetected(offset_ms):
            return {"Offset": offset_ms * _TICKS_PER_MS}
        case Hypothesis(text, offset_ms, duration_ms):
            return {"Text": text, "Offset": offset_ms * _TICKS_PER_MS, "Duration": duration_ms * _TICKS_PER_MS}
        case ResponseBegan(stream_id):
            return {"context": {"serviceTag": stream_id}, "audio": {"type": "inline", "streamId": stream_id}}
        case SpeechPhrase():
            return _phrase_body(message)
        case WordBoundary():
            return {"Metadata": [{"Type": "WordBoundary", "Data": _word_data(message)}]}
    return {}


def _word_data(word: WordBoundary) -> dict[str, Any]:
    kind = "PunctuationBoundary" if word.is_punctuation else "WordBoundary"
    text = {"Text": word.text, "Length": len(word.text), "BoundaryType": kind}
    return {"Offset": word.offset_ms * _TICKS_PER_MS, "Duration": word.duration_ms * _TICKS_PER_MS, "text": text}


def _phrase_body(phrase: SpeechPhrase) -> dict[str, Any]:
    body: dict[str, Any] = {
        "RecognitionStatus": phrase.status,
        "Offset": phrase.offset_ms * _TICKS_PER_MS,
        "Duration": phrase.duration_ms * _TICKS_PER_MS,
    }
    if phrase.status == "Success":
        body["DisplayText"] = phrase.text
        if phrase.detailed:
            plain = phrase.text.lower()
            forms = {"Lexical": plain, "ITN": plain, "MaskedITN": plain, "Display": phrase.text}
            body["NBest"] = [{"Confidence": 0.9, **forms}]
    return body
