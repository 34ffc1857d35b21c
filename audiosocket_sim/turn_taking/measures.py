"""Measures turn-taking between two voices, from instant to instant: segments with labels in, values out. Pure.

All instants are of audible sound at the phone, in ms of one clock: the caller's are known from what he said, the bot's
are heard. A sound ends behind the last 10 ms of it that are over -50 dBFS. Each measure is a function; its docstring
names its two instants and what is not counted. "Never" is None, not 0, and a rate over fewer than 10 events is None.
Must not know how the segments were found, nor of logs and scenarios.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from audiosocket_sim.turn_taking.segments import (
    QUIET_MS,
    RESUMED_MS,
    SpokenTurn,
    VoiceSegment,
    joined,
    resumed_at,
    spells_of,
    turns_of,
)

__all__ = [
    "FEWEST_EVENTS",
    "LEAST_OVERLAP_MS",
    "PREMATURE_MS",
    "RESPONSE_WINDOW_MS",
    "VERSION",
    "YIELD_WINDOW_MS",
    "Overlap",
    "ResponseTime",
    "YieldTime",
    "premature_starts",
    "rate",
    "responses",
    "spoken_over",
    "talk_over",
    "yields",
]

VERSION = 4
"""Of the definitions in this room: it is printed with the values."""
PREMATURE_MS = 50
"""A bot that begins at most so long before the caller's last word is over was not early: no ear is more exact."""
RESPONSE_WINDOW_MS = 10_000
"""No answer within so long is none: R_R is the share of the turns that were answered in it."""
YIELD_WINDOW_MS = 2_000
"""No stop within so long is none: R_Y is the share of the onsets over the bot for which it stopped in it."""
LEAST_OVERLAP_MS = 100
"""Shorter talking at once is what happens at a change of turn."""
FEWEST_EVENTS = 10
"""A rate over fewer events would say nothing, and is None."""


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How a turn of the caller, which ended at `from_ms`, was answered. `wait_ms`: None if it was not.

    `outcome`: `answered`; `no_response` within 10 s; or not counted, because the caller `spoke_again` or the call was
    over (`call_over`) first. A negative wait belongs to a bot that began before the turn was over.
    """

    from_ms: int
    wait_ms: int | None
    outcome: Literal["answered", "spoke_again", "no_response", "call_over"]

    @property
    def in_window(self) -> bool:
        """Whether the answer came within 10 s; a later one has a wait, and is none in R_R."""
        return self.wait_ms is not None and self.wait_ms <= RESPONSE_WINDOW_MS


@dataclass(frozen=True, slots=True)
class YieldTime:
    """How the bot took a caller who began at `onset_ms`, over its speech.

    `after_ms`: the bot's last audible sample came so long after the onset; None if the call was over before it was
    quiet. `natural`: a known sentence was heard to its end, so that the bot would have stopped anyway; None: unknown.
    """

    onset_ms: int
    after_ms: int | None
    natural: bool | None

    @property
    def yielded(self) -> bool:
        """Whether the bot stopped within 2 s, and not because its sentence was over."""
        return self.after_ms is not None and self.after_ms <= YIELD_WINDOW_MS and not self.natural

    def outcome(self, until_ms: int) -> Literal["yielded", "no_yield", "natural", "call_over"]:
        """Return what it is in R_Y, of a call that was over at `until_ms`: `yielded`, or `no_yield` within 2 s.

        Not counted: a `natural` end within the 2 s, and a call that was over (`call_over`) in them.
        """
        if self.after_ms is not None and self.after_ms <= YIELD_WINDOW_MS:
            return "natural" if self.natural else "yielded"
        return "no_yield" if until_ms - self.onset_ms >= YIELD_WINDOW_MS else "call_over"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both were audible from `start_ms` to `end_ms`. `began`: who began to speak while the other spoke."""

    start_ms: int
    end_ms: int
    began: Literal["caller", "bot"]

    @property
    def duration_ms(self) -> int:
        """The length."""
        return self.end_ms - self.start_ms


def responses(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int) -> list[ResponseTime]:
    """L_R of each turn of the caller: from the end of its last word to the bot's first audible speech after it.

    Hold audio is no answer. The wait is negative if the bot began while the caller spoke, and speaks on. Not counted:
    the caller spoke again before the bot, or the call was over (`until_ms`) within 10 s.
    """
    found = []
    callers = turns_of(caller)
    for index, turn in enumerate(callers):
        again_ms = callers[index + 1].start_ms if index + 1 < len(callers) else None
        begun = (spoken.start_ms for spoken in _answers(turn, bot) if spoken.end_ms > turn.end_ms)
        first_ms = next(begun, None)
        if first_ms is not None and (again_ms is None or first_ms < again_ms):
            found.append(ResponseTime(turn.end_ms, first_ms - turn.end_ms, "answered"))
        elif again_ms is not None and again_ms - turn.end_ms < RESPONSE_WINDOW_MS:
            found.append(ResponseTime(turn.end_ms, None, "spoke_again"))
        else:
            over = until_ms - turn.end_ms < RESPONSE_WINDOW_MS
            found.append(ResponseTime(turn.end_ms, None, "call_over" if over else "no_response"))
    return found


def premature_starts(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment]) -> list[Overlap]:
    """Premature starts: from the bot's first audible sample to the end of the caller's turn, more than 50 ms later.

    Not counted: speech that the caller interrupted, and that goes on within 900 ms.
    """
    return [
        Overlap(spoken.start_ms, turn.end_ms, "bot")
        for turn in turns_of(caller, ("speech",))
        for spoken in _answers(turn, bot)
        if spoken.start_ms < turn.end_ms - PREMATURE_MS
    ]


def yields(caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], until_ms: int) -> list[YieldTime]:
    """L_Y of each turn that the caller began over the bot's speech: from his onset to the bot's last audible sample of
    that speech, after which it is quiet for 200 ms.

    No stop: the bot goes on within 900 ms, still over the caller's turn or at the place of a known sentence where it
    was. The end of the call (`until_ms`) is none.
    """
    found = []
    for turn in turns_of(caller, ("speech",)):
        spoken = spoken_over(turn, bot)
        if spoken is None:
            continue
        after_ms = None if spoken.end_ms + QUIET_MS > until_ms else spoken.end_ms - turn.start_ms
        found.append(YieldTime(turn.start_ms, after_ms, spoken.whole))
    return found


def talk_over(
    caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment], at_least_ms: int = LEAST_OVERLAP_MS
) -> list[Overlap]:
    """Talk-over: each time that both were audible, from the first sample of the second voice to behind the last of the
    first that falls silent. Not counted: less than `at_least_ms`. Pauses of less than 200 ms are bridged."""
    began = [{turn.segments[0].turn: turn.start_ms for turn in turns_of(voice)} for voice in (caller, bot)]
    found = []
    for ours in spells_of(caller):
        for theirs in spells_of(bot):
            start, end = max(ours.start_ms, theirs.start_ms), min(ours.end_ms, theirs.end_ms)
            if end - start >= max(1, at_least_ms):
                by_bot = began[1][theirs.turn] >= began[0][ours.turn]
                found.append(Overlap(start, end, "bot" if by_bot else "caller"))
    return found


def rate(events: int, of: int) -> float | None:
    """Return the share of `events` in `of`, from 0 to 1; None of fewer than 10, which would say nothing."""
    return events / of if of >= FEWEST_EVENTS else None


def spoken_over(turn: SpokenTurn, bot: Sequence[VoiceSegment]) -> VoiceSegment | None:
    """Return the bot's speech over which the turn began, to where it stopped; None if the bot did not speak."""
    if not any(spoken.start_ms < turn.start_ms < spoken.end_ms for spoken in turns_of(bot)):
        return None
    first, *later = (spell for spell in spells_of(bot) if spell.end_ms > turn.start_ms)
    before = first
    for spell in later:
        goes_on = spell.start_ms < turn.end_ms - PREMATURE_MS or resumed_at(before, spell) == "there"
        if spell.start_ms - first.end_ms > RESUMED_MS or not goes_on:
            break
        first, before = joined(first, spell), spell
    return first


def _answers(turn: SpokenTurn, bot: Sequence[VoiceSegment]) -> Iterator[SpokenTurn]:
    """The bot's stretches of speech that begin after the turn has begun; not what it interrupted."""
    over = spoken_over(turn, bot)
    floor_ms = turn.start_ms if over is None else over.end_ms
    yield from turns_of([segment for segment in bot if segment.start_ms > floor_ms], ("speech",))
