"""The sound of a phone whose buffer is a model: what plays when the model says so, and what the model lost. Pure.

How far ahead the bot sends is measured as if all were played as it comes, whatever the model does: that is the bot's
doing. When it is played, and what of it, is the model's.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from audiosocket_core.slin import resample
from audiosocket_sim.hearing.loudness import audible_stretches
from audiosocket_sim.hearing.phone_buffer import PHONE_HOLDS_MS, PhoneBuffer
from audiosocket_sim.hearing.phones import Lost, PhoneModel, PhonePacket
from audiosocket_sim.hearing.playout import JITTER, RATE_HZ, Playout

__all__ = ["ModelledPlayout", "PhoneLost", "PhoneUse"]

_FRAME = 160
_TOGETHER_SECONDS = 1.0
_BEHIND = f"it came at once to the phone behind it, which holds {PHONE_HOLDS_MS} ms"


@dataclass(frozen=True, slots=True)
class PhoneLost:
    """The phone lost `lost_ms` of audible sound from `at` on (s), within `lasted_ms`. `why`: in words."""

    at: float
    lost_ms: int
    lasted_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class PhoneUse:
    """What a phone did in a call: it played `played_ms` of sound, and lost `lost_ms` of audible sound.

    `delays_ms`: the shortest and the longest time from a packet's arrival to its playing; None: nothing was played.
    """

    played_ms: int
    lost_ms: int
    delays_ms: tuple[int, int] | None


@dataclass(slots=True)
class _Loss:
    at: float
    until: float
    why: str
    samples: int


class ModelledPlayout(Playout):
    """A playout that plays what the model `phone` plays. `sent`: the endless buffer that measures how far ahead the bot
    sends. `on_lost`: called with each loss, once it is over; `on_played`: with what plays, its time (s), rate (Hz)."""

    def __init__(
        self,
        phone: PhoneModel,
        sent: PhoneBuffer,
        on_lost: Callable[[PhoneLost], None],
        on_played: Callable[[float, int, bytes], None] | None = None,
    ) -> None:
        super().__init__(PhoneBuffer(endless=phone.plays))
        self._phone = phone
        self._sent = sent
        self._on_lost = on_lost
        self._on_played = on_played
        self._loss: _Loss | None = None
        self._lost_early: deque[Lost] = deque()  # of which the sound would not have been over yet
        self._playing: tuple[float, PhonePacket] | None = None  # the last packet that began to play, and when it ends
        self._played_ms = 0.0
        self._lost_ms = 0
        self._delays_ms: tuple[int, int] | None = None

    def queue(self, at: float, rate_hz: int, payload: bytes) -> None:
        """A chunk arrived at `at`."""
        self._pass(at)
        if self._zero is None:
            self._zero = at
        now = self.position_at(at)
        self._sent.take(at, now, now, rate_hz, payload)
        ends = self.time_of(self._sent.sent_until)
        self._phone.take(PhonePacket(at, rate_hz, payload, self._sent.sent_until - now - _FRAME, ends))
        self._pass(at)

    def advance(self, now: float) -> None:
        """Time passed."""
        self._pass(now)
        super().advance(now)

    def unheard(self, at: float) -> tuple[float | None, int]:
        """Return since when (s) sound has waited at `at` that was sent and not played, and how much (ms) of it is
        audible. Sound that was lost counts until it would have been played."""
        left = [
            (lost.packet.at, _slin(lost.packet, lost.payload)) for lost in self._lost_early if lost.packet.ends > at
        ]
        if self._playing is not None and self._playing[0] > at:
            left.append((self._playing[1].at, bytes(self.pcm(self.position_at(at), self._queued))))
        left += [(packet.at, _slin(packet, packet.payload)) for packet in self._phone.waiting]
        audible = sorted((came, pcm) for came, pcm in left if audible_stretches(pcm))
        samples = sum(last + 1 - first for _, pcm in audible for first, last in audible_stretches(pcm))
        return (audible[0][0] if audible else None), round(samples * 1000 / RATE_HZ)

    def finish(self) -> PhoneUse:
        """The call is over: report the loss that goes on, and return what the phone did in all."""
        self._report_loss()
        return PhoneUse(round(self._played_ms), self._lost_ms, self._delays_ms)

    def _report_loss(self) -> None:
        loss, self._loss = self._loss, None
        if loss is not None:
            lost_ms, lasted_ms = loss.samples * 1000 // RATE_HZ, round((loss.until - loss.at) * 1000)
            self._lost_ms += lost_ms
            self._on_lost(PhoneLost(loss.at, lost_ms, lasted_ms, loss.why))

    def _pass(self, now: float) -> None:
        """Take what the model has played and lost until now."""
        for event in self._phone.due(now):
            if isinstance(event, Lost):
                self._note_lost(event)
            else:
                self._play(event.at, event.packet, event.payload)
        while self._lost_early and self._lost_early[0].packet.ends <= now:
            self._lost_early.popleft()
        if self._loss is not None and now - self._loss.until > _TOGETHER_SECONDS:
            self._report_loss()

    def _play(self, at: float, packet: PhonePacket, payload: bytes) -> None:
        now = self._wait(at, JITTER if self._chunks_end else 1)
        start = self._queued
        kept = self._buffer.take(at, now, start, packet.rate_hz, payload)
        if len(kept) < len(payload):
            self._note_lost(Lost(at, packet, payload[len(kept) :], _BEHIND))
        if not kept:
            return
        self._append(packet.rate_hz, kept)
        self._note_ahead(start, packet.ahead)
        at = max(at, self.time_of(start))
        payload, seconds = kept, len(kept) // 2 / packet.rate_hz
        self._playing = at + seconds, packet
        if self._on_played is not None:
            self._on_played(at, packet.rate_hz, payload)
        self._played_ms += seconds * 1000
        delay = round((at - packet.at) * 1000)
        least, most = self._delays_ms or (delay, delay)
        self._delays_ms = min(least, delay), max(most, delay)

    def _note_lost(self, lost: Lost) -> None:
        samples = sum(last + 1 - first for first, last in audible_stretches(_slin(lost.packet, lost.payload)))
        if not samples:
            return
        self._lost_early.append(lost)
        if self._loss is not None and self._loss.why != lost.why:
            self._report_loss()
        if self._loss is None:
            self._loss = _Loss(lost.at, lost.at, lost.why, 0)
        self._loss.until = lost.at
        self._loss.samples += samples


def _slin(packet: PhonePacket, payload: bytes) -> bytes:
    """The sound at 8 kHz."""
    even = payload[: len(payload) // 2 * 2]
    return even if packet.rate_hz == RATE_HZ else resample(even, packet.rate_hz, RATE_HZ)
