"""A scenario's call through a real Asterisk: the runner is the phone, over RTP, and can react as it does to the
simulated one. All calls of a run are made by one Asterisk, which is booted before the first of them is dialled.

What a phone cannot do or know is left out: `misfit` says what. It must not judge the bot, nor smooth anything: what
Asterisk does with a packet is what is to be seen.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from audiosocket_core.messages import HEADER_BYTES, Kind
from audiosocket_sim.asterisk import ConnectFailed, LegEnd
from audiosocket_sim.asterisk.channel import CallerChannel
from audiosocket_sim.asterisk.faults import PacketDelays
from audiosocket_sim.asterisk.profiles import profile, release_like
from audiosocket_sim.asterisk.wire_record import WireRecord
from audiosocket_sim.asterisk_real.connections import connections_to
from audiosocket_sim.asterisk_real.dialplan import (
    address_of,
    dial_command,
    hang_up_command,
    key_command,
    mark,
    part_of_the_dialplan,
)
from audiosocket_sim.asterisk_real.misfits import misfits
from audiosocket_sim.asterisk_real.packages import AsteriskMissing, Installation, choose, installations
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.asterisk_real.process import ConsoleLine, RealAsterisk
from audiosocket_sim.asterisk_real.shared import SharedAsterisk
from audiosocket_sim.asterisk_real.verdicts import CallTimes, end_told
from audiosocket_sim.asterisk_real.versions import BadVersion
from audiosocket_sim.parties.peer import MakeLeg, OnBotAudio, PacketSource
from audiosocket_sim.parties.target import TargetUsageError
from audiosocket_sim.scenario import DtmfStep, Scenario, all_steps
from audiosocket_sim.scenario.call_uuid import call_uuid

__all__ = ["RealLeg", "RealLegs"]

_LONGEST_SET_UP_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.002
_ENDING_SECONDS = 5.0
_CALL_ID = re.compile(r"\[C-[0-9a-f]+\]")
"""What Asterisk's log has in each line of a call's threads, and so of all its channels."""


class RealLegs:
    """Makes the legs of one run: `RealLegs(version)(scenario)` for each of its calls. See `peer.MakeLegs`.

    version: of the Asterisk that a person asked for (`22.10`); None: the one that `packages.choose` takes for a call.
    """

    def __init__(self, version: str | None = None) -> None:
        self._version = version
        self._shared: dict[Installation, SharedAsterisk] = {}

    def __call__(self, scenario: Scenario) -> MakeLeg:
        """Return what makes the leg of a call.

        Raises AsteriskMissing where no Asterisk fits, and TargetUsageError where the version is none, or where a phone
        cannot play the scenario.
        """
        try:
            installation = choose(installations(), self._version, scenario.asterisk.version)
        except BadVersion as error:
            raise TargetUsageError(f"--asterisk-version: {error}") from error
        wrong = misfits(scenario, installation.version)
        if wrong:
            reasons = "; ".join(wrong)
            raise TargetUsageError(f"{scenario.name} cannot be played with --peer asterisk: {reasons}")
        shared = self._shared.setdefault(installation, SharedAsterisk(installation))
        return lambda *arguments: RealLeg(shared, *arguments)


class RealLeg:
    """One call, made inside a running loop on the real clock. Its interface is `peer.Leg`'s."""

    def __init__(
        self,
        shared: SharedAsterisk,
        scenario: Scenario,
        source: PacketSource,
        on_bot_audio: OnBotAudio,
    ) -> None:
        peer = scenario.asterisk
        self._loop = asyncio.get_running_loop()
        self._shared = shared
        self._version = shared.installation.version
        self._attach = peer.attach
        self._absolute_timeout_ms = peer.absolute_timeout
        self._codec = scenario.line.codec
        self._on_bot_audio = on_bot_audio
        self.uuid: UUID = call_uuid(scenario)
        self._number = shared.add(lambda number: _part_of(scenario, number))
        self.t0: float | None = None
        """Loop time at which Asterisk reached AudioSocket in its dialplan: a millisecond or so before the UUID."""
        self._channel = CallerChannel(
            profile(release_like(self._version), peer.attach),
            packet_time_ms=peer.packet_time,
            rate_hz=8000,
            source=source,
            mixed=False,
            first_packet_ms=peer.first_packet,
            delays=None if peer.jitter is None else PacketDelays(peer.jitter.up_to, peer.jitter.seed),
            send=self._send,
            on_error=self._fail,
        )
        self._asterisk: RealAsterisk | None = None
        self._phone: RtpPhone | None = None
        self._phone_channel = ""
        self._call_id = ""
        self._originated = False
        self._local_address: tuple[str, int] | None = None
        self._hung_up_at: float | None = None
        self._heard_at = 0.0
        self._end: LegEnd | None = None
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._over = asyncio.Event()

    # --- what others may do and ask

    async def prepare(self) -> None:
        """Boot Asterisk, unless it runs for another call of this run. Raises AsteriskMissing."""
        self._asterisk = await self._shared.enter()

    async def connect(self, host: str, port: int) -> None:
        """Have Asterisk call the phone and the server. Raises ConnectFailed, AsteriskMissing."""
        self._task = self._loop.create_task(self._call(host, port))
        self._task.add_done_callback(self._called)
        await asyncio.shield(self._ready)

    def hang_up(self, how: str = "close") -> None:
        """The phone is put down."""
        if self._end is not None or self._hung_up_at is not None:
            return
        self._hung_up_at = self._loop.time()
        self._channel.stop()
        if self._asterisk is not None and self._phone_channel:
            self._asterisk.send(hang_up_command(self._phone_channel))
        else:
            self._abort()

    async def press(self, digit: str, tone_ms: float = 100) -> None:
        """Hold a key. The phone sends no sound meanwhile."""
        if self._asterisk is not None and self._end is None:
            self._asterisk.send(key_command(self._number, digit, tone_ms))
        await self._channel.press(digit, tone_ms)

    async def wait_ended(self) -> LegEnd:
        """Wait until the call is over. Returns how it ended; raises what went wrong with the real Asterisk."""
        await self._over.wait()
        if self._error is not None:
            raise self._error
        assert self._end is not None
        return self._end

    async def aclose(self) -> None:
        """Return when the call is over; if it is the last one of the run, when Asterisk has gone, and its folder."""
        if self._end is None:
            self._abort()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        if self._asterisk is not None:
            self._asterisk = None
            await self._shared.leave()

    def _abort(self) -> None:
        self._channel.stop()
        if self._task is not None:
            self._task.cancel()
        if self._end is None:
            self._end = LegEnd("caller", "fin", "ends", "the simulation was taken down", self._loop.time())
        self._over.set()

    @property
    def local_address(self) -> tuple[str, int]:
        """Asterisk's end of the connection to the server."""
        assert self._local_address is not None, "not connected"
        return self._local_address

    def excuse(self, blocked_by_bot: Callable[[float, float], float]) -> None:
        """Count as own lateness only what the bot has not caused: see `CallerChannel.blocked_by_bot`."""
        self._channel.blocked_by_bot = blocked_by_bot

    @property
    def own_lateness_ms(self) -> float:
        """The most that the phone's packets left later than due."""
        return max(self._channel.lateness, default=0.0) * 1000

    async def released(self, within: float) -> bool | None:
        """The real Asterisk's end of the connection is closed: what the server does then cannot be seen."""
        return None

    @property
    def record(self) -> WireRecord:
        """Nothing: what Asterisk drops, it does not report."""
        return WireRecord()

    @property
    def packet_lateness(self) -> list[tuple[float, float]]:
        """For each packet so far: the loop time at which it left, and by how many seconds that was late."""
        return list(zip(self._channel.ticked_at, self._channel.lateness, strict=True))

    @property
    def anomalies(self) -> list[str]:
        """Which Asterisk made the call. What else it let pass, it does not log."""
        return [f"this call was made by a real Asterisk {self._version}"]

    @property
    def counts(self) -> None:
        """Nothing: Asterisk does not log what went over its socket."""
        return None

    # --- the call

    async def _call(self, host: str, port: int) -> None:
        assert self._codec in ("ulaw", "alaw")
        assert self._asterisk is not None, "not prepared"
        asterisk = self._asterisk
        phone = self._phone = await RtpPhone.open(self._codec, self._hear)
        try:
            async with self._shared.dialling:
                await self._set_up(asterisk, phone, host, port)
            await self._until_it_is_over(asterisk)
        finally:
            phone.close()
            await self._leave_no_channel(asterisk)

    async def _set_up(self, asterisk: RealAsterisk, phone: RtpPhone, host: str, port: int) -> None:
        known = connections_to(port, asterisk.pid)
        asterisk.send(address_of(self._number, host, port))
        asterisk.send(dial_command(self._number, phone.channel))
        self._originated = True
        phone.connect(await self._phone_called(asterisk))
        at, _ = await self._told(asterisk, "bot")
        until = self._loop.time() + _LONGEST_SET_UP_SECONDS
        while not (new := connections_to(port, asterisk.pid) - known) and self._loop.time() < until:
            if self._is_told(asterisk, "over"):
                raise ConnectFailed(self._end_told(asterisk))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        self._local_address = next(iter(new), ("", 0))
        self.t0 = at
        self._channel.start()
        self._ready.set_result(None)

    async def _phone_called(self, asterisk: RealAsterisk) -> int:
        """Wait until Asterisk has called the phone, and return the port on which it takes the phone's packets."""
        _, line = await self._told(asterisk, "phone")
        port, self._phone_channel = line.split(f"{mark(self._number)} phone ")[1].split()
        found = _CALL_ID.search(line)
        self._call_id = "" if found is None else found[0]
        return int(port)

    async def _told(self, asterisk: RealAsterisk, what: str, within: float = _LONGEST_SET_UP_SECONDS) -> ConsoleLine:
        return await asterisk.told(f"{mark(self._number)} {what}", within)

    def _is_told(self, asterisk: RealAsterisk, what: str) -> bool:
        return any(f"{mark(self._number)} {what}" in line for _, line in asterisk.lines)

    async def _until_it_is_over(self, asterisk: RealAsterisk) -> None:
        await self._told(asterisk, "over", 24 * 3600)
        await asyncio.sleep(0)
        self._channel.stop()
        self._end = self._end or self._end_told(asterisk)
        self._over.set()

    async def _leave_no_channel(self, asterisk: RealAsterisk) -> None:
        """Hang up if the call was broken off: Asterisk has other calls, and would go on with this one."""
        if self._originated and not self._is_told(asterisk, "over"):
            with suppress(TimeoutError, AsteriskMissing):
                if not self._phone_channel:
                    await self._phone_called(asterisk)
                asterisk.send(hang_up_command(self._phone_channel))
                await self._told(asterisk, "over", _ENDING_SECONDS)

    def _end_told(self, asterisk: RealAsterisk) -> LegEnd:
        over = f"{mark(self._number)} over"
        over_at = next((at for at, text in asterisk.lines if over in text), self._loop.time())
        times = CallTimes(self.t0, max(self._heard_at, self._channel.active_at), self._hung_up_at, over_at)
        lines = [text for _, text in asterisk.lines if self._call_id in text]
        return end_told(lines, self._attach, times, absolute_timeout_ms=self._absolute_timeout_ms)

    def _called(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if not self._ready.done():
            if error is None:
                self._ready.set_result(None)
            else:
                self._ready.set_exception(error)
                self._end = self._end or LegEnd("server", "refused", "ends", str(error), self._loop.time())
        elif isinstance(error, Exception) and self._error is None and not self._over.is_set():
            self._error = error
        self._over.set()

    # --- sound

    def _send(self, message: bytes) -> None:
        """The caller's channel makes AudioSocket messages; a phone sends what is in them."""
        if message[0] != Kind.DTMF and self._phone is not None:
            self._phone.send(message[HEADER_BYTES:])

    def _hear(self, at: float, pcm: bytes) -> None:
        self._heard_at = at
        if self._end is None and self.t0 is not None:
            try:
                self._on_bot_audio(at, 8000, pcm)
            except Exception as error:  # noqa: BLE001 - a fault of ours ends this call, and is told
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._abort()


def _part_of(scenario: Scenario, number: int) -> str:
    peer = scenario.asterisk
    return part_of_the_dialplan(
        number,
        str(call_uuid(scenario)),
        channel=None if peer.attach == "app" else "" if peer.c == "ulaw" else f"/c({peer.c})",
        has_keys=any(isinstance(step, DtmfStep) for _, step in all_steps(scenario.steps)),
        absolute_timeout_ms=peer.absolute_timeout,
    )
