"""The caller's channel inside Asterisk: when its packets come, and when a held key silences them. Pure arithmetic.

Times are loop times in seconds. Deadlines are multiples of the packet time, never sums, so nothing drifts.
"""

from collections import deque
from dataclasses import dataclass

from audiosocket_sim.asterisk.faults import PacketDelays

__all__ = ["KeyPress", "Keypad", "PacketGrid"]

SHORTEST_TONE_MS = 80
"""The core stretches shorter digits (`dtmfminduration`; docs/protocol.md, 3.2)."""
SHORTEST_GAP_MS = 45


class PacketGrid:
    """When the caller's packets come.

    The first is due `first_ms` after `start` (the phone's clock knows nothing of the call to the server), the others
    one packet time apart. A packet comes when it is due or, with `delays`, later, and never out of order. Delays do not
    add up: the mean is exact, and after a hole the packets that were due in it come at once (FID-07).
    """

    def __init__(
        self, start: float, packet_time_ms: int, delays: PacketDelays | None = None, *, first_ms: float
    ) -> None:
        self._start = start
        self._first_ms = first_ms
        self._packet_time_ms = packet_time_ms
        self._delays = delays
        self._number = -1
        self.due = start
        """Loop time at which the next packet is due by the grid."""
        self.next_at = start
        """Loop time at which it comes."""
        self.take()

    def lose_ticks(self, until: float) -> None:
        """Drop the packets that were due up to `until`: the clock that makes them stood still, and goes on later."""
        lost = max(0.0, until - self.next_at)
        self._start += lost
        self.due += lost
        self.next_at += lost

    def take(self) -> None:
        """Go on to the next packet."""
        self._number += 1
        self.due = self._start + (self._first_ms + self._number * self._packet_time_ms) / 1000
        if self._delays is None:
            self.next_at = self.due
        else:
            self.next_at = max(self.next_at, self.due + self._delays.next_ms() / 1000)


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key press: held from `down` until just before `up`, at which Asterisk reports it. Loop times in seconds."""

    digit: str
    down: float
    up: float


class Keypad:
    """Keys in the order pressed, one at a time, with the lengths and gaps that Asterisk's core enforces (FID-09)."""

    def __init__(self) -> None:
        self._keys: deque[KeyPress] = deque()
        self._last_up = float("-inf")

    @property
    def in_use(self) -> bool:
        """Whether a key is down, or waits to be pressed."""
        return bool(self._keys)

    def press(self, digit: str, tone_ms: float, now: float) -> KeyPress:
        """Press the key now, or once the key before it is released and the gap has passed."""
        down = max(now, self._last_up + SHORTEST_GAP_MS / 1000)
        key = KeyPress(digit, down, down + max(tone_ms, SHORTEST_TONE_MS) / 1000)
        self._last_up = key.up
        self._keys.append(key)
        return key

    def held(self, at: float) -> bool:
        """Whether a packet that comes at `at` falls into a key press, so that the core drops its audio."""
        return any(key.down <= at < key.up for key in self._keys)

    def released(self, now: float) -> list[KeyPress]:
        """Return the keys that were released by `now`, each only once."""
        keys = self._keys
        up: list[KeyPress] = []
        while keys and keys[0].up <= now + 1e-9:
            up.append(keys.popleft())
        return up
