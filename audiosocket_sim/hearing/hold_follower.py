"""Separates hold audio from other sound where it is not the known loop sample by sample. Pure.

It is known music at another level, through a codec or over noise, or, where that is asked for, any music and tones.
Other sound comes out again at once. Known music is recognised after half a second, and traced back to its start; other
music and tones after two seconds. While it lasts, sound is held back for up to 300 ms, other music for a second. It has
ended with 100 to 200 ms of quiet or of another sound.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.hold_detector import Part, What
from audiosocket_sim.hearing.hold_search import PIECE, KnownMusic, MusicPlace
from audiosocket_sim.hearing.loudness import AUDIBLE_RMS
from audiosocket_sim.hearing.sound_kinds import plays_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HoldFollower"]

_EVERY = PIECE
_WINDOW = 800
_FRAME = 160
_WRONG = 2  # windows
_QUIET_POWER = 75.0**2
_SECOND = 8000
_OTHER_QUIET = 6  # windows of quiet that end music that nobody knows
_VOICE_SHARE = 8.0  # of the whole; what is less beside the music is its own, distorted
_VOICE_POWER = 4.0  # times what codec and noise leave beside the music


class HoldFollower:
    """Finds hold audio in what `samples(start, end)` returns. `music`: what is known; `any_music`: other music counts
    too. `number` says which of the known ones plays, None: it is another one."""

    def __init__(
        self, music: Sequence[KnownMusic], samples: "Callable[[int, int], NDArray[np.int16]]", *, any_music: bool
    ) -> None:
        self._music = music
        self._samples = samples
        self._any_music = any_music
        self._out: list[Part] = []
        self._done = 0  # given out up to here
        self._from = 0  # what is looked at begins here
        self._searched = 0
        self._checked = 0
        self._place: MusicPlace | None = None
        self._beside = 0.0  # the mean square of what codec and noise leave beside the music
        self._held: Part | None = None  # the last window, in which the music may have ended
        self._voiced = False
        self._wrong = 0
        self._seamless = True
        self._learnt = False
        self.number: int | None = None
        self.began: int | None = None
        """The first sample of the hold audio that is playing; None if none is."""

    def learn(self, music: KnownMusic) -> None:
        """Look for this music too, from now on, also in music that nobody knew and that is playing."""
        self._music = [*self._music, music]
        self._learnt = True

    def skip(self, end: int) -> None:
        """Pass over silence, or over sound that is known, up to `end`, while nothing plays."""
        self._done = self._from = end

    def advance(self, end: int, unread_from: Callable[[int], int | None]) -> list[Part]:
        """Return the parts of the sound before `end` that can be decided. Hold audio never starts before
        `unread_from(end)`, and is not looked for where that is None."""
        if self.began is None:
            self._give(What.SOUND, end)
            if end - max(self._from, self._searched - PIECE + _EVERY) >= PIECE:
                self._searched = end
                floor = unread_from(end)
                self._from = self._from if floor is None else max(self._from, floor)
                if floor is not None and end - self._from >= PIECE:
                    self._look(end)
        if self.began is not None:
            self._follow(end)
        out, self._out = self._out, []
        return out

    def finish(self, end: int) -> list[Part]:
        """Return the remaining parts of a sound that is over at `end`."""
        if self.began is not None:
            self._give_held()
            self._stop(end)
        out, self._out = self._out, []
        return out

    # --- no hold audio

    def _look(self, end: int) -> None:
        place = self._find(end)
        if place is not None and self.number is not None:
            self._begin(self._traced(self._music[self.number], place, end - PIECE), end)
            return
        if self._any_music and end - self._from >= 2 * _SECOND:
            halves = (self._samples(end - 2 * _SECOND, end - _SECOND), self._samples(end - _SECOND, end))
            if all(plays_on(half) for half in halves):
                self.number = self._place = None
                self._begin(self._first_audible(end - 2 * _SECOND), end)

    def _find(self, end: int) -> MusicPlace | None:
        """Note which of the known music plays before `end`, and return its place; None if none of it does."""
        sound = self._samples(end - PIECE, end)
        for number, music in enumerate(self._music):
            place = music.find(sound, end - PIECE)
            if place is not None:
                self.number, self._place = number, place
                self._beside = _power(sound - place.gain * music.samples(place.offset + end - PIECE, PIECE))
                return place
        return None

    def _traced(self, music: KnownMusic, place: MusicPlace, at: int) -> int:
        """The first audible sample of the music, going back from `at` by frames."""
        while at - _FRAME >= self._from:
            frame = self._samples(at - _FRAME, at)
            quiet = music.is_quiet(place, at - _FRAME, _FRAME)
            if (_wave_power(frame) < _QUIET_POWER) != quiet or not (quiet or music.follows(place, at - _FRAME, frame)):
                break
            at -= _FRAME
        frames = range(at, self._searched, _FRAME)
        return next(
            (frame for frame in frames if _wave_power(self._samples(frame, frame + _FRAME)) >= _QUIET_POWER), at
        )

    def _first_audible(self, at: int) -> int:
        while at - _FRAME >= self._from and _wave_power(self._samples(at - _FRAME, at)) >= _QUIET_POWER:
            at -= _FRAME
        return at

    def _begin(self, start: int, end: int) -> None:
        self.began = start
        self._checked, self._wrong, self._held, self._seamless, self._voiced = end, 0, None, True, False
        self._out.append(Part(What.HOLD_BEGINS, start, start, place=self._place_at(start)))

    # --- hold audio

    def _follow(self, end: int) -> None:
        while self.began is not None and self._checked + _WINDOW <= end:
            at = self._checked
            self._checked = at + _WINDOW
            window = self._samples(at, at + _WINDOW)
            if self._place is None:
                self._follow_any(at, window)
            else:
                self._follow_known(self._music[self.number or 0], self._place, at, window)

    def _follow_known(self, music: KnownMusic, place: MusicPlace, at: int, window: "NDArray[np.int16]") -> None:
        soft = _power(window) < _QUIET_POWER
        quiet = music.is_quiet(place, at, _WINDOW)
        if (soft and quiet) or (not soft and (quiet or music.follows(place, at, window))):
            rest = window - place.gain * music.samples(place.offset + at, _WINDOW)
            power = _power(rest)
            voice = power > max(_VOICE_POWER * self._beside, _power(window) / _VOICE_SHARE, AUDIBLE_RMS**2)
            self._beside += 0.0 if voice else 0.2 * (power - self._beside)
            self._give_held(voice_follows=voice)
            if self._wrong:
                self._give(What.HOLD, at)
                self._wrong = 0
            self._held = Part(What.HOLD, at, at + _WINDOW, np.rint(rest).astype(np.int32) if voice else None)
            return
        self._wrong += 1
        if self._wrong < _WRONG:
            return
        first = at - (_WRONG - 1) * _WINDOW
        sound = self._samples(first, at + _WINDOW)
        again = None if soft else music.again(place, first, sound)
        if again is None:
            self._stop(self._last_alike(music, place, first))
            return
        self._give_held()
        self._give(What.HOLD, at + _WINDOW)
        before = self._place_at(first)
        self._place, self._wrong, self._seamless = again, 0, False
        self._out.append(Part(What.HOLD_JUMPS, first, first, place=before, to=self._place_at(first)))

    def _last_alike(self, music: KnownMusic, place: MusicPlace, first: int) -> int:
        """Where the music ended: in the window before `first`, or in the one behind."""

        def differs(at: int) -> bool:
            frame = self._samples(at, at + _FRAME)
            soft, quiet = _power(frame) < _QUIET_POWER, music.is_quiet(place, at, _FRAME)
            return (soft and not quiet) or not (soft or quiet or music.follows(place, at, frame))

        frames = range(max(self.began or 0, first - _WINDOW), first + _WINDOW, _FRAME)
        return next((at for at in frames if differs(at)), first + _WINDOW)

    def _follow_any(self, at: int, window: "NDArray[np.int16]") -> None:
        self._wrong = self._wrong + 1 if _power(window) < _QUIET_POWER else 0
        if self._wrong >= _OTHER_QUIET:
            self._stop(at + _WINDOW - self._wrong * _WINDOW)
            return
        heard_to = at + _WINDOW
        if not self._wrong and heard_to - self._searched >= _SECOND:
            self._searched = heard_to
            if self._learnt and self._find(heard_to) is not None:
                self._give(What.HOLD, heard_to)
                self._begin(heard_to, heard_to)
            elif plays_on(self._samples(heard_to - _SECOND, heard_to)):
                self._give(What.HOLD, heard_to - _SECOND)
            else:
                self._stop(heard_to - _SECOND)

    def _stop(self, end: int) -> None:
        end = max(end, self._done)
        self._give(What.HOLD, end)
        self._out.append(Part(What.HOLD_ENDS, end, end, seamless=self._seamless, place=self._place_at(end)))
        self.began, self._held = None, None
        self._from = end
        self._give(What.SOUND, self._checked)

    def _give_held(self, *, voice_follows: bool = False) -> None:
        """Give out the window that is held back. What is beside the music in one window alone is its own."""
        held, self._held = self._held, None
        if held is not None:
            is_voice = held.rest is not None and (self._voiced or voice_follows)
            self._voiced = is_voice
            self._give(What.HOLD, held.start)
            self._give(What.HOLD, held.end, held.rest if is_voice else None)

    def _give(self, what: What, end: int, rest: "NDArray[np.int32] | None" = None) -> None:
        if end > self._done:
            self._out.append(Part(what, self._done, end, rest))
            self._done = end

    def _place_at(self, position: int) -> int | None:
        if self._place is None or self.number is None:
            return None
        return (self._place.offset + position) % self._music[self.number].length


def _power(sound: "NDArray[np.int16] | NDArray[np.float32]") -> float:
    return float(np.square(sound, dtype=np.float64).mean()) if len(sound) else 0.0


def _wave_power(sound: "NDArray[np.int16]") -> float:
    """The mean square without the mean: what is left of music in a codec may be an offset."""
    return float(np.var(sound)) if len(sound) else 0.0
