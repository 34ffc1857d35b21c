"""Convert a call made with the microphone into a captured call, from which a scenario is written. Pure."""

from typing import Literal, cast

from audiosocket_sim.asterisk import LegEnd
from audiosocket_sim.call_log.events import CallerAction, CallLog
from audiosocket_sim.live.captured_call import BotPacket, CapturedCall, Ending, KeyPressed, Muted, Packet
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.session import MicCall

__all__ = ["captured", "mutes"]


def captured(call: MicCall, end: LegEnd, options: MicOptions) -> CapturedCall:
    """Return the whole call, with the questions to the AI backend if the server reported them."""
    events = call.server_events
    return CapturedCall(
        uuid=call.leg.uuid,
        ending=_ending(end, call.ms(end.at)),
        version=options.version,
        attach=options.attach,
        caller=tuple(Packet(call.ms(at), packet) for at, packet in call.sent),
        bot=tuple(BotPacket(call.ms(at), rate_hz, payload) for at, rate_hz, payload in call.bot_sent),
        keys=tuple(KeyPressed(call.ms(at), digit) for at, digit in call.keys),
        mutes=mutes(call.log, end_ms=call.ms(end.at)),
        recognised=tuple(events.recognised),
        states=tuple(events.states),
        exchanges=tuple(events.exchanges),
        pushes=tuple(events.pushes),
        backend_captured=bool(events.exchanges),
    )


def mutes(call_log: CallLog, *, end_ms: int) -> tuple[Muted, ...]:
    """Return when the caller had muted his phone. Other gaps in his sound are faults of this machine.

    end_ms: the end of the call, ms since the UUID, like all times.
    """
    found: list[Muted] = []
    since: int | None = None
    for entry in call_log.entries:
        match entry.event:
            case CallerAction("mute") if since is None:
                since = entry.at_ms
            case CallerAction("unmute") if since is not None:
                found.append(Muted(since, entry.at_ms))
                since = None
    if since is not None and since < end_ms:
        found.append(Muted(since, None))
    return tuple(found)


def _ending(end: LegEnd, at_ms: int) -> Ending:
    who = cast(Literal["server", "caller", "asterisk"], end.who)
    how = cast(Literal["hangup_message", "fin", "reset", "protocol"], end.how)
    return Ending(at_ms, who, how)
