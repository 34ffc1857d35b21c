"""The messages of AudioSocket: kinds, header and payload (docs/protocol.md 1). Pure: no state, no clock, no I/O.

Which side may send which message, and when, belongs in `connection`; audio samples belong in `slin`.
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
"""Length of a message's header: its kind, one byte, and its payload's length, two bytes, big-endian."""
MAX_PAYLOAD_BYTES = 65_535
"""The longest payload that the header's 16 bits can name."""
UUID_BYTES = 16
"""Length of the payload of a UUID message."""

pack_header = struct.Struct(">BH").pack
"""Pack a header: the kind, then the length of the payload as an unsigned big-endian 16-bit number (docs/protocol.md
1.1). Raises struct.error."""


class Kind(IntEnum):
    """The first byte of a message (docs/protocol.md 1.2). Other values occur too: a received kind is a plain int."""

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
    """One complete message. `payload` is a copy: it stays valid when the read buffer is used again."""

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
"""Samples per second of each audio kind."""

AUDIO_KIND: Mapping[int, int] = MappingProxyType({rate_hz: kind for kind, rate_hz in RATE_HZ.items()})
"""The audio kind for each number of samples per second."""

AUDIO_KINDS = frozenset(RATE_HZ)
"""All kinds that carry sound."""


def encode(kind: int, payload: bytes = b"") -> bytes:
    """Encode a message. Write it in one piece: a gap between header and payload ends real calls (docs/protocol.md 4.2).

    Raises `LocalProtocolError` for a kind outside 0 to 255 or a payload of more than 65,535 bytes.
    """
    try:
        return pack_header(kind, len(payload)) + payload
    except struct.error:
        raise LocalProtocolError(
            f"no such message: kind {kind} (0 to 255), payload of {len(payload)} bytes (0 to {MAX_PAYLOAD_BYTES})"
        ) from None


def is_audio(kind: int) -> bool:
    """Return True if the kind carries audio (0x10 to 0x18)."""
    return 0x10 <= kind <= 0x18


def sample_rate_hz(kind: int) -> int | None:
    """Return the samples per second of an audio kind, else None. The label may be wrong: docs/protocol.md 1.5."""
    return RATE_HZ.get(kind)


def uuid_message(uuid: UUID) -> Message:
    """Return the message that opens a call: the 16 bytes of the UUID, in the order of its text form."""
    return Message(Kind.UUID, uuid.bytes)


def dtmf_digit(payload: bytes) -> str | None:
    """Return the key of a DTMF payload as one character; None unless the payload is one byte (docs/protocol.md 3.2).

    Bytes outside 0-9 * # A-D are returned too: some channel drivers deliver other letters.
    """
    return payload.decode("latin-1") if len(payload) == 1 else None
