"""A known phrase that the bot paused, and went on with: which stretches are one saying of it, and its words. Pure.

A stretch goes on with the one before it if it is of the same phrase, and begins where that one had ended, or a little
before: `turn_taking` calls the same place so. A phrase that is begun again after the caller's turn, or after an answer
of the backend, is said anew, however little of it had been said before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.events import (
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallerSpoke,
    CallLog,
    Entry,
)
from audiosocket_sim.turn_taking import SentencePart, goes_on_at

__all__ = ["Resumption", "add_speech", "how_much_was_said", "part_of", "resumption", "sayings"]

_EDGE_MS = 60
"""So much less of a phrase is all of it (`BotSpoke.cut_off`)."""
_A_WORD_MS = 300
"""A shorter sound between two stretches, which is too short to be read, is a part of what goes on."""
_MOST_PAUSES = 3


@dataclass(frozen=True, slots=True)
class Resumption:
    """Speech goes on with the stretch `before`, `pause_ms` after its end, and `back_ms` before the place where it had
    ended; negative: behind it."""

    before: Entry
    pause_ms: int
    back_ms: int


def part_of(spoke: BotSpoke) -> SentencePart | None:
    """Return which part of which known phrase was said; None: it is not known."""
    if spoke.text is None or spoke.whole_ms is None:
        return None
    return SentencePart(spoke.text, spoke.skipped_ms, spoke.reached_ms)


def resumption(entries: Sequence[Entry], at_ms: int, spoke: BotSpoke) -> Resumption | None:
    """Return with what speech goes on that began at `at_ms`; None: it is none of these. `entries`: the log so far."""
    said = part_of(spoke)
    before = next((one for one in reversed(entries) if one.at_ms < at_ms and _is_said(one)), None)
    if said is None or before is None or not isinstance(before.event, BotSpoke):
        return None
    broken_off = part_of(before.event)
    if broken_off is None or not before.event.lost_end_ms or goes_on_at(broken_off, said) != "there":
        return None
    if said.from_ms <= _EDGE_MS and _is_asked_anew(entries, before.at_ms, at_ms):
        return None
    return Resumption(before, at_ms - before.at_ms - before.event.lasted_ms, broken_off.to_ms - said.from_ms)


def _is_said(entry: Entry) -> bool:
    event = entry.event
    return isinstance(event, BotSpoke) and (event.text is not None or event.heard_ms >= _A_WORD_MS)


def _is_asked_anew(entries: Sequence[Entry], from_ms: int, to_ms: int) -> bool:
    """Whether between two instants the caller had a turn, or the backend said something."""
    return any(
        from_ms < entry.at_ms < to_ms
        and (
            isinstance(entry.event, BackendReplied | BackendPushed)
            or (isinstance(entry.event, CallerSpoke) and entry.event.kind == "turn")
        )
        for entry in entries
    )


def add_speech(call: CallLog, at_ms: int, spoke: BotSpoke) -> BotSpoke:
    """Return speech that began at `at_ms`, and is not in the log yet, as it is to be logged: if it goes on with the
    stretch before, both say so from now on."""
    found = resumption(call.entries, at_ms, spoke)
    if found is None or not isinstance(found.before.event, BotSpoke):
        return spoke
    call.replace(found.before, replace(found.before.event, paused_ms=found.pause_ms))
    return replace(spoke, resumed_ms=found.pause_ms, back_ms=found.back_ms)


def sayings(entries: Sequence[Entry], first: int) -> tuple[Entry, ...]:
    """Return the stretches that are one saying of a phrase, from the one at `first` on, as far as they are known."""
    entry = entries[first]
    found = [entry]
    for later in entries[first + 1 :]:
        last = found[-1].event
        if not isinstance(last, BotSpoke) or last.paused_ms is None:
            break
        if isinstance(later.event, BotSpoke) and later.event.resumed_ms is not None and later.event.text == last.text:
            found.append(later)
    return tuple(found)


def how_much_was_said(spoke: BotSpoke) -> str:
    """Return how much of a known phrase was said, in words: `cut off: 1.09 s of 2.33 s`; `paused at 1.09 s of 2.33 s`;
    `goes on after 0.79 s where it was, to its end`. Empty if it was said whole, or is not known."""
    if spoke.whole_ms is None:
        return ""
    parts = []
    if spoke.resumed_ms is not None:
        back_ms = spoke.back_ms
        where = " where it was" if abs(back_ms) <= _EDGE_MS else f", {_s(abs(back_ms))} {_direction(back_ms)}"
        parts += [f"goes on after {_s(spoke.resumed_ms)}{where}", *_inner_pauses(spoke)]
        return ", ".join([*parts, _how_it_ended(spoke, spoke.reached_ms) or "to its end"])
    if spoke.cut_off:
        begins = f", without its first {_s(spoke.skipped_ms)}" if spoke.skipped_ms > _EDGE_MS else ""
        ended = _how_it_ended(spoke, spoke.heard_ms) or f"cut off: {_s(spoke.heard_ms)} of {_s(spoke.whole_ms)}"
        parts.append(f"{ended}{begins}")
    return ", ".join([*parts, *_inner_pauses(spoke)])


def _how_it_ended(spoke: BotSpoke, at_ms: int) -> str:
    """How it was broken off; "": it was said to its end."""
    of = f"{_s(at_ms)} of {_s(spoke.whole_ms or 0)}"
    if spoke.paused_ms is not None:
        return f"paused at {of}"
    return f"cut off: {of}" if spoke.lost_end_ms else ""


def _inner_pauses(spoke: BotSpoke) -> list[str]:
    """The pauses within one stretch, each with its place in the phrase."""
    places, before_ms = [], 0
    for at_ms, length_ms in spoke.pauses_ms:
        places.append(f"at {_s(spoke.skipped_ms + at_ms - before_ms)} for {_s(length_ms)}")
        before_ms += length_ms
    if not places:
        return []
    several = f"{len(places)} times for {_s(before_ms)} in all"
    told = [f"paused {several if len(places) > _MOST_PAUSES else ' and '.join(places)}"]
    return [*told, f"{_s(spoke.twice_ms)} said twice"] if spoke.twice_ms > _EDGE_MS / 2 else told


def _direction(back_ms: int) -> str:
    return "earlier" if back_ms > 0 else "later"


def _s(ms: int) -> str:
    return f"{ms / 1000:.2f} s"
