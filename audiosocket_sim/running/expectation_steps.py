"""Carries out the steps `expect` and `never`: waits until an expectation is met or has failed, and watches for events
that must never happen. Decides between branches by what is met. The rules themselves are in `checks`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.events import BotSpoke, Entry, Noted, Source, StepFailed
from audiosocket_sim.checks import (
    GRACE_MS,
    Broken,
    Failed,
    Met,
    Moment,
    OtherCalls,
    Pending,
    Verdict,
    Watched,
    describe,
    evaluate,
    needs_the_call,
    unread_voice,
    violation,
)
from audiosocket_sim.checks.fits import end_ms
from audiosocket_sim.checks.going_on import own_window
from audiosocket_sim.checks.stretches import joined
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.caller_steps import OF_THE_CALLER
from audiosocket_sim.running.progress import CarriedOut, Progress, step_title
from audiosocket_sim.scenario import (
    OWN_WINDOW_KEYS,
    Expectation,
    ExpectStep,
    NeverStep,
    SayStep,
    Step,
    StepPlace,
    Within,
)

__all__ = ["Alternative", "ExpectationSteps"]

_TO_THE_END_MS = 24 * 60 * 60_000
_LONG_AFTER_MS = 10_000


@dataclass(frozen=True, slots=True)
class _Watch:
    """A `never` step and what it watches, as known when it began. An event in it may become known only later."""

    place: StepPlace
    step: NeverStep
    watched: Watched


@dataclass(frozen=True, slots=True)
class _Unmet:
    """What was not met: a failure, unless it could not be read. `title`: the step's; `reads`: it is about words."""

    at_ms: int
    place: StepPlace
    title: str
    reads: bool
    failed: Failed
    window: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several things that may happen: `expected`, written at `place`; `words`: what the transcript calls it."""

    place: StepPlace
    title: str
    expected: Within
    words: str


@dataclass(frozen=True, slots=True)
class _Later:
    """A `bot_says` whose words were still being read when the caller had to go on. `taken`: by the steps before."""

    place: StepPlace
    step: ExpectStep
    window: tuple[int, int]
    taken: frozenset[int]


class ExpectationSteps:
    """The judge of one call. A step that is not met is logged as a `StepFailed`."""

    def __init__(self, fixture: CallFixture, progress: Progress) -> None:
        self._fixture = fixture
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._watches: list[_Watch] = []
        self._unread: list[_Unmet] = []
        self._passed_over: list[tuple[StepPlace, tuple[int, int]]] = []
        self._later: list[_Later] = []

    async def expect(self, place: StepPlace, step: ExpectStep, following: Step | None = None) -> CarriedOut | None:
        """Wait until the expectation is met; returns None if it has failed.

        On the real clock, words that a reader is still reading are judged at the end, if the `following` step is one of
        the caller's and is due before they are known. A failed `bot_says` is logged by `settle`, if nothing of the call
        could be read so far.
        """
        window = self._opened(step.expect)
        while isinstance(verdict := self._now(step.expect, window), Pending):
            spoken = self._being_read(step.expect, window)
            due = None if spoken is None or following is None else self._due(following, spoken)
            if spoken is not None and due is not None and due <= self._loop.time():
                return self._judge_later(place, step, window, spoken)
            await self._until_one_may_be_met([verdict], due)
        if isinstance(verdict, Met):
            return self._met(place, step_title(step), step.expect, window, verdict)
        self._fail(self._not_met(place, step_title(step), step.expect, window))
        return None

    async def choose(self, place: StepPlace, title: str, choices: Sequence[Alternative]) -> CarriedOut | None:
        """Wait until one of the alternatives is met, and return it with its `branch`; None if all have failed.

        The first that is known to be met is taken; of several known at once the earliest, and then the first written.
        """
        windows = [self._opened(one.expected) for one in choices]
        while True:
            verdicts = [self._now(one.expected, window) for one, window in zip(choices, windows, strict=True)]
            met = [(found.at_ms, index) for index, found in enumerate(verdicts) if isinstance(found, Met)]
            if met or all(isinstance(found, Failed) for found in verdicts):
                break
            await self._until_one_may_be_met(verdicts)
        if not met:
            unmet = [
                self._not_met(one.place, one.title, one.expected, w) for one, w in zip(choices, windows, strict=True)
            ]
            self._fail(_none_of(unmet, place, title, self._fixture.now_ms))
            return None
        at_ms, branch = min(met)
        for index, (one, window) in enumerate(zip(choices, windows, strict=True)):
            if index != branch:
                closed_ms = max(window[0], min(window[1], at_ms))
                self._fixture.judged(one.place, one.title, (window[0], closed_ms), None)
                if one.expected.bot_says is not None:
                    self._passed_over.append((one.place, (window[0], closed_ms)))
        verdict, one = verdicts[branch], choices[branch]
        assert isinstance(verdict, Met)
        self._note(place.named(title), f"branch {branch + 1}: {describe(one.expected)}")
        found = self._met(one.place, one.title, one.expected, windows[branch], verdict)
        return replace(found, branch=branch)

    async def happens(self, place: StepPlace, title: str, one: Alternative) -> CarriedOut | None:
        """Wait until something is met that may happen or not; None if it has not. `place` and `title`: of the step that
        asks. Then the next step counts from now, and an `expect` there from when this one did."""
        window = self._opened(one.expected)
        opened, verdict = self._progress.opens, await self._verdict(one.expected, window)
        if isinstance(verdict, Met):
            self._note(place.named(title), f"{one.words}: {describe(one.expected)}")
            return replace(self._met(one.place, one.title, one.expected, window, verdict), branch=0)
        closed = self._closed(one.expected, self._window(one.expected, window))
        self._fixture.judged(one.place, one.title, closed, None)
        if one.expected.bot_says is not None:
            self._passed_over.append((one.place, closed))
        self._note(place.named(title), f"not {one.words}: {describe(one.expected)}")
        now_ms = self._fixture.now_ms
        given_up_ms = now_ms if one.expected.key in OWN_WINDOW_KEYS else max(window[0], min(now_ms, window[1]))
        self._progress.fall_back(opened, self._fixture.t0 + given_up_ms / 1000)
        return None

    async def _verdict(self, expected: Within, window: tuple[int, int]) -> Met | Failed:
        while True:
            verdict = self._now(expected, window)
            if not isinstance(verdict, Pending):
                return verdict
            await self._until_one_may_be_met([verdict])

    def _opened(self, expected: Within) -> tuple[int, int]:
        """The window of an expectation that begins now: `within` counts from the completion of the step before."""
        ms, progress = self._fixture.ms, self._progress
        return ms(progress.opens), ms(progress.completed) + expected.within

    def _now(self, expected: Within, window: tuple[int, int]) -> Verdict:
        return evaluate(expected, self._fixture.log.entries, self.moment(window[1]))

    async def _until_one_may_be_met(self, verdicts: Sequence[Verdict], due: float | None = None) -> None:
        """Wait for a change, or for the time at which one of the verdicts asks to look again; at most until `due`."""
        fixture = self._fixture
        asked = [one.recheck_ms for one in verdicts if isinstance(one, Pending) and one.recheck_ms is not None]
        at = fixture.t0 + min(asked) / 1000 if asked else self._loop.time() + 1
        await fixture.changed(at if due is None else min(at, due))

    def _met(self, place: StepPlace, title: str, expected: Within, window: tuple[int, int], met: Met) -> CarriedOut:
        """Note that an expectation was met, and by what."""
        fixture, progress, taken = self._fixture, self._progress, met.entry
        progress.since = fixture.t0 + window[0] / 1000
        progress.completed = fixture.t0 + met.completed_ms / 1000
        progress.completed_by = met.began_with if taken is None else taken
        progress.taken |= set() if taken is None else {taken, *met.also}
        fixture.judged(place, title, self._window(expected, window), met.at_ms)
        self._note_asserted(place, expected, met)
        return CarriedOut(met.at_ms, met.completed_ms, self._entry_of(met), took_ms=met.took_ms)

    def _entry_of(self, met: Met) -> Entry | None:
        """The entry that has met an expectation; several stretches of speech as one."""
        numbers = (met.entry, *met.also)
        found = [entry for entry in self._fixture.log.entries if entry.number in numbers]
        return joined(found) if len(found) > 1 else next(iter(found), None)

    def _note_asserted(self, place: StepPlace, expected: Within, met: Met) -> None:
        """Note for the snapshot which words were asked for, and where they were heard."""
        says = expected.bot_says
        if says is not None and met.entry is not None:
            wanted = says.texts or (f"({says.pattern})",)
            self._fixture.asserted |= {met.entry: " / ".join(wanted)} | dict.fromkeys(met.also, "…")
        if says is not None and says.judge is not None and met.entry is not None:
            self._fixture.to_judge.append((place, says, met.entry))

    def _being_read(self, expected: Within, window: tuple[int, int]) -> Entry | None:
        """The last speech that may meet a `bot_says`, and whose words are not known yet; None if there is none."""
        numbers = self._fixture.readings.open
        if expected.bot_says is None or not numbers:
            return None
        found = [entry for entry in self._fixture.log.entries if entry.number in numbers]
        return next((e for e in reversed(found) if window[0] - GRACE_MS <= e.at_ms <= window[1]), None)

    def _due(self, following: Step, spoken: Entry) -> float | None:
        """When the caller's next step is due (loop time), if this speech completes the step before it; None: the next
        step does not move the caller, or counts from something else, and can wait."""
        if not isinstance(following, OF_THE_CALLER) or following.at is not None:
            return None
        reaction = self._fixture.scenario.reaction if isinstance(following, SayStep) else 0
        pause_ms = reaction if following.after is None else following.after
        return self._fixture.t0 + (_end_of(spoken) + pause_ms) / 1000

    def _judge_later(self, place: StepPlace, step: ExpectStep, window: tuple[int, int], spoken: Entry) -> CarriedOut:
        """Go on as if the words were those that are expected, and judge them at the end."""
        progress, t0, end = self._progress, self._fixture.t0, _end_of(spoken)
        self._later.append(_Later(place, step, window, frozenset(progress.taken)))
        progress.since, progress.completed = t0 + window[0] / 1000, t0 + end / 1000
        progress.completed_by = None
        return CarriedOut(spoken.at_ms, end)

    def _is_met(self, later: _Later) -> bool:
        """Judge words that were read late: logs a failure, and returns whether there is none."""
        fixture, expected, title = self._fixture, later.step.expect, step_title(later.step)
        opened_ms, deadline_ms = later.window
        now_ms = max(fixture.now_ms, deadline_ms + _LONG_AFTER_MS)
        verdict = evaluate(expected, fixture.log.entries, Moment(now_ms, opened_ms, deadline_ms, taken=later.taken))
        met = verdict if isinstance(verdict, Met) else None
        fixture.judged(later.place, title, later.window, None if met is None else met.at_ms)
        if met is not None:
            self._note_asserted(later.place, expected, met)
            return True
        assert isinstance(verdict, Failed)
        at_ms = min(fixture.now_ms, deadline_ms)
        self._fail(_Unmet(at_ms, later.place, title, expected.bot_says is not None, verdict, later.window))
        return False

    def _not_met(self, place: StepPlace, title: str, expected: Within, window: tuple[int, int]) -> _Unmet:
        """Note that an expectation was not met. Returns why."""
        fixture = self._fixture
        failed = self._in_full(evaluate(expected, fixture.log.entries, self.moment(window[1], full=True)))
        closed = self._closed(expected, self._window(expected, window))
        fixture.judged(place, title, closed, None)
        return _Unmet(fixture.now_ms, place, title, expected.bot_says is not None, failed, closed)

    def _note(self, step: str, what: str) -> None:
        self._fixture.record(self._loop.time(), Source.CHECK, Noted(f"{step}: {what}"))

    async def never(self, place: StepPlace, step: NeverStep, let_pass: Callable[[float], Awaitable[None]]) -> bool:
        """Watch for a forbidden event, from the completion of the step before on. Returns False if it has occurred.

        With `for`, this waits for the window with `let_pass(loop_time)` and judges it, and once more after the call.
        Without it, the rest of the call is judged when the call is over.
        """
        progress, window_ms = self._progress, step.never.for_
        from_ms = self._fixture.ms(progress.completed)
        to_ms = _TO_THE_END_MS if window_ms is None else from_ms + window_ms
        watch = _Watch(place, step, Watched(from_ms, to_ms, frozenset(progress.taken), progress.completed_by))
        if window_ms is not None:
            progress.completed += window_ms / 1000
            progress.completed_by = None
            await let_pass(progress.completed)
            # quiet is not judged early: speech that is still going on is not in the log yet
            early = step.never.bot_silent is None and step.never.dead_air is None
            if early and self._broken(watch) is not None:
                self._is_kept(watch)
                return False
        self._watches.append(watch)
        return True

    def all_kept(self) -> bool:
        """Judge all watched steps after the end of the call, and words that were read late. Logs those that are broken;
        True if there are none."""
        kept = [*(self._is_kept(watch) for watch in self._watches), *(self._is_met(later) for later in self._later)]
        return all(kept)

    def settle(self) -> str | None:
        """Judge what was unread, after all else of the call: the set-up is to blame only if nothing else has failed.

        Returns what is wrong with the set-up if nothing of the whole call could be read, so that a `bot_says` failed or
        a `never: bot_says` could not be judged, and nothing else has failed. Otherwise logs the `bot_says` that failed.
        """
        entries, unread = self._fixture.log.entries, self._unread
        self._unread = []
        hint = unread_voice(entries)
        if hint is not None and not any(isinstance(entry.event, StepFailed) for entry in entries):
            for place in [*(one.place for one in unread), *self._unjudged()]:
                return f"step {place.number}: {hint}"
        for one in unread:
            self._log_failed(one)
        return None

    def _in_full(self, failed: Verdict) -> Failed:
        assert isinstance(failed, Failed)
        cut_short = self._progress.cut_short
        return failed if cut_short is None else replace(failed, happened=(*failed.happened, cut_short))

    def moment(self, deadline_ms: int, *, full: bool = False) -> Moment:
        """Return what is known now. `full`: also what takes time to find out, for the text of a failure."""
        fixture, now = self._fixture, self._loop.time()
        base_ms = fixture.ms(self._progress.opens)

        def ms(at: float | None) -> int | None:
            return None if at is None else fixture.ms(at)

        return Moment(
            now_ms=fixture.now_ms,
            base_ms=base_ms,
            deadline_ms=deadline_ms,
            speaking_since_ms=ms(fixture.ear.speaking_since),
            open_speech_at_ms=ms(fixture.ear.open_speech_at),
            silent_since_ms=ms(fixture.ear.silent_since(now)),
            hold_since_ms=ms(fixture.ear.hold_since),
            state=fixture.state,
            taken=frozenset(self._progress.taken),
            being_read=fixture.readings.open,
            asks_backend=bool(fixture.scenario.ai or fixture.scenario.cassette),
            sent=fixture.sent(base_ms) if full else None,
            notes=fixture.notes if full else (),
            others=fixture.other_calls() if full else OtherCalls(),
        )

    def _fail(self, one: _Unmet) -> None:
        if one.reads and unread_voice(self._fixture.log.entries) is not None:
            self._unread.append(one)
        else:
            self._log_failed(one)

    def _log_failed(self, one: _Unmet) -> None:
        self._fixture.fail(
            one.at_ms, one.place, one.title, one.failed.expected, *one.failed.happened, window=one.window
        )

    def _unjudged(self) -> list[StepPlace]:
        """The places of what asked for words while the bot spoke: a `never: bot_says`, and what was passed over."""
        spoken = [entry.at_ms for entry in self._fixture.log.entries if isinstance(entry.event, BotSpoke)]
        asked = [
            (watch.place, (watch.watched.from_ms, watch.watched.to_ms))
            for watch in self._watches
            if watch.step.never.bot_says is not None
        ]
        return [
            place
            for place, (from_ms, to_ms) in [*self._passed_over, *asked]
            if any(from_ms <= at_ms <= to_ms for at_ms in spoken)
        ]

    def end_round(self, since: int) -> None:
        """End what is watched by the `never` steps of a round, of which `since` had begun before it (`watching`)."""
        ends_ms = self._fixture.ms(self._progress.completed)
        self._watches[since:] = [
            replace(one, watched=replace(one.watched, to_ms=min(one.watched.to_ms, ends_ms)))
            for one in self._watches[since:]
        ]

    @property
    def watching(self) -> int:
        """How many `never` steps have begun so far."""
        return len(self._watches)

    def _is_kept(self, watch: _Watch) -> bool:
        """Log the verdict on a watched step: True if the forbidden event has not occurred in its window so far.

        Otherwise logs a `StepFailed` at the time at which it occurred.
        """
        fixture, never = self._fixture, watch.step.never
        watched, title, broken = self._so_far(watch), step_title(watch.step), self._broken(watch)
        window = self._closed(never, (watched.from_ms, watched.to_ms))
        fixture.judged(watch.place, title, window, None if broken is None else broken.at_ms)
        if broken is None:
            return True
        span = "" if never.for_ is None else f" within {never.for_} ms"
        expected = f"never{span}: {describe(never)}"
        fixture.fail(broken.at_ms, watch.place, title, expected, broken.happened, window=window)
        return False

    def _broken(self, watch: _Watch) -> Broken | None:
        return violation(watch.step.never, self._fixture.log.entries, self._so_far(watch))

    def _so_far(self, watch: _Watch) -> Watched:
        """What the step watches, up to now: the scenario ends before what its end brings about."""
        fixture, hung_up_at, over_at = self._fixture, self._progress.hung_up_at, self._progress.over_at
        until_ms = fixture.now_ms if over_at is None else fixture.ms(over_at)
        hung_up_ms = None if hung_up_at is None else fixture.ms(hung_up_at)
        return replace(watch.watched, to_ms=min(watch.watched.to_ms, until_ms), hung_up_ms=hung_up_ms)

    def _window(self, expected: Within, window: tuple[int, int]) -> tuple[int, int]:
        """The window of an expectation; that of an expectation of turn-taking counts from what was heard."""
        return own_window(expected, self._fixture.log.entries, window[0]) or window

    def _closed(self, expectation: Expectation, window: tuple[int, int]) -> tuple[int, int]:
        """The window as it was: the end of the call closes it for what can only come during the call."""
        fixture, (opened_ms, closed_ms) = self._fixture, window
        if fixture.end is not None and needs_the_call(expectation):
            closed_ms = max(opened_ms, min(closed_ms, fixture.ms(fixture.end.at)))
        return opened_ms, closed_ms


def _end_of(spoken: Entry) -> int:
    """When the last of a speech was heard, in ms since the UUID."""
    assert isinstance(spoken.event, BotSpoke)
    return end_ms(spoken.at_ms, spoken.event)


def _none_of(unmet: Sequence[_Unmet], place: StepPlace, title: str, now_ms: int) -> _Unmet:
    """Return the failure of a step of which no branch could begin: what each of them lacked."""
    expected = "; or ".join(f"({number}) {one.failed.expected}" for number, one in enumerate(unmet, 1))
    happened = [f"({number}) {line}" for number, one in enumerate(unmet, 1) for line in one.failed.happened]
    window = min(one.window[0] for one in unmet), max(one.window[1] for one in unmet)
    reads = any(one.reads for one in unmet)
    return _Unmet(now_ms, place, title, reads, Failed(f"one of: {expected}", tuple(happened)), window)
