"""The caller's phone as a scenario names it: the model of its buffer, and that model's figures. Data only.

`hearing.phones` has the models. docs/scenarios.md, The caller's phone, says which one to choose.
"""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from audiosocket_sim.scenario.fields import Model, PositiveMs, format_duration, misfit

__all__ = ["CallerEar"]

_WITH_A_NUMBER = re.compile(r"(\D*\S)\s+(\d.*)")
_WITH_A_DURATION = {
    "type": "string",
    "pattern": r"^(fifo|asterisk fixed|asterisk adaptive)\s+\d+(\.\d+)?\s*(ms|s)$",
    "examples": ["fifo 120ms", "asterisk fixed 200ms"],
}
EarModel = Literal["phone", "endless", "fifo", "asterisk fixed", "asterisk adaptive", "neteq-like"]


def _at_most_10_s(ms: int) -> int:
    if ms > 10_000:
        raise ValueError(f"a phone holds 10 s at the most, not {format_duration(ms)}")
    return ms


_BufferMs = Annotated[PositiveMs, AfterValidator(_at_most_10_s)]


class CallerEar(Model):
    """The caller's phone: when it plays what the bot sends, and what it loses."""

    model: Annotated[EarModel, WithJsonSchema({"anyOf": [{"enum": list(get_args(EarModel))}, _WITH_A_DURATION]})] = (
        Field(
            default="phone",
            description="phone: holds 300 ms ahead, and loses what comes beyond it; endless: loses nothing; fifo: a "
            "queue that waits before it plays; asterisk fixed, asterisk adaptive: a far Asterisk's JITTERBUFFER; "
            "neteq-like: a softphone or a browser",
        )
    )
    delay: _BufferMs | None = Field(
        default=None, description="fifo: how long it waits before it plays; also written `fifo 120ms`"
    )
    size: _BufferMs | None = Field(
        default=None, description="fifo: what it holds (twice its delay); asterisk: its first figure (200ms)"
    )
    resync: _BufferMs | None = Field(
        default=None, description="asterisk: its second figure (1s): from when on time stamps have jumped"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_a_duration(cls, data: object) -> object:
        """Read `fifo 120ms` as a model and its duration."""
        text = data.get("model") if isinstance(data, dict) else None
        match = _WITH_A_NUMBER.fullmatch(text) if isinstance(text, str) else None
        if match is None or not isinstance(data, dict):
            return data
        key = "size" if match[1].startswith("asterisk") else "delay"
        if key in data:
            raise misfit(f"{text!r} has its {key} already", key)
        return {**data, "model": match[1], key: match[2]}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        is_fifo, is_asterisk = self.model == "fifo", self.model.startswith("asterisk")
        if is_fifo and self.delay is None:
            raise misfit("fifo needs its delay: fifo 120ms", "model")
        if self.delay is not None and not is_fifo:
            raise misfit(f"{self.model} has no delay; only fifo has", "delay")
        if self.size is not None and not (is_fifo or is_asterisk):
            raise misfit(f"{self.model} has no size; fifo and asterisk have", "size")
        if self.resync is not None and not is_asterisk:
            raise misfit(f"{self.model} has no resync; only asterisk has", "resync")
        if self.delay is not None and self.size is not None and self.size < self.delay:
            raise misfit(f"it must hold its delay of {format_duration(self.delay)} at least", "size")
        return self

    @property
    def delay_ms(self) -> int:
        """How long `fifo` waits before it plays; 0 for the others."""
        return self.delay or 0

    @property
    def size_ms(self) -> int:
        """What the buffer holds, where it has a size."""
        return self.size or (2 * self.delay if self.delay else 200)

    @property
    def resync_ms(self) -> int:
        """Asterisk's second figure."""
        return self.resync or 1000

    @property
    def title(self) -> str:
        """The model and its figures for people: `fifo 120 ms, holds 240 ms`."""
        match self.model:
            case "fifo":
                return f"fifo {self.delay_ms} ms, holds {self.size_ms} ms"
            case "asterisk fixed" | "asterisk adaptive":
                return f"{self.model} {self.size_ms} ms, resync {self.resync_ms} ms"
        return self.model
