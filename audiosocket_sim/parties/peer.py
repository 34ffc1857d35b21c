"""Who calls the server under test: the simulated Asterisk, or another that behaves as one. The seam between them.

A `Leg` is one call as `stage` and `steps` need it. It must say when the call began, take the caller's sound packet by
packet, hand on what the bot says, and tell how it ended.
"""

import uuid
from collections.abc import Callable
from typing import Literal, Protocol, get_args

from audiosocket_sim.asterisk import CallLeg, LegEnd
from audiosocket_sim.asterisk.faults import AsteriskStall, PacketDelays
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.scenario import Scenario

__all__ = ["PEERS", "Leg", "MakeLeg", "OnBotAudio", "PacketSource", "PeerName", "call_uuid", "simulated_leg"]

_NAMESPACE = uuid.UUID("6f1d5e0a-3c55-5b1e-9a8e-2f6f4d1c7b20")

PacketSource = Callable[[int], bytes | None]
"""The caller's next packet, so many samples long; None where the phone sends nothing."""
OnBotAudio = Callable[[float, int, bytes], None]
"""Loop time, rate, 16-bit SLIN."""


PeerName = Literal["simulated", "asterisk"]
PEERS: tuple[PeerName, ...] = get_args(PeerName)


class Leg(Protocol):
    """One call. `connect` once; `wait_ended` tells how it ended. See `CallLeg`."""

    @property
    def t0(self) -> float | None:
        """The loop's time, in s, at which the UUID was sent; None before it."""

    @property
    def uuid(self) -> uuid.UUID:
        """The call's UUID."""

    async def connect(self, host: str, port: int) -> None:
        """Dial the server and send the UUID. Raises OSError where nobody answers."""

    def hang_up(self, how: str = "close") -> None:
        """End the call from the caller's side; `how` is a way of the step `hang_up`."""

    async def press(self, digit: str, tone_ms: float = 100) -> None:
        """Press a key for `tone_ms`, and wait until it is released."""

    async def wait_ended(self) -> LegEnd:
        """Wait until the call is over. Returns who ended it, and how."""

    async def aclose(self) -> None:
        """End it if it has not ended, and return when nothing of it is left."""

    @property
    def local_address(self) -> tuple[str, int]:
        """The address and port from which the leg has dialled."""

    @property
    def own_lateness_ms(self) -> float:
        """How late, in ms, the latest of all packets left by the simulator's own fault; 0 in virtual time."""

    @property
    def anomalies(self) -> list[str]:
        """What the server did against the protocol, one line each."""


MakeLeg = Callable[[Scenario, PacketSource, OnBotAudio], Leg]


def call_uuid(scenario: Scenario) -> uuid.UUID:
    """The scenario's own, or one made from its name."""
    named = scenario.asterisk.uuid
    return uuid.UUID(named) if named else uuid.uuid5(_NAMESPACE, scenario.name)


def simulated_leg(scenario: Scenario, source: PacketSource, on_bot_audio: OnBotAudio) -> Leg:
    """The simulated Asterisk, as the scenario describes it."""
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
    )
