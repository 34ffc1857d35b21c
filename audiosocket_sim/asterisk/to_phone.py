"""The way of the server's audio to the phone: what Asterisk's translators drop, and what a phone cannot buffer. Pure.

Audio of any of the nine rates is passed on (it is resampled). A message too long for a translator is lost: Asterisk
logs a warning and does not inform the server (docs/protocol.md 4.3, 4.4). Audio that comes faster than real time is
passed on unchanged; a model computes how much of it a phone would have lost, which is reported at the end.
"""

from collections.abc import Callable

from audiosocket_sim.asterisk.flood import PHONE_BUFFER_MS, PhoneBuffer

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
        self._buffer = PhoneBuffer()
        self._too_long = 0

    def take(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take one audio message of the server: `payload` is 16-bit SLIN of `rate_hz`, which came at `at`."""
        if rate_hz == _RATE_HZ and len(payload) <= 2 * LONGEST_BEFORE_A_CODEC:  # nearly always
            self._buffer.take(at, len(payload) // 2 * 1000 / _RATE_HZ)
            self._deliver(at, rate_hz, payload)
            return
        samples = len(payload) // 2 * _RATE_HZ // rate_hz
        too_long_to_resample = rate_hz != _RATE_HZ and samples > LONGEST_FROM_THE_RESAMPLER
        if too_long_to_resample or (self._compressed and samples > LONGEST_BEFORE_A_CODEC):
            self._too_long += 1
            return
        self._buffer.take(at, samples * 1000 / _RATE_HZ)
        self._deliver(at, rate_hz, payload)

    @property
    def notes(self) -> list[str]:
        """The losses of the bot's audio that the caller did not hear, one line for each."""
        notes = []
        if self._too_long:
            what = "1 audio message" if self._too_long == 1 else f"{self._too_long} audio messages"
            notes.append(f"{what} too long for Asterisk's translators (over 1 s): dropped, the caller heard none of it")
        if self._buffer.lost_ms >= 1:
            ahead, lost = self._buffer.most_ahead_ms / 1000, self._buffer.lost_ms / 1000
            notes.append(
                f"audio was sent up to {ahead:.2f} s ahead of real time: a phone that keeps {PHONE_BUFFER_MS} ms "
                f"would have lost {lost:.2f} s of it"
            )
        return notes
