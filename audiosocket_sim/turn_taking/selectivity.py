"""Measures what a bot makes of sounds over its speech that are no turn (S_BC, S_VT, S_ND), and how it goes on after a
stop that no caller meant. Pure.

The kind of a sound is its label: nothing is guessed from how it sounds. From the sound's first audible sample on the
bot is watched for 2 s. It is selective if it goes on: not disturbed at all (softer is not disturbed), or quiet for at
most 900 ms and then going on where it had stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from audiosocket_sim.turn_taking.segments import (
    RESUMED_MS,
    SOUND_LABELS,
    ResumedAt,
    SpokenTurn,
    VoiceLabel,
    VoiceSegment,
    goes_on_at,
    resumed_at,
    spells_of,
    turns_of,
)

__all__ = [
    "SELECTIVE_WINDOW_MS",
    "Disturbance",
    "FalseStop",
    "ResumedAt",
    "disturbances",
    "false_stops",
    "goes_on_at",
    "reaction",
]

SELECTIVE_WINDOW_MS = 2_000
"""How long after a sound has begun the bot is watched."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What the bot made of a sound that began at `onset_ms` over its speech.

    `outcome`: `went_on`, also where its sentence was over (`natural`); `paused` for `pause_ms` (the longest), and went
    on; `stopped`; or not counted, because the caller spoke (`caller_spoke`) or the call was over (`call_over`) in the
    time in which that is judged. `stopped_at_ms`: behind its last audible sample, if it stopped or its sentence was
    over within the 2 s. `resumed_after_ms`: how long after a stop it spoke again, before the caller did; None: never.
    `place`: where it went on; None: not known.
    """

    onset_ms: int
    label: VoiceLabel
    outcome: Literal["went_on", "paused", "stopped", "caller_spoke", "call_over"]
    pause_ms: int | None = None
    natural: bool = False
    stopped_at_ms: int | None = None
    resumed_after_ms: int | None = None
    place: ResumedAt | None = None

    @property
    def counts(self) -> bool:
        """Whether it is one of the events of its rate."""
        return self.outcome not in ("caller_spoke", "call_over")

    @property
    def went_on(self) -> bool:
        """Whether the bot was selective."""
        return self.outcome in ("went_on", "paused")


@dataclass(frozen=True, slots=True)
class FalseStop:
    """The bot stopped at `at_ms`, and no caller took the turn. `label`: of the sound that it stopped for; None: none.

    `resumed_after_ms` and `place`: as in Disturbance.
    """

    at_ms: int
    label: VoiceLabel | None
    resumed_after_ms: int | None
    place: ResumedAt | None


def disturbances(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int) -> list[Disturbance]:
    """Return what the bot made of each of the caller's sounds that are no turn and began over its speech: from the
    first audible sample of the sound to 2 s later. `until_ms`: when the call was over."""
    found = (reaction(sound, caller, bot, until_ms) for sound in turns_of(caller, SOUND_LABELS))
    return [one for one in found if one is not None]


def reaction(
    sound: SpokenTurn, caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int
) -> Disturbance | None:
    """Return what the bot made of one sound of the caller, of any label; None if it was not speaking at its beginning.

    From the first audible sample of the sound to the bot's last audible sample, if that comes within 2 s.
    """
    onset_ms = sound.start_ms
    if not any(spoken.start_ms < onset_ms < spoken.end_ms for spoken in turns_of(bot, ("speech",))):
        return None
    next_turn_ms = _next_turn_ms(caller, onset_ms)
    judged_ms = onset_ms + SELECTIVE_WINDOW_MS
    known_ms = min(judged_ms, next_turn_ms, until_ms)
    spells = [spell for spell in spells_of(bot) if spell.end_ms > onset_ms]
    pause_ms = 0
    for spell, then in zip(spells, [*spells[1:], None], strict=True):
        natural = spell.whole is True and spell.end_ms < known_ms
        if spell.end_ms >= known_ms or natural:
            if not natural and known_ms < judged_ms:
                return Disturbance(onset_ms, sound.label, "caller_spoke" if next_turn_ms <= until_ms else "call_over")
            outcome: Literal["went_on", "paused"] = "paused" if pause_ms else "went_on"
            stopped_at_ms = spell.end_ms if spell.end_ms < known_ms else None
            return Disturbance(onset_ms, sound.label, outcome, pause_ms or None, natural, stopped_at_ms)
        again = then if then is not None and then.start_ms < next_turn_ms else None
        place = None if again is None else resumed_at(spell, again)
        quiet_ms = None if again is None else again.start_ms - spell.end_ms
        if quiet_ms is not None and quiet_ms <= RESUMED_MS and place in ("there", None):
            pause_ms = max(pause_ms, quiet_ms)
            continue
        if again is None and min(next_turn_ms, until_ms) < spell.end_ms + RESUMED_MS:
            return Disturbance(onset_ms, sound.label, "caller_spoke" if next_turn_ms <= until_ms else "call_over")
        return Disturbance(onset_ms, sound.label, "stopped", None, False, spell.end_ms, quiet_ms, place)
    raise AssertionError("the last speech goes on, or it has stopped")


def false_stops(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int) -> list[FalseStop]:
    """Return each stop of the bot that no caller caused: for a sound that is no turn, or a known sentence that was cut
    off with no turn of the caller since 2 s before. From its last audible sample to its next.

    Not counted: a pause of at most 900 ms, and what may have been one when the call ended (`until_ms`).
    """
    found = {
        one.stopped_at_ms: FalseStop(one.stopped_at_ms, one.label, one.resumed_after_ms, one.place)
        for one in disturbances(caller, bot, until_ms)
        if one.outcome == "stopped" and one.stopped_at_ms is not None
    }
    spells = spells_of(bot)
    for spell, then in zip(spells, [*spells[1:], None], strict=False):
        if spell.whole is not False or spell.end_ms in found:
            continue
        if then is None and spell.end_ms + RESUMED_MS > until_ms:
            continue
        if _took_turn(caller, spell.end_ms):
            continue
        again = then if then is not None and then.start_ms < _next_turn_ms(caller, spell.end_ms) else None
        quiet_ms = None if again is None else again.start_ms - spell.end_ms
        place = None if again is None else resumed_at(spell, again)
        if quiet_ms is None or quiet_ms > RESUMED_MS or place not in ("there", None):
            found[spell.end_ms] = FalseStop(spell.end_ms, None, quiet_ms, place)
    return sorted(found.values(), key=lambda stop: stop.at_ms)


def _next_turn_ms(caller: Sequence[VoiceSegment], after_ms: int) -> float:
    """When the caller's next turn begins; infinity: there is none."""
    return min((turn.start_ms for turn in turns_of(caller) if turn.start_ms > after_ms), default=float("inf"))


def _took_turn(caller: Sequence[VoiceSegment], stop_ms: int) -> bool:
    """Whether the caller had a turn in the 2 s before the bot stopped."""
    return any(turn.start_ms <= stop_ms and turn.end_ms >= stop_ms - SELECTIVE_WINDOW_MS for turn in turns_of(caller))
