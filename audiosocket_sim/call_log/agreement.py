"""Compares two runs of one scenario, one in virtual time and one in real time, and lists the differences. Pure.

The rule: each source reports the same events in the same order. The interval between an event and the event before it
(its trigger, not t = 0) is the same in both runs, within one frame, the compute time, and the time for which the
machine kept the measuring process waiting. Numbers inside an event (durations, lengths) have the same allowance.

Recognition and synthesis take no virtual time except for what an engine waits for. If the server reports how long they
took, an event may come later by the part of that time that lies between it and the event before, and the durations are
not compared. Speech that waited in the phone, because the server sent ahead after a stall, may come later by the
length that had been sent ahead.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from audiosocket_sim.call_log.comparison import Move, by_place, changed_fields, moves, same_places
from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallEnded,
    DefectFound,
    Entry,
    ExpectationJudged,
    LogEvent,
    Noted,
    PhoneLostSound,
    PhoneUsed,
    Source,
    StageTook,
    VoicesOverlapped,
    WireSummary,
)

__all__ = ["disagreements"]

FRAME_MS = 20
_LEVEL_DB = 1.0
_A_READERS = ("text", "voice", "confidence", "words")
_COMPUTE = ("recognition", "first_audio")
_OF_ONE_RUN = ("holes_ms",)
"""Where single holes are: their sum is compared."""


def disagreements(
    virtual: Sequence[Entry], real: Sequence[Entry], allowance_ms: float, *, real_asterisk: bool = False
) -> list[str]:
    """Return what differs between two call logs, one line for each difference; an empty list if they agree.

    `allowance_ms` is added to one frame of 20 ms. `real_asterisk`: the call log `real` was made with a real Asterisk,
    which words its reasons differently and does not distinguish 00 00 00 from a close.
    """
    tolerance = FRAME_MS + allowance_ms
    wanted, got = _by_source(virtual), _by_source(real)
    found: list[str] = []
    pairs: dict[int, Entry] = {}
    for source in sorted(wanted.keys() | got.keys()):
        ours, theirs = wanted[source], got[source]
        if len(ours) != len(theirs):
            found.append(f"{source.name.lower()}: {len(ours)} events in virtual time, {len(theirs)} in real time")
        for a, b in by_place(ours, theirs):
            if a is not None and b is not None:
                pairs[a.number] = b
                found += _differences(a, _with_our_reason(a, b) if real_asterisk else b, tolerance)
    for (move,) in moves((entry, pairs.get(entry.number)) for entry in _compared(virtual)):
        found += _gap(move, real, tolerance)
    return found


def _gap(move: Move[Entry], real: Sequence[Entry], tolerance: float) -> list[str]:
    """Return one line if two successive events are too far apart, or too close, in real time; else an empty list."""
    (before, other_before), entry, other = move.anchor, move.first, move.second
    virtual_ms, real_ms = move.first_ms, move.second_ms
    computed_ms = _computed_ms(real, other_before.at_ms, other.at_ms)
    held_up_ms = _computed_ms(real, other.at_ms, other_before.at_ms)  # 0 unless the two events swapped their order
    latest_ms = virtual_ms + tolerance + computed_ms + _waited_ms(entry, other)
    earliest_ms = virtual_ms - tolerance - held_up_ms - _waited_ms(before, other_before)
    if earliest_ms <= real_ms <= latest_ms:
        return []
    return [f"{_name(entry)} came {virtual_ms} ms after {_name(before)} in virtual time, {real_ms} ms in real time"]


def _waited_ms(entry: Entry, other: Entry) -> int:
    """Milliseconds by which a stretch of speech waited longer in the phone in real time; 0 for any other event."""
    if not isinstance(entry.event, BotSpoke) or not isinstance(other.event, BotSpoke):
        return 0
    return max(0, other.event.ahead_ms - entry.event.ahead_ms)


def _computed_ms(entries: Sequence[Entry], from_ms: int, to_ms: int) -> int:
    """Milliseconds of the server's reported compute time between two instants; 0 if `to_ms` comes first."""
    spans = [(entry.at_ms - entry.event.duration_ms, entry.at_ms) for entry in entries if _is_computing(entry.event)]
    return sum(max(0, min(end, to_ms) - max(start, from_ms)) for start, end in spans)


def _is_computing(event: LogEvent) -> TypeGuard[StageTook]:
    return isinstance(event, StageTook) and event.stage in _COMPUTE


def _with_our_reason(ours: Entry, theirs: Entry) -> Entry:
    """`theirs` with the reason and, where Asterisk cannot tell, the manner of the end taken from `ours`."""
    a, b = ours.event, theirs.event
    if not isinstance(a, CallEnded) or not isinstance(b, CallEnded):
        return theirs
    how = a.how if b.how == "orderly" and a.how in ("hangup_message", "fin") else b.how
    return replace(theirs, event=replace(b, how=how, reason=a.reason))


def _compared(entries: Sequence[Entry]) -> list[Entry]:
    """Return all entries except notes, sums, the judge's records, measures of what is compared by itself, and defects,
    whose figures are those of one run."""
    own = Noted | ExpectationJudged | WireSummary | DefectFound | VoicesOverlapped | PhoneLostSound | PhoneUsed
    return [entry for entry in entries if not isinstance(entry.event, own)]


def _by_source(entries: Sequence[Entry]) -> dict[Source, list[Entry]]:
    by_source: dict[Source, list[Entry]] = defaultdict(list)
    for entry in _compared(entries):
        by_source[entry.source].append(entry)
    return by_source


def _differences(a: Entry, b: Entry, tolerance: float) -> list[str]:
    """Return a line for each field that differs by more than the tolerance, or one line if the event types differ."""
    if type(a.event) is not type(b.event):
        return [f"{_name(a)} in virtual time, {_name(b)} in real time"]
    are_read, is_computing = _are_read(a.event, b.event), _is_computing(a.event)

    def agree(name: str, ours: object, theirs: object) -> bool:
        if (name in _A_READERS and are_read) or (name == "duration_ms" and is_computing):
            return True  # of sound that differs by a sample a recogniser may read another word
        if name in _OF_ONE_RUN:
            return True
        if name == "interrupted" and isinstance(ours, dict) and isinstance(theirs, dict):
            return ours.get("text") == theirs.get("text")  # how much of it was said is the caller's moment, and differs
        return _agree(name, ours, theirs, tolerance)

    return [
        f"{_name(a)}: {change.name} is {change.before!r} in virtual time, {change.after!r} in real time"
        for change in changed_fields(a.event, b.event, agree)
    ]


def _are_read(a: LogEvent, b: LogEvent) -> bool:
    """Whether both events are speech whose words a reader was asked for."""
    return all(isinstance(event, BotSpoke) and event.read_by is not None for event in (a, b))


def _agree(name: str, ours: object, theirs: object, tolerance: float) -> bool:
    """Whether two values of the field `name` count as the same."""
    if name in ("opened_ms", "closed_ms"):  # instants since the UUID: the events around them are compared
        return True
    if name in ("audible_ms", "parts_ms", "wait_ms", "wait_measured"):  # follow from the times of the events
        return True
    if name == "pauses_ms":
        return same_places(ours, theirs, tolerance)
    if name == "ahead_ms":  # after a stall in real time the server sends ahead
        return True
    if name == "level_dbfs" and isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= _LEVEL_DB
    if name == "since_last_word_ms":  # a sum of stages; each stage is compared by itself
        return (ours is None) == (theirs is None)
    if name.endswith("_ms") and isinstance(ours, int) and isinstance(theirs, int):
        return abs(ours - theirs) <= tolerance
    return ours == theirs


def _name(entry: Entry) -> str:
    return f"{type(entry.event).__name__} at {entry.at_ms / 1000:.3f}"
