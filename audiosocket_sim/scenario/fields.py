"""What all parts of a scenario are made of: the frozen model, durations with a unit, and the short forms.

Knows nothing of what the keys mean (`scenario`, `step_models`, `expectations`) nor of YAML (`loader`).
"""

import re
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
    "Model",
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
_LONGEST_MS = 24 * 60 * 60_000


class Model(BaseModel):
    """Frozen, refuses unknown keys, and never guesses: `"3"` is no number, `1` is no `true`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False)


def misfit(text: str, *at: str | int) -> PydanticCustomError:
    """The error of keys that are right each by itself but not together; `at` is the path to the one to change."""
    return PydanticCustomError("misfit", "{text}", {"text": text, "at": at})


def parse_duration_ms(value: object) -> int:
    """`300ms`, `1.2s`, `5 min` -> whole milliseconds. Raises ValueError with what was expected."""
    match = _DURATION.match(value) if isinstance(value, str) and len(value) < 40 else None
    if match is None:
        raise ValueError(f"a duration needs a number and a unit (300ms, 1.2s, 5min), not {value!r}")
    exact = float(match[1]) * _UNIT_MS[match[2]]
    if exact > _LONGEST_MS:
        raise ValueError(f"a duration is at most a day, not {value!r}")
    if abs(exact - round(exact)) > 1e-6:
        raise ValueError(f"a duration is a whole number of milliseconds, not {value!r}")
    return round(exact)


def format_duration(ms: int) -> str:
    """The shortest way to write it: `300ms`, `1.2s`, `5min`."""
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
"""Text that is compared without case, accents and punctuation: something must be left of it."""
Quoted = BeforeValidator(_quoted)
"""Text that looks like a number (a version, DTMF digits): unquoted it would silently become another text."""


@dataclass(frozen=True, slots=True)
class Shorthand:
    """`say: pt-br/sim` for `say: {recording: pt-br/sim}`: a lone scalar stands for the main key."""

    key: str

    def expand(self, value: object) -> object:
        """A lone value as a mapping with the main key; a mapping as it is."""
        return {self.key: value} if isinstance(value, str | int | float) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Either form, so that an editor offers both."""
        long_form = handler(schema)
        main = dict(handler.resolve_ref_schema(long_form)["properties"][self.key])
        main.pop("default", None)
        return {"anyOf": [main, long_form]}
