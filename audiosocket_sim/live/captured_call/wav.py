"""Make WAV files in memory, so that they can be written with private permissions from the first byte on. Pure."""

from audiosocket_core.slin import interleave
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.live.captured_call.track import RATE_HZ

__all__ = ["mono_wav", "stereo_wav"]


def mono_wav(pcm: bytes) -> bytes:
    """16-bit SLIN of 8 kHz."""
    return _wav(pcm, 1)


def stereo_wav(left: bytes, right: bytes) -> bytes:
    """Both 16-bit SLIN of 8 kHz, the shorter padded with silence."""
    length = max(len(left), len(right))
    return _wav(interleave(left.ljust(length, b"\0"), right.ljust(length, b"\0")), 2)


def _wav(pcm: bytes, channels: int) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)
    return data.getvalue()
