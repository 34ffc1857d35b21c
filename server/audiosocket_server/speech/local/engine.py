"""The local engine as the server sees it: recognition and synthesis in a thread each, never on the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import lru_cache, partial
from pathlib import Path

import ctranslate2  # noqa: F401 - so that a missing library is reported by name before any model is loaded
import onnxruntime  # noqa: F401
import tokenizers  # noqa: F401

from audiosocket_core.kept_files import KeptFiles
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_server.settings.settings import Settings, project_path
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.pieces import pieces
from audiosocket_server.speech.local.speaker import Speaker
from audiosocket_server.speech.local.turn import WholeTurn
from audiosocket_server.speech.local.voices import ENGLISH, voice_for
from audiosocket_server.speech.local.whisper import Whisper
from audiosocket_server.speech.local.worker import Worker

__all__ = ["DEFAULT_PROMPTS", "LocalEngine"]

# One thread recognises two or three utterances a second; another makes two or three seconds of speech a second. Work
# that would wait longer than a caller does is refused at once.
_MOST_UTTERANCES, _RECOGNITION_SECONDS = 16, 10.0
_MOST_KEPT_BYTES = 100_000_000  # 1 h 44 min of speech
_MOST_PIECES, _SYNTHESIS_SECONDS = 8, 20.0

# Words that callers of a condominium use, without numbers and without typical answers: on noise, Whisper would repeat a
# prompt that sounds like an answer (benchmarks/README.md).
DEFAULT_PROMPTS = {
    "pt": "Atendimento da portaria do condomínio: apartamento, bloco, morador, visitante, entrega, síndico."
}

_CHECK = {"pt": "Bom dia, em que posso ajudar?", "en": "Good morning, how can I help you?"}


class LocalEngine:
    """The engine; made by `load`. It serves all calls. The process keeps the models when the engine is closed."""

    name = "local"

    def __init__(self, settings: Settings, whisper: Whisper) -> None:
        speech = settings.speech
        self._whisper = whisper
        self._language = speech.language
        self._prompt = speech.local_prompt
        self._local_voice = speech.local_voice
        self._voice = settings.greeting.voice
        self._silence_ms = round(settings.system.silence_threshold_seconds * 1000)
        self._models_folder = _models_folder(settings)
        self._kept = KeptFiles(project_path(speech.cache_folder) / "local", ".slin", most_bytes=_MOST_KEPT_BYTES)
        self._recorded = PhraseBook.load(project_path(settings.audio.prompts_folder))
        self._speakers: dict[str, Speaker] = {}
        self._hearing = Worker("recognition", most=_MOST_UTTERANCES, seconds=_RECOGNITION_SECONDS)
        self._speaking = Worker("synthesis", most=_MOST_PIECES, seconds=_SYNTHESIS_SECONDS)

    @classmethod
    def load(cls, settings: Settings) -> "LocalEngine":
        """Load the models that the settings need. Blocking: call it in the executor.

        Raises SpeechError, or AudioSocketError for the recorded prompts.
        """
        engine = cls(settings, _whisper(_models_folder(settings)))
        try:
            if not engine._whisper.knows(settings.speech.language):
                raise SpeechError(f"speech.language: Whisper does not know {settings.speech.language}")
            engine._speaker(settings.greeting.voice).prepare()
        except BaseException:
            engine._close()
            raise
        return engine

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> WholeTurn:
        """Start the recognition of one utterance; there are no interim texts. See `SpeechEngine`."""
        return WholeTurn(partial(self._transcribe, language=language), lambda: self._hearing.is_idle, self._silence_ms)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        """Speak `text`: a recorded prompt if this voice has recorded the text, else piece by piece.

        The first clause alone is made first; the next piece is made while one is played. See `SpeechEngine`.
        """
        speaker = self._speaker(voice)
        recorded = self._recorded.by_text(text, voice=self._chosen(voice))
        if recorded is not None:
            yield recorded.pcm
            return
        loop = asyncio.get_running_loop()
        parts = pieces(text)
        made: asyncio.Task[bytes] | None = None
        try:
            for number in range(len(parts)):
                current = made or loop.create_task(self._spoken(speaker, parts[number]))
                made = current
                pcm = await current
                made = None
                if number + 1 < len(parts):
                    made = loop.create_task(self._spoken(speaker, parts[number + 1]))
                if pcm:
                    yield pcm
        finally:
            if made is not None:
                made.cancel()
                await asyncio.wait([made])

    async def check(self) -> str:
        """Speak a sentence in the configured voice, and recognise it. See `Checked`."""
        loop = asyncio.get_running_loop()
        speaker = self._speaker(self._voice)
        language = "en" if self._chosen(self._voice) == ENGLISH else "pt"
        began = loop.time()
        pcm = await self._speaking.run(partial(speaker.speak, _CHECK[language], keep=False))
        spoke = loop.time()
        text = await self._hearing.run(self._whisper.transcribe, pcm, language, "")
        if not text:
            raise SpeechError("the local engine does not understand its own speech: are the models damaged?")
        took = f"{spoke - began:.1f} s, and was understood in {loop.time() - spoke:.1f} s"
        return f"{self._chosen(self._voice)} spoke {len(pcm) / 16000:.1f} s within {took}: {text!r}"

    async def aclose(self) -> None:
        """Drop the waiting work. Work in progress ends by itself."""
        self._close()

    def _close(self) -> None:
        self._hearing.close()
        self._speaking.close()

    async def _transcribe(self, pcm: bytes, language: str) -> str:
        prompt = self._prompt
        if prompt is None:
            prompt = DEFAULT_PROMPTS.get(language.partition("-")[0].casefold(), "")
        return await self._hearing.run(self._whisper.transcribe, pcm, language, prompt)

    async def _spoken(self, speaker: Speaker, piece: str) -> bytes:
        known = await asyncio.get_running_loop().run_in_executor(None, speaker.known, piece)
        return known if known is not None else await self._speaking.run(speaker.speak, piece)

    def _chosen(self, voice: str) -> str:
        return voice_for(self._local_voice or voice)

    def _speaker(self, voice: str) -> Speaker:
        chosen = self._chosen(voice)
        if chosen not in self._speakers:
            self._speakers[chosen] = Speaker(chosen, self._models_folder, self._kept)
        return self._speakers[chosen]


def _models_folder(settings: Settings) -> Path | None:
    folder = settings.speech.models_folder
    return None if folder is None else project_path(folder)


@lru_cache(maxsize=1)
def _whisper(models_folder: Path | None) -> Whisper:
    """Load the model, once for all servers of the process."""
    return Whisper.load(models_folder)
