"""Measures dead air: when nobody is audible though it is the bot's turn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_sim.turn_taking.measures import yields
from audiosocket_sim.turn_taking.segments import VoiceSegment, spells_of, turns_of
from audiosocket_sim.turn_taking.selectivity import false_stops

__all__ = ["QuietTime", "dead_air"]


@dataclass(frozen=True, slots=True)
class QuietTime:
    """Nobody was audible from `start_ms` to `end_ms`, and it was the bot's turn."""

    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        """The length."""
        return self.end_ms - self.start_ms


def dead_air(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int) -> list[QuietTime]:
    """Dead air: each time that nobody was audible while it was the bot's turn, from the last audible sample before to
    the first behind it, or to the end of the call (`until_ms`).

    It is the bot's turn once the caller's turn is over, after hold audio, after a stop in mid-sentence, whoever caused
    it, and from the beginning (0 ms) unless the caller speaks first. Not counted: after its speech it is the caller's
    turn. The caller's sounds that are no turn are nobody's: a cough does not end dead air.
    """
    callers = turns_of(caller)
    stops = [found for found in yields(caller, bot, until_ms) if found.yielded]
    stops_ms = {found.onset_ms + (found.after_ms or 0) for found in stops}
    stops_ms |= {found.at_ms for found in false_stops(caller, bot, until_ms)}
    audible = sorted(
        [(turn.start_ms, turn.end_ms, True) for turn in callers]
        + [(hold.start_ms, hold.end_ms, True) for hold in bot if hold.label == "hold"]
        + [(spoken.start_ms, spoken.end_ms, spoken.end_ms in stops_ms) for spoken in spells_of(bot)]
    )
    bots_turn = not callers or audible[0][0] < callers[0].start_ms
    since, found = 0, []
    for start, end, hands_over in [*audible, (until_ms, until_ms, False)]:
        if bots_turn and min(start, until_ms) > since:
            found.append(QuietTime(since, min(start, until_ms)))
        if end > since:
            bots_turn, since = hands_over, end
    return found
