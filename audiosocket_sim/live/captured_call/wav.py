"""Make WAV files in memory, so that they can be written with private permissions from the first byte on. Pure."""

from audiosocket_core.slin import interleave
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.live.captured_call.track import RATE_HZ

__all__ = ["mono_wav", "stereo_wav"]


def mono_wav(pcm: bytes) -> bytes:
    """16-bit SLIN of 8 kHz."""
    return wav_bytes(pcm, RATE_HZ)


def stereo_wav(left: bytes, right: bytes) -> bytes:
    """Both 16-bit SLIN of 8 kHz, the shorter padded with silence."""
    return wav_bytes(interleave(left, right), RATE_HZ, channels=2)
