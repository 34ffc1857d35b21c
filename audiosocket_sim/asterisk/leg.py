"""A call leg that behaves as a real Asterisk does towards an AudioSocket server, by version profile.

It joins the parts: `reader` reads bytes by the rules of an era, `channel` times the caller's packets, `channel_busy`
decides which of the two Asterisk serves, and `socket` is the TCP connection. The leg passes on the bot's sound with the
time of its arrival, and ends the call once, as Asterisk would, with a reason. It knows no scenarios, keeps no audio,
and never sends what Asterisk does not send (no 0x00, no 0xff: FID-10). Sections 2 to 6 of docs/protocol.md are
authoritative; FID numbers refer to its section 9.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from audiosocket_core.fair_share import FairShare
from audiosocket_core.messages import Kind, encode
from audiosocket_sim.asterisk.channel import CallerChannel
from audiosocket_sim.asterisk.channel_busy import ChannelBusyModel
from audiosocket_sim.asterisk.end import ConnectFailed, LegEnd, end_of, never_connected
from audiosocket_sim.asterisk.faults import AsteriskStall, Cuts, PacketDelays, SplitMode
from audiosocket_sim.asterisk.flood import AT_ONCE, AT_ONCE_VIRTUAL, MESSAGES_A_SECOND, ReadingPace
from audiosocket_sim.asterisk.profiles import FIRST_PACKET_MS, CallerCodec, ComfortNoise, Profile
from audiosocket_sim.asterisk.reader import AsteriskReader, ReaderVerdict
from audiosocket_sim.asterisk.socket import ConnectError, PeerSocket, dial
from audiosocket_sim.asterisk.to_phone import ToPhone
from audiosocket_sim.asterisk.wire_counts import WireCounts
from audiosocket_sim.asterisk.wire_record import WireRecord

__all__ = ["CallLeg", "ConnectFailed", "LegEnd"]

_READ_BUFFER_BYTES = 16_384  # twice the largest 20 ms message (192 kHz)
_FLOODED_BUFFER_BYTES = 1_024  # when the last read had over _MANY messages, of which each takes the ear its time
_MANY = 100
_ROUNDING = 1e-6
_LOOK_EVERY_SECONDS = 0.02
_OWN_DELAY_SECONDS = 0.0005
"""A timer later than this was delayed by the simulator: look once more for data before the server is blamed."""

_REFLECTION_COEFFICIENT = b"\x7f"
"""A spectrum byte of a comfort noise packet that shapes nothing (RFC 3389, 4): white noise."""

_SHORT_WRITE = ReaderVerdict(
    "asterisk",
    "protocol",
    False,
    "the server does not read: a write came up short («Failed to write data to AudioSocket»)",
)
_COMFORT_NOISE = ReaderVerdict(
    "asterisk", "protocol", False, "comfort noise had silenced the channel, which the server's next byte then ended"
)
_FLOODS = f"the server sends over {MESSAGES_A_SECOND:,} messages a second, and goes on: it is read only so fast"
_UNANSWERED = ReaderVerdict(
    "asterisk", "unanswered", False, "not answered: Asterisk connects, then closes («Channel is not answered»)"
)


class CallLeg:
    """One simulated call, made inside a running loop. `connect` once; it ends by the server, by
    `hang_up`, or by one of Asterisk's rules.

    source: called once each packet time with the number of samples; returns 16-bit SLIN of `rate_hz`, or None where
    the phone sends nothing.
    first_packet_ms: from the UUID to the first packet; 0 puts both into one segment (FID-06).
    on_bot_audio: called with each audio message: loop time of its arrival, its rate, its payload.
    compressed: the caller's phone speaks G.711, so what it hears is encoded once more (FID-23).
    coding: what the channel driver writes without `c(slin)`, labelled 0x10 (FID-24): the codec of the caller's phone.
    resampled: the phone's rate is not the channel's (FID-25).
    comfort_noise_bytes: the size of the packet by which the phone says that it falls silent (FID-29). 0: it sends none.
    absolute_timeout_ms: TIMEOUT(absolute) of the dialplan, counted from the UUID. None: none is set.
    stalls: when Asterisk as a whole stands still (a busy machine), and whether the caller's clock does too.
    bridge_after_ms: ARI: how long after the UUID the channel comes into a bridge (FID-04). None: it is in one.
    stuck_in_header: asterisk/asterisk #2089: no caller audio before the server's first byte (FID-28).
    delays: of uneven packets (FID-07).
    mixed: the channel is in a conference, whose clock sends zeros for a quiet caller (FID-08).
    split, seed: cut what is written, on kernel sockets; in-memory networks cut by themselves.
    watch_the_end: look at what the server does after the end, until `aclose`; to the server it makes no difference.
    Callbacks may call any method. An exception in one ends the call and comes out of `wait_ended`.
    """

    def __init__(
        self,
        profile: Profile,
        uuid: UUID,
        *,
        packet_time_ms: int = 20,
        rate_hz: int = 8000,
        source: Callable[[int], bytes | None],
        on_bot_audio: Callable[[float, int, bytes], None],
        answered: bool = True,
        connect_pause_ms: int = 0,
        mixed: bool = False,
        compressed: bool = False,
        first_packet_ms: float = FIRST_PACKET_MS,
        coding: CallerCodec = "slin",
        resampled: bool = False,
        comfort_noise_bytes: int = 0,
        absolute_timeout_ms: int | None = None,
        stalls: Sequence[AsteriskStall] = (),
        bridge_after_ms: int | None = None,
        stuck_in_header: bool = False,
        delays: PacketDelays | None = None,
        split: SplitMode = "none",
        seed: int = 1,
        watch_the_end: bool = False,
    ) -> None:
        if profile.attach == "app" and (rate_hz != 8000 or mixed):
            raise ValueError("the application is 8 kHz always, and never in a conference: use the channel driver")
        if profile.attach == "app" and (coding != "slin" or bridge_after_ms is not None):
            raise ValueError("the application sends SLIN always, and is in no bridge: use the channel driver")
        if profile.attach == "chan" and not answered:
            raise ValueError("the channel driver counts as answered when it is connected: use the application")
        if coding != "slin" and rate_hz != 8000:
            raise ValueError(f"a phone's {coding} is 8 kHz always")
        if stuck_in_header and not profile.era.may_stick_in_a_header:
            raise ValueError(f"Asterisk {profile.version} does not wait inside a header for nothing (#2089)")
        self._loop = asyncio.get_running_loop()
        self.profile = profile
        self._is_app = profile.attach == "app"
        self.uuid = uuid
        self.t0: float | None = None
        """The loop time, in seconds, at which the UUID was sent; None before that."""
        self.counts = WireCounts()
        """What went over the wire so far."""
        self._to_phone = ToPhone(compressed=compressed, deliver=on_bot_audio)
        self._answered = answered
        self._connect_pause_ms = connect_pause_ms
        self._cuts = Cuts(split, seed)
        self._reader = AsteriskReader(profile.era)
        self._is_virtual = bool(getattr(self._loop, "clock_is_virtual", False))
        self._pace = ReadingPace(AT_ONCE_VIRTUAL if self._is_virtual else AT_ONCE)
        self._reading_paused = False
        self._flood_timer: asyncio.TimerHandle | None = None
        self.is_flooded = False
        """True if the last read had so many messages that the next one should have fewer."""
        self._thread = ChannelBusyModel(
            self._reader,
            profile.era.seconds_per_message,
            in_header=stuck_in_header,
            write=self._write,
            on_free=self._judge_reading,
            note=self._note,
        )
        self._channel = CallerChannel(
            profile,
            packet_time_ms=packet_time_ms,
            rate_hz=rate_hz,
            source=source,
            mixed=mixed,
            delays=delays,
            first_packet_ms=first_packet_ms,
            coding=coding,
            resampled=resampled,
            on_comfort_noise=self._on_comfort_noise if comfort_noise_bytes else None,
            send=self._thread.send,
            on_error=self._fail,
        )
        self._socket: PeerSocket | None = None
        self._gap_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None  # the pause before the UUID, then the both-quiet limit
        self._server_active_at = 0.0
        self._bridge_after_ms = bridge_after_ms
        self._bridging: asyncio.TimerHandle | None = None
        self._in_bridge = bridge_after_ms is None
        self._comfort_noise_bytes = comfort_noise_bytes
        self._absolute_timeout_ms = absolute_timeout_ms
        self._stalls = stalls
        self._stalled_until = 0.0
        self._planned: list[asyncio.TimerHandle] = []
        self._wedged: ReaderVerdict | None = None
        self._broken = False
        self._notes: list[str] = []
        self._end: LegEnd | None = None
        self._error: Exception | None = None
        self._started = asyncio.Event()
        self._closed = asyncio.Event()
        self._watch_the_end = watch_the_end
        self._watched = False
        self._released = asyncio.Event()

    # --- what others may do and ask

    async def prepare(self) -> None:
        """Nothing takes its time before the call."""

    async def connect(self, host: str, port: int) -> None:
        """Dial, and return once the UUID is sent or will not be (not answered, hung up). Raises ConnectFailed."""
        nodelay = self.profile.era.nodelay
        if self._is_app:
            self._channel.listen()
        try:
            self._socket = await dial(host, port, lambda: _Reading(self), nodelay=nodelay, cuts=self._cuts)
        except ConnectError as error:
            self._end = never_connected(error, self.profile.attach, self._loop.time())
            self._stop_clocks()
            self._closed.set()
            raise ConnectFailed(self._end) from error
        if self._end is not None:  # hung up meanwhile
            self._socket.close()
        elif not self._answered:
            self._finish(_UNANSWERED)
        elif self._connect_pause_ms:
            self._timer = self._loop.call_at(self._loop.time() + self._connect_pause_ms / 1000, self._start)
            await self._started.wait()
        else:
            self._start()

    def hang_up(self, how: str = "close") -> None:
        """End the call from the caller's side: `close` (as Asterisk does), `reset`, or `mid_frame` (within a message).

        After the end this does nothing. Before the UUID, `close` and `mid_frame` end the connection without a byte.
        Raises ValueError for any other `how`.
        """
        if how not in ("close", "reset", "mid_frame"):
            raise ValueError(f"hang_up: close, reset or mid_frame, not {how!r}")
        if self._end is not None:
            return
        if self._reader.busy:
            self._note("the caller hung up inside a message of the server: a real Asterisk notices when it is whole")
        if how == "mid_frame" and self.t0 is not None:
            self._write(self._channel.unfinished_message())
        reset = how == "reset"
        self._finish(ReaderVerdict("caller", "reset" if reset else "fin", False, "the caller hung up"), reset=reset)

    async def press(self, digit: str, tone_ms: float = 100) -> None:
        """Hold a key (FID-09) without audio; then 0x03 is sent, if the era has it. Returns when the key is released.

        A key waits for the one before it. As in Asterisk's core, keys last at least 80 ms and are 45 ms apart.
        """
        await self._channel.press(digit, tone_ms)

    async def wait_ended(self) -> LegEnd:
        """Wait until the socket is closed, and return the end of the call. Raises what a callback raised."""
        await self._closed.wait()
        if self._error is not None:
            raise self._error
        assert self._end is not None
        return self._end

    def abort(self) -> None:
        """Abort the call in any state: for taking down the simulation, not for a caller's hang-up."""
        self._finish(ReaderVerdict("caller", "fin", False, "the simulation was taken down"))

    async def aclose(self) -> None:
        """Abort the call, as `abort` does; its socket and timers are gone when this returns."""
        self.abort()
        self._let_go()

    async def released(self, within: float) -> bool | None:
        """Wait until the server has closed its connection after the end of the call, at most `within` s.

        Returns False if it has not, and None if that cannot be known: over a real network, after a reset.
        """
        until = self._loop.time() + within
        if self._watched:
            try:
                async with asyncio.timeout_at(until):
                    await self._released.wait()
            except TimeoutError:
                return False
            if self._watched:
                return True
        if self._socket is None or self._socket.server_has_closed is None:
            return None
        for _ in range(round((until - self._loop.time()) / _LOOK_EVERY_SECONDS)):
            if self._socket.server_has_closed:
                break
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return self._socket.server_has_closed

    @property
    def record(self) -> WireRecord:
        """What the server did on the wire that is of no consequence to Asterisk."""
        return self._to_phone.record

    @property
    def local_address(self) -> tuple[str, int]:
        """The host and port of this end of the connection. Available only once connected."""
        assert self._socket is not None, "not connected"
        return self._socket.local_address

    def excuse(self, blocked_by_bot: Callable[[float, float], float]) -> None:
        """Count as own lateness only what the bot has not caused: see `CallerChannel.blocked_by_bot`."""
        self._channel.blocked_by_bot = blocked_by_bot

    @property
    def own_lateness_ms(self) -> float:
        """By how many ms the latest packet left late because of the simulator itself; 0 in virtual time."""
        return max(self._channel.lateness, default=0.0) * 1000

    @property
    def packet_lateness(self) -> list[tuple[float, float]]:
        """For each packet so far: the loop time at which it left, and by how many seconds that was late."""
        return list(zip(self._channel.ticked_at, self._channel.lateness, strict=True))

    @property
    def own_lateness_p99_ms(self) -> float:
        """The 99th percentile of the packets' own lateness, in ms."""
        late = sorted(self._channel.lateness)
        return late[len(late) * 99 // 100] * 1000 if late else 0.0

    @property
    def anomalies(self) -> list[str]:
        """The server's deviations that Asterisk tolerates, and notes on effects that a real Asterisk does not show."""
        return self._reader.notes + self._to_phone.notes + self._notes

    # --- towards the server

    def _start(self) -> None:
        """The UUID, in one write of 19 bytes (FID-01), and the clocks that run from it."""
        assert self._socket is not None
        now = self.t0 = self._server_active_at = self._loop.time()
        self._started.set()
        self._write(encode(Kind.UUID, self.uuid.bytes))
        self._socket.resume_reading()
        if self._bridge_after_ms is None:
            self._channel.start()
        else:
            self._bridging = self._loop.call_at(now + self._bridge_after_ms / 1000, self._bridge)
        limit = self.profile.quiet_limit_seconds
        self._timer = None if limit is None else self._loop.call_at(now + limit, self._judge_quiet, limit)
        for stall in self._stalls:
            self._planned.append(self._loop.call_at(now + stall.at_ms / 1000, self._stall, stall))
        if (absolute := self._absolute_timeout_ms) is not None:
            self._planned.append(self._loop.call_at(now + absolute / 1000, self._time_out, absolute))

    def _bridge(self) -> None:
        """Pass audio in both directions from now on; until now it was dropped."""
        self._in_bridge = True
        self._channel.start()

    def _on_comfort_noise(self) -> None:
        if self._is_app:
            return
        match self.profile.era.comfort_noise:
            case ComfortNoise.WRITTEN_AS_AUDIO:
                self._thread.send(encode(Kind.SLIN8, _REFLECTION_COEFFICIENT * (self._comfort_noise_bytes - 1)))
            case ComfortNoise.SILENCES_CHANNEL:
                self._wedge(_COMFORT_NOISE, "the phone's comfort noise silenced the channel: it hangs, and stays open")

    def _time_out(self, absolute_ms: int) -> None:
        """End the call by a plain close: TIMEOUT(absolute) is due. Asterisk's log blames silence for it."""
        blames = " (its log says «Reached timeout after 2000 ms of no activity», which is not so)"
        wrong = blames if self.profile.quiet_limit_seconds is not None else ""
        reason = f"TIMEOUT(absolute) of {absolute_ms / 1000:g} s ended the call{wrong}"
        self._finish(ReaderVerdict("asterisk", "protocol", False, reason))

    def _stall(self, stall: AsteriskStall) -> None:
        """Stand still: neither read nor send. A phone's packets wait meanwhile, a local caller's are not made."""
        assert self._socket is not None
        until = self._stalled_until = self._loop.time() + stall.for_ms / 1000
        if stall.loses_ticks:
            self._channel.lose_ticks(until)
        self._thread.stand_still(until)
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        self._socket.pause_reading()
        self._planned.append(self._loop.call_at(until, self._go_on))

    def _go_on(self) -> None:
        if self._end is None and not self._reading_paused:
            assert self._socket is not None
            self._socket.resume_reading()
            self._after_reading(self._arm_gap_timer)

    def _write(self, message: bytes) -> None:
        if self._end is not None or self._wedged is not None or self._broken:
            return
        assert self._socket is not None
        self.counts.wrote(message)
        try:
            if not self._socket.write(message):
                self._short_write()
        except OSError:
            self._broken = True  # the reading side may still have a 0x00 to read, which then counts (FID-18)
            self._after_reading(self._on_lost, ConnectionResetError())

    def _short_write(self) -> None:
        """React to a server that does not read (FID-22): the application ends the call, the channel driver is stuck."""
        if self._is_app:
            self._finish(_SHORT_WRITE)
            return
        self._wedge(_SHORT_WRITE, "a write came up short: the channel hangs, silent, and stays open")

    def _wedge(self, verdict: ReaderVerdict, note: str) -> None:
        """Fall silent for good and stay open; `verdict` is the end once the server sends a byte (FID-22, FID-29).

        The phone goes on: what it sends is read, and comes to nothing.
        """
        self._wedged = verdict
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        self._note(f"{note}, until the server sends a byte or closes")

    # --- from the server

    def _on_data(self, data: memoryview, more: bool) -> None:
        if self._end is not None:
            self._take_after_the_end(data)
            return
        if self._wedged is not None:
            self._finish(self._wedged, reset=True)
            return
        now = self._loop.time()
        reader = self._reader
        thread = self._thread
        if thread.in_header:
            thread.byte_came()
        before = reader.messages
        messages = reader.feed(data, now, more=more)
        for rate_hz, payload in messages:
            self._server_active_at = now
            self.counts.took(now, rate_hz, len(payload))
            if payload and self._in_bridge:
                self._to_phone.take(now, rate_hz, payload)
        if self._is_app and messages:
            thread.took(len(messages), now)
        if self._gap_timer is not None or reader.deadline is not None:
            self._arm_gap_timer()
        if reader.verdict is not None or thread.waiting:
            self._judge_reading()
        read = reader.messages - before
        self.is_flooded = read > _MANY
        pause = self._pace.pause(read, len(data), now)
        if (pause or more) and self._end is None:
            self._let_others_run(pause)

    def _let_others_run(self, pause: float) -> None:
        """Stop reading for `pause` seconds, or (0) until the loop's next turn. Meanwhile Asterisk's thread reads on."""
        if self._reading_paused:
            return
        if pause:
            self._note(_FLOODS)
            until = self._loop.time() + pause
            if self._is_app:
                self._thread.stand_still(until)
            if self._flood_timer is not None:
                self._flood_timer.cancel()
            self._flood_timer = self._loop.call_at(until, self._read_on)
        elif not self._is_virtual:
            FairShare.of(self._loop).add(self._read_on)
        else:
            return
        assert self._socket is not None
        self._reading_paused = True
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        self._socket.pause_reading()

    def _read_on(self) -> bool:
        self._reading_paused = False
        if self._loop.time() >= self._stalled_until:  # else the end of the stall goes on
            self._go_on()
        return False

    def _judge_reading(self) -> None:
        """After each read, end the call or send the messages that waited for the thread."""
        if self._reader.verdict is not None:
            self._finish(self._reader.verdict, reset=self._reader.unread > 0)
        else:
            self._thread.serve_the_caller()

    def _arm_gap_timer(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        deadline = self._reader.deadline
        if deadline is None or self._end is not None or self._reading_paused:  # then `_go_on` arms it
            self._gap_timer = None
        else:
            self._gap_timer = self._loop.call_at(deadline, self._judge_gap, deadline)

    def _judge_gap(self, deadline: float) -> None:
        if self._loop.time() - deadline > _OWN_DELAY_SECONDS:
            self._after_reading(self._drop_for_gap, deadline)
        else:
            self._drop_for_gap(deadline)

    def _drop_for_gap(self, deadline: float) -> None:
        if self._end is None and self._reader.deadline == deadline and not self._reading_paused:
            self._reader.timed_out(self._loop.time())
            self._judge_reading()

    def _judge_quiet(self, limit: float) -> None:
        """Check the application's limit (FID-12): `limit` seconds without activity of either side."""
        now = self._loop.time()
        if now < self._stalled_until - _ROUNDING:  # Asterisk looks at its clock when it goes on, after what has come
            self._timer = self._loop.call_at(self._stalled_until, self._after_reading, self._judge_quiet, limit)
            return
        active_at = now if self._thread.is_reading else max(self._server_active_at, self._channel.active_at)
        if now < active_at + limit - _ROUNDING:
            self._timer = self._loop.call_at(active_at + limit, self._judge_quiet, limit)
            return
        quoted = f"«Reached timeout after {limit * 1000:.0f} ms of no activity»"
        self._finish(
            ReaderVerdict("asterisk", "protocol", False, f"nothing from either side for {limit:g} s ({quoted})")
        )

    def _on_eof(self) -> bool:
        """Whether the socket stays open for writing: only where the era does not notice the end (FID-19)."""
        if self._end is not None:
            return False
        if self._wedged:
            self._finish(_SHORT_WRITE)
            return False
        self._reader.end_of_stream(self._loop.time())
        self._judge_reading()
        if self._reader.fin_unnoticed and self._is_app:
            self._thread.spin()
        return self._reader.fin_unnoticed

    def _on_lost(self, error: Exception | None) -> None:
        """Handle the loss of the connection: closed by us, reset by the server, or after an error in a callback."""
        if self._end is not None:
            return
        if error is not None and not isinstance(error, OSError):
            self._fail(error)
        elif self._reader.fin_unnoticed:
            reason = "the server had closed the connection, noticed only when a write failed"
            self._finish(ReaderVerdict("server", "fin", False, reason))
        else:
            self._reader.reset()
            self._judge_reading()

    def _on_closed(self, error: Exception | None) -> None:
        self._on_lost(error)
        self._closed.set()
        self._released.set()

    def _take_after_the_end(self, data: memoryview) -> None:
        """A closed connection answers by a reset what is still sent; here it is looked at before."""
        if not self._watched:
            return
        if self._end is not None and self._end.how == "hangup_message":
            self.record.after_hang_up += data
        self._watched = False
        if self._socket is not None:
            self._socket.reset()

    def _let_go(self) -> None:
        if self._watched and not self._released.is_set() and self._socket is not None:
            self._socket.abort()

    # --- the end

    def _finish(self, verdict: ReaderVerdict, *, reset: bool = False) -> None:
        """End the call: store the reason, stop all timers, close the socket. Every end goes through here."""
        if self._end is not None:
            return
        self._end = end_of(verdict, self.profile.attach, self._loop.time())
        if verdict.how == "hangup_message":
            self.record.after_hang_up += self._reader.left
        self._stop_clocks()
        self._started.set()
        if self._socket is None:
            self._closed.set()
        elif reset:
            self._socket.reset()
        elif self._watch_the_end and self.t0 is not None and self._socket.close_and_watch():
            self._watched = True
            self._loop.call_soon(self._closed.set)
        else:
            self._socket.close()

    def _fail(self, error: Exception) -> None:
        """End the call because a callback failed, for which neither side of the call is to blame."""
        self._error = error
        self._finish(ReaderVerdict("asterisk", "protocol", False, f"the simulator failed: {error!r}"))

    def _stop_clocks(self) -> None:
        self._channel.stop()
        self._thread.stop()
        for timer in (self._timer, self._gap_timer, self._bridging, self._flood_timer, *self._planned):
            if timer is not None:
                timer.cancel()

    def _after_reading(self, callback: Callable[..., None], *args: object) -> None:
        """Call after the loop has polled once more, so that data that is already in the socket is read first."""
        self._loop.call_soon(self._loop.call_soon, callback, *args)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


class _Reading(asyncio.BufferedProtocol):
    """The asyncio protocol of a leg: it has one buffer and passes on every event."""

    def __init__(self, leg: CallLeg) -> None:
        self._leg = leg
        self._whole = self._buffer = memoryview(bytearray(_READ_BUFFER_BYTES))
        self._part = self._whole[:_FLOODED_BUFFER_BYTES]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).pause_reading()  # until the UUID is sent, Asterisk does not look

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = self._part if self._leg.is_flooded else self._whole
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._leg._on_data(self._buffer[:nbytes], nbytes == len(self._buffer))

    def eof_received(self) -> bool:
        return self._leg._on_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leg._on_closed(exc)
