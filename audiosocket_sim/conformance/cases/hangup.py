"""TD: the server ends the call, and how: 00 00 00, and nothing after it."""

from collections.abc import Iterator

from audiosocket_core.messages import RATE_HZ, Kind
from audiosocket_sim.conformance.case import Case, SeenCase, Statement
from audiosocket_sim.conformance.cases.good_call import CLOSES_SECONDS, next_call, served_after
from audiosocket_sim.conformance.judging import closes_within, hex_of, late_after_end, within
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    PeerAction,
    Reset,
    Script,
    SendSound,
    WaitForQuiet,
    WaitForSound,
)
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["CASES"]

_STAYS_OPEN_SECONDS = 4.0
_AHEAD_SECONDS = 0.3
"""What a phone's buffer holds of sound that comes ahead of time."""
_BY_ITSELF = ("hangup|tone|hangs_up",)
_NOT_SEEN_TO_HANG_UP = "the server did not end the call within the time of this case"


def _hung_up(call: SeenCall) -> bool:
    """Whether the server ended the call, before we did."""
    return call.end.by == "server" or (call.hangup_at is not None and call.hangup_at <= call.end.at)


def _says_goodbye(seen: SeenCase) -> Iterator[Statement]:
    """00 00 00, of length 0, and no reset before it."""
    call = seen.call()
    if not _hung_up(call):
        return
    hangup = next((message for message in call.messages if message.kind == Kind.HANGUP and message.is_whole), None)
    if hangup is None:
        how = "a FIN" if call.end.how == "fin" else "a reset"
        last = call.messages[-1] if call.messages else None
        odd = last is not None and last.is_whole and not last.is_audio
        but = f"sent {hex_of(last)} and {how} instead" if last and odd else f"the connection ended with {how} only"
        if last is not None and not last.is_whole and last.header_ended is not None:
            came = len(last.payload)
            but = f"the connection ended with {how} inside a message: {hex_of(last)}, {came} of {last.length} bytes"
        says = f"sends 00 00 00 before it closes, but {but}"
        yield Statement(False, says, "ending", at=call.end.at)
    elif hangup.length:
        says = f"sends exactly 00 00 00, but sent a length of {hangup.length}: {hex_of(hangup)}"
        yield Statement(False, says, "ending", at=hangup.began)
    else:
        yield Statement(True, "sends 00 00 00 before it closes", "ending", at=hangup.ended)


def _goodbye_and_closes(seen: SeenCase) -> Iterator[Statement]:
    yield from _says_goodbye(seen)
    call = seen.call()
    if _hung_up(call) and call.end.by == "peer":
        yield from closes_within(call, CLOSES_SECONDS, late_after_end(seen, call))


def _no_reset_first(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if not _hung_up(call):
        return
    if call.hangup_at is None and call.end.how == "reset":
        says = "ends the call so that the peer can read its 00 00 00, but the peer saw only a reset"
        yield Statement(False, says, "ending", at=call.end.at)
    else:
        yield Statement(True, "ends the call without a reset before its end was read", "ending", at=call.end.at)


def _bears_the_reset(seen: SeenCase) -> Iterator[Statement]:
    if _hung_up(seen.call()):
        yield from served_after(seen, "after its 00 00 00 was answered with a reset")


def _closes_by_itself(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if call.hangup_at is None:
        return
    says = f"closes the connection by itself within {_STAYS_OPEN_SECONDS:g} s after its 00 00 00"
    closed = call.end.at if call.end.by == "server" else None
    if closed is None:
        if call.end.at - call.hangup_at >= _STAYS_OPEN_SECONDS:
            yield Statement(False, f"{says}, but it stays open", "ending", at=call.hangup_at)
        return
    ok = within(closed - call.hangup_at, _STAYS_OPEN_SECONDS, seen.late(call.hangup_at, closed))
    seen_so = "" if ok else f", but it took {closed - call.hangup_at:.2f} s"
    yield Statement(ok, f"{says}{seen_so}", "ending", at=closed)


def _nothing_follows(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    if call.hangup_at is None:
        return
    place = next(n for n, message in enumerate(call.messages) if message.kind == Kind.HANGUP)
    after = call.messages[place + 1 :]
    if after:
        says = f"sends nothing after 00 00 00, but sent {len(after)} more messages, the first {hex_of(after[0])}"
        yield Statement(False, says, "ending", at=after[0].began)
    else:
        yield Statement(True, "sends nothing after 00 00 00", "ending", at=call.hangup_at)


def _plays_to_the_end(seen: SeenCase) -> Iterator[Statement]:
    """How far the server was ahead of the clock when it hung up: of that, the caller hears what his buffer holds."""
    call = seen.call()
    if not _hung_up(call) or not call.audio:
        return
    ended = call.end.at if call.hangup_at is None else call.hangup_at
    played = 0.0
    for message in call.audio:
        came = message.ended or 0.0
        played = max(played, came) + len(message.payload) / 2 / RATE_HZ[message.kind]
    ahead = played - ended
    ok = within(ahead, _AHEAD_SECONDS, seen.delays.densest(0.0, ended))
    seen_so = "" if ok else f", but {ahead:.2f} s of its sound were still to be played"
    yield Statement(ok, f"hangs up when its sound has been played{seen_so}", "ending", at=ended)


def _caller(*then: PeerAction) -> tuple[PeerAction, ...]:
    """A caller who lets the server speak, says a sentence, and is silent until it ends the call."""
    says = SendSound(2.0, "words", until_end=True)
    listens = SendSound(6.0, "silence", until_end=True)
    begin = (Announce(), SendSound(0.5, "silence"), WaitForSound(2.5), WaitForQuiet(0.7, 3.0))
    return (*begin, says, listens, *then)


_HANGS_UP_WHY = (
    "Asterisk up to 20.13, 21.8 and 22.3 does not notice a FIN: the caller stays in a dead call; after a reset any "
    "Asterisk hangs up on the caller instead of going on in the dialplan"
)

CASES = (
    Case(
        id="TD-04",
        title="the server hangs up",
        level="must",
        peer="waits for 00 00 00, and closes as soon as it has come",
        good="sends exactly 00 00 00, and then closes",
        why=_HANGS_UP_WHY,
        section="4.3",
        since="a FIN alone is noticed since 20.14, 21.9, 22.4",
        needs=_BY_ITSELF,
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_goodbye_and_closes,
        shares="a goodbye",
        scripts=(Script(_caller(Close())),),
    ),
    Case(
        id="TD-05",
        title="the server hangs up on a caller who goes on",
        level="must",
        peer="goes on sending sound, also after 00 00 00",
        good="lets its 00 00 00 be read: reads on, or closes its sending side first",
        why="who closes with the caller's sound unread makes a reset of it: Asterisk then hangs up on the caller",
        section="4.3",
        needs=_BY_ITSELF,
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_no_reset_first,
        shares="a goodbye to one who goes on",
        scripts=(Script(_caller(SendSound(1.5, "silence"))),),
    ),
    Case(
        id="TD-06",
        title="00 00 00 is answered with a reset",
        level="should",
        peer="resets the connection when 00 00 00 has come, as Asterisk up to 20.13 does; then makes another call",
        good="takes it for the end that it is, and serves the next call",
        why="old Asterisk reads one byte of the three and closes: the kernel answers the right goodbye with a reset",
        section="6",
        needs=_BY_ITSELF,
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_bears_the_reset,
        scripts=(
            Script(_caller(Reset())),
            next_call(14.2, sparing=True),
        ),
    ),
    Case(
        id="TD-07",
        title="the peer does not close after 00 00 00",
        level="must",
        peer="leaves the connection open after 00 00 00, as one does that has vanished",
        good="closes by itself after a few seconds",
        why="the network may lose Asterisk's FIN, and a server that waits for it keeps a socket for each such call",
        section="3.4",
        needs=_BY_ITSELF,
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_closes_by_itself,
        scripts=(Script(_caller(Pause(4.4))),),
    ),
    Case(
        id="TD-08",
        title="nothing after 00 00 00",
        level="must",
        peer="goes on sending, and reading, after 00 00 00",
        good="sends nothing more",
        why="Asterisk leaves unread what follows, so that its close becomes a reset",
        section="4.3",
        needs=_BY_ITSELF,
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_nothing_follows,
        shares="a goodbye to one who goes on",
        scripts=(Script(_caller(SendSound(1.5, "silence"))),),
    ),
    Case(
        id="TD-09",
        title="the last word is heard",
        level="should",
        peer="listens until the server hangs up, and measures how far it was ahead of the clock",
        good="hangs up when its sound has been played, not when it has been sent",
        why="Asterisk plays nothing after 00 00 00: what was sent ahead of time is cut off, but for a phone's buffer",
        section="4.4",
        needs=("tone|hangup|hangs_up",),
        unseen=_NOT_SEEN_TO_HANG_UP,
        judge=_plays_to_the_end,
        shares="a goodbye",
        scripts=(Script(_caller(Close())),),
    ),
)
