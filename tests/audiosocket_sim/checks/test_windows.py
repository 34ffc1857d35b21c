"""The table of windows in docs/scenarios.md holds for the code: random calls, judged by both. Arithmetic, no call.

The test reads the table and judges by what stands there; the code looks at the call every 10 ms, as a running call
does, and knows at each moment only what is known then.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from helpers.logs import expectation, never, within
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerSpoke,
    CallLog,
    Entry,
    HoldStarted,
    HoldStopped,
    Source,
    StateTold,
)
from audiosocket_sim.checks import Failed, Met, Moment, Pending, Watched, evaluate, violation

PAGE = Path(__file__).resolve().parents[3] / "docs" / "scenarios.md"
KEYS: dict[str, dict[str, Any]] = {
    "bot_says": {"bot_says": "Sim."},
    "bot_speaks": {"bot_speaks": "200ms"},
    "bot_silent": {"bot_silent": "200ms"},
    "hold_audio: playing": {"hold_audio": "playing"},
    "hold_audio: stopped": {"hold_audio": "stopped"},
    "state": {"state": "WAITING"},
    "backend_asked": {"backend_asked": "sim"},
    "hangs_up": {"hangs_up": "server"},
}
TURNS = ("responds", "bot_stops", "bot_goes_on", "resumes", "asks_again", "talk_over", "dead_air")
"""What counts from what the caller said, and what of both voices is counted."""
AT_LEAST = 200
FROM = {"20 ms before the step": lambda base: base - 20, "the step": lambda base: base, "the call": lambda base: 0}
END_CLOSES = ", the call's end"
LAST_WORD = {
    "50 ms before the end of the caller's last word": lambda said: said[1] - 50,
    "the caller's first sound": lambda said: said[0],
}
QUIET_BEFORE_THE_END = ", 200 ms before the call's end"
LATEST = 4000
"""Nothing happens later (ms)."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Row:
    """What the table says of one expectation."""

    expect_counts: str
    expect_from: str
    expect_until: str
    never_counts: str
    never_from: str
    never_until: str


def table() -> dict[str, Row]:
    section = PAGE.read_text(encoding="utf-8").split("### When a window", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([^|`]+)` \|(.+)\|$", section, re.MULTILINE)
    return {name: Row(*(cell.strip() for cell in cells.split("|"))) for name, cells in rows}


TABLE = table()


@dataclass(frozen=True)
class Call:
    """A call as it was: spans of speech with their words, of hold audio, of the state WAITING; requests; the end."""

    speech: tuple[tuple[int, int, str], ...]
    hold: tuple[Span, ...]
    waiting: tuple[Span, ...]
    asked: tuple[int, ...]
    end: int
    who: str
    said: tuple[Span, ...] = ()
    """From when to when the caller spoke."""

    def silence(self) -> list[Span]:
        edges = [0, *(edge for start, stop, _ in self.speech for edge in (start, stop)), self.end]
        return [(since, until) for since, until in zip(edges[::2], edges[1::2], strict=True) if until > since]

    def spans(self, name: str) -> list[Span]:
        """From when to when the expected thing was there; an event that happens is a span without a length."""
        match name:
            case "bot_says":  # cut off by the end of the call, it was not said
                return [(start, stop) for start, stop, words in self.speech if words == "Sim." and stop < self.end]
            case "bot_speaks":
                return [(start, stop) for start, stop, _ in self.speech]
            case "bot_silent":
                return self.silence()
            case "hold_audio: playing":
                return list(self.hold)
            case "hold_audio: stopped":
                return [(stop, stop) for _, stop in self.hold]
            case "state":
                return list(self.waiting)
            case "backend_asked":
                return [(at, at) for at in self.asked]
            case "talk_over":
                both = [(max(a, c), min(b, d)) for a, b, _ in self.speech for c, d in self.said]
                return sorted((start, stop) for start, stop in both if stop > start)
            case "dead_air":
                return self.nobody()
        return [(self.end, self.end)] if self.who == "server" else []

    def nobody(self) -> list[Span]:
        """When nobody was heard in the bot's turn: behind what the caller said, behind hold audio, and at the start."""
        sounds = [(start, stop, "bot") for start, stop, _ in self.speech]
        sounds += [(start, stop, "hold") for start, stop in self.hold]
        sounds = sorted([*sounds, *((start, stop, "caller") for start, stop in self.said)])
        found, since, who = [], 0, "bot" if sounds and sounds[0][2] == "caller" else "caller"
        for start, stop, speaker in [*sounds, (self.end, self.end, "")]:
            if start > since and who != "bot":
                found.append((since, start))
            if stop > since:
                since, who = stop, speaker
        return found

    def entries(self, now: int = 10 * LATEST) -> list[Entry]:
        """The log as it is known at an instant: speech at its end, all else at once."""
        log = CallLog()
        for start, stop, words in self.speech:
            if stop <= now:
                whole = stop - start + (500 if stop == self.end else 0)
                log.add(start, Source.BOT, BotSpoke(words, stop - start, whole, "prompt"))
        for start, stop in self.hold:
            events = ((start, HoldStarted()), (stop, HoldStopped(stop - start, True)))
            [log.add(at, Source.HOLD, event) for at, event in events if at <= now]
        for start, stop in self.waiting:
            events = ((start, StateTold("", "WAITING")), (stop, StateTold("WAITING", "USER_TURN")))  # type: ignore[assignment]
            [log.add(at, Source.STATE, event) for at, event in events if at <= now]
        for start, stop in self.said:
            if start <= now:
                log.add(start, Source.CALLER, CallerSpoke("Oi.", "oi", stop - start))
        for number, at in enumerate(self.asked, 1):
            if at <= now:
                log.add(at, Source.HEARD, BackendAsked(number, "id", "Sim."))
        if self.end <= now:
            log.add(self.end, Source.END, CallEnded(self.who, "fin", "ends", "it ended"))
        return log.entries

    def moment(self, now: int, base: int, deadline: int) -> Moment:
        spoken = next((start for start, stop, _ in self.speech if start <= now < stop), None)
        silent = [since for since, until in self.silence() if since <= now and (now < until or until == self.end)]
        held = next((start for start, stop in self.hold if start <= now < stop), None)
        return Moment(now, base, deadline, spoken, spoken, silent[-1] if spoken is None and silent else None, held)


def spans_of(numbers: list[int], end: int) -> tuple[Span, ...]:
    """Spans that do not touch, from pairs of a pause and a length in 10 ms; the end of the call cuts them off."""
    found, at = [], 0
    for pause, length in zip(numbers[::2], numbers[1::2], strict=False):
        start, at = at + 10 * pause, at + 10 * (pause + length)
        if start < end:
            found.append((start, min(at, end)))
    return tuple(found)


NUMBERS = st.lists(st.integers(1, 60), max_size=8)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    end = 10 * draw(st.integers(20, LATEST // 10))
    words = st.sampled_from(["Sim.", "Outra coisa."])
    speech = tuple((start, stop, draw(words)) for start, stop in spans_of(draw(NUMBERS), end))
    asked = sorted(10 * at for at in draw(st.sets(st.integers(1, LATEST // 10), max_size=3)))
    states = spans_of(draw(NUMBERS), LATEST)  # they come by other ways, also after the end
    return Call(
        speech, spans_of(draw(NUMBERS), end), states, tuple(asked), end, draw(st.sampled_from(["server", "asterisk"]))
    )


TIMES = st.integers(1, 200).map(lambda number: 10 * number)
ONE = Call(((500, 900, "Sim."),), ((1000, 2000),), ((300, 700),), (600,), 3000, "server")


def expected_at(name: str, row: Row, call: Call, base: int, within: int) -> int | None:
    """When the expectation is met, by the table; None: it fails."""
    opens, closes = FROM[row.expect_from](base), base + within
    if row.expect_until.endswith(END_CLOSES):
        closes = min(closes, call.end)
    least = AT_LEAST if name in ("bot_speaks", "bot_silent") else 0
    found = []
    for start, stop in call.spans(name):
        if row.expect_counts == "what goes on or begins":
            at = max(start, opens)
            if at <= closes and (stop - at >= least if least else stop > opens):
                found.append(at)
        else:
            assert row.expect_counts in ("what begins", "what happens")
            found += [start] if opens <= start <= closes else []
    return min(found, default=None)


def judged_at(name: str, call: Call, base: int, within: int) -> int | None:
    """When the code says that it is met, looking every 10 ms; None: it fails."""
    wanted, known_from = expectation(**KEYS[name]), base
    for now in range(known_from, base + within + LATEST + 500, 10):
        match evaluate(wanted, call.entries(now), call.moment(now, base, base + within)):
            case Met(at_ms=at_ms):
                return at_ms
            case Failed():
                return None
            case Pending():
                pass
    raise AssertionError("it is still pending")


def test_the_table_has_a_row_for_each_expectation() -> None:
    assert TABLE.keys() == {*KEYS, *TURNS}


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(3)
@pytest.mark.parametrize("name", KEYS)
@example(ONE, 900, 500)
@example(ONE, 510, 500)
@example(ONE, 530, 500)
@example(ONE, 600, 400)
@given(calls(), TIMES, TIMES)
@settings(max_examples=min(30, settings.default.max_examples), deadline=None)
def test_an_expect_holds_in_its_window(name: str, call: Call, base: int, within: int) -> None:
    if name == "bot_silent":  # at the very instant at which speech begins again, either may be said
        assume(all(stop - max(start, base) != AT_LEAST for start, stop in call.silence()))
    assert judged_at(name, call, base, within) == expected_at(name, TABLE[name], call, base, within)


def broken_at(name: str, row: Row, call: Call, base: int, until: int) -> int | None:
    """When a `never` is broken, by the table; None: it is kept."""
    opens, closes = FROM[row.never_from](base), until
    if row.never_until.endswith(END_CLOSES):
        closes = min(closes, call.end)
    found = []
    spans = [(start, stop) for start, stop, words in call.speech if words == "Sim."] if name == "bot_says" else []
    for start, stop in spans or call.spans(name):
        first, last = max(start, opens), min(stop, closes)
        match row.never_counts:
            case "what happens":
                found += [start] if opens <= start <= closes else []
            case "`at_least` of it":
                found += [first] if last - first >= AT_LEAST else []
            case "any part of it" if name == "bot_says":
                found += [first] if last > first else []
            case "any part of it":
                found += [first] if start <= closes and stop > opens else []
            case other:
                raise AssertionError(other)
    return min(found, default=None)


@pytest.mark.every(9)
@pytest.mark.parametrize("name", KEYS)
@example(ONE, 900, 500)
@example(ONE, 600, 400)
@given(calls(), TIMES, TIMES)
@settings(max_examples=min(30, settings.default.max_examples), deadline=None)
def test_a_never_is_broken_in_its_window(name: str, call: Call, base: int, for_ms: int) -> None:
    found = violation(expectation(**KEYS[name]), call.entries(), Watched(base, base + for_ms))
    assert (None if found is None else found.at_ms) == broken_at(name, TABLE[name], call, base, base + for_ms)


@pytest.mark.every(9)
@pytest.mark.parametrize("name", KEYS)
@example(ONE, 600)
@given(calls(), TIMES)
@settings(max_examples=min(30, settings.default.max_examples), deadline=None)
def test_what_met_an_expect_breaks_no_never_behind_it(name: str, call: Call, base: int) -> None:
    """An `expect` of what follows, and a `never` of the same: only what comes, or begins, once more breaks it."""
    wanted, entries = expectation(**KEYS[name]), call.entries()
    met = evaluate(wanted, entries, call.moment(LATEST + 2000, base, base + 1000))
    if not isinstance(met, Met) or met.entry is None or name == "bot_says":
        return
    completed_ms = met.completed_ms
    found = violation(wanted, entries, Watched(completed_ms, 2 * LATEST, {met.entry}, met.entry))
    again = [start for start, _ in call.spans(name) if start > met.at_ms or (start == met.at_ms > completed_ms)]
    assert (found is None) == (not [start for start in again if start >= completed_ms])


@pytest.mark.every(3)
@pytest.mark.parametrize("name", ["bot_silent", "hold_audio: stopped", "hangs_up"])
@example(ONE, 600)
@given(calls(), TIMES)
@settings(max_examples=min(30, settings.default.max_examples), deadline=None)
def test_what_the_callers_hanging_up_brings_about_breaks_none(name: str, call: Call, base: int) -> None:
    """The same call, ended by the caller: as if it went on, and nothing came any more."""
    hung_up = replace(call, who="caller")
    never = expectation(**({"hangs_up": "caller"} if name == "hangs_up" else KEYS[name]))
    found = violation(never, hung_up.entries(), Watched(base, 2 * LATEST, hung_up_ms=call.end))
    earlier = [(start, stop) for start, stop in call.spans(name) if stop < call.end - 40]
    if name == "bot_silent":
        assert (found is not None) == any(
            min(stop, call.end) - max(start, base) >= 200 for start, stop in call.silence()
        )
    elif name == "hangs_up":
        assert found is None
    else:
        assert (found is not None) == any(at >= base for at, _ in earlier)


# --- turn-taking


def _spoken(shortest: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.lists(st.tuples(st.integers(20, 60), st.integers(shortest, 90)), min_size=1, max_size=4)


@st.composite
def conversations(draw: st.DrawFn) -> Call:
    """Both speak; each pauses for 200 ms and more, as a shorter quiet is a pause between two words. No two of their
    sounds begin or end at once: then it is nobody's turn."""
    end = 10 * draw(st.integers(60, LATEST // 10)) + 5
    said, speech = (
        spans_of([n for pair in draw(_spoken(shortest)) for n in pair], end) for shortest in (20, 1)
    )  # a word of the caller lasts 200 ms and more
    assume(said)
    speech = tuple((start + 3, min(stop + 3, end)) for start, stop in speech if start + 3 < end)
    hold = tuple((start + 6, min(stop + 6, end)) for start, stop in spans_of(draw(NUMBERS), end) if start + 6 < end)
    assume(len({stop for _, stop in (*said, *speech, *hold)}) == len((*said, *speech, *hold)))
    return Call(tuple((*span, "Sim.") for span in speech), hold, (), (), end, "server", said)


AGAIN = ((203, 213, "Sim."), (413, 423, "Sim."), (963, 1263, "Sim."), (1463, 1465, "Sim."))
"""The same words again and again, each time to their end."""

TALK = Call(((500, 900, "Sim."), (2403, 2903, "Sim.")), ((3000, 3200),), (), (), 4005, "server", ((700, 2000),))


def turn_expected_at(name: str, row: Row, call: Call, within_ms: int) -> int | None:
    """When `responds` or `bot_stops` is met, by the table; None: it fails."""
    said = call.said[-1]
    opens = LAST_WORD[row.expect_from](said)
    closes = (said[1] if name == "responds" else said[0]) + within_ms
    if name == "responds":
        assert (row.expect_counts, row.expect_until.endswith(END_CLOSES)) == ("what begins", True)
        starts = [start for start, stop, _ in call.speech if start >= opens and stop > said[1]]
        return next((start for start in starts if start <= min(closes, call.end)), None)
    assert (row.expect_counts, row.expect_until.endswith(QUIET_BEFORE_THE_END)) == ("what happens", True)
    over = [(start, stop) for start, stop, _ in call.speech if stop > opens]
    if not over or over[0][0] >= opens:
        return None
    stop = over[0][1]
    for start, later in over[1:]:
        if start - stop > 900 or start >= said[1] - 50:
            break
        stop = later  # it has paused, and went on over him
    return stop if stop <= min(closes, call.end - 200) else None


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("name", ["responds", "bot_stops"])
@example(TALK, 500, 500)
@example(TALK, 200, 400)
@example(TALK, 210, 400)
@example(replace(TALK, speech=((1950, 2300, "Sim."),)), 500, 500)
@example(replace(TALK, speech=((203, 803, "Sim."), (1673, 1893, "Sim.")), end=1905), 10, 1660)
@example(replace(TALK, speech=((500, 900, "Sim."), (1700, 1900, "Sim."))), 2000, 1400)
@example(replace(TALK, speech=AGAIN, said=((200, 400), (600, 800), (1260, 1460)), end=1465), 10, 10)
@example(replace(TALK, speech=AGAIN, said=((200, 400), (980, 1270)), end=1465), 10, 400)
@given(conversations(), TIMES, TIMES)
@settings(max_examples=min(60, settings.default.max_examples), deadline=None)
def test_an_expect_of_turn_taking_holds_in_its_window(name: str, call: Call, later: int, within_ms: int) -> None:
    said = call.said[-1]
    early = any(said[0] < start < said[1] - 50 and stop > said[1] for start, stop, _ in call.speech)
    assume(name == "bot_stops" or not early)  # it interrupted, and what it says then is no answer
    wanted, base = within(**{name: f"{within_ms}ms"}), said[0] + later
    for now in range(base, base + 2 * LATEST, 10):
        verdict = evaluate(wanted, call.entries(now), call.moment(now, base, base))
        if not isinstance(verdict, Pending):
            break
    met_ms = verdict.at_ms if isinstance(verdict, Met) else None
    assert not isinstance(verdict, Pending)
    assert met_ms == turn_expected_at(name, TABLE[name], call, within_ms)


@pytest.mark.long("other windows are tried")
@pytest.mark.parametrize("name", ["talk_over", "dead_air"])
@example(TALK, 100, 2000)
@example(TALK, 800, 2000)
@example(replace(TALK, said=()), 100, 2000)
@example(replace(TALK, said=((100, 600),), speech=()), 100, 3000)
@given(conversations(), TIMES, TIMES)
@settings(max_examples=min(60, settings.default.max_examples), deadline=None)
def test_a_never_of_turn_taking_is_broken_in_its_window(name: str, call: Call, base: int, for_ms: int) -> None:
    found = violation(never(**{name: f"{AT_LEAST}ms"}), call.entries(), Watched(base, base + for_ms))
    assert (None if found is None else found.at_ms) == broken_at(name, TABLE[name], call, base, base + for_ms)
