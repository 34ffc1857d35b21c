"""A still picture of the lanes, as shapes with places: for a page whose script does not run, and for paper. Pure.

The page's template draws it as SVG. Widths are those of a picture 1,000 wide, heights in the same unit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.envelope import Envelope, fewer
from audiosocket_sim.report.call.lane_item import LaneItem
from audiosocket_sim.report.call.lane_items import Lane, placed, rows_of

__all__ = ["StillBar", "StillLane", "StillPicture", "still_picture"]

_WIDTH, _LEFT, _RIGHT, _ROW, _GAP, _AXIS = 1000, 130, 8, 20, 4, 22
_COLUMNS = 200
_LETTER = 6.6
_TICKS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)


@dataclass(frozen=True, slots=True)
class StillBar:
    """A bar, or a sign where `sign` is one. `text` is cut to what has room."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    text: str
    title: str
    sign: str = ""


@dataclass(frozen=True, slots=True)
class StillLane:
    """One lane: its label, the bars, and the outline of its sound as a path, "" without."""

    y: float
    height: float
    label: str
    tone: str
    bars: tuple[StillBar, ...]
    path: str


@dataclass(frozen=True, slots=True)
class StillPicture:
    """A picture of the time from `from_ms` to `to_ms`. `ticks`: places and words of the axis; `band`: the problem."""

    from_ms: int
    to_ms: int
    width: int
    height: int
    left: int
    lanes: tuple[StillLane, ...]
    ticks: tuple[tuple[float, str], ...]
    band: tuple[float, float] | None


def still_picture(
    lanes: Sequence[Lane], levels: Mapping[str, Envelope], span: tuple[int, int], problem: tuple[int, int] | None = None
) -> StillPicture:
    """Return the picture of a time of the call; `problem`: from when to when something was wrong."""
    first, last = span[0], max(span[1], span[0] + 1)
    scale = (_WIDTH - _LEFT - _RIGHT) / (last - first)

    def x(ms: int) -> float:
        return round(_LEFT + (min(max(ms, first), last) - first) * scale, 1)

    drawn, y = [], float(_AXIS)
    for lane in lanes:
        seen = [item for item in lane.items if item.from_ms <= last and (item.to_ms is None or item.to_ms >= first)]
        if not seen and lane.level not in levels:
            continue
        rows = max(1, min(lane.rows, rows_of(seen, last)))
        height = rows * _ROW + (_ROW if lane.level in levels else 0)
        path = _outline(levels[lane.level], first, last, y + rows * _ROW, _ROW) if lane.level in levels else ""
        drawn.append(StillLane(y, height, lane.label, lane.tone, tuple(_bars(seen, lane, rows, y, x, last)), path))
        y += height + _GAP
    band = None if problem is None else (x(problem[0]), max(2.0, x(problem[1]) - x(problem[0])))
    return StillPicture(first, last, _WIDTH, round(y), _LEFT, tuple(drawn), _ticks(first, last, x), band)


def _bars(
    items: Sequence[LaneItem], lane: Lane, rows: int, y: float, x: Callable[[int], float], last: int
) -> Iterator[StillBar]:
    for item, row in placed(items, last):
        left, right = x(item.from_ms), x(last if item.to_ms is None else item.to_ms)
        width = max(2.0, round(right - left, 1))
        top = y + min(row, rows - 1) * _ROW + 1
        sign = item.sign or ("•" if item.from_ms == item.to_ms else "")
        text = "" if sign else _cut(item.text, width)
        yield StillBar(left, top, width, _ROW - 2, item.tone or lane.tone, text, item.title or item.text, sign)


def _cut(text: str, width: float) -> str:
    room = int((width - 6) / _LETTER)
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room >= 4 else ""


def _outline(level: Envelope, first: int, last: int, top: float, height: int) -> str:
    """The outline as a closed path around its middle, in steps from each place to the next: most of a call is silence,
    which is one step."""
    values = fewer(level, first, last, _COLUMNS)
    middle, each = top + height / 2, (_WIDTH - _LEFT - _RIGHT) / max(1, len(values))
    places = [(round(_LEFT + index * each), round(value * height / 200)) for index, value in enumerate(values)]
    around = [*((x, -half) for x, half in places), *((x, half) for x, half in reversed(places))]
    heights = [None, *(y for _, y in around), None]
    corners = [place for place, one in enumerate(around) if set(heights[place : place + 3]) != {one[1]}]
    steps = ((around[a], around[b]) for a, b in pairwise(corners))
    path = [f"h{x2 - x1}" if y1 == y2 else f"l{x2 - x1} {y2 - y1}" for (x1, y1), (x2, y2) in steps]
    return f"M{places[0][0]} {middle - places[0][1]:g}{''.join(path)}Z"


def _ticks(first: int, last: int, x: Callable[[int], float]) -> tuple[tuple[float, str], ...]:
    seconds = (last - first) / 1000
    step = next((one for one in _TICKS_S if seconds / one <= 12), _TICKS_S[-1])
    number = -(-first // round(step * 1000))
    found = []
    while (at := round(number * step * 1000)) <= last:
        found.append((x(at), clock_text(at)))
        number += 1
    return tuple(found)
