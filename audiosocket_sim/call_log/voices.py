"""The two voices of a call log as segments, and what `turn_taking` measures of them. Pure."""

from collections.abc import Sequence
from typing import cast

from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    Entry,
    HoldStarted,
    HoldStopped,
    VoicesOverlapped,
)
from audiosocket_sim.call_log.resumption import part_of
from audiosocket_sim.turn_taking import (
    LEAST_OVERLAP_MS,
    RESPONSE_WINDOW_MS,
    SELECTIVE_WINDOW_MS,
    SOUND_LABELS,
    VERSION,
    YIELD_WINDOW_MS,
    CallTurns,
    Overlap,
    QuietTime,
    VoiceLabel,
    VoiceSegment,
    YieldTime,
    dead_air,
    disturbances,
    false_stops,
    premature_starts,
    rate,
    responses,
    talk_over,
    turns_of,
    yields,
)

__all__ = ["bot_voice", "call_turns", "caller_voice", "ended_ms", "measures", "over_ms", "overlaps", "wait_ms"]

_SOUNDS = ("noise", "tone", "silence")
"""The caller's actions that cut off what he says: he makes one sound at a time."""


def caller_voice(entries: Sequence[Entry]) -> list[VoiceSegment]:
    """Return what the caller said, the keys that he pressed, and his sounds that are no turn by their kind, as far as
    each was heard before the next sound."""
    found: list[VoiceSegment] = []
    cut_ms: int | None = None
    for entry in reversed(entries):
        match entry.event:
            case CallEnded():
                cut_ms = entry.at_ms if cut_ms is None else min(cut_ms, entry.at_ms)
            case CallerSpoke(duration_ms=duration, audible_ms=audible, kind=kind):
                found += _heard_until(cut_ms, entry, audible or ((0, duration),), _label(kind))
                cut_ms = entry.at_ms
            case CallerAction(what="dtmf", duration_ms=duration):
                found.append(VoiceSegment(entry.at_ms, entry.at_ms + (duration or 0), "keys", entry.number))
            case CallerAction(what=what, duration_ms=duration, kind=kind) if what in _SOUNDS:
                if kind is not None:
                    found += _heard_until(cut_ms, entry, ((0, duration or 0),), _label(kind))
                cut_ms = entry.at_ms
    return sorted(found, key=lambda segment: segment.start_ms)


def _heard_until(
    cut_ms: int | None, entry: Entry, audible_ms: Sequence[tuple[int, int]], label: VoiceLabel
) -> list[VoiceSegment]:
    """The parts of one sound of the caller, up to the instant at which another one cut it off."""
    found = []
    for start, end in audible_ms:
        start_ms, end_ms = entry.at_ms + start, entry.at_ms + end
        if cut_ms is None or start_ms < cut_ms:
            stop_ms = end_ms if cut_ms is None else min(end_ms, cut_ms)
            found.append(VoiceSegment(start_ms, stop_ms, label, entry.number))
    return found


def _label(kind: str) -> VoiceLabel:
    return "speech" if kind == "turn" else cast("VoiceLabel", kind)


def bot_voice(entries: Sequence[Entry]) -> list[VoiceSegment]:
    """Return the bot's speech and its hold audio, as the caller heard them."""
    found: list[VoiceSegment] = []
    held: Entry | None = None
    for entry in entries:
        match entry.event:
            case BotSpoke() as spoke:
                found += _parts(entry.at_ms, entry.number, spoke)
            case HoldStarted():
                held = entry
            case HoldStopped() if held is not None:
                found.append(VoiceSegment(held.at_ms, entry.at_ms, "hold", held.number))
                held = None
    if held is not None:
        found.append(VoiceSegment(held.at_ms, max(held.at_ms, over_ms(entries)), "hold", held.number))
    return found


def _parts(at_ms: int, number: int, spoke: BotSpoke) -> list[VoiceSegment]:
    """The parts of one stretch of the bot's speech; only its last one can be the end of a sentence."""
    said = part_of(spoke)
    inner, last = (None, None) if spoke.whole_ms is None else (False, not spoke.lost_end_ms)
    parts = spoke.parts_ms or ((0, spoke.lasted_ms),)
    wholes = [*[inner] * (len(parts) - 1), last]
    return [
        VoiceSegment(at_ms + start, at_ms + end, "speech", number, whole, said)
        for (start, end), whole in zip(parts, wholes, strict=True)
    ]


def ended_ms(entries: Sequence[Entry]) -> int | None:
    """Return when the call ended; None if it has not."""
    return next((entry.at_ms for entry in entries if isinstance(entry.event, CallEnded)), None)


def over_ms(entries: Sequence[Entry]) -> int:
    """Return when the call ended or, if it has not, the time of the last event; 0 for an empty log."""
    ended = ended_ms(entries)
    last_ms = entries[-1].at_ms if entries else 0
    return last_ms if ended is None else ended


def wait_ms(entries: Sequence[Entry], at_ms: int, spoke: BotSpoke) -> int | None:
    """Return how long the caller had waited for speech of the bot that began at `at_ms` and is not in the log yet.

    None if it is not the answer to a turn of the caller.
    """
    bot = [*bot_voice(entries), *_parts(at_ms, 0, spoke)]
    found = responses(caller_voice(entries), bot, at_ms)
    waits = [turn.wait_ms for turn in found if turn.wait_ms is not None and turn.from_ms + turn.wait_ms == at_ms]
    return waits[-1] if waits else None


def overlaps(entries: Sequence[Entry]) -> list[tuple[int, VoicesOverlapped]]:
    """Return, for each turn of the caller, who interrupted whom, and when that began.

    Less than 100 ms of talking at once is no interruption, unless it cut off a known sentence of the bot.
    """
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    stops = {stop.onset_ms: stop for stop in yields(caller, bot, until_ms)}
    early = premature_starts(caller, bot)
    found = []
    for turn in turns_of(caller, ("speech",)):
        both = talk_over(turn.segments, bot, 1)
        by_caller, by_bot = ([span for span in both if span.began == began] for began in ("caller", "bot"))
        stop = stops.get(turn.start_ms)
        if stop is not None and (_is_heard(by_caller) or (by_caller and stop.natural is False)):
            event = VoicesOverlapped("caller", _total_ms(by_caller), stop.after_ms, stop.natural)
            found.append((turn.start_ms, event))
        if _is_heard(by_bot):
            before = [start.duration_ms for start in early if start.end_ms == turn.end_ms]
            event = VoicesOverlapped("bot", _total_ms(by_bot), early_ms=max(before, default=None))
            found.append((by_bot[0].start_ms, event))
    return found


def _is_heard(spans: Sequence[Overlap]) -> bool:
    return any(span.duration_ms >= LEAST_OVERLAP_MS for span in spans)


def _total_ms(spans: Sequence[Overlap]) -> int:
    return sum(span.duration_ms for span in spans)


def call_turns(entries: Sequence[Entry]) -> CallTurns:
    """Return what was measured of the turns of one call, as numbers that can be put together with those of others."""
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    answers = responses(caller, bot, until_ms)
    asked = [one for one in answers if one.outcome in ("answered", "no_response")]
    unmeasured = _unmeasured(entries)
    waits = [one.wait_ms for one in asked if one.wait_ms is not None and one.from_ms + one.wait_ms not in unmeasured]
    onsets = _onsets(yields(caller, bot, until_ms), until_ms)
    early = premature_starts(caller, bot)
    stops = false_stops(caller, bot, until_ms)
    sounds = [sound for sound in disturbances(caller, bot, until_ms) if sound.counts]
    return CallTurns(
        calls=1,
        waits_ms=tuple(waits),
        waited_ms=tuple(_waited(entries, [one.from_ms for one in answers if one.outcome == "call_over"])),
        waits_unmeasured=sum(one.wait_ms is not None for one in asked) - len(waits),
        turns_asked=len(asked),
        answered_in_window=sum(one.in_window for one in asked),
        unanswered=sum(one.wait_ms is None for one in asked),
        yields_ms=tuple(one.after_ms for one in onsets if one.after_ms is not None),
        onsets=len(onsets),
        yielded_in_window=sum(one.yielded for one in onsets),
        unyielded=sum(one.after_ms is None for one in onsets),
        caller_turns=len(turns_of(caller, ("speech",))),
        turns_interrupted=len({one.end_ms for one in early}),
        interruptions=len(early),
        talk_over_ms=tuple(one.duration_ms for one in talk_over(caller, bot)),
        dead_air_ms=tuple(one.duration_ms for one in dead_air(caller, bot, until_ms)),
        false_stops=len(stops),
        false_stops_dead=sum(one.resumed_after_ms is None for one in stops),
        resumed_ms=tuple(one.resumed_after_ms for one in stops if one.resumed_after_ms is not None),
        sounds=tuple(sum(one.label == label for one in sounds) for label in SOUND_LABELS),
        gone_on=tuple(sum(one.label == label and one.went_on for one in sounds) for label in SOUND_LABELS),
    )


def _waited(entries: Sequence[Entry], since_ms: Sequence[int]) -> list[int]:
    """How long the caller had waited in silence when the call was over; none if the server ended it, as it may do in
    answer to a farewell, or hold audio played meanwhile."""
    if any(isinstance(entry.event, CallEnded) and entry.event.who == "server" for entry in entries):
        return []
    until_ms, bot = over_ms(entries), bot_voice(entries)
    quiet = (at_ms for at_ms in since_ms if not any(sound.label == "hold" and sound.end_ms > at_ms for sound in bot))
    return [until_ms - at_ms for at_ms in quiet if at_ms < until_ms]


def _unmeasured(entries: Sequence[Entry]) -> set[int]:
    """When the bot's answers began whose waits virtual time cannot measure."""
    return {entry.at_ms for entry in entries if isinstance(entry.event, BotSpoke) and not entry.event.wait_measured}


def _onsets(found: Sequence[YieldTime], until_ms: int) -> list[YieldTime]:
    """The onsets over the bot that count in R_Y."""
    return [one for one in found if one.outcome(until_ms) in ("yielded", "no_yield")]


def measures(entries: Sequence[Entry]) -> dict[str, object]:
    """Return what was measured of the turns of a call, as JSON has it: times in ms, with counts, windows and version.

    "Never" is null, and so is a rate over fewer than 10 events.
    """
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    asked = [one for one in responses(caller, bot, until_ms) if one.outcome in ("answered", "no_response")]
    found = yields(caller, bot, until_ms)
    onsets, unmeasured = _onsets(found, until_ms), _unmeasured(entries)
    return {
        "version": VERSION,
        "responses": {
            "window_ms": RESPONSE_WINDOW_MS,
            "turns": len(asked),
            "waits": [
                {
                    "from_ms": answer.from_ms,
                    "wait_ms": answer.wait_ms,
                    "measured": answer.wait_ms is None or answer.from_ms + answer.wait_ms not in unmeasured,
                }
                for answer in asked
            ],
            "rate": rate(sum(answer.in_window for answer in asked), len(asked)),
        },
        "premature_starts": [
            {"at_ms": start.start_ms, "early_ms": start.duration_ms} for start in premature_starts(caller, bot)
        ],
        "yields": {
            "window_ms": YIELD_WINDOW_MS,
            "onsets": len(onsets),
            "stops": [
                {
                    "onset_ms": stop.onset_ms,
                    "after_ms": stop.after_ms,
                    "natural": stop.natural,
                    "outcome": stop.outcome(until_ms),
                }
                for stop in found
            ],
            "rate": rate(sum(stop.yielded for stop in onsets), len(onsets)),
        },
        "selectivity": {
            "window_ms": SELECTIVE_WINDOW_MS,
            "sounds": [
                {
                    "onset_ms": sound.onset_ms,
                    "kind": sound.label,
                    "outcome": sound.outcome,
                    "pause_ms": sound.pause_ms,
                    "natural": sound.natural,
                }
                for sound in disturbances(caller, bot, until_ms)
            ],
        },
        "false_stops": [
            {
                "at_ms": stop.at_ms,
                "kind": stop.label,
                "resumed_after_ms": stop.resumed_after_ms,
                "resumed": stop.place,
            }
            for stop in false_stops(caller, bot, until_ms)
        ],
        "talk_over": {"least_ms": LEAST_OVERLAP_MS, **_spans(talk_over(caller, bot))},
        "dead_air": _spans(dead_air(caller, bot, until_ms)),
    }


def _spans(found: Sequence[Overlap] | Sequence[QuietTime]) -> dict[str, object]:
    """The total and the longest of some times; None if there was none."""
    lengths = [span.duration_ms for span in found]
    return {"count": len(lengths), "total_ms": sum(lengths) or None, "longest_ms": max(lengths, default=None)}
