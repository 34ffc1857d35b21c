"""Whether two runs of one scenario tell the same call: a virtual one and one in real time. Pure.

The rule: each source tells the same events in the same order, and each event comes as long after the event that went
before it (its trigger, not t = 0) as in the other run, give or take one frame, the compute time, and what the machine
kept the one who measured waiting. Numbers inside an event (how long, how far) have the same allowance. Recognition and
synthesis take no time of the virtual clock beyond what an engine waits for: where the server tells how long they took,
an event may come later by as much of it as lies between it and the one before, and those figures themselves are not
compared. Speech that had waited in the phone, since a stall was caught up, may come later by what had been sent ahead.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, Entry, Noted, Source, StageTook

__all__ = ["disagreements"]

FRAME_MS = 20
_COMPUTE = ("recognition", "first_audio")


def disagreements(
    virtual: Sequence[Entry], real: Sequence[Entry], allowance_ms: float, *, told_by_asterisk: bool = False
) -> list[str]:
    """What differs, one line each; nothing where the runs agree. `allowance_ms` is what comes on top of one frame.

    told_by_asterisk: the other run was a real Asterisk's, which gives its reasons in its own words, and does not tell
    00 00 00 from a close.
    """
    tolerance = FRAME_MS + allowance_ms
    wanted, got = _by_source(virtual), _by_source(real)
    found: list[str] = []
    pairs: dict[int, Entry] = {}
    for source in sorted(wanted.keys() | got.keys()):
        ours, theirs = wanted[source], got[source]
        if len(ours) != len(theirs):
            found.append(f"{source.name.lower()}: {len(ours)} events in virtual time, {len(theirs)} in real time")
        for a, b in zip(ours, theirs, strict=False):
            pairs[a.number] = b
            found += _differences(a, _in_our_words(a, b) if told_by_asterisk else b, tolerance)
    paired = [(entry, pairs.get(entry.number)) for entry in _told(virtual)]
    for (before, other_before), (entry, other) in pairwise(paired):
        if other_before is not None and other is not None:
            found += _gap(before, entry, other_before, other, real, tolerance)
    return found


def _gap(
    before: Entry, entry: Entry, other_before: Entry, other: Entry, real: Sequence[Entry], tolerance: float
) -> list[str]:
    """One line where two events that follow each other are too far apart or too close in real time; else none."""
    virtual_ms = entry.at_ms - before.at_ms
    real_ms = other.at_ms - other_before.at_ms
    computed_ms = _computed_ms(real, other_before.at_ms, other.at_ms)
    held_up_ms = _computed_ms(real, other.at_ms, other_before.at_ms)  # they changed places
    latest_ms = virtual_ms + tolerance + computed_ms + _waited_ms(entry, other)
    earliest_ms = virtual_ms - tolerance - held_up_ms - _waited_ms(before, other_before)
    if earliest_ms <= real_ms <= latest_ms:
        return []
    return [f"{_name(entry)} came {virtual_ms} ms after {_name(before)} in virtual time, {real_ms} ms in real time"]


def _waited_ms(entry: Entry, other: Entry) -> int:
    """How much longer the speech had waited in the phone in real time; 0 for all else."""
    if not isinstance(entry.event, BotSpoke) or not isinstance(other.event, BotSpoke):
        return 0
    return max(0, other.event.ahead_ms - entry.event.ahead_ms)


def _in_our_words(ours: Entry, theirs: Entry) -> Entry:
    """The end that a real Asterisk told, as far as it can be told, and ours for the rest."""
    a, b = ours.event, theirs.event
    if not isinstance(a, CallEnded) or not isinstance(b, CallEnded):
        return theirs
    how = a.how if b.how == "orderly" and a.how in ("hangup_message", "fin") else b.how
    return replace(theirs, event=replace(b, how=how, reason=a.reason))


def _told(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not isinstance(entry.event, Noted)]


def _computed_ms(entries: Sequence[Entry], from_ms: int, to_ms: int) -> int:
    """How much of what the server says that it computed lies between two instants; 0 where the second came first."""
    took = [(e.at_ms, e.event) for e in entries if isinstance(e.event, StageTook) and e.event.stage in _COMPUTE]
    spans = [(at_ms - event.duration_ms, at_ms) for at_ms, event in took]
    return sum(max(0, min(end, to_ms) - max(start, from_ms)) for start, end in spans)


def _is_compute(entry: Entry) -> bool:
    return isinstance(entry.event, StageTook) and entry.event.stage in _COMPUTE


def _by_source(entries: Sequence[Entry]) -> dict[Source, list[Entry]]:
    by_source: dict[Source, list[Entry]] = defaultdict(list)
    for entry in _told(entries):
        by_source[entry.source].append(entry)
    return by_source


def _differences(a: Entry, b: Entry, tolerance: float) -> list[str]:
    if type(a.event) is not type(b.event):
        return [f"{_name(a)} in virtual time, {_name(b)} in real time"]
    found = []
    for field in fields(a.event):
        ours, theirs = getattr(a.event, field.name), getattr(b.event, field.name)
        measured = field.name.endswith("_ms") and isinstance(ours, int) and isinstance(theirs, int)
        told_elsewhere = field.name == "since_last_word_ms" and (ours is None) == (theirs is None)
        computed = field.name == "duration_ms" and _is_compute(a)
        if field.name == "ahead_ms" or told_elsewhere or computed or (measured and abs(ours - theirs) <= tolerance):
            continue
        if ours != theirs:
            found.append(f"{_name(a)}: {field.name} is {ours!r} in virtual time, {theirs!r} in real time")
    return found


def _name(entry: Entry) -> str:
    return f"{type(entry.event).__name__} at {entry.at_ms / 1000:.3f}"
