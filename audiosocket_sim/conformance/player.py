"""Carries out a script over one connection, on the running loop, and notes all that goes over the wire.

Everything that is judged is in the `SeenCall` that comes out; nothing is judged here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from audiosocket_core.messages import RATE_HZ, Kind, encode
from audiosocket_sim.asterisk.faults import PacketDelays
from audiosocket_sim.conformance.arrivals import StreamPieces
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.peer_connection import MessageParser, PeerConnection, dial
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Script,
    Send,
    SendPaced,
    SendSound,
    SignOfLife,
    Starve,
    StopReading,
    StopServer,
    WaitForEnd,
    WaitForQuiet,
    WaitForSound,
)
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Done, SeenCall
from audiosocket_sim.conformance.sounds import WORDS_SECONDS, CallerSounds
from audiosocket_sim.net.tcp_reset import reset
from audiosocket_sim.virtual_time import VirtualLoop

__all__ = ["MOST_BYTES_KEPT", "Player"]

_RELEASE_SECONDS = 3.0
"""How long a server may take to close its own end, before that is noted as never."""
_ROUNDING = 1e-6
_ALIVE_SECONDS = 1.0
_LEFT_ALONE_SECONDS = 0.5
_HEARS_ON = 0.5
"""How long it is listened on after the first sound."""
MOST_BYTES_KEPT = 64_000_000
"""Of what a server sends in one connection; one that sends more is not read any further."""


class Player:
    """Plays one script, once. `began`: the loop time at which the case began, from which all times are counted.

    `uuid`: the call's own, or that of the role which the case needs. `stop`: stops the server, for `StopServer`. `late`
    tells by how many seconds this machine was late since then.
    """

    def __init__(
        self,
        script: Script,
        uuid: bytes,
        *,
        began: float,
        features: Features,
        sounds: CallerSounds,
        stop: Callable[[], Awaitable[None]] | None = None,
        late: Callable[[float], float] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._script = script
        self._uuid = uuid
        self._began = began
        self._features = features
        self._sounds = sounds
        self._stop = stop
        self._late = late
        self._stopping: asyncio.Future[None] | None = None
        self._connected_at: float | None = None
        self._why_not = ""
        self._sent: list[Chunk] = []
        self._received: list[Chunk] = []
        self._done: list[Done] = []
        self._transport: asyncio.Transport | None = None
        self._arrivals: StreamPieces | None = None
        self._changed = asyncio.Event()
        self._bytes = 0
        self._end: ConnectionEnd | None = None
        self._finishing_at: float | None = None
        """When we closed our sending side."""
        self._closed_by_us = False
        self._answered_with_reset = False
        self._server_closed_at: float | None = None
        self._parser = MessageParser()
        self._last_sound_at: float | None = None
        self._hung_up_at: float | None = None

    async def play(self, host: str, port: int) -> SeenCall:
        """Connect, carry out all actions, end the connection, and return what was seen. Raises no network error."""
        await self._sleep_until(self._began + self._script.starts)
        dialled = await dial(self._script.host or host, port, lambda: PeerConnection(self), narrow=self._script.narrow)
        if isinstance(dialled, str):
            self._why_not = dialled
        else:
            transport = dialled
            self._transport = transport
            self._connected_at = self._now
            try:
                for action in self._script.actions:
                    await self._carry_out(action)
                if not self._is_over:
                    await self._carry_out(Close())
            finally:
                transport.abort()
                if self._stopping is not None:
                    await asyncio.gather(self._stopping, return_exceptions=True)  # whoever closes the target tells
        return self._seen_call()

    # --- what the connection tells

    def connected(self, transport: asyncio.BaseTransport) -> None:
        """Note how what the server sends can be looked at."""
        self._arrivals = StreamPieces(transport)

    def before_a_read(self) -> tuple[int, int] | None:
        """Return in how many pieces how many bytes have come, if the system knows."""
        return None if self._arrivals is None else self._arrivals.look()

    def received(self, data: bytes, pieces: tuple[int, int] | None) -> None:
        """Note what a read found, and in how many pieces all had come just before it."""
        now = self._now
        if self._arrivals is not None:
            pieces = self._arrivals.read(len(data)) or pieces
        if self._closed_by_us:  # a socket that is closed answers with a reset
            if self._transport is not None and self._server_closed_at is None:
                self._answered_with_reset = True
                reset(self._transport)
            self._changed.set()
            return
        self._bytes += len(data)
        if self._bytes > MOST_BYTES_KEPT and self._transport is not None:
            self._transport.pause_reading()
            return
        self._received.append(Chunk(now, data, pieces))
        for kind, payload in self._parser.feed(data):
            if kind == Kind.HANGUP and self._hung_up_at is None:
                self._hung_up_at = now
            if kind in RATE_HZ and is_sound(payload):
                self._last_sound_at = now
        self._changed.set()

    def finished(self) -> None:
        """Note the server's FIN."""
        if self._server_closed_at is None:
            self._server_closed_at = self._now
        if self._end is None:
            self._end = ConnectionEnd("server", "fin", self._now)
        self._changed.set()

    def lost(self, error: Exception | None) -> None:
        """Note the end of the connection."""
        now = self._now
        if self._server_closed_at is None and error is not None:
            self._server_closed_at = now
        if self._end is None:
            self._end = ConnectionEnd("server", "reset" if error is not None else "fin", now)
        self._changed.set()

    # --- the actions

    async def _carry_out(self, action: PeerAction) -> None:
        began = self._now
        met = await self._act(action)
        self._done.append(Done(action, began, self._now, met))

    async def _act(self, action: PeerAction) -> bool | None:
        match action:
            case Announce():
                await self._announce(action)
            case Send():
                await self._send(action)
            case SendPaced():
                await self._send_paced(iter(action.messages), action.every)
            case SendSound():
                return await self._speak(action)
            case Pause():
                await asyncio.sleep(action.seconds)
            case WaitForSound():
                return await self._sound(self._now, action.at_most, silence=action.silence)
            case WaitForQuiet():
                return await self._quiet(action.quiet, action.at_most)
            case WaitForEnd():
                return await self._until(lambda: self._end is not None or self._hung_up_at is not None, action.at_most)
            case StopReading():
                self._pause_reading()
            case ReadAgain():
                if self._transport is not None and not self._transport.is_closing():
                    self._transport.resume_reading()
            case FinishSending():
                await self._finish()
            case Close():
                return await self._close()
            case Reset():
                await self._reset()
            case Starve():
                return self._starve(action.seconds)
            case SignOfLife():
                return await self._sign_of_life(action)
            case StopServer() if self._stop is not None:
                self._stopping = asyncio.ensure_future(self._stop())
        return None

    async def _announce(self, action: Announce) -> None:
        message = encode(Kind.UUID, self._uuid if action.uuid is None else action.uuid) + action.then
        pieces = (action.pieces or (1,) * (len(message) - 1)) if action.gap else ()
        await self._send(Send(message, pieces, action.gap))

    async def _send(self, action: Send) -> None:
        place = 0
        for length in action.pieces:
            self._write(action.data[place : place + length])
            place += length
            await asyncio.sleep(action.gap)
        self._write(action.data[place:])
        await asyncio.sleep(0)

    async def _send_paced(self, messages: Iterator[bytes], every: float, *, until_end: bool = False) -> None:
        due = self._now
        for message in messages:
            await self._sleep_until(self._began + due)
            if self._is_over or (until_end and self._hung_up_at is not None):
                return
            self._write(message)
            due += every

    async def _speak(self, action: SendSound) -> bool | None:
        """Send the sound. Returns whether the server's came, if the action waits for it."""
        rate_hz = RATE_HZ[action.kind]
        samples = round(rate_hz * action.packet)
        began = self._now
        late = PacketDelays(action.jitter * 1000, seed=1) if action.jitter else None
        at = began
        heard_at: float | None = None
        for n in range(round(action.seconds / action.packet)):
            at = max(at, began + n * action.packet + (late.next_ms() / 1000 if late else 0.0))
            await self._sleep_until(self._began + at)
            if action.until_sound and heard_at is None and self._heard_since(began):
                heard_at = self._now
            if self._is_over or (action.until_end and self._hung_up_at is not None):
                break
            if action.until_sound and heard_at is not None and self._now >= heard_at + _HEARS_ON:
                break
            self._write(encode(action.kind, self._sounds.sound(action.sound, rate_hz, n * samples, samples)))
        return self._heard_since(began) if action.until_sound else None

    async def _sign_of_life(self, action: SignOfLife) -> bool:
        """Return whether the sign came; of a server of which nothing is known, whether the connection stayed."""
        sparing = action.sparing and self._features.sends_always
        if self._features.echoes and not sparing:
            since = self._now
            await self._speak(SendSound(0.4, "words"))
            return await self._sound(since, action.at_most, silence=True)  # it may send one message for each of ours
        if self._features.answers and not sparing:
            await self._quiet(0.7, action.at_most)
            since = self._now  # it may answer before the last of the words, which is silence
            await self._speak(SendSound(WORDS_SECONDS, "words"))
            at_most = max(action.at_most, self._features.answer_seconds)
            return await self._sound(since, at_most, silence=True)
        if self._features.sends_always:
            came = len(self._received)
            return await self._until(lambda: len(self._received) > came, _ALIVE_SECONDS)
        await self._until(lambda: self._end is not None, _LEFT_ALONE_SECONDS)
        return self._end is None

    def _starve(self, seconds: float) -> bool:
        """Let the clock run on while nothing else can; returns whether this loop can do that."""
        if not isinstance(self._loop, VirtualLoop):
            return False
        self._loop.block(seconds)
        return True

    async def _finish(self) -> None:
        if self._transport is None or self._transport.is_closing() or self._finishing_at is not None:
            return
        self._finishing_at = self._now
        try:
            if self._transport.can_write_eof():
                self._transport.write_eof()
        except OSError:  # it has reset the connection, and the loop has not seen it yet
            self._end = ConnectionEnd("server", "reset", self._now)
            self._server_closed_at = self._now
        await asyncio.sleep(0)

    async def _close(self) -> bool:
        """Close; then wait until the server has closed its end too, as long as it may take. Returns whether it has."""
        if self._end is None:
            self._end = ConnectionEnd("peer", "fin", self._now)
        await self._finish()
        self._closed_by_us = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        return await self._until(
            lambda: self._server_closed_at is not None or self._answered_with_reset, _RELEASE_SECONDS
        )

    async def _reset(self) -> None:
        if self._end is None:
            self._end = ConnectionEnd("peer", "reset", self._now)
        if self._transport is not None and not self._transport.is_closing():
            reset(self._transport)
        await asyncio.sleep(0)

    # --- waiting

    async def _quiet(self, quiet: float, at_most: float) -> bool:
        until = self._now + at_most
        while True:
            since = max(self._last_sound_at or 0.0, self._done[-1].ended if self._done else 0.0)
            due = since + quiet
            if due <= self._now + _ROUNDING:
                return True
            if self._now >= until - _ROUNDING or self._is_over or self._hung_up_at is not None:
                return False
            await self._sleep_until(self._began + min(due, until))

    async def _sound(self, since: float, at_most: float, *, silence: bool = False) -> bool:
        """Wait for sound that comes after `since`; with `silence`, send silence meanwhile."""
        longest = at_most * 2  # see `_until`
        quiet = asyncio.ensure_future(self._speak(SendSound(longest, "silence"))) if silence else None
        try:
            await self._until(
                lambda: self._heard_since(since) or self._hung_up_at is not None, at_most, late_since=since
            )
            return self._heard_since(since)
        finally:
            if quiet is not None:
                quiet.cancel()
                await asyncio.gather(quiet, return_exceptions=True)

    def _heard_since(self, since: float) -> bool:
        return self._last_sound_at is not None and self._last_sound_at > since

    async def _until(self, come: Callable[[], bool], at_most: float, *, late_since: float | None = None) -> bool:
        """Wait until it has come, or the connection is over. Returns whether it has come.

        It may come later by as much as this machine was late meanwhile, or since `late_since`, but not twice as late.
        """
        began = self._now
        late_since = began if late_since is None else late_since
        until = began + at_most
        while not await self._comes_before(until, come):
            if self._is_over and self._server_closed_at is not None:
                return False
            late = 0.0 if self._late is None else min(at_most, self._late(late_since))
            if began + at_most + late <= until + _ROUNDING:
                return False
            until = began + at_most + late
        return True

    async def _comes_before(self, until: float, come: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(max(0.0, until - self._now)):
                while not come():
                    if self._is_over and self._server_closed_at is not None:
                        return come()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return come()
        return True

    async def _sleep_until(self, when: float) -> None:
        if (seconds := when - self._loop.time()) > 0:
            await asyncio.sleep(seconds)

    # --- the wire

    def _write(self, data: bytes) -> None:
        if not data or self._transport is None or self._transport.is_closing() or self._finishing_at is not None:
            return
        self._sent.append(Chunk(self._now, data))
        self._transport.write(data)

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    @property
    def _now(self) -> float:
        return self._loop.time() - self._began

    @property
    def _is_over(self) -> bool:
        return self._end is not None

    def _seen_call(self) -> SeenCall:
        end = self._end or ConnectionEnd("nobody", "open", self._now)
        return SeenCall(
            script=self._script,
            uuid=self._uuid,
            connected_at=self._connected_at,
            why_not_connected=self._why_not,
            sent=tuple(self._sent),
            received=tuple(self._received),
            done=tuple(self._done),
            end=ConnectionEnd(end.by, end.how, end.at, self._server_closed_at, self._answered_with_reset),
            unsent=0 if self._transport is None else self._transport.get_write_buffer_size(),
            urgent=self._arrivals.urgent if self._arrivals is not None and self._arrivals.sees_urgent_data else None,
        )
