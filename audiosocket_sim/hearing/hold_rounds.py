"""Finds a hole or a jump where hold audio begins its next round. Pure; positions are samples of 8 kHz.

The seam of a loop is known by its place: the sound breaks off at the end of the loop, or begins again at its start. A
break at any other place is the network's, or the bot's, and no fault of the loop.
"""

from audiosocket_sim.hearing.hold_detector import Part, What

__all__ = ["HoldRounds", "Seam"]

Seam = tuple[int, int, str]
"""Where a hole or a jump begins, how long it is (ms), and what it is, for people."""

_LEAST = 160  # samples, one frame: the last frame of a round may be filled up with silence
_LONGEST = 3 * 8000
_EDGE = 1600  # samples of silence that a loop may have at either end
_SAME = 320


class HoldRounds:
    """Follows the hold audio of one call, by the marks of its parts. `length`: of the loop, in samples."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._ended: Part | None = None
        self._cut_at: int | None = None  # the place in the loop from which it jumped to its start

    def spoke(self) -> None:
        """Speech came: what follows is hold audio anew."""
        self._ended = None

    def take(self, mark: Part) -> Seam | None:
        """Take a mark; return the seam that it shows."""
        if mark.place is None:
            return None
        if mark.what is What.HOLD_ENDS:
            self._ended = mark
            return None
        if mark.what is What.HOLD_BEGINS:
            before, self._ended = self._ended, None
            if before is None or before.place is None or mark.start - before.start > _LONGEST:
                return None
            return self._seam(before.start, mark.start - before.start, before.place, mark.place)
        assert mark.to is not None
        return self._seam(mark.start, 0, mark.place, mark.to)

    def _seam(self, at: int, gap: int, place: int, to: int) -> Seam | None:
        """From `at` on no hold audio played for `gap` samples. `place` of the loop should have come next; `to` came."""
        skipped = self._signed(to - place)
        if (
            self._is_the_seam(place)
            and (self._is_the_seam(to) or not gap)
            and skipped - gap < 0
            and -skipped <= _LONGEST
        ):
            return self._hole(at, gap - skipped)
        return self._cut(at, place) if to <= _EDGE else None

    def _is_the_seam(self, place: int) -> bool:
        return place <= _SAME or place >= self._length - _EDGE

    def _signed(self, distance: int) -> int:
        """The way from a place to another one, the shorter way round."""
        return (distance + self._length // 2) % self._length - self._length // 2

    def _hole(self, at: int, samples: int) -> Seam | None:
        if samples < _LEAST:
            return None
        return at, samples // 8, f"a hole of {samples / 8000:.2f} s where the hold audio begins its next round"

    def _cut(self, at: int, place: int) -> Seam | None:
        """It began again before its end: at the same place twice, it does so at each round."""
        before, self._cut_at = self._cut_at, place
        left = self._length - place
        if before is None or abs(before - place) > _SAME or left < _LEAST:
            return None
        return at, left // 8, f"the hold audio jumps to its start {left / 8000:.2f} s before its end, at each round"
