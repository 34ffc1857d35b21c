"""Carries out the steps `expect` and `never`: waits until an expectation is met or has failed, and watches for events
that must never happen. The rules themselves are in `checks`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from audiosocket_sim.call_log.events import BotSpoke, StepFailed
from audiosocket_sim.checks import (
    Broken,
    Failed,
    Met,
    Moment,
    Pending,
    Verdict,
    Watched,
    describe,
    evaluate,
    needs_the_call,
    unread_voice,
    violation,
)
from audiosocket_sim.checks.going_on import own_window
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.progress import CarriedOut, Progress, step_title
from audiosocket_sim.scenario import ExpectStep, NeverStep

__all__ = ["ExpectationSteps"]

_TO_THE_END_MS = 24 * 60 * 60_000


@dataclass(frozen=True, slots=True)
class _Watch:
    """A `never` step and what it watches, as known when it began. An event in it may become known only later."""

    number: int
    step: NeverStep
    watched: Watched


@dataclass(frozen=True, slots=True)
class _Unread:
    """A failed `bot_says` of a call in which nothing was read so far: the bot's fault, or the set-up's."""

    at_ms: int
    number: int
    step: ExpectStep
    failed: Failed
    window: tuple[int, int]


class ExpectationSteps:
    """The judge of one call. A step that is not met is logged as a `StepFailed`."""

    def __init__(self, fixture: CallFixture, progress: Progress) -> None:
        self._fixture = fixture
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._watches: list[_Watch] = []
        self._unread: list[_Unread] = []

    async def expect(self, number: int, step: ExpectStep) -> CarriedOut | None:
        """Wait until the expectation is met; returns None if it has failed. `number`: the step's number, from 1.

        A failed `bot_says` is logged by `settle`, if nothing of the call could be read so far.
        """
        fixture, progress, expectation = self._fixture, self._progress, step.expect
        opened_ms = fixture.ms(progress.completed)
        deadline_ms = opened_ms + expectation.within
        window = (opened_ms, deadline_ms)
        while True:
            match evaluate(expectation, fixture.log.entries, self._moment(deadline_ms)):
                case Met(at_ms=at_ms, completed_ms=completed_ms, entry=taken, took_ms=took_ms) as met:
                    progress.completed = fixture.t0 + completed_ms / 1000
                    progress.completed_by = met.began_with if taken is None else taken
                    progress.taken |= set() if taken is None else {taken}
                    fixture.judged(number, step_title(step), self._window(step, window), at_ms)
                    entry = next((entry for entry in fixture.log.entries if entry.number == taken), None)
                    return CarriedOut(at_ms, completed_ms, entry, took_ms=took_ms)
                case Failed():
                    failed = self._in_full(
                        evaluate(expectation, fixture.log.entries, self._moment(deadline_ms, full=True))
                    )
                    closed = self._closed(step, self._window(step, window))
                    fixture.judged(number, step_title(step), closed, None)
                    self._failed(_Unread(fixture.now_ms, number, step, failed, closed))
                    return None
                case Pending(recheck_ms=recheck_ms):
                    at = self._loop.time() + 1 if recheck_ms is None else fixture.t0 + recheck_ms / 1000
                    await fixture.changed(at)

    async def never(self, number: int, step: NeverStep, let_pass: Callable[[float], Awaitable[None]]) -> bool:
        """Watch for a forbidden event, from the completion of the step before on. Returns False if it has occurred.

        With `for`, this waits for the window with `let_pass(loop_time)` and judges it, and once more after the call.
        Without it, the rest of the call is judged when the call is over.
        """
        progress, window_ms = self._progress, step.never.for_
        from_ms = self._fixture.ms(progress.completed)
        to_ms = _TO_THE_END_MS if window_ms is None else from_ms + window_ms
        watch = _Watch(number, step, Watched(from_ms, to_ms, frozenset(progress.taken), progress.completed_by))
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
        """Judge all watched steps after the end of the call. Logs those that are broken; True if there are none."""
        kept = [self._is_kept(watch) for watch in self._watches]
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
            for number in [*(one.number for one in unread), *self._unjudged()]:
                return f"step {number}: {hint}"
        for one in unread:
            self._log_failed(one)
        return None

    def _in_full(self, failed: Verdict) -> Failed:
        assert isinstance(failed, Failed)
        cut_short = self._progress.cut_short
        return failed if cut_short is None else replace(failed, happened=(*failed.happened, cut_short))

    def _moment(self, deadline_ms: int, *, full: bool = False) -> Moment:
        """What is known now. `full`: also what takes time to find out, for the text of a failure."""
        fixture, now = self._fixture, self._loop.time()
        base_ms = fixture.ms(self._progress.completed)

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
            asks_backend=bool(fixture.scenario.ai or fixture.scenario.cassette),
            sent=fixture.sent(base_ms) if full else None,
            notes=fixture.notes if full else (),
        )

    def _failed(self, one: _Unread) -> None:
        entries = self._fixture.log.entries
        if one.step.expect.bot_says is not None and unread_voice(entries) is not None:
            self._unread.append(one)
        else:
            self._log_failed(one)

    def _log_failed(self, one: _Unread) -> None:
        failed, title = one.failed, step_title(one.step)
        self._fixture.fail(one.at_ms, one.number, title, failed.expected, *failed.happened, window=one.window)

    def _unjudged(self) -> list[int]:
        """The numbers of the steps `never: bot_says` in whose windows the bot spoke."""
        spoken = [entry.at_ms for entry in self._fixture.log.entries if isinstance(entry.event, BotSpoke)]
        return [
            watch.number
            for watch in self._watches
            if watch.step.never.bot_says is not None
            and any(watch.watched.from_ms <= at_ms <= watch.watched.to_ms for at_ms in spoken)
        ]

    def _is_kept(self, watch: _Watch) -> bool:
        """Log the verdict on a watched step: True if the forbidden event has not occurred in its window so far.

        Otherwise logs a `StepFailed` at the time at which it occurred.
        """
        fixture, never = self._fixture, watch.step.never
        watched, title, broken = self._so_far(watch), step_title(watch.step), self._broken(watch)
        window = self._closed(watch.step, (watched.from_ms, watched.to_ms))
        fixture.judged(watch.number, title, window, None if broken is None else broken.at_ms)
        if broken is None:
            return True
        span = "" if never.for_ is None else f" within {never.for_} ms"
        expected = f"never{span}: {describe(never)}"
        fixture.fail(broken.at_ms, watch.number, title, expected, broken.happened, window=window)
        return False

    def _broken(self, watch: _Watch) -> Broken | None:
        return violation(watch.step.never, self._fixture.log.entries, self._so_far(watch))

    def _so_far(self, watch: _Watch) -> Watched:
        """What the step watches, up to now: the scenario ends before what its end brings about."""
        fixture, hung_up_at, over_at = self._fixture, self._progress.hung_up_at, self._progress.over_at
        until_ms = fixture.now_ms if over_at is None else fixture.ms(over_at)
        hung_up_ms = None if hung_up_at is None else fixture.ms(hung_up_at)
        return replace(watch.watched, to_ms=min(watch.watched.to_ms, until_ms), hung_up_ms=hung_up_ms)

    def _window(self, step: ExpectStep, window: tuple[int, int]) -> tuple[int, int]:
        """The window of a step; that of an expectation of turn-taking counts from what was heard."""
        return own_window(step.expect, self._fixture.log.entries, window[0]) or window

    def _closed(self, step: ExpectStep | NeverStep, window: tuple[int, int]) -> tuple[int, int]:
        """The window as it was: the end of the call closes it for what can only come during the call."""
        fixture, (opened_ms, closed_ms) = self._fixture, window
        expectation = step.expect if isinstance(step, ExpectStep) else step.never
        if fixture.end is not None and needs_the_call(expectation):
            closed_ms = max(opened_ms, min(closed_ms, fixture.ms(fixture.end.at)))
        return opened_ms, closed_ms
