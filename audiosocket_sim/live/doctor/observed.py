"""Collect the facts of one call: kinds and sizes of messages, the packet time, gaps, keys, and the end. Pure.

Times are loop times in seconds. `findings` judges the facts.
"""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from audiosocket_core.messages import Kind, Message, is_audio
from audiosocket_core.slin import level_dbfs

__all__ = ["End", "Observed", "Probe"]

End = Literal["fin", "reset", "mid_message", "doctor", "breach"]
"""How the call ended: Asterisk closed it, reset it, or closed it inside a message; the doctor hung up; or its first
message was not a UUID."""
Probe = Literal["not_tried", "survived", "ended_before_the_rest", "ended_after_the_rest"]
"""What happened when the doctor sent a message's header in two pieces, 100 ms apart."""

_LONG_GAP_PACKETS = 3
_SHORTEST_LONG_GAP_SECONDS = 0.06
_SHORTEST_PACKET_MS = 1.0
"""No phone packs so little; opus goes down to 2.5 ms."""
_KEYS = frozenset("0123456789*#ABCDabcd")
_MOST_KEYS = 200
_ULAW_QUIET = frozenset((0xFF, 0xFE, 0x7F, 0x7E))
_ALAW_QUIET = frozenset((0xD5, 0xD4, 0x55, 0x54))


@dataclass(slots=True)
class Observed:
    """The facts of one call. `peer` is Asterisk's address (HOST:PORT); `connected_at` is when it connected.

    first_bytes: the beginning of the first data that came, at most 16 bytes.
    """

    peer: str
    connected_at: float
    first_bytes: bytes = b""
    uuid: str | None = None
    uuid_after_ms: float = 0.0
    keys: str = ""
    end: End = "doctor"
    ended_at: float = 0.0
    answered_by: Literal["fin", "reset", "nothing"] = "nothing"
    """What Asterisk did after the doctor's 00 00 00."""
    probe: Probe = "not_tried"
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many audio messages there were of each (kind, length in bytes)."""
    others: Counter[int] = field(default_factory=Counter)
    """How many other messages there were of each kind, without keys and the UUID."""
    loudest_dbfs: float = float("-inf")
    _audio_at: list[float] = field(default_factory=list)
    _key_gaps: set[int] = field(default_factory=set)
    _ulaw_quiet: int = 0
    _alaw_quiet: int = 0

    def take(self, message: Message, now: float) -> None:
        """Take a message that arrived at the time `now`."""
        kind, payload = message.kind, message.payload
        if kind == Kind.DTMF:
            self.keys += "".join(key if key in _KEYS else "?" for key in payload[:_MOST_KEYS].decode("latin-1"))
            self.keys = self.keys[:_MOST_KEYS]
            self._key_gaps.add(len(self._audio_at))
        elif is_audio(kind):
            self._audio_at.append(now)
            self.sizes[kind, len(payload)] += 1
            self._ulaw_quiet += sum(payload.count(byte) for byte in _ULAW_QUIET)
            self._alaw_quiet += sum(payload.count(byte) for byte in _ALAW_QUIET)
            if len(payload) > 1:
                self.loudest_dbfs = max(self.loudest_dbfs, level_dbfs(payload[: len(payload) & ~1]))
        elif kind != Kind.UUID:
            self.others[kind] += 1

    @property
    def seconds(self) -> float:
        """The duration of the call in seconds."""
        return self.ended_at - self.connected_at

    @property
    def n_audio(self) -> int:
        """The number of audio messages."""
        return len(self._audio_at)

    @property
    def usual(self) -> tuple[int, int] | None:
        """The commonest (kind, length in bytes) of the audio messages, None if there were none."""
        return self.sizes.most_common(1)[0][0] if self.sizes else None

    @property
    def packet_ms(self) -> float | None:
        """The phone's packet time: the median time between two audio messages.

        None for fewer than six, and where most of them came at once (`comes_in_bursts`).
        """
        usual = self._usual_gap_ms
        return None if usual is None or usual < _SHORTEST_PACKET_MS else usual

    @property
    def comes_in_bursts(self) -> bool:
        """Most audio messages came together with the one before: something on their way held them back."""
        usual = self._usual_gap_ms
        return usual is not None and usual < _SHORTEST_PACKET_MS

    @property
    def _usual_gap_ms(self) -> float | None:
        gaps = self._gaps()
        return None if len(gaps) < 5 else median(gap for _, gap in gaps) * 1000

    @property
    def long_gaps_ms(self) -> list[float]:
        """The durations of gaps in the audio, in ms, without those that a pressed key explains."""
        packet_ms = self.packet_ms
        if packet_ms is None:
            return []
        least = max(_SHORTEST_LONG_GAP_SECONDS, _LONG_GAP_PACKETS * packet_ms / 1000)
        return [gap * 1000 for index, gap in self._gaps() if gap > least and index not in self._key_gaps]

    @property
    def law(self) -> Literal["ulaw", "alaw"]:
        """The likelier of the two G.711 codecs, by their codes for near silence. It has no meaning for other audio."""
        return "alaw" if self._alaw_quiet > self._ulaw_quiet else "ulaw"

    def _gaps(self) -> list[tuple[int, float]]:
        """Return the time before each audio message but the first: (index of the message, seconds)."""
        at = self._audio_at
        return [(index, at[index] - at[index - 1]) for index in range(1, len(at))]
