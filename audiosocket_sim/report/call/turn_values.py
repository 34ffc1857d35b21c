"""The turn-taking values of one call in words, each with its definition. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.voices import call_turns
from audiosocket_sim.turn_taking import SOUND_LABELS, VERSION, CallTurns

__all__ = ["TurnValue", "turn_values"]

_SOUNDS = {
    "backchannel": ("Goes on for back-channels", "“uh-huh” and the like"),
    "vocal_tic": ("Goes on for coughs", "a cough, a breath, a laugh"),
    "non_directed": ("Goes on for other sounds", "a dog, a door, a television, not meant for the bot"),
}


@dataclass(frozen=True, slots=True)
class TurnValue:
    """One value: its name, what was measured, and how it is defined."""

    name: str
    value: str
    definition: str


def turn_values(entries: Sequence[Entry]) -> tuple[int, list[TurnValue]]:
    """Return the version of the definitions, and the values of a call."""
    return VERSION, list(_values(call_turns(entries)))


def _values(turns: CallTurns) -> Iterator[TurnValue]:
    yield TurnValue(
        "Response time (L_R)",
        _times(turns.waits_ms, turns.unanswered, "never answered"),
        "from the end of the caller's last word to the bot's first audible speech after it; hold audio is no answer; "
        "not counted: the caller spoke again, or the call was over, first",
    )
    yield TurnValue(
        "Answered within 10 s (R_R)",
        f"{turns.answered_in_window} of {turns.turns_asked} turns",
        "turns of the caller that were answered within 10 s of their last word",
    )
    if turns.waits_unmeasured:
        yield TurnValue(
            "Waits not measured",
            str(turns.waits_unmeasured),
            "the bot worked in a thread, which takes no virtual time: use the real clock",
        )
    yield TurnValue(
        "Yield time (L_Y)",
        _times(turns.yields_ms, turns.unyielded, "never"),
        "from the caller's first sound over the bot's speech to the bot's last audible sample, after which it is quiet "
        "for 200 ms; an end of its own sentence is none",
    )
    yield TurnValue(
        "Stopped within 2 s (R_Y)",
        f"{turns.yielded_in_window} of {turns.onsets} times",
        "times that the caller began over the bot's speech and it stopped within 2 s",
    )
    yield TurnValue(
        "Interruptions by the bot",
        f"{turns.interruptions} in {turns.caller_turns} turns",
        "the bot began to speak more than 50 ms before the end of the caller's last word",
    )
    yield TurnValue(
        "Talk-over",
        _lengths(turns.talk_over_ms),
        "both were audible, for at least 100 ms; pauses of less than 200 ms are bridged",
    )
    yield TurnValue(
        "Dead air",
        _lengths(turns.dead_air_ms),
        "nobody was audible while it was the bot's turn: after the caller's turn, after hold audio, after a stop in "
        "mid-sentence, and from the beginning unless the caller speaks first; after the bot's speech it is the "
        "caller's turn, and silence is his",
    )
    yield TurnValue(
        "False stops",
        f"{turns.false_stops}, {turns.false_stops_dead} of them with nothing after",
        "the bot stopped, and no caller had taken the turn",
    )
    for label, sounds, went_on in zip(SOUND_LABELS, turns.sounds, turns.gone_on, strict=True):
        if sounds:
            name, examples = _SOUNDS[label]
            words = f"over which the bot went on, watched for 2 s; {examples}"
            yield TurnValue(name, f"{went_on} of {sounds}", f"sounds of the caller that are no turn {words}")


def _times(values: Sequence[int], never: int, words: str) -> str:
    parts = [", ".join(f"{value / 1000:.2f} s" for value in values[:12])] if values else []
    if len(values) > 12:
        parts.append(f"and {len(values) - 12} more, {max(values) / 1000:.2f} s at the most")
    if never:
        parts.append(f"{never} {words}")
    return "; ".join(parts) or "nothing to measure"


def _lengths(values: Sequence[int]) -> str:
    if not values:
        return "none"
    times = f"{len(values)} time{'s' if len(values) > 1 else ''}"
    return f"{times}, {sum(values) / 1000:.2f} s in all, {max(values) / 1000:.2f} s the longest"
