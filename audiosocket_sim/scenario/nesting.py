"""Walks through steps that hold steps (`repeat`, `any_of`, `optional`, `if_heard`), and checks their bounds. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audiosocket_sim.scenario.expectations import Expectation
from audiosocket_sim.scenario.fields import misfit
from audiosocket_sim.scenario.step_models import (
    AnyOfStep,
    ExpectStep,
    IfHeardStep,
    NeverStep,
    OptionalStep,
    RepeatStep,
    SayStep,
    Step,
)
from audiosocket_sim.scenario.written import KeyPath

__all__ = [
    "BlockStep",
    "StepPlace",
    "all_steps",
    "blocks_of",
    "check_nesting",
    "expectation_at",
    "expectations_in",
    "says_in",
    "step_at",
]

BlockStep = RepeatStep | AnyOfStep | OptionalStep | IfHeardStep
"""A step that holds steps."""

_DEEPEST = 5
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Which step of a scenario: `number`, from 1, and within a block the `path` to it, below that step's own.

    `inside` says the same for people, with the round: `round 4 of 10, step 2`.
    """

    number: int
    path: KeyPath = ()
    inside: str = ""

    def within(self, keys: KeyPath, words: str, index: int) -> "StepPlace":
        """Return the place of a step in a block of this one: under `keys`, called `words`, at `index` (from 0)."""
        inside = ", ".join(part for part in (self.inside, words, f"step {index + 1}") if part)
        return StepPlace(self.number, (*self.path, *keys, index), inside)

    def named(self, title: str) -> str:
        """Return the place in words: `step 3, round 4 of 10, step 2 (say)`."""
        return f"step {self.number}{', ' if self.inside else ''}{self.inside} ({title})"


def blocks_of(step: Step) -> Iterator[tuple[KeyPath, Sequence[Step]]]:
    """Yield the lists of steps that a step holds, each with the path to it."""
    match step:
        case RepeatStep(repeat=repeat):
            yield ("repeat", "steps"), repeat.steps
        case AnyOfStep(any_of=branches):
            for index, branch in enumerate(branches):
                yield ("any_of", index), branch
        case OptionalStep(optional=steps):
            yield ("optional",), steps
        case IfHeardStep(then=then, else_=otherwise):
            yield ("then",), then
            yield ("else",), otherwise


def all_steps(steps: Sequence[Step], path: KeyPath = ("steps",)) -> Iterator[tuple[KeyPath, Step]]:
    """Yield every step with the path to it, in the order in which they are written; a block before its steps."""
    for index, step in enumerate(steps):
        here = (*path, index)
        yield here, step
        for keys, inner in blocks_of(step):
            yield from all_steps(inner, (*here, *keys))


def says_in(steps: Sequence[Step]) -> Iterator[SayStep]:
    """Yield every step in which the caller speaks."""
    return (step for _, step in all_steps(steps) if isinstance(step, SayStep))


def expectations_in(steps: Sequence[Step]) -> Iterator[tuple[KeyPath, Expectation]]:
    """Yield everything that is expected, must never happen, or decides, with the path to its step."""
    for path, step in all_steps(steps):
        if (expectation := _expectation(step)) is not None:
            yield path, expectation


def expectation_at(steps: Sequence[Step], number: int, path: KeyPath = ()) -> Expectation | None:
    """Return what the step at this place asks for; None if it is no `expect`, `never` or `if_heard`, or not there."""
    wanted = ("steps", number - 1, *path)
    return next((found for here, found in expectations_in(steps) if here == wanted), None)


def step_at(steps: Sequence[Step], number: int, path: KeyPath = ()) -> Step | None:
    """Return the step at this place; None if there is none."""
    wanted = ("steps", number - 1, *path)
    return next((step for here, step in all_steps(steps) if here == wanted), None)


def _expectation(step: Step) -> Expectation | None:
    match step:
        case ExpectStep(expect=expect):
            return expect
        case NeverStep(never=never):
            return never
        case IfHeardStep(if_heard=expectation):
            return expectation
    return None


def check_nesting(steps: Sequence[Step]) -> None:
    """Raise a `misfit` for blocks nested too deeply, for too many steps, and for a `never` that would watch nothing."""
    for path, step in all_steps(steps):
        depth = sum(isinstance(part, str) and part in ("repeat", "any_of", "optional", "then", "else") for part in path)
        if depth > _DEEPEST:
            raise misfit(f"nested too deeply: at most {_DEEPEST} blocks within each other", *path)
        if isinstance(step, RepeatStep) and (last := _last(step.repeat.steps)) is not None:
            why = "in a round it would watch nothing: it ends with the round, so write it first, or give it `for`"
            raise misfit(why, *path, "repeat", "steps", *last)
    if _carried_out(steps) > _MOST_STEPS:
        raise misfit(f"more than {_MOST_STEPS} steps, rounds counted: too many for a scenario", "steps")


def _last(steps: Sequence[Step]) -> KeyPath | None:
    """Return the path to a `never` without `for` behind which no step of these comes; None if there is none."""
    index = len(steps) - 1
    if index < 0:
        return None
    last = steps[index]
    if isinstance(last, NeverStep):
        return (index, "never") if last.never.for_ is None else None
    if isinstance(last, RepeatStep):  # its own rounds are looked at when it is met
        return None
    for keys, inner in blocks_of(last):
        if (found := _last(inner)) is not None:
            return (index, *keys, *found)
    return None


def _carried_out(steps: Sequence[Step]) -> int:
    """Return how many steps are carried out at the most."""
    total = 0
    for step in steps:
        inner = [_carried_out(block) for _, block in blocks_of(step)]
        times = step.repeat.times if isinstance(step, RepeatStep) else 1
        total += 1 + times * max(inner, default=0)
    return total
