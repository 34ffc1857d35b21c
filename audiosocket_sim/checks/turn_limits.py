"""Judges what was measured of turn-taking, in one call or in many together, by limits. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from audiosocket_sim.checks.words import seconds
from audiosocket_sim.scenario import TurnLimits
from audiosocket_sim.turn_taking import FEWEST_EVENTS, NEVER, SOUND_LABELS, CallTurns, Percentile, rate

__all__ = ["TURN_LIMITS", "BrokenLimit", "broken_limits", "unjudged_limits", "wider"]

TURN_LIMITS = "turn_taking"
"""Pseudo-step name of a failure that a broken limit is; the scenario's key."""
_SHARES = {"backchannel_rate": "back-channels", "vocal_tic_rate": "vocal tics", "non_directed_rate": "other sounds"}


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """One limit that does not hold: its key, what was expected, and what was measured."""

    key: str
    expected: str
    happened: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{TURN_LIMITS}: {self.key}: expected {self.expected}; {self.happened}"


def broken_limits(turns: CallTurns, limits: TurnLimits) -> tuple[BrokenLimit, ...]:
    """Return the limits that do not hold for what was measured. What was not measured breaks none, and neither does a
    rate over fewer than 10 events."""
    return tuple(_broken(turns, limits))


def unjudged_limits(turns: CallTurns, limits: TurnLimits) -> str | None:
    """Return a line that says that waits were left out because virtual time cannot measure them; None: none were."""
    if not turns.waits_unmeasured or (limits.response_p50 is None and limits.response_p95 is None):
        return None
    waits = f"{turns.waits_unmeasured} wait{'s' if turns.waits_unmeasured != 1 else ''}"
    why = "the bot worked in a thread, which takes no virtual time (use the real clock)"
    return f"{TURN_LIMITS}: {waits} not judged: {why}"


def wider(limits: TurnLimits, by_ms: int) -> TurnLimits:
    """Return the limits with so many ms more for each length of time."""
    keys = ("response_p50", "response_p95", "yield_p50", "yield_p95", "talk_over", "dead_air")
    given = {key: value for key in keys if (value := getattr(limits, key)) is not None}
    return limits.model_copy(update={key: value + by_ms for key, value in given.items()})


def _broken(turns: CallTurns, limits: TurnLimits) -> Iterator[BrokenLimit]:
    for percent in (50, 95):
        yield from _slow_answers(turns, percent, getattr(limits, f"response_p{percent}"))
        limit, found = getattr(limits, f"yield_p{percent}"), turns.yielding(percent)
        if limit is not None and found.value_ms is not None and found.value_ms > limit:
            happened = f"it was {_value(found)}, of {_counted(turns.onsets, 'onset')}"
            yield BrokenLimit(f"yield_p{percent}", f"{seconds(limit)} at the most", happened)
    yield from _shares(turns, limits)
    for key, count in (("interruptions_by_bot", turns.interruptions), ("false_stops", turns.false_stops)):
        limit = getattr(limits, key)
        if limit is not None and count > limit:
            yield BrokenLimit(key, f"{limit} at the most", f"there were {count}")
    for key, lengths in (("talk_over", turns.talk_over_ms), ("dead_air", turns.dead_air_ms)):
        limit, longest = getattr(limits, key), max(lengths, default=0)
        if limit is not None and longest > limit:
            yield BrokenLimit(key, f"{seconds(limit)} at the most", f"the longest was {seconds(longest)}")


def _counted(events: int, what: str) -> str:
    return f"{events} {what}" if events == 1 else f"{events} {what}s"


def _slow_answers(turns: CallTurns, percent: int, limit: int | None) -> Iterator[BrokenLimit]:
    """The limit of a percentile of the waits. A caller who had waited for longer when the call was over counts too: his
    answer would have been too late, whenever it had come."""
    if limit is None:
        return
    too_long = sorted(waited for waited in turns.waited_ms if waited > limit)
    found = Percentile.of(percent, turns.waits_ms, turns.unanswered + len(too_long))
    if found.value_ms is None or found.value_ms <= limit:
        return
    happened = f"it was {_value(found)}, of {_counted(turns.turns_asked + len(too_long), 'turn')}"
    if too_long:
        happened += f": after {seconds(too_long[-1])} without an answer the call was over"
    yield BrokenLimit(f"response_p{percent}", f"{seconds(limit)} at the most", happened)


def _shares(turns: CallTurns, limits: TurnLimits) -> Iterator[BrokenLimit]:
    found = [
        ("response_rate", turns.answered_in_window, turns.turns_asked, "turns answered"),
        ("yield_rate", turns.yielded_in_window, turns.onsets, "onsets yielded to"),
    ]
    for label, sounds, went_on in zip(SOUND_LABELS, turns.sounds, turns.gone_on, strict=True):
        key = f"{label}_rate"
        found.append((key, went_on, sounds, f"{_SHARES[key]} over which it went on"))
    for key, events, of, what in found:
        limit, share = getattr(limits, key), rate(events, of)
        if limit is not None and share is not None and share < limit:
            assert of >= FEWEST_EVENTS
            yield BrokenLimit(key, f"{limit:g} at the least", f"it was {share:.2f}: {events} of {of} {what}")


def _value(found: Percentile) -> str:
    return "never" if found.value_ms is None or found.value_ms == NEVER else seconds(round(found.value_ms))
