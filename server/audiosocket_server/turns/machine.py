"""Turn-taking state machine. Input: an event and the time. Output: commands and the next deadline. Pure.

`Turns` holds the state of the API (`CallState`, four values) and the *phase* within it. docs/server.md (States)
describes the states for users. All phases, with their default times:

    phase             state                deadline and what follows it
    NEW               STANDBY              none: until `Answered`
    GREETING          STANDBY, USER_TURN   greeting delay, without audio 3 s more -> the greeting, or else USER_TURN
    LISTENING         USER_TURN            120 s without an utterance -> hang up; kept words: 1 s -> AWAITING_BACKEND
    HEARING           USER_TURN            longest utterance + silence + 1 s -> RECOGNISING (endpointing is quicker)
    RECOGNISING       WAITING              time limit of recognition -> an apology
    AWAITING_BACKEND  WAITING              time limit of the backend + 1 s -> an apology (the client is quicker)
    SYNTHESISING      WAITING or IA_TURN   time limit of the first audio -> as if the message were empty
    PLAYING           IA_TURN              none of its own: playback ends a message whose audio stalls
    DOUBTING          IA_TURN              0.85 s of silence in a message -> the turn is the caller's, or OVERHEARING
    OVERHEARING       IA_TURN              none of its own, as PLAYING: the message plays on, and somebody speaks
    PAUSING           IA_TURN              0.5 s after the last word -> follow the message's status
    AWAITING_PUSH     WAITING or IA_TURN   30 s since the last message -> an apology
    OVER              STANDBY              none: final

The time limit of the call (30 min) applies in every phase between NEW and OVER, so each of these has a deadline.

Design:
- The state changes when the caller can hear the change: IA_TURN begins with the first frame of audio, not with the
  backend's answer. So hold audio covers the time of the synthesis, and stops with the first frame of speech. Only the
  greeting starts at a fixed time (`greeting`): it is synthesised during the delay, and held.
- A caller who speaks first (rule `hears_first`) is heard out in USER_TURN, while the greeting is held. It is dropped if
  a text was recognised, and follows otherwise.
- People answer before the last word is over. With the rule `hears_early` the caller is heard from a little before it;
  what he says waits until playback has ended, and cuts the pause short.
- The status of a message takes effect after its pause. Messages pushed meanwhile are played in order; USER_TURN and
  STANDBY wait until the queue is empty, because every accepted message is spoken.
- A failure is spoken as an apology with the status USER_TURN, and handled like every other message.
- Answers carry the number of the job that asked for them. The answer of a job that was given up is ignored.
- A message that was stopped for a noise, or for speech that nobody understands, is said again.
- With barge-in a sound over a message pauses it; whether it is stopped is decided in `yielding`. Meanwhile the state
  is IA_TURN, and two jobs are open: the message and the recognition of the sound.
- What was said too softly over a message to stop it, in a voice like the caller's, is kept: if he says nothing for a
  second after the message, it was his turn, and is answered.
- Deadlines are compared with a tolerance of 0.5 ms: they lie on the 20 ms grid, which floats miss by a little.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from audiosocket_server.events import CallState
from audiosocket_server.turns.greeting import Greeting
from audiosocket_server.turns.overheard_steps import OverheardSteps
from audiosocket_server.turns.phases import Phase
from audiosocket_server.turns.vocabulary import (
    CALLER_SILENT,
    CONVERSATION_OVER,
    TIME_LIMIT,
    Answered,
    AskBackend,
    BackendFailed,
    BotMessage,
    CallerAudioBegan,
    CancelBackend,
    CancelRecognition,
    ChangeState,
    Command,
    FinishRecognition,
    HangUpCall,
    Listen,
    ListenAhead,
    MessageCame,
    Over,
    PlaybackBegan,
    PlaybackEnded,
    PlaybackNearlyOver,
    Pushed,
    Recognised,
    RecognitionFailed,
    ReleaseSpeech,
    SoundStirs,
    Speak,
    SpeechFailed,
    StartHold,
    StartRecognition,
    Stop,
    StopHold,
    StopSpeech,
    Tried,
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceWentOn,
    VoiceLasts,
    VoiceWeighed,
    Warn,
    WordsHeard,
)
from audiosocket_server.turns.yielding import OTHER_MESSAGE, Overheard

__all__ = ["COULD_NOT_CONNECT", "ERROR_OCCURRED", "Phase", "Turns"]

ERROR_OCCURRED = "Desculpe, ocorreu um erro ao processar sua solicitação."
COULD_NOT_CONNECT = "Desculpe, não foi possível me conectar ao serviço neste momento."

NEVER = float("inf")
SPARE_SECONDS = 0.0005
KEPT_SECONDS = 1.0
"""So long after the pause behind a message a caller may say something instead of what he said softly over it."""
MOST_STOPS = 2
"""A message that was stopped for nothing so often is said to its end: on this line nobody can be told from noise."""

_E = TypeVar("_E", bound=TurnEvent)


# --- the machine ------------------------------------------------------------------------------------------------------


class Turns(OverheardSteps):
    """Turn-taking of one call.

    `handle` and `tick` return commands: carry them out in order, before the next event. Call `tick` when
    `next_deadline` has come. All times are seconds of one clock and never go back.
    """

    def __init__(self, rules: TurnRules) -> None:
        self.state = CallState.STANDBY
        self.phase = Phase.NEW
        self.next_deadline = NEVER
        """When `tick` next has something to do."""
        self._rules = rules
        self._now = 0.0
        self._phase_until = NEVER
        self._doubt_until = NEVER  # the end of the longest pause of the message, in DOUBTING
        self._stirs_until = 0.0  # until then it is not known whether a sound begins, in DOUBTING
        self._silent_until = NEVER  # deadline of LISTENING, which continues while a noise is heard
        self._hold_at = NEVER
        self._call_until = NEVER
        self._listening = self._listening_ahead = False
        self._numbered = 0  # the newest job's number
        self._job = 0  # the current job: each phase has at most one, besides the held greeting and that of `_overheard`
        self._overheard: Overheard | None = None  # DOUBTING, OVERHEARING
        self._greeting = Greeting(rules.audio_wait_seconds)
        self._status = CallState.USER_TURN  # of the message that is being synthesised or played
        self._text = ""  # of the message that is being said
        self._cut_off: BotMessage | None = None  # the message that the caller stopped, until it is known what he said
        self._kept = ""  # what was said too softly over the message
        self._repeats = 0  # how often it was said again
        self._message_ended = 0.0
        self._queue: deque[BotMessage] = deque()
        self._commands: list[Command] = []

    @property
    def accepts_push(self) -> bool:
        """True if a pushed message would be spoken: the state is WAITING or IA_TURN, and the queue has room."""
        has_floor = self.state in (CallState.WAITING, CallState.IA_TURN)
        return has_floor and len(self._queue) < self._rules.queued_messages

    @property
    def awaits_audio(self) -> bool:
        """True while `CallerAudioBegan` would make a difference: report it then."""
        return self._greeting.awaits_audio

    def handle(self, event: TurnEvent, now: float) -> Sequence[Command]:
        """Handle `event`, which happened at `now`; return the commands. An event that came too late is ignored."""
        self._now = now
        if isinstance(event, Over):
            self._end()
        elif self.phase is not Phase.OVER:
            if isinstance(event, Stop):
                self._hang_up(event.reason)
            elif isinstance(event, Pushed):
                self._pushed(event)
            elif isinstance(event, SpeechFailed) and event.job == self._greeting.job:
                self._greeting_failed()
            elif (step := _TABLE.get((self.phase, type(event)))) is not None:
                job = getattr(event, "job", None)
                if job is None or job in (self._job, self._overheard and self._overheard.job):
                    step(self, event)
        return self._answer()

    def tick(self, now: float) -> Sequence[Command]:
        """Handle the deadlines that have passed at `now`; return the commands."""
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
        """Enter `phase`, with its deadline `seconds` from now."""
        self.phase, self._phase_until = phase, self._now + seconds

    def _enter(self, state: CallState) -> None:
        """Enter `state` if it is a new one. Hold audio belongs to WAITING, and its delay counts from the entry."""
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
        if on is not self._listening or self._listening_ahead:
            self._listening, self._listening_ahead = on, False
            self._do(Listen(on))

    def _listen_ahead(self, *, if_proven: bool) -> None:
        if not self._listening and not self._listening_ahead:
            self._listening_ahead = True
            self._do(ListenAhead(if_proven))

    def _new_job(self) -> int:
        self._numbered += 1
        self._job = self._numbered
        return self._job

    # --- the caller's turn ---

    def _answered(self, _: TurnEvent) -> None:
        self._call_until = self._now + self._rules.call_seconds
        job = self._new_job() if self._rules.greeting.strip() else None
        if job is not None:
            self._do(Speak(job, self._rules.greeting, "greeting", held=True))
        self._greeting.announce(job, self._now + self._rules.greeting_delay_seconds)
        self._await_greeting()
        if self._rules.hears_first:
            self._listen_ahead(if_proven=True)

    def _await_greeting(self) -> None:
        self._go(Phase.GREETING)
        self._phase_until = self._greeting.deadline

    def _greeting_failed(self) -> None:
        self._greeting.take()
        if self.phase is Phase.GREETING:
            self._await_greeting()

    def _audio_began(self, _: TurnEvent) -> None:
        self._greeting.audio_began()
        self._await_greeting()

    def _spoke_first(self, _: TurnEvent) -> None:
        self._greeting.audio_began()
        self._users_turn()
        self._hear()

    def _greet(self) -> None:
        """Play the greeting, if there is one. Otherwise it is the caller's turn."""
        job = self._greeting.take()
        if job is None:
            self._users_turn()
            return
        self._listen(False)
        self._enter(CallState.IA_TURN)
        self._status, self._text, self._job = CallState.USER_TURN, self._rules.greeting, job
        self._do(ReleaseSpeech(job))
        self._go(Phase.SYNTHESISING, self._rules.synthesis_seconds)

    def _drop_greeting(self) -> None:
        if (job := self._greeting.take()) is not None:
            self._do(StopSpeech(job))

    def _users_turn(self) -> None:
        """Enter USER_TURN. What was kept of the message before is his turn unless he says something else soon."""
        self._enter(CallState.USER_TURN)
        self._go(Phase.LISTENING, KEPT_SECONDS if self._kept else self._rules.no_utterance_seconds)
        self._silent_until = self._phase_until
        self._listen(True)

    def _nobody_speaks(self) -> None:
        if not self._kept:
            self._hang_up(CALLER_SILENT)
            return
        self._listen(False)
        self._enter(CallState.WAITING)
        self._ask(self._kept)

    def _utterance_began(self, _: TurnEvent) -> None:
        self._hear()

    def _hear(self) -> None:
        self._do(StartRecognition(self._new_job()))
        self._hear_on()

    def _hear_on(self) -> None:
        rules = self._rules
        self._go(Phase.HEARING, rules.longest_utterance_seconds + rules.silence_seconds + 1.0)

    def _utterance_ended(self, event: UtteranceEnded) -> None:
        if event.noise:
            self._do(CancelRecognition(self._job))
            if self._greeting.job is not None:
                self._await_greeting()
                return
            if self._cut_off is not None:
                self._listen(False)
                self._enter(CallState.WAITING)
                self._say_again(self._cut_off)
                return
            self._go(Phase.LISTENING)
            self._phase_until = self._silent_until  # a noise is no utterance: the deadline stays
        else:
            self._recognise()

    def _recognise(self) -> None:
        self._listen(False)
        self._enter(CallState.WAITING)
        self._do(FinishRecognition(self._job))
        self._go(Phase.RECOGNISING, self._rules.recognition_seconds)

    # --- the answer ---

    def _recognised(self, event: Recognised) -> None:
        if not event.text.strip():
            if self._greeting.job is not None:
                self._greet()
            elif self._cut_off is not None:
                self._say_again(self._cut_off)
            else:
                self._follow_status(CallState.USER_TURN)
            return
        self._drop_greeting()
        self._ask(event.text)

    def _ask(self, text: str) -> None:
        self._cut_off, self._kept = None, ""
        self._do(AskBackend(self._new_job(), text))
        self._go(Phase.AWAITING_BACKEND, self._rules.backend_seconds + 1.0)

    def _recognition_failed(self, _: TurnEvent) -> None:
        self._apologise(ERROR_OCCURRED)

    def _recognition_late(self) -> None:
        self._do(CancelRecognition(self._job))
        self._do(Warn("recognition gave no result in time"))
        self._apologise(ERROR_OCCURRED)

    def _backend_answered(self, event: MessageCame) -> None:
        self._say(event.message, "reply")

    def _backend_failed(self, event: BackendFailed) -> None:
        self._apologise(ERROR_OCCURRED if event.reached else COULD_NOT_CONNECT)

    def _backend_late(self) -> None:
        self._do(CancelBackend(self._job))
        self._do(Warn("the backend's client gave no result in time"))
        self._apologise(COULD_NOT_CONNECT)

    def _apologise(self, text: str) -> None:
        self._drop_greeting()
        self._kept = ""  # he is asked to say it again
        self._say(BotMessage(text, CallState.USER_TURN), "apology")

    def _pushed(self, event: Pushed) -> None:
        if not self.accepts_push:
            return
        self._queue.append(event.message)
        if self.phase is Phase.AWAITING_PUSH:
            self._say(self._queue.popleft(), "reply")
        elif self.phase in (Phase.PLAYING, Phase.PAUSING, Phase.DOUBTING, Phase.OVERHEARING):
            if self._overheard is not None:
                self._dismiss(OTHER_MESSAGE)
            self._listen(False)  # the message that plays is no longer the last one: no barge-in

    # --- speaking ---

    def _say(self, message: BotMessage, purpose: str) -> None:
        """Start to say `message`. The state stays as it is; IA_TURN begins with the first audio."""
        self._status, self._text, self._cut_off, self._repeats = message.status, message.text, None, 0
        if not message.text.strip():
            self._message_over()
            return
        self._do(Speak(self._new_job(), message.text, purpose))
        self._go(Phase.SYNTHESISING, self._rules.synthesis_seconds)

    def _say_again(self, message: BotMessage) -> None:
        """Say a message again that was stopped for nothing: nobody would say anything else."""
        repeats = self._repeats + 1
        self._say(message, "reply")
        self._repeats = repeats

    def _speech_failed(self, _: TurnEvent) -> None:
        self._message_over()

    def _speech_late(self) -> None:
        self._do(StopSpeech(self._job))
        self._do(Warn("synthesis gave no audio in time"))
        self._message_over()

    def _message_over(self) -> None:
        """End a message of which the caller heard nothing: no pause follows."""
        self._message_ended = self._now
        self._follow_status(self._status)

    def _playback_began(self, _: TurnEvent) -> None:
        self._enter(CallState.IA_TURN)
        self._go(Phase.PLAYING)
        if self._rules.barge_in and self._gives_the_floor() and self._repeats < MOST_STOPS:
            self._listen(True)

    def _gives_the_floor(self) -> bool:
        return self._status is CallState.USER_TURN and not self._queue

    def _playback_nearly_over(self, _: TurnEvent) -> None:
        if self._rules.hears_early and self._gives_the_floor():
            self._listen_ahead(if_proven=False)

    def _playback_ended(self, _: TurnEvent) -> None:
        self._message_ended = self._now
        if self._rules.hears_early and self._gives_the_floor():
            self._listen(True)
        self._go(Phase.PAUSING, self._rules.pause_seconds)

    def _pause_over(self) -> None:
        self._follow_status(self._status)

    def _barged_in(self, _: TurnEvent) -> None:
        """Give the floor to the caller, who spoke during a reply or in the pause after it."""
        if self.phase is Phase.PLAYING:
            self._cut_off = BotMessage(self._text, self._status)
        self._do(StopSpeech(self._job))
        self._users_turn()
        self._hear()

    # --- after a message ---

    def _follow_status(self, status: CallState) -> None:
        """Say the next message in the queue, or do what the status of the last one asks for."""
        self._go(Phase.AWAITING_PUSH)  # no job is open
        if status in (CallState.WAITING, CallState.IA_TURN):
            self._kept = ""  # the backend goes on without him
            self._listen(False)
            self._enter(status)
            self._phase_until = self._message_ended + self._rules.transaction_seconds
        if self._queue:
            self._say(self._queue.popleft(), "reply")
        elif status is CallState.USER_TURN:
            self._users_turn()
        elif status is CallState.STANDBY:
            self._hang_up(CONVERSATION_OVER)

    def _push_late(self) -> None:
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
        elif self.phase in (Phase.SYNTHESISING, Phase.PLAYING, Phase.DOUBTING, Phase.OVERHEARING):
            self._do(StopSpeech(self._job))
        if self._overheard is not None:
            self._do(CancelRecognition(self._overheard.job))
            self._overheard = None
        self._drop_greeting()
        self._listen(False)
        self._enter(CallState.STANDBY)
        self._queue.clear()
        self._hold_at = self._call_until = NEVER
        self._go(Phase.OVER)


_Step = Callable[[Turns, Any], None]


def _row(phase: Phase, event: type[_E], step: Callable[[Turns, _E], None]) -> tuple[tuple[Phase, type[object]], _Step]:
    """Return one row of the table. The type checker holds the event that `step` takes to `event`."""
    return (phase, event), step


_IN_DOUBT = (Phase.DOUBTING, Phase.OVERHEARING)
_WEIGHED: tuple[type[Any], ...] = (
    *(UtterancePaused, UtteranceWentOn, SoundStirs, VoiceWeighed, VoiceLasts),
    *(WordsHeard, Tried, UtteranceEnded),
)

# Which event is handled in which phase. An event without a row came too late, and is ignored. `handle` itself handles
# Pushed, Stop and Over.
_TABLE: Mapping[tuple[Phase, type[object]], _Step] = dict(
    [
        _row(Phase.NEW, Answered, Turns._answered),
        _row(Phase.GREETING, CallerAudioBegan, Turns._audio_began),
        _row(Phase.GREETING, UtteranceBegan, Turns._spoke_first),
        _row(Phase.LISTENING, UtteranceBegan, Turns._utterance_began),
        _row(Phase.HEARING, UtteranceEnded, Turns._utterance_ended),
        _row(Phase.RECOGNISING, Recognised, Turns._recognised),
        _row(Phase.RECOGNISING, RecognitionFailed, Turns._recognition_failed),
        _row(Phase.AWAITING_BACKEND, MessageCame, Turns._backend_answered),
        _row(Phase.AWAITING_BACKEND, BackendFailed, Turns._backend_failed),
        _row(Phase.SYNTHESISING, SpeechFailed, Turns._speech_failed),
        _row(Phase.SYNTHESISING, PlaybackBegan, Turns._playback_began),
        _row(Phase.PLAYING, PlaybackNearlyOver, Turns._playback_nearly_over),
        _row(Phase.PLAYING, PlaybackEnded, Turns._playback_ended),
        _row(Phase.PLAYING, UtteranceBegan, Turns._doubt),
        *(_row(phase, event, Turns._weigh) for phase in _IN_DOUBT for event in _WEIGHED),
        _row(Phase.OVERHEARING, PlaybackEnded, Turns._spoken_over_to_its_end),
        _row(Phase.PAUSING, UtteranceBegan, Turns._barged_in),
    ]
)

_DEADLINES: Mapping[Phase, Callable[[Turns], None]] = {
    Phase.GREETING: Turns._greet,
    Phase.LISTENING: Turns._nobody_speaks,
    Phase.HEARING: Turns._recognise,
    Phase.RECOGNISING: Turns._recognition_late,
    Phase.AWAITING_BACKEND: Turns._backend_late,
    Phase.SYNTHESISING: Turns._speech_late,
    Phase.DOUBTING: Turns._doubt_is_over,
    Phase.PAUSING: Turns._pause_over,
    Phase.AWAITING_PUSH: Turns._push_late,
}
