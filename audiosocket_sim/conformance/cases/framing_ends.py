"""FR, the rest: messages that end a call, or may end it, and streams that end inside a message."""

from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.cases.in_step import BEFORE, PLAIN, QUIET, empty
from audiosocket_sim.conformance.exact_echo import is_exact
from audiosocket_sim.conformance.judging import (
    connects,
    ended_by_server,
    ended_over,
    ends_by_itself,
    is_kept,
    serves_still,
    within,
)
from audiosocket_sim.conformance.line_noise import line_noise, sent_back
from audiosocket_sim.conformance.script import (
    Announce,
    FinishSending,
    Pause,
    PeerAction,
    Script,
    Send,
    SignOfLife,
    WaitForEnd,
)

__all__ = ["CASES"]

_CLOSES_SECONDS = 2.0
_PART = line_noise(100, 21)
"""Of a message of 320 bytes."""


def _errors(seen: SeenCase) -> Iterator[Statement]:
    """It may end the call, in an orderly way; if it does not, it serves on."""
    call = seen.call()
    ended = ended_over(call)
    if ended is None:
        yield from serves_still(seen, call, "after messages of kind 0xff")
    elif "reset" in ended[1]:
        says = f"keeps the call after a message of kind 0xff, or ends it in order, but {ended[1]}"
        yield Statement(False, says, "ending", at=ended[0])
    else:
        yield Statement(True, "ends the call in order at a message of kind 0xff", "ending", at=ended[0])


def _ends_at(what: str) -> Judge:
    """The server ends the call at a hangup of the peer."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        hangup = next(call.actions(Send), None)
        if hangup is None or ((ended := ended_by_server(call)) is not None and ended[0] < hangup.began):
            yield is_kept(seen, call, "before the hangup")
            return
        late = seen.late(hangup.began, hangup.began + 4.0)
        yield ends_by_itself(call, what, _CLOSES_SECONDS, late, since=hangup.began)

    return judge


def _drops_the_part(where: str, part: bytes) -> Judge:
    """The server ends the call when the stream ends inside a message, and sends nothing that was not sent to it."""

    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        finish = next(call.actions(FinishSending), None)
        if call.connected_at is None:
            yield connects(call)
            return
        if finish is None or ((ended := ended_by_server(call)) is not None and ended[0] < finish.began):
            yield is_kept(seen, call, "until the stream ends")
            return
        closed = call.end.server_closed_at
        says = f"closes the connection within {_CLOSES_SECONDS:g} s after the stream has ended {where}"
        if closed is None:
            yield Statement(False, f"{says}, but it stays open", "ending", at=finish.began)
        else:
            took = closed - finish.began
            ok = within(took, _CLOSES_SECONDS, seen.late(finish.began, closed))
            yield Statement(ok, says if ok else f"{says}, but it took {took:.2f} s", "ending", at=closed)
        if is_exact(seen, call, PLAIN):
            back = sent_back(call)
            rest = back[back.index(PLAIN) + len(PLAIN) :]
            more = rest.removeprefix(part)
            ok = part.startswith(rest)
            says = "sends no sound that was not sent to it" + ("" if ok else f", but sent {more[:8].hex(' ')} …")
            yield Statement(ok, says, at=finish.began)

    return judge


def _ends_with(*last: PeerAction) -> Script:
    return Script((Announce(), QUIET, BEFORE, *last))


CASES = (
    Case(
        id="FR-10",
        title="kind 0xff",
        level="should",
        peer="sends 0xff, the old specification's error, with 0, 1 and 5 bytes, half a second apart",
        good="goes on with the call, or ends it with 00 00 00 or a FIN",
        why="Asterisk never sends it, but other peers do; it is no reason for a crash or a reset",
        section="1.2",
        judge=_errors,
        scripts=(
            Script(
                (
                    Announce(),
                    QUIET,
                    Send(empty(Kind.ERROR)),
                    Pause(0.5),
                    Send(encode(Kind.ERROR, b"\x01")),
                    Pause(0.5),
                    Send(encode(Kind.ERROR, b"\x02\x00\x00\x00\x01")),
                    Pause(0.5),
                    SignOfLife(),
                )
            ),
        ),
    ),
    Case(
        id="FR-12",
        title="a hangup from the peer",
        level="should",
        peer="sends 00 00 00 and leaves the connection open",
        good="takes it for the end of the call and closes",
        why="the specification gives the message to both sides; Asterisk closes without it, but test tools and other "
        "peers send it",
        section="1.2",
        prefers="echo",
        judge=_ends_at("after a hangup of the peer"),
        scripts=(_ends_with(Send(empty(Kind.HANGUP)), WaitForEnd(3.5)),),
    ),
    Case(
        id="FR-24",
        title="a hangup with a payload",
        level="should",
        peer="sends a hangup of two bytes, 00 00 02 00 10, and leaves the connection open",
        good="takes it for the end of the call and closes",
        why="Asterisk itself takes kind 0 for the end whatever its length says; who reads it as 0x10 plays noise",
        section="4.3",
        prefers="echo",
        judge=_ends_at("after a hangup with a payload"),
        scripts=(_ends_with(Send(encode(Kind.HANGUP, b"\x00\x10")), WaitForEnd(3.5)),),
    ),
    Case(
        id="FR-13",
        title="the stream ends inside a payload",
        level="must",
        peer="sends a header of 320 bytes and 100 bytes of them, then ends its sending (a FIN)",
        good="drops the part, ends the call and closes",
        why="so ends the stream when Asterisk could not write a whole message; a server that waits for the rest keeps "
        "the call for ever",
        section="3.6",
        prefers="echo",
        judge=_drops_the_part("inside a payload", _PART),
        scripts=(
            _ends_with(Send(encode(Kind.SLIN8, bytes(320))[:3] + _PART), Pause(0.1), FinishSending(), WaitForEnd(3.0)),
        ),
    ),
    Case(
        id="FR-14",
        title="the stream ends inside a header",
        level="must",
        peer="sends the first two bytes of a header, then ends its sending (a FIN)",
        good="drops them, ends the call and closes",
        why="a stream can end anywhere; a server that waits for the third byte keeps the call for ever",
        section="3.4",
        prefers="echo",
        judge=_drops_the_part("inside a header", b""),
        scripts=(_ends_with(Send(b"\x10\x01"), Pause(0.1), FinishSending(), WaitForEnd(3.0)),),
    ),
)
