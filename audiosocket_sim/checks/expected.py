"""Whether an expectation is met at a moment, not yet, or no more. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    StateTold,
)
from audiosocket_sim.checks.fits import end_ms, ends_as, has, says
from audiosocket_sim.checks.instead import instead
from audiosocket_sim.checks.verdicts import GRACE_MS, Failed, Met, Moment, Pending, Unreadable, Verdict
from audiosocket_sim.checks.words import clock, describe, seconds
from audiosocket_sim.scenario import Expectation

__all__ = ["evaluate", "unreadable"]

_HOLD_GRACE_MS = 400
"""Hold audio is told from speech when some 200 ms of it were heard."""
_LOOK_EVERY_MS = 20
"""Where nothing tells of a change: speech falls silent, and goes on after a pause, without an event."""


def evaluate(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Whether the expectation is met at this moment. `entries` are in the order of time."""
    found = _look(expectation, entries, moment)
    if not isinstance(found, Pending):
        return found
    words_to_come = moment.open_speech_at_ms is not None
    if _needs_the_call(expectation) and _ending(entries) is not None and not words_to_come:
        return Failed(_wanted(expectation, moment), instead(expectation, entries, moment))
    known_at = moment.deadline_ms + (_HOLD_GRACE_MS if expectation.hold_audio is not None else GRACE_MS)
    if moment.now_ms < known_at:
        return Pending(known_at if found.recheck_ms is None else min(found.recheck_ms, known_at))
    if words_to_come and _needs_words(expectation) and (moment.open_speech_at_ms or 0) <= moment.deadline_ms:
        return found
    late = _look(expectation, entries, replace(moment, deadline_ms=moment.now_ms))
    happened = _how_late(late, moment) if isinstance(late, Met) else instead(expectation, entries, moment)
    return Failed(_wanted(expectation, moment), happened)


def _wanted(expectation: Expectation, moment: Moment) -> str:
    return f"{describe(expectation)}, from {clock(moment.base_ms)} until {clock(moment.deadline_ms)}"


def _how_late(late: Met, moment: Moment) -> tuple[str, ...]:
    return (f"it came at {clock(late.at_ms)}, {seconds(late.at_ms - moment.deadline_ms)} too late",)


def _look(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    e = expectation
    if e.bot_says is not None:
        return _look_bot_says(e, entries, moment)
    if e.bot_speaks is not None:
        return _look_bot_speaks(e.bot_speaks.at_least, entries, moment)
    if e.bot_silent is not None:
        if moment.silent_since_ms is None:
            return Pending(moment.now_ms + _LOOK_EVERY_MS)
        return _run_of(moment.silent_since_ms, e.bot_silent.at_least, moment)
    if e.hold_audio is not None:
        return _look_hold(e.hold_audio.is_, entries, moment)
    if e.state is not None:
        return _look_state(e.state.is_, entries, moment)
    for entry in entries:
        fits = entry.number not in moment.taken and entry.at_ms <= moment.deadline_ms
        match entry.event:
            case BackendAsked(content=content) if fits and e.backend_asked is not None:
                if has(content, e.backend_asked.content):
                    return Met(entry.at_ms, max(entry.at_ms, moment.base_ms), entry.number)
            case CallEnded() as event if fits and e.hangs_up is not None and ends_as(event, e):
                return Met(entry.at_ms, max(entry.at_ms, moment.base_ms), entry.number)
    return Pending()


def _look_bot_says(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    for entry in entries:
        event = entry.event
        if not isinstance(event, BotSpoke) or entry.number in moment.taken:
            continue
        if not moment.base_ms - GRACE_MS <= entry.at_ms <= moment.deadline_ms:
            continue
        if event.text is None:
            return unreadable(entry.at_ms, event)
        if says(event, expectation) and not event.cut_off:
            return Met(entry.at_ms, end_ms(entry.at_ms, event), entry.number)
    return Pending()


def _look_bot_speaks(at_least: int, entries: Sequence[Entry], moment: Moment) -> Verdict:
    for entry in entries:
        if isinstance(entry.event, BotSpoke):
            start = max(entry.at_ms, moment.base_ms)
            if end_ms(entry.at_ms, entry.event) - start >= at_least and start <= moment.deadline_ms:
                return Met(start, start + at_least)
    if moment.speaking_since_ms is None and moment.open_speech_at_ms is not None:
        return Pending(moment.now_ms + _LOOK_EVERY_MS)  # a pause between two words: it may go on
    return _run_of(moment.speaking_since_ms, at_least, moment)


def _run_of(since_ms: int | None, at_least: int, moment: Moment) -> Verdict:
    if since_ms is None or since_ms > moment.deadline_ms:
        return Pending()
    start = max(since_ms, moment.base_ms)
    if moment.now_ms >= start + at_least:
        return Met(start, start + at_least)
    return Pending(recheck_ms=start + at_least)


def _look_hold(wanted: str, entries: Sequence[Entry], moment: Moment) -> Verdict:
    if wanted == "playing" and moment.hold_since_ms is not None and moment.hold_since_ms <= moment.deadline_ms:
        at = max(moment.hold_since_ms, moment.base_ms)
        return Met(at, at)
    for entry in entries:
        if isinstance(entry.event, HoldStarted if wanted == "playing" else HoldStopped) and _in_window(entry, moment):
            return Met(entry.at_ms, entry.at_ms, entry.number)
    return Pending()


def _look_state(wanted: str, entries: Sequence[Entry], moment: Moment) -> Verdict:
    before: str | None = None
    for entry in entries:
        if isinstance(entry.event, StateTold):
            if entry.at_ms <= moment.base_ms:
                before = entry.event.after
            elif entry.event.after == wanted and _in_window(entry, moment):
                return Met(entry.at_ms, entry.at_ms, entry.number)
    return Met(moment.base_ms, moment.base_ms) if before == wanted else Pending()


def _in_window(entry: Entry, moment: Moment) -> bool:
    return entry.number not in moment.taken and moment.base_ms <= entry.at_ms <= moment.deadline_ms


def unreadable(at_ms: int, event: BotSpoke) -> Unreadable:
    hint = (
        f"at {clock(at_ms)} the bot spoke for {seconds(event.heard_ms)} in a voice that is not in the phrase book, "
        "so its words cannot be read: use bot_speaks, or add its prompts (docs/targets.md)"
    )
    return Unreadable(at_ms, hint)


def _needs_words(expectation: Expectation) -> bool:
    return expectation.bot_says is not None or expectation.bot_speaks is not None


def _needs_the_call(expectation: Expectation) -> bool:
    """Not so a state and a request: they are told on other ways, also after the end."""
    return expectation.state is None and expectation.backend_asked is None


def _ending(entries: Sequence[Entry]) -> CallEnded | None:
    return next((entry.event for entry in reversed(entries) if isinstance(entry.event, CallEnded)), None)
