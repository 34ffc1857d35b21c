"""The turns of one call with a clock that the test moves, and ways to bring the call to each of its phases."""

from collections.abc import Sequence

from audiosocket_server.events import CallState
from audiosocket_server.turns.machine import Phase, Turns
from audiosocket_server.turns.vocabulary import (
    Answered,
    AskBackend,
    BotMessage,
    Command,
    MessageCame,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    Speak,
    StartRecognition,
    TurnEvent,
    TurnRules,
    UtteranceBegan,
    UtteranceEnded,
)

STANDBY, USER_TURN, WAITING, IA_TURN = CallState.STANDBY, CallState.USER_TURN, CallState.WAITING, CallState.IA_TURN


class Playbook:
    """A Turns, its clock, and the number of its newest job."""

    def __init__(self, rules: TurnRules | None = None) -> None:
        self.turns = Turns(rules or TurnRules())
        self.now = 100.0
        self.job = 0

    def _noted(self, commands: Sequence[Command]) -> list[Command]:
        for command in commands:
            if isinstance(command, Speak | StartRecognition | AskBackend):
                self.job = command.job
        return list(commands)

    def tell(self, event: TurnEvent) -> list[Command]:
        return self._noted(self.turns.handle(event, self.now))

    def after(self, seconds: float) -> list[Command]:
        """All commands of the ticks of the next `seconds`, the last tick at their end."""
        told: list[Command] = []
        for _ in range(round(seconds / 0.02)):
            self.now = round(self.now + 0.02, 6)
            told += self._noted(self.turns.tick(self.now))
        return told

    def play(self, seconds: float = 1.0) -> list[Command]:
        told = self.tell(PlaybackBegan(self.job)) + self.after(seconds)
        return told + self.tell(PlaybackEnded(self.job))

    # where a call can be brought to
    def listening(self) -> "Playbook":
        self.tell(Answered())
        self.after(2.0)
        self.play()
        self.after(0.5)
        assert self.turns.state is USER_TURN
        return self

    def recognising(self) -> "Playbook":
        self.listening()
        self.tell(UtteranceBegan())
        self.after(1.0)
        self.tell(UtteranceEnded())
        return self

    def asking(self) -> "Playbook":
        self.recognising()
        self.tell(Recognised(self.job, "apartamento 202"))
        return self

    def answered_with(self, status: CallState, text: str = "Um momento.") -> "Playbook":
        self.asking()
        self.tell(MessageCame(self.job, BotMessage(text, status)))
        return self

    def kept(self, status: CallState) -> "Playbook":
        self.answered_with(status)
        self.play()
        self.after(0.5)
        assert self.turns.phase is Phase.AWAITING_PUSH
        return self
