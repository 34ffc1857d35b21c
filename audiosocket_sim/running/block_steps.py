"""Carries out the steps that hold steps: `repeat`, `any_of`, `optional`, `if_heard`. One step at a time, as all are."""

from collections.abc import Awaitable, Callable, Sequence

from audiosocket_sim.running.expectation_steps import Alternative, ExpectationSteps
from audiosocket_sim.running.progress import CarriedOut, step_title
from audiosocket_sim.scenario import (
    AnyOfStep,
    BlockStep,
    ExpectStep,
    IfHeardStep,
    OptionalStep,
    RepeatStep,
    Step,
    StepPlace,
)
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["BlockSteps"]


class BlockSteps:
    """The blocks of one call. `do`: carries out a step at its place, and returns None if it failed."""

    def __init__(
        self,
        judge: ExpectationSteps,
        do: Callable[[StepPlace, Step], Awaitable[CarriedOut | None]],
        carried_out: Callable[[], CarriedOut],
    ) -> None:
        self._judge = judge
        self._do = do
        self._carried_out = carried_out

    async def carry_out(self, place: StepPlace, step: BlockStep) -> CarriedOut | None:
        """Carry out a block; None if it failed."""
        match step:
            case RepeatStep():
                return await self._repeat(place, step)
            case AnyOfStep():
                return await self._any_of(place, step)
            case OptionalStep(optional=steps):
                first = _decides(place.within(("optional",), "optional", 0), steps, "there")
                return await self._if(place, step, first, (("optional",), "optional", steps, 1))
            case IfHeardStep(if_heard=expected, then=then, else_=otherwise):
                first = Alternative(place, step_title(step), expected, "heard")
                return await self._if(
                    place, step, first, (("then",), "then", then, 0), (("else",), "else", otherwise, 0)
                )

    async def _repeat(self, place: StepPlace, step: RepeatStep) -> CarriedOut | None:
        times = step.repeat.times
        for number in range(1, times + 1):
            watching = self._judge.watching
            held = await self._all(place, ("repeat", "steps"), f"round {number} of {times}", step.repeat.steps)
            self._judge.end_round(watching)
            if not held:
                return None
        return self._carried_out()

    async def _any_of(self, place: StepPlace, step: AnyOfStep) -> CarriedOut | None:
        choices = [
            _decides(place.within(("any_of", index), f"branch {index + 1}", 0), branch, "met")
            for index, branch in enumerate(step.any_of)
        ]
        found = await self._judge.choose(place, step_title(step), choices)
        if found is None or found.branch is None:
            return None
        branch = found.branch
        held = await self._all(place, ("any_of", branch), f"branch {branch + 1}", step.any_of[branch], first=1)
        return CarriedOut(found.at_ms, self._carried_out().completed_ms, branch=branch) if held else None

    async def _if(
        self,
        place: StepPlace,
        step: BlockStep,
        decides: Alternative,
        then: tuple[KeyPath, str, Sequence[Step], int],
        otherwise: tuple[KeyPath, str, Sequence[Step], int] | None = None,
    ) -> CarriedOut | None:
        """Carry out the one block or the other, each with its keys, its words, and the index of its first step."""
        found = await self._judge.happens(place, step_title(step), decides)
        chosen = then if found is not None else otherwise
        if chosen is not None:
            keys, words, steps, first = chosen
            if not await self._all(place, keys, words, steps, first=first):
                return None
        done = self._carried_out()
        if found is None:
            return done
        return CarriedOut(found.at_ms, done.completed_ms, branch=0)

    async def _all(self, place: StepPlace, keys: KeyPath, words: str, steps: Sequence[Step], *, first: int = 0) -> bool:
        """Carry out the steps from `first` on, one after the other. Returns False as soon as one fails."""
        for index, step in enumerate(steps[first:], first):
            if await self._do(place.within(keys, words, index), step) is None:
                return False
        return True


def _decides(place: StepPlace, steps: Sequence[Step], words: str) -> Alternative:
    """Return the first of these steps, which decides: the model has seen to it that it is an `expect`."""
    first = steps[0]
    assert isinstance(first, ExpectStep)
    return Alternative(place, step_title(first), first.expect, words)
