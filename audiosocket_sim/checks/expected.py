"""Decides whether an expectation is met at a moment, still pending, or failed. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, Entry, HoldStarted, StateTold
from audiosocket_sim.call_log.resumption import sayings
from audiosocket_sim.checks.fits import end_ms, fits, is_music_of, says
from audiosocket_sim.checks.going_on import asks_again, goes_on, resumes
from audiosocket_sim.checks.instead import instead
from audiosocket_sim.checks.said import READ
from audiosocket_sim.checks.stretches import LONGEST_PAUSE_MS, joined, runs
from audiosocket_sim.checks.turns import answer, stop
from audiosocket_sim.checks.verdicts import GRACE_MS, Failed, Met, Moment, Pending, Verdict
from audiosocket_sim.checks.words import clock, describe, seconds
from audiosocket_sim.scenario import Expectation, Within

__all__ = ["evaluate", "needs_the_call"]

_HOLD_GRACE_MS = 400
"""Hold audio is distinguished from speech after some 200 ms of it."""
_MUSIC_GRACE_MS = 2400
"""Music that nobody knows, after 2 s of it; that it stopped, after one."""
_EDGE_MS = 60
"""A known phrase that begins so much later was not heard from its beginning (`BotSpoke.cut_off`)."""
_LOOK_EVERY_MS = 20
"""The interval of looking again where no event comes: speech pauses, and goes on, without one."""


_OF_TURNS: dict[str, Callable[[Within, Sequence[Entry], Moment], Verdict]] = {
    "responds": answer,
    "bot_stops": stop,
    "bot_goes_on": goes_on,
    "resumes": resumes,
    "asks_again": asks_again,
}
"""The judges of what counts from what was heard, and not from the step before."""


def evaluate(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Return the verdict on an expectation at a moment. `entries` are in the order of time.

    Pending: its `recheck_ms` says when to look again. Failed: too late, or the call ended and with it every chance.
    Sound that cannot be read meets no `bot_says`, and ends none.
    """
    if isinstance(expectation, Within) and (judge := _OF_TURNS.get(expectation.key)) is not None:
        return judge(expectation, entries, moment)
    found = _look(expectation, entries, moment)
    if not isinstance(found, Pending):
        return found
    if expectation.bot_says is not None and any(_may_say(e, moment) for e in entries if e.number in moment.being_read):
        return found  # its words are not known yet
    if moment.open_speech_at_ms is None and needs_the_call(expectation) and _has_ended(entries):
        return Failed(_wanted(expectation, moment), instead(expectation, entries, moment))
    known_at = moment.deadline_ms + _grace_ms(expectation, moment)
    if moment.now_ms < known_at:
        return Pending(known_at if found.recheck_ms is None else min(found.recheck_ms, known_at))
    if _has_started(expectation, moment):
        return found
    goes_on_ms = None if expectation.bot_says is None else _may_go_on(expectation, entries, moment)
    if goes_on_ms is not None:
        return Pending(goes_on_ms)
    late = _look(expectation, entries, replace(moment, deadline_ms=moment.now_ms))
    happened = _how_late(late, moment) if isinstance(late, Met) else instead(expectation, entries, moment)
    return Failed(_wanted(expectation, moment), happened)


def _grace_ms(expectation: Expectation, moment: Moment) -> int:
    """How long after the deadline that may become known which came before it."""
    if expectation.hold_audio is None:
        return GRACE_MS
    playing = expectation.hold_audio.is_ == "playing"
    since_ms = moment.open_speech_at_ms if playing else moment.hold_since_ms
    return _HOLD_GRACE_MS if since_ms is None or since_ms > moment.deadline_ms else _MUSIC_GRACE_MS


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
        since_ms = moment.hold_since_ms if e.hold_audio.is_ == "playing" else None
        return _look_hold(since_ms, e, entries, moment)
    if e.state is not None:
        return _look_state(e, entries, moment)
    return _look_event(e, entries, moment)


def _look_event(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """A request to the backend or the end of the call, which count from before the step as well."""
    if expectation.hangs_up is not None and expectation.hangs_up.last_word is not None and not _has_spoken(entries):
        return Pending()
    for entry in entries:
        if entry.number not in moment.taken and entry.at_ms <= moment.deadline_ms and fits(entry.event, expectation):
            return Met(entry.at_ms, max(entry.at_ms, moment.base_ms), entry.number)
    return Pending()


def _look_bot_says(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    candidates = [(at, e) for at, e in enumerate(entries) if _may_say(e, moment)]
    for _, entry in candidates:
        event = entry.event
        if isinstance(event, BotSpoke) and says(event, expectation) and not event.cut_off:
            return Met(entry.at_ms, end_ms(entry.at_ms, event), entry.number)
    for at, _ in candidates:
        if (met := _paused_and_said(expectation, sayings(entries, at), moment)) is not None:
            return met
        for run in runs(entries, at):
            whole = joined(run)
            free = all(entry.number not in moment.taken for entry in run)
            if free and isinstance(whole.event, BotSpoke) and says(whole.event, expectation):
                also = tuple(entry.number for entry in run[1:])
                return Met(whole.at_ms, end_ms(whole.at_ms, whole.event), whole.number, also=also)
    return Pending()


def _paused_and_said(expectation: Expectation, saying: Sequence[Entry], moment: Moment) -> Met | None:
    """The verdict on a known phrase that the bot paused: it was said, if that was in the end to its end."""
    spoken = [entry.event for entry in saying if isinstance(entry.event, BotSpoke)]
    if len(spoken) < 2 or spoken[0].resumed_ms is not None or spoken[0].skipped_ms > _EDGE_MS or spoken[-1].lost_end_ms:
        return None
    if any(entry.number in moment.taken for entry in saying) or not says(spoken[0], expectation):
        return None
    also = tuple(entry.number for entry in saying[1:])
    return Met(saying[0].at_ms, end_ms(saying[-1].at_ms, spoken[-1]), saying[0].number, also=also)


def _may_say(entry: Entry, moment: Moment) -> bool:
    if not isinstance(entry.event, BotSpoke) or entry.number in moment.taken:
        return False
    return moment.base_ms - GRACE_MS <= entry.at_ms <= moment.deadline_ms


def _may_go_on(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> int | None:
    """Until when (ms) a voice may go on after a pause, where it began in time, and a reader reads it, or it was broken
    off in a known phrase; None: it is over."""
    said = [(e, e.event) for e in entries if _may_say(e, moment) and isinstance(e.event, BotSpoke)]
    spoken = [e for e, event in said if event.voice == READ or (event.lost_end_ms and says(event, expectation))]
    if not spoken or _has_ended(entries):
        return None
    known = [e for e in entries if isinstance(e.event, BotSpoke) and e.number not in moment.being_read]
    until = max(end_ms(e.at_ms, e.event) for e in known if isinstance(e.event, BotSpoke)) + LONGEST_PAUSE_MS
    begun = [e.at_ms for e in entries if e.number in moment.being_read]
    begun += [] if moment.open_speech_at_ms is None else [moment.open_speech_at_ms]
    if any(at_ms <= until for at_ms in begun):
        return moment.now_ms + _LOOK_EVERY_MS
    return until if moment.now_ms < until else None


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


def _look_hold(since_ms: int | None, expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    started = [(entry.number, entry.event) for entry in entries if isinstance(entry.event, HoldStarted)]
    number, last = started[-1] if started else (None, HoldStarted())
    if since_ms is not None and since_ms <= moment.deadline_ms and is_music_of(last, expectation):
        at = max(since_ms, moment.base_ms)
        return Met(at, at, began_with=number)
    return _look_in_window(expectation, entries, moment)


def _look_state(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    before = [entry for entry in entries if isinstance(entry.event, StateTold) and entry.at_ms <= moment.base_ms]
    if before and fits(before[-1].event, expectation):
        return Met(moment.base_ms, moment.base_ms, began_with=before[-1].number)
    return _look_in_window(expectation, entries, moment)


def _look_in_window(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    for entry in entries:
        in_time = moment.base_ms <= entry.at_ms <= moment.deadline_ms
        if in_time and entry.number not in moment.taken and fits(entry.event, expectation):
            return Met(entry.at_ms, entry.at_ms, entry.number)
    return Pending()


def _has_started(expectation: Expectation, moment: Moment) -> bool:
    """Whether speech or silence that may still meet the expectation began in time and goes on."""
    if expectation.bot_silent is not None:
        since_ms = moment.silent_since_ms
    elif expectation.bot_says is not None or expectation.bot_speaks is not None:
        since_ms = moment.open_speech_at_ms
    else:
        return False
    return since_ms is not None and since_ms <= moment.deadline_ms


def needs_the_call(expectation: Expectation) -> bool:
    """Return whether what is expected can only come during the call: a state and a request come by other ways, also
    after the end."""
    return expectation.state is None and expectation.backend_asked is None


def _has_spoken(entries: Sequence[Entry]) -> bool:
    return any(isinstance(entry.event, BotSpoke) for entry in entries)


def _has_ended(entries: Sequence[Entry]) -> bool:
    return any(isinstance(entry.event, CallEnded) for entry in entries)
