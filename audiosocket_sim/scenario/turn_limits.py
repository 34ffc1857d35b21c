"""The limits on turn-taking that a call, or all calls of a run together, are judged by. Data only.

`checks.turn_limits` judges by them. docs/scenarios.md, Limits of turn-taking, describes each.
"""

from typing import Annotated

from pydantic import Field

from audiosocket_sim.scenario.fields import Model, PositiveMs

__all__ = ["TurnLimits"]

_Count = Annotated[int, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]


class TurnLimits(Model):
    """Limits on what is measured of turn-taking: none by default. A rate is judged from 10 events on."""

    response_p50: PositiveMs | None = Field(
        default=None, description="half of the answers come so soon after the caller's last word"
    )
    response_p95: PositiveMs | None = Field(default=None, description="and 95 % of them")
    response_rate: _Share | None = Field(default=None, description="the least share (0 to 1) of turns answered in 10 s")
    yield_p50: PositiveMs | None = Field(
        default=None, description="half of the bot's stops come so soon after the first sound of a caller over it"
    )
    yield_p95: PositiveMs | None = Field(default=None, description="and 95 % of them")
    yield_rate: _Share | None = Field(default=None, description="the least share (0 to 1) of stops within 2 s")
    interruptions_by_bot: _Count | None = Field(
        default=None, description="how often the bot may begin while the caller speaks"
    )
    false_stops: _Count | None = Field(default=None, description="how often the bot may stop though no caller spoke")
    backchannel_rate: _Share | None = Field(
        default=None, description="the least share (0 to 1) of back-channels over which the bot goes on"
    )
    vocal_tic_rate: _Share | None = Field(default=None, description="the same for coughs, breaths and laughs")
    non_directed_rate: _Share | None = Field(default=None, description="the same for dogs, doors and television")
    talk_over: PositiveMs | None = Field(default=None, description="the longest that both may speak at once")
    dead_air: PositiveMs | None = Field(
        default=None, description="the longest that nobody may be heard while it is the bot's turn"
    )
