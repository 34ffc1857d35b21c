"""WAV in memory: every kind of sample gives the same sound, and a file that lies is refused for the right reason."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.wav import UnknownCodec, WavError, is_wav, read_wav, wav_bytes

SAMPLES = np.array([0, 256, -256, 32_512, -32_768], "<i2")
PCM = SAMPLES.tobytes()


def wav(
    sound: bytes,
    *,
    codec: int = 1,
    channels: int = 1,
    rate_hz: int = 8_000,
    bits: int = 16,
    block: int | None = None,
    says: int | None = None,
    riff: bytes = b"RIFF",
    before: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """A WAV byte by byte; `says` is the length that its header gives."""
    block = (bits + 7) // 8 * channels if block is None else block
    kind = struct.pack("<HHIIHH", codec, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block, bits) + extra
    size = len(sound) if says is None else says
    chunks = before + b"fmt " + struct.pack("<I", len(kind)) + kind + b"data" + struct.pack("<I", size) + sound
    return riff + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def test_what_is_made_is_read() -> None:
    made = wav_bytes(PCM * 2, 16_000, channels=2)
    sound = read_wav(made)
    assert is_wav(made)
    assert (sound.data, sound.channels, sound.rate_hz, sound.law) == (PCM * 2, 2, 16_000, None)


@pytest.mark.parametrize(
    ("sound", "codec", "bits"),
    [
        (PCM, 1, 16),
        ((SAMPLES // 256 + 128).astype(np.uint8).tobytes(), 1, 8),
        (b"".join(b"\x7f" + PCM[i : i + 2] for i in range(0, len(PCM), 2)), 1, 24),
        (b"".join(b"\x7f\x7f" + PCM[i : i + 2] for i in range(0, len(PCM), 2)), 1, 32),
        ((SAMPLES / 32_768).astype("<f4").tobytes(), 3, 32),
        ((SAMPLES / 32_768).astype("<f8").tobytes(), 3, 64),
    ],
)
def test_samples_of_every_width_become_16_bits(sound: bytes, codec: int, bits: int) -> None:
    assert read_wav(wav(sound, codec=codec, bits=bits)).data == PCM
    extensible = struct.pack("<HHIH", 22, bits, 0, codec) + bytes(14)
    assert read_wav(wav(sound, codec=0xFFFE, bits=bits, extra=extensible)).data == PCM


def test_floats_beyond_full_scale_stay_at_it() -> None:
    assert read_wav(wav(struct.pack("<2f", 1.5, -7), codec=3, bits=32)).data == struct.pack("<2h", 32_767, -32_768)


@pytest.mark.parametrize(("codec", "law"), [(6, "alaw"), (7, "ulaw")])
def test_g711_is_named_and_left_as_it_is(codec: int, law: str) -> None:
    sound = read_wav(wav(b"\x55\xd5", codec=codec, bits=8))
    assert (sound.data, sound.law) == (b"\x55\xd5", law)


def test_other_chunks_and_a_long_header_are_passed_over() -> None:
    assert read_wav(wav(PCM, before=b"LIST\x03\0\0\0abc\0", extra=b"\0\0")).data == PCM
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, len(PCM), 0, 0)
    assert read_wav(wav(PCM, riff=b"RF64", before=ds64, says=0xFFFFFFFF)).data == PCM


def test_a_fraction_of_a_frame_at_the_end_is_left_out() -> None:
    assert read_wav(wav(PCM + b"\x01")).data == PCM
    assert read_wav(wav(PCM, channels=2)).data == PCM[:8]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (wav(b""), "empty: there is no sound in it"),
        (wav(b"\x01"), "empty: there is no sound in it"),
        (wav(PCM, says=11), "cut off: 10 bytes of sound, and its header says 11"),
        (wav(PCM, says=0x7FFF_F000), "cut off: 10 bytes of sound, and its header says 2147479552"),
        (wav(PCM, says=0xFFFF_FFFF), "its header does not say how long it is"),
        (
            wav(PCM, riff=b"RF64", before=b"ds64" + struct.pack("<IQQQI", 28, 0, 1 << 40, 0, 0), says=0xFFFF_FFFF),
            "cut off: 10 bytes of sound, and its header says 1099511627776",
        ),
        (wav(PCM)[:43], "cut off: it ends before its sound begins"),
        (wav(PCM)[:30], "cut off: it ends within its header"),
        (wav(PCM)[:12], "cut off: it ends before its sound begins"),
        (b"RIFF\0\0\0\0WAVEdata\x02\0\0\0\0\0", "no format before its sound"),
        (wav(PCM, channels=0, block=2), "0 channels: from 1 to 8 were expected"),
        (wav(PCM * 9, channels=9), "9 channels: from 1 to 8 were expected"),
        (wav(PCM, channels=65_535, block=2), "65535 channels: from 1 to 8 were expected"),
        (wav(PCM, rate_hz=999), "a rate of 999 Hz: from 1000 to 768000 Hz were expected"),
        (wav(PCM, rate_hz=0), "a rate of 0 Hz"),
        (wav(PCM, rate_hz=768_001), "a rate of 768001 Hz"),
        (wav(PCM, rate_hz=4_000_000_000), "a rate of 4000000000 Hz"),
        (wav(PCM, block=4), "its header contradicts itself: 16 bits, 1 channels, 4 bytes a frame"),
        (wav(PCM, bits=0, block=2), "its header contradicts itself"),
        (wav(PCM, bits=48), "its header contradicts itself"),
        (wav(struct.pack("<f", float("nan")), codec=3, bits=32), "samples that are no numbers"),
        (wav(struct.pack("<d", float("inf")), codec=3, bits=64), "samples that are no numbers"),
    ],
)
def test_a_wav_that_lies_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(WavError) as caught:
        read_wav(data)
    assert str(caught.value).startswith(why)
    assert not isinstance(caught.value, UnknownCodec)


def test_another_codec_is_another_matter() -> None:
    with pytest.raises(UnknownCodec):
        read_wav(wav(PCM, codec=17, bits=4, block=256))


@pytest.mark.parametrize("rate_hz", [1_000, 768_000])
def test_the_limits_themselves_are_taken(rate_hz: int) -> None:
    assert read_wav(wav(PCM * 8, channels=8, rate_hz=rate_hz)).channels == 8


@given(st.binary(max_size=80))
def test_no_header_breaks_the_reader(rest: bytes) -> None:
    for data in (b"RIFF\0\0\0\0WAVE" + rest, b"RF64\0\0\0\0WAVEfmt \x10\0\0\0" + rest, wav(PCM)[:20] + rest):
        with contextlib.suppress(WavError):
            read_wav(data)
