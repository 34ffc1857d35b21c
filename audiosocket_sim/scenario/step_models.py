"""What the caller does, step by step: one model for each kind of step. Data only; `running.steps` carries it out.

The kind of a step is recognised by the one key that it must have (`say`, `expect`, …). A mistake then gives one clear
error, where a plain union would report an error for every kind of step.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from audiosocket_sim.scenario.expectations import Never, Within
from audiosocket_sim.scenario.fields import (
    DURATION_PATTERN,
    DurationMs,
    KeyAlone,
    Model,
    PositiveMs,
    Quoted,
    Shorthand,
    Words,
    parse_duration_ms,
)

__all__ = [
    "STEP_KEYS",
    "STEP_TAG_PREFIX",
    "DtmfStep",
    "ExpectStep",
    "HangUp",
    "HangUpStep",
    "MuteStep",
    "NeverStep",
    "Noise",
    "NoiseStep",
    "Say",
    "SayStep",
    "SilenceStep",
    "Step",
    "Tone",
    "ToneStep",
    "WaitStep",
    "step_keys",
]


class Say(Model):
    """The caller speaks: exactly one of recording, file, text (text may stand beside file)."""

    recording: str | None = Field(default=None, description="of recordings/, such as pt-br/sim")
    file: str | None = Field(default=None, description="an audio file beside the scenario")
    text: Words | None = Field(default=None, description="spoken in the synthetic voice; with `file`: what it says")
    gain_db: float = Field(default=0.0, ge=-60, le=40, description="louder or softer than recorded")
    start: DurationMs = Field(default=0, description="where in the recording to begin")
    for_: PositiveMs | None = Field(default=None, alias="for", description="how much of it; all otherwise")
    blocks: bool = Field(default=True, description="false: go on with the next step while the caller speaks")
    kind: Literal["turn", "backchannel", "vocal_tic", "non_directed"] | None = Field(
        default=None,
        description="what it is: a turn, “uh-huh”, a cough or laugh, a dog or television; by default as the manifest "
        "labels the recording, and a turn where nothing does",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [key for key in ("recording", "file", "text") if getattr(self, key) is not None]
        if len(sources) != 1 and sources != ["file", "text"]:
            found = f" (found {' and '.join(sources)})" if sources else ""
            raise ValueError(f"say needs exactly one of: recording, file, text; text may stand beside file{found}")
        return self


class Noise(Model):
    """Noise at the caller's mouth, that is, before the line's codec."""

    for_: PositiveMs = Field(alias="for", description="how long")
    dbfs: float = Field(default=-25.0, le=0, ge=-120, description="its level, RMS")
    color: Literal["white", "pink"] = Field(default="white", description="of its spectrum")


class Tone(Model):
    """A sine tone at the caller's mouth."""

    for_: PositiveMs = Field(alias="for", description="how long")
    hz: float = Field(default=425.0, gt=0, lt=4000, description="its frequency")
    dbfs: float = Field(default=-20.0, le=0, ge=-120, description="its level, RMS")


class HangUp(Model):
    """The caller hangs up. Asterisk never sends 00 00 00: the connection closes, often with a reset."""

    how: Literal["close", "reset", "mid_frame"] = Field(
        default="close", description="close(), a forced reset, or in the middle of a message"
    )
    before_uuid: bool = Field(default=False, description="only as the first step: the connection ends without a byte")


class _Timed(Model):
    after: DurationMs | None = Field(
        default=None, description="after the step before was completed; a `say` waits for the reaction time otherwise"
    )


class SayStep(_Timed):
    """The caller speaks."""

    say: Annotated[Say, Shorthand("recording")] = Field(description="a recording's name, or a mapping")


class WaitStep(_Timed):
    """Time passes; the line's own noise or silence is sent."""

    wait: DurationMs = Field(description="how long")


_KEYS = r"^[0-9A-D*#]+$"


def _only_keys(keys: str) -> str:
    if not re.fullmatch(_KEYS, keys):
        raise ValueError(f"a phone's keys are 0 to 9, *, # and A to D, not {keys!r}")
    return keys


class DtmfStep(_Timed):
    """The caller presses keys."""

    dtmf: Annotated[str, AfterValidator(_only_keys), Quoted, WithJsonSchema({"type": "string", "pattern": _KEYS})] = (
        Field(description='the keys, in quotes: "202#"')
    )
    tone: PositiveMs = Field(default=100, description="how long each key is held")
    gap: DurationMs = Field(default=100, description="between two keys")


class NoiseStep(_Timed):
    """Noise at the caller's side."""

    noise: Annotated[Noise, Shorthand("for")] = Field(description="how long, or a mapping")


class ToneStep(_Timed):
    """A tone at the caller's side."""

    tone: Annotated[Tone, Shorthand("for")] = Field(description="how long, or a mapping")


class SilenceStep(_Timed):
    """Digital silence: the phone sends zeros, without line noise."""

    silence: PositiveMs = Field(description="how long")


def _on_or_off(value: object) -> object:
    if value in ("on", "off"):
        return value
    try:
        return parse_duration_ms(value)
    except ValueError:
        raise ValueError(f"on, off, or how long (300ms, 1.2s, 5min), not {value!r}") from None


class MuteStep(_Timed):
    """The phone sends nothing at all, for a time or until `mute: off`."""

    mute: Annotated[
        int | Literal["on", "off"],
        BeforeValidator(_on_or_off),
        WithJsonSchema({"anyOf": [{"enum": ["on", "off"]}, {"type": "string", "pattern": DURATION_PATTERN}]}),
    ] = Field(description="on, off, or how long")


class HangUpStep(_Timed):
    """The caller hangs up."""

    hang_up: Annotated[HangUp, Shorthand("how")] = Field(description="close, reset, mid_frame, or a mapping")


class ExpectStep(_Timed):
    """Something must happen within a time."""

    expect: Annotated[Within, KeyAlone("bot_goes_on", "resumes", "asks_again")] = Field(
        description="exactly one expectation, and `within`"
    )


class NeverStep(_Timed):
    """Something must not happen from here on, while the steps go on; or within `for`."""

    never: Annotated[Never, KeyAlone("talk_over", "dead_air")] = Field(description="exactly one expectation, and `for`")


STEP_TAG_PREFIX = "step:"
"""The prefix of tags in pydantic's error paths: without it, a tag could be mistaken for a key of the file."""

STEP_KEYS = ("say", "wait", "expect", "never", "dtmf", "noise", "tone", "silence", "mute", "hang_up")


def step_keys(value: object) -> list[str]:
    """Return the step keys of a mapping or a model: a valid step has one. `tone` beside `dtmf` does not count."""
    has = value.__contains__ if isinstance(value, Mapping) else lambda key: hasattr(value, key)
    return [key for key in STEP_KEYS if has(key) and not (key == "tone" and has("dtmf"))]


def _step_tag(value: object) -> str | None:
    """Return the tag of the only step key; None, which is an error to pydantic, if there are none or several."""
    keys = step_keys(value)
    return STEP_TAG_PREFIX + keys[0] if len(keys) == 1 else None


Step = Annotated[
    Annotated[SayStep, Tag("step:say")]
    | Annotated[WaitStep, Tag("step:wait")]
    | Annotated[ExpectStep, Tag("step:expect")]
    | Annotated[NeverStep, Tag("step:never")]
    | Annotated[DtmfStep, Tag("step:dtmf")]
    | Annotated[NoiseStep, Tag("step:noise")]
    | Annotated[ToneStep, Tag("step:tone")]
    | Annotated[SilenceStep, Tag("step:silence")]
    | Annotated[MuteStep, Tag("step:mute")]
    | Annotated[HangUpStep, Tag("step:hang_up")],
    Discriminator(
        _step_tag,
        custom_error_type="step_kind",
        custom_error_message=f"a step has exactly one of: {', '.join(STEP_KEYS)}",
    ),
]
