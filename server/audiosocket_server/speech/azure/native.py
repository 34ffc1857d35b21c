"""Thin wrappers of the Azure SDK's recognizer and synthesizer: calls that block, and callbacks on the SDK's threads.

They know no event loop. Call `start` and `end` on the engine's threads; `write` and `close` of a stream return at once.
All methods raise RuntimeError, as the SDK does.

A thread of the SDK that calls into Python while the interpreter shuts down aborts the process (SIGABRT). So every
object is ended before `main` returns: close its stream, stop it and wait for that, disconnect its signals, drop it. An
exit hook of the interpreter ends objects that are still open.
"""

import atexit
import threading
from contextlib import suppress
from typing import Any, Protocol

import azure.cognitiveservices.speech as sdk

from audiosocket_server.settings.settings import SpeechSettings
from audiosocket_server.speech.azure.faults import fault
from audiosocket_server.speech.base import SpeechError

__all__ = ["NativeRecognition", "NativeVoice", "RecognitionListener", "SynthesisListener", "new_config"]

SAMPLE_RATE_HZ, SAMPLE_BITS, CHANNELS = 8000, 16, 1
TICKS_A_MS = 10_000  # the service's unit of time
STOP_SECONDS = 1  # how long a silent service may delay the stop, in whole seconds; the SDK's default is 10


class RecognitionListener(Protocol):
    """Callbacks of one recognition. They run on threads of the SDK, one at a time and in order, and must not block."""

    def on_interim(self, text: str) -> None:
        """Take the text of the current phrase as it is understood so far."""

    def on_final(self, text: str) -> None:
        """Take the final text of a phrase; more phrases may follow."""

    def on_end(self, error: SpeechError | None) -> None:
        """Take note that the recognition is over; None if it ended in order."""


class SynthesisListener(Protocol):
    """Callbacks of one synthesis; same threading rule as `RecognitionListener`."""

    def on_word(self, text: str, ends_ms: int) -> None:
        """Take note that a word of the text ends after so much of the audio; words come in their order."""

    def on_audio(self, pcm: bytes) -> None:
        """Take a chunk of audio: SLIN, 8 kHz, any length."""

    def on_end(self, error: SpeechError | None) -> None:
        """Take note that the synthesis is over; None if it ended in order."""


def new_config(speech: SpeechSettings) -> Any:
    """Return an SDK configuration with the key, the address and the time limits, for recognizers and synthesizers."""
    assert speech.azure_key is not None
    key = speech.azure_key.get_secret_value()
    if speech.azure_endpoint is not None:
        config = sdk.SpeechConfig(subscription=key, endpoint=speech.azure_endpoint)
    else:
        config = sdk.SpeechConfig(subscription=key, region=speech.azure_region)
    set_property = config.set_property_by_name
    set_property("SPEECH-StopRecognitionTimeoutInSeconds", str(STOP_SECONDS))
    # Only delayed audio arrives faster than real time; the SDK must not slow it down to twice real time.
    set_property("SPEECH-TransmitLengthBeforThrottleMs", "60000")
    # After this time the SDK tries once more on a new connection; the engine's own time limit ends that attempt.
    set_property("SpeechSynthesis_FirstChunkTimeoutMs", str(round(speech.azure_first_audio_seconds * 600)))
    config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz16BitMonoPcm)
    return config


class NativeRecognition:
    """Continuous recognition of one audio stream. `config`: from `new_config`; `listener`: gets the results."""

    def __init__(self, config: Any, language: str, listener: RecognitionListener) -> None:
        self._config = config
        self._language = language
        self._listener = listener
        self._stream = sdk.audio.PushAudioInputStream(
            sdk.audio.AudioStreamFormat(SAMPLE_RATE_HZ, SAMPLE_BITS, CHANNELS)
        )
        self._recognizer: Any = None
        self._stopping: Any = None  # the SDK's future
        self._lock = threading.Lock()
        self._over = False

    def write(self, pcm: bytes) -> None:
        """Add caller audio (SLIN, 8 kHz). The SDK keeps it until `start`."""
        self._stream.write(pcm)

    def close(self) -> None:
        """End the audio. The listener then gets the last text and the end."""
        self._stream.close()

    def start(self) -> None:
        """Start the recognition, and wait until it has started."""
        with self._lock:
            if self._over:
                return
            _open.add(self)
            audio = sdk.audio.AudioConfig(stream=self._stream)
            recognizer = sdk.SpeechRecognizer(self._config, audio, language=self._language)
            self._recognizer = recognizer
            recognizer.recognizing.connect(self._on_recognizing)
            recognizer.recognized.connect(self._on_recognized)
            recognizer.canceled.connect(self._on_canceled)
            recognizer.session_stopped.connect(self._on_stopped)
            recognizer.start_continuous_recognition_async().get()

    def begin_to_end(self) -> None:
        """Do the part of `end` that does not wait."""
        with self._lock:
            self._over = True
            with suppress(RuntimeError):
                self._stream.close()
            if self._recognizer is not None and self._stopping is None:
                with suppress(RuntimeError):
                    self._stopping = self._recognizer.stop_continuous_recognition_async()

    def end(self) -> None:
        """Stop and release everything. Takes up to two seconds if the service is silent. Idempotent."""
        self.begin_to_end()
        with self._lock:
            recognizer, self._recognizer = self._recognizer, None
            if recognizer is not None:
                if self._stopping is not None:
                    with suppress(RuntimeError):
                        self._stopping.get()
                recognizer.recognizing.disconnect_all()
                recognizer.recognized.disconnect_all()
                recognizer.canceled.disconnect_all()
                recognizer.session_stopped.disconnect_all()
                del recognizer
        _open.discard(self)

    # --- on threads of the SDK ---

    def _on_recognizing(self, event: Any) -> None:
        self._listener.on_interim(event.result.text)

    def _on_recognized(self, event: Any) -> None:
        if event.result.reason == sdk.ResultReason.RecognizedSpeech:  # otherwise there was no speech
            self._listener.on_final(event.result.text)

    def _on_canceled(self, event: Any) -> None:
        details = event.cancellation_details
        if details.reason == sdk.CancellationReason.Error:  # otherwise the stream ended, as it should
            self._listener.on_end(fault(details.code.name, details.error_details))

    def _on_stopped(self, event: Any) -> None:
        self._listener.on_end(None)


class NativeVoice:
    """A synthesizer with its connection, used by one message after another. `config`: from `new_config`."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self._listener: SynthesisListener | None = None
        self._synthesizer: Any = None
        self._connection: Any = None
        self._stopping: Any = None  # the SDK's future
        self._lock = threading.Lock()
        self._over = False

    def open(self) -> None:
        """Make the synthesizer and start to connect, so that the first message does not wait for the connection."""
        with self._lock:
            if self._over:
                return
            _open.add(self)
            synthesizer = sdk.SpeechSynthesizer(self._config, audio_config=None)
            self._synthesizer = synthesizer
            synthesizer.synthesizing.connect(self._on_synthesizing)
            synthesizer.synthesis_word_boundary.connect(self._on_word_boundary)
            synthesizer.synthesis_completed.connect(self._on_completed)
            synthesizer.synthesis_canceled.connect(self._on_canceled)
            self._connection = sdk.Connection.from_speech_synthesizer(synthesizer)
            self._connection.open(True)

    def start(self, text: str, listener: SynthesisListener) -> None:
        """Start to speak `text`; `listener` gets the audio. The previous message must have ended."""
        with self._lock:
            if self._over:
                return
            self._listener = listener
            self._synthesizer.start_speaking_text_async(text).get()

    def begin_to_end(self) -> None:
        """Do the part of `end` that does not wait."""
        with self._lock:
            self._over = True
            if self._listener is not None and self._synthesizer is not None and self._stopping is None:
                with suppress(RuntimeError):
                    self._stopping = self._synthesizer.stop_speaking_async()

    def end(self) -> None:
        """Stop, in the middle of a word if need be, and release everything. Idempotent."""
        self.begin_to_end()
        with self._lock:
            synthesizer, self._synthesizer = self._synthesizer, None
            self._connection = self._listener = None
            if synthesizer is not None:
                if self._stopping is not None:
                    with suppress(RuntimeError):
                        self._stopping.get()
                synthesizer.synthesizing.disconnect_all()
                synthesizer.synthesis_word_boundary.disconnect_all()
                synthesizer.synthesis_completed.disconnect_all()
                synthesizer.synthesis_canceled.disconnect_all()
                del synthesizer
        _open.discard(self)

    # --- on threads of the SDK ---

    def _on_synthesizing(self, event: Any) -> None:
        if self._listener is not None:
            self._listener.on_audio(event.result.audio_data)

    def _on_word_boundary(self, event: Any) -> None:
        if self._listener is not None and event.boundary_type == sdk.SpeechSynthesisBoundaryType.Word:
            ends_ms = event.audio_offset / TICKS_A_MS + event.duration.total_seconds() * 1000
            self._listener.on_word(event.text, round(ends_ms))

    def _on_completed(self, event: Any) -> None:
        self._report_end(None)

    def _on_canceled(self, event: Any) -> None:
        details = event.result.cancellation_details
        self._report_end(fault(details.error_code.name, details.error_details))

    def _report_end(self, error: SpeechError | None) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_end(error)


_open: set[NativeRecognition | NativeVoice] = set()  # strong references: no object may be collected before its `end`


@atexit.register
def _end_what_is_left() -> None:
    """End the objects that no event loop has ended. All of them are stopped before any is waited for."""
    left = tuple(_open)
    for thing in left:
        thing.begin_to_end()
    for thing in left:
        thing.end()
