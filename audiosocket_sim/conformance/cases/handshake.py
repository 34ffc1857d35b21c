"""HS: the handshake. How the UUID may come, and what comes after it, in connections that are calls."""

from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.in_step import AFTER, PLAIN, QUIET, audio, call_with, stays_in_step
from audiosocket_sim.conformance.exact_echo import EchoStretch, comes_back
from audiosocket_sim.conformance.judging import (
    closes_within,
    connects,
    ended_by_server,
    ended_over,
    late_after_end,
    said_goodbye,
    sends_only_what_it_may,
    serves_still,
)
from audiosocket_sim.conformance.line_noise import line_noise, sent_back
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    PeerAction,
    Script,
    Send,
    SendPaced,
    SendSound,
    SignOfLife,
    WaitForSound,
)

__all__ = ["CASES"]

_FIRST = line_noise(5 * 320, 41)
_ONE = line_noise(320, 42)
_OTHER = line_noise(3200, 43)
_NIL = bytes(16)
_ALL_ONES = b"\xff" * 16
_CONSTANT = bytes.fromhex("9f1b7c3e5d2a4c6f8e0d1b2a3c4d5e6f")
_SHARED = bytes.fromhex("40325ec25efd4bd3805f53576e581d13")
"""The UUID of the published example, which many dialplans hold."""


def _serves(what: str) -> Judge:
    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        yield connects(call)
        yield from serves_still(seen, call, what)
        yield from closes_within(call, 1.0, late_after_end(seen, call))

    return judge


def _loses_nothing(what: str, first: bytes) -> Judge:
    """As `stays_in_step`, and the audio behind the UUID comes back too: of a server that does not speak over it."""
    with_first, without = stays_in_step(what, EchoStretch("the audio behind the UUID", first)), stays_in_step(what)
    return lambda seen: without(seen) if seen.features.speaks_first else with_first(seen)


def _quiet_caller(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    pause = next(call.actions(Pause), None)
    seconds = 0.0 if pause is None else pause.ended - pause.began
    if said_goodbye(call):
        return  # it may hang up on a caller who says nothing
    yield from serves_still(seen, call, f"after {seconds:.0f} s without a byte from the caller")


def _second_uuid(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    ended = ended_over(call)
    if ended is None:
        yield from serves_still(seen, call, "after a second UUID")
    elif "reset" in ended[1]:
        says = f"keeps the call after a second UUID, or ends it in order, but {ended[1]}"
        yield Statement(False, says, "ending", at=ended[0])
    else:
        yield Statement(True, "ends the call in order at a second UUID", "ending", at=ended[0])


def _same_uuid(seen: SeenCase) -> Iterator[Statement]:
    """Both calls are served, or the second is refused; neither hears the other."""
    first, second = seen.call("the first call"), seen.call("the second call")
    yield from serves_still(seen, first, "while another has the same UUID")
    if second.connected_at is None or ended_by_server(second) is not None:
        at, how = ended_by_server(second) or (second.script.starts, "")
        ok = "reset" not in how
        says = "serves the second call, or ends it in order" + ("" if ok else f", but {how}")
        yield Statement(ok, says, "ending", second.script.name, at)
    else:
        yield from serves_still(seen, second, "while another has the same UUID")
    for call, own, other in ((first, PLAIN, _OTHER), (second, _OTHER, PLAIN)):
        back = sent_back(call)
        if other[:320] in back:
            says = "keeps the sound of two calls with one UUID apart, but one hears the other's"
            yield Statement(False, says, call=call.script.name, at=call.end.at)
        else:
            yield from comes_back(seen, call, own)


def _again(seen: SeenCase) -> Iterator[Statement]:
    yield connects(seen.call("the first call"))
    yield from serves_still(seen, seen.call("the second call"), "with the UUID of a call that is over")


def _speaks_at_once(seen: SeenCase) -> Iterator[Statement]:
    yield from serves_still(seen, seen.call(), "after a caller who spoke at once")


def _only_what_it_may(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if call.messages:
        yield sends_only_what_it_may(call)


def _uuid(uuid: bytes, *then: PeerAction) -> Script:
    return Script((Announce(uuid), *then, SendSound(0.5, "silence"), SignOfLife()))


def _two(uuid: bytes, sound: bytes, name: str, starts: float) -> Script:
    return Script((Announce(uuid), QUIET, SendPaced(audio(sound)), AFTER, SignOfLife()), name, starts)


CASES = (
    Case(
        id="HS-01",
        title="the UUID comes at once",
        level="must",
        peer="connects and sends the UUID, 19 bytes in one write",
        good="keeps the connection and serves the call",
        why="Asterisk always begins so; a server that waits for more, or for another form of it, serves nobody",
        section="2.2",
        judge=_serves("after the UUID"),
        scripts=(Script((Announce(), SendSound(0.5, "silence"), SignOfLife())),),
    ),
    Case(
        id="HS-02",
        title="the UUID in single bytes",
        level="must",
        peer="sends the UUID a byte at a time, 50 ms apart",
        good="waits for all of it and serves the call",
        why="TCP may cut a message anywhere; one read is not one message",
        section="1.1",
        judge=_serves("after a UUID in single bytes"),
        scripts=(Script((Announce(gap=0.05), SendSound(0.5, "silence"), SignOfLife())),),
    ),
    Case(
        id="HS-03",
        title="the UUID and five messages in one segment",
        level="must",
        peer="sends the UUID and five audio messages in one write",
        good="takes the audio behind the UUID too, and stays in step",
        why="Asterisk does not wait for a server's answer; on a busy machine the first read finds the UUID and audio",
        section="2.2",
        prefers="echo",
        judge=_loses_nothing("after audio behind the UUID", _FIRST),
        scripts=(call_with(announce=Announce(then=b"".join(audio(_FIRST)))),),
    ),
    Case(
        id="HS-05",
        title="the UUID comes after 8 s",
        level="should",
        peer="connects, and sends the UUID after 8 s",
        good="still serves the call",
        why="the channel driver connects first and announces the call when Dial has run its pre-dial handlers",
        section="2.3",
        judge=_serves("after a UUID that came late"),
        scripts=(Script((Pause(8.0), Announce(), SendSound(0.5, "silence"), SignOfLife(3.0))),),
    ),
    Case(
        id="HS-09",
        title="the nil UUID",
        level="should",
        peer="sends a UUID of 16 zero bytes",
        good="serves the call",
        why="Asterisk takes any UUID of a dialplan; 00000000-… stands in many that were only tried out",
        section="1.3",
        judge=_serves("after the nil UUID"),
        scripts=(_uuid(_NIL),),
    ),
    Case(
        id="HS-10",
        title="two calls with one UUID, at once",
        level="must",
        peer="makes a second call with the UUID of the first, while that lasts",
        good="serves both, or ends the second; never mixes their sound, and keeps the first",
        why="the UUID is an argument in a dialplan, often a constant: it does not tell two callers apart",
        section="1.3",
        two_at_once=True,
        prefers="echo",
        judge=_same_uuid,
        scripts=(
            _two(_SHARED, PLAIN, "the first call", 0.0),
            _two(_SHARED, _OTHER, "the second call", 0.3),
        ),
    ),
    Case(
        id="HS-11",
        title="a second UUID",
        level="should",
        peer="sends a second UUID message in the call",
        good="ignores it, or ends the call with 00 00 00 or a FIN",
        why="Asterisk sends one; whatever sends two, it is no reason for a crash or a reset",
        section="2.2",
        judge=_second_uuid,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.5, "silence"),
                    Pause(0.2),
                    Send(encode(Kind.UUID, bytes(range(16)))),
                    Pause(0.8),
                    SignOfLife(),
                )
            ),
        ),
    ),
    Case(
        id="HS-12",
        title="nothing after the UUID",
        level="must",
        peer="sends the UUID, then nothing for 9 s (--heavy: 30 s), and reads all the time",
        good="keeps the call",
        why="an ARI channel gets no audio before it is in a bridge, and a phone on mute sends none: it is no end",
        section="2.3",
        judge=_quiet_caller,
        unseen="the server said something and hung up by itself",
        scripts=(Script((Announce(), Pause(9.0), SignOfLife(2.0))),),
        heavy=(Script((Announce(), Pause(30.0), SignOfLife())),),
    ),
    Case(
        id="HS-14",
        title="what the server sends",
        level="must",
        peer="makes a call, says a sentence, and looks at each message of the server",
        good="sends audio (0x10 to 0x18) and 00 00 00, and nothing else",
        why="at any other kind, such as a UUID or a key that is sent back, Asterisk hangs up the caller at once",
        section="4.3",
        since="20.14, 21.9, 22.4, 23.0",
        judge=_only_what_it_may,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.5, "silence"),
                    Send(encode(Kind.DTMF, b"1")),
                    SendSound(2.0, "words"),
                    WaitForSound(5.0, silence=True),
                    SendSound(0.5, "silence"),
                    Close(),
                )
            ),
        ),
        unseen="the server sent nothing at all",
    ),
    Case(
        id="HS-15",
        title="the UUID and one message in one segment",
        level="must",
        peer="sends the UUID and the first audio message in one write, then goes on every 20 ms",
        good="serves the call and stays in step",
        why="the phone's clock knows nothing of the UUID: its next packet may be due in the same instant",
        section="2.2",
        prefers="echo",
        judge=_loses_nothing("after a UUID with audio behind it", _ONE),
        scripts=(call_with(announce=Announce(then=b"".join(audio(_ONE)))),),
    ),
    Case(
        id="HS-16",
        title="the UUID as header and payload",
        level="must",
        peer="sends the three header bytes of the UUID, and its 16 bytes 100 ms later",
        good="waits for all of it and serves the call",
        why="a network may part the two; a server that expects 19 bytes of one read ends the call",
        section="1.1",
        judge=_serves("after a UUID in two pieces"),
        scripts=(Script((Announce(pieces=(3,), gap=0.1), SendSound(0.5, "silence"), SignOfLife())),),
    ),
    Case(
        id="HS-17",
        title="a pause of 2 s inside the UUID",
        level="must",
        peer="sends 11 bytes of the UUID, and the rest 2 s later",
        good="waits for all of it and serves the call",
        why="a lost packet is sent again after seconds at worst, and it may hold the UUID's second half",
        section="1.1",
        judge=_serves("after a pause inside the UUID"),
        scripts=(Script((Announce(pieces=(11,), gap=2.0), SendSound(0.5, "silence"), SignOfLife())),),
    ),
    Case(
        id="HS-18",
        title="any 16 bytes are a UUID",
        level="should",
        peer="sends a UUID of sixteen ff bytes",
        good="serves the call",
        why="Asterisk checks the form only, not version or variant; a strict parser refuses what a dialplan may hold",
        section="1.3",
        judge=_serves("after a UUID of no known version"),
        scripts=(_uuid(_ALL_ONES),),
    ),
    Case(
        id="HS-19",
        title="one UUID in two calls, one after the other",
        level="must",
        peer="makes a call, closes it, and makes another with the same UUID",
        good="serves the second as it did the first",
        why="a constant in the dialplan: a server that keeps the UUIDs of past calls serves one caller in its life",
        section="1.3",
        judge=_again,
        scripts=(
            Script((Announce(_CONSTANT), SendSound(0.5, "silence"), Close()), "the first call"),
            Script((Announce(_CONSTANT), SendSound(0.5, "silence"), SignOfLife()), "the second call", 4.0),
        ),
    ),
    Case(
        id="HS-20",
        title="the caller speaks at once",
        level="must",
        peer="sends a sentence from the first 20 ms on, over whatever the server says first",
        good="keeps the call and serves it afterwards",
        why="a caller says hello when he hears a click; what comes before the greeting is audio like any other",
        section="2.2",
        judge=_speaks_at_once,
        scripts=(Script((Announce(), SendSound(2.0, "words"), SendSound(1.0, "silence"), SignOfLife())),),
    ),
)
