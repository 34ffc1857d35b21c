"""Runs calls in Python for code that has no event loop: a coroutine on a new loop, or a list of steps."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiosocket_sim.parties.target import parse_target
from audiosocket_sim.python_calls.arguments import refuse_after_hang_up, steps_of
from audiosocket_sim.python_calls.errors import CallMisuse, CallNotJudged, error_of
from audiosocket_sim.python_calls.phone_call import PhoneCall
from audiosocket_sim.python_calls.place import calling_place
from audiosocket_sim.python_calls.session import CallPlan, scenario_with
from audiosocket_sim.running.again import run_twice_if_inconclusive
from audiosocket_sim.running.result import Result
from audiosocket_sim.running.runner import is_virtual, loop_factory
from audiosocket_sim.running.trouble import trouble_of
from audiosocket_sim.virtual_time import VirtualTimeError

__all__ = ["CallPlayer", "require_passed", "results_of", "run_call"]


def run_call(plan: CallPlan, call: PhoneCall, body: Callable[[], Awaitable[object]]) -> None:
    """Run `body` inside the call, on a new event loop on the clock that fits the plan's target.

    Raises what the body raises, CallFailed, CallNotJudged, and TargetUsageError for an invalid target.
    """

    async def main() -> None:
        async with call:
            await body()

    choice = plan.options.target_for(plan.scenario)
    target = parse_target(choice.text, plan.options.control_url, choice.folder)
    virtual = is_virtual(target, plan.options)
    try:
        with asyncio.Runner(loop_factory=loop_factory(plan.scenario, plan.options, virtual=virtual)) as runner:
            runner.run(main())
    except VirtualTimeError as error:
        raise CallNotJudged(_stuck(call.result, error)) from error


def _stuck(result: Result, error: VirtualTimeError) -> Result:
    """Return the result of a call whose virtual clock could not go on, which ended the loop and the test."""
    trouble = trouble_of(error, result.scenario, "the test")
    stuck = replace(result, outcome=trouble.outcome, faults=(trouble.line,), details=trouble.details)
    return replace(stuck, failures=(), cannot_follow=True) if trouble.cannot_follow else stuck


class CallPlayer:
    """Makes calls for a test that is not a coroutine: each `play` is a call, with all its steps as data."""

    def __init__(self, plan: CallPlan, *, own_file: str | None = None) -> None:
        self._plan = plan
        self._own_file = own_file
        self._folder = plan.options.artefacts
        self.calls = 0
        """The number of calls made so far."""
        self._not_passed: Result | None = None
        self._results: list[Result] = []

    def play(self, steps: Iterable[Mapping[str, Any]]) -> Result:
        """Make a call of these steps, written as in YAML: `[{"say": "pt-br/sim"}, {"expect": {"hangs_up": "server"}}]`.

        Returns its result; on the real clock a call that was inconclusive is made once more. Raises CallFailed,
        CallNotJudged and CallArgumentError.
        """
        plan, place = self._plan, calling_place(self._own_file)
        checked = steps_of("play", steps, plan.scenario.folder)
        refuse_after_hang_up("play", checked, plan.scenario.asterisk)
        scenario = scenario_with(plan, checked, [place] * len(checked))
        self.calls += 1
        options = replace(plan.options, artefacts=self._numbered())
        result = run_twice_if_inconclusive(scenario, options)
        if result.interrupted:
            raise KeyboardInterrupt
        self._results.append(result)
        error = error_of(result)
        if error is not None:
            self._not_passed = self._not_passed or result
            raise error
        return result

    def _require_passed(self) -> None:
        error = None if self._not_passed is None else error_of(self._not_passed)
        if error is not None:
            raise error
        if not self.calls:
            raise CallMisuse("no call was made: give its steps to play([…])")

    def _numbered(self) -> Path | None:
        if self._folder is None or self.calls == 1:
            return self._folder
        return self._folder.with_name(f"{self._folder.name}-{self.calls}")

    def __getattr__(self, name: str) -> Any:
        if hasattr(PhoneCall, name):
            raise CallMisuse(f"{name}() is for a test that is `async def`; here give a list of steps to play([…])")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def results_of(call: PhoneCall | CallPlayer) -> list[Result]:
    """Return the results of the calls that were made to their ends."""
    if isinstance(call, CallPlayer):
        return call._results
    try:
        return [call.result]
    except CallMisuse:
        return []


def require_passed(call: PhoneCall | CallPlayer) -> None:
    """Raise the error of a call that did not pass, and CallMisuse if no call was made to its end.

    For the end of a test, which may have swallowed that error or never have opened the call. Of several calls the first
    that did not pass counts.
    """
    call._require_passed()
