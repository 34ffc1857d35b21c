"""The page of many calls: one HTML file with filters, distributions, the slowest and the least steady, and the trend.

Without its script it has all of that but the filters.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audiosocket_sim.report.many.index_baseline import AgainstBaseline, ComparedCall, SavedRun, TrendPoint
from audiosocket_sim.report.many.index_data import (
    HistogramBin,
    IndexRow,
    RunFigures,
    figures_of,
    histogram,
    slowest,
    unsteady,
)
from audiosocket_sim.report.page.inline import page_in_page, render_page, template_text

__all__ = ["IndexContent", "index_page", "without_brackets"]

_WORDS = "This page has a line of each call that did not pass, with words of that call."
_NO_SOUND = "It has no sound."
_ALL_WELL = "This page has no words of the calls and no sound."
_NO_WORDS = "This page has no words of the calls and no sound: names, times and kinds only."
_PAGES = "Each call's own page has its words and its sound."
_INSIDE = "The pages of {} are in this file, with their words and their sound."
_VERDICTS = {
    "passed": "passed",
    "failed": "failed",
    "set_up": "set-up error",
    "invalid": "invalid",
    "inconclusive": "inconclusive",
    "not_judged": "not judged",
}
_MOST_LISTED = 50
_BRACKETS = re.compile(r"\[[^\[\]]*\]?")


@dataclass(frozen=True, slots=True)
class IndexContent:
    """What an index shows. `run`: its calls. `links`: the address of each call's page, from the index, by place; a
    call without one has no link. `labels`: what stands for the places of calls, if not these themselves.

    `baseline`: against the last earlier run. `points`, `trend_calls`: the figures of all runs, the oldest first,
    and of how many calls they are. `inside`: the pages of calls that the index holds, by place. `redacted`: no words.
    `notes`: what could not be read or written, a line each.
    """

    title: str
    run: SavedRun
    links: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    baseline: AgainstBaseline | None = None
    points: Sequence[TrendPoint] = ()
    trend_calls: int = 0
    inside: Mapping[str, str] = field(default_factory=dict)
    redacted: bool = False
    notes: Sequence[str] = ()


def index_page(content: IndexContent) -> str:
    """Return the index as a page of one file."""
    rows = sorted(content.run.rows.values(), key=lambda row: row.order)
    shown = [_row(row, content) for row in rows]
    return render_page(
        "index.html.jinja",
        styles=("plain.css", "index.css"),
        script=template_text("index.js"),
        inside=list(content.inside.values()),
        frames=[
            {"id": f"inside-{number}", "name": _label(place, content), "page": page_in_page(page)}
            for number, (place, page) in enumerate(content.inside.items(), 1)
        ],
        title=content.title,
        headline=_headline(figures_of(rows)),
        contains=_contains(content),
        rows=shown,
        causes=_causes(rows, content),
        filters=_filters(shown),
        plots=_plots(rows),
        slow=[_row(row, content) for row in slowest(rows, lambda row: row.longest_wait_ms)],
        unsteady=[
            {
                "name": without_brackets(one.scenario) if content.redacted else one.scenario,
                "rate": one.rate,
                "failures": [_row(row, content) for row in one.failures[:_MOST_LISTED]],
            }
            for one in unsteady(rows)
        ],
        baseline=None if content.baseline is None else _baseline(content.baseline, content),
        trend=[_point(point) for point in content.points],
        trend_lines=_trend_lines(content.points),
        trend_calls=content.trend_calls,
        notes=content.notes,
    )


def without_brackets(place: str) -> str:
    """Return the name of a call without what stands in brackets: values of variables, which may be words."""
    return _BRACKETS.sub("", place)


def _contains(content: IndexContent) -> str:
    """What the page contains, for its head."""
    if content.redacted:
        return _NO_WORDS
    number = len(content.inside)
    if number:
        calls = f"{number} of these calls" if number > 1 else "one of these calls"
        return f"{_WORDS} {_INSIDE.format(calls)}"
    has_words = content.baseline is not None or any(row.sentence for row in content.run.rows.values())
    words = f"{_WORDS} {_NO_SOUND}" if has_words else _ALL_WELL
    return f"{words} {_PAGES if content.links else ''}".rstrip()


def _headline(figures: RunFigures) -> str:
    parts = [f"{count} {_VERDICTS.get(outcome, outcome)}" for outcome, count in figures.by_outcome]
    return f"{figures.calls} call{'s' * (figures.calls != 1)}: {', '.join(parts)}" if parts else "no calls"


def _label(place: str, content: IndexContent) -> str:
    return content.labels.get(place, place)


def _row(row: IndexRow, content: IndexContent) -> dict[str, object]:
    places = list(content.inside)
    held = f"#inside-{places.index(row.place) + 1}" if row.place in content.inside else None
    return {
        "name": _label(row.place, content),
        "link": held or content.links.get(row.place),
        "outcome": row.outcome,
        "verdict": row.verdict,
        "cause": row.cause,
        "sentence": row.sentence,
        "tags": row.tags,
        "target": row.target,
        "seeds": row.seeds,
        "wait": _seconds(row.longest_wait_ms),
        "wait_ms": _number(row.longest_wait_ms),
        "yields": _seconds(row.longest_yield_ms),
        "yield_ms": _number(row.longest_yield_ms),
        "seconds": f"{row.duration_ms / 1000:.1f} s",
        "duration_ms": row.duration_ms,
        "responses": _values(row.turns.waits_ms, row.turns.unanswered),
        "stops": _values(row.turns.yields_ms, row.turns.unyielded),
    }


def _causes(rows: Sequence[IndexRow], content: IndexContent) -> list[dict[str, object]]:
    """The causes of what did not pass, failures first, the most frequent first, each with the first of its calls."""
    found: dict[str, list[IndexRow]] = {}
    for row in rows:
        if row.cause:
            found.setdefault(row.cause, []).append(row)
    most = sorted(found.items(), key=lambda one: (one[1][0].order[0], -len(one[1])))[:_MOST_LISTED]
    return [{"cause": cause, "count": len(of_it), "row": _row(of_it[0], content)} for cause, of_it in most]


def _values(measured: Sequence[int], never: int) -> str:
    """The values of a row as its attribute has them, for the script: numbers in ms, and `never`."""
    return " ".join([*map(str, measured), *["never"] * never])


def _filters(rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The four filters, each with its values and how many calls have each; one that has a single value is left out."""
    found: list[Mapping[str, object]] = []
    for key, name in (("outcome", "verdict"), ("cause", "cause"), ("tags", "tags"), ("target", "target")):
        counted: dict[str, int] = {}
        for row in rows:
            value = row[name]
            for text in value if isinstance(value, tuple) else (value,):
                if text:
                    counted[str(text)] = counted.get(str(text), 0) + 1
        if counted and (len(counted) > 1 or sum(counted.values()) < len(rows)):
            options = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
            found.append({"key": key, "label": key.removesuffix("s"), "options": options})
    return found


# --- distributions


def _plots(rows: Sequence[IndexRow]) -> list[dict[str, object]]:
    turns, figures = [row.turns for row in rows], figures_of(rows)
    waits = [ms for one in turns for ms in one.waits_ms], sum(one.unanswered for one in turns)
    stops = [ms for one in turns for ms in one.yields_ms], sum(one.unyielded for one in turns)
    waited = figures.response_p50_ms, figures.response_p95_ms
    stopped = figures.yield_p50_ms, figures.yield_p95_ms
    return [
        _plot("response", "How long callers waited for an answer", *waits, *waited),
        _plot("yield", "How soon the bot fell silent for a caller", *stops, *stopped),
    ]


def _plot(
    kind: str, title: str, values: Sequence[int], never: int, middle: float | None, high: float | None
) -> dict[str, object]:
    bins = histogram(values, never)
    most = max((one.count for one in bins), default=1) or 1
    longest = _seconds(math.inf if never else max(values, default=None))
    summary = f"median {_seconds(middle)}, 95 of 100 within {_seconds(high)}, longest {longest}"
    return {
        "kind": kind,
        "title": title,
        "summary": f"{len(values) + never} measured: {summary}" if bins else "nothing of the kind was measured",
        "bars": [_bar(one, n, len(bins), most) for n, one in enumerate(bins)],
    }


def _bar(one: HistogramBin, number: int, bins: int, most: int) -> dict[str, object]:
    never = math.isinf(one.from_ms)
    return {
        "label": "never" if never else f"{one.from_ms / 1000:g} to {one.to_ms / 1000:g} s",
        "short": "never" if never else f"{one.from_ms / 1000:g}" + " s" * (number == 0),
        "never": never,
        "from": "" if never else f"{one.from_ms:g}",
        "to": "" if never else f"{one.to_ms:g}",
        "count": one.count,
        "x": round(number * 1000 / bins + 2, 2),
        "width": round(max(2, 1000 / bins - 4), 2),
        "height": round(200 * one.count / most, 2),
    }


# --- against runs before


def _baseline(found: AgainstBaseline, content: IndexContent) -> Mapping[str, object]:
    return {
        "name": found.name,
        "groups": [
            (title, [_compared(one, content) for one in calls[:_MOST_LISTED]], max(0, len(calls) - _MOST_LISTED))
            for title, calls in (
                ("Slower", found.slower),
                ("Quicker", found.quicker),
                ("Different in another way", found.different),
            )
            if calls
        ],
        "refused": [(_label(one.place, content), ", ".join(one.reasons)) for one in found.refused[:_MOST_LISTED]],
        "refused_more": max(0, len(found.refused) - _MOST_LISTED),
        "same": found.same,
        "new": [_label(place, content) for place in found.new[:_MOST_LISTED]],
        "gone": [] if content.redacted else list(found.gone[:_MOST_LISTED]),
        "gone_number": len(found.gone),
        "new_number": len(found.new),
    }


def _compared(one: ComparedCall, content: IndexContent) -> dict[str, object]:
    verdicts = dict.fromkeys((one.before.verdict, one.now.verdict))
    return {
        **_row(one.now, content),
        "outcomes": " → ".join(verdicts),
        "waits": " → ".join(dict.fromkeys((_seconds(one.before.longest_wait_ms), _seconds(one.now.longest_wait_ms)))),
        "slower": f"{one.slower_ms:+d} ms".replace("-", "−") if one.slower_ms else "",
        "differences": len(one.diff.found),
    }


def _point(point: TrendPoint) -> dict[str, object]:
    figures = point.figures
    return {
        "name": point.name,
        "passed": f"{figures.passed} of {figures.calls}",
        "p50": _seconds(figures.response_p50_ms),
        "p95": _seconds(figures.response_p95_ms),
        "yield_p50": _seconds(figures.yield_p50_ms),
        "yield_p95": _seconds(figures.yield_p95_ms),
    }


def _trend_lines(points: Sequence[TrendPoint]) -> dict[str, object] | None:
    """The lines of a picture 1,000 wide and 200 high: the median and the 95th percentile of the answers, run by run."""
    if len(points) < 2:
        return None
    lines = {
        "p50": [point.figures.response_p50_ms for point in points],
        "p95": [point.figures.response_p95_ms for point in points],
    }
    finite = [value for values in lines.values() for value in values if value is not None and math.isfinite(value)]
    top = max(finite, default=0) or 1
    step = 1000 / (len(points) - 1)
    shown = {
        name: [
            (round(n * step, 1), round(200 - 200 * value / top, 1))
            for n, value in enumerate(values)
            if value is not None and math.isfinite(value)
        ]
        for name, values in lines.items()
    }
    return {"top": _seconds(top), "lines": shown}


def _seconds(ms: float | None) -> str:
    return "–" if ms is None else "never" if math.isinf(ms) else f"{ms / 1000:.2f} s"


def _number(ms: float | None) -> str:
    """A value by which rows are sorted; what never came is the longest, and what was not measured the shortest."""
    return "-1" if ms is None else "1e12" if math.isinf(ms) else f"{ms:g}"
