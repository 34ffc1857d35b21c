"""The two voices of a call log as segments, and what `turn_taking` measures of them. Pure."""

from collections.abc import Sequence

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
from audiosocket_sim.turn_taking import (
    LEAST_OVERLAP_MS,
    RESPONSE_WINDOW_MS,
    VERSION,
    YIELD_WINDOW_MS,
    Overlap,
    QuietTime,
    VoiceSegment,
    dead_air,
    premature_starts,
    rate,
    responses,
    talk_over,
    turns_of,
    yields,
)

__all__ = ["bot_voice", "caller_voice", "ended_ms", "measures", "over_ms", "overlaps", "wait_ms"]

_SOUNDS = ("noise", "tone", "silence")
"""The caller's actions that cut off what he says: he makes one sound at a time."""


def caller_voice(entries: Sequence[Entry]) -> list[VoiceSegment]:
    """Return what the caller said and the keys that he pressed, as far as it was heard before the next sound."""
    found: list[VoiceSegment] = []
    cut_ms: int | None = None
    for entry in reversed(entries):
        match entry.event:
            case CallEnded():
                cut_ms = entry.at_ms if cut_ms is None else min(cut_ms, entry.at_ms)
            case CallerSpoke(duration_ms=duration, audible_ms=audible):
                for start, end in audible or ((0, duration),):
                    start_ms, end_ms = entry.at_ms + start, entry.at_ms + end
                    if cut_ms is None or start_ms < cut_ms:
                        stop_ms = end_ms if cut_ms is None else min(end_ms, cut_ms)
                        found.append(VoiceSegment(start_ms, stop_ms, "speech", entry.number))
                cut_ms = entry.at_ms
            case CallerAction(what="dtmf", duration_ms=duration):
                found.append(VoiceSegment(entry.at_ms, entry.at_ms + (duration or 0), "keys", entry.number))
            case CallerAction(what=what) if what in _SOUNDS:
                cut_ms = entry.at_ms
    return sorted(found, key=lambda segment: segment.start_ms)


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
    whole = None if spoke.whole_ms is None else not spoke.cut_off
    parts = spoke.parts_ms or ((0, spoke.heard_ms + spoke.gap_ms),)
    return [VoiceSegment(at_ms + start, at_ms + end, "speech", number, whole) for start, end in parts]


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


def measures(entries: Sequence[Entry]) -> dict[str, object]:
    """Return what was measured of the turns of a call, as JSON has it: times in ms, with counts, windows and version.

    "Never" is null, and so is a rate over fewer than 10 events.
    """
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    answers = responses(caller, bot, until_ms)
    asked = [answer for answer in answers if answer.outcome in ("answered", "no_response")]
    stops = [stop for stop in yields(caller, bot, until_ms) if stop.after_ms is not None]
    stopped = [stop for stop in stops if not stop.natural]
    measured = {entry.at_ms: entry.event.wait_measured for entry in entries if isinstance(entry.event, BotSpoke)}
    return {
        "version": VERSION,
        "responses": {
            "window_ms": RESPONSE_WINDOW_MS,
            "turns": len(asked),
            "waits": [
                {
                    "from_ms": answer.from_ms,
                    "wait_ms": answer.wait_ms,
                    "measured": answer.wait_ms is None or measured.get(answer.from_ms + answer.wait_ms, True),
                }
                for answer in asked
            ],
            "rate": rate(sum(answer.wait_ms is not None for answer in asked), len(asked)),
        },
        "premature_starts": [
            {"at_ms": start.start_ms, "early_ms": start.duration_ms} for start in premature_starts(caller, bot)
        ],
        "yields": {
            "window_ms": YIELD_WINDOW_MS,
            "onsets": len(stopped),
            "stops": [
                {"onset_ms": stop.onset_ms, "after_ms": stop.after_ms, "natural": stop.natural} for stop in stops
            ],
            "rate": rate(sum(stop.yielded for stop in stopped), len(stopped)),
        },
        "talk_over": {"least_ms": LEAST_OVERLAP_MS, **_spans(talk_over(caller, bot))},
        "dead_air": _spans(dead_air(caller, bot, until_ms)),
    }


def _spans(found: Sequence[Overlap] | Sequence[QuietTime]) -> dict[str, object]:
    """The total and the longest of some times; None if there was none."""
    lengths = [span.duration_ms for span in found]
    return {"count": len(lengths), "total_ms": sum(lengths) or None, "longest_ms": max(lengths, default=None)}
