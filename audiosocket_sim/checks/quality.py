"""Judges the defects of a call by the scenario's `quality:`, whatever its steps expect. Pure.

A `DefectFound` is what was found; here it is decided whether it fails the call. What our own lateness can have made is
passed over: a hole, or sound that came in a burst behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from audiosocket_sim.call_log.events import UNHEARD_MS, BotSpoke, CallerAction, CallerSpoke, DefectFound, Entry
from audiosocket_sim.checks.words import clock, seconds
from audiosocket_sim.scenario import Never, Quality

__all__ = [
    "QUALITY",
    "QualityFault",
    "caller_made_a_sound",
    "caller_spoke",
    "defects_of",
    "is_defect",
    "limits_of",
    "quality_faults",
    "unheard_defect",
]

QUALITY = "quality"
"""Pseudo-step name of a failure that a defect is."""

_MOST_LINES = 4
_AFTERWARDS_MS = 1000
"""How long after our own lateness a hole, or a burst, may still be its consequence."""
_AT_THE_END_MS = 100
"""How long before the end of the call a speech may have stopped that the end cut off."""
_BESIDE_MS = 100
_LEAST_LEVEL_MS = 250
"""The level of less speech than this says nothing of the voice: it may be the end of a word."""
_CAUSED_BY = frozenset(
    {("level", "damage"), ("holes", "pace"), ("ahead", "pace"), ("damage", "cross_talk"), ("premature", "cross_talk")}
)
"""Kinds of defects, each with the kind that makes it."""
_AUDIBLE = ("dtmf", "noise", "tone")
_BY_LATENESS = frozenset({"holes", "ahead", "pace", "wire_silence"})
_NONE = {
    "damage": "undamaged sound",
    "premature": "the bot to let the caller finish his sentence",
    "after_end": "nothing after the hang-up message",
    "cross_talk": "nothing of one call to get into another",
    "hold_seam": "hold audio without a hole or a jump in its loop",
}


@dataclass(frozen=True, slots=True)
class QualityFault:
    """All defects of one kind that fail the call: when the first one began, the limit, and one line for each."""

    at_ms: int
    kind: str
    expected: str
    happened: tuple[str, ...]


def quality_faults(
    entries: Sequence[Entry], quality: Quality, late: Sequence[tuple[int, int]] = ()
) -> tuple[QualityFault, ...]:
    """Return what fails the call, a fault for each kind of defect, in the order in which the first of each kind began.

    `entries` are in the order of time. `late`: the times at which the simulator itself was late, from and to, in ms
    since the UUID; empty in virtual time.
    """
    found = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, DefectFound)]
    failing = [
        (at_ms, event)
        for at_ms, event in found
        if is_defect(event, quality) and not _ours(at_ms, event, late) and not _explained(at_ms, event, found)
    ]
    failing.sort(key=lambda one: (one[0], one[1].kind != "after_end"))  # what is no message explains what is read in it
    kinds = list(dict.fromkeys(event.kind for _, event in failing))
    by_kind = groupby(sorted(failing, key=lambda one: kinds.index(one[1].kind)), key=lambda one: one[1].kind)
    return tuple(_fault(kind, list(group), quality) for kind, group in by_kind)


def is_defect(event: DefectFound, quality: Quality) -> bool:
    """Return whether a defect is beyond what the scenario allows."""
    limit = _limit(event.kind, quality)
    if isinstance(limit, str):
        return limit == "none"
    if event.amount is None:
        return True
    if isinstance(limit, tuple):
        return not limit[0] <= event.amount <= limit[1]
    return abs(event.amount) > limit


def defects_of(spoken: BotSpoke, quality: Quality) -> tuple[DefectFound, ...]:
    """Return what is wrong with one stretch of speech as it was heard: its holes and its level."""
    whole_ms = spoken.lasted_ms
    holes = DefectFound(
        "holes",
        f"holes of {seconds(spoken.hole_ms)} in {seconds(whole_ms)} of speech: nothing had come in time to be played",
        spoken.hole_ms,
        whole_ms,
        places_ms=spoken.holes_ms,
    )
    found = [holes] if spoken.hole_ms and is_defect(holes, quality) else []
    if spoken.level_dbfs is not None and spoken.heard_ms >= _LEAST_LEVEL_MS:
        level = DefectFound("level", _level(spoken.level_dbfs, quality), spoken.level_dbfs, spoken.heard_ms)
        found += [level] if is_defect(level, quality) else []
    return tuple(found)


def limits_of(never: Never) -> Quality:
    """Return the limits by which a `never` step judges: its own, and everything else is allowed."""
    own: dict[str, object] = dict.fromkeys(Quality.model_fields, "allowed")
    own[never.key] = "none" if never.damage or never.premature else getattr(never, never.key)
    return Quality().model_copy(update=own)


def unheard_defect(
    entries: Sequence[Entry], who: str, end_ms: int, unheard_ms: int, since_ms: int | None
) -> DefectFound | None:
    """Return the defect that the server's own end of the call is, if it cut off speech; None if it did not.

    `who` ended the call, at `end_ms`. `unheard_ms`: the speech that had been sent and not played, the first of it at
    `since_ms`. A known phrase that was not heard to its end counts too. Where the caller interrupted, by speech or by a
    key, it is none.
    """
    if who != "server":
        return None
    if unheard_ms > UNHEARD_MS and since_ms is not None and not _interrupted(entries, since_ms, end_ms):
        lost = f"{unheard_ms / 1000:.2f} s of speech were sent and not heard"
        return DefectFound("unheard", f"{lost}: the server ended the call before they had been played", unheard_ms)
    spoken = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, BotSpoke)]
    at_ms, last = spoken[-1] if spoken else (0, None)
    if last is None or last.whole_ms is None or not last.lost_end_ms or _interrupted(entries, at_ms, end_ms):
        return None
    if at_ms + last.lasted_ms + _AT_THE_END_MS < end_ms:
        return None  # it had stopped before
    cut = f"“{last.text}” was heard for {last.heard_ms / 1000:.2f} s of {last.whole_ms / 1000:.2f} s"
    what = f"{cut}: the server ended the call while it was speaking"
    return DefectFound("unheard", what, last.lost_end_ms)


def _interrupted(entries: Sequence[Entry], from_ms: int, to_ms: int) -> bool:
    """Whether the caller spoke or pressed a key at some time between two instants, in ms since the UUID."""
    keys = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, CallerAction)]
    pressed = (
        at_ms <= to_ms and at_ms + (key.duration_ms or 0) >= from_ms for at_ms, key in keys if key.what == "dtmf"
    )
    return caller_spoke(entries, from_ms, to_ms) or any(pressed)


def caller_spoke(entries: Sequence[Entry], from_ms: int, to_ms: int) -> bool:
    """Return whether the caller was speaking at some time between two instants, in ms since the UUID."""
    return any(
        isinstance(entry.event, CallerSpoke)
        and entry.at_ms <= to_ms
        and entry.at_ms + entry.event.duration_ms >= from_ms
        for entry in entries
    )


def caller_made_a_sound(entries: Sequence[Entry], from_ms: int, to_ms: int) -> bool:
    """Return whether the caller spoke, pressed a key, or made another sound, at some time between two instants, in ms
    since the UUID: a bot may stop for each of them, whatever it is."""
    return caller_spoke(entries, from_ms, to_ms) or any(
        isinstance(entry.event, CallerAction)
        and entry.event.what in _AUDIBLE
        and entry.at_ms <= to_ms
        and entry.at_ms + (entry.event.duration_ms or 0) >= from_ms
        for entry in entries
    )


def _level(dbfs: float, quality: Quality) -> str:
    loud = quality.level_dbfs != "allowed" and dbfs > quality.level_dbfs[1]
    return f"speech at {dbfs:.1f} dBFS: too {'loud' if loud else 'quiet'}".replace("-", "−")


def _fault(kind: str, found: Sequence[tuple[int, DefectFound]], quality: Quality) -> QualityFault:
    lines = [f"{clock(at_ms)} {event.what}" for at_ms, event in found[:_MOST_LINES]]
    if len(found) > _MOST_LINES:
        lines.append(f"and {len(found) - _MOST_LINES} more: see the transcript")
    return QualityFault(found[0][0], kind, _expected(kind, quality), tuple(lines))


def _limit(kind: str, quality: Quality) -> int | float | str | tuple[float, float]:
    key = {"level": "level_dbfs", "pace": "pace_percent"}.get(kind, kind)
    limit: int | float | str | tuple[float, float] = getattr(quality, key)
    return limit


def _expected(kind: str, quality: Quality) -> str:
    limit = _limit(kind, quality)
    match kind:
        case "holes":
            return f"holes of {limit} ms at the most in one stretch of speech"
        case "ahead":
            return f"sound sent {limit} ms ahead of what is playing at the most"
        case "level" if isinstance(limit, tuple):
            return f"speech from {limit[0]:g} to {limit[1]:g} dBFS".replace("-", "−")
        case "pace":
            return f"sound at the pace of speech, {limit:g} % off at the most"
        case "unheard":
            return f"all speech that was sent to be heard, but for {limit} ms"
        case "left_open":
            return f"the server to close its connection within {limit} ms of the call's end"
        case "wire_silence":
            return f"something to be sent at least every {limit} ms"
    return _NONE[kind]


def _explained(at_ms: int, event: DefectFound, found: Sequence[tuple[int, DefectFound]]) -> bool:
    """Whether another defect is the cause of this one: damage of a level, a pace of holes or of a lead."""
    return any(
        (event.kind, other.kind) in _CAUSED_BY
        and (event.kind != "holes" or (other.amount or 0) > 0)
        and (event.kind != "ahead" or (other.amount or 0) < 0)
        and other_ms - _BESIDE_MS <= at_ms + event.duration_ms
        and at_ms <= other_ms + other.duration_ms + _BESIDE_MS
        for other_ms, other in found
    )


def _ours(at_ms: int, event: DefectFound, late: Sequence[tuple[int, int]]) -> bool:
    """Whether our own lateness can have made this defect."""
    if event.kind not in _BY_LATENESS:
        return False
    end_ms = at_ms + event.duration_ms
    return any(from_ms <= end_ms and at_ms <= to_ms + _AFTERWARDS_MS for from_ms, to_ms in late)
