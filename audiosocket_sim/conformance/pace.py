"""The pace of a server's sound: how far it is ahead of the clock, drift, holes, and the pieces it comes in. Pure.

Times in seconds. A *stretch* is a row of audio messages in which the sound never runs out for long.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audiosocket_core.messages import HEADER_BYTES, RATE_HZ
from audiosocket_sim.conformance.heard import samples_of
from audiosocket_sim.conformance.seen_call import Chunk, SeenMessage

__all__ = ["PaceHole", "PaceStretch", "SplitMessage", "holes_in", "seconds_in", "splits_in", "stretches_of"]

_ENDS_STRETCH = 0.06
"""A stretch is over when the sound has run out for so long."""
_LOUD_PEAK = 1_000
_EDGE_SAMPLES = 80
_HOLE = (0.03, 0.3)
"""How long sound may be missing between two loud messages to count as a hole: less is jitter, more is a pause."""
_ONE_SEGMENT_BYTES = 1_200
"""A message up to here fits into one segment on any way."""


def seconds_in(message: SeenMessage) -> float:
    """Return how long a message's sound lasts."""
    return len(message.payload) // 2 / RATE_HZ[message.kind]


@dataclass(frozen=True, slots=True)
class PaceStretch:
    """A row of messages without a hole. `worst`: (when, by how many seconds it was ahead before that message)."""

    messages: tuple[SeenMessage, ...]
    worst: tuple[float, float]

    @property
    def began(self) -> float:
        """When its first message had come."""
        return self.messages[0].ended or 0.0

    @property
    def ended(self) -> float:
        """When its last message had come."""
        return self.messages[-1].ended or 0.0

    def drift(self, skip: float) -> tuple[float, float]:
        """Return (seconds of sound, seconds elapsed) between two of its messages, from `skip` s after its begin on.

        They are the one that is most ahead in the first quarter, and the one in the last. Whoever sends in lumps, or
        wakes late, is behind its own clock most of the time, but it is never ahead of it.
        """
        leads: list[tuple[float, float]] = []  # of each message: when it came, the sound that was sent before it
        sent = 0.0
        for message in self.messages:
            if (message.ended or 0.0) >= self.began + skip:
                leads.append((message.ended or 0.0, sent))
            sent += seconds_in(message)
        if len(leads) < 2:
            return 0.0, 0.0
        quarter = (leads[-1][0] - leads[0][0]) / 4
        one = max((lead for lead in leads if lead[0] <= leads[0][0] + quarter), key=_lead)
        two = max((lead for lead in leads if lead[0] >= leads[-1][0] - quarter), key=_lead)
        return two[1] - one[1], two[0] - one[0]


def _lead(when_and_sent: tuple[float, float]) -> float:
    return when_and_sent[1] - when_and_sent[0]


@dataclass(frozen=True, slots=True)
class PaceHole:
    """Sound that stops in its middle: from when, for how long."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SplitMessage:
    """A message that came in several pieces: its place among the messages, and after how many bytes; 0: not known."""

    message: int
    after: int


def stretches_of(audio: Sequence[SeenMessage]) -> list[PaceStretch]:
    """Return the stretches of a call's audio messages, each with the most by which it was ahead."""
    stretches: list[PaceStretch] = []
    part: list[SeenMessage] = []
    ahead, before, worst = 0.0, 0.0, (0.0, 0.0)
    for message in audio:
        if not message.payload:
            continue
        now = message.ended or 0.0
        ahead -= now - before
        if part and ahead < -_ENDS_STRETCH:
            stretches.append(PaceStretch(tuple(part), worst))
            part = []
        if not part:
            worst = (now, 0.0)
        ahead = max(0.0, ahead)
        if ahead > worst[1]:
            worst = (now, ahead)
        ahead += seconds_in(message)
        before = now
        part.append(message)
    if part:
        stretches.append(PaceStretch(tuple(part), worst))
    return stretches


def holes_in(audio: Sequence[SeenMessage]) -> Iterator[PaceHole]:
    """Iterate over the holes in loud sound: both edges are loud, and nothing came although the sound had run out."""
    ahead = 0.0
    for one, two in pairwise(audio):
        began, ended = one.ended or 0.0, two.ended or 0.0
        ahead = max(0.0, ahead) + seconds_in(one)
        missing = (ended - began) - ahead
        ahead -= ended - began
        if (
            _HOLE[0] < missing < _HOLE[1]
            and _is_loud(one.payload[-2 * _EDGE_SAMPLES :])
            and _is_loud(two.payload[: 2 * _EDGE_SAMPLES])
        ):
            yield PaceHole(began, missing)


def splits_in(messages: Sequence[SeenMessage], received: Sequence[Chunk]) -> Iterator[SplitMessage]:
    """Iterate over the messages that surely were written, or came, in more than one piece.

    Known are the places up to which the stream had come at each look, which are edges of pieces, and how many pieces
    came in between. A message of more than a segment's bytes may come in several, but never its header alone.
    """
    places = [message.place for message in messages]
    place = pieces = 0
    whole = True  # the last look was at the end of a message
    for until, count in (chunk.pieces for chunk in received if chunk.pieces is not None):
        if until <= place or not messages:
            continue
        last = bisect_left(places, until) - 1
        inside = until - places[last]
        ends_whole = inside >= _size(messages[last])
        if not ends_whole and (inside <= HEADER_BYTES or _size(messages[last]) <= _ONE_SEGMENT_BYTES):
            yield SplitMessage(last, inside)
        elif whole and ends_whole:
            allowed = sum(
                -(-_size(one) // _ONE_SEGMENT_BYTES) for one in messages[bisect_left(places, place) : last + 1]
            )
            if count - pieces > allowed:
                yield SplitMessage(last, 0)
        place, pieces, whole = until, count, ends_whole


def _size(message: SeenMessage) -> int:
    return HEADER_BYTES + message.length


def _is_loud(edge: bytes) -> bool:
    samples = samples_of(edge)
    return samples.size > 0 and int(abs(samples.astype(int)).max()) > _LOUD_PEAK
