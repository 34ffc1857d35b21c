"""The problems of a saved call, the worst first: a sentence of who did what when, and a line of what was expected.

A failure is a problem, in the order in which failures were reported: the first one is the cause. Before them stand the
reasons why there is no verdict. What failed nothing comes last: it is worth a look. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from audiosocket_sim.call_log.events import DefectFound, Entry, PhoneLostSound, StepFailed
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.fault_items import lasted_ms
from audiosocket_sim.report.call.headline import (
    defect_headline,
    on_the_page,
    plain_headline,
    step_headline,
    turn_asked_ms,
)
from audiosocket_sim.report.call.lane_items import LEAST_SILENT_LEAD_MS
from audiosocket_sim.report.call.margins import margin_of_defect, margin_of_step
from audiosocket_sim.report.call.sides import Side, side_of, side_of_defect, side_of_fault
from audiosocket_sim.report.saved.saved_call import SavedCall, SavedFailure
from audiosocket_sim.turn_taking import dead_air, premature_starts, responses, talk_over

__all__ = ["CallProblem", "problems_of"]

_AT = re.compile(r"^(?:at )?\d+\.\d{3} ")
_WINDOW = re.compile(r", from (\d+\.\d{3}) until (\d+\.\d{3})$")
_BEFORE_MS, _AFTER_MS, _LEAST_MS, _MOST_MS = 2_000, 2_000, 7_000, 20_000
_LONG_DEAD_AIR_MS = 4_000
_LONG_WAIT_MS = 3_000
_LONG_TALK_OVER_MS = 500
_MOST_OBSERVATIONS = 12


@dataclass(frozen=True, slots=True)
class CallProblem:
    """One problem. `rank`: a `failure`, `no_verdict`, or an `observation` that failed nothing.

    `kind`: the kind of defect, or the step without its number (`expect bot_says`). `expected`, `happened`, `margin`:
    parts of the sentence, "" if there is none. `more`: further lines of what happened. `where`: the scenario's line.
    It lasted from `since_ms` to `until_ms`, and was clear at `at_ms`; the seconds around it: `from_ms` to `to_ms`.
    """

    rank: Literal["failure", "no_verdict", "observation"]
    kind: str
    side: Side
    expected: str
    happened: str
    margin: str
    at_ms: int
    until_ms: int
    from_ms: int
    to_ms: int
    more: tuple[str, ...] = ()
    where: str = ""
    what: str = ""
    """The step or key in words: `step 3 (expect bot_says)`; "" if it is none."""
    is_deadline: bool = False
    """Whether `at_ms` is when the time was up, and not when something happened."""
    unsure: bool = False
    """Whether this machine was late, and may have caused it."""
    opened_ms: int | None = None
    """When the window of what was expected opened; None: it has none."""

    @property
    def since_ms(self) -> int:
        """When it began: with its window, if it has one."""
        return self.at_ms if self.opened_ms is None else min(self.opened_ms, self.at_ms)

    headline: str = ""
    """Who did what when, with the words of the call; "": it is made of the side and of what happened."""

    @property
    def sentence(self) -> str:
        """The problem in one sentence, each number once: the cause, and when it was."""
        if self.rank == "no_verdict":
            return f"No verdict, {self.side.words}: {self.happened}"
        if self.rank == "observation":
            return f"Worth a look, {self.side.words}: {self.happened}, from {clock_text(self.at_ms)} on"
        said = self.headline or plain_headline(self.side, self.happened, self.at_ms, is_deadline=self.is_deadline)
        return f"{said}; but this machine was late, which may have caused it" if self.unsure else said

    @property
    def measure(self) -> str:
        """What was expected, within which time or limit, and by how much it was missed; "" if nothing was."""
        parts = [f"Expected: {self.expected}" if self.expected else "", self.margin]
        return "; ".join(part for part in parts if part)


def problems_of(call: SavedCall) -> list[CallProblem]:
    """Return the problems of a call, the worst first; of one that passed, only what is worth a look; perhaps none."""
    found = [*_no_verdict(call), *_failures(call)]
    return [*found, *list(_observations(call, found))[:_MOST_OBSERVATIONS]]


def _no_verdict(call: SavedCall) -> Iterator[CallProblem]:
    if call.outcome not in ("set_up", "inconclusive", "invalid"):
        return
    end = call.duration_ms
    for fault in call.faults:
        span = _around(end, end, end)
        yield CallProblem(
            "no_verdict", call.outcome, side_of_fault(call.outcome, fault), "", fault, "", end, end, *span
        )


def _failures(call: SavedCall) -> Iterator[CallProblem]:
    for failure in call.failures:
        defect = _defect_of(failure, call.entries)
        yield _step(failure, call) if defect is None else _defect(failure, *defect, call)


def _defect_of(failure: SavedFailure, entries: Sequence[Entry]) -> tuple[Entry, DefectFound] | None:
    """The first defect of those that a failure of `quality` lists; None if it is no such failure."""
    first = _without_time(failure.happened[0]) if failure.happened else ""
    found = ((one, one.event) for one in entries if isinstance(one.event, DefectFound) and one.event.what == first)
    return next(((entry, event) for entry, event in found if abs(entry.at_ms - failure.at_ms) <= 1), None)


def _defect(failure: SavedFailure, entry: Entry, event: DefectFound, call: SavedCall) -> CallProblem:
    until = entry.at_ms + lasted_ms(event)
    like = [one.event for one in call.entries if isinstance(one.event, DefectFound) and one.event.kind == event.kind]
    return CallProblem(
        "failure",
        event.kind,
        side_of_defect(event.kind),
        on_the_page(failure.expected),
        on_the_page(event.what),
        margin_of_defect(event, like, failure.expected),
        entry.at_ms,
        until,
        *_around(entry.at_ms, until, call.duration_ms),
        more=tuple(map(on_the_page, failure.happened[1:])),
        headline=defect_headline(event.kind, event.what, entry.at_ms, side_of_defect(event.kind)),
        where=failure.where,
        what=failure.what,
        unsure=failure.unsure,
    )


def _step(failure: SavedFailure, call: SavedCall) -> CallProblem:
    kind = failure.what.rpartition("(")[2].rstrip(")") or failure.what
    event = _event_of(failure, call.entries)
    opened = closed = None
    if event is not None:
        opened, closed = event.opened_ms, event.closed_ms
    window = _WINDOW.search(failure.expected)
    expected = failure.expected
    if window is not None:
        opened, closed = (round(float(text) * 1000) for text in window.groups())
        span = f"from {clock_text(opened)} until {clock_text(closed)}"
        if kind == "expect bot_silent":  # it may last beyond the window
            span = f"from an instant between {clock_text(opened)} and {clock_text(closed)} on"
        expected = f"{_WINDOW.sub('', failure.expected)}, {span}"
    at = failure.at_ms if opened is None else max(opened, min(failure.at_ms, closed or failure.at_ms))
    start = at if opened is None else opened
    happened = tuple(_without_time(one) if not index else one for index, one in enumerate(failure.happened))
    happened = happened or ("nothing of the kind",)
    turn = turn_asked_ms(happened[0], at, call.entries)
    if turn is not None and at - turn[0] > _MOST_MS - _BEFORE_MS - _AFTER_MS:
        turn = None
    side, is_deadline = side_of(failure, kind), closed is not None and at == closed
    return CallProblem(
        "failure",
        kind,
        side,
        on_the_page(expected),
        on_the_page(happened[0]),
        margin_of_step(kind, failure, opened, closed, call.entries),
        at,
        failure.at_ms,
        *_around(min(start, at, at if turn is None else turn[0]), max(at, failure.at_ms), call.duration_ms),
        more=(*_silent_lead(opened, call.entries), *map(on_the_page, happened[1:])),
        where=failure.where,
        what=failure.what,
        is_deadline=is_deadline,
        headline=step_headline(
            kind, side, happened, at, call.entries, is_deadline=is_deadline, expected=failure.expected
        ),
        opened_ms=opened if turn is None else turn[1],
        unsure=failure.unsure,
    )


def _silent_lead(opened_ms: int | None, entries: Sequence[Entry]) -> Iterator[str]:
    """A line for a window that opens with a recording of the caller, which begins with silence."""
    for part in caller_voice(entries):
        began = next((one.at_ms for one in entries if one.number == part.turn), None)
        if began is not None and began == opened_ms and part.start_ms - began >= LEAST_SILENT_LEAD_MS:
            when = f"{clock_text(began)} is when the caller's recording begins"
            yield f"{when}, with silence; his voice is heard from {clock_text(part.start_ms)} on"
            return


def _event_of(failure: SavedFailure, entries: Sequence[Entry]) -> StepFailed | None:
    failed = (one.event for one in entries if isinstance(one.event, StepFailed) and one.at_ms == failure.at_ms)
    return next((event for event in failed if event.expected == failure.expected), None)


def _without_time(line: str) -> str:
    return _AT.sub("", line)


# --- what failed nothing


def _observations(call: SavedCall, failed: Sequence[CallProblem]) -> Iterator[CallProblem]:
    told = {_without_time(line) for failure in call.failures for line in failure.happened}
    for entry in call.entries:
        match entry.event:
            case DefectFound(kind=kind, what=what) as defect if what not in told:
                until = entry.at_ms + lasted_ms(defect)
                yield _seen(kind, side_of_defect(kind), on_the_page(what), entry.at_ms, until, call)
            case PhoneLostSound(lost_ms=lost, duration_ms=lasted, why=why):
                what = f"the caller's phone (a simulated one) lost {lost / 1000:.2f} s of sound: {why}"
                yield _seen("phone", Side("the phone", "its buffer"), what, entry.at_ms, entry.at_ms + lasted, call)
    is_told = any(one.kind == "premature" for one in failed)
    yield from (one for one in _of_turns(call) if not is_told or one.kind not in ("premature", "talk_over"))
    for at_ms, until_ms, longest in _lateness(call):
        what = f"this machine was late by up to {longest / 1000:.2f} s"
        yield _seen("late", Side("this machine", "busy"), what, at_ms, until_ms, call)


def _of_turns(call: SavedCall) -> Iterator[CallProblem]:
    caller, bot, until = caller_voice(call.entries), bot_voice(call.entries), over_ms(call.entries)
    turns = Side("the bot", "its turn-taking")
    quiet = [one for one in dead_air(caller, bot, until) if one.duration_ms >= _LONG_DEAD_AIR_MS]
    for one in sorted(quiet, key=lambda one: -one.duration_ms):
        what = f"nobody was heard for {one.duration_ms / 1000:.2f} s while it was the bot's turn"
        yield _seen("dead_air", turns, what, one.start_ms, one.end_ms, call)
    for start in premature_starts(caller, bot):
        what = f"the bot began to speak {start.duration_ms / 1000:.2f} s before the caller's last word was over"
        yield _seen("premature", turns, what, start.start_ms, start.end_ms, call)
    for span in talk_over(caller, bot):
        if span.duration_ms >= _LONG_TALK_OVER_MS:
            what = f"both spoke at once for {span.duration_ms / 1000:.2f} s; the {span.began} began over the other"
            yield _seen("talk_over", Side("both", "talk-over"), what, span.start_ms, span.end_ms, call)
    waits = [(one.wait_ms or 0, one.from_ms) for one in responses(caller, bot, until) if (one.wait_ms or 0) > 0]
    longest, from_ms = max(waits, default=(0, 0))
    if longest >= _LONG_WAIT_MS:
        what = f"the caller waited {longest / 1000:.2f} s for an answer, longer than for any other"
        yield _seen("response", turns, what, from_ms, from_ms + longest, call)


def _lateness(call: SavedCall) -> Iterator[tuple[int, int, int]]:
    """The worst stretch of this machine's own lateness, from and to, and how long it was; none below 100 ms."""
    worst = max(call.late, key=lambda one: one[2] - one[1], default=None)
    if worst is not None and worst[2] - worst[1] >= 100:
        yield worst[1], worst[2], worst[2] - worst[1]


def _seen(kind: str, side: Side, what: str, at_ms: int, until_ms: int, call: SavedCall) -> CallProblem:
    span = _around(at_ms, until_ms, call.duration_ms)
    return CallProblem("observation", kind, side, "", what, "", at_ms, until_ms, *span)


def _around(at_ms: int, until_ms: int, end_ms: int) -> tuple[int, int]:
    """The seconds around a problem that are shown and played: 7 to 20 s, within the call."""
    first, last = at_ms - _BEFORE_MS, min(max(until_ms, at_ms) + _AFTER_MS, at_ms - _BEFORE_MS + _MOST_MS)
    last = max(last, first + _LEAST_MS)
    if last > end_ms:
        first, last = first - (last - end_ms), end_ms
    first = max(0, first)
    return first, max(last, first + 1000)
