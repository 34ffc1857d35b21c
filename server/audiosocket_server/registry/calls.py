"""The registry of a server's calls: the live ones and the last ended ones, each with its events and its transcript.

It records the events of calls, counts them (`metrics`) and shows them to the control API (`web`); it runs no call.
Memory is bounded by the number of ended calls and of events per call. A watcher is only woken, and then reads on in the
history by event number, so there are no queues that could fill up.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count

from audiosocket_server.backend.reply import BackendReply
from audiosocket_server.events import (
    BackendFailedEvent,
    CallEndedEvent,
    CallEvent,
    CallState,
    DtmfReceivedEvent,
    HoldStartedEvent,
    HoldStoppedEvent,
    LatencyStage,
    PlaybackFinishedEvent,
    PlaybackStartedEvent,
    Recorded,
    StageTookEvent,
    StateChangedEvent,
    SynthesisFailedEvent,
    TranscriptFinalEvent,
)
from audiosocket_server.registry.metrics import CallMetrics
from audiosocket_server.registry.vitals import SILENT, Vitals

__all__ = ["CallRecord", "Calls", "Origin", "TranscriptEntry"]

Wake = Callable[[], None]


class Origin(StrEnum):
    """Who said a line of the transcript."""

    CALLER = "caller"
    AI = "ai"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One line of a call's transcript. `at_seconds` counts from the UUID.

    `heard`: of a message of the AI that was not played to its end, the words that were; None of any other line.
    """

    at_seconds: float
    origin: Origin
    text: str
    heard: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the entry as the control API sends it: at (seconds), origin, text; heard, if not all of it was."""
        entry: dict[str, object] = {"at": round(self.at_seconds, 3), "origin": self.origin, "text": self.text}
        return entry if self.heard is None else {**entry, "heard": self.heard}


class CallRecord:
    """One call as the rest of the server sees it; implements `web.api.CallView`. The call itself writes `record`."""

    def __init__(
        self,
        number: int,
        call_id: str,
        uuid: str,
        peer: str,
        began_at: float,
        doors: "_Doors",
        metrics: CallMetrics,
        *,
        events: int,
    ) -> None:
        self.number = number
        """The call's number among all calls of this server, from 1. Unlike an id, it is never used again."""
        self.id = call_id
        self.uuid = uuid
        self.peer = peer
        self.began_at = began_at
        """When the UUID arrived, in seconds of the loop's clock."""
        self.state = CallState.STANDBY
        self.ended: CallEndedEvent | None = None
        self.last_answer: Mapping[str, object] | None = None
        """The complete JSON of the backend's last reply or push."""
        self._doors: _Doors | None = doors
        self._metrics = metrics
        self._hold = False
        self._answered_after_ms: int | None = None
        self._event_numbers = count(1)
        self._events: deque[Recorded] = deque(maxlen=events)
        self._transcript: deque[TranscriptEntry] = deque(maxlen=events)
        self._watchers = _Watchers()

    @property
    def live(self) -> bool:
        """True until the call has ended."""
        return self.ended is None

    def record(self, event: CallEvent, at_seconds: float) -> Recorded:
        """Record an event and wake the watchers. `at_seconds`: since the UUID. CallEnded is the last event."""
        self._metrics.count(event, self._events[-1].event if self._events else None)
        recorded = Recorded(self.id, next(self._event_numbers), at_seconds, event)
        self._events.append(recorded)
        line = _transcript_line(event)
        if line is not None:
            self._transcript.append(TranscriptEntry(at_seconds, *line))
        self._take(event)
        self._watchers.wake()
        return recorded

    def _take(self, event: CallEvent) -> None:
        match event:
            case StateChangedEvent(after=state):
                self.state = state
            case HoldStartedEvent() | HoldStoppedEvent():
                self._hold = isinstance(event, HoldStartedEvent)
            case StageTookEvent(LatencyStage.FIRST_AUDIO, since_last_word_ms=int(waited_ms)):
                self._answered_after_ms = waited_ms
            case PlaybackFinishedEvent(heard=str(heard)):
                self._mark_heard(heard)
            case CallEndedEvent():
                self.ended, self.state, self._hold = event, CallState.STANDBY, False
                self._metrics.dropped_messages += self.vitals().dropped_messages
                self._doors = None  # releases the call itself

    def _mark_heard(self, heard: str) -> None:
        """Note of the newest message what was heard of it."""
        for place in range(len(self._transcript) - 1, -1, -1):
            if self._transcript[place].origin is Origin.AI:
                self._transcript[place] = replace(self._transcript[place], heard=heard)
                return

    def push(self, reply: BackendReply) -> bool:
        """Queue a message of the backend. Returns False if the state accepts none or the queue is full."""
        return self._doors is not None and self._doors.push(reply)

    def hang_up(self, reason: str) -> bool:
        """Hang up. Returns False if the call has ended already."""
        if self._doors is None:
            return False
        self._doors.hang_up(reason)
        return True

    def vitals(self) -> Vitals:
        """Return the audio levels at this moment; silence if the call has ended."""
        return self._doors.vitals() if self._doors is not None else SILENT

    @property
    def version(self) -> int:
        """A number that rises with each event."""
        return self._events[-1].number if self._events else 0

    def events(self, after: int = 0) -> Sequence[Recorded]:
        """Return the kept events with a number greater than `after`, in order."""
        if not self._events or self._events[-1].number <= after:
            return ()
        skipped = max(0, after + 1 - self._events[0].number)
        return list(self._events)[skipped:]

    def entries(self) -> Sequence[TranscriptEntry]:
        """Return the transcript so far."""
        return tuple(self._transcript)

    def transcript(self) -> Sequence[Mapping[str, object]]:
        """Return the transcript so far, as the control API sends it."""
        return [entry.to_json() for entry in self._transcript]

    def summary(self) -> Mapping[str, object]:
        """Return the call as an entry of the list of calls, with its end if it has ended (docs/server.md)."""
        said = next((entry for entry in reversed(self._transcript) if entry.origin is not Origin.SYSTEM), None)
        summary: dict[str, object] = {
            "id": self.id,
            "number": self.number,
            "uuid": self.uuid,
            "peer": self.peer,
            "state": self.state,
            "live": self.live,
            "hold": self._hold,
            "answered_after_ms": self._answered_after_ms,
            "last_line": said.to_json() if said else None,
        }
        if self.ended is not None:
            summary["ended"] = {
                "by": self.ended.by,
                "reason": self.ended.reason,
                "duration_ms": self.ended.duration_ms,
            }
        return summary

    def watch(self, wake: Wake) -> Callable[[], None]:
        """Call `wake` after each event. Returns a function that ends the watch."""
        return self._watchers.add(wake)


@dataclass(frozen=True, slots=True)
class _Doors:
    """The functions through which the record reaches its call while the call is live."""

    push: Callable[[BackendReply], bool]
    hang_up: Callable[[str], None]
    vitals: Callable[[], Vitals]


class Calls:
    """All calls of one server; implements `web.api.CallsView`.

    `history`: how many ended calls are kept; `events`: how many events are kept of each call.
    """

    def __init__(self, *, history: int = 100, events: int = 5000) -> None:
        self._history = history
        self._events = events
        self.metrics = CallMetrics()
        self._numbers = count(1)
        self._calls: dict[int, CallRecord] = {}  # in the order in which they began
        self._by_id: dict[str, CallRecord] = {}  # the newest call of each id
        self._ended: deque[int] = deque()
        self._watchers = _Watchers()

    def open(
        self,
        uuid: str,
        peer: str,
        push: Callable[[BackendReply], bool],
        *,
        began_at: float = 0.0,
        hang_up: Callable[[str], None] = lambda _: None,
        vitals: Callable[[], Vitals] = lambda: SILENT,
    ) -> CallRecord:
        """Register a new live call and return its record.

        `peer`: address of the caller's side; `began_at`: seconds of the loop's clock; `push`, `hang_up` and `vitals`
        reach the call. Its id is the UUID, or `UUID-2` and so on while another live call has that id. Two live calls
        with one UUID are legal and usual, because the UUID is an argument in the dialplan (docs/protocol.md).
        """
        call_id = uuid
        for number in count(2):
            if not ((other := self._by_id.get(call_id)) and other.live):
                break
            call_id = f"{uuid}-{number}"
        number = next(self._numbers)
        doors = _Doors(push, hang_up, vitals)
        record = CallRecord(number, call_id, uuid, peer, began_at, doors, self.metrics, events=self._events)
        self._calls[number] = self._by_id[call_id] = record
        record.watch(lambda: self._changed(record))
        self._watchers.wake()
        return record

    def all(self) -> Sequence[CallRecord]:
        """Return all calls that are kept, the oldest first."""
        return tuple(self._calls.values())

    def get(self, key: str) -> CallRecord | None:
        """Find a call by its id (the newest one with that id) or by its number; None if there is none."""
        if key.isascii() and key.isdigit() and len(key) < 20:
            return self._calls.get(int(key))
        return self._by_id.get(key)

    def watch(self, wake: Wake) -> Callable[[], None]:
        """Call `wake` after a call began, had an event or ended. Returns a function that ends the watch."""
        return self._watchers.add(wake)

    def _changed(self, record: CallRecord) -> None:
        if not record.live:
            self._ended.append(record.number)
            while len(self._ended) > self._history:
                dropped = self._calls.pop(self._ended.popleft())
                if self._by_id.get(dropped.id) is dropped:
                    del self._by_id[dropped.id]
        self._watchers.wake()


class _Watchers:
    """The functions to call after each change."""

    def __init__(self) -> None:
        self._serials = count()
        self._wakes: dict[int, Wake] = {}

    def add(self, wake: Wake) -> Callable[[], None]:
        key = next(self._serials)
        self._wakes[key] = wake
        return lambda: self._wakes.pop(key, None) and None

    def wake(self) -> None:
        for wake in tuple(self._wakes.values()):
            wake()


def _transcript_line(event: CallEvent) -> tuple[Origin, str] | None:
    match event:
        case TranscriptFinalEvent(text) if text:
            return Origin.CALLER, text
        case DtmfReceivedEvent(digit):
            return Origin.CALLER, f"DTMF {digit}"
        case PlaybackStartedEvent(text=text):
            return Origin.AI, text
        case StateChangedEvent(before, after):
            return Origin.SYSTEM, f"{before} → {after}"
        case BackendFailedEvent(kind, detail):
            return Origin.SYSTEM, f"the AI backend failed ({kind}): {detail}"
        case SynthesisFailedEvent(detail):
            return Origin.SYSTEM, f"speech synthesis failed: {detail}"
        case CallEndedEvent(by, reason):
            return Origin.SYSTEM, f"ended by {by}: {reason}"
    return None
