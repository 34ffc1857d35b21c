"""Converts the arguments of Python calls to the models of scenarios, and reports errors in one form.

Pure, except that recordings and sound files are looked up by their names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from audiosocket_sim.scenario import Anchor, AsteriskPeer, Say, SayStep, Scenario, Step, all_steps
from audiosocket_sim.scenario.loading import say_problems
from audiosocket_sim.scenario.loading.explain import explain
from audiosocket_sim.scenario.model import check_hang_up

__all__ = [
    "CallArgumentError",
    "anchor_of",
    "duration",
    "refuse_after_hang_up",
    "says_of",
    "scenario_of",
    "step_of",
    "steps_of",
]

_T = TypeVar("_T")
_ANY_STEP: TypeAdapter[Step] = TypeAdapter(Step)
_NO_STEPS = [{"wait": "1ms"}]
"""A placeholder for the steps of a call that has none yet: the model of a scenario needs at least one."""


class CallArgumentError(ValueError):
    """An argument of a call in Python is wrong. The message is one line: which one, what is wrong, the nearest valid
    value."""


def duration(value: float | str | None, *, name: str) -> str | None:
    """Return a length of time as YAML writes it: a number of seconds becomes `300ms`; a text and None stay the same.

    Numbers are rounded to whole milliseconds. `name`: the argument's name for errors. Raises CallArgumentError.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise CallArgumentError(f"{name}: seconds, 0 to 86400, or a text such as '300ms', not {value!r}")
    return f"{round(value * 1000)}ms"


def step_of(what: str, data: Mapping[str, Any], folder: Path | None) -> Step:
    """Return the step that `data`, in the form of YAML, describes. `what`: the method or place that errors name first.

    `folder`: the folder to which the names of sound files are relative. Raises CallArgumentError.
    """
    step: Step = _checked(what, lambda: _ANY_STEP.validate_python(dict(data), by_alias=True, by_name=False))
    for _, one in all_steps([step]):
        if not isinstance(one, SayStep):
            continue
        for _, problem in say_problems(one.say.model_dump(include={"recording", "file"}), folder):
            raise CallArgumentError(_said_of(what, problem))
    return step


def steps_of(what: str, data: Iterable[Mapping[str, Any]], folder: Path | None) -> tuple[Step, ...]:
    """Return the steps that `data` describes in the form of YAML. Raises CallArgumentError with all that is wrong."""
    if isinstance(data, str | bytes | Mapping) or not isinstance(data, Iterable):
        raise CallArgumentError(f"{what}: needs a list of steps, such as [{{'say': 'pt-br/sim'}}], not {data!r}")
    steps, problems = [], []
    for number, one in enumerate(data, 1):
        try:
            if not isinstance(one, Mapping):
                raise CallArgumentError(f"step {number}: a step is a mapping, such as {{'wait': '1s'}}, not {one!r}")
            steps.append(step_of(f"step {number}", one, folder))
        except CallArgumentError as error:
            problems.append(str(error))
    if problems:
        raise CallArgumentError(f"{what}: {'; '.join(problems)}")
    if not steps:
        raise CallArgumentError(f"{what}: needs one step at least")
    return tuple(steps)


def anchor_of(data: Mapping[str, Any]) -> Anchor:
    """Return the event from which a step counts, as below `at:` in YAML. Raises CallArgumentError."""
    return _checked("event", lambda: Anchor.model_validate(dict(data), by_alias=True, by_name=False), Anchor)


def refuse_after_hang_up(what: str, steps: Sequence[Step], asterisk: AsteriskPeer) -> None:
    """Raise CallArgumentError if one of the steps cannot follow a hang-up, or is a hang-up that is not possible."""
    try:
        check_hang_up(steps, asterisk)
    except PydanticCustomError as error:
        raise CallArgumentError(f"{what}: {error}") from None


def says_of(what: str, data: Iterable[str | Mapping[str, Any]], folder: Path | None) -> tuple[Say, ...]:
    """Return sounds that the caller may say: texts for the synthetic voice, or mappings as below `say:` in YAML.

    Raises CallArgumentError.
    """
    if isinstance(data, str | bytes | Mapping) or not isinstance(data, Iterable):
        raise CallArgumentError(f"{what}: needs a list of texts, not {data!r}")
    says = []
    for one in data:
        written = {"text": one} if isinstance(one, str) else one
        validate = partial(Say.model_validate, written, by_alias=True, by_name=False)
        says.append(_checked(what, validate, Say))
        for _, problem in say_problems(written, folder):
            raise CallArgumentError(f"{what}: {problem}")
    return tuple(says)


def scenario_of(
    what: str, name: str, folder: Path, settings: Mapping[str, Any], steps: Sequence[Step] = ()
) -> Scenario:
    """Return the scenario of a call in Python. Raises CallArgumentError.

    `settings`: the keys of a scenario in YAML, without `steps`; a value of None keeps the default.
    """
    written = {key: value for key, value in settings.items() if value is not None}
    for key in ("reaction", "max_duration"):
        if key in written:
            written[key] = duration(written[key], name=f"{what}: {key}")
    made = _checked(
        what,
        lambda: Scenario.model_validate(
            {"summary": "A call in Python.", **written, "steps": list(steps) or _NO_STEPS}, by_alias=True, by_name=False
        ),
        Scenario,
    )
    return made.model_copy(update={"name": name, "folder": folder, "steps": tuple(steps)})


def _checked(what: str, make: Callable[[], _T], model: type[BaseModel] = Scenario) -> _T:
    try:
        return make()
    except ValidationError as error:
        raise CallArgumentError(_said_of(what, "; ".join(_explained(error, model)))) from None


def _said_of(what: str, problem: str) -> str:
    """Return the problem with the name of the method in front, unless it begins with that name."""
    return problem if problem.startswith((f"{what}: ", f"{what} ")) else f"{what}: {problem}"


def _explained(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line per error, with its path of keys: `line: codec: must be ulaw, alaw, gsm or none, not 'x'`."""
    lines = []
    for path, _, message in explain(error, lambda path: path, model):
        keys = [f"{part + 1}." if isinstance(part, int) else f"{part}:" for part in path[:-1]]
        lines.append(" ".join([*keys, message]))
    return list(dict.fromkeys(lines))
