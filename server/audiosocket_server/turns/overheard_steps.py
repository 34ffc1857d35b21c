"""The steps of the machine while a sound is heard over a message: `yielding` finds, here the commands follow. Pure."""

from abc import ABC, abstractmethod

from audiosocket_server.events import CallState
from audiosocket_server.turns.phases import Phase
from audiosocket_server.turns.vocabulary import (
    BotMessage,
    CancelRecognition,
    Command,
    DropUtterance,
    PauseSpeech,
    ResumeSpeech,
    SoundStirs,
    StartRecognition,
    StopSpeech,
    TryRecognition,
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceWentOn,
)
from audiosocket_server.turns.yielding import IN_DOUBT, Overheard, OverheardEvent, Weighed

__all__ = ["OverheardSteps"]

LEAST_DOUBT_SECONDS = 0.3
"""A message that pauses by itself is paused for so long all the same."""
LINGER_SECONDS = 0.2
"""A message is paused for so much longer after a sound of which nothing was understood."""
STIRS_SECONDS = 0.1
"""It does not go on into a sound that begins: for so long it is not known whether somebody goes on."""
LAST_LOOK_SECONDS = 0.03
"""What has to be known when a pause ends is asked for one tick (20 ms) before: then nothing may wait any longer."""


class OverheardSteps(ABC):
    """A part of `Turns`, which has all that is declared here."""

    phase: Phase
    _rules: TurnRules
    _now: float
    _job: int
    _numbered: int
    _text: str
    _status: CallState
    _message_ended: float
    _cut_off: BotMessage | None
    _kept: str
    _overheard: Overheard | None
    _phase_until: float
    _doubt_until: float
    _stirs_until: float

    @property
    def doubts(self) -> bool:
        """True while somebody speaks over a message, and it is not decided whether he takes the turn."""
        return self._overheard is not None

    def may_wait(self, now: float) -> bool:
        """Return whether the message stays paused for long enough to hear more of who speaks over it."""
        return self.phase is Phase.DOUBTING and now + LAST_LOOK_SECONDS < self._phase_until

    @abstractmethod
    def _do(self, command: Command) -> None:
        """Add a command."""

    @abstractmethod
    def _go(self, phase: Phase, seconds: float = ...) -> None:
        """Enter a phase."""

    @abstractmethod
    def _users_turn(self) -> None:
        """Enter USER_TURN."""

    @abstractmethod
    def _hear_on(self) -> None:
        """Hear the utterance whose recognition has been started."""

    @abstractmethod
    def _recognise(self) -> None:
        """End the utterance."""

    @abstractmethod
    def _barged_in(self, _: TurnEvent) -> None:
        """Stop the message at once."""

    def _doubt(self, event: UtteranceBegan) -> None:
        """Pause the message, in which somebody begins to speak."""
        if not self._rules.doubt_seconds:
            self._barged_in(event)
            return
        self._numbered += 1
        self._overheard = Overheard(self._numbered, self._rules, event.left_ms)
        self._do(PauseSpeech(self._job))
        self._do(StartRecognition(self._overheard.job))
        self._go(Phase.DOUBTING, max(LEAST_DOUBT_SECONDS, self._rules.doubt_seconds - event.quiet_ms / 1000))
        self._doubt_until, self._stirs_until = self._phase_until, self._now

    def _weigh(self, event: OverheardEvent) -> None:
        assert self._overheard is not None
        match self._overheard.take(event):
            case Weighed.CALLER:
                self._yield()
            case Weighed.TRY:
                self._do(TryRecognition(self._overheard.job))
            case Weighed.DISMISS:
                self._dismiss(self._overheard.why)
            case Weighed.LINGER if isinstance(event, SoundStirs):
                self._wait_for_onset()
            case Weighed.LINGER if self.phase is Phase.DOUBTING:
                self._phase_until = min(self._doubt_until, self._now + LINGER_SECONDS)
            case Weighed.LINGER:
                self._dismiss(self._overheard.why)
            case Weighed.WAIT if self.phase is Phase.DOUBTING and isinstance(event, UtteranceWentOn):
                self._phase_until = self._doubt_until
            case Weighed.WAIT:
                pass

    def _wait_for_onset(self) -> None:
        if self.phase is Phase.DOUBTING:
            self._stirs_until = self._now + STIRS_SECONDS
            self._phase_until = min(self._doubt_until, max(self._phase_until, self._stirs_until))

    def _doubt_is_over(self) -> None:
        assert self._overheard is not None
        match self._overheard.time_is_up(stirs=self._doubt_until < self._stirs_until):
            case Weighed.CALLER:
                self._yield()
            case Weighed.DISMISS:
                self._dismiss(self._overheard.why)
            case _:
                self._do(ResumeSpeech(self._job, IN_DOUBT))
                self._go(Phase.OVERHEARING)

    def _yield(self) -> None:
        """Give the floor to the caller, whose utterance goes on or is over."""
        self._cut_off = BotMessage(self._text, self._status)
        self._do(StopSpeech(self._job))
        self._hand_over()

    def _hand_over(self) -> None:
        heard, self._overheard = self._overheard, None
        assert heard is not None
        self._users_turn()
        self._job = heard.job
        self._hear_on()
        if heard.over:
            self._recognise()

    def _dismiss(self, why: str) -> None:
        """Forget the sound: it was no caller who takes the turn. The message goes on."""
        heard, self._overheard = self._overheard, None
        assert heard is not None
        self._do(CancelRecognition(heard.job))
        self._do(DropUtterance(why))
        self._kept = f"{self._kept} {heard.kept}".strip()
        if self.phase is Phase.DOUBTING:
            self._do(ResumeSpeech(self._job, why))
        self._go(Phase.PLAYING)

    def _spoken_over_to_its_end(self, _: TurnEvent) -> None:
        """The message was played to its end, and the caller is speaking: he has the floor without a pause."""
        self._message_ended = self._now
        self._hand_over()
