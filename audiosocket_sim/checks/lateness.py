"""The record of how late this machine was, by time: the simulator's packets, its thread, the mock AI, the bot. Pure.

In real time, what happened in a call may have been moved by it. `margin` decides whether that matters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

__all__ = ["BOT_HOLE_MS", "BOT_STALL_MS", "LateBy", "LatenessRecord", "WasLate"]

BOT_HOLE_MS = 40
"""A packet of the caller that leaves so much late (two frames, ms) makes a hole for the bot that may end his turn."""
BOT_STALL_MS = 200
"""A bot's timer for the end of a turn is not shorter than this (ms)."""
_COUNTS_FROM_MS = 2.0
"""Less is within what a timer of the system costs."""
_IN_A_ROW_MS = 150
"""The bot's want of a processor is read every 100 ms, or a little later (`running.program_waits`)."""
_LINKS = 3
"""So often a chain of events passes the simulator: with the caller's packet, the mock AI's reply, the bot's sound."""
_STALL_MS = 60
"""A bot that was kept from running for longer than this (ms) at once has not only lost an idle moment."""
_BETWEEN_READINGS_MS = 20
"""Two stretches with less (ms) between them may be of one stall: readings of the bot do not say when it waited."""
_BOT_STANDSTILL_MS = 1000
"""After a standstill of the bot of so long (ms) its timers have run out, its queues are full, and nothing is sure."""
_OWN_STANDSTILL_MS = 2000
"""For so long (ms) at the most the call goes on after a failure, to see what comes late."""
_PHONE_HOLDS_MS = 300
"""Sound that comes in a burst behind a longer stall (ms) is lost in part: a phone holds no more."""


class LateBy(StrEnum):
    """What was late: a packet of the caller, the simulator's thread (so that it read late), the mock AI; or the bot,
    which was kept from running: it had no processor, was stopped, or waited for a disk (known of a program that the
    simulator started)."""

    PACKET = "packet"
    THREAD = "thread"
    BACKEND = "backend"
    BOT = "bot"


_OURS = (LateBy.PACKET, LateBy.THREAD, LateBy.BACKEND)
_OF_SOUND = (LateBy.THREAD, LateBy.BOT)
"""The kinds of lateness that put silence into the bot's sound: we read late, or the bot was kept from running."""


@dataclass(frozen=True, slots=True)
class WasLate:
    """Something was done at `at_ms` (since the UUID), `late_ms` after it was due."""

    by: LateBy
    at_ms: float
    late_ms: float

    @property
    def due_ms(self) -> float:
        """When it was due, in ms since the UUID."""
        return self.at_ms - self.late_ms


class LatenessRecord:
    """All that was late in one call. Empty in virtual time, where nothing is late."""

    def __init__(self, found: Iterable[WasLate] = ()) -> None:
        self._found = [one for one in found if one.late_ms >= _COUNTS_FROM_MS]

    def __bool__(self) -> bool:
        return bool(self._found)

    def stretches(self, shortest_ms: float) -> list[tuple[LateBy, int, int]]:
        """Return what was late for at least `shortest_ms`: what, and from when to when, in ms; what touches is one."""
        return [
            (by, round(start), round(end))
            for by in LateBy
            for start, end in _stretches(self._by(by), float("-inf"), float("inf"))
            if end - start >= shortest_ms
        ]

    def shift_ms(self, from_ms: float, to_ms: float) -> int:
        """Return by how much (ms) this machine may have moved an event of this time.

        A chain of events may meet each delay of the simulator and of the bot once: their three longest count, and each
        stall of the bot's beside. Delays of the simulator that overlap count as one.
        """
        delays = sorted(end - start for start, end in _stretches(self._by(*_OURS), from_ms, to_ms))
        bots = sorted(end - start for start, end in _stretches(self._by(LateBy.BOT), from_ms, to_ms))
        stalls = sum(length for length in bots[:-_LINKS] if length >= _STALL_MS)
        return round(sum(delays[-_LINKS:]) + sum(bots[-_LINKS:]) + stalls)

    def hole_ms(self, from_ms: float, to_ms: float) -> int:
        """Return how much silence (ms) this machine can have put into the bot's sound in this time, by reading late or
        by keeping the bot from running."""
        return round(sum(_inside(_stretches(self._by(*_OF_SOUND), from_ms, to_ms), from_ms, to_ms)))

    def stall_ms(self, from_ms: float, to_ms: float, caught_up_ms: float) -> int:
        """Return for how long in this time (ms) the bot, or we who read it, stood still for more than `caught_up_ms` at
        once. By less, a bot that keeps to a clock is late for a few messages only.

        A reading of the bot says how long it had no processor since the reading before, and not when: two in a row may
        be of one stall.
        """
        stalls = [one for one in self._found if one.by in _OF_SOUND and one.late_ms > caught_up_ms]
        readings = sorted((one for one in self._found if one.by is LateBy.BOT), key=lambda one: one.at_ms)
        for one, other in pairwise(readings):
            if other.at_ms - one.at_ms <= _IN_A_ROW_MS and one.late_ms + other.late_ms > caught_up_ms:
                stalls += [one, other]
        return round(sum(_inside(_stretches(stalls, from_ms, to_ms), from_ms, to_ms)))

    def longest_hole_ms(self, from_ms: float, to_ms: float) -> int:
        """Return the longest single silence (ms) of those of `hole_ms`."""
        stretches = _stretches(self._by(*_OF_SOUND), from_ms, to_ms)
        return round(max(_inside(stretches, from_ms, to_ms), default=0.0))

    def lost_ms(self, from_ms: float, to_ms: float) -> int:
        """Return how much of the bot's sound in this time (ms) a phone may have lost because it came in a burst behind
        a stall, which may lie before this time."""
        stalls = self._stalls(from_ms - _PHONE_HOLDS_MS, to_ms)
        return round(sum(max(0.0, end - start - _PHONE_HOLDS_MS) for start, end in stalls))

    def put_off_ms(self, from_ms: float, to_ms: float) -> int:
        """Return how much of the bot's sound (ms) a phone may still hold at `to_ms` since a stall in this time put it
        off: it is played that much later, up to what a phone holds. A second stall, no longer, puts off no more."""
        return min(self.longest_stall_ms(from_ms, to_ms), _PHONE_HOLDS_MS)

    def longest_stall_ms(self, from_ms: float, to_ms: float) -> int:
        """Return how long the longest stall was that touches this time (ms): of the bot, or of us who read it."""
        return round(max((end - start for start, end in self._stalls(from_ms, to_ms)), default=0.0))

    def not_made_ms(self, from_ms: float, to_ms: float) -> int:
        """Return for how long in this time (ms) the bot was kept from making sound, by stalls of its own of more than
        60 ms. That we read late puts no silence into what was sent."""
        stalls = _stretches(self._by(LateBy.BOT), from_ms, to_ms, _BETWEEN_READINGS_MS)
        return round(sum(_inside((one for one in stalls if one[1] - one[0] > _STALL_MS), from_ms, to_ms)))

    def stood_still(self, to_ms: float) -> bool:
        """Return whether the bot, or we, stood still before this time for so long that nothing afterwards is sure."""
        limits = ((LateBy.BOT, _BOT_STANDSTILL_MS), (LateBy.THREAD, _OWN_STANDSTILL_MS))
        return any(
            end - start >= limit
            for by, limit in limits
            for start, end in _stretches(self._by(by), 0, to_ms, _BETWEEN_READINGS_MS)
        )

    def _stalls(self, from_ms: float, to_ms: float) -> Iterator[tuple[float, float]]:
        return _stretches(self._by(*_OF_SOUND), from_ms, to_ms, _BETWEEN_READINGS_MS)

    def bot_holes(self, from_ms: float, to_ms: float) -> list[WasLate]:
        """Return the packets of the caller in this time that were so late that the bot heard a hole."""
        return [
            one
            for one in self._found
            if one.by is LateBy.PACKET and one.late_ms >= BOT_HOLE_MS and from_ms <= one.at_ms and one.due_ms <= to_ms
        ]

    def bot_stalls(self, from_ms: float, to_ms: float) -> list[tuple[int, int]]:
        """Return from when to when, in ms, the bot was kept from running for so long that its timers may have run out
        before it read what had come: the stalls that touch this time."""
        stalls = _stretches(self._by(LateBy.BOT), from_ms, to_ms, _BETWEEN_READINGS_MS)
        return [(round(start), round(end)) for start, end in stalls if end - start >= BOT_STALL_MS]

    def _by(self, *kinds: LateBy) -> list[WasLate]:
        return [one for one in self._found if one.by in kinds]


def _stretches(
    late: Iterable[WasLate], from_ms: float, to_ms: float, apart_ms: float = 0.0
) -> Iterator[tuple[float, float]]:
    """The times, from and to, at which one of these was late, in order; those that touch the given time. What lies no
    further apart than `apart_ms` is one."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted((one.due_ms, one.at_ms) for one in late):
        if merged and start <= merged[-1][1] + apart_ms:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    for start, end in merged:
        if start <= to_ms and end >= from_ms:
            yield start, end


def _inside(stretches: Iterable[tuple[float, float]], from_ms: float, to_ms: float) -> list[float]:
    """How much of each of these times lies in the given time, in ms."""
    return [min(end, to_ms) - max(start, from_ms) for start, end in stretches]
