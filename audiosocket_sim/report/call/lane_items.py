"""The lanes of a saved call as plain data: who was heard, sent and asked when, what was expected, what was wrong. Pure.

A lane is what `audiosocket_core/lanes/lanes.js` draws: seconds, short texts, tones (`caller`, `bot`, `wait`, `good`,
`bad`, `note`, `rest`). Only lanes that have something in them are returned, in the order of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallerAction,
    CallerSpoke,
    Entry,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    PhoneLostSound,
    StateTold,
    StepFailed,
    VoicesOverlapped,
)
from audiosocket_sim.call_log.resumption import how_much_was_said
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.report.call.clock_text import clock_text
from audiosocket_sim.report.call.fault_items import (
    defect_items,
    hole_items,
    single_faults,
    unheard_items,
    unplayed_items,
    without_holes,
)
from audiosocket_sim.report.call.lane_item import LaneItem
from audiosocket_sim.report.call.speech_notes import HowHeard, heard_whole
from audiosocket_sim.report.saved.saved_call import SavedCall, SentRow
from audiosocket_sim.turn_taking import dead_air, responses, talk_over

__all__ = ["LEAST_SILENT_LEAD_MS", "Lane", "LeadLine", "lanes_of", "placed", "rows_of"]

LEAST_SILENT_LEAD_MS = 60
"""A shorter silence at the beginning of the caller's recording is not told."""
_PHONE_HOLDS_S = 0.3
_SCALE_S = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Values of which one is written at the line of how far ahead the bot sent."""
_MOST_LEAD_POINTS = 3000
_SILENT_KINDS = {"backchannel": "uh-huh", "vocal_tic": "cough", "non_directed": "not for the bot"}
_LATE_BY = {"packet": "packets late", "thread": "read late", "backend": "mock AI late", "bot": "bot had no processor"}


@dataclass(frozen=True, slots=True)
class LeadLine:
    """How far ahead the bot sent, over time: `(ms, seconds)`, each value until the next."""

    points: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as lanes.js takes it."""
        most = max((value for _, value in self.points), default=0)
        rules = [{"at": _PHONE_HOLDS_S, "text": f"a phone holds {_PHONE_HOLDS_S:g} s"}]
        if (round_s := max((one for one in _SCALE_S if one <= most), default=0)) > 0:
            rules.append({"at": round_s, "text": f"{round_s} s ahead"})
        return {
            "points": [[at / 1000, value] for at, value in self.points],
            "min": 0,
            "max": max(0.5, round(most * 1.1, 2)),
            "unit": "s ahead",
            "tone": "note",
            "rules": rules,
        }


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane. `rows`: overlapping items are put into so many rows. `level`: which side's sound is drawn under it."""

    id: str
    label: str
    tone: str
    items: tuple[LaneItem, ...]
    rows: int = 1
    level: str = ""
    line: LeadLine | None = field(default=None)


def lanes_of(call: SavedCall, not_asked: Sequence[tuple[int, int]] = ()) -> list[Lane]:
    """Return the lanes of a call that have something in them. `not_asked`: from when to when (ms) the bot should have
    asked its backend, and did not."""
    entries, end = call.entries, over_ms(call.entries)
    speech, other = _heard(entries)
    sent = tuple(_sent(call.sent, call.lost, entries))
    lanes = [
        Lane("caller", "Caller", "caller", tuple(_caller(entries)), 2, "caller"),
        Lane("bot", "Bot, as heard", "bot", tuple(speech), 1, "heard"),
        Lane("sent", "Bot, as sent", "bot", sent, 1, "", _lead(call.sent)),
        Lane("other", "Hold, other sound", "wait", tuple(other), 2),
        Lane("states", "States", "rest", tuple(_states(entries))),
        Lane("backend", "Backend", "note", (*_backend(entries), *_not_asked(not_asked)), 2),
        Lane("expected", "Expected", "good", tuple(_expected(entries)), 3),
        Lane("turns", "Interruptions", "caller", tuple(_turns(entries)), 2),
        Lane("both", "Talk-over", "note", tuple(_both(entries))),
        Lane("quiet", "Waits, dead air", "rest", tuple(_quiet(entries, end)), 2),
        Lane("defects", "Defects, failures", "bad", tuple(defect_items(entries)), 3),
        Lane("faults", "Each fault", "bad", tuple(single_faults(entries)), 2),
        Lane("late", "This machine", "note", tuple(_late(call.late)), 2),
    ]
    return [replace(lane, rows=min(lane.rows, rows_of(lane.items))) for lane in lanes if lane.items or lane.level]


def rows_of(items: Sequence[LaneItem], until_ms: int | None = None) -> int:
    """Return how many rows the items need so that none covers another; at least 1."""
    return 1 + max((row for _, row in placed(items, until_ms)), default=0)


def placed(items: Sequence[LaneItem], until_ms: int | None = None) -> list[tuple[LaneItem, int]]:
    """Return each item with the first row that is free at its time. `until_ms`: the end of one that goes on."""
    ends: list[float] = []
    found = []
    for item in sorted(items, key=lambda one: one.from_ms):
        row = next((index for index, end in enumerate(ends) if end <= item.from_ms), len(ends))
        ends[row : row + 1] = [_last(item, until_ms)]
        found.append((item, row))
    return found


def _last(item: LaneItem, until_ms: int | None) -> float:
    if item.to_ms is not None:
        return item.to_ms
    return float("inf") if until_ms is None else until_ms


def _caller(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    voice = caller_voice(entries)
    muted: int | None = None
    for entry in entries:
        at = entry.at_ms
        match entry.event:
            case CallerSpoke() as said:
                own = [part for part in voice if part.turn == entry.number]
                first, last = (own[0].start_ms, own[-1].end_ms) if own else (at, at + said.duration_ms)
                kind = _SILENT_KINDS.get(said.kind, "")
                words = said.text if said.text is not None else (said.recording or "speech")
                tone = "" if said.kind == "turn" else "note"
                title = f"the caller{f' ({kind})' if kind else ''}: {words}"
                if first - at >= LEAST_SILENT_LEAD_MS:
                    title += f"; the recording begins at {clock_text(at)}, with silence"
                yield LaneItem(first, last, words, title, tone)
            case CallerAction(what="mute"):
                muted = at
            case CallerAction(what="unmute") if muted is not None:
                yield LaneItem(muted, at, "muted", "the phone sent nothing", "rest", pattern="dashed")
                muted = None
            case CallerAction(what="dtmf", detail=digit):
                yield LaneItem(at, at, digit or "key", f"key {digit}", "", digit[:1] or "#")
            case CallerAction(what=what, detail=detail, duration_ms=duration):
                yield LaneItem(at, at + (duration or 0), f"{what} {detail}".strip(), "", "note")
    if muted is not None:
        yield LaneItem(muted, None, "muted", "the phone sent nothing", "rest", pattern="dashed")


def _heard(entries: Sequence[Entry]) -> tuple[list[LaneItem], list[LaneItem]]:
    """The bot's speech, and what else was heard of it: hold audio, music, tones, noise."""
    speech: list[LaneItem] = []
    other: list[LaneItem] = []
    held: Entry | None = None
    heard = heard_whole(entries)
    for entry in entries:
        match entry.event:
            case BotSpoke() as said:
                item = _said(entry.at_ms, said, heard[entry.number])
                (speech if said.sound == "speech" or said.text is not None else other).append(item)
            case HoldStarted():
                held = entry
            case HoldStopped(seamless=seamless) if held is not None:
                text = "hold audio" if seamless else "hold audio, with a jump"
                other.append(LaneItem(held.at_ms, entry.at_ms, text, "", "" if seamless else "bad"))
                held = None
    if held is not None:
        other.append(LaneItem(held.at_ms, None, "hold audio"))
    return sorted([*speech, *unheard_items(entries, heard)], key=lambda one: one.from_ms), other


def _said(at_ms: int, said: BotSpoke, how: HowHeard) -> LaneItem:
    words = said.text if said.text is not None else ("speech" if said.sound == "speech" else said.sound)
    notes = []
    told = how_much_was_said(said)
    if how == "hung_up" and said.whole_ms is not None:
        notes.append(f"{said.reached_ms / 1000:.2f} s of {said.whole_ms / 1000:.2f} s, when the caller hung up")
    elif how == "pieces":
        notes.append("with pieces missing")
    elif told:
        notes.append(told)
    if said.gap_ms:
        notes.append(f"holes of {said.hole_ms} ms" if said.hole_ms else f"gaps of {said.gap_ms} ms")
    if said.wait_ms is not None:
        notes.append(f"{abs(said.wait_ms) / 1000:.2f} s {'after' if said.wait_ms >= 0 else 'before'} the last word")
    title = "; ".join([f"the bot: {words}", *notes])
    return LaneItem(at_ms, at_ms + said.lasted_ms, f"{words} ✂" if how == "cut_off" else words, title)


def _sent(rows: Sequence[SentRow], lost: Sequence[tuple[int, int]], entries: Sequence[Entry]) -> Iterator[LaneItem]:
    holes = [item for one in entries for item in hole_items(one)]
    for row in _joined(rows):
        sound = f"{row.sound_ms / 1000:.2f} s of sound"
        ahead = f", up to {row.ahead_ms / 1000:.2f} s ahead" if row.ahead_ms >= 60 else ""
        bar = LaneItem(row.at_ms, max(row.until_ms, row.at_ms + 20), "", f"sent: {sound}{ahead}")
        yield from without_holes(bar, holes)
    yield from holes
    for at_ms, ms in _together(lost):
        yield LaneItem(at_ms, at_ms, "", f"the phone had no room: {ms / 1000:.2f} s lost", "bad", "✕")
    for entry in entries:
        match entry.event:
            case PhoneLostSound(lost_ms=ms, why=why):
                yield LaneItem(entry.at_ms, entry.at_ms, "", f"the phone lost {ms / 1000:.2f} s: {why}", "bad", "✕")
    yield from unplayed_items(entries)


def _joined(rows: Sequence[SentRow]) -> list[SentRow]:
    """The audible rows, those less than 0.3 s apart as one."""
    found: list[SentRow] = []
    for row in rows:
        if not row.audible:
            continue
        last = found[-1] if found else None
        if last is not None and row.at_ms - last.until_ms < 300:
            sound, ahead = last.sound_ms + row.sound_ms, max(last.ahead_ms, row.ahead_ms)
            found[-1] = SentRow(last.at_ms, row.until_ms, sound, ahead, True)
        else:
            found.append(row)
    return found


def _together(lost: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for at_ms, ms in lost:
        if found and at_ms - found[-1][0] < 500:
            found[-1] = (found[-1][0], found[-1][1] + ms)
        else:
            found.append((at_ms, ms))
    return found


def _lead(rows: Sequence[SentRow]) -> LeadLine | None:
    """How far ahead the bot was: behind a row it falls, as what was sent is played."""
    if not any(row.ahead_ms >= 60 for row in rows):
        return None
    points: list[tuple[int, float]] = [(0, 0.0)]  # of one instant the last counts
    for index, row in enumerate(rows):
        points.append((row.at_ms, round(row.ahead_ms / 1000, 2)))
        next_ms = rows[index + 1].at_ms if index + 1 < len(rows) else row.until_ms + row.ahead_ms + 1
        at, left = row.until_ms, row.ahead_ms
        while left > 0 and len(points) < _MOST_LEAD_POINTS:
            at, left = at + 100, left - 100
            if at >= next_ms:
                break
            points.append((at, round(max(0, left) / 1000, 2)))
    return LeadLine(tuple(dict(points).items()))


def _states(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    told = [(entry.at_ms, entry.event.after) for entry in entries if isinstance(entry.event, StateTold)]
    tones = {"USER_TURN": "caller", "IA_TURN": "bot", "WAITING": "wait"}
    for index, (at, state) in enumerate(told):
        until = told[index + 1][0] if index + 1 < len(told) else None
        if until != at:
            yield LaneItem(at, until, state, f"state {state}", tones.get(state, ""), pattern="open")


def _backend(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    asked = {one.event.number: (one.at_ms, one.event.content) for one in entries if isinstance(one.event, BackendAsked)}
    for entry in entries:
        match entry.event:
            case BackendReplied(number=number) as reply:
                start, content = asked.pop(number, (entry.at_ms - reply.after_ms, ""))
                answer = (
                    f"fault: {reply.fault}" if reply.fault else f"{reply.status or ''} “{reply.says or ''}”".strip()
                )
                tone = "bad" if reply.fault or not reply.delivered else ""
                until = max(entry.at_ms, start + 1)
                yield LaneItem(start, until, answer, f"“{content}” → {answer}, {reply.after_ms / 1000:.2f} s", tone)
            case BackendPushed(says=says, status=status):
                yield LaneItem(entry.at_ms, entry.at_ms, "", f"pushed: {status or ''} “{says or ''}”", "", "↓")
    for at_ms, content in asked.values():
        yield LaneItem(at_ms, None, "no answer", f"“{content}”: no answer", "bad")


def _not_asked(spans: Sequence[tuple[int, int]]) -> Iterator[LaneItem]:
    for start, end in sorted(set(spans)):
        yield LaneItem(start, end, "not asked", "the bot did not ask its backend", "bad", "", "dashed")


def _expected(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    failed = {(one.event.number, one.event.path, one.at_ms) for one in entries if isinstance(one.event, StepFailed)}
    for entry in entries:
        match entry.event:
            case ExpectationJudged(number=number, step=step, opened_ms=opened, closed_ms=closed, met_ms=met) as judged:
                place = f"step {number}{', ' + judged.inside if judged.inside else ''}: {step}"
                is_never = step.startswith("never ")
                is_bad = (number, judged.path, entry.at_ms) in failed or (met is None) != is_never
                how = _how_judged(opened, closed, met, is_never=is_never)
                until = closed if met is None or is_never else max(met, opened + 1)
                text = f"{'✕' if is_bad else '✓'} {step}"
                yield LaneItem(opened, max(until, opened + 1), text, f"{place}: {how}", "bad" if is_bad else "")


def _how_judged(opened: int, closed: int, met: int | None, *, is_never: bool) -> str:
    window = f"from {clock_text(opened)} until {clock_text(closed)}"
    if met is None:
        return f"{window}, did not happen"
    return f"{window}, happened at {clock_text(met)}" if is_never else f"{window}, met at {clock_text(met)}"


def _turns(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    for entry in entries:
        match entry.event:
            case VoicesOverlapped(began="caller", stopped_after_ms=None, both_ms=both):
                title = "the caller interrupts; the bot never stops"
                yield LaneItem(entry.at_ms, entry.at_ms + max(1, both), "no stop", title, "bad")
            case VoicesOverlapped(began="caller", stopped_after_ms=int(after), natural=natural):
                how = "its sentence was over" if natural else "the bot stopped"
                title = f"the caller interrupts; {how} after {after / 1000:.2f} s"
                text = f"{'over' if natural else 'yield'} {after / 1000:.2f} s"
                yield LaneItem(entry.at_ms, entry.at_ms + max(1, after), text, title)
            case VoicesOverlapped(both_ms=both, early_ms=early):
                title = "the bot begins over the caller"
                title += f", {early / 1000:.2f} s before his last word is over" if early else ""
                yield LaneItem(entry.at_ms, entry.at_ms + max(1, early or both), "bot began", title, "bot")


def _both(entries: Sequence[Entry]) -> Iterator[LaneItem]:
    for span in talk_over(caller_voice(entries), bot_voice(entries)):
        length = f"{span.duration_ms / 1000:.2f} s"
        yield LaneItem(span.start_ms, span.end_ms, length, f"both spoke for {length}; the {span.began} began")


def _quiet(entries: Sequence[Entry], end_ms: int) -> Iterator[LaneItem]:
    caller, bot = caller_voice(entries), bot_voice(entries)
    for answer in responses(caller, bot, end_ms):
        if answer.wait_ms is not None and answer.wait_ms > 0:
            length = f"{answer.wait_ms / 1000:.2f} s"
            until = answer.from_ms + answer.wait_ms
            yield LaneItem(
                answer.from_ms, until, f"answer {length}", f"the caller waited {length}", "caller", "", "open"
            )
    for quiet in dead_air(caller, bot, end_ms):
        if quiet.duration_ms >= 200:
            length = f"{quiet.duration_ms / 1000:.2f} s"
            title = f"nobody heard for {length}, and it was the bot's turn"
            yield LaneItem(quiet.start_ms, quiet.end_ms, f"quiet {length}", title)


def _late(late: Sequence[tuple[str, int, int]]) -> Iterator[LaneItem]:
    for by, start, end in late:
        words = _LATE_BY.get(by, "late")
        yield LaneItem(start, end, words, f"{words}: {(end - start) / 1000:.2f} s", "note" if by != "bot" else "rest")
