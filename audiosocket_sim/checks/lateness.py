"""The record of how late this machine was, by time: the simulator's packets, its thread, the mock AI, the bot. Pure.

In real time, what happened in a call may have been moved by it. `margin` decides whether that matters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BOT_HOLE_MS", "LateBy", "LatenessRecord", "WasLate"]

BOT_HOLE_MS = 40
"""A packet of the caller that leaves so much late (two frames, ms) makes a hole for the bot that may end his turn."""
_COUNTS_FROM_MS = 2.0
"""Less is within what a timer of the system costs."""
_LINKS = 3
"""So often a chain of events passes the simulator: with the caller's packet, the mock AI's reply, the bot's sound."""


class LateBy(StrEnum):
    """What was late: a packet of the caller, the simulator's thread (so that it read late), the mock AI; or the bot,
    which was ready to run and had no processor (known of a program that the simulator started)."""

    PACKET = "packet"
    THREAD = "thread"
    BACKEND = "backend"
    BOT = "bot"


_OURS = (LateBy.PACKET, LateBy.THREAD, LateBy.BACKEND)


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

    def shift_ms(self, from_ms: float, to_ms: float) -> int:
        """Return by how much (ms) this machine may have moved an event of this time.

        These are the simulator's three longest delays, as a chain of events may meet each of them once, and the bot's
        longest. Delays of the simulator that overlap count as one.
        """
        delays = sorted(end - start for start, end in self._stretches(_OURS, from_ms, to_ms))
        of_the_bot = max((end - start for start, end in self._stretches((LateBy.BOT,), from_ms, to_ms)), default=0.0)
        return round(sum(delays[-_LINKS:]) + of_the_bot)

    def hole_ms(self, from_ms: float, to_ms: float) -> int:
        """Return how much silence (ms) this machine can have put into the bot's sound in this time, by reading late or
        by giving the bot no processor."""
        inside = [
            min(end, to_ms) - max(start, from_ms)
            for start, end in self._stretches((LateBy.THREAD, LateBy.BOT), from_ms, to_ms)
        ]
        return round(sum(inside))

    def bot_holes(self, from_ms: float, to_ms: float) -> list[WasLate]:
        """Return the packets of the caller in this time that were so late that the bot heard a hole."""
        return [
            one
            for one in self._found
            if one.by is LateBy.PACKET and one.late_ms >= BOT_HOLE_MS and from_ms <= one.at_ms and one.due_ms <= to_ms
        ]

    def _stretches(self, kinds: Iterable[LateBy], from_ms: float, to_ms: float) -> Iterator[tuple[float, float]]:
        """The times, from and to, at which one of these was late, in order; those that touch the given time."""
        wanted = set(kinds)
        spans = sorted((one.due_ms, one.at_ms) for one in self._found if one.by in wanted)
        merged: list[tuple[float, float]] = []
        for start, end in spans:
            if start > to_ms or end < from_ms:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        yield from merged
