"""The call as sound: a stereo WAV, the caller as he left the line at the left, what he heard at the right."""

from collections.abc import Iterable

from audiosocket_core.slin import interleave, resample
from audiosocket_core.wav import wav_bytes

__all__ = ["caller_track", "recording"]

_RATE_HZ = 8000


def caller_track(sent: Iterable[tuple[float, bytes]], t0: float, rate_hz: int) -> bytes:
    """Packets with the times at which they left, laid on a line of time that begins at `t0`; silence between them."""
    track = bytearray()
    for at, packet in sent:
        start = 2 * max(0, round((at - t0) * rate_hz))
        if start > len(track):
            track.extend(bytes(start - len(track)))
        track.extend(packet)
    pcm = bytes(track)
    return pcm if rate_hz == _RATE_HZ else resample(pcm, rate_hz, _RATE_HZ)


def recording(caller: bytes, heard: bytes) -> bytes:
    """Returns the bytes of a stereo WAV, 8 kHz, of both sounds; the shorter is followed by silence."""
    return wav_bytes(interleave(caller, heard), _RATE_HZ, channels=2)
