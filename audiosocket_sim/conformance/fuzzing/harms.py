"""What an odd stream can do to a server that is a finding, and whether it did. Pure.

A server may end an illegal stream. It may not go down, take no new call, let another call suffer, keep a connection
that is over, or drop a call whose stream was well-formed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from audiosocket_core.messages import RATE_HZ
from audiosocket_sim.conformance.case import Resources, SeenCase, Statement
from audiosocket_sim.conformance.fuzzing.odd_stream import has_key, is_well_formed
from audiosocket_sim.conformance.fuzzing.rounds import AFTERWARDS, GOOD
from audiosocket_sim.conformance.judging import closes_within, is_kept, serves_still
from audiosocket_sim.conformance.script import SendSound, SignOfLife
from audiosocket_sim.conformance.seen_call import SeenCall

__all__ = ["Harm", "Observation", "SeenRound", "growth", "observations", "worst"]


class Harm(Enum):
    """What a finding is, worst first. The value is its word in files."""

    GONE = "gone"
    NO_NEW_CALL = "no new call"
    OTHER_ENDED = "another call ended"
    OTHER_STALLED = "another call stalled"
    OTHER_UNANSWERED = "another call unanswered"
    GROWS = "resources grow"
    DROPPED = "well-formed call dropped"
    UNANSWERED = "well-formed call unanswered"
    STAYS_OPEN = "connection stays open"

    @property
    def title(self) -> str:
        """What it is, in words for people."""
        return _TITLES[self]

    @property
    def is_of_one_call(self) -> bool:
        """Whether it shows in the odd call itself, so that it is known which stream did it."""
        return self in (Harm.DROPPED, Harm.UNANSWERED, Harm.STAYS_OPEN)

    @property
    def is_of_another_call(self) -> bool:
        """Whether it shows in a good call beside."""
        return self in (Harm.OTHER_ENDED, Harm.OTHER_STALLED, Harm.OTHER_UNANSWERED)


_TITLES = {
    Harm.GONE: "the server is gone",
    Harm.NO_NEW_CALL: "the server serves no new call",
    Harm.OTHER_ENDED: "another caller's call ends",
    Harm.OTHER_STALLED: "another caller's sound stops",
    Harm.OTHER_UNANSWERED: "another caller gets no answer",
    Harm.GROWS: "the server keeps descriptors, threads or memory",
    Harm.DROPPED: "a call whose stream is well-formed is dropped",
    Harm.UNANSWERED: "a call whose stream is well-formed gets no answer",
    Harm.STAYS_OPEN: "the connection stays open after its end",
}
_ORDER = list(Harm)
_LONGEST_GAP = 0.5
"""In the server's sound in the good call, of a server that sends all the time."""
_LEAST_SHARE = 0.9
"""Of real time, that the server's sound in the good call has to fill if it does otherwise."""
_CLOSE_SECONDS = 2.5
_TOO_LATE = 0.5
_MEMORY_BYTES = 10_000_000
"""What a stream has to leave behind each time to count as growth."""


@dataclass(frozen=True)
class SeenRound:
    """What was seen in one round. `ended`: how the server's program ended; "" if it did not, or has none.

    `busy`: what virtual time says of a server that never comes to rest; "" if it does.
    """

    seen: SeenCase
    ended: str = ""
    busy: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A statement, and which harm it is where it is false. `call`: the connection that shows it."""

    harm: Harm
    statement: Statement
    call: str = field(default="")

    @property
    def shows(self) -> bool:
        """Whether the harm is there, and this machine did not cause it."""
        return self.statement.ok is False


def observations(seen_round: SeenRound) -> Iterator[Observation]:
    """Iterate over all that can be said of a round."""
    if seen_round.ended or seen_round.busy:
        says = f"goes on running, but {seen_round.ended or seen_round.busy}"
        yield Observation(Harm.GONE, Statement(False, says))
    seen = seen_round.seen
    for call in seen.calls:
        name = call.script.name
        if name.startswith(AFTERWARDS):
            yield from _afterwards(seen, call)
        elif name.startswith(GOOD):
            yield from _good(seen, call)
        else:
            yield from _odd(seen, call)


def worst(found: Iterable[Observation]) -> list[Observation]:
    """Return what shows, worst first; what follows from a server that is gone is left out."""
    shown = sorted((one for one in found if one.shows), key=lambda one: _ORDER.index(one.harm))
    if shown and shown[0].harm in (Harm.GONE, Harm.NO_NEW_CALL):
        return shown[:1]
    return shown


def growth(before: Resources | None, after: Resources | None, times: int) -> str:
    """Return what the server's program holds more, if that is at least one for each of so many times; "" otherwise."""
    if before is None or after is None:
        return ""
    grown = []
    if (more := after.descriptors - before.descriptors) >= times:
        grown.append(f"{more} descriptors")
    if (more := after.threads - before.threads) >= times:
        grown.append(f"{more} threads")
    if (more := after.memory - before.memory) >= times * _MEMORY_BYTES:
        grown.append(f"{more / 1e6:.0f} MB of memory")
    return ", ".join(grown)


def _afterwards(seen: SeenCase, call: SeenCall) -> Iterator[Observation]:
    name = call.script.name
    yield Observation(Harm.GONE, _taken(call, "a new call"), name)
    if call.connected_at is None:
        return
    kept = is_kept(seen, call, "that begins when the odd one is over")
    yield Observation(Harm.NO_NEW_CALL, kept, name)
    if kept.ok and seen.features.sends_always:
        late = seen.late(0.0, call.end.at)
        ok = True if call.messages else None if late > _TOO_LATE else False
        says = "sends to a new call, as it does otherwise" + ("" if ok else ", but nothing came within 0.6 s")
        yield Observation(Harm.NO_NEW_CALL, Statement(ok, says, call=name, at=call.end.at), name)


def _taken(call: SeenCall, which: str) -> Statement:
    ok = call.connected_at is not None
    says = f"takes {which}" + ("" if ok else f", but got: {call.why_not_connected}")
    return Statement(ok, says, call=call.script.name, at=call.script.starts)


def _good(seen: SeenCase, call: SeenCall) -> Iterator[Observation]:
    name = call.script.name
    if call.connected_at is None:
        yield Observation(Harm.NO_NEW_CALL, _taken(call, "a call beside odd ones"), name)
        return
    kept, *signs = serves_still(seen, call, "while another connection is odd")
    yield Observation(Harm.OTHER_ENDED, kept, name)
    if not kept.ok:
        return
    for sign in signs:
        yield Observation(Harm.OTHER_UNANSWERED, sign, name)
    if seen.features.sends_always:
        yield from _pace(seen, call)


def _pace(seen: SeenCase, call: SeenCall) -> Iterator[Observation]:
    listening = next(done for done in call.actions(SendSound))
    until = call.hangup_at or (call.end.at if call.end.by == "server" else listening.ended)
    until = min(until, listening.ended)
    audio = [one for one in call.audio if one.ended is not None and one.ended <= until]
    times = [listening.began, *(one.ended for one in audio if one.ended is not None), until]
    gap, at = max((b - a, b) for a, b in pairwise(times))
    late = seen.late(at - gap, at)
    ok = True if gap <= _LONGEST_GAP else None if gap - late <= _LONGEST_GAP else False
    says = f"goes on sending without a gap of more than {_LONGEST_GAP:g} s while another connection is odd"
    seen_text = "" if ok else f", but sent nothing for {gap:.2f} s"
    yield Observation(
        Harm.OTHER_STALLED, Statement(ok, says + seen_text, call=call.script.name, at=at), call.script.name
    )
    lasted = until - listening.began
    if lasted < 1.0:
        return
    filled = sum(len(one.payload) / 2 / RATE_HZ[one.kind] for one in audio)
    late = seen.late(listening.began, until)
    ok = True if filled >= _LEAST_SHARE * lasted else None if filled + late >= _LEAST_SHARE * lasted else False
    says = "loses no sound of a call while another connection is odd"
    seen_text = "" if ok else f", but sent {filled:.2f} s of sound in {lasted:.2f} s"
    yield Observation(Harm.OTHER_STALLED, Statement(ok, says + seen_text, call=call.script.name, at=until), "pace")


def _odd(seen: SeenCase, call: SeenCall) -> Iterator[Observation]:
    name = call.script.name
    if call.connected_at is None:
        return  # the new call afterwards shows whether it is gone
    if is_well_formed(call.script.actions):
        kept, *signs = serves_still(seen, call, "whose stream is well-formed, however it is cut")
        hung_up = call.hangup_at is not None and has_key(call.script.actions)
        if not hung_up:  # a key may well mean "end this call"
            yield Observation(Harm.DROPPED, kept, name)
            if kept.ok:
                yield from (Observation(Harm.UNANSWERED, sign, name) for sign in signs)
    elif any(isinstance(action, SignOfLife) for action in call.script.actions):
        return
    if call.end.by == "peer" and call.end.how == "fin":
        for closed in closes_within(call, _CLOSE_SECONDS, seen.late(call.end.at, call.end.at + 4.0)):
            yield Observation(Harm.STAYS_OPEN, closed, name)
