"""Separates the known hold loop from other sound, to the sample, and notices breaks in it. Pure.

The sound comes out again in order as `Part`s: hold audio or other sound. Other sound may be held back for 60 ms, and
for 200 ms more while it resembles the loop, so that hold audio is never reported as speech first. The result does not
depend on how the sound is cut or how often `advance` is called. Must not know of speech or time.

Hold audio begins when 200 ms of it were heard; its start is traced back to its first sample. It stops when 60 ms of
quiet or 200 ms of other sound follow; it ended before the first sample that differs. A jump to another place of the
loop, a shorter hole, or speech over it is a break: the hold audio goes on, but is not `seamless`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_sim.hearing.hold_loop import STRIDE, WINDOW, HoldLoop
from audiosocket_sim.hearing.loudness import AUDIBLE_RMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HoldDetector", "Part", "What"]

_HELD_BACK = 480
_SURE = 1600
_QUIET = 480
_TRACE_BACK = 4000  # a loop that begins so softly is still traced to its first sample
_NEARLY_SILENT = 800  # silence of up to 100 ms at the seam may be the loop itself
_NO_ZERO = 4  # G.711 makes nothing of a smaller sample
_FEW = 50  # one sample in so many may differ
_BREAK = 8  # so many samples in a row that differ are a break


class What(Enum):
    """What a part of the sound is: hold audio, another sound, or the place where hold audio begins, jumps or ends."""

    SOUND = "sound"
    HOLD = "hold"
    HOLD_BEGINS = "hold begins"
    HOLD_ENDS = "hold ends"
    HOLD_JUMPS = "hold jumps"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sound from sample `start` to before `end`; `HOLD_BEGINS`, `_JUMPS` and `_ENDS` are empty marks.

    `rest`: the sound beside the hold audio, if there is any. `seamless` is valid with `HOLD_ENDS`. `place`: where in
    the loop it begins, ends, or should have gone on when it jumped; `to`: where it did; None: it is no known loop.
    """

    what: What
    start: int
    end: int
    rest: "NDArray[np.int32] | None" = None
    seamless: bool = True
    place: int | None = None
    to: int | None = None


class HoldDetector:
    """Finds one loop in a sound. `samples(start, end)` returns the sound; `advance` says how far there is any."""

    def __init__(self, loop: HoldLoop, samples: "Callable[[int, int], NDArray[np.int16]]") -> None:
        self._loop = loop
        self._samples = samples
        self._out: list[Part] = []
        self._seen = 0  # asked to decide up to here
        self._done = 0  # given out up to here
        self._scanned = 0  # no window before this one lies in the loop
        self._hint: int | None = None  # a window that does
        self._hinted_at = 0  # the hint that the hold audio was found by
        self._began: int | None = None
        self._offset = 0  # place in the loop of position 0
        self._checked = 0
        self._broken: int | None = None  # the first sample that differs
        self._seamless = True
        self.resampled = False
        """True if the bot sends at another rate than 8 kHz: the sound is only similar to the loop then."""

    @property
    def idle(self) -> bool:
        """True without hold audio, without a hint of it, and with nothing held back: silence may be skipped."""
        return self._began is None and self._hint is None and self._done == self._seen

    @property
    def began(self) -> int | None:
        """The first sample of the hold audio that is playing; None if none is."""
        return self._began

    @property
    def done(self) -> int:
        """The position up to which the sound has been given out."""
        return self._done

    def skip(self, end: int) -> None:
        """Pass over digital silence up to `end`, while `idle`, or over sound of which it is known what it is."""
        self._hint = None
        self._done = self._seen = end
        self._scanned = max(self._scanned, _up(end))

    def advance(self, end: int, floor: int = 0) -> list[Part]:
        """Return the parts of the sound before `end` that can be decided. Hold audio never starts before `floor`."""
        self._seen = end
        going_on = True
        while going_on:
            if self._began is not None:
                going_on = self._follow(end) if self._broken is None else self._judge_break(self._broken, end)
            else:
                going_on = self._look(end) if self._hint is None else self._judge_hint(self._hint, end, floor)
        out, self._out = self._out, []
        return out

    def finish(self, end: int, floor: int = 0) -> list[Part]:
        """Return the remaining parts of a sound that is over at `end`."""
        out = self.advance(end, floor)
        if self._hint is not None and end - self._hint >= _SURE // 4:
            self._judge_hint(self._hint, end, floor, sure=end - self._hint)
        if self._began is not None:
            if self._broken is None:
                self._follow(end)
            self._stop(end if self._broken is None else self._broken)
        self._give(What.SOUND, end)
        out += self._out
        self._out = []
        return out

    # --- no hold audio

    def _look(self, end: int) -> bool:
        last = (end - WINDOW) // STRIDE * STRIDE
        if last >= self._scanned:
            hits = self._loop.find(self._samples(self._scanned, last + WINDOW), self.resampled)
            if hits:
                self._hint = self._scanned + hits[0][0]
                return True
            self._scanned = last + STRIDE
        quiet = end - self._done > _HELD_BACK and not self._samples(end - _HELD_BACK, end).any()
        self._give(What.SOUND, end if quiet else end - _HELD_BACK)
        if quiet:
            self._scanned = max(self._scanned, _up(end))
        return False

    def _judge_hint(self, hint: int, end: int, floor: int, sure: int = _SURE) -> bool:
        """Begin hold audio if the sound is the loop from the hint on for `sure` samples. True: decided."""
        if end < hint + sure:
            return False
        self._hint = None
        offset = self._place(hint, hint, hint + sure)
        if offset is None:
            self._scanned = hint + STRIDE
            return True
        self._offset = offset
        start = self._first_sample(hint, max(floor, hint - _TRACE_BACK))
        self._give(What.SOUND, start)
        self._out.append(Part(What.HOLD_BEGINS, start, start, place=self._place_at(start)))
        self._began = start
        self._checked = self._hinted_at = hint
        self._seamless = True
        return True

    def _first_sample(self, hint: int, oldest: int) -> int:
        """The first sample of the loop, going back from the hint: to the loop's own beginning at the most."""
        into = (self._offset + hint) % self._loop.length
        oldest = max(oldest, hint - into)
        start = oldest + _after_last(self._differs(self._samples(oldest, hint), oldest))
        silent = _before_first(self._samples(start, hint) != 0)
        begins = (self._offset + start) % self._loop.length == 0
        return start if begins and silent <= _NEARLY_SILENT else start + silent

    # --- hold audio

    def _follow(self, end: int) -> bool:
        while self._checked < end:
            upto = min(end, self._checked + _SURE)
            wrong = self._differs(self._samples(self._checked, upto), self._checked)
            if wrong.any():
                self._broken = self._checked + int(wrong.argmax())
                self._give(What.HOLD, self._broken)
                return True
            self._checked = upto
            self._give(What.HOLD, upto)
        return False

    def _judge_break(self, broken: int, end: int) -> bool:
        """Decide, when enough was heard, whether the hold audio stopped at `broken` or goes on. True: decided."""
        if end < broken + _QUIET:
            return False
        if not (np.abs(self._samples(broken, broken + _QUIET).astype(np.int32)) >= AUDIBLE_RMS).any():
            self._stop(broken)
            return True
        sure_end = broken + _SURE
        if end < sure_end:
            return False
        self._broken = None
        if self._is_the_loop(broken, sure_end):
            self._go_on(sure_end)
        elif (offset := self._other_place(broken, sure_end)) is not None:
            place = self._place_at(broken)
            self._move_to(offset, sure_end)
            if not self._seamless and place != self._place_at(broken):
                self._out.append(Part(What.HOLD_JUMPS, broken, broken, place=place, to=self._place_at(broken)))
            self._go_on(sure_end)
        elif self._is_under(sound := self._samples(broken, sure_end), broken):
            self._seamless = False
            self._go_on(sure_end, sound - self._loop.samples(self._offset + broken, len(sound)))
        else:
            self._stop(broken)
        return True

    def _go_on(self, end: int, rest: "NDArray[np.int32] | None" = None) -> None:
        self._checked = end
        self._give(What.HOLD, end, rest)

    def _is_the_loop(self, start: int, end: int) -> bool:
        """Whether the sound is the loop at the present place, but for a few single samples."""
        wrong = self._differs(self._samples(start, end), start)
        return bool(np.count_nonzero(wrong) * _FEW <= len(wrong)) and not _run(wrong, _BREAK)

    def _other_place(self, start: int, end: int) -> int | None:
        """The offset at which the loop goes on: after a jump, or because several places of it sound alike."""
        first = _up(start)
        hits = self._loop.find(self._samples(first, end - _SURE // 4), self.resampled)
        return self._place(first + hits[0][0], first, end) if hits else None

    def _move_to(self, offset: int, end: int) -> None:
        """Go on at another place: seamless only if all of the hold audio up to `end` fits there as well."""
        assert self._began is not None
        before, self._offset = self._offset, offset
        fits = before != offset and all(
            self._is_the_loop(at, min(end, at + _SURE)) for at in range(self._began, end, _SURE)
        )
        self._seamless = self._seamless and fits

    def _is_under(self, sound: "NDArray[Any]", start: int) -> bool:
        """Whether the loop is there at about its own level, with something else over it."""
        loop = self._loop.samples(self._offset + start, len(sound)).astype(np.float64)
        power = float(loop @ loop)
        return power >= len(loop) * AUDIBLE_RMS**2 and 0.6 <= float(loop @ sound) / power <= 1.4

    def _stop(self, end: int) -> None:
        end = self._before_silence(end)
        self._give(What.HOLD, end)
        self._out.append(Part(What.HOLD_ENDS, end, end, seamless=self._seamless, place=self._place_at(end)))
        self._began = self._broken = None
        self._scanned = max(_up(end), self._hinted_at + STRIDE)  # the same hint would lead here again

    def _before_silence(self, end: int) -> int:
        """The end without silence that counted as the loop only because the loop is nearly silent there."""
        start = max(self._began or 0, end - _TRACE_BACK)
        silent_from = start + _after_last(self._samples(start, end) != 0)
        if end - silent_from <= _NEARLY_SILENT:
            return silent_from
        loop = self._loop.samples(self._offset + silent_from, end - silent_from)
        return silent_from + _before_first(np.abs(loop) >= _NO_ZERO)

    # --- both

    def _place(self, hint: int, start: int, end: int) -> int | None:
        """The offset that fits most windows between two positions and the sound from the hint on; None if none does."""
        first = _up(start)
        votes = Counter(
            (place - first - index) % self._loop.length
            for index, place in self._loop.find(self._samples(first, end), self.resampled)
        )
        best: tuple[int, int, int] | None = None
        for offset, _ in votes.most_common(8):
            wrong = np.count_nonzero(self._loop.differs(self._samples(hint, end), offset + hint, self.resampled))
            if wrong * _FEW <= end - hint:
                found = (int(wrong), (offset + hint) % self._loop.length, offset)
                best = found if best is None else min(best, found)
        return None if best is None else best[2]

    def _place_at(self, position: int) -> int:
        return (self._offset + position) % self._loop.length

    def _differs(self, heard: "NDArray[Any]", position: int) -> "NDArray[np.bool_]":
        return self._loop.differs(heard, self._offset + position, self.resampled)

    def _give(self, what: What, end: int, rest: "NDArray[np.int32] | None" = None) -> None:
        if end > self._done:
            self._out.append(Part(what, self._done, end, rest))
            self._done = end


def _up(position: int) -> int:
    """The next position at which a window may begin."""
    return -(-position // STRIDE) * STRIDE


def _after_last(flags: "NDArray[np.bool_]") -> int:
    """The index behind the last true one; 0 if there is none."""
    found = np.flatnonzero(flags)
    return int(found[-1]) + 1 if len(found) else 0


def _before_first(flags: "NDArray[np.bool_]") -> int:
    """How many stand before the first true one; all of them if there is none."""
    found = np.flatnonzero(flags)
    return int(found[0]) if len(found) else len(flags)


def _run(wrong: "NDArray[np.bool_]", length: int) -> bool:
    """Whether so many in a row are true."""
    return bool((np.convolve(wrong, np.ones(length, np.int64), "valid") == length).any())
