"""Says what happened instead of what was expected, in a few lines. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    Entry,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
)
from audiosocket_sim.checks.fits import end_ms, fits
from audiosocket_sim.checks.in_other_calls import in_other_calls
from audiosocket_sim.checks.said import word_by_word
from audiosocket_sim.checks.verdicts import GRACE_MS, Moment
from audiosocket_sim.checks.which_side import before_the_first_word, refused_uuid, silent_wire, stalled, which_side
from audiosocket_sim.checks.words import as_line, clock, seconds
from audiosocket_sim.scenario import Expectation

__all__ = ["instead"]

_MOST_LINES = 4
"""The most lines about events of the expected kind; the transcript has the others."""
_MOST_OTHERS = 2
"""The most lines about other events, where there was none of the expected kind."""
_ANSWERS = ("bot_says", "bot_speaks", "responds")
"""The expectations of which a failure says on which side the answer was lost."""
_NEAR = 0.5
"""The likeness of two texts, from 0 to 1, from which on the one is called near to the other."""


def instead(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> tuple[str, ...]:
    """Return what was heard or asked since the step began: events of the expected kind, and the end of the call.

    One line each, at least one. If the expected event came before the step began, the first line says so; the last, if
    the caller has spoken since, so that this is no cause. For words and speech a line says on which side the answer was
    lost; notes on the wire, and a hint for a caller who spoke too soon, come last.
    """
    e = expectation
    new = [entry for entry in entries if entry.number not in moment.taken]
    since = [entry for entry in new if _last_ms(entry) >= moment.base_ms - GRACE_MS]
    early = _too_early(e, entries, moment)
    kin = [entry for entry in since if _akin(entry.event, e) and entry is not early]
    end = [entry for entry in entries if isinstance(entry.event, CallEnded) and _ends_it(entry, e, moment)]
    ended = [f"{as_line(entry)}{_manner(entry.event, e)}" for entry in end]
    ended += refused_uuid(entries, moment) if end else []
    sides = which_side(entries, moment) if e.key in _ANSWERS else []
    before = [] if early is None else [f"{as_line(early)}: {_why_not(early, moment)}"]
    old = before if early is not None and e.key in _ANSWERS and _is_old(early, entries, moment) else []
    lines = [*([] if old else before), *_lines(kin, e), *_now(e, moment)]
    taken = early is not None and early.number in moment.taken
    if (old and not lines) or (taken and sides and lines == before):
        nothing = ": ".join(["the bot said nothing new in that time", *sides[:1]])
        lines, old = [*ended, nothing, *sides[1:], *before], []
    elif lines:
        lines = [*lines, *sides, *ended] if e.key in _ANSWERS or not _needs_the_call(e) else [*ended, *lines]
        lines = [*(stalled(entries, moment) if e.key in _ANSWERS else []), *lines]
    elif end and e.hangs_up is not None and (e.hangs_up.last_word is None or _has_spoken(entries)):
        lines = ended
    else:
        others = [line for entry in since if entry not in end and (line := as_line(entry))]
        nothing, *more = _nothing(e, entries, moment, sides)
        lines = [nothing, *more, *others[-_MOST_OTHERS:]]
        lines = [*ended, *lines] if _needs_the_call(e) else [*lines, *ended]
    hint = before_the_first_word(entries, moment)
    notes = [note for note in moment.notes[:_MOST_OTHERS] if not any(note in line for line in lines)]
    lines = [*lines, *in_other_calls(e, entries, moment)]
    return (*lines, *old, *notes, *([] if hint is None else [hint]))


def _ends_it(end: Entry, expectation: Expectation, moment: Moment) -> bool:
    """Whether the end of the call belongs to what happened: it came in this step, or nothing can come after it."""
    return end.at_ms >= moment.base_ms - GRACE_MS or _needs_the_call(expectation)


def _needs_the_call(expectation: Expectation) -> bool:
    return expectation.state is None and expectation.backend_asked is None


def _has_spoken(entries: Sequence[Entry]) -> bool:
    return any(isinstance(entry.event, BotSpoke) for entry in entries)


def _akin(event: LogEvent, expectation: Expectation) -> bool:
    """Whether the event is of the expected kind, whatever its words or its state."""
    e = expectation
    match event:
        case BotSpoke():
            return e.bot_says is not None or e.bot_speaks is not None or e.bot_silent is not None
        case HoldStarted() | HoldStopped():
            return e.hold_audio is not None
        case StateTold():
            return e.state is not None
        case BackendAsked():
            return e.backend_asked is not None
    return False


def _lines(kin: Sequence[Entry], expectation: Expectation) -> list[str]:
    """The last events of the expected kind, and the one with the nearest words, marked, wherever it stands."""
    nearest = _nearest(kin, expectation)
    shown = list(kin[-_MOST_LINES:])
    if nearest is not None and nearest not in shown:
        shown[0] = nearest
    marked = nearest if len(kin) > 1 else None
    lines = []
    for entry in shown:
        lines.append(
            f"{as_line(entry)}{_length(entry.event, expectation)}{'  ← the nearest' if entry is marked else ''}"
        )
        if entry is nearest or len(shown) == 1:
            lines += _word_by_word(entry.event, expectation)
    return lines if len(shown) == len(kin) else [*lines, f"and {len(kin) - len(shown)} more: see the transcript"]


def _word_by_word(event: LogEvent, expectation: Expectation) -> list[str]:
    """How the words that were heard differ from those that were expected, where words are compared one by one."""
    says = expectation.bot_says
    found = word_by_word(event, says) if says is not None and isinstance(event, BotSpoke) else None
    return [] if found is None else [found]


def _nearest(kin: Sequence[Entry], expectation: Expectation) -> Entry | None:
    e = expectation
    wanted = e.bot_says.texts if e.bot_says is not None else (e.backend_asked.content,) if e.backend_asked else ()
    if not wanted:
        return None
    likeness = {entry.number: max(_likeness(text, _words(entry.event)) for text in wanted) for entry in kin}
    best = max(kin, key=lambda entry: likeness[entry.number], default=None)
    return best if best is not None and likeness[best.number] >= _NEAR else None


def _words(event: LogEvent) -> str:
    text = event.content if isinstance(event, BackendAsked) else event.text if isinstance(event, BotSpoke) else None
    return text or ""


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, normalise(one), normalise(other), autojunk=False).ratio()


def _length(event: LogEvent, expectation: Expectation) -> str:
    """The length of a speech, where the length is what was expected; unread speech has it in its line."""
    counts = expectation.bot_speaks is not None or expectation.bot_silent is not None
    return f" ({seconds(event.heard_ms)})" if counts and isinstance(event, BotSpoke) and event.text is not None else ""


def _manner(event: LogEvent, expectation: Expectation) -> str:
    """For the end of the call when `hangs_up` was expected: who, how and dialplan, in the scenario's own words."""
    if expectation.hangs_up is None or not isinstance(event, CallEnded):
        return ""
    unheard = f" {seconds(event.unheard_ms)} of it were sent and not heard" if event.unheard_ms else ""
    last = f"; the last word was NOT heard:{unheard}".rstrip(":") if event.last_word_heard is False else ""
    return f" (who: {event.who}, how: {event.how}, dialplan: {event.dialplan}){last}"


def _last_ms(entry: Entry) -> int:
    """The end of a speech; the instant of any other event."""
    return end_ms(entry.at_ms, entry.event) if isinstance(entry.event, BotSpoke) else entry.at_ms


def _too_early(expectation: Expectation, entries: Sequence[Entry], moment: Moment) -> Entry | None:
    """The last event that would have met the step, had it not come before the step began or met an earlier step."""
    gone = [entry for entry in entries if entry.at_ms < moment.base_ms or entry.number in moment.taken]
    return next((entry for entry in reversed(gone) if fits(entry.event, expectation)), None)


def _is_old(early: Entry, entries: Sequence[Entry], moment: Moment) -> bool:
    """Return whether the caller began to speak or pressed a key after the event and before the step."""
    return any(
        early.at_ms < entry.at_ms <= moment.base_ms
        and (
            isinstance(entry.event, CallerSpoke)
            or (isinstance(entry.event, CallerAction) and entry.event.what == "dtmf")
        )
        for entry in entries
    )


def _why_not(early: Entry, moment: Moment) -> str:
    return "an earlier step has already taken it" if early.number in moment.taken else "before this step began"


def _now(expectation: Expectation, moment: Moment) -> list[str]:
    """Lines for speech or hold audio still in progress (not in the log yet), by what the verdict rests on."""
    e, now = expectation, clock(moment.now_ms)
    open_ms = moment.open_speech_at_ms
    if e.bot_silent is not None:
        since = max(moment.base_ms, open_ms or 0)
        if moment.silent_since_ms is not None:
            return [f"the bot was silent from {clock(moment.silent_since_ms)} on"]
        least = seconds(e.bot_silent.at_least)
        return [f"from {clock(since)} until {now} the bot was never silent for {least}"]
    if open_ms is not None and e.key in _ANSWERS:
        late_ms = open_ms - moment.deadline_ms
        return [f"{clock(open_ms)} the bot began to speak" + (f", {seconds(late_ms)} too late" if late_ms > 0 else "")]
    if moment.hold_since_ms is not None and e.hold_audio is not None:
        return [f"hold audio has been playing since {clock(moment.hold_since_ms)}"]
    return []


def _nothing(expectation: Expectation, entries: Sequence[Entry], moment: Moment, sides: Sequence[str]) -> list[str]:
    """The lines that say that no event of the expected kind came; `sides`: on which side it was lost."""
    e = expectation
    spoken = [entry for entry in entries if isinstance(entry.event, BotSpoke)]
    if not spoken and (e.key in _ANSWERS or e.hangs_up):
        unheard = "the bot has not been heard at all since the call began"
        why = [*moment.notes[:_MOST_OTHERS], *(sides or silent_wire(entries, moment))]
        return [f"{unheard}: {why[0]}", *why[1:]] if why else [unheard]
    if e.key in _ANSWERS:
        nothing, last = "the bot said nothing in that time", f"the last speech before: {as_line(spoken[-1])}"
        return [f"{nothing}: {sides[0]}", *sides[1:], last] if sides else [f"{nothing}; {last}"]
    if e.state is not None:
        return [f"the state was {moment.state} all the time" if moment.state else "the target reported no state"]
    if e.backend_asked is not None:
        return ["the backend was asked nothing in that time"]
    if e.hold_audio is not None:
        return ["no hold audio was heard in that time"]
    if e.hangs_up is not None:
        return [f"at {clock(moment.now_ms)} the call was still in progress"]
    raise AssertionError("silence has a line of its own")
