"""Decides whether this machine's lateness could have made the defects that fail a call: judged again without it. Pure.

The simulator reads late, and a bot that is kept from running sends late: holes, and behind a hole a lead, since the bot
keeps to its clock. Its pace it keeps as well, but for long stalls. Of what is in the samples only silence and jumps can
come of lateness: a thread that sends goes on with silence while the thread that makes the sound stands still.
"""

from collections.abc import Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import CallerSpoke, DefectFound, Entry, LogEvent, StepFailed
from audiosocket_sim.checks.fits import pause_before_ms
from audiosocket_sim.checks.lateness import LatenessRecord
from audiosocket_sim.checks.quality import quality_faults
from audiosocket_sim.scenario import Quality

__all__ = ["defects_could_turn", "without_our_part"]

_FRAME_MS = 20
_CAUGHT_UP_MS = 60
"""A bot that sends by a clock catches up with a stall of three frames; many such stalls leave its pace as it is."""
_MADE_AHEAD_MS = 1000
"""How far ahead of its sending, in ms, a bot may make its sound."""
_NOT_MADE = ("cuts", "lost", "repeats", "paused")
"""Faults of the sound whose amount is in ms of silence, of lost sound, or of sound that was put in."""
_EDGE_MS = 120
"""How long (ms) around an edge a want of the processor may be that was met there: it is read every 100 ms."""


def defects_could_turn(failed: StepFailed, entries: Sequence[Entry], quality: Quality, late: LatenessRecord) -> bool:
    """Return whether a failure of `quality` may be this machine's doing. False: it is final.

    `entries`: the whole call log, in the order of time.
    """
    faults = quality_faults(without_our_part(entries, late), quality)
    return bool(late) and not any(fault.expected == failed.expected for fault in faults)


def without_our_part(entries: Sequence[Entry], late: LatenessRecord) -> list[Entry]:
    """Return the log with each defect as it would be if this machine had made as much of it as it can have made."""
    made = [(entry, _without(entry.at_ms, entry.event, entries, late)) for entry in entries]
    return [replace(entry, event=event) for entry, event in made if event is not None]


def _without(at_ms: int, event: LogEvent, entries: Sequence[Entry], late: LatenessRecord) -> LogEvent | None:
    """The event without our part of it; None if nothing is left."""
    if not isinstance(event, DefectFound):
        return event
    end_ms = at_ms + event.duration_ms
    match event.kind:
        case "holes":
            return _less(event, late.hole_ms(at_ms - _FRAME_MS, end_ms))
        case "ahead":  # the lead that a hole leaves stays until the bot pauses
            return _less(event, max(late.longest_stall_ms(0, end_ms), late.hole_ms(at_ms - _FRAME_MS, end_ms)))
        case "unheard":  # its last sound was read or sent late; or the phone still held what a stall had put off
            last_ms = late.hole_ms(at_ms - round(event.amount or 0) - _FRAME_MS, end_ms + _FRAME_MS)
            return _less(event, max(last_ms, late.put_off_ms(pause_before_ms(entries, at_ms), end_ms)))
        case "wire_silence":
            return _less(event, late.shift_ms(at_ms, end_ms + _FRAME_MS))
        case "left_open":
            return None if 2 * late.hole_ms(at_ms, end_ms) >= event.duration_ms else event
        case "pace":
            return _less(event, 100 * _drift_ms(at_ms, end_ms, event, late) / max(1, event.duration_ms))
        case "premature":
            return None if _is_belated(at_ms, entries, late) or _behind_a_hole(at_ms, entries, late) else event
        case "damage":
            return None if _was_not_made(at_ms, end_ms, event, late) else event
        case "cross_talk" if event.fault == "broken off":  # a sentence that ends in a hole of ours looks broken off
            return None if late.hole_ms(at_ms - _MADE_AHEAD_MS, at_ms + _FRAME_MS) else event
        case "hold_seam":
            ours_ms = late.hole_ms(at_ms - _FRAME_MS, end_ms + _FRAME_MS) + late.lost_ms(at_ms - _FRAME_MS, end_ms)
            return None if ours_ms >= _FRAME_MS else event
    return event


def _drift_ms(at_ms: int, end_ms: int, event: DefectFound, late: LatenessRecord) -> int:
    """By how much this machine can have bent the line through the arrivals: by stalls that a bot does not catch up, as
    it has dropped what was due in them, and by shorter ones at either edge of the line. A line that begins behind a
    stall begins with what was due in it, and looks too fast."""
    if (event.amount or 0) < 0 and (before_ms := late.longest_stall_ms(at_ms - _EDGE_MS, at_ms + _FRAME_MS)):
        return before_ms + late.stall_ms(at_ms + _FRAME_MS, end_ms, _CAUGHT_UP_MS)
    start_ms = late.longest_hole_ms(at_ms - _FRAME_MS, at_ms + _EDGE_MS)
    stop_ms = late.longest_hole_ms(end_ms - _EDGE_MS, end_ms + _EDGE_MS)
    edges_ms = min(_CAUGHT_UP_MS, start_ms) + min(_CAUGHT_UP_MS, stop_ms)
    return late.stall_ms(at_ms - _FRAME_MS, end_ms, _CAUGHT_UP_MS) + edges_ms


def _less(event: DefectFound, ours: float) -> DefectFound:
    """The defect with an amount nearer to 0 by `ours`; one without an amount is as it was."""
    if event.amount is None or not ours:
        return event
    left = max(0.0, abs(event.amount) - ours)
    return replace(event, amount=left if event.amount > 0 else -left)


def _was_not_made(at_ms: int, end_ms: int, event: DefectFound, late: LatenessRecord) -> bool:
    """Whether a stall of the bot explains the silence in the sound, or the part that is missing."""
    if event.fault not in _NOT_MADE or event.amount is None:
        return False
    return late.not_made_ms(at_ms - _MADE_AHEAD_MS, end_ms) >= event.amount


def _is_belated(at_ms: int, entries: Sequence[Entry], late: LatenessRecord) -> bool:
    """Whether speech at `at_ms`, in the caller's sentence, would have begun before it on an idle machine."""
    spoken = [e.at_ms for e in entries if isinstance(e.event, CallerSpoke) and e.at_ms <= at_ms]
    return bool(spoken) and late.shift_ms(spoken[-2] if len(spoken) > 1 else 0, at_ms) >= at_ms - spoken[-1]


def _behind_a_hole(at_ms: int, entries: Sequence[Entry], late: LatenessRecord) -> bool:
    """Whether a packet of ours in the caller's words before `at_ms` was so late that they may have seemed over, or the
    bot stood still in them."""
    spoken = [e.at_ms for e in entries if isinstance(e.event, CallerSpoke) and e.at_ms <= at_ms]
    return bool(spoken) and bool(late.bot_holes(spoken[-1], at_ms) or late.bot_stalls(spoken[-1], at_ms))
