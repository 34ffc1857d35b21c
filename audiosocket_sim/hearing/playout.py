"""The caller's phone as a loudspeaker: what comes out of it, and when. Pure: times are arguments (seconds), in order.

Each chunk plays at its arrival or at the end of what was queued before it, whichever is later, as far as the phone
keeps it (`phone_buffer`). What comes out is kept as one stretch of 8 kHz SLIN in which holes are silence, so that
sample and time go together: `time_of`. A chunk that comes less than `JITTER_MS` late is taken to have come in time,
since a clock that is not virtual is never exact; the phone's own buffer does the same. Must not judge what the sound
is: `hold_detector`, `speech_segments`.
"""

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core.resampling import SlinResampler
from audiosocket_sim.hearing.phone_buffer import PhoneBuffer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JITTER", "JITTER_MS", "RATE_HZ", "Playout"]

RATE_HZ = 8000
JITTER_MS = 10
JITTER = JITTER_MS * RATE_HZ // 1000
_FRAME = 160
_CLOSE_ENOUGH = RATE_HZ * 1e-6  # samples: what adding up floating-point times may cost


class Playout:
    """The sound of one phone, from the first chunk or `advance` on. Positions are samples of 8 kHz from there.

    `buffer`: what the phone keeps of sound that is sent ahead; None: all of it.
    """

    def __init__(self, buffer: PhoneBuffer | None = None) -> None:
        self._buffer = PhoneBuffer(endless=True) if buffer is None else buffer
        self._sound = bytearray()
        self._zero: float | None = None  # the time of position 0
        self._queued = 0  # where the queue ends; the sound itself may lag behind while it is being resampled
        self._chunks_end = 0  # where the last chunk ends, and a hole begins if no other one comes in time
        self._holes: list[tuple[int, int]] = []
        self._ahead_from: list[int] = []  # chunks that came early: from where, to where, by how much
        self._ahead_to: list[int] = []
        self._ahead: list[int] = []
        self._piece: _ResampledPiece | None = None

    # --- what comes in

    def queue(self, at: float, rate_hz: int, payload: bytes) -> None:
        """A chunk arrived at `at`. Half a sample at its end is left out."""
        now = self._wait(at, JITTER if self._chunks_end else 1)  # the first one plays just when it came
        start = self._queued
        self._append(rate_hz, self._buffer.take(at, now, start, rate_hz, payload))
        self._note_ahead(start, self._buffer.sent_until - now - _FRAME)

    def _append(self, rate_hz: int, payload: bytes) -> None:
        """Let this play behind what is queued."""
        if rate_hz == RATE_HZ:
            if self._piece is not None:
                self._flush()
            self._sound += payload if len(payload) % 2 == 0 else payload[:-1]
            self._queued += len(payload) // 2
        else:
            piece = self._piece_of(rate_hz)
            self._sound += piece.feed(payload)
            self._queued = piece.end
        self._chunks_end = self._queued

    def _note_ahead(self, start: int, ahead: int) -> None:
        """What is queued from `start` on was sent so many samples ahead of real time."""
        if ahead >= JITTER:
            self._ahead_from.append(start)
            self._ahead_to.append(max(self._queued, start + 1))
            self._ahead.append(ahead)

    def advance(self, now: float) -> None:
        """Time passed. A phone that nothing was sent to is silent."""
        self._wait(now, JITTER)

    def _wait(self, now: float, shortest: int) -> int:
        """Let the time be `now`, and return its position. Of the silence since the last chunk so many samples are a
        hole."""
        if self._zero is None:
            self._zero = now
        position = self._samples_until(now)
        if position - self._chunks_end >= shortest:
            self._open_hole(position)
        return position

    def _open_hole(self, until: int) -> None:
        """Silence from the last chunk on; it is known as a hole, which may grow, except before the first chunk."""
        self._flush()
        self._fill(until)
        hole = self._chunks_end
        if self._holes and self._holes[-1][0] == hole:
            self._holes.pop()
        if hole:
            self._holes.append((hole, self._queued - hole))

    def _fill(self, end: int) -> None:
        self._sound += bytes(2 * max(0, end - self._queued))
        self._queued = max(self._queued, end)

    def _piece_of(self, rate_hz: int) -> "_ResampledPiece":
        if self._piece is None or self._piece.rate_hz != rate_hz:
            self._flush()
            self._piece = _ResampledPiece(rate_hz, self._queued)
        return self._piece

    def _flush(self) -> None:
        if self._piece is not None:
            self._sound += self._piece.flush()
            del self._sound[2 * self._queued :]  # the resampler rounds up
            self._piece = None

    def _samples_until(self, now: float) -> int:
        """The position that plays at `now`, were there sound enough."""
        return int((now - (self._zero or 0.0)) * RATE_HZ + _CLOSE_ENOUGH)

    # --- what came out

    @property
    def started_at(self) -> float | None:
        """The loop's time, in s, at which the first sample came out of the phone; None before it."""
        return self._zero

    def played(self, now: float, lead: int = 0) -> int:
        """How far the sound has been played at `now`, plus `lead` samples of what is known already."""
        return min(len(self._sound) // 2, self._samples_until(now) + lead)

    def unheard(self, at: float) -> tuple[float | None, int]:
        """Return since when (s) sound has waited at `at` that was sent and not played, and how much (ms) of it is
        audible."""
        return self._buffer.unheard(self.position_at(at))

    def position_at(self, at: float) -> int:
        """The position that would play at a time, whether or not there is sound."""
        return self._samples_until(at)

    def time_of(self, position: int) -> float:
        """The loop's time, in s, at which the sample at this position comes out of the phone."""
        return (self._zero or 0.0) + position / RATE_HZ

    def pcm(self, start: int, end: int) -> bytearray:
        """The sound between two positions."""
        return self._sound[2 * start : 2 * end]

    def samples(self, start: int, end: int) -> "NDArray[np.int16]":
        """The samples from `start` to `end`, counted from the first, as 16-bit numbers at 8 kHz."""
        return np.frombuffer(self.pcm(start, end), dtype="<i2")

    def holes(self, start: int, end: int) -> list[tuple[int, int]]:
        """The holes that began between two positions, as (position, length): nothing had arrived in time."""
        first = bisect_left(self._holes, (start, 0))
        return self._holes[first : bisect_left(self._holes, (end, 0))]

    def ahead_ms(self, start: int, end: int) -> int:
        """How far ahead of real time the sound between two positions was sent, at the most; one frame is not ahead."""
        first, last = bisect_right(self._ahead_to, start), bisect_left(self._ahead_from, end)
        return max(self._ahead[first:last], default=0) * 1000 // RATE_HZ

    def timeline(self, start: float | None, end: float) -> bytes:
        """What came out between two times (`start` None: from the beginning); silence where there was nothing."""
        if self._zero is None:
            return b""
        first = 0 if start is None else round((start - self._zero) * RATE_HZ)
        last = max(first, round((end - self._zero) * RATE_HZ))
        before = bytes(2 * (min(0, last) - min(0, first)))
        heard = before + self.pcm(max(0, first), max(0, last))
        return heard.ljust(2 * (last - first), b"\0")


class _ResampledPiece:
    """One unbroken piece of sound at another rate, to 8 kHz; its output lags behind its input."""

    def __init__(self, rate_hz: int, start: int) -> None:
        self.rate_hz = rate_hz
        self._start = start
        self._taken = 0
        self._resampler = SlinResampler(rate_hz, RATE_HZ)

    @property
    def end(self) -> int:
        """The position where the sound taken so far ends."""
        return self._start + self._taken * RATE_HZ // self.rate_hz

    def feed(self, payload: bytes) -> bytes:
        """The 8 kHz SLIN that `payload` completes."""
        self._taken += len(payload) // 2
        return self._resampler.feed(payload)

    def flush(self) -> bytes:
        """The 8 kHz SLIN that still lay in the filter; nothing may be fed after that."""
        return self._resampler.feed(b"", last=True)
