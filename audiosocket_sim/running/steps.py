"""Carries out the steps of one call, one at a time, and logs a step that fails.

Times: a step counts from the completion of the step before, or from the event that its `at` names. `say` waits until
the bot has been silent for the reaction time; every other step starts at once, or after its own `after`. The caller's
steps fail after the end of the call, and if the call ends before they have begun; `wait`, `expect` and `never` work
then too, since requests may still come.
"""

import asyncio
from collections.abc import Sequence

from audiosocket_sim.call_log.events import Noted, Source
from audiosocket_sim.checks.in_other_calls import ended_with_another
from audiosocket_sim.parties.target import TargetUsageError
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.running.anchors import Anchors, needs_the_call_to_begin
from audiosocket_sim.running.block_steps import BlockSteps
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.caller_steps import OF_THE_CALLER, CallerSteps
from audiosocket_sim.running.expectation_steps import ExpectationSteps
from audiosocket_sim.running.progress import CarriedOut, Progress, step_title
from audiosocket_sim.scenario import (
    BlockStep,
    ExpectStep,
    HangUpStep,
    NeverStep,
    StateIs,
    Step,
    StepPlace,
    WaitStep,
    all_steps,
    expectations_in,
)

__all__ = ["Steps"]


class Steps:
    """The steps of one call. `doing`: the current activity, in words for people.

    `run` carries out all steps of the scenario. A call in Python passes its steps to `carry_out` one by one, with their
    numbers from 1, and calls `end` after the last one.
    """

    def __init__(self, fixture: CallFixture, sounds: Sounds) -> None:
        self._fixture = fixture
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._progress = Progress(completed=now, began=now)
        self._caller = CallerSteps(fixture, sounds, self._progress)
        self._judge = ExpectationSteps(fixture, self._progress)
        self._anchors = Anchors(fixture, self._progress, self._caller, self._judge)
        self._blocks = BlockSteps(self._judge, self._step, self._carried_out)
        self._dialled = False
        self.doing = "the connection"

    async def run(self) -> bool:
        """Carry out all steps of the scenario and end the call. Returns True if all were met; failures are logged."""
        steps = self._fixture.scenario.steps
        self._check_that_states_are_reported(steps)
        held = True
        for number, step in enumerate(steps, 1):
            following = steps[number] if number < len(steps) else None
            held = await self.carry_out(number, step, following) is not None
            if not held:
                break
        return await self.end(held=held)

    async def carry_out(self, number: int, step: Step, following: Step | None = None) -> CarriedOut | None:
        """Carry out one step; the first one dials. Returns None if the step failed.

        `following`: the next step, if it is known: a caller who is to act does not wait for a reader.
        Raises TargetError, ControlError, SimulatorError and what `Sounds` raises.
        """
        self._check_that_states_are_reported([step], number)
        if not self._dialled:
            self._dialled = True
            if isinstance(step, HangUpStep) and step.hang_up.before_uuid:
                held = await self._hang_up_before_the_uuid(step)
                self._progress.completed = self._progress.began = self._fixture.t0
                return self._carried_out() if held else None
            await self._fixture.place_call()
            self._progress.completed = self._fixture.t0
        return await self._step(StepPlace(number), step, following)

    async def _step(self, place: StepPlace, step: Step, following: Step | None = None) -> CarriedOut | None:
        """Carry out one step, also one in a block. Returns None if it failed."""
        self.doing = place.named(step_title(step))
        return await self._do(place, step, following)

    async def end(self, *, held: bool) -> bool:
        """Hang up if the call is still in progress, and judge the whole call. Returns True if all was met.

        A `bot_says` of which nothing could be read is judged by `settle`.

        Every `never` is judged and, if all steps `held`, whether the AI's script was used up.
        """
        fixture = self._fixture
        self.doing = "the end of the call"
        if not held:
            await fixture.wait_as_long_as_we_are_late()
        if fixture.end is None:
            progress = self._progress
            progress.over_at = self._loop.time()
            progress.hung_up_at = progress.over_at if progress.hung_up_at is None else progress.hung_up_at
            fixture.leg.hang_up("close")
        await fixture.finish()
        await fixture.look_at_the_end()
        await fixture.all_read()
        held = self._judge.all_kept() and held
        held = fixture.ai_script.check_the_requests_after_the_end() and held
        if held:
            fixture.ai_script.check_all_used(fixture.ai, hung_up=self._progress.hung_up)
        return await fixture.carry_out_after() and held

    def settle(self) -> str | None:
        """Judge what could not be read, last of all: any other failure goes before a fault of the set-up.

        Returns what is wrong with the set-up if nothing of the whole call could be read.
        """
        return self._judge.settle()

    def _check_that_states_are_reported(self, steps: Sequence[Step], number: int = 1) -> None:
        """Raise TargetUsageError for a step about states, if the target reports none. `number`: of the first step."""
        if self._fixture.control is not None:
            return
        anchors = (path for path, step in all_steps(steps) if step.at is not None and step.at.state is not None)
        expected = (
            path
            for path, expectation in expectations_in(steps)
            if expectation.state is not None and not expectation.state.when_told
        )
        for _, index, *_ in sorted([*anchors, *expected], key=lambda path: int(path[1])):
            raise TargetUsageError(
                f"step {int(index) + number} expects a state, and the target has no control URL: "
                "say when_told: true, or give its control URL (docs/targets.md)"
            )

    def _nobody_reports(self, step: Step) -> bool:
        state = _state(step)
        return state is not None and self._fixture.control is None

    async def _hang_up_before_the_uuid(self, step: HangUpStep) -> bool:
        fixture = self._fixture
        self._progress.hung_up = True
        self.doing = "step 1 (hang_up)"
        placing = self._loop.create_task(fixture.place_call())
        try:
            pause = fixture.scenario.asterisk.connect_pause / 2 if step.after is None else step.after
            await asyncio.sleep(pause / 1000)
            in_time = fixture.leg.t0 is None
            fixture.leg.hang_up(step.hang_up.how)
            await placing
        finally:
            placing.cancel()
        if not in_time:
            happened = "the UUID had been sent: `after` is too long"
            fixture.fail(fixture.now_ms, 1, step_title(step), "to hang up before the UUID", happened)
        return in_time

    async def _do(self, place: StepPlace, step: Step, following: Step | None) -> CarriedOut | None:
        progress, caller = self._progress, self._caller
        if step.at is not None:
            if not await self._anchors.reach(place, step, step.at):
                return None
        elif step.after is not None:
            progress.completed += step.after / 1000
            await (caller.until if needs_the_call_to_begin(step) else caller.let_pass)(progress.completed)
            self._end_cuts_short("`after`")
        has_moved = step.after is not None or step.at is not None
        if has_moved or not isinstance(step, ExpectStep | NeverStep | BlockStep):
            progress.completed_by = None
        if has_moved or not isinstance(step, ExpectStep | BlockStep):
            progress.looks_back = None
        if isinstance(step, OF_THE_CALLER) and self._is_over(place, step):
            return None
        if isinstance(step, BlockStep):
            return await self._blocks.carry_out(place, step)
        base, progress.began = progress.completed, self._loop.time()
        done = await self._carry_out_one(place, step, following)
        if isinstance(step, OF_THE_CALLER):
            progress.since = progress.began
        elif isinstance(step, WaitStep):
            progress.since = base
        return done

    async def _carry_out_one(self, place: StepPlace, step: Step, following: Step | None) -> CarriedOut | None:
        """Carry out a step that holds no others, and whose time has come."""
        progress, caller = self._progress, self._caller
        match step:
            case ExpectStep() | NeverStep() if self._nobody_reports(step):
                note = Noted(f"step {place.number} passed over: no control URL")
                self._fixture.record(self._loop.time(), Source.CHECK, note)
                return self._carried_out(passed_over=True)
            case ExpectStep():
                met = await self._judge.expect(place, step, following)
                progress.looks_back = None
                return met
            case NeverStep():
                return self._carried_out() if await self._judge.never(place, step, caller.let_pass) else None
            case WaitStep(wait=wait):
                progress.completed += wait / 1000
                await caller.let_pass(progress.completed)
            case _:
                assert isinstance(step, OF_THE_CALLER)
                if not await caller.carry_out(step) and self._is_over(place, step):
                    return None
                if not isinstance(step, HangUpStep):
                    self._end_cuts_short(place.named(step_title(step)))
        return self._carried_out()

    def _end_cuts_short(self, what: str) -> None:
        """If the call has ended in a step, or in the pause before it, let the next one count from there."""
        end, progress = self._fixture.end, self._progress
        if end is not None and progress.completed >= end.at:
            progress.completed = end.at
            progress.cut_short = f"{what} was cut short at {self._fixture.ms(end.at) / 1000:.3f} by the end of the call"

    def _is_over(self, place: StepPlace, step: Step) -> bool:
        """Whether the call has ended; if so, log that the step has failed."""
        fixture, end = self._fixture, self._fixture.end
        if end is not None:
            ended = f"it ended at {fixture.ms(end.at) / 1000:.3f} ({end.who}: {end.reason})"
            together = ended_with_another(fixture.log.entries, fixture.other_calls())
            fixture.fail(fixture.now_ms, place, step_title(step), "the call to go on", ended, *together, *fixture.notes)
        return end is not None

    def _carried_out(self, *, passed_over: bool = False) -> CarriedOut:
        ms, progress = self._fixture.ms, self._progress
        return CarriedOut(ms(progress.began), ms(progress.completed), passed_over=passed_over)


def _state(step: Step) -> StateIs | None:
    match step:
        case ExpectStep(expect=expect):
            return expect.state
        case NeverStep(never=never):
            return never.state
    return None
