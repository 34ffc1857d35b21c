"""How one message looks on the wire (docs/protocol.md 1)."""

import uuid

import pytest

from audiosocket_core.errors import LocalProtocolError
from audiosocket_core.messages import (
    AUDIO_KIND,
    MAX_PAYLOAD_BYTES,
    RATE_HZ,
    Kind,
    dtmf_digit,
    encode,
    is_audio,
    sample_rate_hz,
    uuid_message,
)


def test_the_length_is_big_endian() -> None:
    # FR-06: 320 is 01 40, not 40 01.
    assert encode(Kind.SLIN8, bytes(320))[:3] == b"\x10\x01\x40"


def test_a_hangup_is_three_zero_bytes() -> None:
    assert encode(Kind.HANGUP) == b"\x00\x00\x00"


def test_the_uuid_goes_out_in_text_order() -> None:
    message = uuid_message(uuid.UUID("40325ec2-5efd-4bd3-805f-53576e581d13"))
    assert encode(*message).hex(" ") == "01 00 10 40 32 5e c2 5e fd 4b d3 80 5f 53 57 6e 58 1d 13"


def test_the_largest_payload_fits_and_one_byte_more_is_our_bug() -> None:
    assert encode(Kind.SLIN8, bytes(MAX_PAYLOAD_BYTES))[:3] == b"\x10\xff\xff"
    with pytest.raises(LocalProtocolError, match="65536"):
        encode(Kind.SLIN8, bytes(MAX_PAYLOAD_BYTES + 1))


@pytest.mark.parametrize("kind", [-1, 256])
def test_a_kind_is_one_byte(kind: int) -> None:
    with pytest.raises(LocalProtocolError, match="0 to 255"):
        encode(kind)


def test_nine_audio_kinds_have_nine_rates() -> None:
    assert [RATE_HZ[kind] for kind in range(0x10, 0x19)] == [
        8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000,
    ]  # fmt: skip
    assert all(AUDIO_KIND[rate_hz] == kind for kind, rate_hz in RATE_HZ.items())


def test_only_0x10_to_0x18_are_audio() -> None:
    assert [kind for kind in range(256) if is_audio(kind)] == list(RATE_HZ)
    assert sample_rate_hz(Kind.SLIN44) == 44_100
    assert sample_rate_hz(Kind.DTMF) is None
    assert sample_rate_hz(0x7F) is None


def test_a_digit_is_one_byte_of_any_value() -> None:
    assert [dtmf_digit(payload) for payload in (b"5", b"#", b"\xe9", b"", b"12")] == ["5", "#", "é", None, None]
