"""TD: the end of a call, from the peer's side; and what of a server's end does not depend on its choice."""

from collections.abc import Iterator

from audiosocket_sim.conformance.case import Case, SeenCase, Statement
from audiosocket_sim.conformance.cases.good_call import CLOSES_SECONDS, next_call, served_after
from audiosocket_sim.conformance.cases.odd_peers import ODD_MESSAGES
from audiosocket_sim.conformance.judging import (
    closes_within,
    connects,
    ends_by_itself,
    is_kept,
    late_after_end,
    sends_only_what_it_may,
)
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    Reset,
    Script,
    Send,
    SendSound,
    StopReading,
    StopServer,
    WaitForEnd,
    WaitForSound,
)

__all__ = ["CASES"]


def _close_is_noticed(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    yield connects(call)
    yield is_kept(seen, call, "until the caller ends it")
    yield from closes_within(call, CLOSES_SECONDS, late_after_end(seen, call))
    yield from served_after(seen, "after a call that the caller has ended")


def _reset_is_borne(seen: SeenCase) -> Iterator[Statement]:
    yield connects(seen.call())
    yield is_kept(seen, seen.call(), "until the peer resets it")
    yield from served_after(seen, "after a call that ended with a reset")


def _half_close_ends(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    yield connects(call)
    finished = next(call.actions(FinishSending), None)
    if finished is not None and not (call.end.by == "server" and call.end.at < finished.began):
        late = seen.late(finished.began, finished.began + 3.0)
        yield ends_by_itself(call, "after the peer's FIN", CLOSES_SECONDS, late, since=finished.began)


def _ends_in_order_if_at_all(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    yield connects(call)
    yield sends_only_what_it_may(call)
    reset = call.end.by == "server" and call.end.how == "reset" and call.hangup_at is None
    says = "ends a call in which it meets an error with 00 00 00 or a FIN, if it ends it"
    yield Statement(not reset, says + (", but did so with a reset" if reset else ""), "ending", at=call.end.at)


def _stops_in_order(seen: SeenCase) -> Iterator[Statement]:
    call = seen.call()
    stop = next(call.actions(StopServer), None)
    if stop is None or call.end.at < stop.began:
        return
    if call.hangup_at is not None:
        yield Statement(True, "ends its calls with 00 00 00 when it is stopped", "ending", at=call.hangup_at)
        return
    how = {"fin": "a FIN only", "reset": "a reset", "open": "nothing at all"}[
        call.end.how if call.end.by != "peer" else "open"
    ]
    says = f"ends its calls with 00 00 00 when it is stopped, but the peer saw {how}"
    yield Statement(False, says, "ending", at=call.end.at)


def _each_served(seen: SeenCase) -> Iterator[Statement]:
    for call in seen.calls:
        yield connects(call)
        if call.connected_at is not None:
            yield is_kept(seen, call, "as it did the one before")
            yield from closes_within(call, CLOSES_SECONDS, late_after_end(seen, call))


CASES = (
    Case(
        id="TD-01",
        title="the caller hangs up",
        level="must",
        peer="closes between two messages, as Asterisk does at the end of a call; then makes another call",
        good="closes its own end at once, and serves the next call",
        why="Asterisk sends neither 00 00 00 nor 0xff: a FIN is all that comes, and who misses it keeps dead calls",
        section="3.4",
        judge=_close_is_noticed,
        scripts=(Script((Announce(), SendSound(1.0, "silence"), Close())), next_call(3.2)),
    ),
    Case(
        id="TD-02",
        title="a reset while the server speaks",
        level="must",
        peer="resets the connection in the middle of what the server sends; then makes another call",
        good="takes it as the end of the call, and serves the next one",
        why="with a server that streams, as it should, most calls of Asterisk end with a reset",
        section="3.4",
        judge=_reset_is_borne,
        scripts=(
            Script((Announce(), SendSound(0.3, "silence"), WaitForSound(2.0), SendSound(0.2, "silence"), Reset())),
            next_call(3.5),
        ),
    ),
    Case(
        id="TD-03",
        title="a close with a second of sound unread",
        level="must",
        peer="does not read for a second, and then closes, which makes a reset; then makes another call",
        good="stops sending, and serves the next call",
        why="Asterisk closes with the server's sound unread when the caller hangs up: the kernel makes a reset of it",
        section="3.4",
        judge=_reset_is_borne,
        scripts=(
            Script((Announce(), SendSound(0.3, "silence"), StopReading(), SendSound(1.0, "silence"), Reset())),
            next_call(2.5),
        ),
    ),
    Case(
        id="TD-10",
        title="the peer closes its sending side only",
        level="must",
        peer="sends a FIN and goes on reading",
        good="ends the call",
        why="a FIN is how a call ends; a server that goes on speaks to nobody, and holds the call for ever",
        section="3.4",
        judge=_half_close_ends,
        scripts=(Script((Announce(), SendSound(1.0, "silence"), FinishSending(), WaitForEnd(3.0), Close())),),
    ),
    Case(
        id="TD-11",
        title="an error inside the server",
        level="must",
        peer="sends what some Asterisk does send and few servers expect: empty audio, 33 bytes, an odd key, 16 kHz",
        good="goes on, or ends the call with 00 00 00 or a FIN; never with 0xff or a reset",
        why="on 0xff and on a reset Asterisk hangs up on the caller; after 00 00 00 the dialplan can still help him",
        section="4.3",
        judge=_ends_in_order_if_at_all,
        scripts=(
            Script(
                (
                    Announce(),
                    SendSound(0.3, "silence"),
                    *(
                        action
                        for odd in ODD_MESSAGES
                        for action in (Pause(0.02), Send(odd), Pause(0.02), SendSound(0.2, "silence"))
                    ),
                )
            ),
        ),
    ),
    Case(
        id="TD-12",
        title="the server is stopped during a call",
        level="should",
        peer="is in a call while the server's program gets SIGTERM, or its `close()` is called",
        good="ends each call with 00 00 00, and then closes",
        why="a reset hangs up on the caller, and a FIN alone leaves him in a dead call with releases before the one "
        "that notices it; after 00 00 00 the dialplan can take him over, so that a restart costs nobody his call",
        section="4.3",
        since="a FIN alone is noticed since 20.14, 21.9, 22.4",
        judge=_stops_in_order,
        scripts=(Script((Announce(), SendSound(1.0, "silence"), StopServer(), WaitForEnd(6.0))),),
    ),
    Case(
        id="TD-13",
        title="the caller hangs up before the answer",
        level="must",
        peer="says a sentence, and closes while the server is about to answer; then makes another call",
        good="drops the answer, and serves the next call",
        why="impatient callers do so every day, and the answer's first frame then meets a closed socket",
        section="3.4",
        judge=_close_is_noticed,
        scripts=(
            Script(
                (Announce(), SendSound(0.5, "silence"), SendSound(2.0, "words"), SendSound(0.3, "silence"), Close())
            ),
            next_call(6.5),
        ),
    ),
    Case(
        id="TD-14",
        title="ten calls, one after the other",
        level="must",
        peer="makes ten calls of half a second each, a second apart",
        good="serves each of them, and frees what it held",
        why="a line is busy all day: what one call leaves behind, the next one meets",
        section="3.4",
        judge=_each_served,
        scripts=tuple(
            Script((Announce(), SendSound(0.5, "silence"), Close()), name=f"call {n + 1}", starts=1.0 * n)
            for n in range(10)
        ),
    ),
)
