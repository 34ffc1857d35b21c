"""What happened in one call, seen from outside, as ordered events: the base of checks, transcripts and JSON lines.

Times are whole milliseconds since the UUID was sent. Events of the same instant have a fixed order: source, then
number. The log holds the caller's words (it is a test's record, not a server's log).
"""

from bisect import insort
from dataclasses import asdict, dataclass
from enum import IntEnum
from operator import attrgetter

__all__ = [
    "BackendAsked",
    "BackendPushed",
    "BackendReplied",
    "BotSpoke",
    "CallEnded",
    "CallLog",
    "CallerAction",
    "CallerSpoke",
    "Entry",
    "HoldStarted",
    "HoldStopped",
    "LogEvent",
    "Noted",
    "Source",
    "StageTook",
    "StateTold",
    "StepFailed",
    "last_word_heard",
]


class Source(IntEnum):
    """Where an event comes from; the value is its place among events of the same instant."""

    PEER = 0
    CALLER = 1
    BACKEND = 2
    HOLD = 3
    STATE = 4
    HEARD = 5
    LATENCY = 6
    BOT = 7
    CHECK = 8
    END = 9


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A `say` began. `text` is what the recording says, None where nobody knows."""

    text: str | None
    recording: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class CallerAction:
    """`what`: dtmf, noise, tone, silence, mute, unmute. `detail` is for people: `4`, `white, −25 dBFS`."""

    what: str
    detail: str = ""
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class BackendAsked:
    """The mock AI was asked: what the bot understood. `number` counts requests from 1."""

    number: int
    conversation_id: str
    content: str


@dataclass(frozen=True, slots=True)
class BackendReplied:
    """`status` is set_call_status as sent (None: absent); `fault` names what was done instead of a reply."""

    number: int
    says: str | None
    status: str | None
    after_ms: int
    fault: str | None = None
    delivered: bool = True


@dataclass(frozen=True, slots=True)
class BackendPushed:
    """A later message; `http_status` is what the server's control API answered."""

    says: str | None
    status: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class HoldStarted:
    """Hold audio reached the caller's ear. `into_waiting_ms` where the target tells states."""

    into_waiting_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HoldStopped:
    """Hold audio stopped; `seamless`: without a jump or a hole in its loop, to its end."""

    duration_ms: int
    seamless: bool


@dataclass(frozen=True, slots=True)
class StateTold:
    """The target's control API told a change of state."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StageTook:
    """The target's control API told how long a stage of an answer took: `endpoint`, `recognition`, `backend` or
    `first_audio`. `since_last_word_ms`: what the caller has waited by then, None where nothing was asked."""

    stage: str
    duration_ms: int
    since_last_word_ms: int | None


@dataclass(frozen=True, slots=True)
class BotSpoke:
    """One stretch of bot speech as the caller heard it, from its first audible sound.

    `text` is None where the ear cannot read the voice. `heard_ms` < `whole_ms` where a known phrase was cut off;
    `voice` says how it was read: `prompt`, `synthetic`, `recogniser` or `unread`. `gap_ms` sums the holes in it.
    """

    text: str | None
    heard_ms: int
    whole_ms: int | None = None
    voice: str = "unread"
    gap_ms: int = 0
    ahead_ms: int = 0

    @property
    def cut_off(self) -> bool:
        """Whether the caller heard at least 60 ms less of the phrase than there is of it."""
        return self.whole_ms is not None and self.heard_ms + 60 < self.whole_ms


@dataclass(frozen=True, slots=True)
class StepFailed:
    """Step `number` (from 1) of the scenario did not hold."""

    number: int
    step: str
    expected: str
    happened: tuple[str, ...]
    """What was instead, a line each."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Anything that a reader should know: the simulator's own lateness, wire anomalies, a step passed over."""

    what: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The end as Asterisk saw it. `who`: server, caller or asterisk (which drops calls by its own rules).

    `how`: hangup_message (00 00 00), fin, reset, refused or unanswered. `dialplan`: continues, ends, or — for the
    channel driver — channel_ends. `reason` is Asterisk's own in plain words. `last_word_heard` is None where the bot
    was not speaking near the end.
    """

    who: str
    how: str
    dialplan: str
    reason: str
    last_word_heard: bool | None = None


LogEvent = (
    CallerSpoke
    | CallerAction
    | BackendAsked
    | BackendReplied
    | BackendPushed
    | HoldStarted
    | HoldStopped
    | StateTold
    | StageTook
    | BotSpoke
    | StepFailed
    | Noted
    | CallEnded
)
"""Everything that a call log can hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place: at_ms, source, number of arrival."""

    at_ms: int
    source: Source
    number: int
    event: LogEvent

    @property
    def order(self) -> tuple[int, int, int]:
        """What entries are sorted by."""
        return (self.at_ms, self.source, self.number)

    def to_json(self) -> dict[str, object]:
        """The entry as a line of call.jsonl has it."""
        return {
            "at_ms": self.at_ms,
            "source": self.source.name.lower(),
            "type": type(self.event).__name__,
            **asdict(self.event),
        }


class CallLog:
    """Collects entries while a call runs; entries may arrive later than they happened (speech is known at its end)."""

    def __init__(self) -> None:
        self._sorted: list[Entry] = []
        self._given: list[Entry] | None = None

    def add(self, at_ms: int, source: Source, event: LogEvent) -> Entry:
        """Put an event in its place: `at_ms` is when it happened, since the UUID. Returns its entry."""
        entry = Entry(at_ms, source, len(self._sorted) + 1, event)
        insort(self._sorted, entry, key=_ORDER)
        self._given = None
        return entry

    @property
    def entries(self) -> list[Entry]:
        """In the order in which things happened. A copy, the same one until something is added: do not change it."""
        if self._given is None:
            self._given = self._sorted.copy()
        return self._given


_ORDER = attrgetter("order")


def last_word_heard(call: CallLog, who: str, end_ms: int) -> bool | None:
    """Whether the bot's last stretch of speech was heard to its end; of a caller's hang-up only if he cut it off."""
    spoken = [(entry.at_ms, entry.event) for entry in call.entries if isinstance(entry.event, BotSpoke)]
    if not spoken:
        return None
    at_ms, last = spoken[-1]
    if last.whole_ms is None:
        return None  # nobody knows how it would have gone on
    if who == "caller" and not (last.cut_off and at_ms + last.heard_ms + last.gap_ms + 100 >= end_ms):
        return None
    return not last.cut_off
