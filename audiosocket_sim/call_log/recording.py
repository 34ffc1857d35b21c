"""The call as a stereo WAV: left, what the caller's line sent; right, what the caller heard."""

from collections.abc import Iterable

from audiosocket_core.slin import interleave, resample
from audiosocket_core.wav import wav_bytes

__all__ = ["caller_track", "recording"]

_RATE_HZ = 8000


def caller_track(sent: Iterable[tuple[float, bytes]], t0: float, rate_hz: int) -> bytes:
    """Return the caller's packets as one sound from `t0` on, as SLIN of 8 kHz, with silence between them.

    `sent`: the time of each packet on the loop's clock, in seconds, and its SLIN at `rate_hz`.
    """
    track = bytearray()
    for at, packet in sent:
        start = 2 * max(0, round((at - t0) * rate_hz))
        if start > len(track):
            track.extend(bytes(start - len(track)))
        track.extend(packet)
    pcm = bytes(track)
    return pcm if rate_hz == _RATE_HZ else resample(pcm, rate_hz, _RATE_HZ)


def recording(caller: bytes, heard: bytes) -> bytes:
    """Return a stereo WAV file of 8 kHz: `caller` left, `heard` right, both SLIN of 8 kHz; the shorter is padded."""
    return wav_bytes(interleave(caller, heard), _RATE_HZ, channels=2)
