"""Signed-linear audio (SLIN): frames, silence, level, mixing, resampling, G.711, reading and writing of files.

SLIN is 16-bit little-endian mono, as bytes. The last byte of an odd length is dropped, as in Asterisk (docs/protocol.md
4.3). Knows nothing of messages or clocks.
"""

import contextlib
import math
import shutil
import struct
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.resampling import SlinResampler

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
    "level_dbfs",
    "mix",
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
    """Read a sound file as SLIN of `rate_hz`, mixed down to mono. Blocking.

    WAV of 16 bits is read directly; `.slin`, `.sln` and `.raw` are headerless SLIN of 8 kHz; every other file is read
    by pydub, which needs ffmpeg for most formats. Raises `OSError` if there is no such file, else `AudioFileError`.
    """
    path = Path(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        return resample(_whole(path.read_bytes()), RAW_RATE_HZ, rate_hz)
    read = _read_wav(path) if path.suffix.lower() == ".wav" else None
    pcm, channels, file_hz = read or _read_with_pydub(path)
    return resample(_mono(pcm, channels), file_hz, rate_hz)


def write_wav(path: Path | str, pcm: bytes, rate_hz: int = 8_000, channels: int = 1) -> None:
    """Write a WAV of 16 bits. With two channels, `pcm` holds left and right samples in turn (`interleave`)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate_hz)
        file.writeframes(_whole(pcm))


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


def _read_wav(path: Path) -> tuple[bytes, int, int] | None:
    """Return samples, channels and rate of a WAV of 16 bits; None for other WAV files, which pydub reads."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != SAMPLE_BYTES:
                return None
            return file.readframes(file.getnframes()), file.getnchannels(), file.getframerate()
    except (wave.Error, EOFError):
        return None


def _read_with_pydub(path: Path) -> tuple[bytes, int, int]:
    from pydub import AudioSegment  # imported late: its import warns, and searches the path for ffmpeg
    from pydub.exceptions import CouldntDecodeError

    data = path.read_bytes()  # first, so that a missing file is an OSError with its name, and no complaint about ffmpeg
    sound = None
    try:
        if data[:4] == b"RIFF":
            with contextlib.suppress(CouldntDecodeError):  # ffmpeg reads more kinds of WAV, such as G.711
                sound = AudioSegment(data)
        if sound is None:
            if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
                raise AudioFileError(f"{path}: reading this file needs ffmpeg: install it, or use a WAV of 16 bits")
            sound = AudioSegment.from_file(str(path))
    except (CouldntDecodeError, EOFError, IndexError, KeyError, ValueError, struct.error) as error:
        raise AudioFileError(f"{path}: cannot be read as audio") from error
    sound = sound.set_sample_width(SAMPLE_BYTES)
    return bytes(sound.raw_data), int(sound.channels), int(sound.frame_rate)
