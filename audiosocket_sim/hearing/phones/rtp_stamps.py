"""The time stamps that Asterisk gives to the packets it sends to a phone (`res_rtp_asterisk.c`, `rtp_raw_write`). Pure.

A stamp goes on by the packet's length, unless the clock says something else by 80 ms or more. So the stamps of a burst
run ahead of the clock and stay there, and a short hole is in no stamp: the packets behind it look late.
"""

__all__ = ["RtpStamps"]

_SKEW = 640
_PER_MS = 8


class RtpStamps:
    """The stamps of one call."""

    def __init__(self) -> None:
        self._last = 0
        self._sent_at: float | None = None

    def stamp(self, at: float, samples: int) -> int:
        """Return the stamp, in samples of 8 kHz, of a packet with so many of them that is sent at `at` (s)."""
        ms = 0 if self._sent_at is None else int((at - self._sent_at) * 1000 + 1e-3)
        self._sent_at = at
        by_length, by_clock = self._last + samples, self._last + ms * _PER_MS
        self._last = by_length if abs(by_clock - by_length) < _SKEW else by_clock
        return self._last
