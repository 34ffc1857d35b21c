"""No sequence of events and ticks brings a call where it can stay for ever, or where two things are done at once."""

from collections.abc import Callable

from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import Phase, Turns
from audiosocket_server.turns.vocabulary import (
    Answered,
    AskBackend,
    BackendFailed,
    BotMessage,
    CallerAudioBegan,
    CancelBackend,
    CancelRecognition,
    ChangeState,
    Command,
    DropUtterance,
    FinishRecognition,
    HangUpCall,
    Listen,
    ListenAhead,
    MessageCame,
    Over,
    PauseSpeech,
    PlaybackBegan,
    PlaybackEnded,
    PlaybackNearlyOver,
    Pushed,
    Recognised,
    RecognitionFailed,
    ReleaseSpeech,
    ResumeSpeech,
    Speak,
    SpeechFailed,
    StartHold,
    StartRecognition,
    Stop,
    StopHold,
    StopSpeech,
    Tried,
    TryRecognition,
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceWentOn,
    VoiceWeighed,
    Warn,
    WordsHeard,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

MESSAGES = st.builds(BotMessage, st.sampled_from(["", "Um momento."]), st.sampled_from(list(CallState)))
JOB_EVENTS: list[Callable[[int], TurnEvent]] = [
    lambda job: Recognised(job, "sim"),
    lambda job: Recognised(job, ""),
    lambda job: Tried(job, "não"),
    lambda job: Tried(job, "ahã"),
    RecognitionFailed,
    lambda job: BackendFailed(job, True),
    lambda job: BackendFailed(job, False),
    SpeechFailed,
    PlaybackBegan,
    PlaybackNearlyOver,
    PlaybackEnded,
]


class World:
    """What the commands have brought about; refuses those that contradict it."""

    def __init__(self) -> None:
        self.state = CallState.STANDBY
        self.listening = self.listening_ahead = self.holding = self.hung_up = False
        self.recognition = self.backend = self.speech = 0
        self.held = self.paused = False
        self.job = 0

    def carry_out(self, command: Command) -> None:
        assert not self.hung_up, f"{command} after the hang-up"
        match command:
            case ChangeState(before, after):
                assert before is self.state
                assert after is not before
                self.state = after
            case Listen(on):
                assert on is not self.listening or self.listening_ahead
                self.listening, self.listening_ahead = on, False
            case ListenAhead():
                assert not self.listening
                assert not self.listening_ahead
                self.listening_ahead = True
            case StartRecognition(job):
                assert self.listening
                self.recognition = self._new(job)
            case FinishRecognition(job):
                assert job == self.recognition
            case CancelRecognition(job):
                assert job == self.recognition
                self.recognition = 0
            case TryRecognition(job):
                assert job == self.recognition
            case DropUtterance():
                assert self.listening
                assert not self.recognition
            case PauseSpeech(job):
                assert job == self.speech
                assert not self.paused
                self.paused = True
            case ResumeSpeech(job):
                assert job == self.speech
                assert self.paused
                self.paused = False
            case AskBackend(job, content):
                assert content
                self.backend = self._new(job)
            case CancelBackend(job):
                assert job == self.backend
                self.backend = 0
            case Speak(job, text, _, held):
                assert text
                assert self.state is not CallState.USER_TURN
                self.speech, self.held = self._new(job), held
            case ReleaseSpeech(job):
                assert self.held
                self.held = False
            case StopSpeech():
                self.speech, self.paused = 0, False
            case StartHold():
                assert self.state is CallState.WAITING
                self.holding = True
            case StopHold():
                self.holding = False
            case HangUpCall():
                assert self.state is CallState.STANDBY
                self.hung_up = True
            case Warn():
                pass

    def _new(self, job: int) -> int:
        assert job == self.job + 1
        self.job = job
        return job


class AnyCall(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.world = World()
        self.gone = False

    @initialize(
        barge_in=st.booleans(),
        tells_words=st.booleans(),
        hears_first=st.booleans(),
        hears_early=st.booleans(),
        greeting=st.sampled_from(["", "Bom dia."]),
        pause=st.sampled_from([0, 0.5]),
    )
    def answer(
        self, barge_in: bool, tells_words: bool, hears_first: bool, hears_early: bool, greeting: str, pause: float
    ) -> None:
        rules = TurnRules(
            barge_in=barge_in,
            tells_words=tells_words,
            hears_first=hears_first,
            hears_early=hears_early,
            audio_wait_seconds=3.0,
            greeting=greeting,
            pause_seconds=pause,
            queued_messages=2,
        )
        self.turns = Turns(rules)
        self.tell(Answered())

    def tell(self, event: TurnEvent) -> None:
        for command in self.turns.handle(event, self.now):
            self.world.carry_out(command)

    @rule(make=st.sampled_from(JOB_EVENTS), late=st.booleans())
    def a_job_ends(self, make: Callable[[int], TurnEvent], late: bool) -> None:
        event = make(self.world.job - late)
        if isinstance(event, PlaybackEnded) and self.world.paused:
            return  # what is paused does not end
        if isinstance(event, PlaybackBegan) and (self.world.held or not self.world.speech):
            return  # playback does not begin what is held or stopped
        self.tell(event)

    @rule(message=MESSAGES)
    def the_backend_answers(self, message: BotMessage) -> None:
        self.tell(MessageCame(self.world.job, message))

    @rule(message=MESSAGES)
    def the_backend_pushes(self, message: BotMessage) -> None:
        has_floor = self.world.state in (CallState.WAITING, CallState.IA_TURN)
        assert not self.turns.accepts_push or has_floor
        self.tell(Pushed(message))

    @rule()
    def the_callers_audio_begins(self) -> None:
        self.tell(CallerAudioBegan())

    @rule(noise=st.booleans())
    def the_caller_speaks(self, noise: bool) -> None:
        if self.world.listening or (self.world.listening_ahead and self.turns.phase is Phase.GREETING):
            self.tell(UtteranceBegan())
            self.tell(UtteranceEnded(noise))

    @rule()
    def the_caller_begins_to_speak(self) -> None:
        if self.world.listening or (self.world.listening_ahead and self.turns.phase is Phase.GREETING):
            self.tell(UtteranceBegan())

    @rule(
        event=st.sampled_from(
            [UtterancePaused(), UtterancePaused(True), UtteranceWentOn(), VoiceWeighed(True), WordsHeard("não")]
        )
    )
    def he_pauses_or_is_understood(self, event: TurnEvent) -> None:
        if self.world.listening:
            self.tell(event)

    @rule(noise=st.booleans())
    def he_ends(self, noise: bool) -> None:
        if self.world.listening:
            self.tell(UtteranceEnded(noise))

    @rule(seconds=st.sampled_from([0.02, 0.5, 3.0, 20.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for command in self.turns.tick(self.now):
            self.world.carry_out(command)
        assert self.turns.next_deadline > self.now

    @rule()
    def the_server_stops(self) -> None:
        self.tell(Stop("the server stops"))

    @rule()
    def the_caller_goes(self) -> None:
        self.tell(Over())
        self.gone = True

    @invariant()
    def there_is_a_way_out(self) -> None:
        if self.gone or self.world.hung_up:
            assert self.turns.phase is Phase.OVER
            assert self.turns.state is CallState.STANDBY
            assert self.turns.next_deadline == float("inf")
        elif hasattr(self, "turns"):
            assert self.turns.next_deadline < float("inf")
            assert self.turns.state is self.world.state
            plays = (Phase.PLAYING, Phase.OVERHEARING)  # playback ends by itself
            assert self.world.paused is (self.turns.phase is Phase.DOUBTING)
            assert self.turns.phase in plays or self.turns._phase_until < float("inf")

    @invariant()
    def one_thing_at_a_time(self) -> None:
        if self.world.state is CallState.USER_TURN:
            assert self.world.listening
        if self.world.holding:
            assert self.world.state is CallState.WAITING

    def teardown(self) -> None:
        """Left alone, every call ends: nothing happens any more but time."""
        for _ in range(100):
            if not hasattr(self, "turns") or self.turns.phase is Phase.OVER:
                return
            self.now = self.turns.next_deadline
            for command in self.turns.tick(self.now):
                self.world.carry_out(command)
        raise AssertionError(f"still in {self.turns.phase}")


AnyCall.TestCase.settings = settings(
    max_examples=2 * settings.default.max_examples, stateful_step_count=40, deadline=None
)
TestAnyCall = AnyCall.TestCase
