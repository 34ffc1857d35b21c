"""The caller's channel in a running call: turns the caller's sound, packet by packet, and keys into messages to send.

It decides when to send and what (docs/protocol.md, 3.1, 3.2), not whether the connection can take it: each message goes
to `send`. Deadlines are absolute. Lateness is the simulator's own; it is measured, and no packet is skipped for it.
"""

import asyncio
from array import array
from collections.abc import Callable

from audiosocket_core.messages import AUDIO_KIND, Kind, encode
from audiosocket_sim.asterisk.codecs import caller_encoder
from audiosocket_sim.asterisk.faults import PacketDelays, cut_mid_frame
from audiosocket_sim.asterisk.packets import Keypad, PacketGrid
from audiosocket_sim.asterisk.profiles import FIRST_PACKET_MS, CallerCodec, Profile

__all__ = ["CallerChannel"]

_ROUNDING = 1e-6
_KEYS = "0123456789*#ABCD"

RESAMPLER_DELAY_MS = 5
"""The silence at the start of a rate conversion (FID-25): its filter's delay; captures of 8 to 16 kHz show 5 ms."""


class CallerChannel:
    """The caller's channel. It runs from `start` to `stop`.

    source: called once each packet time with the number of samples; SLIN of `rate_hz`, or None for no packet.
    mixed: the conference's clock sends zeros where the caller sends nothing (FID-08). coding: of what is sent (FID-24).
    first_packet_ms: from `start` to the first packet; the phone's clock knows nothing of the call's (FID-06).
    resampled: the caller's phone has another rate than the channel. on_comfort_noise: the phone fell silent, and said
    so in its last packet; None for one that does not do that.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        packet_time_ms: int,
        rate_hz: int,
        source: Callable[[int], bytes | None],
        mixed: bool,
        delays: PacketDelays | None,
        first_packet_ms: float = FIRST_PACKET_MS,
        coding: CallerCodec = "slin",
        resampled: bool = False,
        on_comfort_noise: Callable[[], None] | None = None,
        send: Callable[[bytes], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._packet_time_ms = packet_time_ms
        self._n_samples = rate_hz * packet_time_ms // 1000
        self._kind = AUDIO_KIND[rate_hz] if profile.era.wideband_kinds else int(Kind.SLIN8)
        self._tells_keys = profile.era.dtmf
        self._source = source
        self._mixed = mixed
        self._encode = caller_encoder(coding)
        self._first_packet_ms = first_packet_ms
        self._delayed = bytes(2 * rate_hz * RESAMPLER_DELAY_MS // 1000) if resampled else b""
        self._on_comfort_noise = on_comfort_noise
        self._sending = False
        self._delays = delays
        self._send = send
        self._on_error = on_error
        self._keypad = Keypad()
        self._running = False
        self._connected = False
        self._timer: asyncio.TimerHandle | None = None
        self._pressing: dict[asyncio.Future[None], asyncio.TimerHandle] = {}
        self.active_at = 0.0
        """Loop time, in seconds, of the caller's last activity: a packet, even one without audio, or a key."""
        self.lateness = array("d")
        """Seconds from each tick's deadline to its start."""
        self.ticked_at = array("d")
        """The loop time of each tick's start."""
        self.blocked_by_bot: Callable[[float, float], float] = lambda began, ended: 0.0
        """Returns for how many seconds, from one loop time to another, the bot has blocked this thread. A bot in this
        process may do so, and what is late by it is not the simulator's own lateness."""

    def listen(self) -> None:
        """Take the caller's packets and keys, and drop them, while Asterisk connects (FID-30)."""
        self._run()

    def start(self) -> None:
        """Send everything from now on. The first packet comes `first_packet_ms` from now; 0 sends it at once."""
        self._connected = True
        self._run()
        if self._grid.next_at <= self.active_at:
            self._tick()

    def lose_ticks(self, until: float) -> None:
        """Make no packet before the loop time `until`. The caller's clock stood still and does not catch up."""
        if self._running and self._timer is not None:
            self._timer.cancel()
            self._grid.lose_ticks(until)
            self._timer = self._loop.call_at(self._grid.next_at, self._tick)

    def _run(self) -> None:
        loop = self._loop
        if self._timer is not None:
            self._timer.cancel()
        self._running = True
        self.active_at = loop.time()
        self._grid = PacketGrid(self.active_at, self._packet_time_ms, self._delays, first_ms=self._first_packet_ms)
        self._timer = loop.call_at(self._grid.next_at, self._tick)

    def stop(self) -> None:
        """Send no more packets, and end all waiting calls of `press`."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
        for released, timer in self._pressing.items():
            timer.cancel()
            if not released.done():
                released.set_result(None)
        self._pressing.clear()

    async def press(self, digit: str, tone_ms: float) -> None:
        """Hold a key for `tone_ms`. Returns when it is released, or when the channel stops. Raises ValueError."""
        if len(digit) != 1 or digit not in _KEYS:
            raise ValueError(f"a key is one of 0-9 * # A-D, not {digit!r}")
        if not self._running:
            return
        self.active_at = self._loop.time()
        key = self._keypad.press(digit, tone_ms, self.active_at)
        released: asyncio.Future[None] = self._loop.create_future()
        self._pressing[released] = self._loop.call_at(key.up, self._release, released)
        await released

    def unfinished_message(self) -> bytes:
        """Return the first part of the next audio message, as a short write leaves it on the wire."""
        return cut_mid_frame(self._message(self._source(self._n_samples) or bytes(2 * self._n_samples)))

    def _tick(self) -> None:
        """Send the packets that have come by now: usually one; several after a gap, or if the simulator is late."""
        grid = self._grid
        now = self._loop.time()
        self.lateness.append(now - grid.next_at - self.blocked_by_bot(grid.next_at, now))
        self.ticked_at.append(now)
        try:
            while grid.next_at <= now + _ROUNDING and self._running:
                self._packet(grid.next_at)
                grid.take()
        except Exception as error:  # noqa: BLE001 - an exception of the source ends this call, and is reported
            self.stop()
            self._on_error(error)
            return
        if self._running:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(grid.next_at, self._tick)

    def _packet(self, at: float) -> None:
        """Send one packet of the caller: one message or none (FID-06, FID-08). A held key silences it (FID-09)."""
        if self._keypad.in_use:
            self._tell_keys(at)
        frame = self._source(self._n_samples)
        if not self._running:
            return
        held = self._keypad.in_use and self._keypad.held(at)
        if frame is not None or held:
            self.active_at = max(self.active_at, at)  # the phone sends, even where the core drops the audio
        if not self._connected:
            return
        if held or frame is None:
            if not held:
                self._fall_silent(at)
            if not self._mixed:
                return
            frame = bytes(2 * self._n_samples)
        else:
            self._sending = True
        if self._running:  # comfort noise may have ended the call
            self._send(self._message(frame))

    def _fall_silent(self, at: float) -> None:
        """Note that the phone stops sending; a phone with silence suppression reports it in a last packet."""
        if self._sending and self._on_comfort_noise is not None:
            self.active_at = max(self.active_at, at)
            self._on_comfort_noise()
        self._sending = False

    def _message(self, frame: bytes) -> bytes:
        if self._delayed:
            sound = self._delayed + frame
            frame, self._delayed = sound[: len(frame)], sound[len(frame) :]
        return encode(self._kind, self._encode(frame))

    def _release(self, released: asyncio.Future[None]) -> None:
        self._pressing.pop(released, None)
        self._tell_keys(self._loop.time())
        if not released.done():
            released.set_result(None)

    def _tell_keys(self, now: float) -> None:
        for key in self._keypad.released(now):
            self.active_at = max(self.active_at, key.up)
            if self._tells_keys and self._connected:
                self._send(encode(Kind.DTMF, key.digit.encode("ascii")))
