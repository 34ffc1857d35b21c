"""Turn-taking state machine. Input: an event and the time. Output: commands and the next deadline. Pure.

`Turns` knows the four states of the API (`CallState`) and, finer, in which *phase* of them a call is. docs/server.md
(States) tells it for users; this is the whole of it:

    phase             state                deadline -> then
    NEW               STANDBY              none: before `Answered`; who makes a Turns has the UUID
    GREETING          STANDBY              the greeting's delay -> the greeting goes out, or USER_TURN if there is none
    LISTENING         USER_TURN            120 s without an utterance -> hang up
    HEARING           USER_TURN            the longest utterance and some -> RECOGNISING (endpointing says so sooner)
    RECOGNISING       WAITING              the engine's time -> an apology
    AWAITING_BACKEND  WAITING              the backend's time and some -> an apology (the client says so sooner)
    SYNTHESISING      WAITING or IA_TURN   the engine's time to the first audio -> as if the message were empty
    PLAYING           IA_TURN              none of its own: frames leave on the clock; playback ends one that stalls
    PAUSING           IA_TURN              0.5 s after the last word -> do what the message's status says
    AWAITING_PUSH     WAITING or IA_TURN   30 s since the last message -> an apology
    OVER              STANDBY              none, and no way out

The call's own limit (30 min) ends every phase between these two, so none of them is without a deadline.

Why so:
- The state changes when the caller can hear it: IA_TURN begins with the first frame of audio, not when the answer
  came. So hold audio covers the time in which speech is made, and stops in the frame in which it is no longer needed.
  The greeting alone has its own instant: it is made during the delay, and held.
- A message's status is done after its pause. Messages that were pushed meanwhile are played in their order; USER_TURN
  and STANDBY wait until none is left, since a message that was accepted is spoken.
- A failure is spoken as an apology with the status USER_TURN, and takes the way of every message.
- Answers carry the number of the job that asked for them. A late one, of a job given up, fits no phase: it is ignored.
- Deadlines are compared with half a millisecond to spare: they lie on the 20 ms grid, and floats do not.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto

from audiosocket_server.events import CallState
from audiosocket_server.turns.vocabulary import (
    CALLER_SILENT,
    CONVERSATION_OVER,
    TIME_LIMIT,
    Answered,
    AskBackend,
    BackendFailed,
    BotMessage,
    CancelBackend,
    CancelRecognition,
    ChangeState,
    Command,
    FinishRecognition,
    HangUpCall,
    Listen,
    MessageCame,
    Over,
    PlaybackBegan,
    PlaybackEnded,
    Pushed,
    Recognised,
    RecognitionFailed,
    ReleaseSpeech,
    Speak,
    SpeechFailed,
    StartHold,
    StartRecognition,
    Stop,
    StopHold,
    StopSpeech,
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    Warn,
)

__all__ = ["COULD_NOT_CONNECT", "ERROR_OCCURRED", "Phase", "Turns"]

ERROR_OCCURRED = "Desculpe, ocorreu um erro ao processar sua solicitação."
COULD_NOT_CONNECT = "Desculpe, não foi possível me conectar ao serviço neste momento."

NEVER = float("inf")
SPARE_SECONDS = 0.0005


class Phase(Enum):
    NEW = auto()
    GREETING = auto()
    LISTENING = auto()
    HEARING = auto()
    RECOGNISING = auto()
    AWAITING_BACKEND = auto()
    SYNTHESISING = auto()
    PLAYING = auto()
    PAUSING = auto()
    AWAITING_PUSH = auto()
    OVER = auto()


# --- the machine ------------------------------------------------------------------------------------------------------


class Turns:
    """The turns of one call. Take the commands of each answer in their order, before the next event."""

    def __init__(self, rules: TurnRules) -> None:
        self.state = CallState.STANDBY
        self.phase = Phase.NEW
        self.next_deadline = NEVER  # when `tick` has something to do
        self._rules = rules
        self._now = 0.0
        self._phase_until = NEVER
        self._silent_until = NEVER  # LISTENING: also while a noise is heard out
        self._hold_at = NEVER
        self._call_until = NEVER
        self._listening = False
        self._job = 0  # the newest job's number; each phase has at most one job
        self._greets = False  # GREETING: there is a greeting, made or being made
        self._status = CallState.USER_TURN  # of the message that is being made or played
        self._message_ended = 0.0
        self._queue: deque[BotMessage] = deque()
        self._commands: list[Command] = []

    @property
    def accepts_push(self) -> bool:
        """A pushed message would be spoken: WAITING or IA_TURN, and there is room for it."""
        has_floor = self.state in (CallState.WAITING, CallState.IA_TURN)
        return has_floor and self.phase is not Phase.OVER and len(self._queue) < self._rules.queued_messages

    def handle(self, event: TurnEvent, now: float) -> Sequence[Command]:
        """`event` happened at `now`. An event that fits no phase is one that came too late: nothing is done."""
        self._now = now
        if isinstance(event, Over):
            self._end()
        elif self.phase is not Phase.OVER:
            if isinstance(event, Stop):
                self._hang_up(event.reason)
            elif isinstance(event, Pushed):
                self._pushed(event)
            elif (step := _TABLE.get((self.phase, type(event)))) is not None:
                job = getattr(event, "job", None)
                if job is None or job == self._job:
                    step(self, event)
        return self._answer()

    def tick(self, now: float) -> Sequence[Command]:
        """Do what is due at `now`."""
        self._now = now
        while self.next_deadline <= now + SPARE_SECONDS:
            due = self.next_deadline
            if self._call_until == due:
                self._hang_up(TIME_LIMIT)
            elif self._hold_at == due:
                self._hold_at = NEVER
                self._do(StartHold())
            else:
                self._phase_until = NEVER
                _DEADLINES[self.phase](self)
            self._set_next_deadline()
        return self._answer()

    # --- small parts ---

    def _do(self, command: Command) -> None:
        self._commands.append(command)

    def _answer(self) -> Sequence[Command]:
        self._set_next_deadline()
        commands, self._commands = self._commands, []
        return commands

    def _set_next_deadline(self) -> None:
        self.next_deadline = min(self._phase_until, self._hold_at, self._call_until)

    def _go(self, phase: Phase, seconds: float = NEVER) -> None:
        self.phase, self._phase_until = phase, self._now + seconds

    def _enter(self, state: CallState) -> None:
        """Change the state, where it is another one. Hold audio belongs to WAITING, and counts from its start."""
        if state is self.state:
            return
        if self.state is CallState.WAITING:
            self._hold_at = NEVER
            self._do(StopHold())
        before, self.state = self.state, state
        self._do(ChangeState(before, state))
        if state is CallState.WAITING:
            self._hold_at = self._now + self._rules.hold_after_seconds

    def _listen(self, on: bool) -> None:
        if on is not self._listening:
            self._listening = on
            self._do(Listen(on))

    def _new_job(self) -> int:
        self._job += 1
        return self._job

    # --- the caller's turn ---

    def _answered(self, _: TurnEvent) -> None:
        self._call_until = self._now + self._rules.call_seconds
        self._greets = bool(self._rules.greeting.strip())
        if self._greets:
            self._do(Speak(self._new_job(), self._rules.greeting, "greeting", held=True))
        self._go(Phase.GREETING, self._rules.greeting_delay_seconds)

    def _greeting_failed(self, _: TurnEvent) -> None:
        self._greets = False

    def _delay_over(self) -> None:
        if not self._greets:
            self._users_turn()
            return
        self._enter(CallState.IA_TURN)
        self._status = CallState.USER_TURN
        self._do(ReleaseSpeech(self._job))
        self._go(Phase.SYNTHESISING, self._rules.synthesis_seconds)

    def _users_turn(self) -> None:
        self._enter(CallState.USER_TURN)
        self._go(Phase.LISTENING, self._rules.no_utterance_seconds)
        self._silent_until = self._phase_until
        self._listen(True)

    def _nobody_speaks(self) -> None:
        self._hang_up(CALLER_SILENT)

    def _utterance_began(self, _: TurnEvent) -> None:
        self._hear()

    def _hear(self) -> None:
        self._do(StartRecognition(self._new_job()))
        rules = self._rules
        self._go(Phase.HEARING, rules.longest_utterance_seconds + rules.silence_seconds + 1.0)

    def _utterance_ended(self, event: TurnEvent) -> None:
        if isinstance(event, UtteranceEnded) and event.noise:
            self._do(CancelRecognition(self._job))
            self._go(Phase.LISTENING)
            self._phase_until = self._silent_until  # a noise is no utterance: the limit goes on
        else:
            self._recognise()

    def _recognise(self) -> None:
        self._listen(False)
        self._enter(CallState.WAITING)
        self._do(FinishRecognition(self._job))
        self._go(Phase.RECOGNISING, self._rules.recognition_seconds)

    # --- the answer ---

    def _recognised(self, event: TurnEvent) -> None:
        assert isinstance(event, Recognised)
        if not event.text.strip():
            self._do_status(CallState.USER_TURN)
            return
        self._do(AskBackend(self._new_job(), event.text))
        self._go(Phase.AWAITING_BACKEND, self._rules.backend_seconds + 1.0)

    def _recognition_failed(self, _: TurnEvent) -> None:
        self._apologise(ERROR_OCCURRED)

    def _recognition_late(self) -> None:
        self._do(CancelRecognition(self._job))
        self._do(Warn("recognition gave no result in time"))
        self._apologise(ERROR_OCCURRED)

    def _backend_answered(self, event: TurnEvent) -> None:
        assert isinstance(event, MessageCame)
        self._say(event.message, "reply")

    def _backend_failed(self, event: TurnEvent) -> None:
        assert isinstance(event, BackendFailed)
        self._apologise(ERROR_OCCURRED if event.reached else COULD_NOT_CONNECT)

    def _backend_late(self) -> None:
        self._do(CancelBackend(self._job))
        self._do(Warn("the backend's client gave no result in time"))
        self._apologise(COULD_NOT_CONNECT)

    def _apologise(self, text: str) -> None:
        self._say(BotMessage(text, CallState.USER_TURN), "apology")

    def _pushed(self, event: Pushed) -> None:
        if not self.accepts_push:
            return
        self._queue.append(event.message)
        if self.phase is Phase.AWAITING_PUSH:
            self._say(self._queue.popleft(), "reply")
        elif self.phase in (Phase.PLAYING, Phase.PAUSING):
            self._listen(False)  # there is more to say: what plays is no longer the last word

    # --- speaking ---

    def _say(self, message: BotMessage, purpose: str) -> None:
        """Speech is made in the state that there is; IA_TURN begins with its first audio."""
        self._status = message.status
        if not message.text.strip():
            self._message_over()
            return
        self._do(Speak(self._new_job(), message.text, purpose))
        self._go(Phase.SYNTHESISING, self._rules.synthesis_seconds)

    def _speech_failed(self, _: TurnEvent) -> None:
        self._message_over()

    def _speech_late(self) -> None:
        self._do(StopSpeech(self._job))
        self._do(Warn("synthesis gave no audio in time"))
        self._message_over()

    def _message_over(self) -> None:
        """The message ends here, without a pause: nothing of it was heard."""
        self._message_ended = self._now
        self._do_status(self._status)

    def _playback_began(self, _: TurnEvent) -> None:
        self._enter(CallState.IA_TURN)
        self._go(Phase.PLAYING)
        if self._rules.barge_in and self._status is CallState.USER_TURN and not self._queue:
            self._listen(True)

    def _playback_ended(self, _: TurnEvent) -> None:
        self._message_ended = self._now
        self._go(Phase.PAUSING, self._rules.pause_seconds)

    def _pause_over(self) -> None:
        self._do_status(self._status)

    def _barged_in(self, _: TurnEvent) -> None:
        """The caller speaks over a reply, or in the pause after it: the floor is theirs. Only told while listening."""
        self._do(StopSpeech(self._job))
        self._users_turn()
        self._hear()

    # --- what a message's status says ---

    def _do_status(self, status: CallState) -> None:
        self._go(Phase.AWAITING_PUSH)  # no job is open
        if status in (CallState.WAITING, CallState.IA_TURN):
            self._listen(False)
            self._enter(status)
            self._phase_until = self._message_ended + self._rules.transaction_seconds
        if self._queue:
            self._say(self._queue.popleft(), "reply")
        elif status is CallState.USER_TURN:
            self._users_turn()
        elif status is CallState.STANDBY:
            self._hang_up(CONVERSATION_OVER)

    def _kept_too_long(self) -> None:
        self._do(Warn("the backend sent no further message in time"))
        self._apologise(ERROR_OCCURRED)

    # --- the end ---

    def _hang_up(self, reason: str) -> None:
        self._end()
        self._do(HangUpCall(reason))

    def _end(self) -> None:
        if self.phase is Phase.OVER:
            return
        if self.phase in (Phase.HEARING, Phase.RECOGNISING):
            self._do(CancelRecognition(self._job))
        elif self.phase is Phase.AWAITING_BACKEND:
            self._do(CancelBackend(self._job))
        elif self.phase in (Phase.GREETING, Phase.SYNTHESISING, Phase.PLAYING):
            self._do(StopSpeech(self._job))
        self._listen(False)
        self._enter(CallState.STANDBY)
        self._queue.clear()
        self._hold_at = self._call_until = NEVER
        self._go(Phase.OVER)


# What happens in which phase; what is not here came too late, and nothing is done. Pushed, Stop and Over: see `handle`.
_Step = Callable[[Turns, TurnEvent], None]
_TABLE: Mapping[tuple[Phase, type[TurnEvent]], _Step] = {
    (Phase.NEW, Answered): Turns._answered,
    (Phase.GREETING, SpeechFailed): Turns._greeting_failed,
    (Phase.LISTENING, UtteranceBegan): Turns._utterance_began,
    (Phase.HEARING, UtteranceEnded): Turns._utterance_ended,
    (Phase.RECOGNISING, Recognised): Turns._recognised,
    (Phase.RECOGNISING, RecognitionFailed): Turns._recognition_failed,
    (Phase.AWAITING_BACKEND, MessageCame): Turns._backend_answered,
    (Phase.AWAITING_BACKEND, BackendFailed): Turns._backend_failed,
    (Phase.SYNTHESISING, SpeechFailed): Turns._speech_failed,
    (Phase.SYNTHESISING, PlaybackBegan): Turns._playback_began,
    (Phase.PLAYING, PlaybackEnded): Turns._playback_ended,
    (Phase.PLAYING, UtteranceBegan): Turns._barged_in,
    (Phase.PAUSING, UtteranceBegan): Turns._barged_in,
}

_DEADLINES: Mapping[Phase, Callable[[Turns], None]] = {
    Phase.GREETING: Turns._delay_over,
    Phase.LISTENING: Turns._nobody_speaks,
    Phase.HEARING: Turns._recognise,
    Phase.RECOGNISING: Turns._recognition_late,
    Phase.AWAITING_BACKEND: Turns._backend_late,
    Phase.SYNTHESISING: Turns._speech_late,
    Phase.PAUSING: Turns._pause_over,
    Phase.AWAITING_PUSH: Turns._kept_too_long,
}
