"""An odd stream: what one connection does to the server, as data; what in it is legal, and how large it is. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiosocket_core.messages import HEADER_BYTES, Kind
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    Reset,
    Send,
    SignOfLife,
    StopReading,
    seconds_of,
)

__all__ = ["LEGAL_KEY", "Actions", "OddStream", "bytes_of", "cost", "has_key", "is_well_formed", "seconds_without_sign"]

Actions = tuple[PeerAction, ...]

LEGAL_KEY = b"5"
"""The one key of well-formed streams, as it is the one that is tried in a plain call before."""
_LONGEST_WAIT = 1.0
_MOST_SOUND_BYTES = 70_000
_MOST_KEYS = 2


@dataclass(frozen=True, slots=True)
class OddStream:
    """A stream and the seed that it was drawn from: `7/23` is the 23rd stream of seed 7."""

    seed: str
    actions: Actions


def bytes_of(action: PeerAction) -> bytes:
    """Return what an action sends; a call's own UUID shows as zeros."""
    match action:
        case Announce(uuid=uuid, then=then):
            return b"\x01\x00\x10" + (uuid or bytes(16)) + then
        case Send(data=data):
            return data
        case _:
            return b""


def has_key(actions: Iterable[PeerAction]) -> bool:
    """Whether a stream holds a key, of one that is well-formed."""
    return any(kind == Kind.DTMF for kind, _ in _messages(b"".join(map(bytes_of, actions))))


def is_well_formed(actions: Actions) -> bool:
    """Whether a server has to keep the call, and to serve it afterwards.

    It does what a real Asterisk does, or the network below it: a UUID, then sound at 8 kHz of whole samples and the key
    5, cut anywhere, with waits of a second at most; then a sign of life is asked for.
    """
    stream = b""
    for action in actions:
        if isinstance(action, SignOfLife):
            return _is_legal(stream)
        if isinstance(action, Close | Reset | FinishSending | StopReading):
            return False
        waits = action.seconds if isinstance(action, Pause) else getattr(action, "gap", 0.0)
        if waits > _LONGEST_WAIT:
            return False
        stream += bytes_of(action)
    return False


def _is_legal(stream: bytes) -> bool:
    sound = keys = 0
    for place, (kind, payload) in enumerate(_messages(stream)):
        if payload is None:
            return False
        if place == 0:
            if kind != Kind.UUID or len(payload) != 16:
                return False
        elif kind == Kind.SLIN8 and payload and len(payload) % 2 == 0:
            sound += len(payload)
        elif kind == Kind.DTMF and payload == LEGAL_KEY:
            keys += 1
        else:
            return False
    return bool(stream) and sound <= _MOST_SOUND_BYTES and keys <= _MOST_KEYS


def _messages(stream: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Iterate over kinds and payloads; the payload of one that is not whole is None."""
    place = 0
    while place < len(stream):
        header = stream[place : place + HEADER_BYTES]
        length = int.from_bytes(header[1:], "big")
        stop = place + HEADER_BYTES + length
        whole = len(header) == HEADER_BYTES and stop <= len(stream)
        yield header[0], stream[place + HEADER_BYTES : stop] if whole else None
        place = stop


def cost(actions: Actions) -> tuple[int, int, int, float, int]:
    """Return how large a stream is, to find the smallest: bytes, steps, pieces, seconds, bytes that are not 0."""
    sent = b"".join(map(bytes_of, actions))
    pieces = sum(len(action.pieces) for action in actions if isinstance(action, Send))
    gaps = sum(action.gap > 0 for action in actions if isinstance(action, Announce))
    return len(sent), len(actions), pieces + gaps, sum(map(seconds_of, actions)), len(sent) - sent.count(0)


def seconds_without_sign(actions: Actions) -> float:
    """Return how long a stream takes, in seconds, up to the sign of life that ends it."""
    return sum(seconds_of(action) for action in actions if not isinstance(action, SignOfLife))
