"""Split one side's byte stream into whole AudioSocket messages (docs/protocol.md 1). Pure.

A message of any kind is passed on; none is rejected. From the first byte that cannot be AudioSocket on, all bytes pass
unchanged, and `raw` is True. No byte is ever lost, added or reordered.
"""

from audiosocket_core.messages import HEADER_BYTES, UUID_BYTES, Kind, is_audio

__all__ = ["MessageSplitter"]

_KNOWN = frozenset({Kind.HANGUP, Kind.UUID, Kind.SILENCE, Kind.DTMF, Kind.ERROR})
_LARGEST_UNKNOWN_BYTES = 4_096
"""A message of an unknown kind with a longer payload is taken for text or another protocol, and passed on at once."""


class MessageSplitter:
    """Splits one direction of one connection. begins_with_uuid: the first message must be a UUID, as from Asterisk."""

    __slots__ = ("_begins", "_rest", "has_begun", "has_hung_up", "raw", "whole_bytes")

    def __init__(self, *, begins_with_uuid: bool) -> None:
        self._begins = begins_with_uuid
        self._rest = bytearray()
        self.raw = False
        """True if bytes now pass unchanged: they cannot be AudioSocket, or they follow a hang-up, which is no fault."""
        self.has_begun = False
        """True if the first bytes were a message's."""
        self.has_hung_up = False
        """True if a hang-up was the last message."""
        self.whole_bytes = 0
        """If `raw`: so many bytes at the beginning of what `feed` last returned are messages."""

    @property
    def is_inside_a_message(self) -> bool:
        """True if a message has begun and is not complete yet."""
        return bool(self._rest)

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take bytes of any length, and return all whole messages so far in one piece; empty if there is none yet."""
        if self.raw:
            self.whole_bytes = 0
            return bytes(data)
        if not self._rest:
            end = self._boundary(data)
            if end == len(data):  # the usual case by far
                return bytes(data)
            self._rest += data[end:]
            return bytes(data[:end])
        self._rest += data
        end = self._boundary(self._rest)
        whole = bytes(self._rest[:end])
        del self._rest[:end]
        return whole

    def end(self) -> bytes:
        """Take the end of the stream, and return the bytes of a message that was never completed."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _boundary(self, data: bytes | bytearray | memoryview) -> int:
        """Return where the last whole message in `data` ends; the length of `data` if it is not AudioSocket."""
        at, size = 0, len(data)
        while size - at >= HEADER_BYTES:
            kind, length = data[at], data[at + 1] << 8 | data[at + 2]
            if not self._may_be_a_message(kind, length):
                self.raw, self.whole_bytes = True, at
                return size
            self._begins, self.has_begun = False, True
            if kind == Kind.HANGUP:  # complete with its header, whatever length it gives; nothing follows it
                self.raw, self.has_hung_up, self.whole_bytes = True, True, size
                return size
            if at + HEADER_BYTES + length > size:
                break
            at += HEADER_BYTES + length
        return at

    def _may_be_a_message(self, kind: int, length: int) -> bool:
        if self._begins:
            return kind == Kind.UUID and length == UUID_BYTES
        return is_audio(kind) or kind in _KNOWN or length <= _LARGEST_UNKNOWN_BYTES
