"""The calling party: the interface `Leg`, which the simulated and the real Asterisk implement.

A `Leg` is one call as `call_fixture` and `steps` use it. It knows when the call began, takes the caller's sound packet
by packet, passes on the bot's sound, and reports how the call ended.
"""

import uuid
from collections.abc import Callable
from typing import Literal, Protocol, get_args

from audiosocket_sim.asterisk import CallLeg, LegEnd
from audiosocket_sim.asterisk.faults import AsteriskStall, PacketDelays
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.asterisk.wire_counts import WireCounts
from audiosocket_sim.asterisk.wire_record import WireRecord
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.call_uuid import call_uuid

__all__ = [
    "PEERS",
    "Leg",
    "MakeLeg",
    "MakeLegs",
    "OnBotAudio",
    "PacketSource",
    "PeerName",
    "simulated_leg",
]

PacketSource = Callable[[int], bytes | None]
"""Called with a number of samples; returns the caller's next packet of that length, or None to send nothing."""
OnBotAudio = Callable[[float, int, bytes], None]
"""Called with the bot's audio: loop time in seconds, rate in Hz, 16-bit SLIN."""


PeerName = Literal["simulated", "asterisk"]
PEERS: tuple[PeerName, ...] = get_args(PeerName)


class Leg(Protocol):
    """One call: `prepare` and then `connect` are called once, and `wait_ended` returns how the call ended.

    Implemented by `CallLeg`, and by `RealLeg` of `asterisk_real`.
    """

    @property
    def t0(self) -> float | None:
        """The loop time, in seconds, at which the UUID was sent; None before that."""

    @property
    def uuid(self) -> uuid.UUID:
        """The call's UUID."""

    async def prepare(self) -> None:
        """Do what takes its time and comes before the call is placed: also before others of its run are."""

    async def connect(self, host: str, port: int) -> None:
        """Dial the server and send the UUID. Raises ConnectFailed if nothing answers at the address."""

    def hang_up(self, how: str = "close") -> None:
        """End the call from the caller's side. `how`: close, reset or mid_frame, as in the step `hang_up`."""

    async def press(self, digit: str, tone_ms: float = 100) -> None:
        """Press a key for `tone_ms`, and wait until it is released."""

    async def wait_ended(self) -> LegEnd:
        """Wait until the call is over, and return who ended it and how."""

    async def aclose(self) -> None:
        """End the call if it is still in progress, and wait until its socket and timers are gone."""

    @property
    def local_address(self) -> tuple[str, int]:
        """The address and port from which the leg dialled."""

    def excuse(self, blocked_by_bot: Callable[[float, float], float]) -> None:
        """Count as own lateness only what the bot, in this process, has not caused.

        `blocked_by_bot` returns for how many seconds the bot has blocked this thread, from one loop time to another.
        """

    @property
    def own_lateness_ms(self) -> float:
        """By how many ms the latest packet left late because of the simulator itself; 0 in virtual time."""

    async def released(self, within: float) -> bool | None:
        """Wait until the server has closed its connection after the end, at most `within` s; None: not known."""

    @property
    def record(self) -> WireRecord:
        """What the server did on the wire that is of no consequence to Asterisk."""

    @property
    def packet_lateness(self) -> list[tuple[float, float]]:
        """For each packet so far: the loop time at which it left, and by how many seconds that was late."""

    @property
    def anomalies(self) -> list[str]:
        """The server's deviations from the protocol, one line for each."""

    @property
    def counts(self) -> WireCounts | None:
        """What went over the wire so far; None if that is not known, as with a real Asterisk."""


MakeLeg = Callable[[Scenario, PacketSource, OnBotAudio], Leg]
MakeLegs = Callable[[Scenario], MakeLeg]
"""Called once for each call of a run, before the first of them is prepared. Raises TargetUsageError if this peer cannot
play the scenario."""


def simulated_leg(scenario: Scenario, source: PacketSource, on_bot_audio: OnBotAudio) -> Leg:
    """Return a leg of the simulated Asterisk, set up as the scenario describes. `source`, `on_bot_audio`: see above."""
    peer = scenario.asterisk
    return CallLeg(
        profile(peer.version, peer.attach),
        call_uuid(scenario),
        packet_time_ms=peer.packet_time,
        rate_hz=peer.rate_hz,
        source=source,
        on_bot_audio=on_bot_audio,
        answered=peer.answered,
        connect_pause_ms=peer.connect_pause,
        mixed=peer.mixed,
        compressed=scenario.line.codec != "none",
        coding=peer.c,
        resampled=peer.rate_hz != 8000 and scenario.line.codec != "none",
        comfort_noise_bytes=int(peer.comfort_noise),
        first_packet_ms=peer.first_packet,
        absolute_timeout_ms=peer.absolute_timeout,
        stalls=[AsteriskStall(stall.at, stall.for_, stall.caller == "local") for stall in peer.stall],
        bridge_after_ms=peer.bridge_after,
        stuck_in_header=peer.stuck_in_header,
        delays=None if peer.jitter is None else PacketDelays(peer.jitter.up_to, peer.jitter.seed),
        split=scenario.network.split,
        seed=scenario.network.seed,
        watch_the_end=True,
    )
