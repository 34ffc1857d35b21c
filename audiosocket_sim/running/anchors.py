"""Waits for the event from which a step counts (`at`), and lets the step begin so long after it."""

import asyncio

from audiosocket_sim.call_log.events import Noted, Source
from audiosocket_sim.checks import needs_the_call
from audiosocket_sim.checks.anchor import (
    anchor_ms,
    describe_anchor,
    ends_with_the_call,
    known_ms,
    without_anchor,
)
from audiosocket_sim.checks.words import clock, seconds
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.caller_steps import OF_THE_CALLER, CallerSteps
from audiosocket_sim.running.expectation_steps import ExpectationSteps
from audiosocket_sim.running.progress import Progress
from audiosocket_sim.scenario import Anchor, ExpectStep, Step, StepPlace

__all__ = ["Anchors", "needs_the_call_to_begin"]

_ON_TIME_MS = 20
_LOOK_EVERY_SECONDS = 0.02


class Anchors:
    """The anchors of the steps of one call."""

    def __init__(self, fixture: CallFixture, progress: Progress, caller: CallerSteps, judge: ExpectationSteps) -> None:
        self._fixture = fixture
        self._progress = progress
        self._caller = caller
        self._judge = judge
        self._loop = asyncio.get_running_loop()

    async def reach(self, place: StepPlace, step: Step, anchor: Anchor) -> bool:
        """Wait for the event and for the time after it. Returns False, and logs a failure, if the event has not come.

        A step of the caller that is later than asked for, because the event was known too late, begins at once, and a
        note says so unless it was to begin with the event. Other steps count from the time that was asked for.
        """
        fixture, progress = self._fixture, self._progress
        since_ms = fixture.ms(max(progress.since, fixture.t0))
        opened_ms = fixture.ms(progress.completed)
        deadline_ms = opened_ms + anchor.within
        event_ms = await self._event(anchor, since_ms, deadline_ms)
        if event_ms is None:
            moment = self._judge.moment(deadline_ms, full=True)
            expected = f"{describe_anchor(anchor)}, from {clock(opened_ms)} until {clock(deadline_ms)}"
            happened = without_anchor(anchor, fixture.log.entries, moment)
            window = opened_ms, deadline_ms
            fixture.fail(fixture.now_ms, place, f"at {anchor.after}", expected, *happened, window=window)
            return False
        begins_ms = event_ms + anchor.by
        progress.completed = fixture.t0 + begins_ms / 1000
        if isinstance(step, OF_THE_CALLER) and (late_ms := fixture.now_ms - begins_ms) > 0:
            progress.completed = self._loop.time()
            if late_ms > _ON_TIME_MS and anchor.by:
                late = (
                    f"{place.named(f'at {anchor.after}')}: {seconds(late_ms)} late, since {describe_anchor(anchor)} at"
                )
                fixture.record(self._loop.time(), Source.CHECK, Noted(f"{late} {clock(event_ms)} was known too late"))
        wait = self._caller.until if needs_the_call_to_begin(step) else self._caller.let_pass
        await wait(progress.completed)
        return True

    async def _event(self, anchor: Anchor, since_ms: int, deadline_ms: int) -> int | None:
        """Wait for the event. Returns when it happened; None if it has not by the deadline, or the call is over."""
        fixture = self._fixture
        while True:
            moment = self._judge.moment(deadline_ms)
            found = anchor_ms(anchor, fixture.log.entries, moment, since_ms)
            if found is not None and found <= deadline_ms:
                return found
            over = fixture.end is not None and ends_with_the_call(anchor)
            if over or moment.now_ms >= known_ms(anchor, moment):
                return None
            await fixture.changed(self._loop.time() + _LOOK_EVERY_SECONDS)


def needs_the_call_to_begin(step: Step) -> bool:
    """Return whether there is nothing to wait for before this step once the call is over."""
    return isinstance(step, OF_THE_CALLER) or (isinstance(step, ExpectStep) and needs_the_call(step.expect))
