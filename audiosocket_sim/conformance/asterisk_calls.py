"""A whole call of the simulated Asterisk, for the cases that ask what a version makes of this server."""

import asyncio
import uuid as uuids

from audiosocket_sim.asterisk import CallLeg, ConnectFailed
from audiosocket_sim.asterisk.end import LegEnd
from audiosocket_sim.asterisk.faults import AsteriskStall, PacketDelays
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.asterisk.reader import CLOSED_INSIDE
from audiosocket_sim.conformance.case import AsteriskCall, LegSeen
from audiosocket_sim.conformance.sounds import CallerSounds

__all__ = ["call_of_asterisk"]

_RELEASE_SECONDS = 3.0
_KEY_MS = 400
_INTO_THE_QUIET = 0.5
"""How long after the caller's last word a key is pressed, or Asterisk stands still."""


async def call_of_asterisk(call: AsteriskCall, host: str, port: int, uuid: bytes, sounds: CallerSounds) -> LegSeen:
    """Make the call: the caller listens, speaks, is quiet, and hangs up. Returns how it ended."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    leg = _leg(call, uuid, began, sounds)
    released: bool | None = None
    try:
        await leg.connect(host, port)
        end = await _to_its_end(leg, call, began)
        released = await leg.released(_RELEASE_SECONDS)
    except ConnectFailed as failed:
        end = failed.end
    finally:
        await leg.aclose()
    return LegSeen(
        version=call.version,
        attach=call.attach,
        dropped=_is_dropped(end),
        reason=end.reason,
        at=max(0.0, end.at - began),
        messages=sum(count.messages for count in leg.counts.from_server),
        anomalies=tuple(leg.anomalies),
        who=end.who,
        how=end.how,
        to_server=sum(count.messages for count in leg.counts.to_server),
        released=released,
    )


def _leg(call: AsteriskCall, uuid: bytes, began: float, sounds: CallerSounds) -> CallLeg:
    loop = asyncio.get_running_loop()

    def source(samples: int) -> bytes | None:
        at = loop.time() - began - call.listens
        if call.silent or (call.mutes and at >= call.speaks + call.mutes_after):
            return None
        speaks = 0 <= at < call.speaks
        return sounds.sound("words" if speaks else "silence", call.rate_hz, max(0, round(at * call.rate_hz)), samples)

    quiet_ms = round((call.listens + call.speaks + _INTO_THE_QUIET) * 1000)
    return CallLeg(
        profile(call.version, call.attach),
        uuids.UUID(bytes=uuid),
        packet_time_ms=round(call.packet * 1000),
        rate_hz=call.rate_hz,
        source=source,
        on_bot_audio=lambda *_: None,
        mixed=call.mixed,
        coding=call.coding,
        comfort_noise_bytes=call.comfort_noise,
        absolute_timeout_ms=None if call.time_limit is None else round(call.time_limit * 1000),
        stalls=(AsteriskStall(quiet_ms, round(call.stands_still * 1000)),) if call.stands_still else (),
        bridge_after_ms=None if call.bridged_after is None else round(call.bridged_after * 1000),
        stuck_in_header=call.stuck,
        delays=PacketDelays(call.jitter * 1000, seed=1) if call.jitter else None,
        watch_the_end=True,
    )


async def _to_its_end(leg: CallLeg, call: AsteriskCall, began: float) -> LegEnd:
    try:
        async with asyncio.timeout_at(began + call.seconds):
            if call.key:
                await asyncio.sleep(call.listens + call.speaks + _INTO_THE_QUIET)
                await leg.press(call.key, _KEY_MS)
            await leg.wait_ended()
    except TimeoutError:
        leg.hang_up()
    return await leg.wait_ended()


def _is_dropped(end: LegEnd) -> bool:
    """Whether Asterisk ended it, or the server in a way that Asterisk takes for an error."""
    by_limit = end.reason.startswith("TIMEOUT(absolute)")
    return (end.who == "asterisk" and not by_limit) or (
        end.who == "server" and (end.how not in ("hangup_message", "fin") or end.reason == CLOSED_INSIDE)
    )
