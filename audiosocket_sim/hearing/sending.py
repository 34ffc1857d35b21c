"""What the bot sent, and how far ahead of its playing, as a short record for pictures. Pure; times in seconds.

Messages that come one after the other with the same lead are one row, so that a call of ten minutes has some hundred.
"""

from dataclasses import dataclass

from audiosocket_core import slin

__all__ = ["Sending", "SentSound"]

_SLOT_SECONDS = 0.1
_SAME_LEAD_SECONDS = 0.1
_BREAK_SECONDS = 0.02
_FRAME_SECONDS = 0.02
_AUDIBLE = 104  # -50 dBFS


@dataclass(slots=True)
class SentSound:
    """Messages that arrived from `at` to `until` (s), with `seconds` of sound; `ahead`: how far the last of it was
    ahead of its playing then, in s, beyond one frame. `audible`: whether any of it is over -50 dBFS."""

    at: float
    until: float
    seconds: float
    ahead: float
    audible: bool


class Sending:
    """The record of one call: `take` each message of the bot in order; `rows` are the record."""

    def __init__(self) -> None:
        self.rows: list[SentSound] = []
        self._end = 0.0
        """When all that has come would have been played, if the phone kept all of it."""
        self._lead = 0.0  # of the first message of the last row

    def take(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take a message of SLIN at `rate_hz` that came at `at`."""
        seconds = len(payload) // 2 / rate_hz
        waits = self._end - at
        self._end = max(self._end, at) + seconds
        ahead = max(0.0, self._end - at - max(seconds, _FRAME_SECONDS)) if seconds <= 1 else self._end - at
        audible = slin.peak(payload) > _AUDIBLE
        row = self.rows[-1] if self.rows else None
        if row is not None and row.audible == audible and self._goes_on(row, at, ahead, waits):
            row.until, row.seconds, row.ahead = at, row.seconds + seconds, max(row.ahead, ahead)
        else:
            self._lead = ahead
            self.rows.append(SentSound(at, at, seconds, ahead, audible))

    def _goes_on(self, row: SentSound, at: float, ahead: float, waits: float) -> bool:
        """Whether a message belongs to a row: it came in its slot of time, or with the same lead and without a hole."""
        if at - row.at < _SLOT_SECONDS:
            return True
        return abs(ahead - self._lead) <= _SAME_LEAD_SECONDS and waits >= -_BREAK_SECONDS
