"""What must never happen, against a call log: whether it did, and when. Pure."""

from collections.abc import Sequence

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    StateTold,
)
from audiosocket_sim.checks.expected import unreadable
from audiosocket_sim.checks.fits import end_ms, ends_as, has, says
from audiosocket_sim.checks.verdicts import Broken, Unreadable
from audiosocket_sim.checks.words import clock, told
from audiosocket_sim.scenario import Expectation

__all__ = ["violation"]


def violation(
    expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int
) -> Broken | Unreadable | None:
    """What broke a `never` between the two instants; None where nothing did."""
    if expectation.bot_silent is not None:
        return _silence(expectation, entries, from_ms, to_ms)
    state: str | None = None
    held_since: int | None = None
    for entry in entries:
        event, at = entry.event, entry.at_ms
        if isinstance(event, HoldStarted):
            held_since = at
        if isinstance(event, HoldStopped) and held_since is None:
            held_since = at - event.duration_ms
        if _breaks(expectation, entry, from_ms, to_ms, held_since):
            plays = expectation.hold_audio is not None and expectation.hold_audio.is_ == "playing"
            at = max(held_since if plays and held_since is not None else at, from_ms)
            if isinstance(event, BotSpoke) and event.text is None and expectation.bot_says is not None:
                return unreadable(entry.at_ms, event)
            return Broken(at, f"{clock(at)} hold audio played" if plays else told(entry) or "")
        if isinstance(event, HoldStopped):
            held_since = None
        if isinstance(event, StateTold):
            state = event.after if at <= from_ms else state
    if expectation.state is not None and state == expectation.state.is_:
        return Broken(from_ms, f"{clock(from_ms)} it was so already")
    if held_since is not None and expectation.hold_audio is not None and expectation.hold_audio.is_ == "playing":
        at = max(held_since, from_ms)
        return Broken(at, f"{clock(at)} hold audio played") if held_since < to_ms else None
    return None


def _silence(expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first time without speech that is long enough, within the window and the call."""
    assert expectation.bot_silent is not None
    ended = [entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)]
    end = min([to_ms, *ended])
    spoken = [(entry.at_ms, end_ms(entry.at_ms, entry.event)) for entry in entries if isinstance(entry.event, BotSpoke)]
    since = from_ms
    for start, stop in [*spoken, (end, end)]:
        if min(start, end) - since >= expectation.bot_silent.at_least:
            return Broken(since, f"{clock(since)} silence began")
        since = max(since, stop)
    return None


def _breaks(expectation: Expectation, entry: Entry, from_ms: int, to_ms: int, held_since: int | None) -> bool:
    e, event, at = expectation, entry.event, entry.at_ms
    inside = from_ms <= at <= to_ms
    match event:
        case BotSpoke():
            overlap = min(to_ms, end_ms(at, event)) - max(from_ms, at)
            if e.bot_speaks is not None:
                return overlap >= e.bot_speaks.at_least
            return e.bot_says is not None and overlap > 0 and (event.text is None or says(event, e))
        case HoldStarted():
            return inside and e.hold_audio is not None and e.hold_audio.is_ == "playing"
        case HoldStopped():
            if e.hold_audio is None:
                return False
            if e.hold_audio.is_ == "stopped":
                return inside
            return held_since is not None and held_since < to_ms and at > from_ms
        case StateTold():
            return inside and e.state is not None and event.after == e.state.is_
        case BackendAsked():
            return inside and e.backend_asked is not None and has(event.content, e.backend_asked.content)
        case CallEnded():
            return inside and e.hangs_up is not None and ends_as(event, e)
        case _:
            return False
