"""The `SpeechEngine` of Azure Speech: recognitions, messages, the check, and a shutdown that leaves nothing behind.

Every recognition and every message has a task here, which lives until its clean-up is done even if its call has ended.
`aclose` waits for all of them, within a time limit.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.azure.faults import why_no_connection
from audiosocket_server.speech.azure.native import NativeRecognition, NativeVoice, new_config
from audiosocket_server.speech.azure.recognition import AzureTurn
from audiosocket_server.speech.azure.synthesis import SynthesisMessage, Voices
from audiosocket_server.speech.azure.threads import Threads
from audiosocket_server.speech.base import Recognition, SpeechError, SpeechUnavailable, Synthesised

__all__ = ["AzureEngine"]

log = logging.getLogger("audiosocket_server.speech.azure")

CLEAN_UP_SECONDS = 10.0
CHECKED_SILENCE = bytes(16 * 500)  # half a second
LEAST_CHECKED_TEXT = "Olá."


class AzureEngine:
    """The engine; made by `load`. It serves all calls of one event loop."""

    name = "azure"
    tells_words = True

    def __init__(self, settings: Settings) -> None:
        """Prepare the SDK's configuration, without connecting. Takes some milliseconds: call it in the executor."""
        self._settings = settings
        self._speech = settings.speech
        self._config = new_config(settings.speech)
        self._voice_configs: dict[str, Any] = {}  # by the name of the voice
        self._threads = Threads()
        self._voices = Voices(self._threads, self._new_voice)
        self._turns: set[AzureTurn] = set()
        self._messages: set[SynthesisMessage] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    # --- the protocol -------------------------------------------------------------------------------------------------

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> Recognition:
        """Start the recognition of one utterance. See `SpeechEngine`."""
        turn = AzureTurn(self._threads, on_interim, self._speech.azure_final_text_seconds)
        try:
            if self._closed:
                raise RuntimeError("the engine is closed")
            native = NativeRecognition(self._config, language, turn)
        except RuntimeError as error:
            turn.fail(SpeechError(f"the Azure Speech SDK cannot make a recognizer: {error}"))
            return turn
        turn.begin(native)
        self._turns.add(turn)
        self._keep(turn.live(), lambda: self._turns.discard(turn))
        if self._voices.lacks(len(self._turns)):  # a caller who speaks now needs an answer soon
            self._keep(self._voices.add(self._settings.greeting.voice))
        return turn

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[Synthesised]:
        """Speak `text`. See `SpeechEngine`."""
        if self._closed:
            raise SpeechError("the engine is closed")
        message = SynthesisMessage(self._threads, self._voices, text, voice, self._speech.azure_first_audio_seconds)
        self._messages.add(message)
        self._keep(message.live(), lambda: self._messages.discard(message))
        try:
            async for chunk in message.chunks():
                yield chunk
        finally:
            message.give_up()

    async def aclose(self) -> None:
        """Stop all recognitions and messages, and wait for their clean-up, for at most 10 s."""
        self._closed = True
        for turn in tuple(self._turns):
            turn.cancel()
        for message in tuple(self._messages):
            message.give_up()
        self._keep(self._voices.close())
        _, late = await asyncio.wait(set(self._tasks), timeout=CLEAN_UP_SECONDS)
        if late:
            log.error("the Azure Speech SDK did not end %d recognitions or messages in time", len(late))
        self._threads.close()

    # --- the check ----------------------------------------------------------------------------------------------------

    async def check(self) -> str:
        """Recognise half a second of silence, and speak the greeting. See `Checked`."""
        heard, spoken = await asyncio.gather(self._try(self._try_to_hear), self._try(self._try_to_speak))
        failures = [outcome for outcome in (heard, spoken) if isinstance(outcome, SpeechError)]
        if not failures:
            return f"{self._place}: {heard}; {spoken}"
        failure = next((f for f in failures if not isinstance(f, SpeechUnavailable)), failures[0])
        raise await why_no_connection(self._address) or failure

    async def _try(self, attempt: Callable[[], Coroutine[Any, Any, str]]) -> str | SpeechError:
        try:
            return await attempt()
        except SpeechError as error:
            return error

    async def _try_to_hear(self) -> str:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        turn = self.recognise(self._speech.language, lambda text: None)
        turn.feed(CHECKED_SILENCE)
        await turn.finish()
        return f"recognised a silence ({self._speech.language}) in {loop.time() - began_at:.2f} s"

    async def _try_to_speak(self) -> str:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        first_at: float | None = None
        spoken = 0
        voice = self._settings.greeting.voice
        async for chunk in self.synthesise(self._settings.greeting.message.strip() or LEAST_CHECKED_TEXT, voice):
            if isinstance(chunk, bytes):
                first_at = first_at or loop.time()
                spoken += len(chunk)
        return f"{voice} spoke {spoken / 16000:.1f} s, with the first audio after {(first_at or 0) - began_at:.2f} s"

    @property
    def _place(self) -> str:
        return self._speech.azure_endpoint or f"region {self._speech.azure_region}"

    @property
    def _address(self) -> str:
        return self._speech.azure_endpoint or f"wss://{self._speech.azure_region}.stt.speech.microsoft.com"

    # --- small parts --------------------------------------------------------------------------------------------------

    def _new_voice(self, voice: str) -> NativeVoice:
        config = self._voice_configs.get(voice)
        if config is None:
            config = self._voice_configs[voice] = new_config(self._speech)
            config.speech_synthesis_voice_name = voice
        return NativeVoice(config)

    def _keep(self, work: Coroutine[Any, Any, None], done: Callable[[], None] = lambda: None) -> None:
        """Start a task that `aclose` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            done()
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("internal error of the Azure engine", exc_info=error)

        task.add_done_callback(over)
