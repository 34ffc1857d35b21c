"""What the judges of several cases have in common: sentences about one connection, true or false, or not to be told.

Each returns a `Statement`. A limit in time is broken only where it would be broken without this machine's delays too.
"""

from collections.abc import Iterator

from audiosocket_core.messages import AUDIO_KINDS, HEADER_BYTES
from audiosocket_sim.conformance.case import SeenCase, Statement
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.script import Announce, Close, FinishSending, PeerAction, Reset, Send, SignOfLife
from audiosocket_sim.conformance.seen_call import SeenCall, SeenMessage

__all__ = [
    "MAY_HINDER_SECONDS",
    "closes_within",
    "connects",
    "ended_by_server",
    "ended_over",
    "ends_by_itself",
    "hex_of",
    "is_kept",
    "late_after_end",
    "lengths_are_reversed",
    "said_goodbye",
    "sends_only_what_it_may",
    "serves_still",
    "within",
]

_AS_EVER = 0.8
"""A call that ends by itself after at least this part of the time that the shortest one lasted has not ended early."""
_SHORTEST_LIFE = 1.0
"""A server that ends all calls sooner serves none."""
_GOODBYE_SECONDS = 2.0
_RELEASE_SECONDS = 3.0
"""How long the peer waits for the server to close."""
MAY_HINDER_SECONDS = 0.5
"""A machine that was late by no more than this has hindered nothing for which a server has seconds."""
_ENOUGH_MESSAGES, _LONG_MESSAGE_BYTES = 10, 8_000
"""So many messages in a row, none longer than that, are no chance."""
_MAY_SEND = frozenset({0}) | AUDIO_KINDS


def within(measured: float, limit: float, late: float) -> bool | None:
    """Whether a time is within its limit; None if only our lateness can have carried it over."""
    return True if measured <= limit else None if measured - late <= limit else False


def late_after_end(seen: SeenCase, call: SeenCall) -> float:
    """By how much this machine was late while the server had to close its end, in seconds: all its delays in that time,
    as behind a hundred connections that end at once each delay puts off all that follow."""
    return seen.late(call.end.at, call.end.at + _RELEASE_SECONDS)


def connects(call: SeenCall) -> Statement:
    """The server takes the connection."""
    name = call.script.name
    if call.connected_at is None:
        says = f"takes the connection, but got: {call.why_not_connected}"
        return Statement(None if call.late_to_connect else False, says, call=name, at=call.script.starts)
    return Statement(True, "takes the connection", call=name, at=call.connected_at)


def is_kept(seen: SeenCase, call: SeenCall, what: str, until: float | None = None) -> Statement:
    """The server does not end the call: until we end it, or before `until`. `what`: of what it has to bear.

    One that ends calls by itself after a while may do so here too, if it does it in an orderly way and not earlier.
    """
    name = call.script.name
    if call.connected_at is None:
        return connects(call)
    ended = ended_by_server(call)
    if ended is None or (until is not None and ended[0] > until):
        return Statement(True, f"keeps the call {what}", call=name)
    at, how = ended
    lives = seen.features.lives
    if (
        lives is not None
        and lives >= _SHORTEST_LIFE
        and "reset" not in how
        and at - (call.announced_at or 0.0) >= _AS_EVER * lives
    ):
        return Statement(True, f"keeps the call {what}, as long as it keeps any", call=name, at=at)
    return Statement(False, f"keeps the call {what}, but {how} {_after(call, at)}", "ending", name, at)


def ends_by_itself(call: SeenCall, what: str, limit: float, late: float, *, since: float | None = None) -> Statement:
    """The server ends the connection within `limit` seconds after `since`, by default the last byte that we sent."""
    name = call.script.name
    begin = (call.sent[-1].at if call.sent else call.connected_at or 0.0) if since is None else since
    ended = ended_by_server(call)
    if ended is None:
        return Statement(
            False, f"ends the connection within {limit:g} s {what}, but it stays open", "ending", name, begin
        )
    ok = within(ended[0] - begin, limit, late)
    seen = "" if ok else f", but it took {ended[0] - begin:.2f} s"
    return Statement(ok, f"ends the connection within {limit:g} s {what}{seen}", "ending", name, ended[0])


def closes_within(call: SeenCall, limit: float, late: float) -> Iterator[Statement]:
    """After our end of the connection the server closes its own within `limit` seconds.

    Nothing is said where that cannot be seen: after a reset, ours or the answer to what it sent after our close.
    """
    name = call.script.name
    ours = next((done for done in call.done if isinstance(done.action, Close | Reset | FinishSending)), None)
    if ours is None or (call.end.by == "server" and not isinstance(ours.action, FinishSending)):
        yield Statement(True, "closes its end of the connection", "ending", name)
        return
    closed = call.end.server_closed_at
    if closed is not None:
        ok = within(closed - ours.began, limit, late)
        seen = "" if ok else f", but it took {closed - ours.began:.2f} s"
        says = f"closes its end within {limit:g} s after the peer has closed{seen}"
        yield Statement(ok, says, "ending", name, closed)
    elif call.connected_at is not None and not isinstance(ours.action, Reset) and not call.end.answered_with_reset:
        says = f"closes its end within {limit:g} s after the peer has closed, but it was open when the case was over"
        yield Statement(False, says, "ending", name, ours.began)


def sends_only_what_it_may(call: SeenCall) -> Statement:
    """Nothing but audio and 00 00 00, in whole messages."""
    name = call.script.name
    if lengths_are_reversed(call):
        says = f"sends its lengths big-endian, but {hex_of(call.messages[0])} is right only as a little-endian one"
        return Statement(False, says, call=name, at=call.messages[0].began)
    wrong = next((message for message in call.messages if message.kind not in _MAY_SEND), None)
    if wrong is None:
        return Statement(True, "sends nothing but audio (0x10 to 0x18) and 00 00 00", call=name)
    says = f"sends nothing but audio (0x10 to 0x18) and 00 00 00, but sent kind 0x{wrong.kind:02x}: {hex_of(wrong)}"
    return Statement(False, says, call=name, at=wrong.began)


def lengths_are_reversed(call: SeenCall) -> bool:
    """Whether the stream makes sense only with little-endian lengths: what is seen of its messages then is chance."""
    stream = b"".join(chunk.data for chunk in call.received)
    place = count = 0
    while place + HEADER_BYTES <= len(stream):
        length = int.from_bytes(stream[place + 1 : place + HEADER_BYTES], "little")
        if stream[place] not in AUDIO_KINDS or not 0 < length <= _LONG_MESSAGE_BYTES:
            break
        place += HEADER_BYTES + length
        count += 1
    return count >= _ENOUGH_MESSAGES and call.messages[0].length != int.from_bytes(stream[2:0:-1], "big")


def serves_still(seen: SeenCase, call: SeenCall, what: str) -> Iterator[Statement]:
    """The call is kept, and each `SignOfLife` came. `what`: after what, such as "after an odd payload"."""
    yield is_kept(seen, call, what)
    name = call.script.name
    for sign in call.actions(SignOfLife):
        if (ended := ended_by_server(call)) is not None and ended[0] <= sign.ended:
            return  # said already
        if sign.met:
            yield Statement(True, f"{_sign(seen, sign.action)} {what}", call=name, at=sign.ended)
        else:
            ok = None if seen.late(sign.began, sign.ended) > MAY_HINDER_SECONDS else False
            yield Statement(ok, f"{_sign(seen, sign.action)} {what}, but nothing came", call=name, at=sign.ended)


def ended_over(call: SeenCall, odd: type = Send) -> tuple[float, str] | None:
    """When and how the server ended the call over the first action of this type: after it began, and before it was
    asked for a sign of life. None: it did not."""
    ended = ended_by_server(call)
    began = next((done.began for done in call.actions(odd)), None)
    asked = next((done.began for done in call.actions(SignOfLife)), float("inf"))
    return ended if ended is not None and began is not None and began <= ended[0] <= asked else None


def said_goodbye(call: SeenCall) -> bool:
    """Whether the server hung up with 00 00 00 right after it had said something: its own choice, and no failure."""
    at = call.hangup_at
    if at is None:
        return False
    since = at - _GOODBYE_SECONDS
    return any(since <= (message.ended or 0.0) <= at and is_sound(message.payload) for message in call.audio)


def hex_of(message: SeenMessage, at_most: int = 8) -> str:
    """Return a message's header and first bytes: `10 01 40 | 00 00 …`."""
    head = bytes([message.kind]) + message.length.to_bytes(2, "big")
    rest = message.payload[:at_most].hex(" ") + (" …" if len(message.payload) > at_most else "")
    return f"{head.hex(' ')} | {rest}".rstrip(" |")


def _sign(seen: SeenCase, action: PeerAction) -> str:
    sparing = isinstance(action, SignOfLife) and action.sparing and seen.features.sends_always
    if seen.features.echoes and not sparing:
        return "sends the caller's sound back"
    if seen.features.answers and not sparing:
        return "answers a sentence"
    if seen.features.sends_always:
        return "goes on sending"
    return "keeps the connection"


def ended_by_server(call: SeenCall) -> tuple[float, str] | None:
    """When and how the server ended the call, before we did; None if it did not."""
    hung_up = call.hangup_at
    if hung_up is not None and not (call.end.by == "peer" and call.end.at < hung_up):
        return hung_up, "sent 00 00 00"
    if call.end.by == "server":
        return call.end.at, "closed it with a FIN" if call.end.how == "fin" else "closed it with a reset"
    return None


def _after(call: SeenCall, at: float) -> str:
    announced = next((done.ended for done in call.done if isinstance(done.action, Announce)), None)
    if announced is None or at < announced:
        return f"{max(0.0, at - (call.connected_at or 0.0)):.2f} s after it was connected"
    return f"{at - announced:.2f} s after the UUID"
