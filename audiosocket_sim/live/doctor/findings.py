"""Judge an observed call: what was seen, and what to change, for people. Pure. docs/asterisk.md lists the causes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.live.doctor.observed import Observed

__all__ = ["Finding", "findings", "in_common"]

_SLIN_BYTES_PER_MS = 16
_QUIET_DBFS = -60.0
_HTTP = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"PRI"))
_SIP = frozenset((b"INVITE", b"REGISTER", b"SIP/2.0", b"SUBSCRIBE"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: the subject (`what`), what was `seen`, and what to `change` (empty: nothing)."""

    what: str
    seen: str
    change: str = ""


def findings(call: Observed) -> list[Finding]:
    """Return the findings of one call in the order of the report: connection, sound, keys, end, version.

    A call without a UUID gives one finding only.
    """
    if call.end == "breach":
        return [_stranger(call)]
    if call.uuid is None and call.end == "doctor":
        seen = f"accepted from {call.peer}, but nothing came in {call.seconds:.0f} s"
        change = "check what dials: Asterisk's first message comes within about a millisecond"
        return [Finding("connection", seen, change)]
    if call.uuid is None:
        seen = f"accepted from {call.peer}, and closed without a byte after {call.seconds * 1000:.0f} ms"
        change = (
            "call Answer() before AudioSocket(): the channel was not answered. If you tried the port yourself (nc, "
            "telnet), it is open: start the doctor again, and call"
        )
        return [Finding("connection", seen, change)]
    return [_connection(call), *_audio(call), *_gaps(call), *_keys(call), _end(call), _version(call)]


def _stranger(call: Observed) -> Finding:
    """The finding on a connection that does not begin with a UUID, as Asterisk's always does."""
    first = call.first_bytes
    shown = ascii(first.decode("latin-1")) if _is_text(first) else first.hex(" ")
    seen = (
        f"from {call.peer}: the first message was not a UUID of 16 bytes, which Asterisk always sends; it began {shown}"
    )
    if first.split(b" ")[0] in _HTTP:
        change = "an HTTP client called: point it elsewhere (a health check, a wrong AI_API_URL), and call again"
    elif first.split(b" ")[0] in _SIP:
        change = "a SIP phone or trunk called: let it call Asterisk, and the dialplan call AudioSocket()"
    elif first[:1] == b"\x16":
        change = "the caller speaks TLS: AudioSocket has none, take the proxy or the `s` of https away"
    else:
        change = "check what dials: `ss -tnp` on that machine names the program; a proxy may remove bytes"
    return Finding("connection", seen, change)


def _is_text(data: bytes) -> bool:
    return bool(data) and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in data)


def in_common(calls: Sequence[Observed]) -> list[Finding]:
    """Return what only several calls together show: a UUID that is the same in each of two."""
    uuids = Counter(call.uuid for call in calls if call.uuid is not None)
    return [
        Finding(
            "UUID", f"{uuid} in {n} calls: a constant, so calls at the same time share it", "${UUID()} makes a new one"
        )
        for uuid, n in uuids.items()
        if n > 1
    ]


def _connection(call: Observed) -> Finding:
    return Finding("connection", f"from {call.peer}; UUID {call.uuid} after {call.uuid_after_ms:.0f} ms")


def _audio(call: Observed) -> Iterator[Finding]:
    usual, packet_ms = call.usual, call.packet_ms
    if call.comes_in_bursts:
        seen = f"{call.n_audio} messages, most of them at once: nothing can be said of their pace and their codec"
        cause = "Asterisk sends a message when the phone's packet comes; look for what holds them back on their way"
        yield Finding("audio", seen, f"{cause} (a proxy, a busy machine, the phone's network)")
        return
    if usual is None or packet_ms is None:
        seen = "none" if usual is None else f"{call.n_audio} messages: too few to judge"
        cause = "the phone sends nothing (mute, hold, one-way RTP: firewall, NAT), or the channel is in no bridge (ARI)"
        yield Finding("audio", f"{seen}: {cause}", "`rtp set debug on` shows whether the phone's packets arrive")
        return
    kind, size = usual
    what = f"0x{kind:02x}, {size} bytes every {packet_ms:.0f} ms"
    if kind == Kind.SLIN8 and not _near(size / packet_ms, _SLIN_BYTES_PER_MS):
        yield _mislabelled(call, what, size / packet_ms)
        return
    rate_hz = RATE_HZ[Kind(kind)]
    yield Finding("audio", f"{what}: linear, {rate_hz} Hz, as its label says; packets of {packet_ms:.0f} ms")
    if call.loudest_dbfs < _QUIET_DBFS:
        change = "speak while the doctor listens; if you did, check the phone's microphone and the codec"
        yield Finding("level", f"nothing louder than {_dbfs(call.loudest_dbfs)}: silence", change)
    else:
        yield Finding("level", f"up to {_dbfs(call.loudest_dbfs)}")
    if len(call.sizes) > 2:
        yield Finding("sizes", f"{len(call.sizes)} different ones: a bot must accept any length")


def _mislabelled(call: Observed, what: str, bytes_per_ms: float) -> Finding:
    """The finding on audio of kind 0x10 whose size shows that it is not 8 kHz SLIN."""
    if _near(bytes_per_ms, 8):
        law = "µ-law" if call.law == "ulaw" else "A-law"
        change = "add c(slin) to the dial string: Dial(AudioSocket/HOST:PORT/UUID/c(slin))"
        return Finding("audio", f"{what}: {law}, labelled as linear audio of 8 kHz; a bot hears noise", change)
    if _near(bytes_per_ms, 32) or _near(bytes_per_ms, 24) or bytes_per_ms > 40:
        true_hz = round(bytes_per_ms / 2) * 1000
        change = "use c(slin), or 20.17, 22.7, 23.1 or later; or set the bot to the true rate"
        return Finding("audio", f"{what}: linear audio of about {true_hz} Hz, labelled as 8 kHz", change)
    return Finding("audio", f"{what}: a codec, not linear audio of 8 kHz", "add c(slin) to the dial string")


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
        change = "the bot must send silence all the time: the application ends the call when 2 s pass without any audio"
        yield Finding("gaps", f"{seen}: the phone stops sending (mute, hold, silence suppression)", change)
    else:
        yield Finding("gaps", f"{seen}: packets came late, or were lost")


def _keys(call: Observed) -> Iterator[Finding]:
    if call.keys:
        yield Finding("keys", f"{call.keys}, each reported when it was released")
    else:
        seen = "none came: none was pressed, Asterisk is older than 20.14 or 22.4, or the phone sends audible tones"
        yield Finding("keys", seen)


def _end(call: Observed) -> Finding:
    took = f"after {call.seconds:.1f} s"
    match call.end:
        case "fin":
            return Finding("end", f"Asterisk closed {took}: the caller hung up, or the dialplan did")
        case "reset":
            return Finding("end", f"Asterisk reset the connection {took}, with our audio unread: the usual hang-up")
        case "mid_message":
            change = "the bot must take that for the end of the call"
            return Finding("end", f"the stream ended inside a message, {took}", change)
    answer = {"fin": "Asterisk closed", "reset": "Asterisk reset the connection", "nothing": "Asterisk did nothing"}
    if call.probe in ("ended_before_the_rest", "ended_after_the_rest"):
        return Finding("end", f"by us, {took}: we sent a message in two pieces, which this version does not accept")
    return Finding("end", f"we hung up {took} with 00 00 00; {answer[call.answered_by]}")


def _version(call: Observed) -> Finding:
    wideband = call.usual is not None and call.usual[0] > Kind.SLIN8
    if call.probe == "survived":
        return Finding("Asterisk", "20.19, 22.9, 23.3 or later: it accepts a header that comes in pieces")
    careful = "write each message with one call; or use a later Asterisk (docs/asterisk.md)"
    if call.probe == "ended_after_the_rest":
        seen = "20.17-20.18, 22.7-22.8 or 23.1-23.2: it misreads a header that comes in pieces"
        return Finding("Asterisk", seen, careful)
    if call.probe == "ended_before_the_rest":
        if call.keys:
            seen = "20.14-20.16, 22.4-22.6 or 23.0: it reports keys, and does not wait for the rest of a header"
            return Finding("Asterisk", seen, careful)
        seen = "older than 20.17, 22.7, 23.1; no key was reported, so perhaps older than 20.14, 22.4"
        return Finding("Asterisk", seen, f"{careful}; send 00 00 00 before every close")
    if call.end == "doctor" and call.answered_by == "reset":
        seen = "older than 20.14, 22.4: it answers 00 00 00 with a reset"
        change = "use a later version; or send 00 00 00 before every close, since it does not notice a close alone"
        return Finding("Asterisk", seen, change)
    if wideband:
        return Finding("Asterisk", "20.17, 22.7, 23.1 or later: it labels wideband audio")
    if call.keys:
        return Finding("Asterisk", "20.14, 22.4, 23.0 or later: it reports keys")
    return Finding("Asterisk", "the call does not show which version it is")
