"""Caller audio of any kind as 8 kHz: the same bytes for the same sound, and no sample more or less."""

import math
import struct

from audiosocket_server.call.inbound import Inbound

TONE_16_KHZ = struct.pack("<16000h", *(round(9000 * math.sin(n / 5)) for n in range(16000)))


def through(inbound: Inbound, pcm: bytes, kind: int, size: int) -> bytes:
    return b"".join(inbound.slin8(kind, pcm[at : at + size]) for at in range(0, len(pcm), size))


def test_the_same_sound_of_another_rate_gives_the_same_bytes_every_time() -> None:
    first, second = (through(Inbound(print), TONE_16_KHZ, 0x12, 640) for _ in range(2))
    assert first == second
    assert len(first) > 14_500  # the rest is in the filter


def test_full_scale_stays_full_scale() -> None:
    square = struct.pack("<320h", *([32767] * 160 + [-32768] * 160)) * 50
    values = struct.unpack(f"<{len(heard := through(Inbound(print), square, 0x12, 640)) // 2}h", heard)
    assert max(values) == 32767
    assert min(values) == -32768


def test_one_resampler_a_kind_is_kept_when_kinds_take_turns() -> None:
    """To make one takes as long as to resample a hundred frames."""
    inbound, pairs = Inbound(print), []
    for at in range(0, len(TONE_16_KHZ), 640):
        pairs.append((inbound.slin8(0x12, TONE_16_KHZ[at : at + 640]), inbound.slin8(0x14, TONE_16_KHZ[at : at + 640])))
    assert b"".join(first for first, _ in pairs) == through(Inbound(print), TONE_16_KHZ, 0x12, 640)
    assert b"".join(second for _, second in pairs) == through(Inbound(print), TONE_16_KHZ, 0x14, 640)
