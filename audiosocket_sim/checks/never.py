"""Checks a `never` expectation against a call log: what broke it first, and when. Pure."""

from collections.abc import Iterator, Sequence

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, Entry, HoldStarted, HoldStopped, StateTold
from audiosocket_sim.checks.expected import unreadable
from audiosocket_sim.checks.fits import end_ms, fits, says
from audiosocket_sim.checks.turns import broken_turns
from audiosocket_sim.checks.verdicts import Broken, Unreadable
from audiosocket_sim.checks.words import as_line, clock
from audiosocket_sim.scenario import Expectation, Never

__all__ = ["violation"]


def violation(
    expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int
) -> Broken | Unreadable | None:
    """Return what broke a `never` first from `from_ms` to `to_ms` (ms since the UUID, both included); None: nothing.

    `entries` are in the order of time. Unreadable: `bot_says` met speech whose words nobody can know.
    """
    e = expectation
    if isinstance(e, Never) and (e.talk_over is not None or e.dead_air is not None):
        return broken_turns(e, entries, from_ms, to_ms)
    if e.bot_silent is not None:
        return _silence(e.bot_silent.at_least, entries, from_ms, to_ms)
    if e.bot_speaks is not None:
        return _speech(e.bot_speaks.at_least, entries, from_ms, to_ms)
    if e.bot_says is not None:
        return _words(e, entries, from_ms, to_ms)
    if e.hold_audio is not None and e.hold_audio.is_ == "playing":
        return _hold_audio(entries, from_ms, to_ms)
    return _instant(e, entries, from_ms, to_ms)


def _silence(at_least: int, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first time without speech that is long enough, within the window and the call."""
    ended = [entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)]
    end = min([to_ms, *ended])
    spoken = [(entry.at_ms, end_ms(entry.at_ms, entry.event)) for entry in entries if isinstance(entry.event, BotSpoke)]
    since = from_ms
    for start, stop in [*spoken, (end, end)]:
        if min(start, end) - since >= at_least:
            return Broken(since, f"{clock(since)} silence began")
        since = max(since, stop)
    return None


def _speech(at_least: int, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first speech of which so much lies in the window."""
    for entry, _, inside_ms in _spoken(entries, from_ms, to_ms):
        if inside_ms >= at_least:
            return Broken(max(entry.at_ms, from_ms), as_line(entry))
    return None


def _words(expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | Unreadable | None:
    """The first speech in the window with these words, also where they were cut off; or that cannot be read."""
    for entry, event, inside_ms in _spoken(entries, from_ms, to_ms):
        if inside_ms <= 0:
            continue
        if event.text is None:
            return unreadable(entry.at_ms, event)
        if says(event, expectation):
            return Broken(max(entry.at_ms, from_ms), as_line(entry))
    return None


def _spoken(entries: Sequence[Entry], from_ms: int, to_ms: int) -> Iterator[tuple[Entry, BotSpoke, int]]:
    """Each speech, and how many ms of it lie in the window."""
    for entry in entries:
        if isinstance(entry.event, BotSpoke):
            yield entry, entry.event, min(to_ms, end_ms(entry.at_ms, entry.event)) - max(from_ms, entry.at_ms)


def _hold_audio(entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first hold audio in the window, also where it began before it or goes on after it."""
    for start, stop in _held(entries):
        if start <= to_ms and (stop is None or stop > from_ms):
            at = max(start, from_ms)
            return Broken(at, f"{clock(at)} hold audio played")
    return None


def _held(entries: Sequence[Entry]) -> Iterator[tuple[int, int | None]]:
    """From when to when hold audio played; to None where it goes on."""
    start: int | None = None
    for entry in entries:
        if isinstance(entry.event, HoldStarted):
            start = entry.at_ms
        elif isinstance(entry.event, HoldStopped) and start is not None:
            yield start, entry.at_ms
            start = None
    if start is not None:
        yield start, None


def _instant(expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first event in the window that fits, or the state that there was when the window began."""
    states = [entry for entry in entries if isinstance(entry.event, StateTold) and entry.at_ms <= from_ms]
    if states and fits(states[-1].event, expectation):
        return Broken(from_ms, f"{as_line(states[-1])}, and still at {clock(from_ms)}")
    for entry in entries:
        if from_ms <= entry.at_ms <= to_ms and fits(entry.event, expectation):
            return Broken(entry.at_ms, as_line(entry))
    return None
