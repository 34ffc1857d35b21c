"""One call in Python from its first step to its result: the first step sets it up, each step is carried out by the
executor of YAML scenarios, and failures name the line of the test."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from audiosocket_sim.scenario import Say, Scenario, Step, Within, expectations_in
from audiosocket_sim.scenario.written import KeyPath, Written

__all__ = ["CallPlan", "CallSession", "scenario_with"]

_HEADER_KEYS = ("ai", "max_duration", "target", "server")
"""Parts of a call that belong to the line that makes the call, and not to a step."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """The parts of a call before its first step. `scenario` has no steps yet."""

    scenario: Scenario
    options: Options
    says: tuple[Say, ...]
    """Texts that the caller may say and that are in no phrase book: the bot's embedded recogniser learns them."""
    place: CodePlace
    """The line that makes the call."""


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
        self._undone: dict[int, str] = {}
        """Why a step was not carried out to its end, one line for each such step, by its number."""
        self._result: Result | None = None
        self._concluding = asyncio.Lock()

    @property
    def result(self) -> Result:
        """The result of the call. Raises CallMisuse before the end of the call."""
        if self._result is None:
            raise CallMisuse("the call has no result before its end")
        return self._result

    @property
    def is_over(self) -> bool:
        """Whether the call has its result."""
        return self._result is not None

    def announce(self, what: str) -> int:
        """Note a step that must be awaited, and return the number for `begun`."""
        self._announced += 1
        self._undone[self._announced] = f"{what} was never awaited: write `await call.{what.split()[0]}(…)`"
        return self._announced

    @contextmanager
    def begun(self, number: int, what: str) -> Iterator[None]:
        """Note that the step with this number is being awaited, and at the end of the block whether it was done."""
        self._undone[number] = f"{what} was still going on at the end: await it"
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            why = "was cancelled before its end: limit it by `within=…`, and for what must not happen use `never_…`"
            self._undone[number] = f"{what} {why}"
            raise
        except CallMisuse as error:
            self._undone[number] = str(error)
            raise
        except Exception as error:
            self._undone[number] = f"{what} was refused: {error}"
            raise
        del self._undone[number]

    def enter(self) -> None:
        """Open the call for steps; `end` must follow. Raises CallMisuse if it was open before."""
        if self._entered:
            raise CallMisuse("a call can be entered once")
        self._entered = True

    async def carry_out(self, what: str, step: Step, place: CodePlace) -> CarriedOut:
        """Carry out one step; the first sets the call up and dials.

        Raises CallFailed if the step fails, and CallNotJudged if something other than the bot is at fault; both end the
        call. Also raises CallMisuse and CallArgumentError, after which the call goes on.
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
        """End the call: hang up if it is still in progress, judge it, write its files.

        `error`: the exception that the test's own code raised; it gets notes with the paths of the files. Without one,
        raises CallFailed or CallNotJudged if the call did not pass, even if a step has raised it before: the test may
        have swallowed that, or it was raised in a task that nobody awaited.
        """
        async with self._concluding:  # by a step that failed in another task
            pass
        if error is not None:
            if self._result is None:
                await self._end_after(error)
            return
        if self._result is not None:
            self._raise_verdict()
            return
        if self._undone:
            self._blame(Trouble(Outcome.INVALID, next(iter(self._undone.values()))))
        elif self._call is None:
            place = self._plan.place
            self._blame(Trouble(Outcome.INVALID, f"{place}: no call was made: the test has no step of it"))
        await self._conclude(held=self._one().trouble is None)
        self._raise_verdict()

    def require_passed(self) -> None:
        """Raise CallFailed or CallNotJudged if the call did not pass, and CallMisuse if it was not made to its end."""
        around = "write `async with …:` around its steps"
        if self._result is not None:
            self._raise_verdict()
        elif self._undone:
            raise CallMisuse(next(iter(self._undone.values())))
        elif self._entered:
            raise CallMisuse(f"the call was never ended: {around}")
        else:
            raise CallMisuse(f"no call was made: {around}")

    async def _try(self, step: Step) -> CarriedOut | None:
        """Carry out the step. Returns None if it failed, or if something else is at fault, which is noted."""
        try:
            call = await self._dialled()
            assert call.steps is not None
            for _, expected in expectations_in([step]):
                if isinstance(expected, Within) and expected.bot_says is not None:
                    for text in expected.bot_says.texts:
                        await call.let_the_ear_read(text)
            for music in _hold_music_of(step):
                call.let_the_ear_know(music)
            return await call.in_time(call.steps.carry_out(len(self._steps), step))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it becomes the call's result
            self._one().blame(error)
            self._broken = True
            return None

    async def _dialled(self) -> OneCall:
        """Return the call, which the first step sets up. Raises TargetError, and what `OneCall.set_up` raises."""
        if self._call is not None:
            return self._call
        call, options = self._one(), self._plan.options
        choice = options.target_for(call.scenario)
        target = parse_target(choice.text, options.control_url, choice.folder)
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
        """Write the files of a call whose test raised an error, and add their paths to the error's notes."""
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
        """End the call and make its result, unless another task has done so: a step may fail as the test ends."""
        async with self._concluding:
            if self._result is None:
                await self._take_down(held=held, error=error)

    async def _take_down(self, *, held: bool, error: BaseException | None) -> None:
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


def _hold_music_of(step: Step) -> list[str]:
    """Return the files of the hold audio that a step, or the steps in it, expect."""
    held = [expected.hold_audio for _, expected in expectations_in([step])]
    return [hold.file for hold in held if hold is not None and hold.file is not None]


def scenario_with(plan: CallPlan, steps: Sequence[Step], places: Sequence[CodePlace]) -> Scenario:
    """Return the plan's scenario with these steps and the lines of code on which each is written."""
    written: dict[KeyPath, tuple[int, int]] = {(key,): (plan.place.line, 1) for key in _HEADER_KEYS}
    files: dict[KeyPath, str] = {}
    for index, place in enumerate(places):
        written["steps", index] = (place.line, 1)
        files["steps", index] = place.file
    update = {"steps": tuple(steps), "written": Written(plan.place.file, written, files)}
    return plan.scenario.model_copy(update=update)


def _on_virtual_clock() -> bool:
    return bool(getattr(asyncio.get_running_loop(), "clock_is_virtual", False))
