"""The events of one call as seen from outside, in order: the basis of checks, transcripts and JSON lines.

Times are whole milliseconds since the UUID was sent. Events of the same instant have a fixed order: source, then
number. The log contains the caller's words: it is the record of a test, not the log of a server.
"""

from bisect import insort
from dataclasses import asdict, dataclass
from enum import IntEnum
from operator import attrgetter

from audiosocket_sim.asterisk.wire_counts import MessageCount
from audiosocket_sim.reading.read_speech import ReadWord
from audiosocket_sim.scenario import StepPlace

__all__ = [
    "UNHEARD_MS",
    "BackendAsked",
    "BackendPushed",
    "BackendReplied",
    "BotSpoke",
    "CallBegan",
    "CallEnded",
    "CallLog",
    "CallerAction",
    "CallerSpoke",
    "DefectFound",
    "Entry",
    "ExpectationJudged",
    "HoldStarted",
    "HoldStopped",
    "LogEvent",
    "MessageCount",
    "Noted",
    "PhoneLostSound",
    "PhoneUsed",
    "ReadWord",
    "Source",
    "StageTook",
    "StateTold",
    "StepFailed",
    "VoicesOverlapped",
    "WireSummary",
    "last_word_heard",
]


class Source(IntEnum):
    """Where an event comes from. The value is its rank among events of the same instant."""

    PEER = 0
    CALLER = 1
    BACKEND = 2
    HOLD = 3
    STATE = 4
    HEARD = 5
    LATENCY = 6
    BOT = 7
    TURNS = 8
    DEFECT = 9
    CHECK = 10
    END = 11


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The UUID of a call was sent. Only in the log of several calls, where each call has its own beginning."""

    uuid: str


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A `say` step began. `text`: the words of the recording, or None if they are not known.

    `audible_ms`: from when to when speech is audible in the recording, in ms from its start; empty: all of it.
    `kind`: `turn`, or by its label what is no turn: `backchannel`, `vocal_tic`, `non_directed`.
    """

    text: str | None
    recording: str | None
    duration_ms: int
    audible_ms: tuple[tuple[int, int], ...] = ()
    kind: str = "turn"


@dataclass(frozen=True, slots=True)
class CallerAction:
    """The caller did something other than speak.

    `what`: dtmf, noise, tone, silence, mute or unmute. `detail` is for people: `4`, `white, −25 dBFS`. `kind`: of an
    audible sound (`non_directed`), None otherwise.
    """

    what: str
    detail: str = ""
    duration_ms: int | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class BackendAsked:
    """The bot sent a request to the mock AI. `content`: what the bot understood. `number` counts requests from 1.

    `interrupted`: what the bot says the caller had heard of the message that he interrupted (docs/server.md), if it
    says so: `text`, `heard`, `said_ms`, `of_ms`, as they came.
    """

    number: int
    conversation_id: str
    content: str
    interrupted: dict[str, str | int | None] | None = None


@dataclass(frozen=True, slots=True)
class BackendReplied:
    """The mock AI replied to request `number`, `after_ms` after it came.

    `says` and `status`: the texts `mensagem` and `set_call_status` as sent, or None if absent. `fault`: the fault that
    was carried out instead of a reply, or None. `delivered`: False if the bot had closed the connection by then.
    """

    number: int
    says: str | None
    status: str | None
    after_ms: int
    fault: str | None = None
    delivered: bool = True


@dataclass(frozen=True, slots=True)
class BackendPushed:
    """The mock AI pushed a later message. `http_status`: the status with which the server's control API answered."""

    says: str | None
    status: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class HoldStarted:
    """Hold audio became audible to the caller.

    `into_waiting_ms`: the time since the bot entered the state WAITING, or None if the target reports no states.
    `file`: the name of the music, as the scenario has it; None: it is `audio/waiting.slin`, or other music.
    """

    into_waiting_ms: int | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class HoldStopped:
    """Hold audio stopped after `duration_ms`. `seamless`: its loop had neither a jump nor a gap until the end.

    `file`: as in HoldStarted.
    """

    duration_ms: int
    seamless: bool
    file: str | None = None


@dataclass(frozen=True, slots=True)
class StateTold:
    """The target's control API reported a change of state, `before` → `after`."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StageTook:
    """The target's control API reported how long a stage of an answer took.

    `stage`: `endpoint`, `recognition`, `backend` or `first_audio`. `since_last_word_ms`: how long the caller has waited
    since the last word at the end of the stage, or None if the answer had no question.
    """

    stage: str
    duration_ms: int
    since_last_word_ms: int | None


@dataclass(frozen=True, slots=True)
class BotSpoke:
    """One stretch of bot speech as the caller heard it, from its first audible sound.

    `text`: the words, or None if the ear cannot read the voice. `heard_ms`: the length that was heard; `whole_ms`: the
    length of the known phrase, or None. `voice`: how the words were read: `prompt`, `synthetic`, `recogniser` or
    `unread`. `gap_ms`: the total length of the gaps in it. `ahead_ms`: how far ahead of playback it was sent.
    `own_gap_ms` and `own_ahead_ms`: the part of either that a busy machine can have made, which read late or gave the
    bot no processor: a bot that keeps to its clock is ahead after a gap, for the rest of the call.
    `hole_ms`: the part of the gaps that cut into sound, where a pause would be none. `level_dbfs`: the level (RMS) of
    what was audible, or None if it was not measured.

    `parts_ms`: from when to when it was audible between pauses of 200 ms and more, in ms from its start; empty: it had
    none. `holes_ms`: the holes that cut into sound, as (ms from its start, length in ms); the first 200.
    `wait_ms`: the time since the end of the caller's last word, if this is the answer to it; negative if he was
    still speaking. `wait_measured`: False if work of the bot ran outside a virtual clock meanwhile, in a thread or a
    child process, and took no time of it.
    `pauses_ms`: where the bot paused in a known phrase, as (ms from its start, length in ms): quiet that is not in the
    phrase. `twice_ms`: how much of the phrase it said twice around them. Neither is part of `heard_ms`.
    `paused_ms`: the bot paused for so long behind this, and then went on with the phrase, in the next stretch; None: it
    did not. `resumed_ms`: so long after the stretch before it, this goes on with the phrase of that one; None: it does
    not. `back_ms`: how much before the place where it had paused it goes on; negative: behind it.
    `skipped_ms`: how much of a known phrase is missing at its beginning. `sound`: `speech`; or
    `music`, `tone`, `noise`, which have no text.
    `read_by`: the reader that was asked for the words of a voice that no phrase book knows, also where it found none;
    `words` with their times, and `confidence` (0 to 1), if it gives them.
    """

    text: str | None
    heard_ms: int
    whole_ms: int | None = None
    voice: str = "unread"
    gap_ms: int = 0
    ahead_ms: int = 0
    hole_ms: int = 0
    level_dbfs: float | None = None
    own_gap_ms: int = 0
    own_ahead_ms: int = 0
    parts_ms: tuple[tuple[int, int], ...] = ()
    wait_ms: int | None = None
    wait_measured: bool = True
    skipped_ms: int = 0
    sound: str = "speech"
    read_by: str | None = None
    confidence: float | None = None
    words: tuple[ReadWord, ...] = ()
    holes_ms: tuple[tuple[int, int], ...] = ()
    pauses_ms: tuple[tuple[int, int], ...] = ()
    twice_ms: int = 0
    paused_ms: int | None = None
    resumed_ms: int | None = None
    back_ms: int = 0

    @property
    def lasted_ms(self) -> int:
        """The time from its first audible sound to its last."""
        return self.heard_ms + self.gap_ms + self.twice_ms + sum(length for _, length in self.pauses_ms)

    @property
    def reached_ms(self) -> int:
        """Up to where a known phrase was said, counted from its own beginning."""
        return self.skipped_ms + self.heard_ms

    @property
    def cut_off(self) -> bool:
        """Whether more than 60 ms of a known phrase are not in this stretch, at its end or at its beginning. Another
        stretch may have them: `paused_ms`, `resumed_ms`."""
        if self.whole_ms is None:
            return False
        return self.heard_ms + 60 < self.whole_ms or self.skipped_ms > 60

    @property
    def lost_end_ms(self) -> int:
        """How much of a known phrase the caller missed at its end; 0 if it is no more than 60 ms."""
        lost = 0 if self.whole_ms is None else self.whole_ms - self.reached_ms
        return lost if lost > 60 else 0


@dataclass(frozen=True, slots=True)
class VoicesOverlapped:
    """Caller and bot spoke at once for `both_ms`; the second voice began at this event's time. Known after the call.

    `began`: who began over whom, `caller` or `bot`. `stopped_after_ms`, if the caller began: how long after his first
    sound the bot fell silent, or None if the call ended first. `natural`: True if the bot's sentence was over then, so
    that it would have stopped anyway; None if that is not known. `early_ms`, if the bot began: how long before the end
    of the caller's last word.
    """

    began: str
    both_ms: int
    stopped_after_ms: int | None = None
    natural: bool | None = None
    early_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectationJudged:
    """An `expect` or `never`, step `number` (from 1), was judged. Times are ms since the UUID. Not in the transcript.

    `step`: its title, such as `expect bot_says`. What it asks for counts from `opened_ms` to `closed_ms`: the deadline,
    or the end of what was watched. `met_ms`: when the expected event happened, or what must never happen; None: it did
    not. docs/scenarios.md says for each expectation when its window opens and closes.
    `path` and `inside`: for a step in a block, as in `StepFailed`. One that decides how the scenario goes on (the first
    of a branch, `if_heard`) is judged too, and fails nothing.
    """

    number: int
    step: str
    opened_ms: int
    closed_ms: int
    met_ms: int | None
    path: tuple[str | int, ...] = ()
    inside: str = ""


@dataclass(frozen=True, slots=True)
class DefectFound:
    """One fault of the bot's sound, or of what it did on the wire, at the time at which it began.

    `kind`: holes, ahead, level, damage, pace, wire_silence, unheard, premature, left_open, after_end or hold_seam.
    `what`: the fault and its cause, for people: `“Pode subir.” with its bytes swapped`. `amount`: the measured value
    (ms; level: dBFS; pace: percent), or None if there is none to compare. `duration_ms`: how long it lasted. `fault`:
    of damage, its kind: `cuts`, `lost`, `clicks` and others (`hearing.damage`). `places_ms`: each single click, hole or
    piece, as (ms from this event's time, length in ms), the first 200; `more_places`: how many there are besides.
    Whether it fails the call is decided by the scenario's `quality:` (`checks.quality`).
    """

    kind: str
    what: str
    amount: float | None = None
    duration_ms: int = 0
    fault: str = ""
    places_ms: tuple[tuple[int, int], ...] = ()
    more_places: int = 0


@dataclass(frozen=True, slots=True)
class StepFailed:
    """Step `number` (from 1; 0: no step) of the scenario was not met. `expected`: what the step asked for.

    `opened_ms` and `closed_ms`: the window of an `expect` or `never`, as in `ExpectationJudged`; None for other steps.
    `path` and `inside`: for a step in a block (`repeat`, `any_of`, …) the keys that lead to it from step `number`, and
    the same for people: `round 4 of 10, step 2`. `unsure`: this machine was late, and may have caused it; known at the
    end of the call.
    """

    number: int
    step: str
    expected: str
    happened: tuple[str, ...]
    """What happened instead, one line for each fact."""
    opened_ms: int | None = None
    closed_ms: int | None = None
    path: tuple[str | int, ...] = ()
    inside: str = ""
    unsure: bool = False

    @property
    def named(self) -> str:
        """The step in words: `step 3, round 4 of 10, step 2 (expect bot_says)`; a key and what of it, without a number:
        `after, hook 2`."""
        if self.number:
            return StepPlace(self.number, self.path, self.inside).named(self.step)
        return f"{self.step}, {self.inside}" if self.inside else self.step


@dataclass(frozen=True, slots=True)
class Noted:
    """A note for the reader: that the simulator itself was late, an anomaly on the wire, a step passed over."""

    what: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The end of the call as Asterisk saw it. `who`: server, caller or asterisk (which drops calls by its own rules).

    `how`: hangup_message (00 00 00), fin, reset, refused or unanswered. `dialplan`: continues, ends, or (for the
    channel driver) channel_ends. `reason`: Asterisk's reason in plain words. `last_word_heard`: whether the bot's last
    speech was heard to its end; None if the bot was not speaking near the end. `unheard_ms`: how much speech had been
    sent and was not played.
    """

    who: str
    how: str
    dialplan: str
    reason: str
    last_word_heard: bool | None = None
    unheard_ms: int = 0


@dataclass(frozen=True, slots=True)
class PhoneLostSound:
    """The model of the caller's phone lost `lost_ms` of audible sound, within `duration_ms` from this event's time on.

    `model`: as in `ear:`. `why`: in words. The phone that is the default reports its losses in a defect, "ahead".
    """

    model: str
    lost_ms: int
    duration_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class PhoneUsed:
    """What the model of the caller's phone did in the whole call, logged at its end; not for `phone` and `endless`.

    `model`: with its figures. `played_ms`: how much sound it played; `lost_ms`: how much audible sound it lost.
    `delays_ms`: the shortest and the longest time from a message's arrival to its playing, or None if none was played.
    """

    model: str
    played_ms: int
    lost_ms: int
    delays_ms: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class WireSummary:
    """What went over the wire in the whole call, logged at its end. Not in the transcript.

    `from_server`: the server's audio messages; `to_server`: the messages that it was sent; by kind. `loudest_dbfs`: the
    level of the loudest sample that reached the phone, or None if all samples were 0.
    """

    from_server: tuple[MessageCount, ...]
    to_server: tuple[MessageCount, ...]
    loudest_dbfs: float | None


LogEvent = (
    CallBegan
    | CallerSpoke
    | CallerAction
    | BackendAsked
    | BackendReplied
    | BackendPushed
    | HoldStarted
    | HoldStopped
    | StateTold
    | StageTook
    | BotSpoke
    | VoicesOverlapped
    | ExpectationJudged
    | DefectFound
    | StepFailed
    | Noted
    | PhoneLostSound
    | PhoneUsed
    | CallEnded
    | WireSummary
)
"""Any event that a call log can contain."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the log: `at_ms` since the UUID, its source, and `number`, its arrival from 1.

    In the log of several calls `caller` is the name of its caller, and `at_ms` counts from the first UUID of all; times
    within the event still count from the UUID of its own call.
    """

    at_ms: int
    source: Source
    number: int
    event: LogEvent
    caller: str = ""

    @property
    def order(self) -> tuple[int, int, int]:
        """The key by which entries are sorted."""
        return (self.at_ms, self.source, self.number)

    def to_json(self) -> dict[str, object]:
        """Return the entry as the object of one line of call.jsonl."""
        return {
            "at_ms": self.at_ms,
            **({"caller": self.caller} if self.caller else {}),
            "source": self.source.name.lower(),
            "type": type(self.event).__name__,
            **asdict(self.event),
        }


class CallLog:
    """Collects entries while a call runs. An event may arrive after later ones: speech is known only at its end."""

    def __init__(self) -> None:
        self._sorted: list[Entry] = []
        self._copy: list[Entry] | None = None

    def add(self, at_ms: int, source: Source, event: LogEvent) -> Entry:
        """Insert an event at its place and return its entry. `at_ms`: when it happened, since the UUID was sent."""
        entry = Entry(at_ms, source, len(self._sorted) + 1, event)
        insort(self._sorted, entry, key=_ORDER)
        self._copy = None
        return entry

    def replace(self, entry: Entry, event: LogEvent) -> Entry:
        """Put another event in the place of an entry's, which keeps its time and its number. Returns the new entry."""
        changed = Entry(entry.at_ms, entry.source, entry.number, event)
        place = next(at for at, one in enumerate(self._sorted) if one.number == entry.number)
        self._sorted[place] = changed
        self._copy = None
        return changed

    @property
    def entries(self) -> list[Entry]:
        """All entries in the order in which they happened. The list is shared: do not modify it."""
        if self._copy is None:
            self._copy = self._sorted.copy()
        return self._copy


_ORDER = attrgetter("order")


UNHEARD_MS = 40
"""Speech that was sent and not played, up to which the last word counts as heard: two frames."""


def last_word_heard(
    call: CallLog, who: str, end_ms: int, unheard_ms: int = 0, *, mid_word: bool = False
) -> bool | None:
    """Whether the caller heard the bot's last stretch of speech to its end.

    Returns None if nothing was said, or the caller hung up (`who` is `caller`) without interrupting that speech, or a
    voice that cannot be read was cut off at its full level. `end_ms`: when the call ended, since the UUID was sent.
    `unheard_ms`: how much speech had been sent and not played by then: if it is more than 40 ms, the last word was not
    heard. `mid_word`: the speech was at its full level when the call ended.
    """
    if unheard_ms > UNHEARD_MS:
        return False
    spoken = [(entry.at_ms, entry.event) for entry in call.entries if isinstance(entry.event, BotSpoke)]
    if not spoken:
        return None
    at_ms, last = spoken[-1]
    if last.whole_ms is None:  # how much was still to come is not known, but all that was sent has been played
        return None if mid_word or who == "caller" else True
    if who == "caller" and not (last.lost_end_ms and at_ms + last.lasted_ms + 100 >= end_ms):
        return None
    return not last.lost_end_ms
