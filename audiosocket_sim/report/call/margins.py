"""By how much something failed, in words: beyond a limit, too late, or how often. Pure."""

import re
from collections.abc import Sequence

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    DefectFound,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.report.saved.saved_call import SavedFailure

__all__ = ["margin_of_defect", "margin_of_step"]

_LIMIT = re.compile(r"(\d+(?:\.\d+)?) (ms|%)|from (−?\d+(?:\.\d+)?) to (−?\d+(?:\.\d+)?) dBFS")
_LIMIT_SAYS_IT = ("unheard", "pace", "ahead")
"""Kinds whose amount is told beside a limit that is small or whole: how far it is beyond adds nothing."""
_AWAITED: dict[str, tuple[type[LogEvent], ...]] = {
    "expect bot_says": (BotSpoke,),
    "expect bot_speaks": (BotSpoke,),
    "expect responds": (BotSpoke,),
    "expect asks_again": (BotSpoke,),
    "expect hangs_up": (CallEnded,),
    "expect state": (StateTold,),
    "expect backend_asked": (BackendAsked,),
    "expect hold_audio": (HoldStarted, HoldStopped),
}


def margin_of_defect(defect: DefectFound, like: Sequence[DefectFound], expected: str) -> str:
    """Return by how much a defect is beyond its limit, as `expected` words it, and how often there was one (`like`)."""
    is_worst_told = len(like) > 1 and defect.kind in ("holes", "ahead", "wire_silence")
    parts = [] if is_worst_told or defect.kind in _LIMIT_SAYS_IT else [_beyond(defect, expected)]
    if len(like) > 1:
        parts.append(f"such a defect {len(like)} times in the call")
    if is_worst_told:
        parts.append(f"up to {_s(round(max(one.amount or 0 for one in like)))}")
    lasted = max((one.duration_ms for one in like), default=0)
    if lasted and defect.kind == "damage" and "are missing" not in defect.what:
        parts.append(f"up to {_s(lasted)} long")
    return ", ".join(part for part in parts if part)


def _beyond(defect: DefectFound, expected: str) -> str:
    found = _LIMIT.search(expected)
    if defect.amount is None or found is None:
        return f"{_s(round(defect.amount))} too soon" if defect.kind == "premature" and defect.amount else ""
    number, unit, low, high = found.groups()
    if number is None:
        least, most = (float(text.replace("−", "-")) for text in (low, high))
        off = least - defect.amount if defect.amount < least else defect.amount - most
        return f"{off:.1f} dB {'below' if defect.amount < least else 'above'} the limit"
    over = abs(defect.amount) - float(number)
    if over <= 0:
        return ""
    return f"{over:.1f} % beyond the limit" if unit == "%" else f"{_s(round(over))} beyond the limit"


def margin_of_step(
    kind: str, failure: SavedFailure, opened_ms: int | None, closed_ms: int | None, entries: Sequence[Entry]
) -> str:
    """Return how late the awaited event came; "" if it never did, or the step has no window."""
    if opened_ms is None or closed_ms is None:
        return ""
    if kind.startswith("never "):
        since = max(0, failure.at_ms - opened_ms)
        when = f"{_s(since)} into" if since else "at the beginning of"
        return f"{when} the {_s(closed_ms - opened_ms)} in which it must not"
    ended = next((entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)), None)
    if ended is not None and ended < closed_ms and kind != "expect hangs_up":
        return f"the call was over {_s(closed_ms - ended)} before the time was up"
    awaited = _AWAITED.get(kind)
    if awaited is None:
        return ""
    came = next(
        (
            one.at_ms
            for one in entries
            if one.at_ms > closed_ms and isinstance(one.event, awaited) and _is_it(one.event, kind, failure)
        ),
        None,
    )
    if came is not None:
        return f"{_s(came - closed_ms)} too late"
    return ""


def _is_it(event: LogEvent, kind: str, failure: SavedFailure) -> bool:
    """Whether a later event of the kind is the awaited one: of words and of a state, another may have come."""
    if isinstance(event, CallEnded):
        return failure.expected.startswith(f"the {event.who} ")
    return kind not in ("expect bot_says", "expect state", "expect backend_asked", "expect hold_audio")


def _s(ms: int) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms} ms"
