"""What went over the wire around one moment of a connection: a few lines for people. Pure.

Audio comes fifty times a second in both directions. So what is alike in one direction is one line, with how many there
were, until something else comes in that direction, or the moment itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from audiosocket_core.messages import HEADER_BYTES
from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.results.wire_words import hex_bytes, message_words, part_words
from audiosocket_sim.conformance.script import FinishSending, Pause, ReadAgain, StopReading, StopServer
from audiosocket_sim.conformance.seen_call import Chunk, SeenCall, messages_in

__all__ = ["WireAround", "WireLine", "around", "moment_of", "wire_lines", "writes"]

_BEFORE, _AFTER = 6, 4
_SAME_TIME = 0.0005
_NEAR = 0.0015
_SLOW_SECONDS = 0.001
"""How long a message in several reads takes, from which on that is worth a word."""
_CONNECTS = "takes the connection"
_UNEVEN_SECONDS = 0.035
"""The longest time between two messages from which a stretch is called uneven, if the shortest was half of it."""

WireSide = Literal["peer", "server"]


@dataclass(frozen=True, slots=True)
class WireLine:
    """One thing on the wire, or several that are alike: from `at` to `until`, in seconds since the case began.

    `side`: who did it. `times`: how many there were. `hex`: the first bytes of the last one, "" where there is none.
    """

    at: float
    until: float
    side: WireSide
    words: str
    hex: str = ""
    times: int = 1
    n_bytes: int = 0
    gaps: tuple[float, float] | None = None
    """Of several: the shortest and the longest time between two of them, in seconds."""

    def clock(self) -> str:
        """Return its time: `1.240`, or `1.240–2.480` if it lasted."""
        return f"{self.at:.3f}" if self.until - self.at < _SAME_TIME else f"{self.at:.3f}–{self.until:.3f}"

    def text(self) -> str:
        """Return what it was: `62 × silence, 20 ms at 8 kHz`; and how far apart, if that was uneven."""
        if self.times == 1:
            return self.words
        text = f"{self.times} × {self.words}"
        if self.gaps is None or self.gaps[1] < _UNEVEN_SECONDS or self.gaps[1] < 2 * self.gaps[0]:
            return text
        return f"{text}, {self.gaps[0] * 1000:.0f} to {self.gaps[1] * 1000:.0f} ms apart"


@dataclass(frozen=True, slots=True)
class WireAround:
    """The lines around a moment. `begun`: how many of them began by then. `here`: the number of the one that is meant.

    `here` is None if nothing was sent, and nothing ended, at the moment.
    """

    moment: float
    lines: tuple[WireLine, ...]
    begun: int
    here: int | None


def moment_of(call: SeenCall, statement: Statement | None) -> float:
    """Return the moment that a statement is about; that of the end of the connection where it names none."""
    return call.end.at if statement is None or statement.at is None else statement.at


def wire_lines(call: SeenCall, moment: float) -> list[WireLine]:
    """Return all that happened in a connection, in the order of time; what is alike is joined, up to the moment."""
    lines: list[WireLine] = []
    for side in ("peer", "server"):
        one_side = sorted((line for line in _happenings(call) if line.side == side), key=lambda line: line.at)
        lines += _joined(one_side, moment)
    return sorted(lines, key=_order)


def around(call: SeenCall, statement: Statement | None, *, before: int = _BEFORE, after: int = _AFTER) -> "WireAround":
    """Return the last lines that began by the moment of a statement, and the first ones after it."""
    moment = moment_of(call, statement)
    lines = wire_lines(call, moment)
    begun = [line for line in lines if line.at <= moment + _SAME_TIME]
    begun.sort(key=lambda line: (line.until, *_order(line)))
    shown = sorted(begun[-before:], key=_order)
    later = [line for line in lines if line.at > moment + _SAME_TIME][:after]
    # The statement is about what is new at the moment: rather one thing than one of many, and rather the server's
    near = [number for number, line in enumerate(shown) if line.until >= moment - _NEAR]

    def weight(number: int) -> tuple[bool, bool, bool, int]:
        line = shown[number]
        return line.words != _CONNECTS, line.times == 1, line.side == "server", number

    here = max(near, key=weight, default=None)
    return WireAround(moment, (*shown, *later), len(shown), here)


def _order(line: WireLine) -> tuple[float, bool, float]:
    """By time; in one instant the connection comes before what goes over it."""
    return line.at, line.words != _CONNECTS, line.until


def _happenings(call: SeenCall) -> Iterator[WireLine]:
    if call.connected_at is None:
        yield _point(call.script.starts, "server", f"takes no connection: {call.why_not_connected}")
        return
    yield _point(call.connected_at, "server", _CONNECTS)
    yield from writes(call.sent)
    for message in call.messages:
        until = message.began if message.ended is None else message.ended
        head = bytes([message.kind]) + message.length.to_bytes(2, "big") + message.payload
        size = HEADER_BYTES + len(message.payload)
        words = message_words(message)
        if message.reads > 1 and until - message.began >= _SLOW_SECONDS:
            words = f"{words}, in {message.reads} pieces"
        yield WireLine(message.began, until, "server", words, hex_bytes(head[:size]), n_bytes=size)
    for done in call.done:
        match done.action:
            case StopReading():
                yield _point(done.began, "peer", "stops reading")
            case ReadAgain():
                yield _point(done.began, "peer", "reads again")
            case FinishSending():
                yield _point(done.began, "peer", "closes its sending side (FIN), and goes on reading")
            case Pause(seconds=seconds):
                yield WireLine(done.began, done.ended, "peer", f"sends nothing for {seconds:g} s")
            case StopServer():
                yield _point(done.began, "server", "is told to stop")
            case _:
                pass
    yield from _ends(call)


def _ends(call: SeenCall) -> Iterator[WireLine]:
    end = call.end
    how = "resets the connection (RST)" if end.how == "reset" else "closes the connection (FIN)"
    if end.by == "server":
        yield _point(end.at, "server", how)
    elif end.by == "peer":
        yield _point(end.at, "peer", how)
        if end.server_closed_at is not None:
            yield _point(end.server_closed_at, "server", "closes its own end too")
        if end.answered_with_reset:
            yield _point(end.at, "peer", "answers what comes after it with a reset, as Asterisk's kernel does")
    if call.unsent:
        yield _point(end.at, "server", f"has left {call.unsent} bytes of the peer unread")


def _point(at: float, side: WireSide, words: str) -> WireLine:
    return WireLine(at, at, side, words)


def writes(sent: Sequence[Chunk]) -> Iterator[WireLine]:
    """Yield a line for each write of the peer: the messages in it, or which part of one it is."""
    messages = list(messages_in(sent))
    place = index = 0
    for chunk in sent:
        stop = place + len(chunk.data)
        while index < len(messages) and messages[index].place + HEADER_BYTES + messages[index].length <= place:
            index += 1
        last = index
        while last < len(messages) and messages[last].place < stop:
            last += 1
        words = part_words(messages[index:last], place, stop)
        yield WireLine(chunk.at, chunk.at, "peer", words, hex_bytes(chunk.data), n_bytes=len(chunk.data))
        place = stop


def _joined(lines: Sequence[WireLine], moment: float) -> list[WireLine]:
    joined: list[WireLine] = []
    starts = 0.0  # when the last message that was joined began
    for line in lines:
        last = joined[-1] if joined else None
        crosses = last is not None and starts <= moment + _SAME_TIME < line.at
        if last is not None and last.words == line.words and line.n_bytes and not crosses:
            gap = line.at - starts
            gaps = (gap, gap) if last.gaps is None else (min(last.gaps[0], gap), max(last.gaps[1], gap))
            joined[-1] = replace(
                last,
                until=line.until,
                times=last.times + 1,
                hex=line.hex,
                n_bytes=last.n_bytes + line.n_bytes,
                gaps=gaps,
            )
        else:
            joined.append(line)
        starts = line.at
    return joined
