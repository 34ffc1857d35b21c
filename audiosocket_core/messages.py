"""The message, AudioSocket's unit on the wire: kinds, header, payload.

Only how one message looks (docs/protocol.md 1). Who may send which, and when, is `connection`'s; what a
payload sounds like is `slin`'s. Pure: no state, no clock, no input or output.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from audiosocket_core.errors import LocalProtocolError

__all__ = [
    "AUDIO_KIND",
    "AUDIO_KINDS",
    "HEADER_BYTES",
    "MAX_PAYLOAD_BYTES",
    "RATE_HZ",
    "UUID_BYTES",
    "Kind",
    "Message",
    "dtmf_digit",
    "encode",
    "is_audio",
    "pack_header",
    "sample_rate_hz",
    "uuid_message",
]

HEADER_BYTES = 3
MAX_PAYLOAD_BYTES = 65_535
UUID_BYTES = 16

# Kind, then the payload's length as an unsigned big-endian 16-bit number (docs/protocol.md 1.1).
pack_header = struct.Struct(">BH").pack


class Kind(IntEnum):
    """The first byte of a message (docs/protocol.md 1.2). Others occur on the wire: a received kind is a plain int."""

    HANGUP = 0x00
    UUID = 0x01
    SILENCE = 0x02
    DTMF = 0x03
    SLIN8 = 0x10
    SLIN12 = 0x11
    SLIN16 = 0x12
    SLIN24 = 0x13
    SLIN32 = 0x14
    SLIN44 = 0x15
    SLIN48 = 0x16
    SLIN96 = 0x17
    SLIN192 = 0x18
    ERROR = 0xFF


class Message(NamedTuple):
    """One whole message. `payload` is its own copy: it stays valid after the read buffer is used again."""

    kind: int
    payload: bytes


RATE_HZ: Mapping[int, int] = MappingProxyType(
    {
        int(Kind.SLIN8): 8_000,
        int(Kind.SLIN12): 12_000,
        int(Kind.SLIN16): 16_000,
        int(Kind.SLIN24): 24_000,
        int(Kind.SLIN32): 32_000,
        int(Kind.SLIN44): 44_100,
        int(Kind.SLIN48): 48_000,
        int(Kind.SLIN96): 96_000,
        int(Kind.SLIN192): 192_000,
    }
)
"""Audio kind -> samples per second."""

AUDIO_KIND: Mapping[int, int] = MappingProxyType({rate_hz: kind for kind, rate_hz in RATE_HZ.items()})
"""Samples per second -> audio kind."""

AUDIO_KINDS = frozenset(RATE_HZ)


def encode(kind: int, payload: bytes = b"") -> bytes:
    """One message in one piece, for one write: a gap between header and payload ends real calls (docs/protocol.md 4.2).

    Raises `LocalProtocolError` for a kind outside 0..255 or a payload over 65,535 bytes.
    """
    try:
        return pack_header(kind, len(payload)) + payload
    except struct.error:
        raise LocalProtocolError(
            f"no such message: kind {kind} (0 to 255), payload of {len(payload)} bytes (0 to {MAX_PAYLOAD_BYTES})"
        ) from None


def is_audio(kind: int) -> bool:
    """Whether this kind carries sound (0x10 to 0x18)."""
    return 0x10 <= kind <= 0x18


def sample_rate_hz(kind: int) -> int | None:
    """Samples per second of an audio kind; None for every other kind. Labels may lie: docs/protocol.md 1.5."""
    return RATE_HZ.get(kind)


def uuid_message(uuid: UUID) -> Message:
    """The message that opens a call: the 16 bytes in the order in which the text form shows them."""
    return Message(Kind.UUID, uuid.bytes)


def dtmf_digit(payload: bytes) -> str | None:
    """The key of a DTMF payload, as one character; None if it is not exactly one byte (docs/protocol.md 3.2).

    Any byte is reported, also outside 0-9 * # A-D: some drivers deliver other letters.
    """
    return payload.decode("latin-1") if len(payload) == 1 else None
