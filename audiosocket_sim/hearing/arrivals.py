"""When the bot's messages arrive: at which pace it sends, and when it sends nothing. Pure; times in seconds.

The pace is a line through the arrivals of continuous sending: the time that a second of sound took. Sound that is sent
ahead, or late by less than `_BREAK_SECONDS`, does not interrupt it.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_sim.hearing.damage.medians import median
from audiosocket_sim.hearing.loudness import rms_dbfs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Arrivals", "SendingPace", "WireGap"]

_BREAK_SECONDS = 0.1
_SHORTEST_SECONDS = 3.0
_ROUNDING = 1e-9
_FEWEST = 6  # messages through which a line says something
_HOLE_SECONDS = 0.04  # a message that is later than this behind the one before it leaves a hole
_MOST_HOLES = 0.25  # of all messages; where more are late, that is the pace
_CLEAR = 3.0  # by how many times the drift exceeds what the single arrivals scatter
_SILENCE_SENT_SECONDS = 0.5
_SILENT_DBFS = -50.0
_RATES_HZ = (8000, 12000, 16000, 24000, 32000, 44100, 48000)
_TICK_MS = 20


@dataclass(frozen=True, slots=True)
class SendingPace:
    """Continuous sending from `at` on, for `seconds`: a message of `message_ms` came every `every_ms`.

    `percent`: how much slower than real time; negative: faster. `looks_like_hz`: the rate of which the samples would
    have to be for the pace to be right, where that is a usual one, and the messages came like a clock.
    """

    at: float
    seconds: float
    message_ms: float
    every_ms: float
    percent: float
    rate_hz: int
    looks_like_hz: int | None = None


@dataclass(frozen=True, slots=True)
class WireGap:
    """Nothing arrived from `at` on for `seconds`, beyond the sound that had come before."""

    at: float
    seconds: float


@dataclass(slots=True)
class _Run:
    rate_hz: int
    at: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)  # the sound that came before the message
    total: float = 0.0


class Arrivals:
    """The arrivals of one call. `take` each message in order; after `close`, `paces` and `gaps` are complete.

    `gap_seconds`: the shortest time without a message that is listed.
    """

    def __init__(self, gap_seconds: float) -> None:
        self._gap_seconds = gap_seconds
        self._run: _Run | None = None
        self._until = 0.0  # the sound that has come ends here, if it is played as it comes
        self._silent = 0.0
        self.paces: list[SendingPace] = []
        """The pace of each continuous sending of 3 s and more."""
        self.gaps: list[WireGap] = []
        """The times in which nothing came, between two messages or before the end."""
        self.sends_silence = False
        """Whether the bot sends silence where it says nothing: half a second of it at a time."""

    def take(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take a message of SLIN at `rate_hz` that came at `at`."""
        seconds = len(payload) / 2 / rate_hz
        run = self._run
        if run is not None and (at - self._until > _BREAK_SECONDS or rate_hz != run.rate_hz):
            self._end_run()
            run = None
        if run is None:
            if self._until:
                self._gap(at)
            run = self._run = _Run(rate_hz)
        run.at.append(at)
        run.sound.append(run.total)
        run.total += seconds
        self._until = (at if at > self._until else self._until) + seconds
        if not self.sends_silence:
            self._silent = self._silent + seconds if _is_silent(payload) else 0.0
            self.sends_silence = self._silent >= _SILENCE_SENT_SECONDS - _ROUNDING

    def close(self, at: float) -> None:
        """The call is over."""
        self._end_run()
        if self._until:
            self._gap(at)

    def _gap(self, at: float) -> None:
        if at - self._until >= self._gap_seconds - _ROUNDING:
            self.gaps.append(WireGap(self._until, at - self._until))

    def _end_run(self) -> None:
        run, self._run = self._run, None
        pace = None if run is None else _pace(run)
        if pace is not None:
            self.paces.append(pace)


def _is_silent(payload: bytes) -> bool:
    return not payload.strip(b"\0") or rms_dbfs(np.frombuffer(payload, "<i2", count=len(payload) // 2)) < _SILENT_DBFS


def _pace(run: _Run) -> SendingPace | None:
    """The pace of a run; None if it is too short, or its arrivals scatter too much for a line."""
    at, sound = np.array(run.at), np.array(run.sound)
    if len(at) < _FEWEST or max(at[-1] - at[0], run.total) < _SHORTEST_SECONDS - _ROUNDING:
        return None
    middle = sound - sound.mean()
    slope = float(middle @ (at - at.mean()) / (middle @ middle))
    lag = len(at) // _FEWEST
    steady = median((at[lag:] - at[:-lag]) / (sound[lag:] - sound[:-lag]))  # one stall, or burst, is nothing
    for other in (steady, slope - _in_holes(at, sound)):
        slope = min(slope, other, key=lambda one: abs(one - 1)) if (slope - 1) * (other - 1) > 0 else 1.0
    scatter = float(np.std(at - at.mean() - slope * middle))
    if abs(slope - 1) * float(sound[-1]) < _CLEAR * scatter:
        slope = 1.0
    message_ms = median(np.diff(sound)) * 1000
    hz = _looks_like(run.rate_hz, slope, message_ms)
    seconds, percent = float(at[-1] - at[0]), (slope - 1) * 100
    return SendingPace(float(at[0]), seconds, message_ms, message_ms * slope, percent, run.rate_hz, hz)


def _in_holes(at: "NDArray[np.float64]", sound: "NDArray[np.float64]") -> float:
    """The part of the slope that a few late messages make, between others that came in time: holes, and no pace."""
    late = np.diff(at) - np.diff(sound)
    holes = late > _HOLE_SECONDS
    return float(late[holes].sum() / sound[-1]) if holes.mean() <= _MOST_HOLES else 0.0


def _looks_like(rate_hz: int, slope: float, message_ms: float) -> int | None:
    every_ms = message_ms * slope
    if 0.75 < slope < 1.3 or abs(every_ms / _TICK_MS - round(every_ms / _TICK_MS)) > 0.05 or every_ms < _TICK_MS / 2:
        return None
    return next((hz for hz in _RATES_HZ if abs(rate_hz / slope / hz - 1) < 0.03), None)
