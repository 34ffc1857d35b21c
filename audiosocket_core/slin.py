"""Signed-linear audio (SLIN): frames, silence, level, mixing, resampling, G.711, reading and writing of files.

SLIN is 16-bit little-endian mono, as bytes. The last byte of an odd length is dropped, as in Asterisk (docs/protocol.md
4.3). Knows nothing of messages or clocks.
"""

import errno
import math
import re
import shutil
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_core.resampling import SlinResampler
from audiosocket_core.wav import UnknownCodec, WavError, is_wav, read_wav, sound_fault, wav_bytes

with warnings.catch_warnings():
    # Python 3.11 and 3.12 warn that audioop will be removed; from 3.13 on the package audioop-lts provides it.
    warnings.filterwarnings("ignore", message="'audioop' is deprecated", category=DeprecationWarning)
    import audioop

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "RAW_SUFFIXES",
    "SAMPLE_BYTES",
    "SILENCE_DBFS",
    "AudioFileError",
    "alaw_decode",
    "alaw_encode",
    "duration_ms",
    "frame_bytes",
    "frames",
    "gain",
    "interleave",
    "is_silent",
    "level_dbfs",
    "mix",
    "peak",
    "read_audio",
    "resample",
    "silence",
    "ulaw_decode",
    "ulaw_encode",
    "write_wav",
]

SAMPLE_BYTES = 2
"""SLIN has 16 bits a sample, signed, little-endian."""
SILENCE_DBFS = -120.0
"""What `level_dbfs` says of digital silence."""
RAW_SUFFIXES = frozenset({".slin", ".sln", ".raw"})
"""Files without a header: SLIN at 8 kHz."""
RAW_RATE_HZ = 8_000
_FULL_SCALE = 32_768.0
_COMPRESSED = re.compile(
    rb"\xff[\xe0-\xff]|OggS|fLaC|....ftyp|FORM....AIF|\.snd|\x1aE\xdf\xa3|#!AMR|caff|0&\xb2u", re.DOTALL
)
"""How MP3 and AAC, Ogg, FLAC, MP4, AIFF, AU, Matroska, AMR, CAF and ASF begin."""
_AUDIBLE_PEAK = 33
_LARGEST_FILE_BYTES = 1_000_000_000


class AudioFileError(AudioSocketError):
    """A file exists but cannot be read as audio. The message names the file and says what to do."""


def frame_bytes(rate_hz: int, ptime_ms: int) -> int:
    """Return the bytes of one frame of `ptime_ms`: 320 for 20 ms at 8 kHz. Rounded down to whole samples."""
    return rate_hz * ptime_ms // 1000 * SAMPLE_BYTES


def duration_ms(pcm: bytes, rate_hz: int) -> float:
    """Return the duration of `pcm` in milliseconds."""
    return len(pcm) // SAMPLE_BYTES * 1000 / rate_hz


def silence(ms: float, rate_hz: int = 8_000) -> bytes:
    """Return digital silence of `ms` milliseconds, to the nearest sample."""
    return bytes(round(ms * rate_hz / 1000) * SAMPLE_BYTES)


def frames(pcm: bytes, n_bytes: int) -> Iterator[bytes]:
    """Yield `pcm` in pieces of `n_bytes`, the last one filled up with silence. Raises ValueError if `n_bytes` < 1."""
    if n_bytes < 1:
        raise ValueError(f"a frame has at least one byte, not {n_bytes}")
    for start in range(0, len(pcm), n_bytes):
        yield pcm[start : start + n_bytes].ljust(n_bytes, b"\0")


def level_dbfs(pcm: bytes) -> float:
    """Return the RMS level in dBFS: 0 for a full-scale square wave, -3.01 for a full-scale sine, -120.0 for silence."""
    samples = _samples(pcm).astype(np.float64)
    power = float(np.dot(samples, samples)) / len(samples) if len(samples) else 0.0
    if power == 0.0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, 10.0 * math.log10(power / _FULL_SCALE**2))


def gain(pcm: bytes, db: float) -> bytes:
    """Amplify `pcm` by `db` (attenuate if negative); samples that would overflow stay at full scale."""
    return _saturated(_samples(pcm).astype(np.float64) * 10.0 ** (db / 20.0))


def mix(a: bytes, b: bytes) -> bytes:
    """Add two sounds from their start. The result is as long as the longer one; overflow stays at full scale."""
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    total = _samples(longer).astype(np.int32)
    part = _samples(shorter)
    total[: len(part)] += part
    return _saturated(total)


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Convert a complete sound to another sample rate (soxr, high quality). Blocking: milliseconds per few seconds."""
    if from_hz == to_hz or not pcm:
        return pcm
    return SlinResampler(from_hz, to_hz).feed(pcm, last=True)


def ulaw_encode(pcm: bytes) -> bytes:
    """Encode SLIN as G.711 µ-law, one byte per sample."""
    return audioop.lin2ulaw(_whole(pcm), SAMPLE_BYTES)


def ulaw_decode(coded: bytes) -> bytes:
    """SLIN of G.711 µ-law."""
    return audioop.ulaw2lin(coded, SAMPLE_BYTES)


def alaw_encode(pcm: bytes) -> bytes:
    """Encode SLIN as G.711 A-law, one byte per sample."""
    return audioop.lin2alaw(_whole(pcm), SAMPLE_BYTES)


def alaw_decode(coded: bytes) -> bytes:
    """SLIN of G.711 A-law."""
    return audioop.alaw2lin(coded, SAMPLE_BYTES)


def read_audio(path: Path | str, rate_hz: int = 8_000) -> bytes:
    """Returns the sound of a file as SLIN of `rate_hz`, mixed down to mono. Blocking.

    WAV is read here (PCM, floats, G.711); `.slin`, `.sln` and `.raw` are headerless SLIN of 8 kHz; every other file
    goes through pydub, which needs ffmpeg. A sound may be silent: whether that is wrong is for others to say
    (`is_silent`). Raises `OSError` where the file cannot be opened, else `AudioFileError`: for what is no regular file,
    larger than 1 GB, empty, cut off, of more than 8 channels, of a rate outside 1 to 768 kHz, or no sound at all.
    """
    path = Path(path)
    data = _content(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        pcm, channels, file_hz = _whole(data), 1, RAW_RATE_HZ
    else:
        pcm, channels, file_hz = _decoded(path, data)
    if fault := sound_fault(channels, file_hz, len(pcm) // SAMPLE_BYTES // max(1, channels)):
        raise AudioFileError(f"{path}: {fault}")
    return resample(_mono(pcm, channels), file_hz, rate_hz)


def write_wav(path: Path | str, pcm: bytes, rate_hz: int = 8_000, channels: int = 1) -> None:
    """Write a WAV of 16 bits. With two channels `pcm` holds left and right in turn (`interleave`)."""
    Path(path).write_bytes(wav_bytes(_whole(pcm), rate_hz, channels))


def peak(pcm: bytes) -> int:
    """Return the magnitude of the loudest sample of SLIN, 0 to 32,768; 0 for no sound."""
    return audioop.max(_whole(pcm), SAMPLE_BYTES)


def is_silent(pcm: bytes) -> bool:
    """Returns True if no sample reaches -60 dBFS (33 of 32,768): on a telephone line nothing of it is heard."""
    return peak(pcm) < _AUDIBLE_PEAK


def interleave(left: bytes, right: bytes) -> bytes:
    """Join two mono sounds into one stereo sound; the shorter one is followed by silence."""
    a, b = _samples(left), _samples(right)
    stereo = np.zeros((max(len(a), len(b)), 2), dtype="<i2")
    stereo[: len(a), 0] = a
    stereo[: len(b), 1] = b
    return stereo.tobytes()


def _whole(pcm: bytes) -> bytes:
    """Drop the last byte of an odd length."""
    return pcm if len(pcm) % SAMPLE_BYTES == 0 else pcm[:-1]


def _samples(pcm: bytes) -> "NDArray[np.int16]":
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // SAMPLE_BYTES)


def _bytes(samples: "NDArray[Any]") -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


def _saturated(samples: "NDArray[Any]") -> bytes:
    return _bytes(np.clip(np.rint(samples), -32_768, 32_767))


def _mono(pcm: bytes, channels: int) -> bytes:
    if channels == 1:
        return _whole(pcm)
    samples = _samples(pcm)
    whole = samples[: len(samples) // channels * channels]
    return _saturated(whole.reshape(-1, channels).mean(axis=1))


def _content(path: Path) -> bytes:
    try:
        data = read_regular_file(path, _LARGEST_FILE_BYTES)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EFBIG, errno.EISDIR):
            raise AudioFileError(f"{path}: {error.strerror}: no sound can be read from it") from None
        raise
    if not data:
        raise AudioFileError(f"{path}: empty: there is no sound in it")
    return data


def _decoded(path: Path, data: bytes) -> tuple[bytes, int, int]:
    """Samples, channels and rate."""
    if not is_wav(data):
        if not _is_compressed(data):
            raise AudioFileError(f"{path}: no sound file: it begins as none of WAV, MP3, Ogg, FLAC, M4A and their like")
        return _read_with_pydub(path)
    try:
        sound = read_wav(data)
    except UnknownCodec:
        return _read_with_pydub(path)
    except WavError as error:
        raise AudioFileError(f"{path}: {error}") from None
    pcm = sound.data if sound.law is None else {"ulaw": ulaw_decode, "alaw": alaw_decode}[sound.law](sound.data)
    return pcm, sound.channels, sound.rate_hz


def _is_compressed(data: bytes) -> bool:
    """Whether ffmpeg may be asked. It reads playlists too, also behind ID3 tags: texts that name other files and
    addresses, which no file that came from elsewhere may have opened."""
    while data[:3] == b"ID3" and len(data) > 10:
        size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
        data = data[10 + size + (10 if data[5] & 0x10 else 0) :].lstrip(b"\0")
    return data[:3] in (b"", b"ID3") or _COMPRESSED.match(data) is not None


def _pydub() -> tuple[Any, type[Exception]]:
    """Pydub's AudioSegment and CouldntDecodeError, imported late and without its warning.

    When it is imported it searches the path for ffmpeg, and warns where there is none; few files need one.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Couldn't find ffmpeg or avconv", RuntimeWarning)
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
    return AudioSegment, CouldntDecodeError


def _read_with_pydub(path: Path) -> tuple[bytes, int, int]:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise AudioFileError(f"{path}: ffmpeg is needed to read this file: install it, or use a WAV of 16 bits")
    AudioSegment, CouldntDecodeError = _pydub()
    try:
        sound = AudioSegment.from_file(str(path))
    except (CouldntDecodeError, EOFError, IndexError, KeyError, ValueError, struct.error) as error:
        raise AudioFileError(f"{path}: cannot be read as audio") from error
    sound = sound.set_sample_width(SAMPLE_BYTES)
    return bytes(sound.raw_data), int(sound.channels), int(sound.frame_rate)
