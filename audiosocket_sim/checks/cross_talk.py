"""Whether a caller heard what belongs to another call, as far as the logs tell: by what the AI backend was asked for
each call, and what it answered. Pure. The sound itself is compared by `running.cross_talk`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    Entry,
    HoldStarted,
)
from audiosocket_sim.scenario import Scenario, Within, expectations_in

__all__ = ["CROSS_TALK", "CallHeard", "broken_off", "by_words", "has_a_turn_to_answer", "said_at"]

CROSS_TALK = "cross_talk"
"""The kind of this defect, and its key in `quality:`."""
_LEAST_WORDS = 2
_AT_ONCE_MS = 1000
_STOPS_WITHIN_MS = 600
"""How long after a caller's first sound a bot may stop that takes it for an interruption."""
_BESIDE_MS = 300


@dataclass(frozen=True, slots=True)
class CallHeard:
    """One of several calls: its scenario, its log, and when it began, in ms on the clock of all."""

    scenario: Scenario
    entries: Sequence[Entry]
    began_ms: int

    @property
    def name(self) -> str:
        """The caller's name."""
        return self.scenario.caller.name


@dataclass(slots=True)
class _Told:
    """Words, normalised, each with the first time at which they were told or said, in ms on the clock of all."""

    first_ms: dict[str, int] = field(default_factory=dict)

    def add(self, words: str, at_ms: int) -> None:
        if words:
            self.first_ms[words] = min(at_ms, self.first_ms.get(words, at_ms))

    def like(self, words: str, until_ms: float = float("inf")) -> str | None:
        """Return what has the same words, or has them in it, or lies in them; None if there is nothing by then."""
        return next((own for own, at_ms in self.first_ms.items() if at_ms <= until_ms and _same(own, words)), None)


def by_words(calls: Sequence[CallHeard]) -> Iterator[tuple[str, int, DefectFound]]:
    """Yield what the words tell: the caller in whose call it is, the time in ms since its UUID, and the defect."""
    told = [_told_to(call) for call in calls]
    said = [_said_in(call) for call in calls]
    for call, own, others in _each_with_others(calls, told):
        wanted = [normalise(text) for text in _expected(call.scenario)]
        for entry in call.entries:
            if isinstance(entry.event, BotSpoke) and entry.event.text is not None:
                words = normalise(entry.event.text)
                if own.like(words) is not None or any(_same(one, words) for one in wanted):
                    continue
                found = _told_to_another(words, entry.at_ms + call.began_ms, others, calls)
                if found is not None and _is_out_of_place(words, entry, call, own, *found):
                    yield call.name, entry.at_ms, _heard_anothers(entry, entry.event, call, found)
    for call, own, others in _each_with_others(calls, said):
        for entry in call.entries:
            if isinstance(entry.event, BackendAsked):
                at_ms, words = entry.at_ms + call.began_ms, normalise(entry.event.content)
                if len(words.split()) < _LEAST_WORDS or own.like(words, at_ms) is not None:
                    continue
                who = next((other.name for other, said_there in others if words in said_there.first_ms
                            and said_there.first_ms[words] <= at_ms), None)  # fmt: skip
                if who is not None:
                    what = f"the AI backend was asked, for {call.name}, “{entry.event.content}”: {who} had said that"
                    yield call.name, entry.at_ms, DefectFound(CROSS_TALK, what, fault="asked")


def broken_off(calls: Sequence[CallHeard]) -> Iterator[tuple[str, int, DefectFound]]:
    """Yield where the bot broke off a sentence as soon as another caller began to speak, and had no reason to in this
    call: the caller in whose call it is, the time in ms since its UUID, and the defect."""
    for call in calls:
        for entry in call.entries:
            spoke = entry.event
            if not isinstance(spoke, BotSpoke) or not spoke.lost_end_ms:
                continue
            cut_ms = entry.at_ms + spoke.lasted_ms
            if _has_a_reason(call, entry.at_ms, cut_ms):
                continue
            began = [
                (cut_ms + call.began_ms - onset_ms, other.name)
                for other in calls
                if other is not call
                for onset_ms in _onsets(other)
                if 0 <= cut_ms + call.began_ms - onset_ms <= _STOPS_WITHIN_MS
            ]
            if began:
                after_ms, name = min(began)
                cut = f"the bot broke off “{spoke.text}” to {call.name}"
                what = f"{cut} {after_ms / 1000:.2f} s after {name} began to speak"
                yield call.name, cut_ms, DefectFound(CROSS_TALK, what, None, 0, "broken off")


def _has_a_reason(call: CallHeard, start_ms: int, cut_ms: int) -> bool:
    """Whether something of this call can have ended a sentence of the bot: the caller, what is heard behind him, the
    backend, or the call's end."""
    line = call.scenario.line
    if line.noise is not None or line.talker is not None or line.echo is not None or line.noise_dbfs is not None:
        return True
    for entry in call.entries:
        at_ms, event = entry.at_ms, entry.event
        if isinstance(event, CallerSpoke) and at_ms <= cut_ms and at_ms + event.duration_ms >= start_ms:
            return True
        if isinstance(event, CallerAction | BackendReplied | BackendPushed | HoldStarted) and (
            start_ms - _AT_ONCE_MS <= at_ms <= cut_ms + _BESIDE_MS
        ):
            return True
        if isinstance(event, CallEnded) and at_ms <= cut_ms + _BESIDE_MS:
            return True
        if isinstance(event, BotSpoke) and start_ms < at_ms <= cut_ms + _BESIDE_MS:
            return True  # it goes on with something else
    return False


def _onsets(call: CallHeard) -> Iterator[int]:
    """When each of the caller's sounds became audible, in ms on the clock of all."""
    for entry in call.entries:
        if isinstance(entry.event, CallerSpoke):
            first_ms = entry.event.audible_ms[0][0] if entry.event.audible_ms else 0
            yield entry.at_ms + first_ms + call.began_ms


def has_a_turn_to_answer(entries: Sequence[Entry], at_ms: int) -> bool:
    """Return whether speech of the bot that began at `at_ms` can be the answer to something of this caller: he has
    spoken, or pressed a key, since the bot spoke to him before, or while it did."""
    before = [entry.at_ms for entry in entries if isinstance(entry.event, BotSpoke) and entry.at_ms < at_ms - 100]
    since_ms = max(before, default=0)
    return any(
        isinstance(entry.event, CallerSpoke | CallerAction | BackendReplied | BackendPushed)
        and since_ms <= entry.at_ms <= at_ms
        for entry in entries
    )


def said_at(entries: Sequence[Entry], at_ms: int) -> str | None:
    """Return what the caller was saying at a time (ms since the UUID), in words for people; None if he said nothing."""
    for entry in entries:
        event = entry.event
        if isinstance(event, CallerSpoke) and entry.at_ms - 200 <= at_ms <= entry.at_ms + event.duration_ms:
            return f"“{event.text}”" if event.text is not None else f"the recording {event.recording}"
    return None


def _each_with_others(
    calls: Sequence[CallHeard], found: Sequence[_Told]
) -> Iterator[tuple[CallHeard, _Told, list[tuple[CallHeard, _Told]]]]:
    both = list(zip(calls, found, strict=True))
    for index, (call, own) in enumerate(both):
        yield call, own, [other for at, other in enumerate(both) if at != index]


def _told_to(call: CallHeard) -> _Told:
    """What the AI backend answered for this call, or pushed to it."""
    told = _Told()
    for entry in call.entries:
        if isinstance(entry.event, BackendReplied | BackendPushed) and entry.event.says:
            told.add(normalise(entry.event.says), entry.at_ms + call.began_ms)
    return told


def _said_in(call: CallHeard) -> _Told:
    said = _Told()
    for entry in call.entries:
        if isinstance(entry.event, CallerSpoke) and entry.event.text:
            said.add(normalise(entry.event.text), entry.at_ms + call.began_ms)
    return said


def _told_to_another(
    words: str, at_ms: int, others: Sequence[tuple[CallHeard, _Told]], calls: Sequence[CallHeard]
) -> tuple[CallHeard, int] | None:
    """Return to whom these words had been answered before they were heard, and when; None if to nobody, or if the bot
    said them before anybody had told it to: then they are its own."""
    for other, told in others:
        if (like := told.like(words, at_ms)) is not None:
            told_ms = told.first_ms[like]
            if not any(
                isinstance(entry.event, BotSpoke)
                and entry.event.text is not None
                and entry.at_ms + call.began_ms < told_ms
                and _same(normalise(entry.event.text), words)
                for call in calls
                for entry in call.entries
            ):
                return other, told_ms
    return None


def _is_out_of_place(words: str, entry: Entry, call: CallHeard, own: _Told, other: CallHeard, told_ms: int) -> bool:
    """Whether the bot can hardly have said this to a caller of itself, though another was answered so: both heard it at
    once, or that other one did not hear it to its end, or this one did not hear what was answered to him."""
    at_ms = entry.at_ms + call.began_ms
    there = [
        (one.at_ms + other.began_ms, one.event)
        for one in other.entries
        if isinstance(one.event, BotSpoke) and one.event.text is not None and _same(normalise(one.event.text), words)
    ]
    whole = [heard_ms for heard_ms, event in there if heard_ms >= told_ms and not event.cut_off]
    if not whole or any(abs(heard_ms - at_ms) <= _AT_ONCE_MS for heard_ms in whole):
        return True
    if not own.first_ms:
        return bool(call.scenario.ai)  # he was to be answered, and was not
    heard = [normalise(one.event.text) for one in call.entries if isinstance(one.event, BotSpoke) and one.event.text]
    return not all(any(_same(reply, text) for text in heard) for reply in own.first_ms)


def _heard_anothers(entry: Entry, spoke: BotSpoke, call: CallHeard, found: tuple[CallHeard, int]) -> DefectFound:
    other, told_ms = found
    before = (entry.at_ms + call.began_ms - told_ms) / 1000
    told = f"the AI backend had answered {other.name} so {before:.2f} s before, and not {call.name}"
    return DefectFound(CROSS_TALK, f"{call.name} heard “{spoke.text}”: {told}", None, spoke.heard_ms, "answered")


def _expected(scenario: Scenario) -> Iterator[str]:
    for _, expected in expectations_in(scenario.steps):
        if isinstance(expected, Within) and expected.bot_says is not None:
            yield from expected.bot_says.texts


def _same(one: str, other: str) -> bool:
    """Whether two normalised texts are the same, or one of two words and more lies in the other."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return len(short.split()) >= _LEAST_WORDS and f" {short} " in f" {long} "
