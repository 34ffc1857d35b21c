"""The call as sound: a stereo WAV, the caller as he left the line at the left, what he heard at the right."""

from collections.abc import Iterable
from pathlib import Path

from audiosocket_core.slin import interleave, resample, write_wav

__all__ = ["caller_track", "write_recording"]

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


def write_recording(path: Path, caller: bytes, heard: bytes) -> None:
    """Write both, 8 kHz, the shorter padded with silence."""
    length = max(len(caller), len(heard))
    write_wav(path, interleave(caller.ljust(length, b"\0"), heard.ljust(length, b"\0")), _RATE_HZ, channels=2)
