"""A phone like those that use WebRTC's NetEq: its delay follows the last packets, and changes in pauses. Pure.

A model of the idea, with NetEq's figures, and not of its code: the delay that is aimed at is the 0.95 quantile of how
late packets came of late (a histogram of 20 ms steps that forgets), the buffer takes 200 packets, and throws all of
them away when one more comes. NetEq stretches and shortens speech; here speech stays as it is, pauses become shorter
and longer, and what NetEq would extrapolate is silence. Held against a real one in `benchmarks/neteq.py`.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np

from audiosocket_sim.hearing.phones.packets import ROUNDING, Lost, PhonePacket, Played
from audiosocket_sim.hearing.phones.rtp_stamps import RtpStamps

__all__ = ["NeteqLike"]

_STEP_MS = 20
_BUCKETS = 100
_QUANTILE = 0.95
_FORGETS = 0.983
_START_MS = 80
_WINDOW_SECONDS = 2.0
_MOST_PACKETS = 200
_QUIET = 100
"""Up to this sample value (-50 dBFS) a packet is a pause."""
_FULL = "200 packets were waiting when one more came, and the phone threw them all away"
_PAUSE = "the phone made a pause shorter"


class NeteqLike:
    """The buffer of one phone."""

    plays = True

    def __init__(self) -> None:
        self._late = _Lateness()
        self._packets: deque[PhonePacket] = deque()
        self._done: list[Played | Lost] = []
        self._next = 0.0
        self._first_at = 0.0
        self._runs = False
        self._skipped = self._lengthened = False
        self._has_run = False

    def take(self, packet: PhonePacket) -> None:
        """Put a packet into the buffer; if it is full, lose what is in it."""
        self._play_until(packet.at, with_all_of_now=False)
        self._late.note(packet)
        if len(self._packets) >= _MOST_PACKETS:
            self._done += [Lost(packet.at, old, old.payload, _FULL) for old in self._packets]
            self._packets.clear()
            self._runs = self._runs and self._next > packet.at
        if not self._packets and not (self._runs and self._next >= packet.at - ROUNDING):
            self._runs, self._first_at = False, packet.at
        self._packets.append(packet)
        behind = packet.seconds if self._has_run else 0.0
        if not self._runs and self._seconds_waiting() >= self._waits_seconds + behind - ROUNDING:
            self._run(packet.at)

    def due(self, now: float) -> Iterator[Played | Lost]:
        """Yield what was played and lost."""
        self._play_until(now, with_all_of_now=True)
        done, self._done = self._done, []
        yield from done

    @property
    def target_ms(self) -> int:
        """The delay that is aimed at."""
        return self._late.target_ms

    @property
    def waiting(self) -> Iterable[PhonePacket]:
        """The packets in the buffer."""
        return iter(self._packets)

    @property
    def _waits_seconds(self) -> float:
        """How long the phone waits before it begins to play, unless it has that much before."""
        return (self._late.target_ms if self._has_run else _START_MS) / 1000

    def _run(self, at: float) -> None:
        self._runs = self._has_run = True
        self._next = at

    def _seconds_waiting(self) -> float:
        return sum(packet.seconds for packet in self._packets)

    def _play_until(self, now: float, *, with_all_of_now: bool) -> None:
        until = now + ROUNDING if with_all_of_now else now - ROUNDING
        if not self._runs and self._packets:
            starts = self._first_at + self._waits_seconds
            if starts <= until:
                self._run(starts)
        while self._runs and self._packets and self._next <= until:
            self._play(self._packets.popleft())

    def _play(self, packet: PhonePacket) -> None:
        """Play a packet, or skip it: each second one of a pause, while more is waiting than is aimed at. While less is
        waiting, each second one of a pause has as much silence behind it."""
        behind_ms, target_ms = self._seconds_waiting() * 1000, self._late.target_ms
        too_much, too_little = behind_ms >= target_ms + _STEP_MS, behind_ms + packet.seconds * 1000 < target_ms
        self._skipped = too_much and not self._skipped and _is_pause(packet)
        if self._skipped:
            self._done.append(Lost(self._next, packet, packet.payload, _PAUSE))
            return
        self._done.append(Played(self._next, packet, packet.payload))
        self._lengthened = too_little and not self._lengthened and _is_pause(packet)
        self._next += packet.seconds * (2 if self._lengthened else 1)


class _Lateness:
    """How late packets come, by their stamps, behind the earliest of the last two seconds; and the delay for it."""

    def __init__(self) -> None:
        self._stamps = RtpStamps()
        self._delays: deque[tuple[float, float]] = deque()  # when, and how far behind its stamp, in seconds
        self._shares = [0.0] * _BUCKETS
        self._count = 0
        self.target_ms = _START_MS
        """The delay that is aimed at."""

    def note(self, packet: PhonePacket) -> None:
        """Take a packet's arrival."""
        behind = packet.at - self._stamps.stamp(packet.at, packet.samples) / 8000
        while self._delays and self._delays[0][0] < packet.at - _WINDOW_SECONDS:
            self._delays.popleft()
        while self._delays and self._delays[-1][1] >= behind:  # it can be the earliest no more
            self._delays.pop()
        self._delays.append((packet.at, behind))
        late_ms = (behind - self._delays[0][1]) * 1000
        self._count += 1
        if self._count == 1:
            return  # nothing to compare it with
        self._add(min(int(late_ms / _STEP_MS + ROUNDING), _BUCKETS - 1))
        self.target_ms = (self._quantile() + 1) * _STEP_MS

    def _add(self, bucket: int) -> None:
        forgets = min(_FORGETS, max(0.0, 1 - 2 / self._count))  # the first ones count as what they are: all there is
        self._shares = [share * forgets for share in self._shares]
        self._shares[bucket] += 1 - forgets

    def _quantile(self) -> int:
        return bisect_left(list(accumulate(self._shares)), _QUANTILE - ROUNDING)


def _is_pause(packet: PhonePacket) -> bool:
    samples = np.frombuffer(packet.payload, "<i2", count=len(packet.payload) // 2)
    return bool(np.all((samples >= -_QUIET) & (samples <= _QUIET)))
