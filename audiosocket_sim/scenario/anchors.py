"""Anchors: the event of a call from which a step counts, instead of the completion of the step before. Data only.

`checks.anchor` finds the event in the call. docs/scenarios.md, `at`, says for each event what counts.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from audiosocket_sim.scenario.fields import DurationMs, Model, PositiveMs

__all__ = ["ANCHOR_EVENTS", "Anchor"]

ANCHOR_EVENTS = (
    *("bot_starts", "bot_stops", "hold_starts", "hold_stops"),
    *("caller_starts", "caller_stops", "backend_asked", "backend_answers"),
)
_STATES = ("STANDBY", "USER_TURN", "WAITING", "IA_TURN")
_STATE = "state "


def _event(value: object) -> object:
    """Return the event as it is kept: its word, or `state WAITING` for `{state: WAITING}`."""
    if isinstance(value, Mapping) and set(value) == {"state"}:
        state = value["state"]
        if state not in _STATES:
            states = f"{', '.join(_STATES[:-1])} or {_STATES[-1]}"
            raise ValueError(f"state: must be {states}, not {state!r:.60}{_nearest(str(state).upper(), _STATES)}")
        return f"{_STATE}{value['state']}"
    if value in ANCHOR_EVENTS or (isinstance(value, str) and value.removeprefix(_STATE) in _STATES):
        return value
    hint = _nearest(str(value), ANCHOR_EVENTS)
    raise ValueError(f"must be {', '.join(ANCHOR_EVENTS)} or {{state: WAITING}}, not {value!r:.60}{hint}")


def _nearest(word: str, words: Sequence[str]) -> str:
    near = get_close_matches(word[:60], words, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


_STATE_SCHEMA = {
    "type": "object",
    "properties": {"state": {"enum": list(_STATES)}},
    "required": ["state"],
    "additionalProperties": False,
}


class Anchor(Model):
    """An event of the call from which a step counts."""

    after: Annotated[
        str, BeforeValidator(_event), WithJsonSchema({"anyOf": [{"enum": list(ANCHOR_EVENTS)}, _STATE_SCHEMA]})
    ] = Field(description="the event, as the caller hears it; or {state: WAITING}, as the bot reports it")
    by: DurationMs = Field(default=0, description="how long after the event the step begins")
    within: PositiveMs = Field(
        default=10_000, description="how long to wait for the event, from the completion of the step before"
    )

    @property
    def state(self) -> str | None:
        """The state, if the event is that the bot enters one."""
        return self.after.removeprefix(_STATE) if self.after.startswith(_STATE) else None
