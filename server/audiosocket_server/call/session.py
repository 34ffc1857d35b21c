"""The session of one call: reports events to the turns, carries out their commands, and ends the call cleanly.

It is the handler of its connection, from before the UUID to the end, and the callback of the 20 ms clock. Each tick
sends one frame from `playback`, without exception, so that Asterisk always receives audio (docs/protocol.md, rules for
servers). What is said and when is decided in `turns`; this module only decides how a call ends. It owns every task of
the call, and no task outlives the call.

Receiving or sending a frame takes a few microseconds: on these two paths nothing is awaited, logged or allocated except
the frame itself.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from audiosocket_core.fair_share import FairShare
from audiosocket_core.messages import Kind, dtmf_digit
from audiosocket_core.ticker import Ticker, TickHandle
from audiosocket_core.transport import AudioSocketProtocol, EndCause
from audiosocket_server import endpointing
from audiosocket_server import events as e
from audiosocket_server.backend.client import BackendError
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.call import playback
from audiosocket_server.call.caller_input import CallerInput
from audiosocket_server.call.latency import AnswerClock
from audiosocket_server.call.overhearing import Overhearing
from audiosocket_server.call.speech_output import SpeechOutput
from audiosocket_server.registry.calls import CallRecord
from audiosocket_server.registry.vitals import LOOK_BACK_MS, Vitals
from audiosocket_server.services import Services
from audiosocket_server.speech.base import Recognition, SpeechError
from audiosocket_server.turns import vocabulary as t
from audiosocket_server.turns.machine import SPARE_SECONDS, Turns

__all__ = ["Call", "Door"]

log = logging.getLogger("audiosocket_server.call")

KEYS_A_SECOND = 20
"""Keys that are reported one by one. Nobody presses more; Asterisk itself keeps keys 125 ms apart."""

MOST_UNSENT = 50  # frames that could not be sent, when the warning is recorded

SLIN8 = int(Kind.SLIN8)  # the only kind sent: every release of Asterisk accepts it


class Door(Protocol):
    """Protocol of what decides about connections; implemented by the listener."""

    def lets_in(self, peer: str) -> bool:
        """Return whether a connection from this address ("ip:port") is accepted."""

    def refusal(self, call: "Call", uuid: UUID) -> str | None:
        """The UUID of a connection arrived. Return why it does not become a call; None if it does."""

    def complain(self, kind: str, line: str, level: int = logging.WARNING) -> None:
        """Log a line about a connection. Of many of a kind, which is a constant, only some are logged."""

    def gone(self, call: "Call") -> None:
        """The connection is over. Called once."""


class Call:
    """A connection, and the call that it becomes when its UUID arrives and `door` does not refuse it."""

    def __init__(self, services: Services, door: Door) -> None:
        settings = services.settings
        self._services = services
        self._door = door
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
        self._output = SpeechOutput(services, spawn=self._spawn, record=self._note, notify_turns=self._notify_turns)
        self._playback = self._output.playback
        self._input = CallerInput(settings, services.detectors, self._warn, self._heard_late)
        self._overhearing = Overhearing(services, self._input, spawn=self._spawn, notify_turns=self._notify_turns)
        self._utterance = b""  # audio of the utterance that has just begun, until recognition has it
        self._recognising: asyncio.Task[None] | None = None
        self._endpoint: tuple[float, int] | None = None  # of an utterance that may become the caller's turn
        self._asking: asyncio.Task[None] | None = None
        self._interrupted: Interrupted | None = None  # what the next question tells of
        self._ended = asyncio.Event()  # the end of the connection was dealt with
        self._warned_of: set[str] = set()
        self._keys = 0  # in the current second
        self._key_second: asyncio.TimerHandle | None = None

    # --- the connection -----------------------------------------------------------------------------------------------

    def on_connected(self, shell: AudioSocketProtocol) -> None:
        """Keep the connection, and start the time limit for its UUID. See `Handler`."""
        self._shell = shell
        self._input.has_unheard = lambda: shell.has_unheard
        if self._over:  # the server stopped before the connection was made
            shell.end()
            return
        if not self._door.lets_in(shell.peer):
            self._door.complain(
                "peers outside server.peers", f"{shell.peer}: closed, it is in no network of server.peers"
            )
            self._finish("server", "the peer is not allowed")
            shell.abort()
            return
        self._uuid_limit = self._due_in(self._services.settings.limits.uuid_seconds, self._no_uuid)

    def on_message(self, kind: int, payload: bytes) -> None:
        """Handle a message of the connection. An exception ends this call only. See `Handler`."""
        try:
            if 0x10 <= kind <= 0x18:
                facts = self._input.hear(kind, payload, self._time())
                if facts:
                    self._heard(facts)
            elif kind == Kind.UUID:
                self._begin(UUID(bytes=payload))
            elif kind == Kind.DTMF:
                self._key(payload)
            else:
                self._warn_once(f"messages of kind 0x{kind:02x} arrived and are ignored")
        except Exception as error:  # noqa: BLE001 - ends this call with an event, and no other
            self._crash(error)

    def on_end(self, cause: EndCause) -> None:
        """Finish the call soon, since a hundred may end at one instant. See `Handler`."""
        if self._ticks is not None:
            self._ticks.cancel()
        FairShare.of(self._loop).add(partial(self._connection_ended, cause))

    def _connection_ended(self, cause: EndCause) -> bool:
        """Finish the call after its connection ended, unless this side ended it before."""
        if self._record is None and not self._over:
            if cause.kind == "protocol_error":
                line = f"{self._peer}: the connection ended before a call began: {cause.detail}"
                self._door.complain("connections that are no AudioSocket", line, logging.ERROR)
            else:
                log.debug("%s: the connection ended before its UUID: %s", self._peer, cause.kind)
        by, reason = _who_ended(cause)
        self._finish(by, reason)
        self._door.gone(self)
        self._ended.set()
        return False

    async def wait_closed(self) -> None:
        """Wait until the socket is closed and every task of the call has ended."""
        if self._shell is not None:
            await self._shell.wait_closed()
            await self._ended.wait()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def stop(self, reason: str) -> None:
        """End the call in an orderly way: a hangup message, then the connection drains. `reason`: a line for people."""
        if self._record is not None:
            self._notify_turns(t.Stop(reason))
        elif not self._over:
            self._finish("server", reason)
            self._end_connection()

    def abort(self) -> None:
        """Close the socket at once, if the other side did not close in time."""
        if self._shell is not None:
            self._shell.abort()

    @property
    def _peer(self) -> str:
        return self._shell.peer if self._shell is not None else ""

    def _end_connection(self) -> None:
        if self._shell is not None:
            self._shell.end()

    def _due_in(self, seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        """Do `work` after `seconds`, in its share of the loop: the timers of a hundred calls may be due at once."""

        def once() -> bool:
            work()
            return False

        return self._loop.call_later(seconds, FairShare.of(self._loop).add, once)

    def _no_uuid(self) -> None:
        if self._record is not None or self._over:  # the UUID came, or the end, while this waited for its share
            return
        limit_seconds = self._services.settings.limits.uuid_seconds
        line = f"{self._peer}: closed, because no UUID arrived within {limit_seconds:g} s"
        self._door.complain("connections without a UUID", line)
        self._finish("server", "no UUID arrived")
        self._end_connection()

    def give_way(self) -> None:
        """Close the socket at once, because others need the place of a connection that has not sent a UUID."""
        line = f"{self._peer}: closed to make room, because no UUID has arrived"
        self._door.complain("connections closed to make room", line)
        self._finish("server", "no UUID arrived")
        self.abort()

    # --- the call -----------------------------------------------------------------------------------------------------

    def _begin(self, uuid: UUID) -> None:
        if self._record is not None or self._over:
            return
        if self._uuid_limit is not None:
            self._uuid_limit.cancel()
        if (refusal := self._door.refusal(self, uuid)) is not None:
            self._finish("server", refusal)
            self._end_connection()
            return
        self._began_at = self._input.audio_at = self._time()
        peer = self._peer
        self._record = self._services.calls.open(
            str(uuid), peer, self.push, began_at=self._began_at, hang_up=self.stop, vitals=self.vitals
        )
        self._services.detectors.joined()
        self._note(e.CallStartedEvent(str(uuid), peer))
        self._notify_turns(t.Answered())
        self._ticks = Ticker.of(self._loop).add(self._tick)

    def push(self, reply: BackendReply) -> bool:
        """Queue a message that the backend pushed. Returns False if the state accepts none or the queue is full."""
        if self._over or self._record is None or not self._turns.accepts_push:
            return False
        self._note_answer(reply, e.MessagePushedEvent(reply.message, reply.status))
        self._notify_turns(t.Pushed(t.BotMessage(reply.message, reply.status)))
        return True

    def vitals(self) -> Vitals:
        """Return a snapshot of audio levels and drops, computed on request."""
        heard = self._input.newest(LOOK_BACK_MS, self._time())
        dropped = self._shell.dropped_messages if self._shell is not None else 0
        return Vitals.of(heard, self._playback.newest(LOOK_BACK_MS), dropped)

    def _note_answer(self, reply: BackendReply, event: e.CallEvent) -> None:
        self._note(event)
        for warning in reply.warnings:
            self._warn(warning)
        if self._record is not None:
            self._record.last_answer = reply.raw

    def _note(self, event: e.CallEvent) -> None:
        """Record and log an event, unless the call has ended."""
        if self._over or self._record is None:
            return
        recorded = self._record.record(event, self._time() - self._began_at)
        if log.isEnabledFor(logging.INFO):
            fields = recorded.loggable()
            words = " ".join(f"{key}={value}" for key, value in fields.items() if key not in ("number", "at", "type"))
            log.info("%s %8.3f %s %s", recorded.call_id, recorded.at_seconds, recorded.type, words)

    def _warn(self, what: str) -> None:
        self._note(e.WarnedEvent(what))

    def _warn_once(self, what: str) -> None:
        """Record a warning the first time only, for things that the other side may repeat."""
        if what not in self._warned_of:
            self._warned_of.add(what)
            self._warn(what)

    def _finish(self, by: str, reason: str) -> None:
        """End the call, for any cause: release everything, and record CallEnded as the last event. Idempotent."""
        if self._over:
            return
        if self._uuid_limit is not None:
            self._uuid_limit.cancel()
        if self._ticks is not None:
            self._ticks.cancel()
        try:
            self._carry_out(self._turns.handle(t.Over(), self._time()))
            self._cancel_recognition()
        except Exception as error:  # noqa: BLE001 - a failing speech engine must not keep the call open
            by, reason = "error", self._fault(error)
        for task in self._tasks:
            task.cancel()
        self._end_key_second()
        detector = self._input.close()
        if self._record is not None:
            self._services.detectors.left(detector)
        duration_ms = round((self._time() - self._began_at) * 1000)
        self._note(e.CallEndedEvent(by, reason, duration_ms))
        self._over = True

    def _crash(self, error: BaseException) -> None:
        """End this call, and no other, after an internal error."""
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

    def _notify_turns(self, event: t.TurnEvent) -> None:
        self._carry_out(self._turns.handle(event, self._time()))

    def _carry_out(self, commands: Sequence[t.Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: t.Command) -> None:
        match command:
            case t.ChangeState(before, after):
                self._note(e.StateChangedEvent(before, after))
            case t.Listen(on):
                self._input.listen(on)
            case t.ListenAhead(if_proven):
                self._input.listen_ahead(if_proven=if_proven)
            case t.StartRecognition():
                self._start_recognition()
            case t.TryRecognition(job):
                self._overhearing.try_it(job)
            case t.DropUtterance(why):
                if self._input.in_utterance:
                    self._note(e.SpeechEndedEvent(why, self._input.utterance_ms))
                self._input.drop()
                self._endpoint = None
            case t.FinishRecognition(job):
                self._end_overhearing()
                if self._endpoint is not None:
                    self._note(self._answer_clock.endpoint(*self._endpoint))
                    self._endpoint = None
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
                self._output.say(command)
            case t.ReleaseSpeech():
                self._playback.release()
            case t.StopSpeech():
                stopped = self._output.current
                self._output.stop()
                self._handle_news(stopped)
            case t.PauseSpeech():
                self._output.pause(self._time())
                self._input.bot_speaks(False)
            case t.ResumeSpeech(_, why):
                self._output.resume(why, self._time())
                self._input.bot_speaks(True)
            case t.StartHold():
                self._playback.start_hold()
            case t.StopHold():
                self._playback.stop_hold()
                self._handle_news()
            case t.Warn(what):
                self._warn(what)
            case t.HangUpCall(reason):
                self._finish("server", reason)
                self._end_connection()

    # --- out: the clock, playback -------------------------------------------------------------------------------------

    def _tick(self, deadline: float) -> None:
        """Do what is due every 20 ms, from the UUID to the end. `deadline`: loop's seconds."""
        try:
            if self._turns.awaits_audio and self._input.audio_at > self._began_at:
                self._notify_turns(t.CallerAudioBegan())
            if self._turns.doubts:
                self._overhearing.look_for_sound()
            if deadline + SPARE_SECONDS >= self._turns.next_deadline:
                self._carry_out(self._turns.tick(deadline))
                if self._over:
                    return
            queue = self._playback
            shell = self._shell
            assert shell is not None  # the UUID arrived through it
            caller = self._input
            frame = queue.next_frame()
            caller.played(frame)
            if not shell.send(SLIN8, frame) and shell.dropped_messages == MOST_UNSENT:
                self._warn("the caller's side does not read its audio: one second of it could not be sent")
            if queue.news:
                self._handle_news()
            if deadline - caller.audio_at > caller.gap_seconds and (facts := caller.missing(deadline, self._time())):
                self._heard(facts)
            if self._turns.doubts:
                self._overhearing.look(may_wait=self._turns.may_wait(deadline))
            if self._output.waits_for_room:
                self._output.make_room()
        except Exception as error:  # noqa: BLE001 - ends this call with an event, and no other
            self._crash(error)

    def _handle_news(self, stopped: t.Speak | None = None) -> None:
        """Report what happened to the bot's sound. `stopped`: the message that the turns have just stopped."""
        while self._playback.news:
            news = self._playback.news.pop(0)
            match news:
                case playback.SpeechBegan(job):
                    self._input.bot_speaks(True)
                    self._notify_turns(t.PlaybackBegan(job))
                    if (message := self._output.current) is not None:
                        if self._interrupted is not None and self._interrupted.text == message.text:
                            self._interrupted = None  # it is said again
                        self._note(e.PlaybackStartedEvent(message.purpose, message.text))
                        if not message.held:
                            self._note(self._answer_clock.first_audio(self._time()))
                case playback.SpeechNearlyOver(job):
                    self._notify_turns(t.PlaybackNearlyOver(job))
                case playback.SpeechEnded(job, played_ms, complete, of_ms):
                    self._input.bot_speaks(False)
                    heard = None if complete else self._output.heard(played_ms, of_ms)
                    self._note(e.PlaybackFinishedEvent(played_ms, complete, of_ms, heard))
                    if stopped is not None and heard is not None:
                        self._interrupted = Interrupted(stopped.text, heard, played_ms, of_ms)
                    self._input.bot_fell_silent()
                    self._output.playback_ended(complete)
                    self._notify_turns(t.PlaybackEnded(job))
                case playback.HoldBegan():
                    self._note(e.HoldStartedEvent())
                case playback.HoldEnded(duration_ms):
                    self._note(e.HoldStoppedEvent(duration_ms))

    # --- in: the caller -----------------------------------------------------------------------------------------------

    def _heard_late(self, take: Callable[[], Sequence[endpointing.EndpointingFact] | None]) -> None:
        """Take audio that was gathered with that of other calls: none of them must fail with this one."""
        try:
            if facts := take():
                self._heard(facts)
        except Exception as error:  # noqa: BLE001 - ends this call with an event, and no other
            self._crash(error)

    def _heard(self, facts: Sequence[endpointing.EndpointingFact]) -> None:
        for fact in facts:
            match fact:
                case endpointing.UtteranceOpened(pcm):
                    self._note(e.SpeechStartedEvent())
                    self._utterance = pcm
                    speaks = self._output.current is not None
                    quiet_ms = self._output.quiet_ms() if speaks else 0
                    self._notify_turns(t.UtteranceBegan(self._playback.left_ms, quiet_ms))
                    self._utterance = b""
                case endpointing.SpeechPaused(too_short):
                    if self._turns.doubts:
                        self._overhearing.weigh(over=True)
                    self._notify_turns(t.UtterancePaused(too_short))
                case endpointing.SpeechWentOn():
                    self._notify_turns(t.UtteranceWentOn())
                case endpointing.UtteranceClosed(reason, duration_ms, silence_ms):
                    noise = reason == "too_short"
                    if self._turns.doubts:
                        self._overhearing.weigh(over=True)
                    self._note(e.SpeechEndedEvent(reason, duration_ms))
                    if not noise and self._turns.doubts:
                        self._endpoint = (self._time(), silence_ms)
                    elif not noise:
                        self._note(self._answer_clock.endpoint(self._time(), silence_ms))
                    self._notify_turns(t.UtteranceEnded(noise))

    def _key(self, payload: bytes) -> None:
        """Record a digit. While the key was down no audio arrived, which was no silence (docs/protocol.md, DTMF)."""
        digit = dtmf_digit(payload)
        if digit is None:
            self._warn_once("DTMF messages that are not one byte long arrived and are ignored")
            return
        if self._key_second is None:
            self._key_second = self._due_in(1.0, self._end_key_second)
        self._keys += 1
        if self._keys <= KEYS_A_SECOND:
            self._note(e.DtmfReceivedEvent(digit))
        self._input.forgive_missing(self._time())

    def _end_key_second(self) -> None:
        """Report how many keys of the last second were not reported one by one, and begin anew."""
        if self._key_second is not None:
            self._key_second.cancel()
            self._key_second = None
        unreported, self._keys = self._keys - KEYS_A_SECOND, 0
        if unreported > 0:
            self._warn(f"more than {KEYS_A_SECOND} keys came within a second: {unreported} more are not reported")

    def _start_recognition(self) -> None:
        recognition: Recognition | None = None

        def on_interim(text: str) -> None:
            if self._input.recognition is recognition and recognition is not None:
                self._note(e.TranscriptInterimEvent(text))
                self._notify_turns(t.WordsHeard(text))

        recognition = self._services.engine.recognise(self._services.settings.speech.language, on_interim)
        self._input.recognition = recognition
        recognition.feed(self._utterance)
        if self._turns.doubts:
            self._input.keep(self._utterance)

    def _end_overhearing(self) -> None:
        self._overhearing.end()
        self._input.keep_no_more()

    async def _finish_recognition(self, job: int) -> None:
        recognition = self._input.recognition
        if recognition is None:
            return
        try:
            text = await recognition.finish()
        except SpeechError as error:
            self._note(e.TranscriptFinalEvent("", failed=True, detail=str(error)))
            self._note(self._answer_clock.recognised(self._time()))
            self._input.recognition = None
            self._notify_turns(t.RecognitionFailed(job))
        else:
            self._note(e.TranscriptFinalEvent(text))
            if text.strip():
                self._input.was_the_caller()
            self._note(self._answer_clock.recognised(self._time()))
            self._input.recognition = None
            self._notify_turns(t.Recognised(job, text))

    def _cancel_recognition(self) -> None:
        self._end_overhearing()
        _cancel(self._recognising)
        recognition, self._input.recognition = self._input.recognition, None
        if recognition is not None:
            recognition.cancel()

    # --- the backend --------------------------------------------------------------------------------------------------

    async def _ask(self, job: int, content: str) -> None:
        assert self._record is not None
        asked_at = self._time()
        interrupted, self._interrupted = self._interrupted, None
        try:
            reply = await self._services.backend.ask(self._record.id, content, interrupted)
        except BackendError as error:
            self._note(e.BackendFailedEvent(error.kind, error.detail))
            self._note(self._answer_clock.answered(self._time()))
            self._notify_turns(t.BackendFailed(job, reached=error.kind == "http_error"))
        else:
            latency_ms = round((self._time() - asked_at) * 1000)
            self._note_answer(reply, e.BackendAnsweredEvent(reply.message, reply.status, latency_ms))
            self._note(self._answer_clock.answered(self._time()))
            self._notify_turns(t.MessageCame(job, t.BotMessage(reply.message, reply.status)))


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()


def _who_ended(cause: EndCause) -> tuple[str, str]:
    """Return who ended the call (caller, server or error) and why, a line for people."""
    match cause.kind:
        case "eof":
            return "caller", f"the caller hung up{f' ({cause.detail})' if cause.detail else ''}"
        case "reset" if cause.detail.startswith("TimeoutError"):
            return "caller", "the caller's side no longer answers"
        case "reset":
            return "caller", "the caller hung up (connection reset)"
        case "hangup_message":
            return "caller", "the caller's side sent a hangup"
        case "protocol_error":
            return "error", f"protocol error: {cause.detail}"
        case _:
            return "server", f"closed by the server{f' ({cause.detail})' if cause.detail else ''}"
