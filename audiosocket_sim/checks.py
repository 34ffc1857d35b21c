"""Expectations against a call log: met, not yet, or failed, and why. Pure: the log and the moment come in as arguments.

The rules (docs/scenarios.md, Expectations): a thing counts from the completion of the step before (`base_ms`) and must
have *started* by `deadline_ms`; `bot_says` completes at its end, the others at their instant. `state`, `hold_audio:
playing` and `bot_silent` are conditions, so they hold at once where they are true already; a request to the backend
that no earlier `backend_asked` has taken counts whenever it came. The call's end fails at once what only a call can
bring; a state or a request may still come.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from audiosocket.phrases import normalise
from audiosocket_sim.call_log import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    Entry,
    HoldStarted,
    HoldStopped,
    StateTold,
)
from audiosocket_sim.scenario import Expectation

__all__ = [
    "GRACE_MS",
    "Broken",
    "Failed",
    "Met",
    "Moment",
    "Pending",
    "Unreadable",
    "Verdict",
    "describe",
    "evaluate",
    "violation",
]

GRACE_MS = 20
"""One frame: what happened at the deadline is known at the latest so much later."""
_HOLD_GRACE_MS = 400
"""Hold audio is told from speech when some 200 ms of it were heard."""
_LOOK_EVERY_MS = 20
"""Where nothing tells of a change: speech falls silent, and goes on after a pause, without an event."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the call now, beside the log. All times are ms since the UUID; None: not the case."""

    now_ms: int
    base_ms: int
    deadline_ms: int
    speaking_since_ms: int | None = None
    open_speech_at_ms: int | None = None
    silent_since_ms: int | None = None
    hold_since_ms: int | None = None
    state: str | None = None
    taken: Collection[int] = field(default=frozenset())
    """Numbers of entries that earlier expectations have taken."""


@dataclass(frozen=True, slots=True)
class Met:
    """`at_ms`: when it happened; `completed_ms`: what the next step counts from; `entry`: what is taken by it."""

    at_ms: int
    completed_ms: int
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Not yet. `recheck_ms`: look again then, even if nothing happens (None: an event will tell)."""

    recheck_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    expected: str
    happened: str


@dataclass(frozen=True, slots=True)
class Broken:
    """What must never happen did: when, and what, as one line."""

    at_ms: int
    happened: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bot spoke in a voice that the ear cannot read: a fault of the set-up, not of the bot."""

    at_ms: int
    hint: str


Verdict = Met | Pending | Failed | Unreadable


def describe(expectation: Expectation) -> str:
    """The expectation as its reader would say it."""
    e = expectation
    if e.bot_says is not None:
        return f"the bot says {'something with ' if e.bot_says.part else ''}“{e.bot_says.text}”"
    if e.bot_speaks is not None:
        return f"the bot speaks for at least {_seconds(e.bot_speaks.at_least)}"
    if e.bot_silent is not None:
        return f"the bot is silent for at least {_seconds(e.bot_silent.at_least)}"
    if e.hold_audio is not None:
        return f"hold audio {e.hold_audio.is_}"
    if e.state is not None:
        return f"state {e.state.is_}"
    if e.backend_asked is not None:
        return f"the backend is asked “{e.backend_asked.content}”"
    if e.hangs_up is not None:
        how = f" by {e.hangs_up.how}" if e.hangs_up.how else ""
        then = f", the dialplan {e.hangs_up.dialplan}" if e.hangs_up.dialplan else ""
        return f"the {e.hangs_up.who} hangs up{how}{then}"
    raise AssertionError("an expectation has exactly one key")


def evaluate(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Verdict:
    """Whether the expectation is met at this moment. `entries` are in the order of time."""
    found = _look(expectation, entries, moment)
    if not isinstance(found, Pending):
        return found
    words_to_come = moment.open_speech_at_ms is not None
    if _needs_the_call(expectation) and _ending(entries) is not None and not words_to_come:
        return Failed(_wanted(expectation, moment), _summary(entries, moment))
    known_at = moment.deadline_ms + (_HOLD_GRACE_MS if expectation.hold_audio is not None else GRACE_MS)
    if moment.now_ms < known_at:
        return Pending(known_at if found.recheck_ms is None else min(found.recheck_ms, known_at))
    if words_to_come and _needs_words(expectation) and (moment.open_speech_at_ms or 0) <= moment.deadline_ms:
        return found
    late = _look(expectation, entries, replace(moment, deadline_ms=moment.now_ms))
    return Failed(_wanted(expectation, moment), _summary(entries, moment, late if isinstance(late, Met) else None))


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
                return _unreadable(entry.at_ms, event)
            return Broken(at, f"{describe(expectation)}: it happened at {_clock(at)}")
        if isinstance(event, HoldStopped):
            held_since = None
        if isinstance(event, StateTold):
            state = event.after if at <= from_ms else state
    if expectation.state is not None and state == expectation.state.is_:
        return Broken(from_ms, f"{describe(expectation)}: it was so already at {_clock(from_ms)}")
    if held_since is not None and expectation.hold_audio is not None and expectation.hold_audio.is_ == "playing":
        at = max(held_since, from_ms)
        return Broken(at, f"hold audio playing since {_clock(held_since)}") if held_since < to_ms else None
    return None


def _silence(expectation: Expectation, entries: Sequence[Entry], from_ms: int, to_ms: int) -> Broken | None:
    """The first time without speech that is long enough, within the window and the call."""
    assert expectation.bot_silent is not None
    ended = [entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)]
    end = min([to_ms, *ended])
    spoken = [
        (entry.at_ms, _end_ms(entry.at_ms, entry.event)) for entry in entries if isinstance(entry.event, BotSpoke)
    ]
    since = from_ms
    for start, stop in [*spoken, (end, end)]:
        if min(start, end) - since >= expectation.bot_silent.at_least:
            return Broken(since, f"{describe(expectation)}: it was, from {_clock(since)}")
        since = max(since, stop)
    return None


def _breaks(expectation: Expectation, entry: Entry, from_ms: int, to_ms: int, held_since: int | None) -> bool:
    e, event, at = expectation, entry.event, entry.at_ms
    inside = from_ms <= at <= to_ms
    match event:
        case BotSpoke():
            overlap = min(to_ms, _end_ms(at, event)) - max(from_ms, at)
            if e.bot_speaks is not None:
                return overlap >= e.bot_speaks.at_least
            return e.bot_says is not None and overlap > 0 and (event.text is None or _says(event, e))
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
            return inside and e.backend_asked is not None and _has(event.content, e.backend_asked.content)
        case CallEnded():
            return inside and e.hangs_up is not None and _ends_as(event, e)
        case _:
            return False


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
                if _has(content, e.backend_asked.content):
                    return Met(entry.at_ms, max(entry.at_ms, moment.base_ms), entry.number)
            case CallEnded() as event if fits and e.hangs_up is not None and _ends_as(event, e):
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
            return _unreadable(entry.at_ms, event)
        if _says(event, expectation) and not event.cut_off:
            return Met(entry.at_ms, _end_ms(entry.at_ms, event), entry.number)
    return Pending()


def _unreadable(at_ms: int, event: BotSpoke) -> Unreadable:
    hint = (
        f"at {_clock(at_ms)} the bot spoke for {_seconds(event.heard_ms)} in a voice that is not in the phrase book, "
        "so its words cannot be read: use bot_speaks, or add its prompts (docs/targets.md)"
    )
    return Unreadable(at_ms, hint)


def _end_ms(at_ms: int, event: BotSpoke) -> int:
    """When the last of it was heard: holes are not in `heard_ms`."""
    return at_ms + event.heard_ms + event.gap_ms


def _look_bot_speaks(at_least: int, entries: Sequence[Entry], moment: Moment) -> Verdict:
    for entry in entries:
        if isinstance(entry.event, BotSpoke):
            start = max(entry.at_ms, moment.base_ms)
            if _end_ms(entry.at_ms, entry.event) - start >= at_least and start <= moment.deadline_ms:
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


def _needs_words(expectation: Expectation) -> bool:
    return expectation.bot_says is not None or expectation.bot_speaks is not None


def _needs_the_call(expectation: Expectation) -> bool:
    """Not so a state and a request: they are told on other ways, also after the end."""
    return expectation.state is None and expectation.backend_asked is None


def _says(event: BotSpoke, expectation: Expectation) -> bool:
    wanted = expectation.bot_says
    if wanted is None or event.text is None:
        return False
    if wanted.part:
        return _has(event.text, wanted.text)
    return normalise(event.text) == normalise(wanted.text)


def _has(whole: str, part: str) -> bool:
    return normalise(part) in normalise(whole)


def _ends_as(event: CallEnded, expectation: Expectation) -> bool:
    wanted = expectation.hangs_up
    if wanted is None or wanted.who != event.who:
        return False
    return wanted.how in (None, event.how) and wanted.dialplan in (None, event.dialplan)


def _ending(entries: Sequence[Entry]) -> CallEnded | None:
    return next((entry.event for entry in reversed(entries) if isinstance(entry.event, CallEnded)), None)


def _wanted(expectation: Expectation, moment: Moment) -> str:
    return f"{describe(expectation)}, from {_clock(moment.base_ms)} until {_clock(moment.deadline_ms)}"


def _summary(entries: Sequence[Entry], moment: Moment, late: Met | None = None) -> str:
    """What happened instead since the step began, for the person who reads the failure."""
    if late is not None:
        return f"it came at {_clock(late.at_ms)}, {_seconds(late.at_ms - moment.deadline_ms)} too late"
    said: list[str] = []
    for entry in entries:
        if entry.at_ms < moment.base_ms - GRACE_MS:
            continue
        match entry.event:
            case BotSpoke(text=text, heard_ms=heard) as event:
                words = f"“{text}”" if text is not None else f"unread speech of {_seconds(heard)}"
                said.append(f"{_clock(entry.at_ms)} the bot said {words}{', cut off' if event.cut_off else ''}")
            case StateTold(after=after):
                said.append(f"{_clock(entry.at_ms)} state {after}")
            case HoldStarted():
                said.append(f"{_clock(entry.at_ms)} hold audio started")
            case HoldStopped():
                said.append(f"{_clock(entry.at_ms)} hold audio stopped")
            case BackendAsked(content=content):
                said.append(f"{_clock(entry.at_ms)} the backend was asked “{content}”")
            case CallEnded(who=who, reason=reason):
                said.append(f"{_clock(entry.at_ms)} the call ended ({who}: {reason})")
    if not any(isinstance(entry.event, BotSpoke) for entry in entries) and moment.speaking_since_ms is None:
        said.append("the bot has not been heard at all since the call began")
    return "; ".join(said) or "nothing happened in that time"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms} ms"


def _clock(ms: int) -> str:
    return f"{ms / 1000:.3f}"
