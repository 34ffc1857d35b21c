"""What the caller does, step by step: one model for each kind of step. Data only; `running.steps` carries it out.

`repeat`, `any_of`, `optional` and `if_heard` hold steps themselves; `nesting` walks through them. The kind of a step is
recognised by the one key that it must have (`say`, `expect`, …). A mistake then gives one clear error, where a plain
union would report an error for every kind of step.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from audiosocket_sim.scenario.anchors import Anchor
from audiosocket_sim.scenario.expectations import Never, Within
from audiosocket_sim.scenario.fields import (
    DURATION_PATTERN,
    DurationMs,
    KeyAlone,
    Model,
    OneOrMore,
    PositiveMs,
    Quoted,
    Shorthand,
    Words,
    misfit,
    parse_duration_ms,
)

__all__ = [
    "INCLUDE_KEY",
    "STEP_KEYS",
    "STEP_TAG_PREFIX",
    "AnyOfStep",
    "DtmfStep",
    "ExpectStep",
    "HangUp",
    "HangUpStep",
    "IfHeardStep",
    "IncludeStep",
    "MuteStep",
    "NeverStep",
    "Noise",
    "NoiseStep",
    "OptionalStep",
    "Repeat",
    "RepeatStep",
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
    text: Words | None = Field(
        default=None, description="spoken in `voice`, or in the synthetic one; with `file`: what it says"
    )
    voice: str | None = Field(
        default=None,
        description="which speaks the text: pm_alex, pf_dora or hibari of the local engine; or module:callable",
    )
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
        if self.voice is not None:
            _check_voice(self.voice, sources)
        return self


def _check_voice(voice: str, sources: list[str]) -> None:
    if sources != ["text"]:
        raise misfit("speaks a text: there is none to speak here", "voice")
    module, colon, name = voice.partition(":")
    if not module.strip() or (colon and not all(part.isidentifier() for part in [*module.split("."), name])):
        raise misfit(
            f"pm_alex, pf_dora, hibari, or module:callable, such as my_voices:anna, not {voice!r:.60}", "voice"
        )


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
    at: Annotated[Anchor, Shorthand("after")] | None = Field(
        default=None, description="an event of the call from which the step counts, instead of `after`"
    )

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if self.after is not None and self.at is not None:
            raise misfit(
                "a step counts from the step before, or `at` an event: `after` cannot stand beside it", "after"
            )
        return self


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


MOST_TIMES = 1000
MOST_BRANCHES = 20


def _some(steps: "tuple[Step, ...]") -> "tuple[Step, ...]":
    if not steps:
        raise ValueError("needs one step at least")
    return steps


def _decided(steps: "tuple[Step, ...]") -> "tuple[Step, ...]":
    """Return steps that begin with what decides whether they are carried out: an `expect` without a pause before it."""
    if not isinstance(steps[0], ExpectStep):
        raise misfit("begins with an expect: what is heard decides", 0)
    for key in ("after", "at"):
        if getattr(steps[0], key) is not None:
            raise misfit("the first expect here counts from the step before", 0, key)
    return steps


def _several(branches: tuple[object, ...]) -> tuple[object, ...]:
    if not 2 <= len(branches) <= MOST_BRANCHES:
        raise ValueError(f"needs 2 to {MOST_BRANCHES} branches, not {len(branches)}")
    return branches


class Repeat(Model):
    """Steps that are carried out several times, one round after the other."""

    times: int = Field(ge=1, le=MOST_TIMES, description="how many rounds")
    steps: Annotated["tuple[Step, ...]", AfterValidator(_some), OneOrMore()] = Field(description="the steps of a round")


class RepeatStep(_Timed):
    """The same steps, several times."""

    repeat: Repeat = Field(description="how many times, and which steps")


_Decided = Annotated["tuple[Step, ...]", AfterValidator(_some), AfterValidator(_decided), OneOrMore()]
_Block = Annotated["tuple[Step, ...]", OneOrMore()]


class AnyOfStep(_Timed):
    """One of several things happens; which one decides how the scenario goes on."""

    any_of: Annotated[tuple[_Decided, ...], AfterValidator(_several)] = Field(
        strict=False,
        description="2 to 20 branches, each an expect or a list that begins with one: the first that is met is taken",
    )


class OptionalStep(_Timed):
    """Something may happen or not."""

    optional: _Decided = Field(
        description="an expect, or a list that begins with one; if that is not met, all of it is passed over"
    )


class IfHeardStep(_Timed):
    """How the scenario goes on depends on whether something happens."""

    if_heard: Within = Field(description="exactly one expectation, and `within`")
    then: _Block = Field(default=(), description="the steps if it happens")
    else_: _Block = Field(default=(), alias="else", description="the steps if it does not")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.then and not self.else_:
            raise misfit("needs `then` or `else`", "if_heard")
        return self


class IncludeStep(Model):
    """The steps of another file stand here. The loader puts them in its place: a loaded scenario has no such step."""

    include: Words = Field(description="a file with a list of steps, in the scenario's folder or below it")


INCLUDE_KEY = "include"

STEP_TAG_PREFIX = "step:"
"""The prefix of tags in pydantic's error paths: without it, a tag could be mistaken for a key of the file."""

STEP_KEYS = (
    *("say", "wait", "expect", "never", "dtmf", "noise", "tone", "silence", "mute", "hang_up"),
    *("repeat", "any_of", "optional", "if_heard"),
)


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
    | Annotated[HangUpStep, Tag("step:hang_up")]
    | Annotated[RepeatStep, Tag("step:repeat")]
    | Annotated[AnyOfStep, Tag("step:any_of")]
    | Annotated[OptionalStep, Tag("step:optional")]
    | Annotated[IfHeardStep, Tag("step:if_heard")],
    Discriminator(
        _step_tag,
        custom_error_type="step_kind",
        custom_error_message=f"a step has exactly one of: {', '.join(STEP_KEYS)}",
    ),
]

for _holder in (Repeat, RepeatStep, AnyOfStep, OptionalStep, IfHeardStep):
    _holder.model_rebuild()
