"""Which calls are made in a round of the search: odd streams in lanes, a good call beside them, a new call afterwards.

Pure: scripts, and how long they take.
"""

from collections.abc import Sequence

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.fuzzing.odd_stream import LEGAL_KEY, OddStream, seconds_without_sign
from audiosocket_sim.conformance.script import Announce, Close, Pause, Script, Send, SendSound, SignOfLife

__all__ = [
    "AFTERWARDS",
    "GOOD",
    "SIGN_SECONDS",
    "Lanes",
    "are_full",
    "good_call",
    "in_lanes",
    "new_call",
    "plain_call",
    "script_of",
    "seconds_of_lanes",
]

Lanes = tuple[tuple[Script, ...], ...]
"""Beside one another; within each, one after another."""
GOOD, AFTERWARDS = "the good call", "a new call afterwards"
SIGN_SECONDS = 4.0
"""What a sign of life takes as a rule, for the planning."""
_MARGIN_SECONDS = 0.1


def script_of(stream: OddStream, name: str = "") -> Script:
    """Return the connection of a stream; its name says from which seed it is."""
    return Script(stream.actions, name=name or f"stream {stream.seed}")


def good_call(seconds: float, *, sign: bool = True) -> Script:
    """Return a call in which nothing is odd: a silent caller for so long, then, with `sign`, a sign of life."""
    last = (SignOfLife(8.0),) if sign else ()
    return Script((Announce(), SendSound(seconds, "silence"), *last, Close()), name=GOOD)


def new_call() -> Script:
    """Return a short call in which nothing is odd, to be made when the odd ones are over."""
    return Script((Announce(), SendSound(0.6, "silence"), Close()), name=AFTERWARDS)


def plain_call(number: int) -> Script:
    """Return a call that does plainly what a well-formed stream does oddly; every second one presses a key too."""
    key = (Send(encode(Kind.DTMF, LEGAL_KEY)), Pause(0.2)) if number % 2 else ()
    return Script(
        (Announce(), SendSound(0.4, "silence"), *key, SignOfLife(8.0), Close()),
        name=f"plain call {number}{' with a key' if key else ''}",
    )


def in_lanes(streams: Sequence[OddStream], lanes: int) -> Lanes:
    """Deal the streams to the lanes, each to the one that is free first."""
    dealt: list[list[Script]] = [[] for _ in range(lanes)]
    busy = [0.0] * lanes
    for stream in streams:
        free = busy.index(min(busy))
        dealt[free].append(script_of(stream))
        busy[free] += _seconds(script_of(stream))
    return tuple(tuple(lane) for lane in dealt if lane)


def seconds_of_lanes(lanes: Lanes) -> float:
    """Return how long the lanes take, about."""
    return max((sum(map(_seconds, lane)) for lane in lanes), default=0.0)


def are_full(lanes: Lanes, count: int, seconds: float) -> bool:
    """Whether each of so many lanes has work for so long."""
    return len(lanes) == count and min(sum(map(_seconds, lane)) for lane in lanes) >= seconds


def _seconds(script: Script) -> float:
    has_sign = any(isinstance(action, SignOfLife) for action in script.actions)
    return seconds_without_sign(script.actions) + _MARGIN_SECONDS + has_sign * SIGN_SECONDS
