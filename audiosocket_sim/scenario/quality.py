"""The limits on the sound and on the wire that every call is judged by, each with its default. Data only.

`checks.quality` judges what was found by these limits. docs/scenarios.md, Quality, describes each of them.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from audiosocket_sim.scenario.fields import Duration, Model, parse_duration_ms

__all__ = ["Allowed", "LevelRange", "Quality"]

Allowed = Literal["allowed"]


def _limit(value: object) -> object:
    if value == "allowed":
        return value
    try:
        return parse_duration_ms(value)
    except ValueError as error:
        raise ValueError(f"{error}, or allowed") from None


def _levels(value: object) -> object:
    both = tuple(value) if isinstance(value, list | tuple) else ()
    if len(both) != 2 or not all(isinstance(level, int | float) and -120 <= level <= 0 for level in both):
        raise ValueError(f"two levels from -120 to 0 dBFS ([-45, -6]), not {value!r}")
    if both[0] >= both[1]:
        raise ValueError(f"the lower level comes first, not {value!r}")
    return both


def _levels_or_allowed(value: object) -> object:
    return value if value == "allowed" else _levels(value)


_LIMIT = {"anyOf": [{"enum": ["allowed"]}, Duration.json_schema]}
_LEVELS = {
    "type": "array",
    "items": {"type": "number", "minimum": -120, "maximum": 0},
    "minItems": 2,
    "maxItems": 2,
}
LimitMs = Annotated[int | Allowed, BeforeValidator(_limit), WithJsonSchema(_LIMIT)]
"""The longest duration (ms) that is no defect, or `allowed`."""
LevelRange = Annotated[tuple[float, float], BeforeValidator(_levels), WithJsonSchema(_LEVELS)]
"""The lowest and the highest level (dBFS) that is no defect."""
_LevelsOrAllowed = Annotated[
    tuple[float, float] | Allowed,
    BeforeValidator(_levels_or_allowed),
    WithJsonSchema({"anyOf": [{"enum": ["allowed"]}, _LEVELS]}),
]


class Quality(Model):
    """What counts as a defect of the bot's sound, or of what it does on the wire: the limits of one call.

    `allowed` passes over a kind of defect. A defect that is not allowed fails the call, whatever the steps expect.
    """

    holes: LimitMs = Field(default=200, description="within one stretch of speech, in all: there was nothing to play")
    ahead: LimitMs = Field(default=300, description="how far ahead of what is playing the bot sends at the most")
    level_dbfs: _LevelsOrAllowed = Field(
        default=(-45.0, -6.0), description="of the speech alone: the lowest and the highest level"
    )
    damage: Literal["none", "allowed"] = Field(
        default="none", description="noise for speech, a wrong rate, clicks, clipping: what no phone should get"
    )
    pace_percent: Annotated[float, Field(gt=0, le=100)] | Allowed = Field(
        default=1.0, description="how much slower or faster than real time the bot sends, over 3 s and more"
    )
    unheard: LimitMs = Field(
        default=40, description="speech that was sent, and not yet played when the server ended the call"
    )
    premature: Literal["none", "allowed"] = Field(
        default="none", description="the bot begins to speak in the midst of the caller's sentence"
    )
    left_open: LimitMs = Field(
        default=2000, description="from the end of the call until the server has closed its connection"
    )
    after_end: Literal["none", "allowed"] = Field(default="none", description="messages after the hang-up message")
    hold_seam: Literal["none", "allowed"] = Field(
        default="none", description="a hole or a jump at each round of the hold audio"
    )
    cross_talk: Literal["none", "allowed"] = Field(
        default="none", description="with several callers: something of one call gets into another"
    )
    wire_silence: LimitMs = Field(
        default="allowed", description="nothing at all is sent for so long; by default, from 2 s on, only noted"
    )
