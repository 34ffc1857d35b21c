"""One call: feeds `turns` with what happens, carries out what it answers, and ends cleanly.

It is the handler of its connection, from before the UUID to the end, and the callback of the 20 ms clock: each tick
takes one frame from `playback` and sends it, always, so that Asterisk hears from us all the time (docs/protocol.md,
rules for servers). What to say and when is decided in `turns`; this module decides nothing but how a call ends, and
holds every task of the call: none outlives it.

A frame in and a frame out cost a few microseconds: nothing on these two ways is awaited, logged, or allocated beyond
the frame itself.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from audiosocket_core.messages import Kind, dtmf_digit
from audiosocket_core.ticker import Ticker, TickHandle
from audiosocket_core.transport import AudioSocketProtocol, EndCause
from audiosocket_server import endpointing
from audiosocket_server import events as e
from audiosocket_server.backend.client import BackendError
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.call import playback
from audiosocket_server.call.caller_input import CallerInput
from audiosocket_server.call.latency import AnswerClock
from audiosocket_server.call.speech_output import SpeechOutput
from audiosocket_server.registry.calls import CallRecord
from audiosocket_server.registry.vitals import LOOK_BACK_MS, Vitals
from audiosocket_server.services import Services
from audiosocket_server.speech.base import Recognition, SpeechError
from audiosocket_server.turns import vocabulary as t
from audiosocket_server.turns.machine import SPARE_SECONDS, Turns

__all__ = ["Call"]

log = logging.getLogger("audiosocket_server.call")

MOST_UNSENT = 50  # frames, before it is told

SLIN8 = int(Kind.SLIN8)  # what we send, always: every release of Asterisk takes it


class Call:
    """A connection, and the call that it becomes when its UUID comes. `on_gone` is told once, at its end."""

    def __init__(self, services: Services, on_gone: Callable[["Call"], None]) -> None:
        settings = services.settings
        self._services = services
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._time = self._loop.time
        self._shell: AudioSocketProtocol | None = None
        self._uuid_limit: asyncio.TimerHandle | None = None
        self._ticks: TickHandle | None = None
        self._record: CallRecord | None = None
        self._began_at = 0.0
        self._over = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = Turns(services.rules)
        self._answer_clock = AnswerClock()
        self._mouth = SpeechOutput(services, spawn=self._spawn, note=self._note, tell=self._tell)
        self._playback = self._mouth.playback
        self._ear = CallerInput(settings, services.detectors, self._warn)
        self._utterance = b""  # the beginning of the utterance that `turns` is being told of
        self._recognising: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._told_once: set[str] = set()

    # --- the connection -----------------------------------------------------------------------------------------------

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        self._shell = shell
        if self._over:  # the server stopped in between
            shell.end()
            return
        self._uuid_limit = self._loop.call_later(self._services.settings.limits.uuid_seconds, self._no_uuid)

    def on_message(self, kind: int, payload: bytes) -> None:
        try:
            if 0x10 <= kind <= 0x18:
                facts = self._ear.hear(kind, payload, self._time())
                if facts:
                    self._heard(facts)
            elif kind == Kind.UUID:
                self._begin(str(UUID(bytes=payload)))
            elif kind == Kind.DTMF:
                self._key(payload)
            else:
                self._warn_once(f"messages of kind 0x{kind:02x} came and are ignored")
        except Exception as error:  # noqa: BLE001 - ends this call with an event, and no other
            self._crash(error)

    def on_end(self, cause: EndCause) -> None:
        """The connection is over: hung up by the caller, or by us before (then the call has ended already)."""
        if self._record is None and not self._over:
            if cause.kind == "protocol_error":
                log.error("%s: no call: %s", self._peer, cause.detail)
            else:
                log.debug("%s: no call: %s before the UUID", self._peer, cause.kind)
        by, reason = _who_ended(cause)
        self._finish(by, reason)
        self._on_gone(self)

    async def wait_closed(self) -> None:
        """Until the socket is closed and no task of the call is left."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        if self._shell is not None:
            await self._shell.wait_closed()

    def stop(self, reason: str) -> None:
        """End the call orderly: 00 00 00, and its connection drains."""
        if self._record is not None:
            self._tell(t.Stop(reason))
        elif not self._over:
            self._finish("server", reason)
            self._end_connection()

    def abort(self) -> None:
        """Close the socket at once: the other side did not take the orderly end in time."""
        if self._shell is not None:
            self._shell.abort()

    @property
    def _peer(self) -> str:
        return self._shell.peer if self._shell is not None else ""

    def _end_connection(self) -> None:
        if self._shell is not None:
            self._shell.end()

    def _no_uuid(self) -> None:
        log.warning("%s: no UUID within %g s: closed", self._peer, self._services.settings.limits.uuid_seconds)
        self._finish("server", "no UUID came")
        self._end_connection()

    # --- the call -----------------------------------------------------------------------------------------------------

    def _begin(self, uuid: str) -> None:
        if self._record is not None or self._over:
            return
        if self._uuid_limit is not None:
            self._uuid_limit.cancel()
        self._began_at = self._ear.audio_at = self._time()
        peer = self._peer
        self._record = self._services.calls.open(
            uuid, peer, self.push, began_at=self._began_at, hang_up=self.stop, vitals=self.vitals
        )
        self._services.detectors.joined()
        self._note(e.CallStartedEvent(uuid, peer))
        self._tell(t.Answered())
        self._ticks = Ticker.of(self._loop).add(self._tick)

    def push(self, reply: BackendReply) -> bool:
        """The backend delivers a message by itself. False: not in this state, or too many wait."""
        if self._over or self._record is None or not self._turns.accepts_push:
            return False
        self._note_answer(reply, e.MessagePushedEvent(reply.message, reply.status))
        self._tell(t.Pushed(t.BotMessage(reply.message, reply.status)))
        return True

    def vitals(self) -> Vitals:
        """How it sounds and flows now. For who asks: nothing of it is kept up."""
        heard = self._ear.newest(LOOK_BACK_MS, self._time())
        dropped = self._shell.dropped_messages if self._shell is not None else 0
        return Vitals.of(heard, self._playback.newest(LOOK_BACK_MS), dropped)

    def _note_answer(self, reply: BackendReply, event: e.CallEvent) -> None:
        self._note(event)
        for warning in reply.warnings:
            self._warn(warning)
        if self._record is not None:
            self._record.last_answer = reply.raw

    def _note(self, event: e.CallEvent) -> None:
        """Record an event; after CallEnded none is."""
        if self._over or self._record is None:
            return
        recorded = self._record.record(event, self._time() - self._began_at)
        if log.isEnabledFor(logging.INFO):
            told = recorded.loggable()
            words = " ".join(f"{key}={value}" for key, value in told.items() if key not in ("number", "at", "type"))
            log.info("%s %8.3f %s %s", recorded.call_id, recorded.at_seconds, recorded.type, words)

    def _warn(self, what: str) -> None:
        self._note(e.WarnedEvent(what))

    def _warn_once(self, what: str) -> None:
        """Of what the other side may do again and again."""
        if what not in self._told_once:
            self._told_once.add(what)
            self._warn(what)

    def _finish(self, by: str, reason: str) -> None:
        """The end, whatever brought it about: lets go of everything, and CallEnded is the last event. Once."""
        if self._over:
            return
        if self._uuid_limit is not None:
            self._uuid_limit.cancel()
        if self._ticks is not None:
            self._ticks.cancel()
        try:
            self._carry_out(self._turns.handle(t.Over(), self._time()))
            self._cancel_recognition()
        except Exception as error:  # noqa: BLE001 - an engine that does not let go must not keep the call open
            by, reason = "error", self._fault(error)
        for task in self._tasks:
            task.cancel()
        detector = self._ear.close()
        if self._record is not None:
            self._services.detectors.left(detector)
        duration_ms = round((self._time() - self._began_at) * 1000)
        self._note(e.CallEndedEvent(by, reason, duration_ms))
        self._over = True

    def _crash(self, error: BaseException) -> None:
        """A fault of ours ends this call, orderly, and no other."""
        self._finish("error", self._fault(error))
        self._end_connection()

    def _fault(self, error: BaseException) -> str:
        name = self._record.id if self._record is not None else self._peer
        log.error("%s: internal error", name, exc_info=error)
        return f"internal error: {type(error).__name__}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crash(error)

    # --- turns --------------------------------------------------------------------------------------------------------

    def _tell(self, event: t.TurnEvent) -> None:
        self._carry_out(self._turns.handle(event, self._time()))

    def _carry_out(self, commands: Sequence[t.Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: t.Command) -> None:
        match command:
            case t.ChangeState(before, after):
                self._note(e.StateChangedEvent(before, after))
            case t.Listen(on):
                self._ear.listen(on)
            case t.StartRecognition():
                self._start_recognition()
            case t.FinishRecognition(job):
                self._recognising = self._spawn(self._finish_recognition(job))
            case t.CancelRecognition():
                self._cancel_recognition()
            case t.AskBackend(job, content):
                self._note(e.BackendAskedEvent(content))
                self._asking = self._spawn(self._ask(job, content))
            case t.CancelBackend():
                _cancel(self._asking)
            case t.Speak():
                self._answer_clock.message(self._time())
                self._mouth.say(command)
            case t.ReleaseSpeech():
                self._playback.release()
            case t.StopSpeech():
                self._mouth.hush()
                self._take_news()
            case t.StartHold():
                self._playback.start_hold()
            case t.StopHold():
                self._playback.stop_hold()
                self._take_news()
            case t.Warn(what):
                self._warn(what)
            case t.HangUpCall(reason):
                self._finish("server", reason)
                self._end_connection()

    # --- out: the clock, playback -------------------------------------------------------------------------------------

    def _tick(self, deadline: float) -> None:
        """Every 20 ms, from the UUID to the end."""
        try:
            if deadline + SPARE_SECONDS >= self._turns.next_deadline:
                self._carry_out(self._turns.tick(deadline))
                if self._over:
                    return
            voice = self._playback
            shell = self._shell
            assert shell is not None  # the UUID came by it
            ear = self._ear
            frame = voice.next_frame()
            ear.played(frame)
            if not shell.send(SLIN8, frame) and shell.dropped_messages == MOST_UNSENT:
                self._warn("the caller's side does not read: a second of audio could not be sent")
            if voice.news:
                self._take_news()
            if deadline - ear.audio_at > ear.gap_seconds and (facts := ear.missing(deadline, self._time())):
                self._heard(facts)
            if self._mouth.waits_for_room:
                self._mouth.make_room()
        except Exception as error:  # noqa: BLE001 - ends this call with an event, and no other
            self._crash(error)

    def _take_news(self) -> None:
        while self._playback.news:
            news = self._playback.news.pop(0)
            match news:
                case playback.SpeechBegan(job):
                    self._tell(t.PlaybackBegan(job))
                    if (saying := self._mouth.saying) is not None:
                        self._note(e.PlaybackStartedEvent(saying.purpose, saying.text))
                        if not saying.held:
                            self._note(self._answer_clock.first_audio(self._time()))
                case playback.SpeechEnded(job, played_ms, complete):
                    self._note(e.PlaybackFinishedEvent(played_ms, complete))
                    self._ear.forget()  # what was heard until now may be our own echo
                    self._mouth.said(complete)
                    self._tell(t.PlaybackEnded(job))
                case playback.HoldBegan():
                    self._note(e.HoldStartedEvent())
                case playback.HoldEnded(duration_ms):
                    self._note(e.HoldStoppedEvent(duration_ms))

    # --- in: the caller -----------------------------------------------------------------------------------------------

    def _heard(self, facts: Sequence[endpointing.EndpointingFact]) -> None:
        for fact in facts:
            match fact:
                case endpointing.UtteranceOpened(pcm):
                    self._note(e.SpeechStartedEvent())
                    self._utterance = pcm
                    self._tell(t.UtteranceBegan())
                    self._utterance = b""
                case endpointing.UtteranceClosed(reason, duration_ms, silence_ms):
                    noise = reason == "too_short"
                    self._note(e.SpeechEndedEvent(reason, duration_ms))
                    if not noise:
                        self._note(self._answer_clock.endpoint(self._time(), silence_ms))
                    self._tell(t.UtteranceEnded(noise))

    def _key(self, payload: bytes) -> None:
        """A digit. While the key was down no audio came, and that was no silence (docs/protocol.md, DTMF)."""
        digit = dtmf_digit(payload)
        if digit is None:
            self._warn_once("DTMF messages that are not one byte long came and are ignored")
            return
        self._note(e.DtmfReceivedEvent(digit))
        self._ear.forgive_missing(self._time())

    def _start_recognition(self) -> None:
        recognition: Recognition | None = None

        def on_interim(text: str) -> None:
            if self._ear.recognition is recognition and recognition is not None:
                self._note(e.TranscriptInterimEvent(text))

        recognition = self._services.engine.recognise(self._services.settings.speech.language, on_interim)
        self._ear.recognition = recognition
        recognition.feed(self._utterance)

    async def _finish_recognition(self, job: int) -> None:
        recognition = self._ear.recognition
        if recognition is None:
            return
        try:
            text = await recognition.finish()
        except SpeechError as error:
            self._note(e.TranscriptFinalEvent("", failed=True, detail=str(error)))
            self._note(self._answer_clock.recognised(self._time()))
            self._ear.recognition = None
            self._tell(t.RecognitionFailed(job))
        else:
            self._note(e.TranscriptFinalEvent(text))
            self._note(self._answer_clock.recognised(self._time()))
            self._ear.recognition = None
            self._tell(t.Recognised(job, text))

    def _cancel_recognition(self) -> None:
        _cancel(self._recognising)
        recognition, self._ear.recognition = self._ear.recognition, None
        if recognition is not None:
            recognition.cancel()

    # --- the backend --------------------------------------------------------------------------------------------------

    async def _ask(self, job: int, content: str) -> None:
        assert self._record is not None
        asked_at = self._time()
        try:
            reply = await self._services.backend.ask(self._record.id, content)
        except BackendError as error:
            self._note(e.BackendFailedEvent(error.kind, error.detail))
            self._note(self._answer_clock.answered(self._time()))
            self._tell(t.BackendFailed(job, reached=error.kind == "http_error"))
        else:
            latency_ms = round((self._time() - asked_at) * 1000)
            self._note_answer(reply, e.BackendAnsweredEvent(reply.message, reply.status, latency_ms))
            self._note(self._answer_clock.answered(self._time()))
            self._tell(t.MessageCame(job, t.BotMessage(reply.message, reply.status)))


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()


def _who_ended(cause: EndCause) -> tuple[str, str]:
    match cause.kind:
        case "eof":
            return "caller", f"the caller hung up{f' ({cause.detail})' if cause.detail else ''}"
        case "reset" if cause.detail.startswith("TimeoutError"):
            return "caller", "the caller's side does not answer any more"
        case "reset":
            return "caller", "the caller hung up (connection reset)"
        case "hangup_message":
            return "caller", "the caller's side sent a hangup"
        case "protocol_error":
            return "error", f"protocol error: {cause.detail}"
        case _:
            return "server", f"closed by the server{f' ({cause.detail})' if cause.detail else ''}"
