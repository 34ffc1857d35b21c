"""The caller's packets laid on one line of time, and where it has holes. Pure; times are ms since the UUID.

A packet stands where it came. Packets that come late and then in a burst (jitter) are one sound without a hole; what
never came is a hole, and everything after it stands where it belongs.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_core.slin import duration_ms, resample
from audiosocket_sim.live.captured_call.model import Packet

__all__ = ["RATE_HZ", "Gap", "Track", "assemble_track"]

RATE_HZ = 8000
_LOOK_AHEAD_MS = 200
"""So late a packet may be without leaving a hole: a phone that sends nothing for longer is muted."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing came from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Track:
    """8 kHz SLIN from the UUID on, zeros in the holes. `end_ms`: of the last packet."""

    pcm: bytes
    gaps: tuple[Gap, ...]

    @property
    def end_ms(self) -> int:
        return round(duration_ms(self.pcm, RATE_HZ))

    def part(self, start_ms: int, end_ms: int) -> bytes:
        per_ms = 2 * RATE_HZ // 1000
        return self.pcm[per_ms * max(0, start_ms) : per_ms * max(0, end_ms)]


def assemble_track(packets: Sequence[Packet], rate_hz: int, packet_time_ms: int) -> Track:
    """All packets in order. A first packet within a packet time of the UUID leaves no hole before it."""
    pcm = bytearray()
    gaps: list[Gap] = []
    late_ms = _lateness(packets, rate_hz)
    shift = 0.0  # how late the line of time is already, by the holes in it
    for packet, late in zip(packets, late_ms, strict=True):
        missing = late - shift
        if missing >= 0.9 * packet_time_ms:
            start = len(pcm) // 2 * 1000 / rate_hz
            shift += missing
            pcm.extend(bytes(2 * round(missing * rate_hz / 1000)))
            if not (start == 0 and missing < 1.9 * packet_time_ms):
                gaps.append(Gap(round(start), round(start + missing)))
        pcm.extend(packet.payload if len(packet.payload) % 2 == 0 else packet.payload[:-1])
    sound = bytes(pcm)
    return Track(sound if rate_hz == RATE_HZ else resample(sound, rate_hz, RATE_HZ), tuple(gaps))


def _lateness(packets: Sequence[Packet], rate_hz: int) -> list[float]:
    """By how much each packet, and all that came within the next 200 ms, came later than without any hole."""
    expected = 0.0
    late: list[float] = []
    for packet in packets:
        late.append(packet.at_ms - expected)
        expected += len(packet.payload) // 2 * 1000 / rate_hz
    lowest = late.copy()
    window: deque[int] = deque()  # the nearest first, each less late than those before it
    for index in reversed(range(len(packets))):
        while window and late[window[0]] >= late[index]:
            window.popleft()
        window.appendleft(index)
        while packets[window[-1]].at_ms - packets[index].at_ms > _LOOK_AHEAD_MS:
            window.pop()
        lowest[index] = late[window[-1]]
    return lowest
