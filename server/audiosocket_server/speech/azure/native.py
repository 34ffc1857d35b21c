"""The vendor's SDK, as far as this engine uses it: what blocks, and what it calls from threads of its own.

Knows no event loop. `start` and `end` are for the engine's threads; `write` and `close` of a stream return at once.
Everything raises RuntimeError, as the SDK does.

An SDK thread that calls into Python while the interpreter shuts down ends the process with SIGABRT. Hence the rule: to
end a thing is to close its stream, stop it and wait for that, disconnect its signals and drop it, and all of this
before `main` ends. Whatever is still open when the interpreter goes is ended by the interpreter's own exit hook.
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
STOP_SECONDS = 1  # how long a silent service may delay the stop; whole seconds, and 10 if it is not set


class RecognitionListener(Protocol):
    """What a recognition tells, on threads of the SDK, one at a time and in order. Must not block."""

    def on_interim(self, text: str) -> None: ...

    def on_final(self, text: str) -> None:
        """A phrase is understood; more may follow."""

    def on_end(self, error: SpeechError | None) -> None:
        """Nothing more comes."""


class SynthesisListener(Protocol):
    """What a synthesis tells, likewise."""

    def on_audio(self, pcm: bytes) -> None: ...

    def on_end(self, error: SpeechError | None) -> None: ...


def new_config(speech: SpeechSettings) -> Any:
    """Key, place and time limits for everything; recognizers and synthesizers are made from it."""
    assert speech.azure_key is not None
    key = speech.azure_key.get_secret_value()
    if speech.azure_endpoint is not None:
        config = sdk.SpeechConfig(subscription=key, endpoint=speech.azure_endpoint)
    else:
        config = sdk.SpeechConfig(subscription=key, region=speech.azure_region)
    set_property = config.set_property_by_name
    set_property("SPEECH-StopRecognitionTimeoutInSeconds", str(STOP_SECONDS))
    # Only audio that was held up comes faster than it was spoken; then the SDK must not slow it down to 2 x real time.
    set_property("SPEECH-TransmitLengthBeforThrottleMs", "60000")
    # After this the SDK tries once more, on a new connection; our own time limit ends that.
    set_property("SpeechSynthesis_FirstChunkTimeoutMs", str(round(speech.azure_first_audio_seconds * 600)))
    config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz16BitMonoPcm)
    return config


class NativeRecognition:
    """A continuous recognition of one stream."""

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
        """Caller audio. Kept by the SDK until it is started."""
        self._stream.write(pcm)

    def close(self) -> None:
        """No more audio comes: the last text, and then the end, are told."""
        self._stream.close()

    def start(self) -> None:
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
        """The part of `end` that waits for nothing."""
        with self._lock:
            self._over = True
            with suppress(RuntimeError):
                self._stream.close()
            if self._recognizer is not None and self._stopping is None:
                with suppress(RuntimeError):
                    self._stopping = self._recognizer.stop_continuous_recognition_async()

    def end(self) -> None:
        """Let go of everything. Up to two seconds where the service is silent. Idempotent."""
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
        if event.result.reason == sdk.ResultReason.RecognizedSpeech:  # else: it heard no speech
            self._listener.on_final(event.result.text)

    def _on_canceled(self, event: Any) -> None:
        details = event.cancellation_details
        if details.reason == sdk.CancellationReason.Error:  # else: the stream is at its end, as it should be
            self._listener.on_end(fault(details.code.name, details.error_details))

    def _on_stopped(self, event: Any) -> None:
        self._listener.on_end(None)


class NativeVoice:
    """A synthesizer with its connection, used by one message after another."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self._listener: SynthesisListener | None = None
        self._synthesizer: Any = None
        self._connection: Any = None
        self._stopping: Any = None  # the SDK's future
        self._lock = threading.Lock()
        self._over = False

    def open(self) -> None:
        """Make it, and begin to connect, so that the first message need not wait for that."""
        with self._lock:
            if self._over:
                return
            _open.add(self)
            synthesizer = sdk.SpeechSynthesizer(self._config, audio_config=None)
            self._synthesizer = synthesizer
            synthesizer.synthesizing.connect(self._on_synthesizing)
            synthesizer.synthesis_completed.connect(self._on_completed)
            synthesizer.synthesis_canceled.connect(self._on_canceled)
            self._connection = sdk.Connection.from_speech_synthesizer(synthesizer)
            self._connection.open(True)

    def start(self, text: str, listener: SynthesisListener) -> None:
        """Speak; `listener` is told the audio. Not before the end of the message before it."""
        with self._lock:
            if self._over:
                return
            self._listener = listener
            self._synthesizer.start_speaking_text_async(text).get()

    def begin_to_end(self) -> None:
        """The part of `end` that waits for nothing."""
        with self._lock:
            self._over = True
            if self._listener is not None and self._synthesizer is not None and self._stopping is None:
                with suppress(RuntimeError):
                    self._stopping = self._synthesizer.stop_speaking_async()

    def end(self) -> None:
        """Stop in mid-word and let go of everything. Idempotent."""
        self.begin_to_end()
        with self._lock:
            synthesizer, self._synthesizer = self._synthesizer, None
            self._connection = self._listener = None
            if synthesizer is not None:
                if self._stopping is not None:
                    with suppress(RuntimeError):
                        self._stopping.get()
                synthesizer.synthesizing.disconnect_all()
                synthesizer.synthesis_completed.disconnect_all()
                synthesizer.synthesis_canceled.disconnect_all()
                del synthesizer
        _open.discard(self)

    # --- on threads of the SDK ---

    def _on_synthesizing(self, event: Any) -> None:
        if self._listener is not None:
            self._listener.on_audio(event.result.audio_data)

    def _on_completed(self, event: Any) -> None:
        self._tell_end(None)

    def _on_canceled(self, event: Any) -> None:
        details = event.result.cancellation_details
        self._tell_end(fault(details.error_code.name, details.error_details))

    def _tell_end(self, error: SpeechError | None) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_end(error)


_open: set[NativeRecognition | NativeVoice] = set()  # strong references: nothing may be dropped before its end


@atexit.register
def _end_what_is_left() -> None:
    """What no event loop has ended. All are told to stop before any is waited for."""
    left = tuple(_open)
    for thing in left:
        thing.begin_to_end()
    for thing in left:
        thing.end()
