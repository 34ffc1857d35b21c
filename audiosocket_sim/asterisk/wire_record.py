"""What a server did on the wire that is of no consequence to Asterisk, and a fault all the same. Data only."""

from dataclasses import dataclass, field

from audiosocket_core.messages import HEADER_BYTES, RATE_HZ, Kind

__all__ = ["WireRecord", "says_after_the_end"]


@dataclass(slots=True)
class WireRecord:
    """Kept by the leg while it reads, and complete at the end of the call."""

    dropped: list[tuple[float, float]] = field(default_factory=list)
    """The audio messages too long for Asterisk's translators: loop time (s) and length (ms)."""
    after_hang_up: bytearray = field(default_factory=bytearray)
    """What came after 00 00 00, as far as it was read before the connection was reset."""


def says_after_the_end(data: bytes | bytearray) -> str:
    """Return in words what the bytes are that came after the hang-up message."""
    messages, rest = _messages(data)
    if messages:
        what = "1 audio message" if messages == 1 else f"{messages} audio messages"
        return f"{what} came after the hang-up message 00 00 00: nobody hears {'it' if messages == 1 else 'them'}"
    if not rest:
        return "another 00 00 00 came after the hang-up message"
    return (
        f"{len(data)} bytes that are no messages came after what reads as a hang-up message 00 00 00: a message longer "
        "than 65,535 bytes, or one whose length is wrong, does this"
    )


def _messages(data: bytes | bytearray) -> tuple[int, int]:
    """Return how many audio messages the bytes begin with, and how many bytes are no message. The last may be cut."""
    at = count = 0
    while at + HEADER_BYTES <= len(data):
        kind, length = data[at], data[at + 1] << 8 | data[at + 2]
        if kind == Kind.HANGUP and length == 0 and at == 0:
            at += HEADER_BYTES
        elif kind in RATE_HZ and length:
            at += HEADER_BYTES + length
            count += 1
        else:
            break
    return count, max(0, len(data) - at)
