"""Save the sound and the cassette of a call that cannot be turned into a scenario, so that the call is not lost.

It analyses nothing, so that the error which prevented the scenario cannot occur here again. Writes files.
"""

from collections.abc import Iterable
from pathlib import Path

from audiosocket_core.files import create_private_file
from audiosocket_core.slin import resample
from audiosocket_sim.live.captured_call.cassette import cassette
from audiosocket_sim.live.captured_call.files import NameTaken
from audiosocket_sim.live.captured_call.model import CapturedCall
from audiosocket_sim.live.captured_call.track import RATE_HZ
from audiosocket_sim.live.captured_call.wav import stereo_wav

__all__ = ["write_sound_and_cassette"]


def write_sound_and_cassette(call: CapturedCall, folder: Path, name: str) -> Path:
    """Write `NAME/call.wav`, and `NAME/cassette.json` if the backend was captured. Returns the folder `NAME`.

    The WAV holds the caller on the left and the bot on the right. Only the owner can read the files. Blocks.
    Raises NameTaken, OSError.
    """
    destination = folder / name
    try:
        destination.mkdir(mode=0o700)
    except FileExistsError:
        raise NameTaken(f"{destination} already exists") from None
    caller = _track((packet.at_ms, call.rate_hz, packet.payload) for packet in call.caller)
    bot = _track((packet.at_ms, packet.rate_hz, packet.payload) for packet in call.bot)
    create_private_file(destination / "call.wav", stereo_wav(caller, bot))
    if call.backend_captured:
        create_private_file(destination / "cassette.json", cassette(call).encode("utf-8", "backslashreplace"))
    return destination


def _track(packets: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Return the packets (time of arrival in ms, rate in Hz, SLIN) as one track of 8 kHz SLIN.

    Each packet starts where the one before it ended, or, if that is later, so that it ends at its time of arrival.
    """
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
