"""Assemble the caller's packets into one track, and find its gaps. Pure; times are ms since the UUID.

Packets that come late and then in a burst (jitter) are continuous sound. Sound that never came is a gap, and all sound
after the gap keeps its place in time.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_core.slin import duration_ms, resample
from audiosocket_sim.live.captured_call.model import Packet

__all__ = ["RATE_HZ", "Gap", "Track", "assemble_track"]

RATE_HZ = 8000
_LOOK_AHEAD_MS = 200
"""How late a packet may be without leaving a gap. A phone that sends nothing for longer is muted."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without packets, from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """The duration in ms."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Track:
    """The caller's sound: 8 kHz SLIN from the UUID on, with zeros in the gaps."""

    pcm: bytes
    gaps: tuple[Gap, ...]

    @property
    def end_ms(self) -> int:
        """The end of the last packet, ms since the UUID."""
        return round(duration_ms(self.pcm, RATE_HZ))

    def part(self, start_ms: int, end_ms: int) -> bytes:
        """Return the sound from `start_ms` to `end_ms` as 8 kHz SLIN."""
        per_ms = 2 * RATE_HZ // 1000
        return self.pcm[per_ms * max(0, start_ms) : per_ms * max(0, end_ms)]


def assemble_track(packets: Sequence[Packet], rate_hz: int, packet_time_ms: int) -> Track:
    """Return the track of `packets`, which are in order of time and of `rate_hz`.

    A first packet that arrives within two packet times of the UUID leaves no gap before it.
    """
    pcm = bytearray()
    gaps: list[Gap] = []
    late_ms = _lateness(packets, rate_hz)
    shift = 0.0  # the total length of the gaps so far, ms
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
    """Return for each packet how much later it came, in ms, than in a track without any gap.

    A packet counts as no later than the packets of the next 200 ms: if these catch up, there was jitter and no gap.
    """
    expected = 0.0
    late: list[float] = []
    for packet in packets:
        late.append(packet.at_ms - expected)
        expected += len(packet.payload) // 2 * 1000 / rate_hz
    lowest = late.copy()
    window: deque[int] = deque()  # indices, the nearest packet first; each is less late than those before it
    for index in reversed(range(len(packets))):
        while window and late[window[0]] >= late[index]:
            window.popleft()
        window.appendleft(index)
        while packets[window[-1]].at_ms - packets[index].at_ms > _LOOK_AHEAD_MS:
            window.pop()
        lowest[index] = late[window[-1]]
    return lowest
