"""Parse a client's requests: the upgrade's path and headers, `speech.context`, `synthesis.context` and SSML. Pure.

Malformed input raises `InvalidRequest` and nothing else. Unknown fields of a context are ignored, as by the service.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

__all__ = [
    "InvalidRequest",
    "RecognitionRequest",
    "ServiceKind",
    "SynthesisRequest",
    "UpgradeRequest",
    "output_format_of",
    "read_recognition",
    "read_ssml",
    "read_upgrade",
    "wants_words",
]

ServiceKind = Literal["recognition", "synthesis"]

_LARGEST_SSML = 100_000
_ONCE_SILENCE_MS, _CONTINUOUS_SILENCE_MS = 5_000, 15_000
_SEGMENTATION_MS = 600
_VOICE_LANGUAGE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-", re.ASCII)
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class InvalidRequest(ValueError):
    """A request cannot be parsed or is not supported. One line, which the client gets too."""


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """The upgrade request of a connection. `key` is the subscription key or the token, "" if there is none."""

    service: ServiceKind
    path: str
    key: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """How one turn is to be recognised. `language` is "" if the client did not say; `once` means a single phrase."""

    language: str
    once: bool
    detailed: bool
    initial_silence_ms: int
    segmentation_ms: int
    """How much silence ends a phrase."""
    continued: bool
    """The client resumes a turn that a lost connection cut off, and sends the unrecognised audio again."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """A text to speak, with the names of the voice and of the language ("" if not given)."""

    text: str
    voice: str
    language: str


def read_upgrade(target: str, headers: Mapping[str, str]) -> UpgradeRequest | None:
    """Return the upgrade request, None if `target` (path and query) is no path of the service.

    Header names may be in any case. `/tts/` or `/websocket/` in the path means synthesis, any other known path
    recognition.
    """
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sent = {name.lower(): value for name, value in headers.items()}
    token = sent.get("authorization", query.get("Authorization", ""))
    key = sent.get("ocp-apim-subscription-key") or query.get("Ocp-Apim-Subscription-Key")
    key = key or token.removeprefix("Bearer ").strip()
    path = parts.path.rstrip("/") or "/"
    if "/tts/" in path or "/websocket/" in path:
        return UpgradeRequest("synthesis", path, key, query)
    if path == "/" or any(word in path for word in ("/stt", "/speech", "/recognition", "/universal")):
        return UpgradeRequest("recognition", path, key, query)
    return None


def read_recognition(context: str | bytes, upgrade: UpgradeRequest) -> RecognitionRequest:
    """Parse `speech.context`. On the older paths, mode, language and format come from the path and the query.

    Raises InvalidRequest.
    """
    data = _mapping(_json(context, "speech.context"))
    detection, output = _mapping(data.get("phraseDetection")), _mapping(data.get("phraseOutput"))
    mode = str(detection.get("mode") or ("interactive" if "/interactive/" in upgrade.path else "conversation"))
    segmentation = _mapping(_mapping(detection.get(mode)).get("segmentation"))
    once = mode.casefold() == "interactive"
    silence = detection.get("initialSilenceTimeout") or upgrade.query.get("initialSilenceTimeoutMs")
    return RecognitionRequest(
        language=str(detection.get("language") or upgrade.query.get("language") or ""),
        once=once,
        detailed=str(output.get("format") or upgrade.query.get("format") or "").casefold() == "detailed",
        initial_silence_ms=_number(silence) or (_ONCE_SILENCE_MS if once else _CONTINUOUS_SILENCE_MS),
        segmentation_ms=_number(segmentation.get("segmentationSilenceTimeoutMs")) or _SEGMENTATION_MS,
        continued="continuation" in data,
    )


def output_format_of(context: str | bytes) -> str:
    """Return the name of the audio format that `synthesis.context` asks for. Raises InvalidRequest."""
    audio = _mapping(_mapping(_mapping(_json(context, "synthesis.context")).get("synthesis")).get("audio"))
    name = audio.get("outputFormat")
    if not isinstance(name, str):
        raise InvalidRequest("synthesis.context: synthesis.audio.outputFormat is missing")
    return name


def wants_words(context: str | bytes) -> bool:
    """Return whether `synthesis.context` asks for the times of words. Raises InvalidRequest."""
    audio = _mapping(_mapping(_mapping(_json(context, "synthesis.context")).get("synthesis")).get("audio"))
    enabled = _mapping(audio.get("metadataOptions")).get("wordBoundaryEnabled")
    return str(enabled).casefold() == "true"  # the SDK of one language writes a text, of another a boolean


def read_ssml(ssml: str | bytes) -> SynthesisRequest:
    """Return all text of the SSML as one line, with its first voice. Raises InvalidRequest.

    The language comes from the voice's name, and from `xml:lang` only without one: the SDK writes en-US there for every
    plain text.
    """
    text = ssml if isinstance(ssml, str) else ssml.decode(errors="replace")
    if len(text) > _LARGEST_SSML:
        raise InvalidRequest(f"the SSML has more than {_LARGEST_SSML} characters")
    if "<!DOCTYPE" in text:
        raise InvalidRequest("the SSML has a DOCTYPE, which is not accepted")  # its entities could expand without end
    try:
        speak = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InvalidRequest(f"the SSML is not valid XML: {error}") from None
    if _tag(speak) != "speak":
        raise InvalidRequest(f"the SSML begins with <{_tag(speak)}>; expected <speak>")
    voice = next((part.get("name", "") for part in speak.iter() if _tag(part) == "voice"), "")
    named = _VOICE_LANGUAGE.match(voice)
    language = named[1] if named else speak.get(_XML_LANG, "")
    return SynthesisRequest(" ".join("".join(speak.itertext()).split()), voice, language)


def _tag(element: "ElementTree.Element") -> str:
    return element.tag.rpartition("}")[2]


def _json(text: str | bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{name} is not valid JSON") from None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    """Return a positive whole number, which may be written as text; 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
