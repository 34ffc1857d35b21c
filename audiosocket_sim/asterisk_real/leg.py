"""A scenario's call through a real Asterisk: the runner is the phone, over RTP, and can react as it does to the
simulated one. One Asterisk a call, started by `connect` and stopped after it.

What a phone cannot do or know is left out: `misfit` says what. It must not judge the bot, nor smooth anything: what
Asterisk does with a packet is what is to be seen.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from audiosocket_core.messages import HEADER_BYTES, Kind
from audiosocket_sim.asterisk import ConnectFailed, LegEnd
from audiosocket_sim.asterisk.channel import CallerChannel
from audiosocket_sim.asterisk.faults import PacketDelays
from audiosocket_sim.asterisk.profiles import profile, release_like
from audiosocket_sim.asterisk.wire_record import WireRecord
from audiosocket_sim.asterisk_real.misfits import misfits
from audiosocket_sim.asterisk_real.packages import Installation, choose, installations
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.asterisk_real.process import RealAsterisk
from audiosocket_sim.asterisk_real.verdicts import CallTimes, end_told
from audiosocket_sim.asterisk_real.versions import BadVersion
from audiosocket_sim.parties.peer import MakeLeg, OnBotAudio, PacketSource, call_uuid
from audiosocket_sim.parties.target import TargetUsageError
from audiosocket_sim.scenario import DtmfStep, Scenario, all_steps

__all__ = ["RealLeg", "real_leg"]

_LONGEST_SET_UP_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.002
_ENDING_SECONDS = 5.0

# The phone's channel runs the application itself. For keys it is bridged to one half of a Local channel, the other half
# of which runs the application: chan_rtp takes no telephone-events, but a Local channel can be sent keys.
_DIALPLAN = """
[calls]
exten => phone,1,Answer()
 same => n,Set(GLOBAL(PHONE)=${{CHANNEL}})
 same => n,Verbose(1,@phone ${{UNICASTRTP_LOCAL_PORT}} ${{CHANNEL}})
 same => n,{phone}
exten => bot,1,Answer()
 same => n,Set(GLOBAL(BOT)=${{CHANNEL}})
 same => n,{limit}
 same => n,Verbose(1,@bot)
 same => n,{bot}
 same => n,Verbose(1,@continues ${{DIALSTATUS}})
 same => n,Hangup()
exten => h,1,Verbose(1,@over)

[keys]
exten => _X!,1,SendDTMF(${{EXTEN:0:1}},0,${{EXTEN:1}},${{BOT:0:-1}}1)
exten => _[*#A-D]X.,1,SendDTMF(${{EXTEN:0:1}},0,${{EXTEN:1}},${{BOT:0:-1}}1)
"""


def real_leg(scenario: Scenario, version: str | None = None) -> MakeLeg:
    """Return what makes the legs of a scenario, by the Asterisk that `packages.choose` takes.

    version: of the Asterisk that a person asked for (`22.10`), or None. Raises AsteriskMissing where none fits, and
    TargetUsageError where `version` is none, or where a phone cannot play the scenario.
    """
    try:
        installation = choose(installations(), version, scenario.asterisk.version)
    except BadVersion as error:
        raise TargetUsageError(f"--asterisk-version: {error}") from error
    wrong = misfits(scenario, installation.version)
    if wrong:
        reasons = "; ".join(wrong)
        raise TargetUsageError(f"{scenario.name} cannot be played with --peer asterisk: {reasons}")
    return lambda *arguments: RealLeg(installation, *arguments)


class RealLeg:
    """One call, made inside a running loop on the real clock. Its interface is `peer.Leg`'s."""

    def __init__(
        self,
        installation: Installation,
        scenario: Scenario,
        source: PacketSource,
        on_bot_audio: OnBotAudio,
    ) -> None:
        peer = scenario.asterisk
        self._loop = asyncio.get_running_loop()
        self._installation = installation
        self._attach = peer.attach
        self._c = peer.c
        self._absolute_timeout_ms = peer.absolute_timeout
        self._codec = scenario.line.codec
        self._has_keys = any(isinstance(step, DtmfStep) for _, step in all_steps(scenario.steps))
        self._on_bot_audio = on_bot_audio
        self.uuid: UUID = call_uuid(scenario)
        self.t0: float | None = None
        """Loop time at which Asterisk reached AudioSocket in its dialplan: a millisecond or so before the UUID."""
        self._channel = CallerChannel(
            profile(release_like(installation.version), peer.attach),
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
        self._local_address: tuple[str, int] | None = None
        self._hung_up_at: float | None = None
        self._heard_at = 0.0
        self._end: LegEnd | None = None
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._over = asyncio.Event()

    # --- what others may do and ask

    async def connect(self, host: str, port: int) -> None:
        """Start Asterisk, and have it call the phone and the server. `ConnectFailed`, `AsteriskMissing`."""
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
            self._asterisk.send(f"channel request hangup {self._phone_channel}")
        else:
            self._abort()

    async def press(self, digit: str, tone_ms: float = 100) -> None:
        """Hold a key. The phone sends no sound meanwhile."""
        if self._asterisk is not None and self._end is None:
            self._asterisk.send(f"channel originate Local/{digit}{tone_ms:.0f}@keys/n application NoOp")
        await self._channel.press(digit, tone_ms)

    async def wait_ended(self) -> LegEnd:
        """Wait until the call is over. Returns how it ended; raises what went wrong with the real Asterisk."""
        await self._over.wait()
        if self._error is not None:
            raise self._error
        assert self._end is not None
        return self._end

    async def aclose(self) -> None:
        """Return when Asterisk has gone, and its folder with it."""
        if self._end is None:
            self._abort()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

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
        return [f"this call was made by a real Asterisk {self._installation.version}"]

    @property
    def counts(self) -> None:
        """Nothing: Asterisk does not log what went over its socket."""
        return None

    # --- the call

    async def _call(self, host: str, port: int) -> None:
        assert self._codec in ("ulaw", "alaw")
        phone = self._phone = await RtpPhone.open(self._codec, self._hear)
        dialplan = _DIALPLAN.format(
            phone="Dial(Local/bot@calls/n)" if self._has_keys else "Goto(bot,1)",
            limit=self._limit(),
            bot=self._application(host, port),
        )
        try:
            async with RealAsterisk(self._installation, dialplan) as asterisk:
                self._asterisk = asterisk
                await self._set_up(asterisk, phone, host, port)
                await self._until_it_is_over(asterisk)
        finally:
            phone.close()

    def _limit(self) -> str:
        if self._absolute_timeout_ms is None:
            return "NoOp()"
        return f"Set(TIMEOUT(absolute)={self._absolute_timeout_ms / 1000:g})"

    def _application(self, host: str, port: int) -> str:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if self._attach == "app":
            return f"AudioSocket({self.uuid},{address})"
        return f"Dial(AudioSocket/{address}/{self.uuid}{'' if self._c == 'ulaw' else f'/c({self._c})'},,g)"

    async def _set_up(self, asterisk: RealAsterisk, phone: RtpPhone, host: str, port: int) -> None:
        asterisk.send(f"channel originate {phone.channel} extension phone@calls")
        _, text = await asterisk.told("@phone", _LONGEST_SET_UP_SECONDS)
        words = text.split("@phone ")[1].split()
        phone.connect(int(words[0]))
        self._phone_channel = words[1]
        at, _ = await asterisk.told("@bot", _LONGEST_SET_UP_SECONDS)
        until = self._loop.time() + _LONGEST_SET_UP_SECONDS
        while (address := _connection_of(asterisk.pid, port)) is None and self._loop.time() < until:
            if any("@over" in line for _, line in asterisk.lines):
                raise ConnectFailed(self._end_told(asterisk))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        self._local_address = address or ("", 0)
        self.t0 = at
        self._channel.start()
        self._ready.set_result(None)

    async def _until_it_is_over(self, asterisk: RealAsterisk) -> None:
        await asterisk.told("@over", 24 * 3600)
        await asyncio.sleep(0)
        self._channel.stop()
        self._end = self._end or self._end_told(asterisk)
        self._over.set()

    def _end_told(self, asterisk: RealAsterisk) -> LegEnd:
        over_at = next((at for at, text in asterisk.lines if "@over" in text), self._loop.time())
        times = CallTimes(self.t0, max(self._heard_at, self._channel.active_at), self._hung_up_at, over_at)
        lines = [text for _, text in asterisk.lines]
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


def _connection_of(pid: int, port: int) -> tuple[str, int] | None:
    """The local address of the process's connection to that port, as the kernel's table has it."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue  # closed meanwhile
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and fields[2].endswith(f":{port:04X}"):
            address, _, local_port = fields[1].partition(":")
            octets = reversed([int(address[i : i + 2], 16) for i in range(0, 8, 2)])  # in the host's order
            return ".".join(map(str, octets)), int(local_port, 16)
    return None
