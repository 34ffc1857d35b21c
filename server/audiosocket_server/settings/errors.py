"""Validation of settings, with errors to act on: one line with the place, the key, its value, and what was expected.

Merges the sources of the settings and lets pydantic validate them. Knows no particular setting, and shows no secret.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["ConfigError", "SettingKey", "SettingSource", "did_you_mean", "sections_of", "validated"]

SettingKey = tuple[str, ...]
_Model = TypeVar("_Model", bound=BaseModel)


class ConfigError(ValueError):
    """At least one setting is wrong. `problems`: one line each, complete.

    `keys`: the path of each wrong key. `words`: the same problems without their place, in the order of `keys`. A caller
    that has read the settings from a file of its own can add the place in that file (docs/targets.md).
    """

    def __init__(self, *problems: str, keys: Sequence[SettingKey] = (), words: Sequence[str] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.keys = tuple(keys)
        self.words = tuple(words)


@dataclass(frozen=True, slots=True)
class SettingSource:
    """The settings from one place.

    `label`: the name of the place, for errors; `values`: sections of keys; `names`: for an environment, the name of the
    variable of each key.
    """

    label: str
    values: Mapping[str, Any]
    names: Mapping[SettingKey, str] = field(default_factory=dict)

    def holds(self, key: SettingKey) -> bool:
        """Return True if this place sets `key`."""
        here: object = self.values
        for part in key:
            if not isinstance(here, Mapping) or part not in here:
                return False
            here = here[part]
        return True


def validated(model: type[_Model], sources: Sequence[SettingSource]) -> _Model:
    """Merge the sources, of which a later one overrides an earlier one key by key, and validate. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for source in sources:
        for section, values in source.values.items():
            known = merged.get(section)
            merged[section] = {**known, **values} if isinstance(known, dict) and isinstance(values, Mapping) else values
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        details = error.errors(include_url=False)
        keys = [_key_of(detail["loc"]) for detail in details]
        lines = [_line(model, detail, key, sources) for detail, key in zip(details, keys, strict=True)]
        words = [_words(model, detail, key) for detail, key in zip(details, keys, strict=True)]
        raise ConfigError(*dict.fromkeys(lines), keys=keys, words=words) from None


_NEARLY_THE_SAME = 0.9
"""The likeness of two names, from 0 to 1, of which one is a slip of the pen."""


def did_you_mean(wrong: str, candidates: Iterable[str], *, quote: str = "") -> str:
    """Return `; did you mean …?` with the candidate nearest to `wrong`, or "" if none is near."""
    near = difflib.get_close_matches(wrong, list(candidates), n=1, cutoff=0.6)
    return f"; did you mean {quote}{near[0]}{quote}?" if near else ""


def _line(model: type[BaseModel], detail: ErrorDetails, key: SettingKey, sources: Sequence[SettingSource]) -> str:
    source = next(
        (s for s in reversed(sources) if s.holds(key)), sources[-1] if sources else SettingSource("settings", {})
    )
    name = source.names.get(key, ".".join(key))
    where = f"{source.label}: {name}" if name else source.label
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown {'key' if len(key) > 1 else 'section'}{_nearest(model, key)}"
    if detail["type"] == "value_error" and len(key) < 2:
        return f"{where}: {_expected(detail)}"
    return f"{where}: {_shown(model, key, detail['input'])}: {_expected(detail)}"


def _words(model: type[BaseModel], detail: ErrorDetails, key: SettingKey) -> str:
    """Return the error text to show next to the key: without its path."""
    if detail["type"] == "extra_forbidden":
        near = _nearest(model, key, quote="'")
        return f"unknown key {key[-1]!r}{near}"
    if detail["type"] == "value_error" and len(key) < 2:
        return _expected(detail)
    return f"{key[-1]}: {_shown(model, key, detail['input'])}: {_expected(detail)}"


def _key_of(loc: tuple[int | str, ...]) -> SettingKey:
    """Return the path of the setting, without the list index or the branch of a union that pydantic appends."""
    return tuple(str(part) for part in loc[:2])


_EXPECTED = {
    "model_type": "an object of keys",
    "model_attributes_type": "an object of keys",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "string_type": "text",
    "string_too_short": "some text",
}


def _expected(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(limits["error"])
    if detail["type"] == "greater_than":
        return f"expected more than {limits['gt']:g}"
    if detail["type"] == "greater_than_equal":
        return f"expected {limits['ge']:g} or more"
    if detail["type"] == "less_than_equal":
        return f"expected {limits['le']:g} or less"
    plain = _EXPECTED.get(detail["type"])
    return f"expected {plain}" if plain else detail["msg"].replace("Input should be", "expected")


def _nearest(model: type[BaseModel], key: SettingKey, *, quote: str = "") -> str:
    """Suggest a valid key: one of another section, by its path, if that is nearly the same; else the nearest."""
    sections = sections_of(model)
    siblings = sections.get(key[0], {}) if len(key) > 1 else sections
    paths = {name: f"{section}.{name}" for section, names in sections.items() for name in names}
    for names, cutoff in ((siblings, _NEARLY_THE_SAME), (paths, _NEARLY_THE_SAME), (siblings, 0.6), (paths, 0.6)):
        if near := difflib.get_close_matches(key[-1], names, n=1, cutoff=cutoff):
            name = near[0] if names is siblings else paths[near[0]]
            return f"; did you mean {quote}{name}{quote}?"
    return f"; expected one of {', '.join(siblings)}"


def sections_of(model: type[BaseModel]) -> dict[str, Mapping[str, Any]]:
    """Return the fields of each section of a settings model, by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, info in model.model_fields.items():
        annotation = info.annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        found[name] = annotation.model_fields
    return found


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def _in_a_file(value: object) -> str:
    """Return a value as JSON and YAML write it; what they cannot write, as Python does."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _shown(model: type[BaseModel], key: SettingKey, value: object) -> str:
    """Return the value for an error: shortened, without the password of an address, and a secret as stars."""
    info = sections_of(model).get(key[0], {}).get(key[1]) if len(key) > 1 else None
    if info is not None and _is_secret(info.annotation):
        return "****"
    text = re.sub(r"//[^/@\s]*@", "//****@", f'"{value}"' if isinstance(value, str) else _in_a_file(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
