"""Bytes in, whole messages out: what one side sent, cut only where a message ends. Pure.

It judges nothing (docs/protocol.md 1): a message of any kind is one message. Bytes that cannot be AudioSocket are
passed on as they are from then on, which `raw` tells. Nothing is ever lost, added or moved.
"""

from audiosocket_core.messages import HEADER_BYTES, UUID_BYTES, Kind, is_audio

__all__ = ["MessageSplitter"]

_KNOWN = frozenset({Kind.HANGUP, Kind.UUID, Kind.SILENCE, Kind.DTMF, Kind.ERROR})
_LARGEST_UNKNOWN_BYTES = 4_096
"""A message of an unknown kind that claims more than this is text, or another protocol: nobody waits for its end."""


class MessageSplitter:
    """One direction of one connection. begins_with_uuid: what the side that dials must begin with."""

    __slots__ = ("_begins", "_rest", "raw")

    def __init__(self, *, begins_with_uuid: bool) -> None:
        self._begins = begins_with_uuid
        self._rest = bytearray()
        self.raw = False
        """The bytes are no messages any more: they pass as they come. After a hangup that is nobody's fault."""

    @property
    def is_inside_a_message(self) -> bool:
        """A message has begun that is not whole."""
        return bool(self._rest)

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        """What may be written now: whole messages, in one piece; empty while the first of them is not whole."""
        if self.raw:
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
        """The stream has ended: what is left of a message that never became whole."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _boundary(self, data: bytes | bytearray | memoryview) -> int:
        """Where the last whole message in `data` ends; all of it where it is no AudioSocket (any more)."""
        at, size = 0, len(data)
        while size - at >= HEADER_BYTES:
            kind, length = data[at], data[at + 1] << 8 | data[at + 2]
            if not self._may_be_a_message(kind, length):
                self.raw = True
                return size
            self._begins = False
            if kind == Kind.HANGUP:  # whole with its header, whatever length it tells; nothing follows it
                self.raw = True
                return size
            if at + HEADER_BYTES + length > size:
                break
            at += HEADER_BYTES + length
        return at

    def _may_be_a_message(self, kind: int, length: int) -> bool:
        if self._begins:
            return kind == Kind.UUID and length == UUID_BYTES
        return is_audio(kind) or kind in _KNOWN or length <= _LARGEST_UNKNOWN_BYTES
