"""The way of the server's audio to the phone: what Asterisk's translators drop. Pure.

Audio of any of the nine rates is passed on (it is resampled). A message too long for a translator is lost: Asterisk
logs a warning and does not inform the server (docs/protocol.md 4.3, 4.4). Audio that comes faster than real time is
passed on unchanged: what a phone loses of it, the ear knows (`hearing.phone_buffer`).
"""

from collections.abc import Callable

from audiosocket_sim.asterisk.wire_record import WireRecord

__all__ = ["ToPhone"]

LONGEST_BEFORE_A_CODEC = 8096
"""Samples that the G.711 encoders take in one frame (`codec_ulaw.c`, `codec_alaw.c`)."""
LONGEST_FROM_THE_RESAMPLER = 11520
"""Samples that `codec_resample.c` puts out for one frame."""
_RATE_HZ = 8000


class ToPhone:
    """The way to one phone. `compressed`: its codec is G.711, so that every frame is encoded. `deliver`: called with
    loop time in seconds, rate in Hz, and payload (SLIN)."""

    def __init__(self, *, compressed: bool, deliver: Callable[[float, int, bytes], None]) -> None:
        self._compressed = compressed
        self._deliver = deliver
        self.record = WireRecord()
        """What was dropped, and what else is noticed on the wire."""

    def take(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take one audio message of the server: `payload` is 16-bit SLIN of `rate_hz`, which came at `at`."""
        if rate_hz == _RATE_HZ and len(payload) <= 2 * LONGEST_BEFORE_A_CODEC:  # nearly always
            self._deliver(at, rate_hz, payload)
            return
        samples = len(payload) // 2 * _RATE_HZ // rate_hz
        too_long_to_resample = rate_hz != _RATE_HZ and samples > LONGEST_FROM_THE_RESAMPLER
        if too_long_to_resample or (self._compressed and samples > LONGEST_BEFORE_A_CODEC):
            self.record.dropped.append((at, samples * 1000 / _RATE_HZ))
            return
        self._deliver(at, rate_hz, payload)

    @property
    def notes(self) -> list[str]:
        """The losses of the bot's audio that the caller did not hear, one line for each."""
        dropped = len(self.record.dropped)
        if not dropped:
            return []
        what = "1 audio message" if dropped == 1 else f"{dropped} audio messages"
        return [f"{what} too long for Asterisk's translators (over 1 s): dropped, the caller heard none of it"]
