"""Finds the event from which an anchored step counts (`at`), and says what happened if it does not come. Pure.

The event is the last one of its kind since the step before began, or one that goes on now, whenever it began (speech,
hold audio, a state); otherwise the next one. Times are ms since the UUID.
"""

from collections.abc import Iterator, Sequence

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    StateTold,
)
from audiosocket_sim.call_log.voices import caller_voice
from audiosocket_sim.checks.fits import end_ms
from audiosocket_sim.checks.instead import instead
from audiosocket_sim.checks.verdicts import GRACE_MS, Moment
from audiosocket_sim.checks.words import as_line, clock, seconds
from audiosocket_sim.scenario import Anchor, Expectation
from audiosocket_sim.turn_taking import turns_of

__all__ = ["anchor_ms", "anchor_times", "describe_anchor", "ends_with_the_call", "known_ms", "without_anchor"]

_KNOWN_LATER_MS = {"bot_starts": 300, "bot_stops": 700, "hold_starts": 2400, "hold_stops": 1200}
"""How long after such an event (ms) it is known at the latest: a click is no speech, a pause no end."""
_IN_WORDS = {
    "bot_starts": "the bot starts to speak",
    "bot_stops": "the bot stops speaking",
    "hold_starts": "hold audio starts",
    "hold_stops": "hold audio stops",
    "caller_starts": "the caller starts to speak",
    "caller_stops": "the caller stops speaking",
    "backend_asked": "the backend is asked",
    "backend_answers": "the backend answers",
}
_SPEECH = Expectation.model_validate({"bot_speaks": "1ms"})
_OUTLIVES_THE_CALL = ("backend_asked", "backend_answers")


def describe_anchor(anchor: Anchor) -> str:
    """Return the event as a clause: `the bot starts to speak`."""
    return f"state {anchor.state}" if anchor.state is not None else _IN_WORDS[anchor.after]


def anchor_ms(anchor: Anchor, entries: Sequence[Entry], moment: Moment, since_ms: int) -> int | None:
    """Return when the event happened from which the step counts; None if it has not happened yet.

    `since_ms`: when the step before began. The caller's own words may lie ahead: they are known when they begin.
    """
    event = anchor.after
    if (now_ms := _goes_on_since(event, anchor.state, entries, moment)) is not None:
        return now_ms
    if event == "bot_stops" and moment.open_speech_at_ms is not None:
        return None
    if event == "hold_stops" and moment.hold_since_ms is not None:
        return None
    return max((at_ms for at_ms in anchor_times(anchor, entries) if at_ms >= since_ms), default=None)


def _goes_on_since(event: str, state: str | None, entries: Sequence[Entry], moment: Moment) -> int | None:
    """When that began which goes on now and is the event; None if it does not go on."""
    if event == "bot_starts":
        undecided = moment.speaking_since_ms is None and moment.silent_since_ms is None
        return None if undecided else moment.open_speech_at_ms
    if event == "hold_starts":
        return moment.hold_since_ms
    if event == "caller_starts":
        turns = turns_of(caller_voice(entries), ("speech",))
        return next((turn.start_ms for turn in turns if moment.now_ms < turn.end_ms), None)
    if state is not None:
        changes = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, StateTold)]
        return changes[-1][0] if changes and changes[-1][1].after == state else None
    return None


def anchor_times(anchor: Anchor, entries: Sequence[Entry]) -> list[int]:
    """Return when each event of this kind happened that the log knows, in order."""
    return sorted(_times(anchor.after, anchor.state, entries))


def _times(event: str, state: str | None, entries: Sequence[Entry]) -> Iterator[int]:
    if event in ("caller_starts", "caller_stops"):
        for turn in turns_of(caller_voice(entries), ("speech",)):
            yield turn.start_ms if event == "caller_starts" else turn.end_ms
        return
    for entry in entries:
        match entry.event:
            case BotSpoke() as spoke if event == "bot_stops":
                yield end_ms(entry.at_ms, spoke)
            case BotSpoke() if event == "bot_starts":
                yield entry.at_ms
            case HoldStarted() if event == "hold_starts":
                yield entry.at_ms
            case HoldStopped() if event == "hold_stops":
                yield entry.at_ms
            case BackendAsked() if event == "backend_asked":
                yield entry.at_ms
            case BackendReplied() | BackendPushed() if event == "backend_answers":
                yield entry.at_ms
            case StateTold(after=after) if after == state:
                yield entry.at_ms


def known_ms(anchor: Anchor, moment: Moment) -> int:
    """Return when it is certain that the event has not happened by the moment's deadline."""
    return moment.deadline_ms + _KNOWN_LATER_MS.get(anchor.after, GRACE_MS)


def without_anchor(anchor: Anchor, entries: Sequence[Entry], moment: Moment) -> tuple[str, ...]:
    """Return what happened instead of the event, a line each, at least one."""
    if anchor.after == "bot_starts":
        return instead(_SPEECH, entries, moment)
    ended = [as_line(entry) for entry in entries if isinstance(entry.event, CallEnded)]
    return (_nothing(anchor, entries, moment), *ended)


def _nothing(anchor: Anchor, entries: Sequence[Entry], moment: Moment) -> str:
    if anchor.after == "bot_stops" and moment.open_speech_at_ms is not None:
        return f"the bot spoke from {clock(moment.open_speech_at_ms)} on, and still at {clock(moment.now_ms)}"
    if anchor.after == "hold_stops" and moment.hold_since_ms is not None:
        return f"hold audio played from {clock(moment.hold_since_ms)} on, and still at {clock(moment.now_ms)}"
    if anchor.state is not None:
        return f"the state was {moment.state} at the end of that time" if moment.state else "no state was reported"
    times = anchor_times(anchor, entries)
    if not times:
        return f"{_NEVER[anchor.after]} in the whole call"
    early_ms = moment.base_ms - times[-1]
    when = f"{seconds(early_ms)} before" if early_ms > 0 else f"{seconds(times[-1] - moment.deadline_ms)} after"
    return f"{_NEVER[anchor.after]} in that time; the last time was at {clock(times[-1])}, {when}"


_NEVER = {
    "bot_stops": "the bot did not stop speaking",
    "hold_starts": "no hold audio started",
    "hold_stops": "no hold audio stopped",
    "caller_starts": "the caller did not start to speak",
    "caller_stops": "the caller did not stop speaking",
    "backend_asked": "the backend was not asked",
    "backend_answers": "the backend did not answer",
}


def ends_with_the_call(anchor: Anchor) -> bool:
    """Whether the event can only come during the call; a state and what the backend does may come later."""
    return anchor.state is None and anchor.after not in _OUTLIVES_THE_CALL
