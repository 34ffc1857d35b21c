"""What was wrong, drawn where it was: each hole, click and missing piece, and the rest of a sentence that nobody heard.

Pure. A fault of which the log has no places (it is throughout, or the log is older) is one bar.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, DefectFound, Entry, StepFailed
from audiosocket_sim.report.call.lane_item import LaneItem
from audiosocket_sim.report.call.speech_notes import HowHeard

__all__ = [
    "defect_items",
    "hole_items",
    "lasted_ms",
    "single_faults",
    "unheard_items",
    "unplayed_items",
    "without_holes",
]

_MOST_PLACES = 200
"""Of one defect; the log has no more either."""
_BEHIND_THE_END_MS = 450
"""What was to come is drawn so far behind the end of the call, where the page still shows it."""
_LEAST_REST_MS = 60
_ONE = {"clicks": "click", "cuts": "silence", "lost": "piece missing", "repeats": "played twice", "": "hole"}


def defect_items(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    """Return the defects, and the steps that failed."""
    for entry in entries:
        match entry.event:
            case DefectFound(kind=kind, what=what) as defect:
                yield LaneItem(entry.at_ms, entry.at_ms + max(1, lasted_ms(defect)), kind.replace("_", " "), what)
            case StepFailed(number=number, expected=expected) as failed if number:
                yield LaneItem(entry.at_ms, entry.at_ms, "", f"FAILED: {failed.named}: expected {expected}", "bad", "✕")


def lasted_ms(defect: DefectFound) -> int:
    """Return from its first place to its last one, in ms: what is lost or played twice is less than that."""
    last = max((since + length for since, length in defect.places_ms), default=0)
    early = round(defect.amount or 0) if defect.kind == "premature" else 0
    return max(defect.duration_ms, last, early)


def single_faults(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    """Return each single click, hole and piece of the defects, where it was."""
    for entry in entries:
        if isinstance(entry.event, DefectFound):
            yield from _places(entry.at_ms, entry.event)


def _places(at_ms: int, defect: DefectFound) -> Iterator[LaneItem]:
    words = _ONE.get(defect.fault, defect.fault)
    count = len(defect.places_ms) + defect.more_places
    for number, (since, length) in enumerate(defect.places_ms[:_MOST_PLACES], 1):
        title = f"{words}, {number} of {count}{f': {length} ms' if length else ''}"
        start = at_ms + since
        sign = "" if length else "▾"
        yield LaneItem(start, start + length, "", title, "bad", sign, "dashed" if length else "")


def without_holes(bar: LaneItem, holes: Sequence[LaneItem]) -> Iterator[LaneItem]:
    """Return what is left of a bar between the holes that lie within it: a bar hides what lies on it."""
    start = bar.from_ms
    for hole in holes:
        if hole.to_ms is not None and bar.to_ms is not None and start < hole.from_ms and hole.to_ms < bar.to_ms:
            yield replace(bar, from_ms=start, to_ms=hole.from_ms)
            start = hole.to_ms
    yield replace(bar, from_ms=start)


def hole_items(entry: Entry) -> Iterator[LaneItem]:
    """Return the holes of a stretch of speech; if their places are not known, one bar over all of it."""
    defect = entry.event
    if not isinstance(defect, DefectFound) or defect.kind != "holes":
        return
    if not defect.places_ms:
        yield LaneItem(entry.at_ms, entry.at_ms + defect.duration_ms, "holes", defect.what, "bad", pattern="dashed")
    for since, length in defect.places_ms[:_MOST_PLACES]:
        start = entry.at_ms + since
        yield LaneItem(start, start + length, "", f"hole: nothing came for {length} ms", "bad", pattern="dashed")


def unheard_items(entries: Sequence[Entry], heard: Mapping[int, HowHeard]) -> Iterator[LaneItem]:
    """Return the rest of each known sentence that was broken off, up to what was heard next or the end of the call."""
    ended = next((one.at_ms for one in entries if isinstance(one.event, CallEnded)), None)
    spoke = [(one.at_ms, one.event, heard.get(one.number)) for one in entries if isinstance(one.event, BotSpoke)]
    for number, (at_ms, said, how) in enumerate(spoke):
        if how not in ("cut_off", "hung_up") or said.lost_end_ms < _LEAST_REST_MS:
            continue
        start = at_ms + said.lasted_ms
        until = start + said.lost_end_ms
        if number + 1 < len(spoke):
            until = min(until, spoke[number + 1][0])
        if ended is not None:
            until = min(until, max(ended, start) + _BEHIND_THE_END_MS)
        if until > start:
            title = f"not heard: the last {said.lost_end_ms / 1000:.2f} s of “{said.text}”"
            yield LaneItem(start, until, "not heard", title, "rest", pattern="dashed")


def unplayed_items(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    """Return what had been sent when the call ended, and was never played."""
    for entry in entries:
        if isinstance(entry.event, CallEnded) and entry.event.unheard_ms >= _LEAST_REST_MS:
            length = entry.event.unheard_ms
            until = entry.at_ms + min(length, _BEHIND_THE_END_MS)
            title = f"sent, and not heard before the call was over: {length / 1000:.2f} s"
            yield LaneItem(entry.at_ms, until, "not heard", title, "bad", pattern="dashed")
