"""What was measured of one call, as plain numbers, and the summary of many calls: counts, percentiles and rates. Pure.

A percentile is one of the measured values (nearest rank), never an average of percentiles; a turn that was never
answered, or an onset for which the bot never stopped, is longer than any value. "Never" is None, and so is a rate over
fewer than 10 events.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from audiosocket_sim.turn_taking.measures import (
    FEWEST_EVENTS,
    LEAST_OVERLAP_MS,
    PREMATURE_MS,
    RESPONSE_WINDOW_MS,
    VERSION,
    YIELD_WINDOW_MS,
    rate,
)
from audiosocket_sim.turn_taking.segments import SOUND_LABELS
from audiosocket_sim.turn_taking.selectivity import SELECTIVE_WINDOW_MS

__all__ = ["NEVER", "CallTurns", "Percentile", "summary_json", "summary_line", "together"]

NEVER = math.inf
"""The value of a percentile that falls on an answer, or a stop, that never came."""
_IN_WORDS = {"backchannel": "back-channels", "vocal_tic": "vocal tics", "non_directed": "other sounds"}


@dataclass(frozen=True, slots=True)
class Percentile:
    """One percentile. `value_ms` may be `NEVER`; None: nothing was measured."""

    percent: int
    value_ms: float | None

    @classmethod
    def of(cls, percent: int, values: Sequence[int], never: int) -> Self:
        """Return the percentile (nearest rank) of these values and of `never` events that did not come."""
        ranked = [*sorted(map(float, values)), *[NEVER] * never]
        if not ranked:
            return cls(percent, None)
        return cls(percent, ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)])


@dataclass(frozen=True, slots=True)
class CallTurns:
    """What was measured of the turns of one call, or of several together: numbers that can be sent and added.

    `waits_ms`: each answer's wait that was measured. `answered_in_window` of `turns_asked` turns of the caller were
    answered within 10 s; `unanswered` never. `waited_ms`: how long the caller had waited in silence for an answer when
    the call was over; such turns are not among `turns_asked`. `waits_unmeasured`: waits in virtual time during which
    the bot worked in a thread. `yields_ms`: after how long the bot stopped, for each onset of the caller that is no
    natural end; `yielded_in_window` of `onsets` within 2 s; `unyielded` never. `caller_turns` of speech,
    `turns_interrupted` by the bot in so many `interruptions`. `false_stops`: stops that no caller caused,
    `false_stops_dead` with nothing after.
    `sounds` and `gone_on`: by label, the sounds over the bot's speech, and for how many of them it went on.
    """

    calls: int = 0
    waits_ms: tuple[int, ...] = ()
    waited_ms: tuple[int, ...] = ()
    waits_unmeasured: int = 0
    turns_asked: int = 0
    answered_in_window: int = 0
    unanswered: int = 0
    yields_ms: tuple[int, ...] = ()
    onsets: int = 0
    yielded_in_window: int = 0
    unyielded: int = 0
    caller_turns: int = 0
    turns_interrupted: int = 0
    interruptions: int = 0
    talk_over_ms: tuple[int, ...] = ()
    dead_air_ms: tuple[int, ...] = ()
    false_stops: int = 0
    false_stops_dead: int = 0
    resumed_ms: tuple[int, ...] = ()
    sounds: tuple[int, ...] = (0,) * len(SOUND_LABELS)
    gone_on: tuple[int, ...] = (0,) * len(SOUND_LABELS)

    def to_plain(self) -> dict[str, Any]:
        """Return it as lists and numbers, which can be sent to another process; `from_plain` reads them."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `to_plain` made plain."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        return cls(**values)

    def response(self, percent: int) -> Percentile:
        """Return a percentile of L_R, from the caller's last word to the bot's first audible speech."""
        return Percentile.of(percent, self.waits_ms, self.unanswered)

    def yielding(self, percent: int) -> Percentile:
        """Return a percentile of L_Y, from the caller's first sound to the bot's last."""
        return Percentile.of(percent, self.yields_ms, self.unyielded)


def together(calls: Iterable[CallTurns]) -> CallTurns:
    """Return what was measured of all these calls."""
    found = list(calls)
    added: dict[str, Any] = {}
    for field in fields(CallTurns):
        values = [getattr(call, field.name) for call in found]
        if field.name in ("sounds", "gone_on"):
            added[field.name] = tuple(sum(column) for column in zip(*values, strict=True)) or (0,) * len(SOUND_LABELS)
        elif field.name.endswith("_ms"):
            added[field.name] = tuple(value for one in values for value in one)
        else:
            added[field.name] = sum(values)
    return CallTurns.from_plain(added)


def summary_json(turns: CallTurns) -> dict[str, Any]:
    """Return the summary as JSON has it: counts, windows, version, values in ms. "Never" and too few events: null."""
    return {
        "version": VERSION,
        "calls": turns.calls,
        "fewest_events_of_a_rate": FEWEST_EVENTS,
        "responses": {
            "window_ms": RESPONSE_WINDOW_MS,
            "turns": turns.turns_asked,
            "answered": turns.answered_in_window,
            "never_answered": turns.unanswered,
            "not_measured": turns.waits_unmeasured,
            **_percentiles(turns.response),
            "rate": rate(turns.answered_in_window, turns.turns_asked),
        },
        "yields": {
            "window_ms": YIELD_WINDOW_MS,
            "onsets": turns.onsets,
            "yielded": turns.yielded_in_window,
            "never_yielded": turns.unyielded,
            **_percentiles(turns.yielding),
            "rate": rate(turns.yielded_in_window, turns.onsets),
        },
        "interruptions_by_bot": {
            "early_ms": PREMATURE_MS,
            "caller_turns": turns.caller_turns,
            "interrupted": turns.turns_interrupted,
            "count": turns.interruptions,
            "rate": rate(turns.turns_interrupted, turns.caller_turns),
        },
        "selectivity": {
            "window_ms": SELECTIVE_WINDOW_MS,
            **{
                label: {"sounds": sounds, "went_on": went_on, "rate": rate(went_on, sounds)}
                for label, sounds, went_on in zip(SOUND_LABELS, turns.sounds, turns.gone_on, strict=True)
            },
        },
        "false_stops": {
            "count": turns.false_stops,
            "never_resumed": turns.false_stops_dead,
            "longest_to_resume_ms": max(turns.resumed_ms, default=None),
        },
        "talk_over": {"least_ms": LEAST_OVERLAP_MS, **_lengths(turns.talk_over_ms)},
        "dead_air": _lengths(turns.dead_air_ms),
    }


def summary_line(turns: CallTurns) -> str:
    """Return one line for people; empty if nothing was measured. A rate over fewer than 10 events is left out."""
    parts = []
    if turns.waits_ms or turns.unanswered:
        parts.append(f"response {_of(turns.response(50), turns.response(95))} ({turns.turns_asked})")
    if turns.waits_unmeasured:
        waits = f"{turns.waits_unmeasured} wait{'s' if turns.waits_unmeasured != 1 else ''}"
        parts.append(f"{waits} not measured (threads)")
    if turns.onsets:
        parts.append(f"yield {_of(turns.yielding(50), turns.yielding(95))} ({turns.onsets})")
    if turns.caller_turns:
        parts.append(f"interruptions by the bot {turns.interruptions}")
    for label, sounds, went_on in zip(SOUND_LABELS, turns.sounds, turns.gone_on, strict=True):
        share = rate(went_on, sounds)
        if share is not None:
            parts.append(f"went on for {share:.0%} of {sounds} {_IN_WORDS[label]}")
    if turns.false_stops:
        parts.append(f"false stops {turns.false_stops}, {turns.false_stops_dead} of them never resumed")
    if not parts:
        return ""
    return f"turn-taking in {turns.calls} call{'s' if turns.calls != 1 else ''}: {'; '.join(parts)}"


def _of(middle: Percentile, high: Percentile) -> str:
    return ", ".join(f"p{one.percent} {_seconds(one.value_ms)}" for one in (middle, high))


def _seconds(value_ms: float | None) -> str:
    return "never" if value_ms is None or value_ms == NEVER else f"{value_ms / 1000:.2f} s"


def _percentiles(of: Any) -> dict[str, int | None]:
    found = {f"p{percent}_ms": of(percent).value_ms for percent in (50, 95)}
    return {name: None if value is None or value == NEVER else round(value) for name, value in found.items()}


def _lengths(lengths_ms: Sequence[int]) -> dict[str, int | None]:
    return {"count": len(lengths_ms), "total_ms": sum(lengths_ms) or None, "longest_ms": max(lengths_ms, default=None)}
