"""Carries out the steps `expect` and `never`: waits until an expectation is met or has failed, and watches for events
that must never happen. The rules themselves are in `checks`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from audiosocket_sim.checks import Broken, Failed, Met, Moment, Pending, Unreadable, describe, evaluate, violation
from audiosocket_sim.parties.target import TargetError
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.progress import CarriedOut, Progress, step_title
from audiosocket_sim.scenario import ExpectStep, NeverStep

__all__ = ["ExpectationSteps"]

_TO_THE_END_MS = 24 * 60 * 60_000


@dataclass(frozen=True, slots=True)
class _Watch:
    """A `never` step with its window, in ms since the UUID. An event in the window may become known only later."""

    number: int
    step: NeverStep
    from_ms: int
    to_ms: int


class ExpectationSteps:
    """The judge of one call. A step that is not met is logged as a `StepFailed`."""

    def __init__(self, fixture: CallFixture, progress: Progress) -> None:
        self._fixture = fixture
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._watches: list[_Watch] = []

    async def expect(self, number: int, step: ExpectStep) -> CarriedOut | None:
        """Wait until the expectation is met; returns None if it has failed. `number`: the step's number, from 1.

        Raises TargetError if the bot's voice cannot be read.
        """
        fixture, progress, expectation = self._fixture, self._progress, step.expect
        deadline_ms = fixture.ms(progress.completed) + expectation.within
        while True:
            match evaluate(expectation, fixture.log.entries, self._moment(deadline_ms)):
                case Met(at_ms=at_ms, completed_ms=completed_ms, entry=taken, took_ms=took_ms):
                    progress.completed = fixture.t0 + completed_ms / 1000
                    progress.taken |= set() if taken is None else {taken}
                    entry = next((entry for entry in fixture.log.entries if entry.number == taken), None)
                    return CarriedOut(at_ms, completed_ms, entry, took_ms=took_ms)
                case Failed(expected=expected, happened=happened):
                    fixture.fail(fixture.now_ms, number, step_title(step), expected, *happened)
                    return None
                case Unreadable(hint=hint):
                    raise TargetError(f"step {number}: {hint}")
                case Pending(recheck_ms=recheck_ms):
                    at = self._loop.time() + 1 if recheck_ms is None else fixture.t0 + recheck_ms / 1000
                    await fixture.changed(at)

    async def never(self, number: int, step: NeverStep, let_pass: Callable[[float], Awaitable[None]]) -> bool:
        """Watch for a forbidden event, from the completion of the step before on. Returns False if it has occurred.

        With `for`, this waits for the window with `let_pass(loop_time)` and judges it, and once more after the call.
        Without it, the rest of the call is judged when the call is over. Raises TargetError if the bot's voice cannot
        be read.
        """
        from_ms, window_ms = self._fixture.ms(self._progress.completed), step.never.for_
        if window_ms is None:
            self._watches.append(_Watch(number, step, from_ms, _TO_THE_END_MS))
            return True
        self._progress.completed += window_ms / 1000
        await let_pass(self._progress.completed)
        watch = _Watch(number, step, from_ms, from_ms + window_ms)
        # quiet is not judged early: speech that is still going on is not in the log yet
        early = step.never.bot_silent is None and step.never.dead_air is None
        if early and not self._is_kept(watch):
            return False
        self._watches.append(watch)
        return True

    def all_kept(self) -> bool:
        """Judge all watched steps after the end of the call. Logs those that are broken; True if there are none."""
        kept = [self._is_kept(watch) for watch in self._watches]
        return all(kept)

    def _moment(self, deadline_ms: int) -> Moment:
        fixture, now = self._fixture, self._loop.time()

        def ms(at: float | None) -> int | None:
            return None if at is None else fixture.ms(at)

        return Moment(
            now_ms=fixture.now_ms,
            base_ms=fixture.ms(self._progress.completed),
            deadline_ms=deadline_ms,
            speaking_since_ms=ms(fixture.ear.speaking_since),
            open_speech_at_ms=ms(fixture.ear.open_speech_at),
            silent_since_ms=ms(fixture.ear.silent_since(now)),
            hold_since_ms=ms(fixture.ear.hold_since),
            state=fixture.state,
            taken=frozenset(self._progress.taken),
        )

    def _is_kept(self, watch: _Watch) -> bool:
        """True if the forbidden event has not occurred in the window so far. Otherwise logs a `StepFailed` at the time
        at which it occurred. Raises TargetError if the bot's voice cannot be read."""
        fixture, never = self._fixture, watch.step.never
        to_ms = min(watch.to_ms, fixture.now_ms)
        match violation(never, fixture.log.entries, watch.from_ms, to_ms):
            case Broken(at_ms=at_ms, happened=happened):
                window = "" if never.for_ is None else f" within {never.for_} ms"
                expected = f"never{window}: {describe(never)}"
                fixture.fail(at_ms, watch.number, step_title(watch.step), expected, happened)
                return False
            case Unreadable(hint=hint):
                raise TargetError(f"step {watch.number}: {hint}")
        return True
