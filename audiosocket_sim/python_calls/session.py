"""One call in Python from its first step to its result: sets it up late, hands each step to the executor that YAML
scenarios use, ends it, and says where in the test each step stands."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_sim.parties.target import TargetUsageError, parse_target
from audiosocket_sim.python_calls.arguments import refuse_after_hang_up
from audiosocket_sim.python_calls.errors import CallMisuse, error_of
from audiosocket_sim.python_calls.place import CodePlace
from audiosocket_sim.running.one_call import OneCall
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.progress import CarriedOut
from audiosocket_sim.running.report_lines import file_lines
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.running.runner import is_virtual
from audiosocket_sim.running.trouble import Trouble
from audiosocket_sim.scenario import ExpectStep, Say, Scenario, Step
from audiosocket_sim.scenario.written import KeyPath, Written

__all__ = ["CallPlan", "CallSession", "scenario_with"]

_HEADER_KEYS = ("ai", "max_duration", "target", "server")
"""Parts of a call that are given where the call is made, and not by a step."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is known of a call before its first step. `scenario` has no steps yet."""

    scenario: Scenario
    options: Options
    says: tuple[Say, ...]
    """What the caller may say in words of his own: a recogniser that knows only given sentences learns them."""
    place: CodePlace
    """Where the call is made."""


class CallSession:
    """The steps of one call so far, and the call itself once it was dialled. Belongs to one running loop."""

    def __init__(self, plan: CallPlan) -> None:
        self._plan = plan
        self._call: OneCall | None = None
        self._steps: list[Step] = []
        self._places: list[CodePlace] = []
        self._doing = ""
        self._broken = False
        self._entered = False
        self._announced = 0
        self._waiting: dict[int, str] = {}
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """How the call went. Raises CallMisuse before its end."""
        if self._result is None:
            raise CallMisuse("the call has no result before its end")
        return self._result

    @property
    def is_over(self) -> bool:
        """Whether the call has its result."""
        return self._result is not None

    def announce(self, what: str) -> int:
        """Note a step that was written and must be awaited. Returns the number to call `begin` with."""
        self._announced += 1
        self._waiting[self._announced] = what
        return self._announced

    def begin(self, number: int) -> None:
        """The step with this number is being awaited."""
        del self._waiting[number]

    def enter(self) -> None:
        """From here on steps can be carried out; `end` must follow."""
        if self._entered:
            raise CallMisuse("a call can be entered once")
        self._entered = True

    async def carry_out(self, what: str, step: Step, place: CodePlace) -> CarriedOut:
        """Carry out one step; the first sets the call up and dials.

        Raises CallFailed where it does not hold and CallNotJudged where something else is at fault; the call is ended
        before that. Raises CallMisuse and CallArgumentError, which leave the call as it is.
        """
        if not self._entered:
            raise CallMisuse(f"{what} at {place}: the call is not open: write `async with place_call(…) as call:`")
        if self._result is not None:
            raise CallMisuse(f"{what} at {place}: the call is over ({self._result.outcome})")
        if self._doing:
            raise CallMisuse(f"{what} at {place}: one step at a time, and {self._doing} is still going on")
        refuse_after_hang_up(what, [*self._steps, step], self._plan.scenario.asterisk)
        self._steps.append(step)
        self._places.append(place)
        self._doing = f"{what} at {place}"
        try:
            held = await self._try(step)
        finally:
            self._doing = ""
        if held is None:
            await self._conclude(held=False)
            self._raise_verdict()
        assert held is not None
        return held

    async def end(self, error: BaseException | None = None) -> None:
        """End the call: hang up if nobody has, judge it, write its files. `error`: what the test's own code raised.

        Raises CallFailed or CallNotJudged, unless there was an error: then its text gets the paths of the files.
        """
        if self._result is not None:
            return
        if error is not None:
            await self._end_after(error)
            return
        if self._waiting:
            what = next(iter(self._waiting.values()))
            self._blame(Trouble(Outcome.INVALID, f"{what} was never awaited: write `await call.{what.split()[0]}(…)`"))
        elif self._call is None:
            place = self._plan.place
            self._blame(Trouble(Outcome.INVALID, f"{place}: no call was made: the test has no step of it"))
        await self._conclude(held=self._one().trouble is None)
        self._raise_verdict()

    async def _try(self, step: Step) -> CarriedOut | None:
        """Carry the step out. None: it did not hold, or something is at fault, which is noted."""
        try:
            call = await self._dialled()
            assert call.steps is not None
            if isinstance(step, ExpectStep) and step.expect.bot_says is not None:
                await call.let_the_ear_read(step.expect.bot_says.text)
            return await call.in_time(call.steps.carry_out(len(self._steps), step))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it becomes the call's result
            self._one().blame(error)
            self._broken = True
            return None

    async def _dialled(self) -> OneCall:
        """The call, set up by its first step. Raises TargetError and what is wrong with the set-up."""
        if self._call is not None:
            return self._call
        call, options = self._one(), self._plan.options
        choice = options.target_for(call.scenario)
        target = parse_target(choice.text, options.control_url)
        if _on_virtual_clock() and not is_virtual(target, options):
            raise TargetUsageError(f"{choice.visible} needs the real clock, and the running loop's clock is virtual")
        await call.set_up(target)
        return call

    def _one(self) -> OneCall:
        if self._call is None:
            plan = self._plan
            scenario = scenario_with(plan, (), ())
            self._call = OneCall(scenario, plan.options, virtual=_on_virtual_clock(), more_says=plan.says)
        return self._call

    def _blame(self, trouble: Trouble) -> None:
        call = self._one()
        call.trouble = call.trouble or trouble

    async def _end_after(self, error: BaseException) -> None:
        """Leave the files of a call whose test raised an error, and their paths in the error's notes."""
        if self._call is None:
            return
        if isinstance(error, Exception):
            said = " ".join(str(error).split())
            after = f"after step {len(self._steps)}" if self._steps else "before the first step"
            line = f"the test raised {type(error).__name__} {after}{': ' if said else ''}{said[:200]}"
            self._blame(Trouble(Outcome.FAILED, line))
        else:  # cancelled, interrupted or skipped
            self._blame(Trouble(Outcome.INCONCLUSIVE, f"the test was ended by {type(error).__name__}"))
        await self._conclude(held=False, error=error)
        for line in file_lines(self.result):
            error.add_note(line)

    async def _conclude(self, *, held: bool, error: BaseException | None = None) -> None:
        """Hang up and judge, unless the call is broken or the test must end at once; take it down; make the result."""
        call = self._one()
        at_once = self._broken or (error is not None and not isinstance(error, Exception))
        try:
            if call.steps is not None and not at_once:
                call.held = await call.in_time(call.steps.end(held=held)) or False
        except Exception as raised:  # noqa: BLE001 - it becomes the call's result
            call.blame(raised)
            error = error or raised
        try:
            await call.take_down(error)
        except Exception as raised:  # noqa: BLE001 - likewise
            call.blame(raised)
        finally:
            call.scenario = scenario_with(self._plan, self._steps, self._places)
            self._result = call.conclude()

    def _raise_verdict(self) -> None:
        error = error_of(self.result)
        if error is not None:
            raise error from None


def scenario_with(plan: CallPlan, steps: Sequence[Step], places: Sequence[CodePlace]) -> Scenario:
    """The plan's scenario with these steps, and where each of them stands, for what a failure says."""
    written: dict[KeyPath, tuple[int, int]] = {(key,): (plan.place.line, 1) for key in _HEADER_KEYS}
    files: dict[KeyPath, str] = {}
    for index, place in enumerate(places):
        written["steps", index] = (place.line, 1)
        files["steps", index] = place.file
    update = {"steps": tuple(steps), "written": Written(plan.place.file, written, files)}
    return plan.scenario.model_copy(update=update)


def _on_virtual_clock() -> bool:
    return bool(getattr(asyncio.get_running_loop(), "clock_is_virtual", False))
