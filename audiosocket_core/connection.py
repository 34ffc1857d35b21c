"""The AudioSocket protocol of one connection, without I/O: bytes in, messages out, and what may be sent when.

It knows the form and the order of messages, but not their meaning for a call, and no clock, socket or event loop. A
shell (`transport`, or a test) moves the bytes.
"""

from enum import Enum

from audiosocket_core.errors import LocalProtocolError, RemoteProtocolError
from audiosocket_core.messages import (
    AUDIO_KINDS,
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    UUID_BYTES,
    Kind,
    Message,
    encode,
    is_audio,
    pack_header,
)

__all__ = ["Connection", "Role", "State"]


class Role(Enum):
    """The side of the connection: SERVER listens (the bot); PEER connects (Asterisk, or its simulation)."""

    SERVER = "server"
    PEER = "peer"


class State(Enum):
    """The state of the connection: AWAITING_UUID until the UUID has passed, then OPEN, finally ENDED."""

    AWAITING_UUID = "awaiting_uuid"
    OPEN = "open"
    ENDED = "ended"


# The kinds that may be sent, by role and state. The reasons (docs/protocol.md):
# - Asterisk accepts only hangup and audio, and hangs up the caller at any other kind (4.3).
# - Before the UUID, a server has nothing to send, but it may refuse the call (2.2).
# - Asterisk sends its UUID first and once, then audio and keys. It never sends hangup or error: it closes (2.2, 3.4).
# - Nothing follows a hangup: data after it turns the orderly end into a reset (4.3).
_NOTHING: frozenset[int] = frozenset()
_MAY_SEND: dict[tuple[Role, State], frozenset[int]] = {
    (Role.SERVER, State.AWAITING_UUID): frozenset({Kind.HANGUP}),
    (Role.SERVER, State.OPEN): AUDIO_KINDS | {Kind.HANGUP},
    (Role.SERVER, State.ENDED): _NOTHING,
    (Role.PEER, State.AWAITING_UUID): frozenset({Kind.UUID}),
    (Role.PEER, State.OPEN): AUDIO_KINDS | {Kind.DTMF},
    (Role.PEER, State.ENDED): _NOTHING,
}
_EXACT_PAYLOAD_BYTES: dict[int, int] = {Kind.HANGUP: 0, Kind.UUID: UUID_BYTES, Kind.DTMF: 1}

_new = tuple.__new__  # makes a Message faster than its own constructor, which is written in Python


class Connection:
    """The two byte streams of one connection, as seen by `role`.

    A SERVER is strict only about the first message, which must be a UUID of 16 bytes. Afterwards it accepts everything
    that any release of Asterisk sends (docs/protocol.md 3):

    - Messages of kinds that no server needs (0x02, 0xff, unknown) are returned, for the log; so is DTMF of any length.
    - Empty audio messages and repeated UUIDs are dropped, and counted in `ignored_messages`.
    - 0x00 is returned as `Message(HANGUP, b"")` as soon as its header is complete (its length has no meaning). Then the
      connection is ENDED.

    A PEER is as strict as the newest Asterisk (docs/protocol.md 4.3); the simulator adds the behaviour of older ones.

    `max_buffered_bytes` bounds the memory: a larger message, header included, is a `RemoteProtocolError`.

    Messages cost time, and a read of 4 KB may hold 1,365 of them. So `receive` can be limited: what it leaves stays
    here, `has_more` is True, and `receive(b"", most)` goes on.
    """

    __slots__ = (
        "_buffer",
        "_is_open",
        "_may_send",
        "_state",
        "error",
        "has_more",
        "ignored_messages",
        "max_buffered_bytes",
        "role",
    )

    def __init__(self, role: Role, *, max_buffered_bytes: int = HEADER_BYTES + MAX_PAYLOAD_BYTES) -> None:
        self.role = role
        self.max_buffered_bytes = max_buffered_bytes
        self.ignored_messages = 0
        self.error: RemoteProtocolError | None = None
        """The protocol error that ended the connection; also set while `receive` still returns earlier messages."""
        self.has_more = False
        """True if the last `receive` reached its limit: call it again, also without new bytes."""
        self._buffer = bytearray()
        self._enter(State.AWAITING_UUID)

    @property
    def state(self) -> State:
        """Whether the UUID went by already, and whether the connection has ended."""
        return self._state

    @property
    def buffered_bytes(self) -> int:
        """The number of bytes of an incomplete message."""
        return len(self._buffer)

    @property
    def in_header(self) -> bool:
        """True if the stream is inside a header, of which 1 or 2 bytes have arrived."""
        return 0 < len(self._buffer) < HEADER_BYTES

    @property
    def in_payload(self) -> bool:
        """True if the stream is behind a header, and payload is missing."""
        return len(self._buffer) >= HEADER_BYTES

    def receive(self, data: bytes | bytearray | memoryview, most: int | None = None) -> list[Message]:
        """Return the messages that `data` completes. How the stream is split does not matter.

        `most`: stop after so many messages, those that are dropped included; see `has_more`. None: no limit.

        Raises `RemoteProtocolError` if the other side broke the protocol, and again at each later call. Messages that
        were complete before the error are not lost: they are returned first, with `error` set, and the next call
        raises. After the end (hangup sent or received, end of stream) bytes are ignored.
        """
        # By far the most frequent case: one complete audio message per read. Everything else takes the slow path.
        if self._is_open and not self._buffer:
            size = len(data)
            if size > HEADER_BYTES:
                kind = data[0]
                if 0x10 <= kind <= 0x18 and (data[1] << 8 | data[2]) + HEADER_BYTES == size <= self.max_buffered_bytes:
                    return [_new(Message, (kind, bytes(data[HEADER_BYTES:])))]
        return self._receive_slowly(data, most)

    def receive_eof(self) -> None:
        """The other side's stream ended. Ends the connection; a message that is not whole is dropped.

        As PEER an end inside a payload is a `RemoteProtocolError`; one inside a header is not (docs/protocol.md 4.3).
        """
        if self.error is not None:
            raise self.error
        self._enter(State.ENDED)
        if self.role is Role.PEER and self.in_payload:
            self.error = RemoteProtocolError("the stream ended inside a payload")
            raise self.error

    def send(self, kind: int, payload: bytes = b"") -> bytes:
        """Return the bytes of one message, to be written in one piece. A hangup ends the connection.

        Raises `LocalProtocolError` if this role may not send the kind in this state, or if the payload does not fit the
        kind: audio has 1 to 65,535 bytes, a UUID 16, a digit 1, a hangup none.
        """
        if self._is_open and payload and 0x10 <= kind <= 0x18:  # by far the most frequent case: `encode` in line
            size = len(payload)
            return pack_header(kind, size) + payload if size <= MAX_PAYLOAD_BYTES else encode(kind, payload)
        if kind not in self._may_send:
            raise LocalProtocolError(
                f"a {self.role.value} may not send kind 0x{kind:02x} in the state {self._state.value}"
            )
        if is_audio(kind):
            raise LocalProtocolError("an empty audio message may not be sent: Asterisk would hang up the caller")
        if len(payload) != _EXACT_PAYLOAD_BYTES[kind]:
            raise LocalProtocolError(
                f"kind 0x{kind:02x} carries {_EXACT_PAYLOAD_BYTES[kind]} bytes, not {len(payload)}"
            )
        message = encode(kind, payload)
        if kind == Kind.UUID:
            self._enter(State.OPEN)
        elif kind == Kind.HANGUP:
            self._end()
        return message

    def _enter(self, state: State) -> None:
        self._state = state
        self._is_open = state is State.OPEN
        self._may_send = _MAY_SEND[self.role, state]

    def _end(self) -> None:
        self._enter(State.ENDED)
        self._buffer.clear()
        self.has_more = False

    def _receive_slowly(self, data: bytes | bytearray | memoryview, most: int | None) -> list[Message]:
        if self.error is not None:
            raise self.error
        messages: list[Message] = []
        if self._state is State.ENDED:
            return messages
        buffer = self._buffer
        buffer += data
        start = taken = 0
        self.has_more = False
        while len(buffer) - start >= HEADER_BYTES:
            if taken == most:
                self.has_more = True
                break
            taken += 1
            kind = buffer[start]
            size = buffer[start + 1] << 8 | buffer[start + 2]
            breach = self._breach(kind, size)
            if breach is not None:
                self.error = RemoteProtocolError(breach)
                self._end()
                if messages:
                    return messages
                raise self.error
            if kind == Kind.HANGUP:
                messages.append(Message(kind, b""))
                self._end()
                return messages
            end = start + HEADER_BYTES + size
            if end > len(buffer):
                break
            self._accept(Message(kind, bytes(buffer[start + HEADER_BYTES : end])), messages)
            start = end
        if start:
            del buffer[:start]
        return messages

    def _accept(self, message: Message, messages: list[Message]) -> None:
        """Append a complete message to `messages`, or count it as ignored."""
        if self.role is Role.SERVER:
            if self._state is State.AWAITING_UUID:
                self._enter(State.OPEN)
            elif message.kind == Kind.UUID or (is_audio(message.kind) and not message.payload):
                self.ignored_messages += 1
                return
        messages.append(message)

    def _breach(self, kind: int, size: int) -> str | None:
        """Return why a header is not allowed in this state, or None if it is. Does not wait for the payload."""
        if self.role is Role.PEER:
            if kind == Kind.HANGUP:
                return None
            if not is_audio(kind):
                return f"kind 0x{kind:02x} arrived: Asterisk accepts only 0x00 and 0x10 to 0x18"
            if size == 0:
                return "an empty audio message arrived: Asterisk does not accept it"
        elif self._state is State.AWAITING_UUID and kind != Kind.HANGUP and (kind != Kind.UUID or size != UUID_BYTES):
            return f"the first message must be a UUID of 16 bytes (0x01), not kind 0x{kind:02x} of {size} bytes"
        if kind != Kind.HANGUP and HEADER_BYTES + size > self.max_buffered_bytes:
            return f"a message of {HEADER_BYTES + size} bytes arrived: at most {self.max_buffered_bytes} are accepted"
        return None
