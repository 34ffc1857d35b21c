"""What is kept of a call of which no scenario can be made: its sound and its cassette, so that nothing of it is lost.

It takes nothing apart and understands nothing, so that what stopped the scenario does not stop this. Writes files.
"""

from collections.abc import Iterable
from pathlib import Path

from audiosocket_core.slin import resample
from audiosocket_sim.live.captured_call.cassette import cassette
from audiosocket_sim.live.captured_call.files import NameTaken, private_bytes
from audiosocket_sim.live.captured_call.model import CapturedCall
from audiosocket_sim.live.captured_call.track import RATE_HZ
from audiosocket_sim.live.captured_call.wav import stereo_wav

__all__ = ["write_sound_and_cassette"]


def write_sound_and_cassette(call: CapturedCall, folder: Path, name: str) -> Path:
    """`NAME/call.wav`, and `NAME/cassette.json` where the backend was captured. Returns the folder `NAME`.

    Only its owner can read them. Raises NameTaken, OSError.
    """
    destination = folder / name
    try:
        destination.mkdir(mode=0o700)
    except FileExistsError:
        raise NameTaken(f"{destination} is there already") from None
    caller = _laid((packet.at_ms, call.rate_hz, packet.payload) for packet in call.caller)
    bot = _laid((packet.at_ms, packet.rate_hz, packet.payload) for packet in call.bot)
    private_bytes(destination / "call.wav", stereo_wav(caller, bot))
    if call.backend_captured:
        private_bytes(destination / "cassette.json", cassette(call).encode("utf-8", "backslashreplace"))
    return destination


def _laid(packets: Iterable[tuple[int, int, bytes]]) -> bytes:
    """8 kHz SLIN: each packet where the one before ended, or where it came, if that is later."""
    track = bytearray()
    for at_ms, rate_hz, payload in packets:
        pcm = payload[: len(payload) & ~1]
        if rate_hz != RATE_HZ:
            pcm = resample(pcm, rate_hz, RATE_HZ)
        start = 2 * (at_ms * RATE_HZ // 1000) - len(pcm)
        if start > len(track):
            track.extend(bytes(start - len(track)))
        track.extend(pcm)
    return bytes(track)
