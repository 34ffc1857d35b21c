"""Checks a `never` expectation against a call log: what broke it first, and when. Pure.

A `never` counts each event once: not what met a step before it, and not what the caller's hanging up, or the end of the
scenario, brings about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallEnded,
    DefectFound,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, ended_ms
from audiosocket_sim.checks.fits import end_ms, fits, is_music_of, says
from audiosocket_sim.checks.quality import defects_of, is_defect, limits_of
from audiosocket_sim.checks.turns import broken_turns
from audiosocket_sim.checks.verdicts import Broken, Watched
from audiosocket_sim.checks.words import as_line, clock, seconds
from audiosocket_sim.scenario import EXPECTATION_KEYS, Expectation, Never, Quality
from audiosocket_sim.turn_taking import QUIET_MS, turns_of

__all__ = ["violation"]

_HANGING_UP_MS = 40
"""So much earlier (two frames) than the caller's hanging up an effect of it may be dated: the bot's clock and the
phone's playout differ from ours."""
_IDLE = "STANDBY"
"""The state of a bot without a call."""


def violation(expectation: Expectation, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """Return what broke a `never` first in what it watched; None: nothing. `entries` are in the order of time.

    `while`: only the times count in which the caller, or the bot, speaks.
    """
    e = expectation
    if isinstance(e, Never) and e.while_ is not None:
        always = e.model_copy(update={"while_": None})
        spoken = _spoken_times(e.while_, entries, watched)
        broken = (violation(always, entries, part) for part in spoken)
        return next((found for found in broken if found is not None), None)
    if isinstance(e, Never) and (e.talk_over is not None or e.dead_air is not None):
        return broken_turns(e, entries, watched)
    if e.bot_silent is not None:
        return _silence(e.bot_silent.at_least, entries, watched)
    if e.bot_speaks is not None:
        return _speech(e.bot_speaks.at_least, entries, watched)
    if e.bot_says is not None:
        return _words(e, entries, watched)
    if e.hold_audio is not None and e.hold_audio.is_ == "playing":
        return _hold_audio(e, entries, watched)
    if isinstance(e, Never) and e.key not in EXPECTATION_KEYS:
        return _defect(e, entries, watched)
    return _instant(e, entries, watched)


def _spoken_times(who: str, entries: Sequence[Entry], watched: Watched) -> Iterator[Watched]:
    """The parts of what is watched in which caller or bot speaks: from the first sound of a turn to its last.

    Where the end of the call cuts a known sentence off, between two words too, it comes while that is spoken; where the
    sentence is over at that instant, it does not.
    """
    voice, ended = caller_voice(entries) if who == "caller_speaks" else bot_voice(entries), ended_ms(entries)
    for turn in turns_of(voice, ("speech",)):
        end, whole = turn.end_ms, turn.segments[-1].whole
        if ended is not None and whole is False and end <= ended < end + QUIET_MS:
            end = ended
        elif whole is True and end == ended:
            end -= 1
        start_ms, stop_ms = max(watched.from_ms, turn.start_ms), min(watched.to_ms, end)
        if start_ms < stop_ms:
            yield replace(watched, from_ms=start_ms, to_ms=stop_ms)


def _defect(never: Never, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first defect of the kind in the window, by the limit of the step itself."""
    limits = limits_of(never)
    for entry in entries:
        if not watched.from_ms <= entry.at_ms <= watched.to_ms:
            continue
        found = next((defect for defect in _defects(entry.event, limits) if is_defect(defect, limits)), None)
        if found is not None:
            return Broken(entry.at_ms, f"{clock(entry.at_ms)} {found.what}")
    return None


def _defects(event: LogEvent, limits: Quality) -> Sequence[DefectFound]:
    if isinstance(event, DefectFound):
        return (event,)
    if not isinstance(event, BotSpoke):
        return ()
    ahead = f"speech sent up to {seconds(event.ahead_ms)} ahead of what was playing"
    return (*defects_of(event, limits), DefectFound("ahead", ahead, event.ahead_ms))


def _silence(at_least: int, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first time without speech that is long enough, within the window and the call."""
    ended = [entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)]
    hung_up = [] if watched.hung_up_ms is None else [watched.hung_up_ms]
    end = min([watched.to_ms, *ended, *hung_up])
    spoken = [(entry.at_ms, end_ms(entry.at_ms, entry.event)) for entry in entries if isinstance(entry.event, BotSpoke)]
    since = watched.from_ms
    for start, stop in [*spoken, (end, end)]:
        if min(start, end) - since >= at_least:
            return Broken(since, f"{clock(since)} silence began")
        since = max(since, stop)
    return None


def _speech(at_least: int, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first speech of which so much lies in the window."""
    for entry, _, inside_ms in _spoken(entries, watched):
        if inside_ms >= at_least:
            return Broken(max(entry.at_ms, watched.from_ms), as_line(entry))
    return None


def _words(expectation: Expectation, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first speech in the window with these words, also where they were cut off."""
    for entry, event, inside_ms in _spoken(entries, watched):
        if inside_ms > 0 and says(event, expectation):
            return Broken(max(entry.at_ms, watched.from_ms), as_line(entry))
    return None


def _spoken(entries: Sequence[Entry], watched: Watched) -> Iterator[tuple[Entry, BotSpoke, int]]:
    """Each speech, and how many ms of it lie in the window."""
    for entry in entries:
        if isinstance(entry.event, BotSpoke):
            start, stop = max(watched.from_ms, entry.at_ms), min(watched.to_ms, end_ms(entry.at_ms, entry.event))
            yield entry, entry.event, stop - start


def _hold_audio(expectation: Expectation, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first hold audio in the window, also where it began before it or goes on after it."""
    for number, start, stop in _held(expectation, entries):
        inside = start <= watched.to_ms and (stop is None or stop > watched.from_ms)
        if inside and number != watched.completed_by:
            at = max(start, watched.from_ms)
            return Broken(at, f"{clock(at)} hold audio played")
    return None


def _held(expectation: Expectation, entries: Sequence[Entry]) -> Iterator[tuple[int, int, int | None]]:
    """Each hold audio: the number of the entry with which it began, from when and to when; to None where it goes on."""
    begun: Entry | None = None
    for entry in entries:
        if isinstance(entry.event, HoldStarted) and is_music_of(entry.event, expectation):
            begun = entry
        elif isinstance(entry.event, HoldStopped) and begun is not None:
            yield begun.number, begun.at_ms, entry.at_ms
            begun = None
    if begun is not None:
        yield begun.number, begun.at_ms, None


def _instant(expectation: Expectation, entries: Sequence[Entry], watched: Watched) -> Broken | None:
    """The first event in the window that fits, or the state that there was when the window began."""
    from_ms = watched.from_ms
    states = [entry for entry in entries if isinstance(entry.event, StateTold) and entry.at_ms <= from_ms]
    there = states[-1] if states and fits(states[-1].event, expectation) else None
    if there is not None and there.number != watched.completed_by and not _is_brought_about(there, watched):
        return Broken(from_ms, f"{as_line(there)}, and still at {clock(from_ms)}")
    for entry in entries:
        counts = entry.number not in watched.taken and not _is_brought_about(entry, watched)
        if counts and from_ms <= entry.at_ms <= watched.to_ms and fits(entry.event, expectation):
            return Broken(entry.at_ms, as_line(entry))
    return None


def _is_brought_about(entry: Entry, watched: Watched) -> bool:
    """Whether the event is an effect of the caller's hanging up: the end, the stop of hold audio, an idle bot."""
    if watched.hung_up_ms is None or entry.at_ms < watched.hung_up_ms - _HANGING_UP_MS:
        return False
    match entry.event:
        case CallEnded(who=who):
            return who == "caller"
        case StateTold(after=after):
            return after == _IDLE
        case HoldStopped():
            return True
    return False
