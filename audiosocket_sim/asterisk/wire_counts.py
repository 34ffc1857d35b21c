"""Counts the messages of one call, both ways: kinds, sizes, and when the server sent nothing. Pure arithmetic."""

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from audiosocket_core.messages import AUDIO_KIND

__all__ = ["MessageCount", "WireCounts"]


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many messages of one kind there were, and the sizes of their payloads in bytes."""

    kind: int
    messages: int
    shortest_bytes: int
    longest_bytes: int


class WireCounts:
    """What went over the wire so far. Times are the loop's, in seconds."""

    def __init__(self) -> None:
        self._audio: Counter[tuple[int, int]] = Counter()  # by rate and size
        self._written: Counter[tuple[int, int]] = Counter()  # by kind and size
        self._at = array("d")

    def took(self, at: float, rate_hz: int, n_bytes: int) -> None:
        """Count one audio message of the server that came at `at`."""
        self._audio[rate_hz, n_bytes] += 1
        self._at.append(at)

    def wrote(self, message: bytes) -> None:
        """Count one message to the server: header and payload."""
        self._written[message[0], len(message) - 3] += 1

    @property
    def from_server(self) -> tuple[MessageCount, ...]:
        """The server's audio messages, by kind."""
        return _by_kind({(int(AUDIO_KIND[rate_hz]), size): count for (rate_hz, size), count in self._audio.items()})

    @property
    def to_server(self) -> tuple[MessageCount, ...]:
        """The messages that were sent to the server, by kind."""
        return _by_kind(self._written)

    def since(self, at: float) -> int:
        """Return how many audio messages of the server have come since `at`."""
        return len(self._at) - bisect_left(self._at, at)

    def longest_pause(self, start: float, end: float) -> tuple[float, float]:
        """Return the longest time from `start` to `end` in which the server sent no audio: from when, until when."""
        times = self._at[bisect_left(self._at, start) : bisect_left(self._at, end)]
        return max(pairwise([start, *times, end]), key=lambda pause: pause[1] - pause[0])


def _by_kind(counts: dict[tuple[int, int], int]) -> tuple[MessageCount, ...]:
    kinds = sorted({kind for kind, _ in counts})
    found = []
    for kind in kinds:
        sizes = {size: count for (other, size), count in counts.items() if other == kind}
        found.append(MessageCount(kind, sum(sizes.values()), min(sizes), max(sizes)))
    return tuple(found)
