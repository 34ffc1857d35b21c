"""What is said of a stretch of the bot's speech that was not heard whole: whether the bot broke it off, the call's end
did, or pieces are missing in it. Of one stretch the page tells one thing and one set of figures. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, DefectFound, Entry

__all__ = ["HowHeard", "heard_whole", "note_of"]

HowHeard = Literal["whole", "paused", "cut_off", "pieces", "hung_up"]
"""How a stretch of speech was heard: `whole`, also as the rest of what was paused; `paused` by the bot, which went on
with it; `cut_off` by the bot; with `pieces` missing in it; until the caller, who is the test, `hung_up`."""
_CUT = re.compile(r"cut off: ([\d.]+ s of [\d.]+ s)(, without its first [\d.]+ s)?")
_GAPS = re.compile(r"gaps of (\d+) ms")
_AT_THE_END_MS = 100
_PHONE_HOLDS_MS = 300
"""Of what is sent further ahead a phone drops pieces."""


def heard_whole(entries: Sequence[Entry]) -> dict[int, HowHeard]:
    """Return for each stretch of the bot's speech, by the number of its entry, how it was heard."""
    ended = next(((one.at_ms, one.event.who) for one in entries if isinstance(one.event, CallEnded)), None)
    pieces = [
        one.at_ms
        for one in entries
        if isinstance(one.event, DefectFound) and one.event.kind == "damage" and "are missing in it" in one.event.what
    ]
    return {
        one.number: _heard(one.at_ms, one.event, ended, pieces) for one in entries if isinstance(one.event, BotSpoke)
    }


def _heard(at_ms: int, said: BotSpoke, ended: tuple[int, str] | None, pieces: Sequence[int]) -> HowHeard:
    until_ms = at_ms + said.lasted_ms
    if not said.cut_off or (said.resumed_ms is not None and not said.lost_end_ms):
        return "whole"
    if said.paused_ms is not None:
        return "paused"
    is_far_ahead = said.ahead_ms - said.own_ahead_ms > _PHONE_HOLDS_MS
    if is_far_ahead or any(at_ms <= piece <= until_ms for piece in pieces):
        return "pieces"
    if ended is not None and ended[1] == "caller" and said.lost_end_ms and until_ms + _AT_THE_END_MS >= ended[0]:
        return "hung_up"
    return "cut_off"


def note_of(entry: Entry, note: str, heard: Mapping[int, HowHeard]) -> str:
    """Return the transcript's note of an entry as the page tells it: beside what its defects say, no other figures."""
    if not isinstance(entry.event, BotSpoke):
        return note
    how = heard.get(entry.number, "whole")
    if how == "pieces":  # how much is said by the defect
        note = _CUT.sub(f"{_s(entry.event.heard_ms)} heard, with pieces missing", note)
    if how == "hung_up":
        note = _CUT.sub(r"\1, when the caller hung up", note)
    holes = entry.event.hole_ms
    if holes:
        note = _GAPS.sub(lambda gaps: f"holes of {holes} ms{_pauses(int(gaps[1]) - holes)}", note)
    return note


def _pauses(rest_ms: int) -> str:
    return f", pauses longer by {rest_ms} ms" if rest_ms > 0 else ""


def _s(ms: int) -> str:
    return f"{ms / 1000:.2f} s"
