"""HS: the handshake. What comes first, and what a server makes of a connection that is no call."""

from collections.abc import Iterator

from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.judging import closes_within, connects, serves_still
from audiosocket_sim.conformance.script import Announce, Script, SendSound, SignOfLife

__all__ = ["CASES"]


def _serves(what: str) -> Judge:
    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        yield connects(call)
        yield from serves_still(seen, call, what)
        yield from closes_within(call, 1.0, seen.late(call.end.at, call.end.at + 3.0))

    return judge


CASES = (
    Case(
        id="HS-01",
        title="the UUID comes at once",
        level="must",
        peer="connects and sends the UUID, 19 bytes in one write",
        good="keeps the connection and serves the call",
        why="Asterisk always begins so; a server that waits for more, or answers the UUID, serves nobody",
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
        section="4.2",
        judge=_serves("after a UUID in single bytes"),
        scripts=(Script((Announce(gap=0.05), SendSound(0.5, "silence"), SignOfLife())),),
    ),
)
