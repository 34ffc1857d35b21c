"""The sound of a call as the page carries it: MP3 where the extra [report] is installed, else µ-law in a WAV.

MP3 of 32 kbit/s is played by Chromium, Firefox and Safari. An encoder and a decoder of it delay the sound together by
1,105 samples, which players take off only if a tag tells them so; without the tag all of them play alike. So so many
samples are left out at the start, which puts each sound at its time in the call. At 8 kHz that is 138 ms, before any
bot has spoken.
"""

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiosocket_core.slin import interleave, ulaw_encode
from audiosocket_sim.report.saved.stereo import RATE_HZ, StereoSound

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MP3_DELAY_SAMPLES", "EmbeddedSound", "embedded_sound"]

MP3_DELAY_SAMPLES = 1105
"""576 of the encoder (LAME) and 529 of every decoder."""
_KBIT = 32
_LEVEL_OF_KBIT = {32: 0.58}
_MP3_LEAD_MS = 150
"""Two frames of 72 ms."""
_ULAW = 7


@dataclass(frozen=True, slots=True)
class EmbeddedSound:
    """A file to be played: its bytes, its media type, the suffix of its name, and what it is, in words.

    `lead_ms`: so long after a jump into it a player is silent, since a frame of MP3 needs those before it.
    """

    data: bytes
    media_type: str
    suffix: str
    words: str
    lead_ms: int = 0


def embedded_sound(sound: StereoSound, *, compress: bool | None = None) -> EmbeddedSound:
    """Return the sound as a file. `compress`: as MP3; None: if `soundfile` is installed. Blocks: 0.5 s a minute."""
    if compress is not False and (write := _soundfile()) is not None:
        words = f"MP3 of {_KBIT} kbit/s, stereo, 8 kHz"
        return EmbeddedSound(_mp3(sound, write), "audio/mpeg", "mp3", words, _MP3_LEAD_MS)
    if compress:
        raise ModuleNotFoundError("soundfile is not installed: pip install 'audiosocket-sim[report]'")
    return EmbeddedSound(_ulaw_wav(sound), "audio/wav", "wav", "µ-law WAV, stereo, 8 kHz, as on the phone line")


def _soundfile() -> "Callable[..., Any] | None":
    """`soundfile.SoundFile`; None where it is not installed, cannot be loaded, or writes no MP3."""
    try:
        import soundfile
    except (ImportError, OSError):
        return None
    if "MP3" not in soundfile.available_formats():
        return None
    maker: Callable[..., Any] = soundfile.SoundFile
    return maker


def _mp3(sound: StereoSound, write: "Callable[..., Any]") -> bytes:
    import numpy as np

    samples = np.frombuffer(interleave(sound.caller, sound.heard), "<i2").reshape(-1, 2)[MP3_DELAY_SAMPLES:]
    samples = (samples / 32768).astype(np.float32)  # of 16-bit samples libsndfile 1.2 mixes the channels
    behind = np.zeros((2 * MP3_DELAY_SAMPLES, 2), np.float32)  # what the encoder still holds at the end
    out = io.BytesIO()
    kind = {"samplerate": RATE_HZ, "channels": 2, "format": "MP3", "subtype": "MPEG_LAYER_III"}
    with write(out, "w", **kind, bitrate_mode="CONSTANT", compression_level=_LEVEL_OF_KBIT[_KBIT]) as file:
        file.write(np.concatenate([samples, behind]))
    return _without_tag(out.getvalue())


def _without_tag(mp3: bytes) -> bytes:
    """The file without a first frame that holds no sound but the tag, by which some players take off the delay."""
    if not any(tag in mp3[:200] for tag in (b"Info", b"Xing")):
        return mp3
    second = 72 * _KBIT * 1000 // RATE_HZ
    return mp3[second:] if mp3[second : second + 2] == mp3[:2] else mp3


def _ulaw_wav(sound: StereoSound) -> bytes:
    data = ulaw_encode(interleave(sound.caller, sound.heard))
    head = struct.pack("<HHIIHHH", _ULAW, 2, RATE_HZ, 2 * RATE_HZ, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(data) // 2)
    chunks = struct.pack("<4sI", b"fmt ", len(head)) + head + fact + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks
