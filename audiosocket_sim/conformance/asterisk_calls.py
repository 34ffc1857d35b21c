"""A whole call of the simulated Asterisk, for the cases that ask what a version makes of this server."""

import asyncio
import uuid as uuids

from audiosocket_sim.asterisk import CallLeg, ConnectFailed
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.conformance.case import AsteriskCall, LegSeen
from audiosocket_sim.conformance.sounds import CallerSounds

__all__ = ["call_of_asterisk"]


async def call_of_asterisk(call: AsteriskCall, host: str, port: int, uuid: bytes, sounds: CallerSounds) -> LegSeen:
    """Make the call: the caller listens, speaks, is quiet, and hangs up. Returns how it ended."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    def source(samples: int) -> bytes:
        at = loop.time() - began - call.listens
        speaks = 0 <= at < call.speaks
        return sounds.sound("words" if speaks else "silence", 8000, max(0, round(at * 8000)), samples)

    leg = CallLeg(
        profile(call.version, call.attach), uuids.UUID(bytes=uuid), source=source, on_bot_audio=lambda *_: None
    )
    try:
        await leg.connect(host, port)
        try:
            async with asyncio.timeout(call.listens + call.speaks + call.quiet):
                await leg.wait_ended()
        except TimeoutError:
            leg.hang_up()
        end = await leg.wait_ended()
    except ConnectFailed as failed:
        end = failed.end
    finally:
        await leg.aclose()
    dropped = end.who == "asterisk" or (end.who == "server" and end.how not in ("hangup_message", "fin"))
    return LegSeen(
        call.version,
        call.attach,
        dropped,
        end.reason,
        max(0.0, loop.time() - began),
        sum(count.messages for count in leg.counts.from_server),
        tuple(leg.anomalies),
    )
