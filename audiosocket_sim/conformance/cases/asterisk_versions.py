"""AV: whole calls of each Asterisk. What that version, attached in that way, does with this server in a usual call."""

from collections.abc import Iterator

from audiosocket_sim.conformance.case import AsteriskCall, Case, Judge, LegSeen, Level, SeenCase, Statement

__all__ = ["CASES"]

_GAP_SECONDS, _QUIET_LATE_SECONDS = 0.005, 0.1
_LOOKS_BACK = 2.5
_NO_GOODBYE = "the server closed without 00 00 00"


def _keeps(seen: SeenCase) -> Iterator[Statement]:
    """Asterisk keeps the call, or the server ends it in order; afterwards the server lets go."""
    leg = seen.leg_ends[0]
    says = f"is not dropped by {_name(leg)}"
    if not leg.dropped:
        yield Statement(True, says)
    else:
        # a piece that came late, or a message that was missing, may be owed to this machine
        by_time = "5 ms" in leg.reason or "nothing from either side" in leg.reason
        late = seen.late(leg.at - _LOOKS_BACK, leg.at)
        limit = _GAP_SECONDS if "5 ms" in leg.reason else _QUIET_LATE_SECONDS
        ok = None if by_time and late > limit else False
        yield Statement(ok, f"{says}, but was after {leg.at:.2f} s: {leg.reason}", "ending", at=leg.at)
        return
    silent_end = next((note for note in leg.anomalies if note.startswith(_NO_GOODBYE)), None)
    if silent_end is not None:
        yield Statement(False, f"says 00 00 00 before it closes, but {silent_end}", "ending", at=leg.at)
    if leg.released is False:
        yield Statement(False, "closes its end after the call, but it was open 3 s later", "ending", at=leg.at)


def _is_heard(seen: SeenCase) -> Iterator[Statement]:
    """With #2089 the caller's audio waits for the server's first byte."""
    leg = seen.leg_ends[0]
    yield from _keeps(seen)
    if leg.dropped or leg.who == "server":
        return
    heard = leg.to_server > 1
    but = "" if heard else f", but sent none in {leg.at:.1f} s, and so no audio of the caller came"
    yield Statement(heard, f"sends a message of its own accord{but}", at=leg.at)


def _name(leg: LegSeen) -> str:
    return f"Asterisk {leg.version}, {'AudioSocket()' if leg.attach == 'app' else 'Dial(AudioSocket/…)'}"


_USUAL = "a caller who listens, speaks, and is quiet: his phone sends packets all the time"


def _case(
    number: int,
    title: str,
    call: AsteriskCall,
    why: str,
    *,
    section: str = "6",
    peer: str = _USUAL,
    good: str = "stays inside the limits of this version",
    judge: Judge = _keeps,
    level: Level = "must",
    since: str = "",
) -> Case:
    attach = "AudioSocket()" if call.attach == "app" else "Dial(AudioSocket/…)"
    return Case(
        id=f"AV-{number:02}",
        title=title,
        level=level,
        peer=f"is Asterisk {call.version} with {attach}, and {peer}",
        good=good,
        why=why,
        section=section,
        since=since,
        judge=judge,
        asterisk=call,
        unseen="the call did not get so far",
    )


_QUIET_PHONE = "a caller whose phone sends nothing from the start"
_FIRST = "the first releases wait for nothing: a message in two pieces, or an empty one that is skipped, shows here"
_ONE_READ = "one read has to find a whole header, and a payload that is not there yet ends the call"
_FIVE_MS = "the rest of a payload may be 5 ms late, a header that comes in pieces is misread"
_OVERWRITES = "a header that comes in pieces is read over itself, which ends the call at a kind that nobody sent"
_TODAY = "the newest releases: headers may come in pieces, payloads 5 ms late, and 2 s of silence end the call"

CASES = (
    _case(1, "app of 18.20 to 22.3", AsteriskCall("20.6", "app"), _FIRST),
    _case(2, "app of 20.14, 22.4", AsteriskCall("22.4", "app"), _ONE_READ),
    _case(3, "app of 20.15, 22.5", AsteriskCall("22.5", "app"), _FIVE_MS),
    _case(4, "app of 20.17, 22.7", AsteriskCall("22.8", "app"), _OVERWRITES),
    _case(5, "app of 20.20, 22.10 and later", AsteriskCall("22.10", "app"), _TODAY),
    _case(6, "chan of 18.20 to 22.3", AsteriskCall("20.6", "chan"), _FIRST),
    _case(7, "chan of 20.15, 22.5", AsteriskCall("22.5", "chan"), _FIVE_MS),
    _case(8, "chan of 20.17, 22.7", AsteriskCall("22.8", "chan"), _OVERWRITES),
    _case(9, "chan of 20.20, 22.10 and later", AsteriskCall("22.10", "chan"), _TODAY),
    _case(
        10,
        "app of 20.14, 22.4, a phone that sends nothing",
        AsteriskCall("22.4", "app", 0.0, 0.0, 4.5, silent=True),
        "when nothing comes from either side for 2 s, the caller is hung up",
        section="4.3",
        peer=_QUIET_PHONE,
        good="sends something at least every 2 s",
        since="20.14, 21.9, 22.4",
    ),
    _case(
        11,
        "app of 22.10, a phone that is muted",
        AsteriskCall("22.10", "app", quiet=4.5, mutes=True, mutes_after=1.0),
        "when nothing comes from either side for 2 s, the caller is hung up, also while the server thinks",
        section="4.3",
        peer="a caller who speaks, and whose phone sends nothing from 1 s after his last word on",
        good="sends something at least every 2 s, also between the caller's last word and its answer",
        since="20.14, 21.9, 22.4",
    ),
    _case(
        12,
        "chan of 22.10, a phone that sends nothing",
        AsteriskCall("22.10", "chan", 0.0, 0.0, 4.5, silent=True),
        "the channel driver has no limit: the call lasts as long as the server keeps it",
        section="5",
        peer=_QUIET_PHONE,
        good="keeps the call",
    ),
    _case(
        13,
        "app of 22.10, packets of 60 ms",
        AsteriskCall("22.10", "app", packet=0.06),
        "a message is as long as the caller's packets",
        section="1.4",
        peer="a phone with packets of 60 ms",
    ),
    _case(
        14,
        "app of 22.10, a jittery network",
        AsteriskCall("22.10", "app", jitter=0.14),
        "what the network does to the caller's packets reaches the server",
        section="3.1",
        peer="a phone whose packets are up to 140 ms late",
    ),
    _case(
        15,
        "chan of 22.10 without c(slin)",
        AsteriskCall("22.10", "chan", coding="ulaw"),
        "without c(slin) the caller's G.711 comes as kind 0x10, 160 bytes every 20 ms",
        section="1.5",
        peer="a phone with G.711",
        good="keeps the call, whatever it makes of the sound",
    ),
    _case(
        16,
        "chan of 22.5 with c(slin16)",
        AsteriskCall("22.5", "chan", rate_hz=16_000),
        "before 20.17 audio of 16 kHz comes as kind 0x10, 640 bytes every 20 ms",
        section="1.5",
        peer="a channel of 16 kHz",
        good="keeps the call, whatever it makes of the sound",
        level="should",
    ),
    _case(
        17,
        "chan of 22.10 with c(slin16)",
        AsteriskCall("22.10", "chan", rate_hz=16_000),
        "since 20.17 audio of 16 kHz comes as kind 0x12",
        section="1.2",
        peer="a channel of 16 kHz",
        good="takes kind 0x12, leaves it out, or ends the call in order",
        since="20.17, 22.7, 23.1",
        level="should",
    ),
    _case(
        18,
        "chan of 22.3 and before, comfort noise",
        AsteriskCall("20.6", "chan", mutes=True, comfort_noise=11),
        "these releases write the packet's spectrum bytes as a message of audio, here of 10 bytes",
        section="1.6",
        peer="a phone that says by a comfort noise packet that it falls silent",
    ),
    _case(
        19,
        "chan of 22.10, comfort noise",
        AsteriskCall("22.10", "chan", mutes=True, comfort_noise=11),
        "since 20.20 the packet is dropped, and the call goes on without audio",
        section="1.6",
        peer="a phone that says by a comfort noise packet that it falls silent",
    ),
    _case(
        20,
        "ARI, bridged after 3 s",
        AsteriskCall("22.10", "chan", bridged_after=3.0, listens=3.5),
        "external media of ARI gets its UUID at once, and audio only when the channel is in a bridge",
        section="2.3",
        peer="an ARI application that puts the channel in a bridge after 3 s",
        good="keeps the call meanwhile",
    ),
    _case(
        21,
        "a conference",
        AsteriskCall("22.10", "chan", mixed=True, mutes=True),
        "a mixing bridge has a clock of its own, and sends digital silence where nobody speaks",
        section="3.1",
        peer="a conference of three",
    ),
    _case(
        22,
        "app of 22.10, a key",
        AsteriskCall("22.10", "app", key="5"),
        "while a key is down no audio comes; at its end 0x03 does",
        section="3.2",
        peer="a caller who presses a key for 0.4 s",
        good="keeps the call",
        since="20.14, 21.9, 22.4",
    ),
    _case(
        23,
        "app of 22.10, Asterisk stands still for a second",
        AsteriskCall("22.10", "app", stands_still=1.0),
        "on a busy machine Asterisk neither reads nor sends for a while, and then catches up",
        section="3.1",
        peer="an Asterisk that stands still for a second",
        good="keeps the call",
    ),
    _case(
        24,
        "app of 22.10, TIMEOUT(absolute)",
        AsteriskCall("22.10", "app", time_limit=3.5),
        "when the time limit of the dialplan is over Asterisk closes, whatever plays",
        section="3.4",
        peer="a time limit in the dialplan that ends the call after 3.5 s",
        good="lets go of the call",
    ),
    _case(
        25,
        "a caller whose audio is stuck (#2089)",
        AsteriskCall("22.8", "app", quiet=2.0, stuck=True),
        "in these releases the caller's audio may wait for the server's first byte: who waits for audio waits for ever",
        section="7",
        peer="asterisk/asterisk #2089: no audio goes out before the server has sent a byte",
        good="sends something from the start",
        judge=_is_heard,
        level="should",
        since="20.17, 22.7, 23.1",
    ),
)
"""Whole calls of each Asterisk."""
