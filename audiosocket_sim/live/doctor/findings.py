"""From what was seen to plain words: what it was, and what to change. Pure. docs/asterisk.md has the same causes."""

from collections.abc import Iterator
from dataclasses import dataclass

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.live.doctor.observed import Observed

__all__ = ["Finding", "findings"]

_SLIN_BYTES_A_MS = 16
_QUIET_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `what` it is about, what was `seen`, and what to `change` (empty: nothing)."""

    what: str
    seen: str
    change: str = ""


def findings(call: Observed) -> list[Finding]:
    """In the order in which a person asks."""
    if call.end == "breach":
        seen = "the first message was no UUID of 16 bytes: no Asterisk does that"
        return [Finding("connection", seen, "look who dials: another program, or a proxy that takes bytes away")]
    if call.uuid is None and call.end == "doctor":
        seen = f"accepted from {call.peer}, and nothing came in {call.seconds:.0f} s"
        return [
            Finding("connection", seen, "look who dials: Asterisk's first message comes within a millisecond or so")
        ]
    if call.uuid is None:
        seen = f"accepted from {call.peer}, and closed without a byte after {call.seconds * 1000:.0f} ms"
        return [Finding("connection", seen, "Answer() before AudioSocket(): the channel was not answered")]
    return [_connection(call), *_audio(call), *_gaps(call), *_keys(call), _end(call), _version(call)]


def _connection(call: Observed) -> Finding:
    return Finding("connection", f"from {call.peer}; UUID {call.uuid} after {call.uuid_after_ms:.0f} ms")


def _audio(call: Observed) -> Iterator[Finding]:
    usual, packet_ms = call.usual, call.packet_ms
    if usual is None or packet_ms is None:
        seen = "none" if usual is None else f"{call.n_audio} messages: too few to tell"
        cause = "the phone sends nothing (mute, hold, one-way RTP: firewall, NAT), or the channel is in no bridge (ARI)"
        yield Finding("audio", f"{seen}: {cause}", "`rtp set debug on` shows whether the phone's packets come")
        return
    kind, size = usual
    bytes_a_ms = size / packet_ms
    what = f"0x{kind:02x}, {size} bytes every {packet_ms:.0f} ms"
    rate_hz = RATE_HZ[Kind(kind)]
    if kind == Kind.SLIN8 and _near(bytes_a_ms, 8):
        law = "µ-law" if call.law == "ulaw" else "A-law"
        change = "add c(slin) to the dial string: Dial(AudioSocket/HOST:PORT/UUID/c(slin))"
        yield Finding("audio", f"{what}: {law}, labelled as linear audio of 8 kHz; a bot hears noise", change)
        return
    if kind == Kind.SLIN8 and not _near(bytes_a_ms, _SLIN_BYTES_A_MS):
        true_hz = round(bytes_a_ms / 2) * 1000
        if _near(bytes_a_ms, 32) or _near(bytes_a_ms, 24) or bytes_a_ms > 40:
            change = "c(slin), or a version from 20.17, 22.7, 23.1 on; or tell the bot the true rate"
            yield Finding("audio", f"{what}: linear audio of about {true_hz} Hz, labelled as 8 kHz", change)
        else:
            yield Finding("audio", f"{what}: no linear audio of 8 kHz, but a codec", "add c(slin) to the dial string")
        return
    yield Finding("audio", f"{what}: linear, {rate_hz} Hz, as its label says; packets of {packet_ms:.0f} ms")
    if call.loudest_dbfs < _QUIET_DBFS:
        change = "speak while the doctor listens; else look at the phone's microphone and at the codec"
        yield Finding("level", f"nothing louder than {_dbfs(call.loudest_dbfs)}: silence", change)
    else:
        yield Finding("level", f"up to {_dbfs(call.loudest_dbfs)}")
    if len(call.sizes) > 2:
        yield Finding("sizes", f"{len(call.sizes)} different ones: a bot must take any length")


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) < wanted / 6


def _dbfs(level: float) -> str:
    return "digital silence" if level == float("-inf") else f"{level:.0f} dBFS".replace("-", "−")


def _gaps(call: Observed) -> Iterator[Finding]:
    gaps = call.long_gaps_ms
    if not gaps:
        return
    longest = max(gaps)
    seen = f"{len(gaps)} of more than 60 ms without audio, the longest {longest / 1000:.2f} s"
    if longest >= 1000:
        change = (
            "the bot must send silence all the time: with the application, 2 s with nothing either way end the call"
        )
        yield Finding("gaps", f"{seen}: the phone stops sending (mute, hold, silence suppression)", change)
    else:
        yield Finding("gaps", f"{seen}: packets came late, or were lost")


def _keys(call: Observed) -> Iterator[Finding]:
    if call.keys:
        yield Finding("keys", f"{call.keys}, each when it came up")
    else:
        yield Finding(
            "keys", "none came: none was pressed, Asterisk is older than 20.14, 22.4, or the phone sends tones"
        )


def _end(call: Observed) -> Finding:
    took = f"after {call.seconds:.1f} s"
    match call.end:
        case "fin":
            return Finding("end", f"Asterisk closed {took}: the caller hung up, or the dialplan did")
        case "reset":
            return Finding("end", f"Asterisk reset the connection {took}, with our audio unread: the usual hang-up")
        case "mid_message":
            return Finding("end", f"the stream ended inside a message, {took}", "the bot must take that for an end")
    answer = {"fin": "Asterisk closed", "reset": "Asterisk reset the connection", "nothing": "Asterisk did nothing"}
    if call.probe in ("ended_before_the_rest", "ended_after_the_rest"):
        return Finding("end", f"by us, {took}: a message in two pieces, which this version does not take")
    return Finding("end", f"we hung up {took} with 00 00 00; {answer[call.answered_by]}")


def _version(call: Observed) -> Finding:
    wideband = call.usual is not None and call.usual[0] > Kind.SLIN8
    if call.probe == "survived":
        return Finding("Asterisk", "20.19, 22.9, 23.3 or later: it puts a header in pieces together rightly")
    careful = "one write a message; or a later Asterisk (docs/asterisk.md)"
    if call.probe == "ended_after_the_rest":
        return Finding("Asterisk", "20.17-20.18, 22.7-22.8 or 23.1-23.2: it misreads a header in pieces", careful)
    if call.probe == "ended_before_the_rest":
        if call.keys:
            return Finding(
                "Asterisk", "20.14-20.16, 22.4-22.6 or 23.0: it tells keys, and waits for no header", careful
            )
        old = "older than 20.17, 22.7, 23.1; without a key told, perhaps older than 20.14, 22.4"
        return Finding("Asterisk", old, f"{careful}; 00 00 00 before every close")
    if call.end == "doctor" and call.answered_by == "reset":
        old = "older than 20.14, 22.4: it answers 00 00 00 with a reset"
        return Finding(
            "Asterisk", old, "a later version; and 00 00 00 before every close, which it does not notice else"
        )
    if wideband:
        return Finding("Asterisk", "20.17, 22.7, 23.1 or later: it labels wideband")
    if call.keys:
        return Finding("Asterisk", "20.14, 22.4, 23.0 or later: it tells keys")
    return Finding("Asterisk", "its version does not show in what was seen")
