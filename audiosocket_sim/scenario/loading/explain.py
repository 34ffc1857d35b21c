"""Puts pydantic's errors into plain words: what is wrong, what would be right, and the path to it in the file.

Pure: neither reads files nor knows YAML. The texts of checks across fields come from the models themselves.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audiosocket_sim.scenario import Scenario, step_models
from audiosocket_sim.scenario.expectations import Never, Within
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["explain"]

_MOST_EXPLAINED = 1000
"""The limit of problems for one file: the search for the nearest valid word takes 0.3 ms for each."""

_STEP_MODELS: Mapping[str, type[BaseModel]] = {
    key: getattr(step_models, f"{''.join(part.title() for part in key.split('_'))}Step")
    for key in step_models.STEP_KEYS
}

_OF_STEPS = ("steps", "any_of", "optional", "then", "else_")
"""The fields that hold steps."""
_OF_ALL_STEPS = "at"
"""What every step may have: a misplaced key belongs rather to what is the step's own."""

_NEEDS = {
    "string_type": "needs text in quotes",
    "int_type": "needs a whole number",
    "int_from_float": "needs a whole number",
    "float_type": "needs a number",
    "finite_number": "needs a number that is finite",
    "bool_type": "needs true or false",
    "dict_type": "needs a mapping (`key: value`)",
    "model_type": "needs a mapping (`key: value`)",
    "tuple_type": "needs a list (lines that begin with `- `)",
}
_LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(
    error: ValidationError, written: Callable[[KeyPath], KeyPath], model: type[BaseModel] = Scenario
) -> Iterator[tuple[KeyPath, bool, str]]:
    """Yield for each error: its path, True if the key at the path is wrong (False: the value), and a line for people.

    `written` returns the part of a path that exists in the file: for the short form `say: x` the path of `say`, not of
    `say.recording`. `model`: the model as which the file was read.
    """
    found = error.errors(include_url=False)[:_MOST_EXPLAINED]
    meant = {(details["loc"][:-1], _meant(details, model)) for details in found if details["type"] == "extra_forbidden"}
    for details in found:
        path = tuple(part for part in details["loc"] if not _is_tag(part))
        if details["type"] == "extra_forbidden":
            yield path, True, _unknown_key(details, model)
        elif details["type"] == "step_kind":
            yield path, False, _unknown_step(details["input"])
        elif details["type"] == "missing":
            if (details["loc"][:-1], path[-1]) not in meant:  # otherwise the error of the misspelt key says so
                yield path[:-1], False, _named(path[:-1], f"the key {path[-1]!r} is missing")
        else:
            at = (*path, *details["ctx"]["at"]) if details["type"] == "misfit" else path
            yield at, False, _named(written(at), _wrong_value(details))


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith(step_models.STEP_TAG_PREFIX)


def _named(path: KeyPath, message: str) -> str:
    """Return the message with its key in front: in a line of `{…}` a key is easier to find than a column."""
    name = path[-1] if path else None
    if not isinstance(name, str) or message.startswith((f"{name} ", f"{name}: ")):
        return message
    return f"{name}: {message}"


def _wrong_value(details: ErrorDetails) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "model_type" and value is None:
        return "needs a value"
    if kind in _NEEDS:
        return f"{_NEEDS[kind]}, not {_shown(value)}"
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"must be {words} {context[key]:g}, not {_shown(value)}"
    if kind == "literal_error":
        near = _nearest(str(value), re.findall(r"'([^']*)'", context["expected"]))
        return f"must be {context['expected'].replace(chr(39), '')}, not {_shown(value)}{near}"
    return details["msg"].replace("Input should be", "must be").replace("Input should", "must")


def _shown(value: Any) -> str:
    """Return a value in few words, much as YAML writes it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _near(word: str, words: Sequence[str]) -> str | None:
    """Return the nearest of the words, whatever the case of `word`; None if none is near."""
    for variant in (word, word.lower(), word.upper()):
        if found := get_close_matches(variant, words, n=1):
            return found[0]
    return None


def _nearest(word: str, words: Sequence[str]) -> str:
    near = _near(word, words)
    return f"; did you mean {near!r}?" if near else ""


# --- keys ---------------------------------------------------------------------------------------------------------


def _meant(details: ErrorDetails, root: type[BaseModel]) -> str | None:
    """Return the known key that is nearest to the unknown one, or None."""
    return _near(str(details["loc"][-1]), _keys(_models_along(details["loc"], root)[-1]))


def _unknown_key(details: ErrorDetails, root: type[BaseModel]) -> str:
    """Return the message for an unknown key: where the key would be valid, or which key was probably meant."""
    key = str(details["loc"][-1])
    *outer, model = _models_along(details["loc"], root)
    for name, child in sorted(_children(model), key=lambda one: one[0] == _OF_ALL_STEPS):
        if key in _keys(child):
            return f"unknown key {key!r} here; it belongs inside `{name}`"
    if outer and key in _keys(outer[-1]):
        return f"unknown key {key!r} here; it belongs one level further out"
    for one, other, name in ((Within, Never, "never"), (Never, Within, "expect")):
        if issubclass(model, one) and key in _keys(other):
            return f"unknown key {key!r} here; it belongs to `{name}`"
    meant = _meant(details, root)
    return f"unknown key {key!r}; " + (f"did you mean {meant!r}?" if meant else f"known are {', '.join(_keys(model))}")


def _unknown_step(value: Any) -> str:
    keys = step_models.STEP_KEYS
    if not isinstance(value, dict):
        return f"a step is a mapping, such as `say: pt-br/sim` or `hang_up: close`, not {_shown(value)}"
    found = step_models.step_keys(value)
    if len(found) > 1:
        return f"this step has {' and '.join(found)}: write them as {len(found)} steps"
    for unknown in value:
        if near := _nearest(unknown, [*keys, step_models.INCLUDE_KEY]):
            return f"unknown step {unknown!r}{near}"
    return f"a step has exactly one of: {', '.join(keys)}"


def _models_along(loc: KeyPath, root: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that enclose the last part of an error's path, outermost first."""
    models: list[type[BaseModel]] = [root]
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        if _is_tag(part):
            models.append(_STEP_MODELS[part.removeprefix(step_models.STEP_TAG_PREFIX)])
            continue
        inner = dict(_children(models[-1])).get(part)
        if inner is not None:
            models.append(inner)
    return models


def _keys(model: type[BaseModel]) -> list[str]:
    names = (info.alias or name for name, info in model.model_fields.items())
    return [name for name in names if not name.startswith("(")]


def _children(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the keys whose values are models themselves, without those of steps, which are recognised by their tags."""
    for name, info in model.model_fields.items():
        inner = None if name in _OF_STEPS else _model_in(info.annotation)
        if inner is not None:
            yield info.alias or name, inner


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
