"""HS, the rest: connections that are no calls, or no longer, and the call that comes after them."""

from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.in_step import audio
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.judging import (
    closes_within,
    connects,
    ended_by_server,
    hex_of,
    late_after_end,
    serves_still,
)
from audiosocket_sim.conformance.line_noise import line_noise
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    Reset,
    Script,
    Send,
    SendSound,
    SignOfLife,
    WaitForEnd,
)
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["CASES"]

_ODD, _NEXT = "the odd connection", "the next call"
_CLOSES_SECONDS = 1.0
_AUDIO = b"".join(audio(line_noise(1600, 51)))
_HTTP = b"GET /health HTTP/1.1\r\nHost: bot\r\nUser-Agent: probe\r\nAccept: */*\r\n\r\n"
_TLS = bytes.fromhex("16030100c5010000c10303") + bytes(range(1, 190))
"""The beginning of a TLS ClientHello: to a server its first byte is the kind of audio at 48 kHz."""


def _next(starts: float) -> Script:
    return Script((Announce(), SendSound(0.5, "silence"), SignOfLife()), _NEXT, starts)


def _odd(*actions: PeerAction, name: str = _ODD, starts: float = 0.0) -> Script:
    return Script(actions, name, starts)


def _survives(what: str) -> Judge:
    """Every connection but the next call is released when the peer closes it, and the next call is served."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        for call in seen.calls:
            if call.script.name == _NEXT:
                yield from serves_still(seen, call, what)
            elif call.connected_at is None:
                yield connects(call)
            else:
                yield from _released(seen, call)

    return judge


def _released(seen: SeenCase, call: SeenCall) -> Iterator[Statement]:
    if ended_by_server(call) is not None and call.end.server_closed_at is not None:
        says = "ends the connection by itself"
        yield Statement(True, says, "ending", call.script.name, call.end.server_closed_at)
    else:
        yield from closes_within(call, _CLOSES_SECONDS, late_after_end(seen, call))


def _not_served(what: str) -> Judge:
    """Nobody is greeted or answered who has sent no UUID. Nothing is said where it cannot be seen."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        for call in seen.calls:
            name = call.script.name
            if call.connected_at is None:
                yield connects(call)
            heard = next((message for message in call.audio if is_sound(message.payload)), None)
            if heard is not None:
                says = f"serves no caller {what}, but sent sound: {hex_of(heard)}"
                yield Statement(False, says, call=name, at=heard.ended)
            elif (ended := ended_by_server(call)) is not None:
                yield Statement(True, f"ends a connection {what}", "ending", name, ended[0])

    return judge


def _never_sends(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call(_ODD)
    if call.connected_at is None:
        yield connects(call)
        return
    ended = ended_by_server(call)
    waited = next((done.ended - done.began for done in call.actions(WaitForEnd)), 0.0)
    if ended is not None:
        says = f"ends a connection without a UUID by itself, after {ended[0] - call.connected_at:.1f} s"
        yield Statement(True, says, "ending", _ODD, ended[0])
    elif seen.heavy:
        says = f"ends a connection without a UUID by itself, but it was open after {waited:.0f} s"
        yield Statement(False, says, "ending", _ODD, call.end.at)


def _held_up(seen: SeenCase) -> Iterator[Statement]:
    yield from serves_still(seen, seen.call(_NEXT), "beside connections that send nothing")


def _many(count: int, *actions: PeerAction) -> tuple[Script, ...]:
    return tuple([_odd(*actions, name=f"connection {n + 1}", starts=0.04 * n) for n in range(count)])


_ODD_UUIDS = {
    "a UUID of 36 bytes": encode(Kind.UUID, b"40325ec2-5efd-4bd3-805f-53576e581d13"),
    "a UUID of 15 bytes": encode(Kind.UUID, bytes(range(15))),
    "a UUID of 0 bytes": encode(Kind.UUID, b""),
}


CASES = (
    Case(
        id="HS-04",
        title="a connection without a byte",
        level="must",
        peer="connects and closes at once, five times, then makes a call",
        good="forgets the connections and serves the call",
        why="an AudioSocket() on a channel that has not been answered does just this, and so do health checks",
        section="2.2",
        judge=_survives("after connections without a byte"),
        scripts=(*_many(5, Close()), _next(1.0)),
    ),
    Case(
        id="HS-06",
        title="a connection that never sends",
        level="must",
        peer="connects and sends nothing for 12 s (--heavy: 2 minutes)",
        good="ends it after a limit of its own, of 10 s or more",
        why="a channel that was never announced, a scanner or a lost firewall state leaves one behind; without a limit "
        "each holds a descriptor and a task for ever",
        section="2.3",
        judge=_never_sends,
        unseen="the connection was still open after 12 s, which is allowed; --heavy waits 2 minutes for its end",
        scripts=(_odd(WaitForEnd(12.0)),),
        heavy=(_odd(WaitForEnd(120.0)),),
    ),
    Case(
        id="HS-07",
        title="audio comes first",
        level="must",
        peer="begins with audio instead of a UUID, closes after a second, then makes a call",
        good="survives: it closes its end, and serves the call",
        why="no Asterisk does so, but whatever speaks to the port must not cost the next caller his call",
        section="2.2",
        judge=_survives("after a connection that began with audio"),
        scripts=(
            _odd(Send(_AUDIO), Pause(1.0), FinishSending(), Pause(1.5)),
            _next(3.0),
        ),
    ),
    Case(
        id="HS-08",
        title="a UUID of another length",
        level="must",
        peer="sends a UUID message of 36 bytes, of 15, of none, closes each after half a second, then makes a call",
        good="survives: it closes its end, and serves the call",
        why="an early draft had 36 bytes of text; an error in the handler that leaves the socket open leaks it",
        section="1.3",
        judge=_survives("after UUIDs of other lengths"),
        scripts=(
            *[
                _odd(Send(message), Pause(0.5), FinishSending(), Pause(1.2), name=name, starts=0.02 * n)
                for n, (name, message) in enumerate(_ODD_UUIDS.items())
            ],
            _next(3.0),
        ),
    ),
    Case(
        id="HS-13",
        title="a call that is over at once",
        level="must",
        peer="sends the UUID and closes, five times, then makes a call that stays",
        good="ends the five and serves the call",
        why="Dial to several destinations closes those that lose a millisecond after their UUID",
        section="2.3",
        judge=_survives("after calls that were over at once"),
        scripts=(*_many(5, Announce(), Close()), _next(1.0)),
    ),
    Case(
        id="HS-21",
        title="a caller without a UUID",
        level="should",
        peer="begins with audio, says a sentence, and waits",
        good="ends the connection, and does not serve it as a call",
        why="a call without an id cannot be matched to a caller, and costs speech and tokens all the same",
        section="2.2",
        judge=_not_served("that began with audio"),
        unseen="the server neither ended the connection nor sent any sound",
        scripts=(_odd(SendSound(2.0, "words"), SendSound(3.0, "silence")),),
    ),
    Case(
        id="HS-22",
        title="a call with half an id",
        level="should",
        peer="sends a UUID message of 15 bytes, says a sentence, and waits",
        good="ends the connection, and does not serve it under an invented id",
        why="what is padded or cut to 16 bytes is another id, perhaps another caller's",
        section="1.3",
        judge=_not_served("with a UUID of 15 bytes"),
        unseen="the server neither ended the connection nor sent any sound",
        scripts=(_odd(Send(_ODD_UUIDS["a UUID of 15 bytes"]), SendSound(2.0, "words"), SendSound(3.0, "silence")),),
    ),
    Case(
        id="HS-23",
        title="half a UUID, and the end",
        level="must",
        peer="sends 11 bytes of a UUID message and ends its sending, then makes a call",
        good="drops it, closes its end, and serves the call",
        why="a stream can end anywhere; a server that waits for the other 8 bytes holds the connection for ever",
        section="3.4",
        judge=_survives("after half a UUID"),
        scripts=(
            _odd(Send(encode(Kind.UUID, bytes(16))[:11]), Pause(0.2), FinishSending(), Pause(1.5)),
            _next(2.5),
        ),
    ),
    Case(
        id="HS-24",
        title="a call that is reset at once",
        level="must",
        peer="sends the UUID and resets the connection, five times, then makes a call",
        good="ends the five and serves the call",
        why="a call that ends while audio of the server is unread ends with a reset: it is an end like any other",
        section="3.4",
        judge=_survives("after calls that were reset at once"),
        scripts=(*_many(5, Announce(), Pause(0.03), Reset()), _next(1.0)),
    ),
    Case(
        id="HS-25",
        title="connections that say nothing hold up nobody",
        level="must",
        peer="holds three connections open that send nothing, and makes a call beside them",
        good="serves the call at once",
        why="the channel driver may connect long before it announces a call; a server that waits for each UUID in its "
        "accept loop makes all other callers wait",
        section="2.3",
        two_at_once=True,
        judge=_held_up,
        scripts=(
            *[_odd(Pause(12.0), name=f"connection {n + 1}") for n in range(3)],
            _next(0.3),
        ),
    ),
    Case(
        id="HS-26",
        title="a web client on the port",
        level="should",
        peer="sends an HTTP request, waits a second and closes, then makes a call",
        good="survives: it closes its end, and serves the call",
        why="load balancers, scanners and browsers try every port; 'GET' reads as kind 0x47 of 17,748 bytes",
        section="2.2",
        judge=_survives("after an HTTP request"),
        scripts=(_odd(Send(_HTTP), Pause(1.0), FinishSending(), Pause(1.5)), _next(3.0)),
    ),
    Case(
        id="HS-27",
        title="a TLS client on the port",
        level="should",
        peer="sends a TLS hello, waits a second and closes, then makes a call",
        good="survives: it closes its end, and serves the call",
        why="scanners try TLS on every port; its first byte, 0x16, is that of audio at 48 kHz",
        section="2.2",
        judge=_survives("after a TLS hello"),
        scripts=(_odd(Send(_TLS), Pause(1.0), FinishSending(), Pause(1.5)), _next(3.0)),
    ),
)
