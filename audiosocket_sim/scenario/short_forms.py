"""Where a single value may stand for a mapping in a scenario, and which values are always text. Pure.

`asterisk: "22.10"` is short for `asterisk: {version: "22.10"}`: whoever joins two parts of a scenario has to know it.
"""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from audiosocket_sim.scenario.fields import Shorthand
from audiosocket_sim.scenario.model import Scenario
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["is_text", "short_form_key"]


def short_form_key(path: KeyPath) -> str | None:
    """Return the key for which a single value at the path stands: `version` for `asterisk`; None if for none."""
    info = _field(path)
    if info is None:
        return None
    marks = [*info.metadata, *_parts(info.annotation)]
    return next((mark.key for mark in marks if isinstance(mark, Shorthand)), None)


def is_text(path: KeyPath) -> bool:
    """Whether the value at the path, or the one for which its short form stands, is text and never a number."""
    key = short_form_key(path)
    info = _field(path if key is None else (*path, key))
    if info is None:
        return False
    parts = set(_types(info.annotation))
    return str in parts and not parts & {int, float, bool}


def _field(path: KeyPath) -> FieldInfo | None:
    """Return the field at a path of keys; None within lists and free mappings, and for unknown keys."""
    model: type[BaseModel] | None = Scenario
    info: FieldInfo | None = None
    for key in path:
        if model is None:
            return None
        info = next((one for name, one in model.model_fields.items() if (one.alias or name) == key), None)
        if info is None:
            return None
        model = next((part for part in _types(info.annotation) if issubclass(part, BaseModel)), None)
    return info


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield all parts of an annotation but those within lists and mappings, marks included."""
    yield annotation
    if not isinstance(annotation, type):  # such as `tuple[str, ...]`, whose origin is one
        for part in get_args(annotation):
            yield from _parts(part)


def _types(annotation: Any) -> Iterator[type]:
    yield from (part for part in _parts(annotation) if isinstance(part, type))
