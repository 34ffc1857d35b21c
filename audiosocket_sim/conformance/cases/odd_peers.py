"""RB: peers that are no callers, or broken ones. A good call beside them loses nothing, and the next one is served."""

import random
from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.good_call import (
    CLOSES_SECONDS,
    GOOD,
    NEXT,
    good_call,
    loses_nothing,
    next_call,
    served_after,
)
from audiosocket_sim.conformance.judging import closes_within, connects, late_after_end, sends_only_what_it_may
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    Reset,
    Script,
    Send,
    SendPaced,
    SendSound,
    WaitForEnd,
)

__all__ = ["CASES", "ODD_MESSAGES"]

ODD_MESSAGES = (
    encode(Kind.SLIN8),
    encode(Kind.SLIN8, bytes(33)),
    encode(Kind.DTMF, b"!"),
    encode(Kind.SLIN16, bytes(640)),
    encode(Kind.SLIN8, b"\x01"),
)
"""What some Asterisk does send, and few servers expect (docs/protocol.md 1.5, 1.6, 3.2)."""
_HALF_A_MESSAGE = Send(b"\x10\x01\x40" + bytes(100))
_RANDOM = random.Random(15)
_NOISE = tuple([_RANDOM.randbytes(400) for _ in range(50)])
_CLIENT_HELLO = bytes.fromhex(
    "16030100a5010000a10303"
    + "5b" * 32
    + "00000813021303130100ff01000070000b000403000102000a000c000a001d0017001e00190018002300000016000000170000"
    + "000d001e001c040305030603080708080809080a080b080408050806040105010601002b0003020304002d00020101"
)
_REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: health-check\r\nAccept: */*\r\n\r\n"
_SILENT_ON_IPV4 = "nothing listens at ::1: the server takes IPv4 only"


def _beside(what: str, *, since: float, until: float) -> Judge:
    """The good call loses nothing while the odd ones last, and those are closed once their peer has closed."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        yield from loses_nothing(seen, seen.call(GOOD), what, since, until)
        for call in seen.calls:
            if call.script.name != GOOD and call.connected_at is not None:
                yield from closes_within(call, CLOSES_SECONDS, late_after_end(seen, call))

    return judge


def _then(what: str) -> Judge:
    """The next call is served; what was no call got nothing but whole messages, if anything."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        for call in seen.calls:
            if call.script.name == NEXT:
                continue
            yield connects(call)
            if call.connected_at is not None:
                yield from closes_within(call, CLOSES_SECONDS, late_after_end(seen, call))
        yield from served_after(seen, what)

    return judge


def _never_taken_for_a_call(what: str) -> Judge:
    def judge(seen: SeenCase) -> Iterator[Statement]:
        odd = seen.calls[0]
        sound = next(iter(odd.audio), None)
        says = f"does not take {what} for a call"
        if sound is None:
            yield Statement(True, says, call=odd.script.name)
        else:
            yield Statement(False, f"{says}, but speaks to it", call=odd.script.name, at=sound.began)
        yield from _then(f"after {what}")(seen)

    return judge


def _served_at_once(seen: SeenCase) -> Iterator[Statement]:
    """Of IPv6: nothing is said where nobody listens."""
    call = seen.call(NEXT)
    if call.connected_at is not None:
        yield from served_after(seen, "over IPv6")


def _bears_noise(seen: SeenCase) -> Iterator[Statement]:
    yield from _beside("beside random bytes", since=1.0, until=4.0)(seen)
    yield sends_only_what_it_may(seen.calls[0])


CASES = (
    Case(
        id="RB-03",
        title="half a message, and then nothing",
        level="should",
        peer="stops inside an audio message, leaves the connection open for 3 s, and resets it",
        good="gives other calls what is theirs meanwhile, and serves the next one",
        why="so ends a call whose server did not read for minutes: Asterisk's last write is incomplete, and then chan "
        "is silent until the server sends something",
        section="3.6",
        two_at_once=True,
        judge=lambda seen: [
            *_beside("beside a peer that stopped inside a message", since=1.0, until=4.0)(seen),
            *served_after(seen, "after a peer that stopped inside a message"),
        ],
        scripts=(
            Script(
                (Announce(), SendSound(1.0, "silence"), Pause(0.02), _HALF_A_MESSAGE, Pause(3.0), Reset()),
                name="the broken call",
            ),
            good_call(5.0, sparing=True),
            next_call(5.0),
        ),
    ),
    Case(
        id="RB-07",
        title="random bytes",
        level="must",
        peer="sends random bytes after a good UUID, 20 kB a second for 3 s; with --heavy for 60 s",
        good="bears them or closes, and loses nothing of the good call beside",
        why="a broken proxy, or another program on the wrong port, must not cost anybody else his call",
        section="4.3",
        two_at_once=True,
        judge=_bears_noise,
        scripts=(
            Script((Announce(), Pause(1.0), SendPaced(_NOISE * 3), Close()), name="the random call"),
            good_call(5.0),
        ),
        heavy=(
            Script((Announce(), Pause(1.0), SendPaced(_NOISE * 60), Close()), name="the random call"),
            good_call(62.0),
        ),
    ),
    Case(
        id="RB-08",
        title="a length of 65,535, and nothing",
        level="must",
        peer="announces 65,535 bytes of audio, sends ten of them, waits for 4 s, and closes",
        good="waits without work, loses nothing of the good call beside, and ends the call with the connection",
        why="a length is two bytes, and one wrong bit makes the longest message of a short one",
        section="1.1",
        two_at_once=True,
        judge=_beside("beside a message that does not come", since=1.0, until=5.0),
        scripts=(
            Script((Announce(), Pause(1.0), Send(b"\x10\xff\xff" + bytes(10)), Pause(4.0)), name="the empty call"),
            good_call(5.2, sparing=True),
        ),
    ),
    Case(
        id="RB-10",
        title="IPv6",
        level="should",
        peer="calls at ::1 instead of 127.0.0.1",
        good="serves it as any other call",
        why="Asterisk takes the first address of a name that answers, which is often the one of IPv6",
        section="2.1",
        only_real="the network in memory has one address only",
        unseen=_SILENT_ON_IPV4,
        judge=_served_at_once,
        scripts=(Script((Announce(), SendSound(0.5, "silence"), SendSound(0.5, "silence")), name=NEXT, host="::1"),),
    ),
    Case(
        id="RB-11",
        title="an error in another call",
        level="must",
        peer="has a good call, and another one in which it sends what few servers expect, ten times over",
        good="loses nothing of the good call, whatever becomes of the other one",
        why="one call's exception must not end the loop, or the process, that serves all",
        section="1.6",
        two_at_once=True,
        judge=_beside("beside a call with odd messages", since=1.0, until=2.0),
        scripts=(
            Script((Announce(), Pause(1.0), SendPaced(ODD_MESSAGES * 10), Pause(0.2)), name="the odd call"),
            good_call(3.0, sparing=True),
        ),
    ),
    Case(
        id="RB-12",
        title="connections that say nothing",
        level="should",
        peer="opens ten connections that send nothing (with --heavy 300), and then makes a call",
        good="serves the call",
        why="what has not sent a UUID is no call yet, and must not take the line of one that has",
        section="2.3",
        two_at_once=True,
        judge=_beside("beside connections that say nothing", since=1.0, until=4.0),
        scripts=(*[Script((Pause(4.5),), name=f"silent {n}") for n in range(1, 11)], good_call(2.5, starts=0.5)),
        heavy=(*[Script((Pause(4.5),), name=f"silent {n}") for n in range(1, 301)], good_call(2.5, starts=0.5)),
    ),
    Case(
        id="RB-13",
        title="UUIDs that never come",
        level="should",
        peer="opens ten connections that stop inside the UUID (with --heavy 300), and then makes a call",
        good="serves the call",
        why="one peer that stops in mid-message must not hold up those behind it",
        section="2.3",
        two_at_once=True,
        judge=_beside("beside UUIDs that do not come", since=1.0, until=4.0),
        scripts=(
            *[Script((Send(b"\x01\x00\x10\x40\x32"), Pause(4.5)), name=f"half a UUID {n}") for n in range(1, 11)],
            good_call(2.5, starts=0.5),
        ),
        heavy=(
            *[Script((Send(b"\x01\x00\x10\x40\x32"), Pause(4.5)), name=f"half a UUID {n}") for n in range(1, 301)],
            good_call(2.5, starts=0.5),
        ),
    ),
    Case(
        id="RB-17",
        title="a port scanner",
        level="must",
        peer="connects 20 times and closes or resets at once, without a byte, and then makes a call",
        good="takes none of it for a call, and serves the one that is",
        why="scanners and health checks do so all day, and Asterisk too, on a call that nobody has answered",
        section="2.2",
        judge=_then("after a port scan"),
        scripts=(
            *[Script((Close() if n % 2 else Reset(),), name=f"connection {n + 1}", starts=0.03 * n) for n in range(20)],
            next_call(1.5),
        ),
    ),
    Case(
        id="RB-18",
        title="a TLS ClientHello",
        level="should",
        peer="begins a TLS handshake, waits for 2 s, closes, and then makes a call",
        good="does not speak to it, and serves the call",
        why="AudioSocket has no TLS; whoever tries it must get an end, and not a bot's greeting",
        section="1.1",
        judge=_never_taken_for_a_call("a TLS handshake"),
        scripts=(Script((Send(_CLIENT_HELLO), WaitForEnd(2.0), Close()), name="a TLS handshake"), next_call(5.5)),
    ),
    Case(
        id="RB-19",
        title="an HTTP request",
        level="should",
        peer="sends an HTTP request, waits for 2 s, closes, and then makes a call",
        good="does not speak to it, and serves the call",
        why="health checks and browsers find the port, and what they send begins with no UUID",
        section="1.1",
        judge=_never_taken_for_a_call("an HTTP request"),
        scripts=(Script((Send(_REQUEST), WaitForEnd(2.0), Close()), name="an HTTP request"), next_call(5.5)),
    ),
    Case(
        id="RB-20",
        title="calls that are gone at once",
        level="must",
        peer="makes 20 calls that it closes behind the UUID, as Asterisk does where another bot answered first",
        good="ends each of them, and serves the next call",
        why="`Dial` of several destinations gives each its UUID, and closes all but one within a millisecond",
        section="2.3",
        judge=_then("after calls that were gone at once"),
        scripts=(
            *[
                Script((Announce(), Close() if n % 2 else Reset()), name=f"call {n + 1}", starts=0.05 * n)
                for n in range(20)
            ],
            next_call(3.5),
        ),
    ),
)
