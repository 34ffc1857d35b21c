"""Carry out one turn: feed the recognition machine in an executor, or synthesise an utterance there and send it.

It reaches the websocket only through `Delivery`. The order of the turns is up to `connection`.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from audiosocket_sim.fake_azure.audio_formats import OutputFormat
from audiosocket_sim.fake_azure.client_requests import RecognitionRequest, SynthesisRequest
from audiosocket_sim.fake_azure.delivery import Delivery
from audiosocket_sim.fake_azure.messages import (
    AudioChunk,
    Hypothesis,
    ResponseBegan,
    ServiceMessage,
    SpeechPhrase,
    TurnEnded,
    TurnStarted,
)
from audiosocket_sim.fake_azure.plan import PlanStep
from audiosocket_sim.fake_azure.plan_progress import AUDIO, TurnMoment
from audiosocket_sim.fake_azure.recognisers import Recogniser
from audiosocket_sim.fake_azure.recognition import RecognitionTurn
from audiosocket_sim.fake_azure.request_log import RequestLog
from audiosocket_sim.fake_azure.synthesis import SpokenText, TextToSpeech

__all__ = ["RecognitionTask", "speak"]

_MOST_WAITING = 1000


class RecognitionTask:
    """A turn of recognition: `audio` takes the client's audio, while `run` sends the results.

    on_over: called with the outcome, in plain words, and the turn when its last message has been sent.
    """

    def __init__(
        self,
        asked: RecognitionRequest,
        recogniser: Recogniser,
        request_id: str,
        step: PlanStep,
        delivery: Delivery,
        on_over: Callable[[str, RecognitionTurn], None],
    ) -> None:
        self.request_id = request_id
        self._turn = RecognitionTurn(asked, recogniser, request_id, step.phrase_status)
        self._step = step
        self._delivery = delivery
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[tuple[float, ServiceMessage]] = asyncio.Queue(_MOST_WAITING)

    @property
    def turn(self) -> RecognitionTurn:
        """The state machine of this turn."""
        return self._turn

    async def run(self) -> None:
        """Send all messages of the turn, each at its time. Returns after the last one. Raises ConnectionGone."""
        await self._delivery.begin()
        await self._say(self._turn.begin())
        while True:
            due, message = await self._waiting.get()
            await self._delivery.send(message, due)
            if isinstance(message, TurnEnded):
                self._on_over(self._outcome(), self._turn)
                return

    async def audio(self, payload: bytes) -> None:
        """Take a block of the client's audio; an empty one ends it. Raises InvalidRequest, ConnectionGone.

        Also raises the errors of the recogniser.
        """
        await self._work(partial(self._turn.audio, payload))
        await self._delivery.audio_passed(TurnMoment(AUDIO, audio_ms=self._turn.heard_ms))

    async def commit(self) -> None:
        """End the current phrase now. Raises the errors of the recogniser."""
        await self._work(self._turn.commit)

    async def _work(self, work: Callable[[], Iterable[ServiceMessage]]) -> None:
        if not self._turn.over:
            await self._say(await self._loop.run_in_executor(None, lambda: list(work())))

    async def _say(self, messages: Iterable[ServiceMessage]) -> None:
        for message in messages:
            await self._waiting.put((self._loop.time() + self._delay_ms(message) / 1000, message))

    def _delay_ms(self, message: ServiceMessage) -> int:
        match message:
            case Hypothesis():
                return self._step.pace.interim
            case SpeechPhrase():
                return self._step.pace.final
        return 0

    def _outcome(self) -> str:
        if self._turn.texts:
            return "Success"
        return self._turn.last_status or "no audio"


async def speak(
    utterance: SynthesisRequest,
    form: OutputFormat,
    speaker: TextToSpeech,
    request_id: str,
    step: PlanStep,
    delivery: Delivery,
    log: RequestLog,
    number: int,
    *,
    words: bool = False,
) -> None:
    """Synthesise one utterance and send it in chunks, at the pace of `step`. `words`: tell when each word is said.

    Updates request `number` in the log. Raises ConnectionGone, and the errors of the speaker.
    """
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    await delivery.begin()
    await delivery.send(TurnStarted(request_id), asked_at)
    await delivery.send(ResponseBegan(request_id), asked_at)
    data, spoken = b"", SpokenText(b"")
    if not step.no_audio:
        data, spoken = await loop.run_in_executor(None, _made, utterance, form, speaker)
    to_tell = list(spoken.words) if words else []
    begun_at = max(loop.time(), asked_at + step.pace.first_byte / 1000)
    size = max(2, round(form.bytes_per_ms * step.pace.chunk) // 2 * 2)
    for at in range(0, len(data), size):
        late_ms = at / form.bytes_per_ms / step.pace.speed if step.pace.speed else 0.0
        due = begun_at + late_ms / 1000
        sent_ms = round(min(at + size, len(data)) / form.bytes_per_ms)
        while to_tell and to_tell[0].offset_ms < sent_ms:
            await delivery.send(to_tell.pop(0), due)
        await delivery.send(AudioChunk(data[at : at + size], request_id), due)
        log.change(number, audio_ms=sent_ms)
        await delivery.audio_passed(TurnMoment(AUDIO, audio_ms=sent_ms))
    await delivery.send(TurnEnded(), loop.time())
    log.change(number, outcome="Success" if data else "no audio")


def _made(utterance: SynthesisRequest, form: OutputFormat, speaker: TextToSpeech) -> tuple[bytes, SpokenText]:
    spoken = speaker(utterance.text, utterance.voice, utterance.language)
    return form.encode(spoken.pcm), spoken
