"""What a client asks for: read out of the upgrade's path and headers, `speech.context`, `synthesis.context` and SSML.

Pure. Malformed input raises `NotUnderstood` and nothing else. What the fake does not know in a context is passed over,
as the service does.
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
]

ServiceKind = Literal["recognition", "synthesis"]

_LARGEST_SSML = 100_000
_ONCE_SILENCE_MS, _CONTINUOUS_SILENCE_MS = 5_000, 15_000
_SEGMENTATION_MS = 600
_VOICE_LANGUAGE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-", re.ASCII)
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class InvalidRequest(ValueError):
    """The client asks for what this service cannot read or do. One line, which the client gets too."""


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """What is known before the first message. `key` is the subscription key or the token; empty where there is none."""

    service: ServiceKind
    path: str
    key: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """How one turn is to be recognised."""

    language: str
    once: bool
    detailed: bool
    initial_silence_ms: int
    segmentation_ms: int
    """Silence that ends a phrase."""
    continued: bool
    """The client takes up a turn that a lost connection cut off, and sends again what was not recognised."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """What is to be spoken."""

    text: str
    voice: str
    language: str


def read_upgrade(target: str, headers: Mapping[str, str]) -> UpgradeRequest | None:
    """The upgrade request; None for a path on which there is no such service. `headers` by name in any case.

    A path without `tts` and `websocket` in it is recognition's: what a client's own endpoint names is its affair.
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
    """`speech.context`; on the older paths mode, language and format stand in path and query."""
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
    """The name of the audio format that `synthesis.context` asks for."""
    audio = _mapping(_mapping(_mapping(_json(context, "synthesis.context")).get("synthesis")).get("audio"))
    name = audio.get("outputFormat")
    if not isinstance(name, str):
        raise InvalidRequest("synthesis.context: synthesis.audio.outputFormat is missing")
    return name


def read_ssml(ssml: str | bytes) -> SynthesisRequest:
    """The text of all that is spoken, in one line, with its first voice.

    The language is the voice's: what `xml:lang` says is en-US whenever the SDK wraps a plain text.
    """
    text = ssml if isinstance(ssml, str) else ssml.decode(errors="replace")
    if len(text) > _LARGEST_SSML:
        raise InvalidRequest(f"SSML of more than {_LARGEST_SSML} characters")
    if "<!DOCTYPE" in text:
        raise InvalidRequest("SSML with a DOCTYPE")  # which may define entities without end
    try:
        speak = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InvalidRequest(f"the SSML is no XML: {error}") from None
    if _tag(speak) != "speak":
        raise InvalidRequest(f"SSML begins with <speak>, not with <{_tag(speak)}>")
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
        raise InvalidRequest(f"{name} is no JSON") from None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    """A positive whole number that may be written as text; else 0."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
