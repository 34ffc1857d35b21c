"""The caller's audio messages as SLIN of 8 kHz, from any of AudioSocket's rates. Pure; one call's state.

Kind 0x10 is treated as SLIN. It may really be G.711 (docs/protocol.md, mislabelled audio), which is recognised by the
size of its messages. Then a warning is recorded once, and the audio is not decoded: a wrong guess would be worse than
a noise that the log explains.
"""

from collections.abc import Callable

from audiosocket_core.messages import Kind, sample_rate_hz
from audiosocket_core.resampling import SlinResampler

__all__ = ["G711_HINT", "Inbound"]

RATE_HZ = 8000
G711_HINT = "the caller's audio looks like G.711 (160 bytes every 20 ms); add c(slin) to the dial string"

_PROBED = 50  # messages
_G711_BYTES = 160
_LEAST_SECONDS = (_PROBED - 1) * 0.015  # 160 bytes every 10 ms are PCM


class Inbound:
    """The converter of one call. `warn`: takes a warning of one line; `slin8_hz`: the true sample rate of kind 0x10."""

    def __init__(self, warn: Callable[[str], None], slin8_hz: int = RATE_HZ) -> None:
        self.plain_kind = int(Kind.SLIN8) if slin8_hz == RATE_HZ else -1
        """The kind that needs no resampling; -1 if there is none."""
        self._slin8_hz = slin8_hz
        self.probing = True
        """True while the first messages are to be given to `probe`."""
        self._warn = warn
        self._probed = 0
        self._first_at = 0.0
        self._resamplers: dict[int, SlinResampler] = {}  # by kind: to make one takes as long as a hundred messages

    def probe(self, kind: int, size: int, now: float) -> None:
        """Inspect one of the first messages: its kind, its payload's size in bytes, and when it arrived (seconds)."""
        if kind != Kind.SLIN8 or size != _G711_BYTES:
            self.probing = False
            return
        if not self._probed:
            self._first_at = now
        self._probed += 1
        if self._probed == _PROBED:
            self.probing = False
            if now - self._first_at >= _LEAST_SECONDS:
                self._warn(G711_HINT)

    def slin8(self, kind: int, payload: bytes) -> bytes:
        """Convert the payload of an audio message to SLIN of 8 kHz. The last byte of an odd length is dropped."""
        if len(payload) & 1:
            payload = payload[:-1]
        if kind == self.plain_kind:
            return payload
        return self._resampled(kind, payload)

    def _resampled(self, kind: int, payload: bytes) -> bytes:
        resampler = self._resamplers.get(kind)
        if resampler is None:
            rate_hz = self._slin8_hz if kind == Kind.SLIN8 else sample_rate_hz(kind)
            assert rate_hz is not None, f"kind 0x{kind:02x} is not audio"
            resampler = self._resamplers[kind] = SlinResampler(rate_hz, RATE_HZ)
        return resampler.feed(payload)
