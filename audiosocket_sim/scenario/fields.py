"""The building blocks of all parts of a scenario: the frozen model, durations with a unit, and the short forms.

The meaning of the keys stands in `model`, `step_models` and `expectations`; YAML is read in `loading`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, WithJsonSchema
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = [
    "DURATION_PATTERN",
    "Duration",
    "DurationMs",
    "KeyAlone",
    "Model",
    "OneOrMore",
    "PositiveMs",
    "Quoted",
    "Shorthand",
    "Words",
    "format_duration",
    "misfit",
    "parse_duration_ms",
]

DURATION_PATTERN = r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|min)\s*$"
_DURATION = re.compile(DURATION_PATTERN, re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1000, "min": 60_000}
_OTHER_UNIT = re.compile(r"\s*\d+(?:\.\d+)?\s*([a-z]+)\s*$", re.ASCII | re.IGNORECASE)
_LONGEST_MS = 24 * 60 * 60_000
_LONGEST_TEXT = 39
_LONGEST_SHOWN = 20


class Model(BaseModel):
    """Base of all models: frozen; refuses unknown keys and converts nothing (`"3"` is no number, `1` is not `true`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False)


def misfit(text: str, *at: str | int) -> PydanticCustomError:
    """Return the error for keys that are valid one by one but not together; `at`: the path to the key to change."""
    return PydanticCustomError("misfit", "{text}", {"text": text, "at": at})


def parse_duration_ms(value: object) -> int:
    """Convert `300ms`, `1.2s` or `5 min` to whole milliseconds. Raises ValueError with what was expected."""
    match = _DURATION.match(value) if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None
    if match is None:
        raise ValueError(_why_no_duration(value))
    exact = float(match[1]) * _UNIT_MS[match[2]]
    if exact > _LONGEST_MS:
        raise ValueError(f"a duration is at most a day, not {value!r}")
    if abs(exact - round(exact)) > 1e-6:
        raise ValueError(f"a duration is a whole number of milliseconds, not {value!r}")
    return round(exact)


def _why_no_duration(value: object) -> str:
    examples = "(300ms, 1.2s, 5min)"
    if not isinstance(value, str):
        return f"a duration needs a number and a unit {examples}, not {value!r}"
    is_long = len(value) > _LONGEST_TEXT
    shown = repr(f"{value[:_LONGEST_SHOWN]}…" if is_long else value)
    if is_long and value.lstrip()[:1].isdecimal():
        return f"a duration has at most {_LONGEST_TEXT} characters, not {len(value)}: {shown}"
    other = None if is_long else _OTHER_UNIT.match(value)
    if other is not None:
        return f"a duration has the unit ms, s or min {examples}, not {other[1]!r}; min is the largest"
    return f"a duration needs a number and a unit {examples}, not {shown}"


def format_duration(ms: int) -> str:
    """Return a duration in its shortest form: `300ms`, `1.2s`, `5min`."""
    if ms and ms % 60_000 == 0:
        return f"{ms // 60_000}min"
    if ms < 1000:
        return f"{ms}ms"
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"


def _positive(ms: int) -> int:
    if ms == 0:
        raise ValueError("a duration longer than 0 is needed here")
    return ms


def _has_words(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError(f"needs a letter or a digit at least, not {text!r}")
    return text


def _quoted(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("needs quotes: to YAML it is a number, so 22.10 is 22.1 and 007 is 7")
    return value


Duration = WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["300ms", "1.2s", "5min"]})
DurationMs = Annotated[int, BeforeValidator(parse_duration_ms), Duration]
PositiveMs = Annotated[int, AfterValidator(_positive), BeforeValidator(parse_duration_ms), Duration]
Words = Annotated[str, AfterValidator(_has_words)]
"""Text that is compared without case, accents and punctuation: it needs at least one letter or digit."""
Quoted = BeforeValidator(_quoted)
"""Text that looks like a number (a version, DTMF digits): without quotes YAML would silently change it."""


@dataclass(frozen=True, slots=True)
class Shorthand:
    """Marks a field whose model may be written as a single value, which stands for the main key `key`.

    Example: `say: pt-br/sim` for `say: {recording: pt-br/sim}`.
    """

    key: str

    def expand(self, value: object) -> object:
        """Return a single value as a mapping with the main key; anything else unchanged."""
        return {self.key: value} if isinstance(value, str | int | float) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Accept both forms, so that an editor offers both."""
        long_form = handler(schema)
        main = dict(handler.resolve_ref_schema(long_form)["properties"][self.key])
        main.pop("default", None)
        return {"anyOf": [main, long_form]}


class KeyAlone:
    """Marks a field whose model may be written as one of these keys alone, which then has its defaults.

    Example: `never: talk_over` for `never: {talk_over: {}}`.
    """

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def expand(self, value: object) -> object:
        """Return one of the keys as a mapping; anything else unchanged."""
        return {value: {}} if isinstance(value, str) and value in self._keys else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Accept both forms, so that an editor offers both."""
        return {"anyOf": [{"enum": list(self._keys)}, handler(schema)]}


class OneOrMore:
    """Marks a tuple of mappings of which a single one may be written without the list around it."""

    def expand(self, value: object) -> object:
        """Return a single mapping, or a model, as a tuple of one, and a list as a tuple; anything else unchanged."""
        if isinstance(value, Mapping | BaseModel):
            return (value,)
        return tuple(value) if isinstance(value, list) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Accept both forms, so that an editor offers both."""
        many = handler(schema)
        return {"anyOf": [handler.resolve_ref_schema(many)["items"], many]}
