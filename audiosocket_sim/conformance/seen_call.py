"""What was seen of one connection: bytes and times of both directions, and how it ended. Data only.

All times are in seconds since the case began.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from audiosocket_core.messages import AUDIO_KINDS, HEADER_BYTES
from audiosocket_sim.conformance.script import PeerAction, Script

__all__ = ["Chunk", "ConnectionEnd", "Delays", "Done", "SeenCall", "SeenMessage", "messages_in"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one write sent, or one read found.

    `pieces`: of a read, (bytes, pieces): in how many pieces (TCP segments, or writes) so many bytes of the server's
    stream had come by then; None where that cannot be known.
    """

    at: float
    data: bytes
    pieces: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message of the server. `payload` is shorter than `length` if the stream ended, or stopped, inside it."""

    kind: int
    length: int
    payload: bytes
    began: float
    """When its first byte was read."""
    header_ended: float | None
    """When the third byte of its header was read; None: it never was."""
    ended: float | None
    """When its last byte was read; None: it never was."""
    reads: int
    """In how many reads it came."""
    place: int
    """Of its first byte in the stream."""
    longest_gap: float = 0.0
    """The longest wait between two reads inside it, after its header, in seconds."""

    @property
    def is_audio(self) -> bool:
        """Whether its kind carries sound (0x10 to 0x18)."""
        return self.kind in AUDIO_KINDS

    @property
    def is_whole(self) -> bool:
        """Whether all of it came."""
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class ConnectionEnd:
    """How the connection ended, seen from the peer.

    `by` server: it sent a FIN or a reset before we ended it. `peer`: we did. `nobody`: it was open when the case was
    over.
    """

    by: Literal["server", "peer", "nobody"]
    how: Literal["fin", "reset", "open"]
    at: float
    server_closed_at: float | None = None
    """When the server closed its own end; None: it had not when the case was over, or it cannot be known."""
    answered_with_reset: bool = False
    """What it sent after our close was answered with a reset, as Asterisk's kernel does: its own close is not seen."""


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out: when it began and when it was over. `met`: of one that waits, whether it came."""

    action: PeerAction
    began: float
    ended: float
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Delays:
    """When this machine was late, so that no wait is blamed on the server which we, or the machine, have caused.

    `late`: (when, by how many seconds), in the order of time: our own timers, and how long the bot's program could not
    run although it wanted to, where that can be seen.
    """

    late: tuple[tuple[float, float], ...] = ()

    def worst(self, since: float = 0.0, until: float = float("inf")) -> float:
        """Return the longest delay that ended between two times, or lasted over one of them, in seconds."""
        first = bisect_left(self.late, (since,))
        worst = 0.0
        for at, seconds in self.late[first:]:
            if at - seconds > until:
                break
            worst = max(worst, seconds)
        return worst

    def total(self, since: float = 0.0, until: float = float("inf")) -> float:
        """Return the sum of the delays that ended between two times, in seconds: what bursts and holes may be owed to.

        What our thread and the server's program had to wait at the same time counts twice.
        """
        first = bisect_left(self.late, (since,))
        return sum(seconds for at, seconds in self.late[first:] if at <= until)

    def densest(self, since: float = 0.0, until: float = float("inf"), within: float = 1.0) -> float:
        """Return the largest sum of the delays that ended within so many seconds of each other, between two times.

        It is by how much one message may be late: what delayed the server long before has no part in it.
        """
        first = bisect_left(self.late, (since,))
        found = [(at, seconds) for at, seconds in self.late[first:] if at <= until]
        return max(
            (sum(more for then, more in found[n:] if then <= at + within) for n, (at, _) in enumerate(found)),
            default=0.0,
        )


@dataclass(frozen=True)
class SeenCall:
    """One connection as it was seen."""

    script: Script
    uuid: bytes
    connected_at: float | None
    """None: the server refused it, or did not answer; `why_not_connected` says so."""
    why_not_connected: str = ""
    sent: tuple[Chunk, ...] = ()
    received: tuple[Chunk, ...] = ()
    done: tuple[Done, ...] = ()
    end: ConnectionEnd = field(default_factory=lambda: ConnectionEnd("nobody", "open", 0.0))
    unsent: int = 0
    """Bytes that the server had not taken when the case was over, because it did not read."""
    urgent: bool | None = None
    """Whether the server sent urgent data (TCP's URG); None where that cannot be seen."""
    late_to_connect: bool = False
    """Whether the time to connect was over because of this machine's delays, as far as can be known."""

    @cached_property
    def messages(self) -> tuple[SeenMessage, ...]:
        """All messages of the server, the last one perhaps not whole."""
        return tuple(messages_in(self.received))

    @cached_property
    def audio(self) -> tuple[SeenMessage, ...]:
        """Its messages that carry sound and came whole."""
        return tuple(message for message in self.messages if message.is_audio and message.is_whole)

    @cached_property
    def hangup_at(self) -> float | None:
        """When 00 00 00 was read; None: it was not."""
        return next((message.ended for message in self.messages if message.kind == 0 and message.is_whole), None)

    @property
    def announced_at(self) -> float | None:
        """When the UUID was sent."""
        return next((done.ended for done in self.done if type(done.action).__name__ == "Announce"), None)

    def actions(self, kind: type) -> Iterator[Done]:
        """Iterate over the actions of this type that were carried out, in order."""
        return (done for done in self.done if isinstance(done.action, kind))


def messages_in(received: Sequence[Chunk]) -> Iterator[SeenMessage]:
    """Iterate over the messages in what was read; the last one may be incomplete. It is never tolerant: a length is a
    length, whatever the kind, so a server that loses its place shows as messages of odd kinds."""
    buffer = b""
    came: list[tuple[int, float]] = []  # (bytes of the stream up to here, when)
    total = 0
    for chunk in received:
        total += len(chunk.data)
        came.append((total, chunk.at))
    buffer = b"".join(chunk.data for chunk in received)
    ends = [end for end, _ in came]
    place = 0
    while place < total:
        header = buffer[place : place + HEADER_BYTES]
        length = int.from_bytes(header[1:3], "big") if len(header) == HEADER_BYTES else 0
        stop = place + HEADER_BYTES + length
        whole = len(header) == HEADER_BYTES and stop <= total
        last = min(stop, total)
        first_read, last_read = bisect_left(ends, place + 1), bisect_left(ends, last)
        after_header = range(bisect_left(ends, min(place + HEADER_BYTES, last)), last_read)
        yield SeenMessage(
            kind=header[0],
            length=length,
            payload=buffer[place + HEADER_BYTES : last],
            began=came[first_read][1],
            header_ended=came[bisect_left(ends, place + HEADER_BYTES)][1] if len(header) == HEADER_BYTES else None,
            ended=came[last_read][1] if whole else None,
            reads=last_read - first_read + 1,
            place=place,
            longest_gap=max((came[read + 1][1] - came[read][1] for read in after_header), default=0.0),
        )
        place = stop
