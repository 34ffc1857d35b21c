"""A good call beside odd ones, or after them: what its peer does, and the judge who says that it lost nothing."""

from collections.abc import Iterator
from itertools import pairwise

from audiosocket_sim.conformance.case import SeenCase, Statement
from audiosocket_sim.conformance.judging import closes_within, connects, late_after_end, serves_still, within
from audiosocket_sim.conformance.script import Announce, Script, SendSound, SignOfLife
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["CLOSES_SECONDS", "GOOD", "NEXT", "good_call", "longest_gap", "loses_nothing", "next_call", "served_after"]

GOOD, NEXT = "the good call", "the next call"
CLOSES_SECONDS = 2.0
"""Within which a server closes its end: Asterisk does at once; a server may take a moment to end what it was doing."""
_GAP_SECONDS = 0.4
_USUAL_FROM_SECONDS = 0.3


def good_call(seconds: float, *, name: str = GOOD, starts: float = 0.0, sparing: bool = False) -> Script:
    """Return a call whose caller listens for so long, and then tries whether he is still served.

    `sparing`: without a word, if the server sends all the time.
    """
    return Script((Announce(), SendSound(seconds, "silence"), SignOfLife(sparing=sparing)), name=name, starts=starts)


def next_call(starts: float, *, sparing: bool = False) -> Script:
    """Return the call that comes after odd ones."""
    return good_call(0.5, name=NEXT, starts=starts, sparing=sparing)


def served_after(seen: SeenCase, what: str) -> Iterator[Statement]:
    """The next call is served as any."""
    call = seen.call(NEXT)
    yield connects(call)
    if call.connected_at is not None:
        yield from serves_still(seen, call, what)


def loses_nothing(seen: SeenCase, call: SeenCall, what: str, since: float, until: float) -> Iterator[Statement]:
    """A good call goes on while something odd happens, from `since` to `until` in the case's time.

    Of a server that sends all the time: without a gap that is longer than those from before.
    """
    yield connects(call)
    if call.connected_at is None:
        return
    yield from serves_still(seen, call, what)
    ended = min(call.end.at, until + 1.0)
    begin = (call.announced_at or 0.0) + _USUAL_FROM_SECONDS
    if not seen.features.sends_always or begin >= since or ended <= since:
        return
    usual = longest_gap(call, begin, since)
    limit = max(_GAP_SECONDS, 2 * usual + 0.2)
    gap = longest_gap(call, since, ended)
    says = f"goes on sending in the good call {what}, without a gap of over {limit:.1f} s"
    ok = within(gap, limit, seen.delays.densest(since, ended + gap, within=gap))
    yield Statement(ok, says + ("" if ok else f", but it was silent for {gap:.2f} s"), call=call.script.name, at=since)


def longest_gap(call: SeenCall, since: float, until: float) -> float:
    """Return the longest time without a byte of the server's between two times, in seconds."""
    times = [since, *(chunk.at for chunk in call.received if since < chunk.at < until), until]
    return max(after - before for before, after in pairwise(times))


def all_close(seen: SeenCase) -> Iterator[Statement]:
    """Each connection of the peer's that it closed, the server has closed too: one statement for all."""
    for call in seen.calls:
        for statement in closes_within(call, CLOSES_SECONDS, late_after_end(seen, call)):
            if not statement.ok:
                yield statement
                return
    yield Statement(True, f"closes its end of all {len(seen.calls)} connections", "ending")
