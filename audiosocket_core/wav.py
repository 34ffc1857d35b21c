"""WAV files in memory: the samples of one, or why it has none; and one made of samples. Knows no files.

Source: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF), RFC 2361 (codes of codecs), EBU Tech 3306
(RF64). A header is held to what follows it: a sound that is shorter than its header says has been cut off somewhere,
and to play it would be to play another sound.
"""

import io
import struct
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_CHANNELS", "UnknownCodec", "WavError", "WavSound", "is_wav", "read_wav", "sound_fault", "wav_bytes"]

MOST_CHANNELS = 8
LOWEST_RATE_HZ = 1_000
HIGHEST_RATE_HZ = 768_000
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_UNKNOWN_LENGTH = 0xFFFF_FFFF
_LAWS: Mapping[int, Literal["ulaw", "alaw"]] = {_ULAW: "ulaw", _ALAW: "alaw"}
_WIDTHS = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8), _ALAW: (1,), _ULAW: (1,)}


class WavError(ValueError):
    """The bytes are no WAV that can be played. The message says why; it does not name a file."""


class UnknownCodec(WavError):
    """The WAV may be sound, in a codec that is not read here: ADPCM, MP3, …"""


@dataclass(frozen=True, slots=True)
class WavSound:
    """Samples of 16 bits, little-endian, the channels in turn; or bytes of G.711, where `law` names one."""

    data: bytes
    channels: int
    rate_hz: int
    law: Literal["ulaw", "alaw"] | None = None


@dataclass(frozen=True, slots=True)
class _Format:
    codec: int
    channels: int
    rate_hz: int
    width: int
    """Bytes of one sample of one channel."""


def is_wav(data: bytes) -> bool:
    """Returns True if the bytes begin as a WAV does."""
    return data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE"


def read_wav(data: bytes) -> WavSound:
    """Returns the sound of a WAV: PCM of 8, 16, 24 or 32 bits, floats of 32 or 64 bits, or G.711.

    A fraction of a frame at its end is left out. Raises UnknownCodec for other codecs, and WavError for a file that is
    empty or cut off, that contradicts itself, or that has more than 8 channels or a rate outside 1 to 768 kHz.
    """
    kind, sound = _chunks(data)
    if fault := sound_fault(kind.channels, kind.rate_hz, len(sound) // (kind.width * kind.channels)):
        raise WavError(fault)
    whole = sound[: len(sound) // (kind.width * kind.channels) * kind.width * kind.channels]
    return WavSound(_as_16_bits(whole, kind), kind.channels, kind.rate_hz, _LAWS.get(kind.codec))


def sound_fault(channels: int, rate_hz: int, frames: int) -> str | None:
    """Why nobody can mean such a sound, whatever file it comes from; None where it is well."""
    if not 1 <= channels <= MOST_CHANNELS:
        return f"{channels} channels: from 1 to {MOST_CHANNELS} were expected"
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        return f"a rate of {rate_hz} Hz: from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz were expected"
    return None if frames else "empty: there is no sound in it"


def wav_bytes(pcm: bytes, rate_hz: int, channels: int = 1) -> bytes:
    """Returns a WAV of 16-bit samples; with two channels `pcm` holds left and right in turn."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return data.getvalue()


def _chunks(data: bytes) -> tuple[_Format, bytes]:
    """The format, and the bytes of the sound."""
    kind, long_size, at = None, None, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"ds64" and size >= 16 and at + 16 <= len(data):
            long_size = struct.unpack_from("<Q", data, at + 8)[0]
        elif name == b"fmt ":
            kind = _format(data[at : at + size])
        elif name == b"data":
            if kind is None:
                raise WavError("no format before its sound: not a WAV that can be read")
            if size == _UNKNOWN_LENGTH and data[:4] != b"RIFF" and long_size is not None:
                size = long_size
            return kind, _complete(data[at : at + size], size)
        at += size + size % 2
    raise WavError("cut off: it ends before its sound begins")


def _complete(sound: bytes, size: int) -> bytes:
    if size == _UNKNOWN_LENGTH:
        raise WavError("its header does not say how long it is, as that of a stream: copy it with a tool such as sox")
    if len(sound) < size:
        raise WavError(f"cut off: {len(sound)} bytes of sound, and its header says {size}")
    return sound


def _format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise WavError("cut off: it ends within its header")
    codec, channels, rate_hz, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and len(chunk) >= 26:
        codec = struct.unpack_from("<H", chunk, 24)[0]
    width = (bits + 7) // 8
    if fault := sound_fault(channels, rate_hz, 1):
        raise WavError(fault)
    if codec not in _WIDTHS:
        raise UnknownCodec(f"codec {codec:#x}")
    if width not in _WIDTHS[codec] or block != width * channels:
        raise WavError(f"its header contradicts itself: {bits} bits, {channels} channels, {block} bytes a frame")
    return _Format(codec, channels, rate_hz, width)


def _as_16_bits(sound: bytes, kind: _Format) -> bytes:
    if kind.codec == _FLOAT:
        return _from_floats(sound, kind.width)
    if kind.codec in _LAWS or kind.width == 2:
        return sound
    import numpy as np

    samples: NDArray[Any] = np.frombuffer(sound, np.uint8)
    if kind.width == 1:  # the one width without a sign
        return ((samples.astype("<i2") - 128) << 8).tobytes()
    return samples.reshape(-1, kind.width)[:, -2:].tobytes()  # the upper 16 bits


def _from_floats(sound: bytes, width: int) -> bytes:
    import numpy as np

    samples = np.frombuffer(sound, f"<f{width}")
    if not np.isfinite(samples).all():
        raise WavError("samples that are no numbers (NaN or infinite)")
    return np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype("<i2").tobytes()
