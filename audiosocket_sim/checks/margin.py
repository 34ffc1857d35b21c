"""Decides whether this machine's lateness could turn a failure: each is judged again, with its events moved. Pure.

A failure is judged again with the events of its window earlier, and later, by as much as the simulator was late in that
window, which reaches back to the caller's last action: his words may have reached the bot late. The same verdict both
ways is final. A hole that our own late packets made in the caller's words may also have ended his turn early.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    Entry,
    ExpectationJudged,
    StepFailed,
)
from audiosocket_sim.checks.anchor import anchor_times
from audiosocket_sim.checks.expected import evaluate
from audiosocket_sim.checks.fits import end_ms, fits, pause_before_ms, says
from audiosocket_sim.checks.lateness import LatenessRecord
from audiosocket_sim.checks.never import violation
from audiosocket_sim.checks.verdicts import GRACE_MS, Met, Moment, Watched
from audiosocket_sim.scenario import (
    OWN_WINDOW_KEYS,
    AnyOfStep,
    Expectation,
    ExpectStep,
    IfHeardStep,
    NeverStep,
    Scenario,
    Within,
    expectation_at,
    step_at,
)

__all__ = ["could_turn", "is_unread_for_our_holes", "turns_that_ended_early", "words_end_ms"]

_LONG_AFTER_MS = 24 * 60 * 60_000
_EARLY_REACTION_MS = 100
"""No bot that waits for the end of a turn reacts so soon (ms) after the caller's last word, unless it took a hole for
the end."""
_CUT_MS = 60
"""What a heard phrase may lack at its end and still be whole (`BotSpoke.cut_off`)."""
_AT_THE_END_MS = 60
"""Speech that stops so shortly before the end of the call went on until then."""
_SHORTEST_LETTER_MS = 30
"""Nobody speaks faster (ms a letter; 60 to 80 are usual): sound that is shorter than that cannot be the words."""
_NEAR_MS = 1000
"""Two pieces of one sentence are at most so far apart."""
_SURE = ("target", "max_duration", "judge")
"""Failures that no short lateness causes: a program that ended, a call of minutes that did not."""
_AHEAD_MS = 1000
"""How far ahead of its sending, in ms, a bot may make its sound."""
_NOT_MADE_MS = 100
"""A stall of so much (ms) may outlast what was made ahead. On a busy machine shorter ones are everywhere."""
_OF_SILENCE = "nothing from either side for"
"""So begins the reason of an end by Asterisk that its limit of 2 s caused (`asterisk.leg`)."""
_SILENCE_MS = 2000
_LONGEST_MESSAGE_MS = 1000


def could_turn(
    failed: StepFailed, at_ms: int, entries: Sequence[Entry], scenario: Scenario, late: LatenessRecord
) -> bool:
    """Return whether the failure that was logged at `at_ms` may be this machine's doing. False: it is final.

    `entries`: the whole call log, in the order of time. Times are ms since the UUID.
    """
    if late.stood_still(at_ms):
        return True
    if not late or failed.step in _SURE:
        return False
    if _ended_for_our_silence(entries, at_ms, late):
        return True
    opened_ms = at_ms if failed.opened_ms is None else failed.opened_ms
    closed_ms = at_ms if failed.closed_ms is None else failed.closed_ms
    since_ms = _last_action_ms(entries, opened_ms)
    shift_ms = late.shift_ms(since_ms, closed_ms + GRACE_MS)
    if any(since_ms <= turn_ms <= closed_ms + shift_ms for turn_ms in turns_that_ended_early(entries, late)):
        return True
    if _could_have_decided_otherwise(at_ms, entries, scenario, late):
        return True
    step = step_at(scenario.steps, failed.number, failed.path)
    if step is None:
        return False
    if step.at is not None and failed.step == f"at {step.at.after}":
        times = anchor_times(step.at, entries)
        return any(opened_ms - shift_ms <= time_ms <= closed_ms + shift_ms for time_ms in times)
    match step:
        case ExpectStep(expect=expect):
            return _could_be_met(expect, entries, scenario, opened_ms, closed_ms, shift_ms, late)
        case NeverStep(never=never):
            return shift_ms > 0 and not _is_still_broken(never, entries, opened_ms, closed_ms, shift_ms)
        case AnyOfStep():
            return False  # what its branches lacked has been looked at
    ended = [entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)]
    return shift_ms > 0 and (not ended or ended[0] + shift_ms >= at_ms)  # a little earlier, the step had begun in time


def _could_have_decided_otherwise(
    at_ms: int, entries: Sequence[Entry], scenario: Scenario, late: LatenessRecord
) -> bool:
    """Whether the scenario could have gone another way before: an expectation that decided nothing could be met."""
    for judged in (entry.event for entry in entries):
        if not isinstance(judged, ExpectationJudged) or judged.met_ms is not None or judged.opened_ms > at_ms:
            continue
        if not _decides(judged, scenario):
            continue
        expectation = expectation_at(scenario.steps, judged.number, judged.path)
        since_ms = _last_action_ms(entries, judged.opened_ms)
        shift_ms = late.shift_ms(since_ms, judged.closed_ms + GRACE_MS)
        window = judged.opened_ms, judged.closed_ms
        if expectation is not None and _could_be_met(expectation, entries, scenario, *window, shift_ms, late):
            return True
    return False


def _decides(judged: ExpectationJudged, scenario: Scenario) -> bool:
    """Whether this expectation is one that chooses a branch, and no `expect` or `never` of its own."""
    step = step_at(scenario.steps, judged.number, judged.path)
    if isinstance(step, IfHeardStep):
        return True
    return judged.path[-1:] == (0,) and ("any_of" in judged.path[-3:] or "optional" in judged.path[-2:])


def _ended_for_our_silence(entries: Sequence[Entry], at_ms: int, late: LatenessRecord) -> bool:
    """Whether Asterisk had ended the call before `at_ms` since nothing came for 2 s, in most of which the bot was kept
    from running."""
    ends = [e.at_ms for e in entries if isinstance(e.event, CallEnded) and e.event.reason.startswith(_OF_SILENCE)]
    return any(
        end <= at_ms and late.hole_ms(end - _SILENCE_MS, end) >= _SILENCE_MS - _LONGEST_MESSAGE_MS for end in ends
    )


def turns_that_ended_early(entries: Sequence[Entry], late: LatenessRecord) -> list[int]:
    """Return when (ms) the bot reacted to words of the caller that were not over yet, behind a hole of our own making,
    or behind a stall of the bot's in which its timers went on.

    Whether it took either for the end of the turn nobody can know.
    """
    found: list[int] = []
    for spoken in entries:
        if not isinstance(spoken.event, CallerSpoke):
            continue
        end = words_end_ms(spoken.at_ms, spoken.event)
        holes = [hole.due_ms for hole in late.bot_holes(spoken.at_ms, end)]
        holes += [start for start, _ in late.bot_stalls(spoken.at_ms, end)]
        if holes:
            first = min(holes)
            found += [at_ms for at_ms in _reactions(entries) if first < at_ms <= end + _EARLY_REACTION_MS]
    return sorted(set(found))


def words_end_ms(at_ms: int, event: CallerSpoke) -> int:
    """Return when the last word of a recording that began at `at_ms` ends: silence may follow in it."""
    return at_ms + (event.audible_ms[-1][1] if event.audible_ms else event.duration_ms)


def _reactions(entries: Sequence[Entry]) -> Iterator[int]:
    for entry in entries:
        if isinstance(entry.event, BackendAsked | BotSpoke):
            yield entry.at_ms


def _last_action_ms(entries: Sequence[Entry], at_ms: int) -> int:
    """When the caller's last action before `at_ms` began; 0, the start of the call, if there is none."""
    acted = [e.at_ms for e in entries if isinstance(e.event, CallerSpoke | CallerAction) and e.at_ms <= at_ms]
    return max(acted, default=0)


# --- expect


def _could_be_met(
    expectation: Expectation,
    entries: Sequence[Entry],
    scenario: Scenario,
    opened_ms: int,
    closed_ms: int,
    shift_ms: int,
    late: LatenessRecord,
) -> bool:
    """Whether the expectation is met if its window is wider by `shift_ms` at both ends: the same as moved events."""
    first, last = opened_ms - shift_ms, closed_ms + shift_ms
    taken = _taken(entries, scenario)
    if expectation.bot_silent is not None:
        return shift_ms > 0 and _is_silent(expectation.bot_silent.at_least, entries, opened_ms, closed_ms, shift_ms)
    of_speech = expectation.bot_says is not None or expectation.bot_speaks is not None
    if of_speech and _was_beginning(entries, closed_ms, last):
        return True
    if expectation.bot_says is not None and _may_be_the_words(expectation, entries, taken, first, last, late):
        return True
    wanted, heard = expectation, entries
    if expectation.bot_speaks is not None:
        at_least = max(1, expectation.bot_speaks.at_least - shift_ms)
        wanted = expectation.model_copy(
            update={"bot_speaks": expectation.bot_speaks.model_copy(update={"at_least": at_least})}
        )
        heard = _heard_out(_joined(entries, late), late)
    if isinstance(expectation, Within):
        wanted = _with_more_time(wanted, shift_ms)
    moment = Moment(_LONG_AFTER_MS, first, last, taken=taken)
    return isinstance(evaluate(wanted, heard, moment), Met)


def _with_more_time(expectation: Expectation, shift_ms: int) -> Expectation:
    """What counts from what was heard of the caller, or of the bot, with so much more of its own time."""
    if not isinstance(expectation, Within) or expectation.key not in OWN_WINDOW_KEYS:
        return expectation
    key, own = expectation.key, "pause" if expectation.key == "bot_goes_on" else "within"
    limit = getattr(expectation, key)
    return expectation.model_copy(update={key: limit.model_copy(update={own: getattr(limit, own) + shift_ms})})


def _taken(entries: Sequence[Entry], scenario: Scenario) -> frozenset[int]:
    """The numbers of the entries that the expectations of the call were met by."""
    taken: set[int] = set()
    for judged in (entry.event for entry in entries):
        if not isinstance(judged, ExpectationJudged) or judged.met_ms is None:
            continue
        expected = expectation_at(scenario.steps, judged.number, judged.path)
        if isinstance(expected, Within) and expected.bot_speaks is None:
            by = (e.number for e in entries if e.at_ms == judged.met_ms and e.number not in taken)
            taken |= {number for number in by if _number_fits(number, entries, expected)}
    return frozenset(taken)


def _number_fits(number: int, entries: Sequence[Entry], expectation: Expectation) -> bool:
    return any(entry.number == number and fits(entry.event, expectation) for entry in entries)


def _was_beginning(entries: Sequence[Entry], closed_ms: int, last: int) -> bool:
    """Whether speech began from `closed_ms` to `last`, and the scenario's end left no time to hear it out."""
    hung_up_ms = _hung_up_ms(entries)
    return hung_up_ms is not None and any(
        closed_ms < e.at_ms <= last and end_ms(e.at_ms, e.event) + _AT_THE_END_MS >= hung_up_ms
        for e in entries
        if isinstance(e.event, BotSpoke)
    )


def _hung_up_ms(entries: Sequence[Entry]) -> int | None:
    """When the caller ended the call; None if he did not."""
    return next((e.at_ms for e in entries if isinstance(e.event, CallEnded) and e.event.who == "caller"), None)


def _is_silent(at_least: int, entries: Sequence[Entry], opened_ms: int, closed_ms: int, shift_ms: int) -> bool:
    """Whether a silence of the bot of `at_least` ms may begin from `opened_ms` to `closed_ms`, if all that is heard may
    have come earlier or later by `shift_ms`. A silence before the window has to reach into it whole."""
    spoken = [(e.at_ms, end_ms(e.at_ms, e.event)) for e in entries if isinstance(e.event, BotSpoke)]
    hung_up_ms = _hung_up_ms(entries)
    first, last = opened_ms - shift_ms, closed_ms + shift_ms
    stops = [stop for _, stop in spoken if hung_up_ms is None or stop + _AT_THE_END_MS < hung_up_ms]
    shorter = max(1, at_least - shift_ms)
    silences = [(first, max(1, at_least)), *((begins, shorter) for begins in [opened_ms, *stops])]
    return any(
        first <= begins <= last and not any(s < begins + length and begins < stop for s, stop in spoken)
        for begins, length in silences
    )


def _may_be_the_words(
    expectation: Expectation,
    entries: Sequence[Entry],
    taken: frozenset[int],
    first: int,
    last: int,
    late: LatenessRecord,
) -> bool:
    """Whether this machine kept the ear from the words: it made a hole in them, or the last of them was read late, or
    the call ended while the phone still held them."""
    assert expectation.bot_says is not None
    spoken = [(e.at_ms, e.event) for e in entries if isinstance(e.event, BotSpoke) and e.number not in taken]
    shortest = min((len(normalise(text)) for text in expectation.bot_says.texts), default=0)
    shortest_ms = shortest * _SHORTEST_LETTER_MS
    for at_ms, event in spoken:
        if not first <= at_ms <= last:
            continue
        end = end_ms(at_ms, event)
        own_ms = late.hole_ms(at_ms - GRACE_MS, end + GRACE_MS) + late.lost_ms(at_ms - GRACE_MS, end)
        kept_ms = _kept_to_the_end_ms(at_ms, event, entries, late)
        own_ms = max(own_ms, kept_ms)
        if event.whole_ms is not None:
            if says(event, expectation) and event.heard_ms + own_ms + _CUT_MS >= event.whole_ms:
                return True
            continue
        lengths = _with_a_neighbour(at_ms, end, spoken, late)
        if kept_ms or _is_broken_by_us(at_ms, end, event, late):
            lengths.append(event.heard_ms + own_ms)
        if any(length_ms >= shortest_ms for length_ms in lengths):
            return True
    return False


def _kept_to_the_end_ms(at_ms: int, event: BotSpoke, entries: Sequence[Entry], late: LatenessRecord) -> int:
    """How much of this speech (ms) the phone may still have held when the call ended, since this machine put it off."""
    ended_ms = next((e.at_ms for e in entries if isinstance(e.event, CallEnded)), None)
    end = end_ms(at_ms, event)
    if ended_ms is None or end + _AT_THE_END_MS < ended_ms:
        return 0
    return late.put_off_ms(pause_before_ms(entries, at_ms), end)


def is_unread_for_our_holes(entries: Sequence[Entry], late: LatenessRecord) -> bool:
    """Return whether speech of the call could not be read because this machine may have put holes into it."""
    spoken = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, BotSpoke)]
    for at_ms, event in spoken:
        end = end_ms(at_ms, event)
        if event.text is None and (
            _is_broken_by_us(at_ms, end, event, late) or _with_a_neighbour(at_ms, end, spoken, late)
        ):
            return True
    return False


def _is_broken_by_us(at_ms: int, end: int, event: BotSpoke, late: LatenessRecord) -> bool:
    """Whether this machine made at least half of the holes in speech, or sound of it was lost behind a stall, or was
    not made in time: a thread that sends goes on, with silence, while the thread that makes the sound stands still."""
    own_ms = late.hole_ms(at_ms - GRACE_MS, end + GRACE_MS)
    return (
        0 < event.gap_ms <= 2 * own_ms
        or late.lost_ms(at_ms - GRACE_MS, end) > 0
        or late.not_made_ms(at_ms - _AHEAD_MS, end) >= _NOT_MADE_MS
    )


def _with_a_neighbour(at_ms: int, end: int, spoken: Sequence[tuple[int, BotSpoke]], late: LatenessRecord) -> list[int]:
    """The length of this speech with the one before, or behind it, if a hole of this machine's may have parted them."""
    found: list[int] = []
    for other_at, other in spoken:
        stop = end_ms(other_at, other)
        start, until = (stop, at_ms) if other_at < at_ms else (end, other_at)
        if other_at != at_ms and 0 <= until - start <= _NEAR_MS and 2 * late.hole_ms(start, until) >= until - start:
            found.append(max(end, stop) - min(at_ms, other_at))
    return found


def _joined(entries: Sequence[Entry], late: LatenessRecord) -> list[Entry]:
    """The entries, with speech that a hole of this machine's has cut in two as one."""
    joined: list[Entry] = []
    for entry in entries:
        before = next((e for e in reversed(joined) if isinstance(e.event, BotSpoke)), None)
        if isinstance(entry.event, BotSpoke) and before is not None and isinstance(before.event, BotSpoke):
            stop = end_ms(before.at_ms, before.event)
            hole_ms = entry.at_ms - stop
            if 0 <= hole_ms <= _NEAR_MS and late.hole_ms(stop, entry.at_ms) >= hole_ms:
                gap_ms = before.event.gap_ms + hole_ms + entry.event.gap_ms
                whole = replace(before.event, heard_ms=before.event.heard_ms + entry.event.heard_ms, gap_ms=gap_ms)
                joined[joined.index(before)] = replace(before, event=whole)
                continue
        joined.append(entry)
    return joined


def _heard_out(entries: Sequence[Entry], late: LatenessRecord) -> list[Entry]:
    """The entries, with speech that the end of the call cut off as long as this machine may have kept it from being."""
    made = [
        (e, e.event, _kept_to_the_end_ms(e.at_ms, e.event, entries, late))
        for e in entries
        if isinstance(e.event, BotSpoke)
    ]
    longer = {id(e): replace(e, event=replace(spoke, heard_ms=spoke.heard_ms + ms)) for e, spoke, ms in made if ms}
    return [longer.get(id(entry), entry) for entry in entries]


# --- never


def _is_still_broken(
    never: Expectation, entries: Sequence[Entry], opened_ms: int, closed_ms: int, shift_ms: int
) -> bool:
    """Whether what must never happen happened so far inside its window, and so clearly, that no shift moves it out."""
    hung_up_ms = _hung_up_ms(entries)
    watched = Watched(
        opened_ms + shift_ms, closed_ms - shift_ms, hung_up_ms=None if hung_up_ms is None else hung_up_ms - shift_ms
    )
    update = {
        key: value.model_copy(update={"at_least": value.at_least + shift_ms})
        for key in ("bot_speaks", "bot_silent", "talk_over", "dead_air")
        if (value := getattr(never, key, None)) is not None
    }
    return violation(never.model_copy(update=update), entries, watched) is not None
