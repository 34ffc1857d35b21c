"""The original's way with speech, as the yardstick of ours: one-shot recognition of the utterance that was kept until
it was over, and synthesis of the whole sentence before its first frame.

`speech.engine: benchmarks.original_speech:load`. It runs behind the same server, so that what differs is this alone. It
is no engine to use: it has none of the deadlines that the SDK lacks.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechEngine, SpeechError

__all__ = ["load"]


class _Buffered:
    """An utterance, kept until it is over."""

    def __init__(self, recognise: Callable[[bytes], str]) -> None:
        self._recognise = recognise
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm

    async def finish(self) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, self._recognise, bytes(self._pcm))

    def cancel(self) -> None:
        self._pcm.clear()


class _Engine:
    name = "original"

    def __init__(self, endpoint: str, key: str, language: str) -> None:
        self._endpoint, self._key, self._language = endpoint, key, language

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> _Buffered:
        return _Buffered(self._once)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        yield await asyncio.get_running_loop().run_in_executor(None, self._whole, text, voice)

    async def aclose(self) -> None:
        """Nothing is held between turns."""

    def _config(self):  # type: ignore[no-untyped-def]  # the SDK has no types
        from azure.cognitiveservices import speech

        config = speech.SpeechConfig(subscription=self._key, endpoint=self._endpoint)
        config.speech_recognition_language = self._language
        return config

    def _once(self, pcm: bytes) -> str:
        from azure.cognitiveservices import speech

        stream = speech.audio.PushAudioInputStream(speech.audio.AudioStreamFormat(8000, 16, 1))
        recognizer = speech.SpeechRecognizer(self._config(), speech.audio.AudioConfig(stream=stream))
        stream.write(pcm)
        stream.close()
        result = recognizer.recognize_once_async().get()
        return str(result.text)

    def _whole(self, text: str, voice: str) -> bytes:
        from azure.cognitiveservices import speech

        config = self._config()
        config.speech_synthesis_voice_name = voice
        config.set_speech_synthesis_output_format(speech.SpeechSynthesisOutputFormat.Raw8Khz16BitMonoPcm)
        synthesizer = speech.SpeechSynthesizer(config, audio_config=None)  # held: one that is let go never answers
        result = synthesizer.speak_text_async(text).get()
        if not result.audio_data:
            raise SpeechError("no audio was made")
        return bytes(result.audio_data)


def load(settings: Settings) -> SpeechEngine:
    """What `speech.engine` calls."""
    key, endpoint = settings.speech.azure_key, settings.speech.azure_endpoint
    if key is None or endpoint is None:
        raise SpeechError("the original's way needs speech.azure_key and speech.azure_endpoint")
    return _Engine(endpoint, key.get_secret_value(), settings.speech.language)
