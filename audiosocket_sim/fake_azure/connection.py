"""One client's connection: carries out its requests one after another and logs how each ends. Knows no websocket."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.fake_azure.audio_formats import OutputFormat
from audiosocket_sim.fake_azure.client_requests import (
    InvalidRequest,
    RecognitionRequest,
    SynthesisRequest,
    UpgradeRequest,
    output_format_of,
    read_recognition,
    read_ssml,
    wants_words,
)
from audiosocket_sim.fake_azure.delivery import ConnectionGone, Delivery, Socket
from audiosocket_sim.fake_azure.frames import Frame, MalformedFrame, unpack
from audiosocket_sim.fake_azure.plan_progress import PlanProgress
from audiosocket_sim.fake_azure.recognisers import Recogniser
from audiosocket_sim.fake_azure.recognition import RecognitionTurn
from audiosocket_sim.fake_azure.request_log import RequestLog, masked
from audiosocket_sim.fake_azure.synthesis import TextToSpeech
from audiosocket_sim.fake_azure.turn_tasks import RecognitionTask, speak

__all__ = ["ClientSocket", "SpeechConnection", "SpeechServices"]

_MOST_UTTERANCES = 100
_GOING_AWAY, _INVALID, _BROKEN = 1001, 1007, 1011
_REASON_BYTES = 120

_log = logging.getLogger("audiosocket_sim.fake_azure")


class ClientSocket(Socket, Protocol):
    """A connection that is also read: iteration yields the client's messages and ends when the client is gone."""

    def __aiter__(self) -> AsyncIterator[str | bytes]: ...


@dataclass(frozen=True, slots=True)
class SpeechServices:
    """The parts that all connections share."""

    recogniser: Recogniser
    speaker: TextToSpeech
    script: PlanProgress
    log: RequestLog

    def shown(self, key: str) -> str:
        """Return the key as it may be shown: masked, unless it is the name of a plan."""
        return key if self.script.names(key) else masked(key)


@dataclass(slots=True)
class _Open:
    """The requests in progress: their tasks, and their numbers in the request log."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)


class SpeechConnection:
    """One connection. Call `run` once; it returns when the connection is over."""

    def __init__(self, socket: ClientSocket, upgrade: UpgradeRequest, service: SpeechServices) -> None:
        self._socket = socket
        self._upgrade = upgrade
        self._service = service
        self._open = _Open()
        self._listener: RecognitionTask | None = None
        self._listener_number = 0
        self._listening: asyncio.Task[None] | None = None
        self._last_turn = ""
        self._format: OutputFormat | None = None
        self._words = False  # whether the client wants to know when each word is said
        self._speaking: asyncio.Task[None] | None = None
        self._utterances = 0

    async def run(self) -> None:
        """Read and carry out the client's messages until the connection ends."""
        try:
            async for data in self._socket:
                await self._take(unpack(data))
        except ConnectionGone:
            pass
        except Exception as error:  # noqa: BLE001  # any error ends the connection with a reason for the client
            await self._fail(error)
        finally:
            for task in self._open.tasks:
                task.cancel()
            await asyncio.gather(*self._open.tasks, return_exceptions=True)
            for number in self._open.numbers:
                self._service.log.change(number, outcome="the client left")

    async def _take(self, frame: Frame) -> None:
        match frame.path:
            case "speech.context":
                await self._begin_turn(frame.request_id, read_recognition(frame.body, self._upgrade))
            case "audio" if isinstance(frame.body, bytes):
                await self._audio(frame.request_id, frame.body)
            case "audio.commit":
                if self._listener is not None and self._listener.request_id == frame.request_id:
                    await self._listener.commit()
            case "synthesis.context":
                self._format = OutputFormat.named(output_format_of(frame.body))
                self._words = wants_words(frame.body)
            case "ssml":
                self._utter(frame.request_id, read_ssml(frame.body))
            case _:  # speech.config, telemetry and messages of newer clients: nothing here depends on them
                _log.debug("ignored the message %s", frame.path)

    # --- recognition

    async def _begin_turn(self, request_id: str, asked: RecognitionRequest) -> None:
        self._abandon_turn()
        step = self._service.script.at_turn(self._upgrade.key, "recognition")
        if step.at_upgrade:
            await self._go_away()
        mode = "once" if asked.once else "continuous"
        key = self._service.shown(self._upgrade.key)
        number = self._service.log.begin(
            "recognition", key, language=asked.language, mode=mode, continued=asked.continued
        )
        self._open.numbers.add(number)
        delivery = Delivery(self._socket, request_id, step, lambda outcome: self._end_request(number, outcome))
        self._listener = RecognitionTask(
            asked, self._service.recogniser, request_id, step, delivery, lambda *done: self._turn_over(number, *done)
        )
        self._listener_number, self._last_turn = number, request_id
        self._listening = self._spawn(self._listener.run)

    async def _audio(self, request_id: str, payload: bytes) -> None:
        is_new = self._listener is None and request_id != self._last_turn
        if is_new and payload.startswith(b"RIFF"):  # a client that sends no speech.context
            await self._begin_turn(request_id, read_recognition("{}", self._upgrade))
        listener = self._listener
        if listener is None or listener.request_id != request_id:
            return  # audio that still arrives after the turn's end
        try:
            await listener.audio(payload)
        finally:
            turn = listener.turn
            self._service.log.change(self._listener_number, audio_ms=turn.heard_ms, text=" ".join(turn.texts))

    def _turn_over(self, number: int, outcome: str, turn: RecognitionTurn) -> None:
        self._service.log.change(number, audio_ms=turn.heard_ms, text=" ".join(turn.texts), outcome=outcome)
        self._open.numbers.discard(number)
        if self._listener is not None and self._listener.turn is turn:
            self._listener = None

    def _abandon_turn(self) -> None:
        if self._listener is not None:
            self._end_request(self._listener_number, "abandoned for another turn")
            self._listener = None
            if self._listening is not None:
                self._listening.cancel()

    # --- synthesis

    def _utter(self, request_id: str, utterance: SynthesisRequest) -> None:
        if self._format is None:
            raise InvalidRequest("ssml came before synthesis.context")
        if self._utterances >= _MOST_UTTERANCES:
            raise InvalidRequest(f"more than {_MOST_UTTERANCES} utterances are waiting")
        self._utterances += 1
        waits = partial(self._speak_after, self._speaking, request_id, utterance, self._format, words=self._words)
        self._speaking = self._spawn(waits)

    async def _speak_after(
        self,
        before: asyncio.Task[None] | None,
        request_id: str,
        utterance: SynthesisRequest,
        form: OutputFormat,
        *,
        words: bool,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._utterances -= 1
        step = self._service.script.at_turn(self._upgrade.key, "synthesis")
        if step.at_upgrade:
            await self._go_away()
        log, key = self._service.log, self._service.shown(self._upgrade.key)
        number = log.begin(
            "synthesis", key, language=utterance.language, voice=utterance.voice, text=utterance.text, mode=form.name
        )
        self._open.numbers.add(number)
        delivery = Delivery(self._socket, request_id, step, lambda outcome: self._end_request(number, outcome))
        speaker = self._service.speaker
        await speak(utterance, form, speaker, request_id, step, delivery, log, number, words=words)
        self._open.numbers.discard(number)

    # --- how it ends

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._open.tasks.add(task)
        task.add_done_callback(self._open.tasks.discard)
        return task

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except ConnectionGone:
            pass
        except Exception as error:  # noqa: BLE001  # any error ends the connection with a reason for the client
            await self._fail(error)

    async def _go_away(self) -> None:
        """Close the connection so that the client asks for another: the key's next step applies to the upgrade."""
        await self._socket.close(_GOING_AWAY, "the next step of this key's plan applies to the upgrade")
        raise ConnectionGone

    async def _fail(self, error: Exception) -> None:
        """Log the error, and close the connection with it as the reason."""
        code = _INVALID if isinstance(error, MalformedFrame | InvalidRequest) else _BROKEN
        if not isinstance(error, MalformedFrame | InvalidRequest | AudioSocketError | OSError):
            _log.error("internal error of the fake", exc_info=error)
        _log.warning("closed with %d: %s", code, error)
        for number in list(self._open.numbers):
            self._end_request(number, f"closed with {code}: {error}")
        with contextlib.suppress(ConnectionGone):
            await self._socket.close(code, str(error).encode()[:_REASON_BYTES].decode(errors="ignore"))

    def _end_request(self, number: int, outcome: str) -> None:
        self._service.log.change(number, outcome=outcome)
        self._open.numbers.discard(number)
