"""A connection drawn over time: what the peer sent, what the server sent, how it ended, and where the fault is. Pure.

Shapes with places, 1,000 wide; the page's template draws them as SVG. Sound is a full bar, silence a hollow one, and
every other message a mark with its words, so that no colour is needed to tell them apart.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from audiosocket_core.messages import AUDIO_KINDS, RATE_HZ
from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.heard import is_sound
from audiosocket_sim.conformance.results.wire_around import moment_of, writes
from audiosocket_sim.conformance.results.wire_words import message_words
from audiosocket_sim.conformance.seen_call import Chunk, SeenCall, SeenMessage, messages_in

__all__ = ["Drawing", "DrawnBar", "DrawnLane", "DrawnMark", "drawing"]

_WIDTH, _LEFT, _RIGHT, _TOP = 1000, 92, 60, 40
_BAR, _ROW, _ROWS, _GAP = 20, 15, 3, 12
_LETTER = 6.2
_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)
_LONGEST_SECONDS = 14.0
_SHORT_GAP = 0.1
_MOST_MARKS = 300
_LONGEST_WORDS = 34


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A stretch of audio messages of one kind. `look`: `sound`, `silence` or `odd`."""

    x: float
    width: float
    look: str
    words: str
    title: str


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """Something of one moment: a message that is no audio, a piece of one, or an end.

    `row`: the row in which its words stand; −1: there is no room for them.
    """

    x: float
    look: str
    words: str
    title: str
    row: int = -1
    words_x: float = 0.0


@dataclass(frozen=True, slots=True)
class DrawnLane:
    """What one side did. `y`: its top."""

    label: str
    tone: str
    y: int
    height: int
    bars: tuple[DrawnBar, ...]
    marks: tuple[DrawnMark, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture; `fault`: the place of the fault, and its words. `words`: the picture in one sentence."""

    width: int
    height: int
    left: int
    lanes: tuple[DrawnLane, ...]
    ticks: tuple[tuple[float, str], ...]
    fault: tuple[float, str]
    words: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    began: float
    ended: float
    look: str
    words: str
    times: int = 1


def drawing(call: SeenCall, statement: Statement | None) -> Drawing:
    """Return the picture of a connection around what a statement is about: all of it, or 14 s of a longer one."""
    moment = moment_of(call, statement)
    first, last = _span(call, moment)
    scale = (_WIDTH - _LEFT - _RIGHT) / (last - first)

    def x(at: float) -> float:
        return round(_LEFT + (min(max(at, first), last) - first) * scale, 1)

    def inside(at: float) -> bool:
        return first <= at <= last

    lanes, y = [], _TOP
    for label, tone, messages, more in (
        ("the peer", "caller", _sent_whole(call.sent), [*_pieces(call.sent), *_peer_ends(call)]),
        ("the server", "bot", call.messages, list(_server_ends(call))),
    ):
        stretches = [one for one in _stretches(messages) if inside(one.began) or inside(one.ended)]
        bars = tuple(_bar(one, x(one.began), x(one.ended)) for one in stretches)
        shown = [(at, words, odd) for at, words, odd in _marks(messages) if inside(at)][:_MOST_MARKS]
        marks = [DrawnMark(x(at), "odd" if odd else "other", words, words) for at, words, odd in shown]
        marks += [DrawnMark(x(at), look, words, title) for at, look, words, title in more if inside(at)]
        placed = _placed(marks)
        rows = 1 + max((mark.row for mark in placed), default=-1)
        height = _BAR + rows * _ROW
        lanes.append(DrawnLane(label, tone, y, height, bars, placed))
        y += height + _GAP
    words = f"{max(0.0, first):.2f} s to {last:.2f} s of {call.script.name}; the fault is at {moment:.3f} s"
    return Drawing(_WIDTH, y, _LEFT, tuple(lanes), _ticks(first, last, x), (x(moment), f"{moment:.3f} s"), words)


def _span(call: SeenCall, moment: float) -> tuple[float, float]:
    times = [moment, call.end.at, *(chunk.at for chunk in (*call.sent[-1:], *call.received[-1:]))]
    if call.end.server_closed_at is not None:
        times.append(call.end.server_closed_at)
    first, last = (call.script.starts if call.connected_at is None else call.connected_at), max(times)
    first = min([first, moment, *(chunk.at for chunk in call.sent[:1])])
    if last - first > _LONGEST_SECONDS:
        first = max(first, moment - _LONGEST_SECONDS / 2)
        last = min(last, first + _LONGEST_SECONDS)
    spare = max(0.02, 0.02 * (last - first))
    return first - spare / 2, last + spare


def _sent_whole(sent: Sequence[Chunk]) -> list[SeenMessage]:
    """Return the messages that the peer wrote whole: none that came in several writes."""
    return [one for one in messages_in(sent) if one.is_whole and one.reads == 1]


def _pieces(sent: Sequence[Chunk]) -> Iterator[tuple[float, str, str, str]]:
    """Yield the writes of the peer that held no whole message."""
    for line in writes(sent):
        if line.words.startswith("byte"):
            yield line.at, "odd", line.words.partition(":")[0], f"{line.at:.3f} s: {line.words}"


def _stretches(messages: Iterable[SeenMessage]) -> Iterator[_Stretch]:
    """Join audio messages that are alike and follow one another without a gap."""
    current: _Stretch | None = None
    for message in messages:
        if not message.is_audio or message.kind not in AUDIO_KINDS:
            continue
        lasts = message.length / 2 / RATE_HZ[message.kind]
        at = message.began
        ended = message.ended if message.ended is not None else at
        look = "sound" if is_sound(message.payload) else "silence"
        if message.length % 2 or not message.length or not message.is_whole:
            look = "odd"
        words = message_words(message)
        joins = current is not None and (current.look, current.words) == (look, words)
        if current is not None and joins and at - current.ended <= max(_SHORT_GAP, 1.5 * lasts):
            current = replace(current, ended=max(ended, at + min(lasts, 0.02)), times=current.times + 1)
        else:
            if current is not None:
                yield current
            current = _Stretch(at, max(ended, at + min(lasts, 0.02)), look, words)
    if current is not None:
        yield current


def _bar(stretch: _Stretch, left: float, right: float) -> DrawnBar:
    width = max(1.5, round(right - left, 1))
    title = f"{stretch.began:.3f} to {stretch.ended:.3f} s: {stretch.times} × {stretch.words}"
    return DrawnBar(left, width, stretch.look, stretch.look if width > 9 * _LETTER else "", title)


def _marks(messages: Iterable[SeenMessage]) -> Iterator[tuple[float, str, bool]]:
    for message in messages:
        if not message.is_audio:
            odd = not message.is_whole or message.kind not in (0, 1, 2, 3)
            words = message_words(message)
            yield message.began, words.partition(" ")[0] if message.kind == 1 and message.is_whole else words, odd


def _peer_ends(call: SeenCall) -> Iterator[tuple[float, str, str, str]]:
    if call.end.by == "peer":
        yield call.end.at, "end", _end_word(call.end.how), f"{call.end.at:.3f} s: the peer ends the connection"


def _server_ends(call: SeenCall) -> Iterator[tuple[float, str, str, str]]:
    if call.connected_at is None:
        yield call.script.starts, "end", "no connection", call.why_not_connected
    elif call.end.by == "server":
        yield call.end.at, "end", _end_word(call.end.how), f"{call.end.at:.3f} s: the server ends the connection"
    elif call.end.server_closed_at is not None:
        at = call.end.server_closed_at
        yield at, "end", "FIN", f"{at:.3f} s: the server closes its own end"


def _end_word(how: str) -> str:
    return "RST" if how == "reset" else "FIN"


def _placed(marks: Sequence[DrawnMark]) -> tuple[DrawnMark, ...]:
    """Give the words of each mark a row where they cover no others, the ends first; −1 where no row has room."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    rows: dict[int, tuple[int, str, float]] = {}
    order = sorted(range(len(marks)), key=lambda number: (marks[number].look != "end", marks[number].x))
    for number in order:
        mark = marks[number]
        words = mark.words if len(mark.words) <= _LONGEST_WORDS else f"{mark.words[: _LONGEST_WORDS - 1]}…"
        width = len(words) * _LETTER + 8
        left = min(mark.x, _WIDTH - width)
        for row, others in enumerate(taken):
            if all(left + width <= begin or left >= end for begin, end in others):
                others.append((left, left + width))
                rows[number] = (row, words, left)
                break
    return tuple(
        replace(mark, row=rows[number][0], words=rows[number][1], words_x=round(rows[number][2], 1))
        if number in rows
        else mark
        for number, mark in enumerate(marks)
    )


def _ticks(first: float, last: float, x: Callable[[float], float]) -> tuple[tuple[float, str], ...]:
    step = next((one for one in _TICKS if (last - first) / one <= 12), _TICKS[-1])
    digits = max(0, len(f"{step:g}".partition(".")[2]))
    number = int(first / step) if first >= 0 else 0
    found = []
    while (at := number * step) <= last:
        if at >= first:
            found.append((x(at), f"{at:.{digits}f} s"))
        number += 1
    return tuple(found)
