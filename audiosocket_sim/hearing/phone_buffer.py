"""What a phone keeps of sound that comes faster than it is played, and what of it is never heard. Pure.

Nothing between AudioSocket and the phone keeps audio back, and a phone holds little (docs/protocol.md, FID-20): this
one holds `PHONE_HOLDS_MS` beyond the packet that is playing, and loses each packet that comes on top of that. With
`endless` it loses nothing. Positions are samples of 8 kHz on the clock of `playout`.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from audiosocket_sim.hearing.loudness import audible_stretches

__all__ = ["PHONE_HOLDS_MS", "PhoneBuffer", "SentAhead"]

PHONE_HOLDS_MS = 300
"""The audio that a phone's jitter buffer holds beyond what it is playing. Phones differ: this size is usual."""
_RATE_HZ = 8000
_MS = 8
_PACKET = 160
_JITTER = 80


@dataclass(frozen=True, slots=True)
class SentAhead:
    """Audible sound was sent ahead of what was playing, from `at` on (s), for `lasted_ms`; at the most by `ahead_ms`.

    `lost_ms`: how much of it the phone lost.
    """

    at: float
    ahead_ms: int
    lost_ms: int
    lasted_ms: int


@dataclass(slots=True)
class _Lead:
    at: float
    until: float
    ahead: int = 0
    lost: int = 0


class _Sent(NamedTuple):
    """One message: where it would play if nothing were lost (from `ideal` to `end`), and where its first `kept` samples
    (of `rate_hz`) do."""

    at: float
    ideal: int
    end: int
    real: int
    rate_hz: int
    payload: bytes
    kept: int


class PhoneBuffer:
    """The buffer of one phone. `endless`: it loses nothing. `lead_ms`: sound sent further ahead is reported."""

    def __init__(self, *, endless: bool, lead_ms: int | None = None) -> None:
        self._endless = endless
        self._lead_limit = float("inf") if lead_ms is None else lead_ms * _MS + _JITTER
        self.sent_until = 0
        """The position at which all that was sent would have been played, if nothing of it were lost."""
        self._waiting: deque[_Sent] = deque()
        self._lead: _Lead | None = None
        self.leads: list[SentAhead] = []
        """The times at which sound was sent ahead, which are over, in their order."""
        self.lost: list[tuple[float, int]] = []
        """When audible sound came for which the phone had no room (s), and how much of it was lost (ms)."""

    def take(self, at: float, now: int, queued: int, rate_hz: int, payload: bytes) -> bytes:
        """Return what the phone keeps of a message that came at `at` (s), while `now` was playing and all before
        `queued` was kept already."""
        count = len(payload) // 2
        start = max(self.sent_until, queued)
        if self._lead is not None and start - now <= _PACKET:
            self._end_lead()
        kept = count
        if not self._endless and (queued - now > PHONE_HOLDS_MS * _MS or count * 50 > rate_hz):
            kept = min(count, self._packets(queued - now) * rate_hz // 50)
        self.sent_until = end = start + count * _RATE_HZ // rate_hz
        if kept < count and audible_stretches(_at_8_khz(payload[2 * kept :], rate_hz)):
            self.lost.append((at, (count - kept) * 1000 // rate_hz))
        sent = _Sent(at, start, end, queued, rate_hz, payload, kept)
        waiting = self._waiting
        waiting.append(sent)
        while waiting and waiting[0].end <= now:
            waiting.popleft()
        if end - now - _PACKET > self._lead_limit:
            self._note_lead(sent, end - now - _PACKET)
        return payload if kept == count else payload[: 2 * kept]

    def close(self) -> None:
        """The call is over: report the lead that goes on."""
        self._end_lead()

    def unheard(self, now: int) -> tuple[float | None, int]:
        """Return since when (s) sound has waited that was sent and not played, and how much (ms) of it is audible.

        `now`: what is playing. Sound that was lost counts until it would have been played.
        """
        left = [(sent, pcm) for sent in self._waiting if audible_stretches(pcm := _left_of(sent, now))]
        together = b"".join(pcm for _, pcm in left)
        samples = sum(last + 1 - first for first, last in audible_stretches(together))
        return (left[0][0].at if left else None), round(samples / _MS)

    def _packets(self, waiting: int) -> int:
        """How many packets of 20 ms the phone has room for."""
        return max(0, (PHONE_HOLDS_MS * _MS + _JITTER - max(0, waiting)) // _PACKET + 1)

    def _note_lead(self, sent: _Sent, ahead: int) -> None:
        if not audible_stretches(_at_8_khz(sent.payload, sent.rate_hz)):
            return
        if self._lead is None:
            self._lead = _Lead(sent.at, sent.at)
        self._lead.until = sent.at
        self._lead.ahead = max(self._lead.ahead, ahead)
        self._lead.lost += (len(sent.payload) // 2 - sent.kept) * _RATE_HZ // sent.rate_hz

    def _end_lead(self) -> None:
        lead, self._lead = self._lead, None
        if lead is not None:
            lasted = round((lead.until - lead.at) * 1000)
            self.leads.append(SentAhead(lead.at, lead.ahead // _MS, lead.lost // _MS, lasted))


def _left_of(sent: _Sent, now: int) -> bytes:
    """The sound of a message that has not been played, as SLIN of 8 kHz."""
    pcm = _at_8_khz(sent.payload, sent.rate_hz)
    kept = sent.kept * _RATE_HZ // sent.rate_hz
    waits = max(0, min(kept, now - sent.real))
    lost = max(kept, now - sent.ideal)
    return pcm[2 * waits : 2 * kept] + pcm[2 * lost :]


def _at_8_khz(payload: bytes, rate_hz: int) -> bytes:
    """The sound at 8 kHz, near enough to say what of it is audible."""
    if rate_hz == _RATE_HZ:
        return payload
    wave = np.frombuffer(payload, "<i2", count=len(payload) // 2)
    return wave[(np.arange(len(wave) * _RATE_HZ // rate_hz) * (rate_hz / _RATE_HZ)).astype(np.int64)].tobytes()
