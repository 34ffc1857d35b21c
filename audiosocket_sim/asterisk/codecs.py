"""The codecs that a simulated Asterisk needs: its own µ-law table, and what the channel driver sends without `c(slin)`.

Without `c(slin)` the channel driver writes the caller's codec as it comes and labels it 0x10 (FID-24). G.722 and GSM
need the extra `[codecs]`; the encoders keep state, so each call has its own.
"""

import io
from array import array
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from audiosocket_core import slin
from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.asterisk.profiles import CallerCodec

__all__ = ["CodecMissing", "caller_encoder", "gsm_and_back", "through_asterisks_ulaw", "ulaw_encode_as_asterisk"]

_RATE_HZ = 8000
_ULAW_BIAS = 132
_ULAW_CLIP = 32635


class CodecMissing(AudioSocketError):
    """The extra `[codecs]` is not installed."""


def caller_encoder(codec: CallerCodec) -> Callable[[bytes], bytes]:
    """Return an encoder for one call: 8 kHz SLIN of one packet in, the codec's bytes out.

    20 ms become 320 bytes (slin), 160 (ulaw, alaw, g722) or 33 (gsm). GSM takes whole multiples of 20 ms. Raises
    CodecMissing.
    """
    match codec:
        case "slin":
            return bytes
        case "ulaw":
            return slin.ulaw_encode
        case "alaw":
            return slin.alaw_encode
        case "g722":
            return _g722()
        case "gsm":
            return _gsm()


def _g722() -> Callable[[bytes], bytes]:
    """G.722 at 64 kbit/s. Its coder works at 16 kHz, and takes 8 kHz samples for the lower band alone."""
    try:
        from G722 import G722
    except ImportError:
        raise _missing("c: g722") from None
    coder = G722(_RATE_HZ, 64000)

    def encode(pcm: bytes) -> bytes:
        return bytes(coder.encode(array("h", pcm)))

    return encode


def _gsm(what: str = "c") -> Callable[[bytes], bytes]:
    """GSM 06.10 by libsndfile, 33 bytes for 160 samples."""
    try:
        import soundfile
    except ImportError:
        raise _missing(f"{what}: gsm") from None
    written = io.BytesIO()
    coder = soundfile.SoundFile(written, "w", _RATE_HZ, 1, subtype="GSM610", format="RAW")

    def encode(pcm: bytes) -> bytes:
        start = written.tell()
        coder.write(np.frombuffer(pcm, "<i2"))
        return written.getvalue()[start:]

    return encode


def gsm_and_back() -> Callable[[bytes], bytes]:
    """Return what a GSM line makes of one call's sound: 8 kHz SLIN in whole 20 ms, coded and decoded. Raises
    CodecMissing."""
    encode = _gsm("line: codec")
    import soundfile

    coded = _GrowingFile()
    decoder: soundfile.SoundFile | None = None

    def there_and_back(pcm: bytes) -> bytes:
        nonlocal decoder
        out = []
        for at in range(0, len(pcm), _GSM_PCM_BYTES):
            coded.put(encode(pcm[at : at + _GSM_PCM_BYTES]))
            if decoder is None:  # it reads the first frame at once
                decoder = soundfile.SoundFile(coded, "r", _RATE_HZ, 1, subtype="GSM610", format="RAW")
            out.append(decoder.read(_GSM_PCM_BYTES // 2, dtype="int16").astype("<i2").tobytes())
        return b"".join(out)

    return there_and_back


_GSM_PCM_BYTES = 320


class _GrowingFile:
    """A file that a decoder reads while it is still being written; it reports a length beyond that of any call."""

    _BYTES = 33 * 50 * 24 * 3600

    def __init__(self) -> None:
        self._data, self._at = b"", 0

    def put(self, data: bytes) -> None:
        self._data = self._data + data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._BYTES}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        taken = self._data[:size]
        self._data = self._data[len(taken) :]
        self._at += len(taken)
        return taken


def _missing(codec: str) -> CodecMissing:
    return CodecMissing(f"{codec} needs the extra [codecs]: pip install 'audiosocket-sim[codecs]'")


def ulaw_encode_as_asterisk(pcm: bytes) -> bytes:
    """16-bit SLIN to µ-law by Asterisk's table (`main/ulaw.c`), which differs from G.711's for 9 % of all samples.

    The table has one entry for four neighbouring samples, that of the highest of the four: so negative samples are
    rounded towards zero, and −1 becomes 0x7f where G.711 has 0x7e.
    """
    coded: NDArray[np.uint8] = _asterisk_ulaw()[np.frombuffer(pcm, "<u2") >> 2]
    return coded.tobytes()


def through_asterisks_ulaw(pcm: bytes) -> bytes:
    """Return 16-bit SLIN as it is behind Asterisk's µ-law encoder and a decoder of G.711."""
    return _there_and_back().take(np.frombuffer(pcm, "<u2") >> 2).tobytes()


@cache
def _there_and_back() -> NDArray[np.int16]:
    """Entry `n`: the decoded sample for the four whose unsigned 16-bit values are 4n to 4n + 3."""
    return np.frombuffer(slin.ulaw_decode(_asterisk_ulaw().tobytes()), "<i2")


@cache
def _asterisk_ulaw() -> NDArray[np.uint8]:
    """Entry `n`: the byte for the four samples whose unsigned 16-bit values are 4n to 4n + 3."""
    samples = (np.arange(16384, dtype=np.int32) * 4 + 3).astype(np.uint16).astype(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), _ULAW_CLIP) + _ULAW_BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    table: NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return table
