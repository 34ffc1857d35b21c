"""The unmodified Azure Speech SDK as tests use it: blocking, every wait with a deadline, cleaned up in its own order.

What the SDK does by itself in its threads ends before any of these functions returns.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

DEADLINE_SECONDS = 20.0
_BLOCK_BYTES = 320


@dataclass(slots=True)
class Heard:
    """What came of a recognition: the SDK's events in order, as (name, text or code)."""

    events: list[tuple[str, str]] = field(default_factory=list)
    offsets: list[tuple[float, float]] = field(default_factory=list)
    """Of the final texts: offset and duration in seconds."""
    ended: bool = False

    def of(self, kind: str) -> list[str]:
        return [text for name, text in self.events if name == kind]

    @property
    def finals(self) -> list[str]:
        return self.of("recognized")


def config(address: str, key: str, *, host: bool = False, **properties: str) -> Any:
    import azure.cognitiveservices.speech as sdk

    made = sdk.SpeechConfig(subscription=key, **{"host" if host else "endpoint": address})
    made.speech_recognition_language = "pt-BR"
    made.speech_synthesis_voice_name = "pt-BR-AntonioNeural"
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz16BitMonoPcm)
    made.set_property_by_name("SPEECH-StopRecognitionTimeoutInSeconds", "1")
    made.set_property_by_name("SPEECH-TransmitLengthBeforThrottleMs", "60000")
    for name, value in properties.items():
        made.set_property_by_name(name, value)
    return made


def recognise(
    made: Any, audio: bytes, *, once: bool = False, live: bool = False, rate_hz: int = 8000, until: float | None = None
) -> Heard:
    """One session. `live`: at the pace of a telephone; at once otherwise. `until`: what was told in so many seconds.

    After an error, stopping takes the stop time-out (1 s), and letting go of the recogniser as much again.
    """
    import azure.cognitiveservices.speech as sdk

    heard, stopped, lock = Heard(), threading.Event(), threading.Lock()
    stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(rate_hz, 16, 1))
    recogniser = sdk.SpeechRecognizer(made, sdk.audio.AudioConfig(stream=stream))

    def on(kind: str, event: Any) -> None:
        with lock:
            if kind == "canceled":
                heard.events.append((kind, event.cancellation_details.code.name))
            elif kind in ("recognizing", "recognized"):
                reason = event.result.reason.name
                text = event.result.text if reason.startswith("Recogniz") else _no_match(event.result)
                heard.events.append((kind, text))
                if kind == "recognized":
                    heard.offsets.append((event.result.offset / 1e7, event.result.duration / 1e7))
            else:
                heard.events.append((kind, ""))
        if kind == "session_stopped":
            stopped.set()

    names = ("recognizing", "recognized", "canceled", "session_stopped", "speech_start_detected", "speech_end_detected")
    signals = [(name, getattr(recogniser, name)) for name in names]
    for name, signal in signals:
        signal.connect(lambda event, name=name: on(name, event))
    pause = threading.Event()
    if once:
        result = recogniser.recognize_once_async()
        pause.wait(0.05)
        stream.write(audio)
        stream.close()
        result.get()
        heard.ended = True
    else:
        recogniser.start_continuous_recognition_async().get()
        for at in range(0, len(audio), _BLOCK_BYTES if live else max(len(audio), 1)):
            stream.write(audio[at : at + _BLOCK_BYTES] if live else audio)
            pause.wait(0.02 if live else 0.06)
        stream.close()
        heard.ended = stopped.wait(DEADLINE_SECONDS if until is None else until)
        with lock:
            told = list(heard.events)  # what stopping brings is another matter
        recogniser.stop_continuous_recognition_async().get()
    for _, signal in signals:
        signal.disconnect_all()
    if until is not None:
        heard.events = told
    return heard


def _no_match(result: Any) -> str:
    details = result.no_match_details
    return details.reason.name if details is not None else ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of a synthesis."""

    audio: bytes
    reason: str
    error: str
    details: str


def synthesise(made: Any, *texts: str, ssml: bool = False) -> list[Spoken]:
    """One utterance after another on one synthesiser, each waited for whole."""
    import azure.cognitiveservices.speech as sdk

    synthesiser = sdk.SpeechSynthesizer(made, None)
    spoken = []
    for text in texts:
        result = (synthesiser.speak_ssml_async(text) if ssml else synthesiser.speak_text_async(text)).get()
        spoken.append(_spoken(result.audio_data, result.reason.name, result.cancellation_details))
    return spoken


def synthesise_streamed(made: Any, text: str, chunk_bytes: int = 1600) -> tuple[list[bytes], Spoken]:
    """The chunks as `AudioDataStream` gives them, and how it ended."""
    import azure.cognitiveservices.speech as sdk

    synthesiser = sdk.SpeechSynthesizer(made, None)
    result = synthesiser.start_speaking_text_async(text).get()
    stream = sdk.AudioDataStream(result)
    chunks = list(_chunks(stream, chunk_bytes))
    ended = _spoken(b"".join(chunks), stream.status.name, stream.cancellation_details)
    synthesiser.stop_speaking_async().get()
    return chunks, ended


def _chunks(stream: Any, chunk_bytes: int) -> Iterable[bytes]:
    while True:
        buffer = bytes(chunk_bytes)
        count = stream.read_data(buffer)
        if count == 0:
            return
        yield buffer[:count]


def _spoken(audio: bytes, reason: str, details: Any) -> Spoken:
    if details is None:
        return Spoken(audio, reason, "", "")
    return Spoken(audio, reason, details.error_code.name, details.error_details)
